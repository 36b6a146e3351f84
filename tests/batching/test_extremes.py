"""Sparse matrices, and numbers that the model's dtype cannot hold: an error that names the fix, not infinities."""

from functools import partial

import numpy as np
import pytest
import scipy.sparse

import pyneural as pn

X, Y = np.random.default_rng(0).normal(size=(20, 3)), np.arange(20) % 2


def trained(**options) -> pn.Sequential:
    model = pn.Sequential(pn.Dense(2))
    pn.fit(model, (X, Y), epochs=1, verbose=0, **options)
    return model


@pytest.mark.parametrize("kind", ["csr_matrix", "csc_array", "coo_array", "lil_matrix"])
def test_sparse_matrices_are_refused_with_the_fix(kind):
    sparse = getattr(scipy.sparse, kind)(np.where(X > 1, X, 0))
    words = rf"x is a sparse {kind} \(20, 3\): give a dense array, x\.toarray\(\)"
    for run in (
        lambda: pn.fit(trained(), (sparse, Y), epochs=1),
        lambda: pn.fit(trained(), [(sparse, Y)], epochs=1),
        lambda: pn.evaluate(trained(), (sparse, Y)),
        lambda: pn.predict(trained(), sparse),
        lambda: pn.classify(trained(), sparse),
        lambda: pn.Dataset(sparse, Y),
    ):
        with pytest.raises(TypeError, match=words):
            run()
    with pytest.raises(TypeError, match=r"y is a sparse .*: give a dense array, y\.toarray\(\)"):
        pn.Dataset(X, sparse)


def test_masked_values_are_refused_with_the_fix():
    """NumPy's asarray drops the mask, and the values under it were learnt from."""
    x, y = np.ma.masked_greater(X, 1), np.ma.masked_equal(Y, 1)
    words = rf"x has {int((X > 1).sum())} masked values, the first at \(\d+, \d\): fill them, such as with x\.filled"
    for run in (
        lambda: pn.fit(trained(), (x, Y), epochs=1),
        lambda: pn.fit(trained(), [(x, Y)], epochs=1),
        lambda: pn.evaluate(trained(), (x, Y)),
        lambda: pn.predict(trained(), x),
    ):
        with pytest.raises(ValueError, match=words):
            run()
    with pytest.raises(ValueError, match=r"y has 10 masked values, the first at \(1,\)"):
        pn.Dataset(X, y)
    with pytest.raises(ValueError, match="groups has 10 masked values"):
        pn.Dataset(X, Y, groups=y)
    assert np.array_equal(pn.Dataset(np.ma.masked_greater(X, 99), Y).x, X)


def far(value: float) -> np.ndarray:
    x = X.copy()
    x[4, 1] = value
    return x


@pytest.mark.parametrize("value", [1e300, -1e39])
def test_inputs_beyond_float32_are_named(value):
    words = rf"x has 1 values that float32 cannot hold, as {value:g} at \(4, 1\)".replace("+", r"\+")
    model = trained(preprocess=None)
    fit = partial(pn.fit, epochs=1, preprocess=None, verbose=0)
    for run in (
        lambda: fit(pn.Sequential(pn.Dense(2)), (far(value), Y)),
        lambda: fit(pn.Sequential(pn.Dense(2)), [(far(value), Y)]),
        lambda: fit(pn.Sequential(pn.Dense(2)), (X, Y), validation=(far(value), Y)),
        lambda: pn.evaluate(model, (far(value), Y)),
        lambda: pn.predict(model, far(value)),
        lambda: pn.predict(model, far(value).tolist()),
    ):
        with pytest.raises(ValueError, match=words) as caught:
            run()
        assert "dtype='float64'" in str(caught.value)


@pytest.mark.parametrize("preprocess", ["dataset", "image"])
def test_a_deviation_that_overflows_is_named(preprocess):
    x = far(1e300).reshape(20, 3, 1, 1) if preprocess == "image" else far(1e300)
    given = X.reshape(20, 3, 1, 1) if preprocess == "image" else X
    model = pn.Sequential(pn.Flatten(), pn.Dense(2))
    with pytest.raises(ValueError, match=r"fit: x has 1 values beyond 1e\+150, as 1e\+300 .*: divide"):
        pn.fit(model, (x, Y), preprocess=preprocess, epochs=1)
    pn.fit(model, (given, Y), preprocess=preprocess, epochs=1, verbose=0)
    with pytest.raises(ValueError, match=r"predict: x has 1 values beyond 1e\+150"):
        pn.predict(model, x)


@pytest.mark.parametrize("batches", [False, True])
def test_images_that_their_own_deviation_would_make_nearly_0_are_named(batches):
    x = np.random.default_rng(0).normal(size=(20, 4, 4, 1)).astype(np.float32)
    model = pn.Sequential(pn.Flatten(), pn.Dense(2))
    words = r"deviation of x is \S+e-09, and preprocess='image' divides by at least 1e-06, .*: multiply x by a constant"
    small = x * np.float32(1e-9)
    with pytest.raises(ValueError, match=words):
        pn.fit(model, [(small, Y)] if batches else (small, Y), preprocess="image", epochs=1)
    pn.fit(model, [(x, Y)] if batches else (x, Y), preprocess="image", epochs=1, verbose=0)


def test_large_numbers_train_where_their_deviation_is_large_too():
    model = pn.Sequential(pn.Dense(2))
    history = pn.fit(model, (X * 1e100, Y), preprocess="dataset", epochs=2, verbose=0)
    assert np.isfinite(history["loss"]).all()
    assert np.isfinite(pn.predict(model, X * 1e100)).all()


def test_values_beyond_float32_are_named_and_float64_holds_them():
    y = np.linspace(0, 1e300, 20)
    with pytest.raises(ValueError, match=r"fit: y has 19 values that float32 cannot hold, as .* at \(1, 0\): divide"):
        pn.fit(pn.Sequential(pn.Dense(1)), (X, y), epochs=1)
    x = far(1e100)
    model = pn.Sequential(pn.Dense(2), dtype="float64")
    model.build((3,))
    assert np.isfinite(model(x).numpy()).all()


@pytest.mark.parametrize("y", [np.where(Y, 1e300, 0.0), np.where(Y, 2**63, 0).astype(np.uint64), [10**30, 0] * 10])
def test_labels_beyond_int64_are_named(y):
    with pytest.raises(ValueError, match=r"fit: y has .* too large for the number of a class"):
        pn.fit(pn.Sequential(pn.Dense(2)), (X, y), epochs=1)


def test_whole_numbers_of_any_size_are_numbers():
    assert pn.Dataset([[10**30], [1]], [0, 1]).x.dtype == np.float64
    with pytest.raises(ValueError, match=r"x has whole numbers that float64 cannot hold"):
        pn.Dataset([[10**400], [1]], [0, 1])


def test_masked_pixels_are_refused_in_predict():
    images = np.random.default_rng(0).integers(0, 256, (20, 4, 4, 1), dtype=np.uint8)
    model = pn.Sequential(pn.Flatten(), pn.Dense(2))
    pn.fit(model, (images, Y), epochs=1, verbose=0)
    with pytest.raises(ValueError, match=r"x has \d+ masked values"):
        pn.predict(model, np.ma.masked_greater(images, 128))


@pytest.mark.parametrize("run", [lambda x: pn.Dataset(x, Y), lambda x: pn.fit(trained(), (x, Y), epochs=1)])
def test_file_names_are_not_inputs_and_the_error_names_the_fix(run):
    with pytest.raises(TypeError, match=r"x contains file names, such as 'img/0\.png': read the images"):
        run([f"img/{i}.png" for i in range(20)])


SMALL = {"float32": (1e-36, 1e-40, 1e-44), "float64": (1e-306, 1e-310)}


@pytest.mark.parametrize(("dtype", "scale"), [(dtype, scale) for dtype, scales in SMALL.items() for scale in scales])
def test_a_deviation_without_an_inverse_is_named(dtype, scale):
    """1 / deviation became infinite, and 0 * infinity NaN, for which the learning rate was blamed."""
    x = X.astype(dtype)
    x[:, 1] *= np.dtype(dtype).type(scale)
    for data in ((x, Y), [(x[:10], Y[:10]), (x[10:], Y[10:])]):
        with pytest.raises(ValueError, match=rf"fit: column 1 of x has a standard deviation of .* small .*{dtype}"):
            pn.fit(pn.Sequential(pn.Dense(2)), data, preprocess="dataset", epochs=1)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("scale", [1e-40, 1e-150, 1e-200, 1e-300])
def test_small_float64_numbers_are_standardized(dtype, scale):
    """The squares of numbers below 1e-162 underflow: their deviation came out as 0, which stands for a constant."""
    model, same = (pn.Sequential(pn.Dense(2), dtype=dtype) for _ in range(2))
    pn.fit(same, (X, Y), preprocess="dataset", epochs=1, verbose=0)
    for data in ((X * scale, Y), [(X[:9] * scale, Y[:9]), (X[9:] * scale, Y[9:])]):
        pn.fit(model, data, preprocess="dataset", epochs=1, validation=None, verbose=0)
        assert np.array(model.card.preprocessing.deviation) / scale == pytest.approx(X.std(axis=0), rel=1e-9)
        assert np.array(model.card.preprocessing.mean) / scale == pytest.approx(X.mean(axis=0), rel=1e-9)
        model = pn.Sequential(pn.Dense(2), dtype=dtype)
    pn.fit(model, (X * scale, Y), preprocess="dataset", epochs=1, verbose=0)
    assert pn.predict(model, X * scale) == pytest.approx(pn.predict(same, X), abs=1e-4)


FAR = {("float64", "float32"): 1e39, ("float32", "float32"): 1e38, ("float64", "float64"): 1e149}


@pytest.mark.parametrize("given", FAR)
def test_inputs_too_far_from_the_training_data_are_named(given):
    """They are finite, but standardized they were infinite."""
    kind, dtype = given
    scale = 1e-3 if kind == "float32" else 1 if dtype == "float32" else 1e-160
    x = (X * scale).astype(kind)
    model = pn.Sequential(pn.Dense(2), dtype=dtype)
    pn.fit(model, (x, Y), preprocess="dataset", epochs=1, verbose=0)
    strange = x.copy()
    strange[4, 1] = FAR[given]
    for run in (
        lambda: pn.predict(model, strange),
        lambda: pn.predict(model, strange[4]),
        lambda: pn.classify(model, strange[4]),
        lambda: pn.evaluate(model, (strange, Y)),
        lambda: pn.evaluate(model, [(strange, Y)]),
        lambda: pn.fit(model, (strange, Y), epochs=1, verbose=0),
        lambda: pn.fit(model, [(strange, Y)], epochs=1, verbose=0),
        lambda: pn.fit(pn.Sequential(pn.Dense(2), dtype=dtype), (x, Y), preprocess="dataset", epochs=1,
                       validation=(strange, Y), verbose=0),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"x has 1 values that are too far from the training data, as 1e\+"):
            run()
    strange[4, 1] = FAR[given] * 1e-9
    assert np.isfinite(pn.predict(model, strange)).all()


def test_inputs_far_from_one_column_but_not_from_theirs_are_taken():
    x = X * [1e-30, 1e30, 1]
    model = pn.Sequential(pn.Dense(2))
    pn.fit(model, (x, Y), preprocess="dataset", epochs=1, verbose=0)
    assert np.isfinite(pn.predict(model, x * 1e20)).all()
