"""Models: names, building, weights in and out, sharing."""

import copy
import pickle

import numpy as np
import pytest

import pyneural as pn


def cnn(**options) -> pn.Sequential:
    return pn.Sequential(
        pn.Conv2D(4, 3, activation="relu"), pn.MaxPool2D(2), pn.Conv2D(5, 2), pn.Flatten(), pn.Dense(8, "relu"),
        pn.Dense(3), **options,
    )  # fmt: skip


def test_layers_are_named_by_kind_in_order():
    names = [layer.name for layer in cnn().layers]
    assert names == ["conv2d_1", "max_pool2d_1", "conv2d_2", "flatten_1", "dense_1", "dense_2"]


def test_nested_models_have_paths():
    model = pn.Sequential(pn.Sequential(pn.Dense(4), pn.Dense(4)), pn.Dense(2, name="head"))
    model.build((3,))
    assert list(model.parameters) == [
        "sequential_1/dense_1/weight", "sequential_1/dense_1/bias",
        "sequential_1/dense_2/weight", "sequential_1/dense_2/bias", "head/weight", "head/bias",
    ]  # fmt: skip
    assert model["sequential_1/dense_2"].weight.shape == (4, 4)
    assert model["head"].units == 2


def test_weights_go_in_and_out_as_numpy():
    model = cnn()
    model.build((9, 9, 1))
    new = np.arange(24, dtype=np.float64).reshape(8, 3)
    model["dense_2"].weight = new
    out = np.asarray(model["dense_2"].weight)
    assert out.dtype == np.float32
    assert np.array_equal(out, new)
    assert not out.flags.writeable
    model["dense_2"].bias = 0.5
    assert np.all(np.asarray(model["dense_2"].bias) == 0.5)
    with pytest.raises(ValueError, match=r"dense_2: weight is \(8, 3\), the value given is \(3, 8\)"):
        model["dense_2"].weight = new.T


def test_the_same_seed_gives_the_same_weights_and_layers_differ():
    first, second, third = cnn(), cnn(), cnn()
    first.build((9, 9, 1), seed=3)
    second.build((9, 9, 1), seed=3)
    third.build((9, 9, 1), seed=4)
    assert first.fingerprint() == second.fingerprint() != third.fingerprint()
    twice = pn.Sequential(pn.Dense(3), pn.Dense(3))
    twice.build((3,))
    assert np.any(twice["dense_1"].weight.numpy() != twice["dense_2"].weight.numpy())


def test_a_seed_of_the_model_goes_before_that_of_build_and_fit():
    prints = set()
    for seed in (0, 1):
        model = pn.Sequential(pn.Dense(3), seed=7)
        model.build((2,), seed=seed)
        prints.add(model.fingerprint())
    assert len(prints) == 1


def test_float64_models_compute_in_float64():
    model = cnn(dtype="float64")
    y = model(np.ones((2, 9, 9, 1), np.float32))
    assert y.dtype == "float64"
    assert model["dense_1"].weight.dtype == "float64"


def graph_in_float64() -> pn.Model:
    x = pn.Input((4,))
    shared = pn.Dense(4, "tanh")
    h = pn.BatchNorm()(shared(shared(x)) + pn.LayerNorm()(x))
    return pn.Model(x, pn.Sequential(pn.Dense(5), pn.Dense(2))(h), dtype="float64")


def model_within_one_in_float64() -> pn.Model:
    x = pn.Input((4,))
    return pn.Sequential(pn.Model(x, pn.Dense(3)(x)), pn.Dense(2), dtype="float64")


@pytest.mark.parametrize("make", [graph_in_float64, model_within_one_in_float64])
def test_graphs_in_float64_are_trained_in_float64(make):
    model = make()
    x = np.random.default_rng(0).normal(size=(40, 4))
    pn.fit(model, (x, x[:, 0] > 0), epochs=1, verbose=0)
    assert {tensor.dtype for tensor in model.parameters.values()} == {"float64"}
    assert pn.predict(model, x).dtype == np.float64


def test_calling_builds_and_then_holds_to_its_shape():
    model = cnn()
    assert model(np.ones((2, 9, 9, 1))).shape == (2, 3)
    assert model.input_shape == (9, 9, 1)
    with pytest.raises(ValueError, match=r"built for inputs \(n, 9, 9, 1\), x is \(2, 10, 9, 1\)"):
        model(np.ones((2, 10, 9, 1)))
    with pytest.raises(ValueError, match=r"built for inputs \(9, 9, 1\)"):
        model.build((8, 8, 1))


def test_a_build_that_fails_leaves_nothing_behind():
    first, second = pn.Dense(4), pn.Conv2D(3, 3)
    model = pn.Sequential(first, second)
    with pytest.raises(ValueError, match="conv2d_1"):
        model.build((5,))
    assert model.input_shape is None
    again = pn.Sequential(first, pn.Dense(2))
    again.build((6,))
    assert again["dense_1"].weight.shape == (6, 4)


def test_layers_shared_by_two_models_keep_their_values_and_train_in_both(rings):
    body = pn.Sequential(pn.Dense(16, "relu"))
    one, two = pn.Sequential(body, pn.Dense(3)), pn.Sequential(body, pn.Dense(3, name="other"))
    pn.fit(one, rings, epochs=2, verbose=0)
    weight = np.array(body["dense_1"].weight)
    two.build((2,))
    assert np.array_equal(np.asarray(body["dense_1"].weight), weight)
    optimizer = pn.SGD(one)
    pn.fit(two, rings, epochs=1, verbose=0)
    assert np.any(np.asarray(body["dense_1"].weight) != weight)
    with pytest.raises(RuntimeError, match="another model now owns these parameters"):
        optimizer.step()
    pn.fit(one, rings, epochs=1, verbose=0)


def test_a_layer_used_twice_has_one_set_of_parameters(rings):
    shared = pn.Dense(2, "tanh")
    model = pn.Sequential(shared, shared, pn.Dense(3))
    pn.fit(model, rings, epochs=1, verbose=0)
    assert list(model.parameters) == ["dense_1/weight", "dense_1/bias", "dense_2/weight", "dense_2/bias"]
    assert pickle.loads(pickle.dumps(model)).fingerprint() == model.fingerprint()


def test_trainable_false_keeps_a_layer_as_it_is(rings):
    model = pn.Sequential(pn.Dense(8, "relu"), pn.Sequential(pn.Dense(8, "relu"), pn.Dense(8)), pn.Dense(3))
    model.build((2,))
    model["sequential_1"].trainable = False
    before = {path: np.array(value) for path, value in model.parameters.items()}
    pn.fit(model, rings, epochs=1, verbose=0)
    moved = [path for path, value in model.parameters.items() if np.any(np.asarray(value) != before[path])]
    assert moved == ["dense_1/weight", "dense_1/bias", "dense_2/weight", "dense_2/bias"]


def test_models_can_be_pickled_and_copied(rings):
    model = pn.Sequential(pn.Dense(8, "relu"), pn.BatchNorm(), pn.Dense(3))
    pn.fit(model, rings, epochs=1, verbose=0)
    for again in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert again.fingerprint() == model.fingerprint()
        assert np.array_equal(pn.predict(again, rings[0]), pn.predict(model, rings[0]))


def test_training_by_hand_learns(rings):
    x, y = rings
    model = pn.Sequential(pn.Dense(32, "relu"), pn.Dense(3))
    model.build((2,))
    optimizer = pn.Adam(model, learning_rate=0.02)
    first = None
    for _ in range(100):
        loss = pn.ops.cross_entropy(model(x, training=True), y)
        loss.backward()
        optimizer.step()
        first = first or loss.item()
    assert loss.item() < 0.3 * first
    assert optimizer.steps == 100


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: pn.Sequential(), ValueError, "at least one layer"),
        (lambda: pn.Sequential(pn.Dense(3), [pn.Dense(3)]), TypeError, "one by one"),
        (lambda: pn.Sequential(pn.Flatten), TypeError, "write pn.Flatten(...)"),
        (lambda: pn.Sequential(3), TypeError, "3 is not a layer"),
        (lambda: pn.Sequential(pn.Dense(3), dtype="float16"), ValueError, "dtype is 'float16'"),
        (lambda: pn.Sequential(pn.Dense(3, name="a"), pn.Dense(3, name="a")), ValueError, "two layers are named 'a'"),
        (lambda: cnn().fit, AttributeError, "use pn.fit(model, data)"),
        (lambda: cnn().compile, AttributeError, "pn.fit(model, data, loss=..."),
        (lambda: cnn()["dense2"], KeyError, "did you mean 'dense_2'"),
        (lambda: cnn().parameters, RuntimeError, "call model.build(shape)"),
        (lambda: cnn().nonsense, AttributeError, "has no 'nonsense'; it has "),
    ],
)
def test_what_a_model_refuses(make, error, words):
    with pytest.raises(error) as caught:
        make()
    assert words in str(caught.value)


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copy_of_a_model_has_parameters_of_its_own(again):
    x = pn.Input((3,))
    for model in (pn.Sequential(pn.Dense(2)), pn.Model(x, pn.Dense(2)(x))):
        model.build((3,))
        copied = again(model)
        assert type(copied) is type(model)
        assert copied.fingerprint() == model.fingerprint()
        copied["dense_1"].weight = 0.0
        assert copied.fingerprint() != model.fingerprint()
