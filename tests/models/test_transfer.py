"""Models made of trained ones: their inputs are prepared as in training, also after saving and pickling."""

import copy
import pickle
import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import pyneural as pn

pytestmark = pytest.mark.filterwarnings("ignore:predict. the model was not trained")

RNG = np.random.default_rng(0)
X = (RNG.normal(size=(40, 3)) * [10, 1, 1000] + [5, 0, 300]).astype(np.float32)
Y = (X[:, 0] > 5).astype(int)
IMAGES = RNG.integers(0, 256, (20, 6, 6, 1), dtype=np.uint8)


def trained(preprocess="dataset", x=X, y=Y, **options):
    model = pn.Sequential(pn.Dense(4, "tanh"), pn.Dense(2), **options)
    pn.fit(model, (x, y), epochs=2, preprocess=preprocess, verbose=0)
    return model


def standardized(model, x=X):
    rule = model.card.preprocessing
    return ((x - np.array(rule.mean)) / np.array(rule.deviation)).astype(np.float32)


def hidden(model, x=X):
    """What the first layer gives for prepared inputs."""
    return np.tanh(standardized(model, x) @ model[0].weight.numpy() + model[0].bias.numpy())


def again(model, how):
    if how == "saved":
        return pn.files.loads(pn.files.dumps(model))
    if how == "pickled":
        return pickle.loads(pickle.dumps(model))
    return copy.deepcopy(model) if how == "copied" else model


@pytest.mark.parametrize("how", ["made", "saved", "pickled", "copied"])
def test_a_part_of_a_trained_model_gets_the_same_numbers(how):
    model = trained()
    part = again(pn.Model(model.input, model["dense_1"].output), how)
    assert pn.predict(part, X) == pytest.approx(hidden(model), abs=1e-5)


@pytest.mark.parametrize("how", ["made", "saved"])
def test_a_part_made_before_training_gets_the_same_numbers(how):
    """As the encoder of an autoencoder, made beside it."""
    x = pn.Input((3,))
    code = pn.Dense(2, "tanh", name="code")(x)
    coder, whole = pn.Model(x, code), pn.Model(x, pn.Dense(3)(code))
    pn.fit(whole, (X, standardized(trained())), epochs=2, preprocess="dataset", verbose=0)
    weight, bias = (whole["code"].weight.numpy(), whole["code"].bias.numpy())
    expected = np.tanh(standardized(whole) @ weight + bias)
    assert pn.predict(again(coder, how), X) == pytest.approx(expected, abs=1e-5)


def around(model, form):
    if form == "sequential":
        return pn.Sequential(model, pn.Dense(2))
    if form == "layers":
        return pn.Sequential(*model.layers[:-1], pn.Dense(2))
    if form == "nested":
        return pn.Sequential(pn.Sequential(model), pn.Dense(2))
    x = pn.Input((3,))
    if form == "beside":
        return pn.Model(x, pn.Dense(2)(pn.Concatenate()(model(x), pn.Dense(2)(x))))
    return pn.Model(x, pn.Dense(2)(model(x) if form == "called" else model[0](x)))


@pytest.mark.parametrize("form", ["sequential", "layers", "nested", "called", "layer called", "beside"])
@pytest.mark.parametrize("frozen", [False, True])
def test_fit_prepares_the_inputs_of_a_model_around_a_trained_one(form, frozen, capsys):
    model = trained()
    rule = model.card.preprocessing
    model[0].trainable = not frozen
    outer = around(model, form)
    pn.fit(outer, (X[:20] * 2, Y[:20]), epochs=1)
    assert outer.card.preprocessing == rule
    assert "float32 (3,) -> dataset mean, std, as " in capsys.readouterr().out.splitlines()[0]
    loaded = again(outer, "saved")
    assert loaded.card.preprocessing == rule
    assert np.array_equal(pn.predict(loaded, X), pn.predict(outer, X))


def test_a_model_around_a_trained_one_predicts_without_a_fit():
    model = trained()
    outer = pn.Sequential(model, pn.Activation("softmax"))
    outer.build((3,))
    for one in (outer, again(outer, "saved"), again(outer, "pickled")):
        assert pn.predict(one, X) == pytest.approx(pn.predict(model, X), abs=1e-6)
    assert pn.evaluate(outer, (X, Y), verbose=0).accuracy == pn.evaluate(model, (X, Y), verbose=0).accuracy


def test_the_model_inside_may_be_trained_later():
    model = pn.Sequential(pn.Dense(2))
    x = pn.Input((3,))
    outer = pn.Model(x, pn.Activation("softmax")(model(x)))
    pn.fit(model, (X, Y), epochs=1, preprocess="dataset", verbose=0)
    assert pn.predict(outer, X) == pytest.approx(pn.predict(model, X), abs=1e-6)
    pn.fit(model, (X[:20], Y[:20]), epochs=1, preprocess="dataset", verbose=0)
    assert pn.predict(outer, X) == pytest.approx(pn.predict(model, X), abs=1e-6)


def test_layers_of_a_model_that_is_gone_and_loaded_models_count():
    data = pn.files.dumps(trained())
    outer = pn.Sequential(*pn.files.loads(data).layers[:-1], pn.Dense(2))
    pn.fit(outer, (X, Y), epochs=1, verbose=0)
    assert outer.card.preprocessing == pn.files.loads(data).card.preprocessing
    inner = pn.files.loads(data)
    part = pn.Model(inner.input, inner["dense_1"].output)
    assert pn.predict(part, X) == pytest.approx(hidden(inner), abs=1e-5)


def test_pixels_and_flattened_inputs():
    model = pn.Sequential(pn.Flatten(), pn.Dense(4, "relu"), pn.Dense(2))
    pn.fit(model, (IMAGES, np.arange(20) % 2), epochs=1, verbose=0)
    for outer in (pn.Sequential(model, pn.Dense(2)), pn.Sequential(pn.Flatten(), *model.layers[1:])):
        pn.fit(outer, (IMAGES[:10] // 2, np.arange(10) % 2), epochs=1, verbose=0)
        assert outer.card.preprocessing == model.card.preprocessing
    floats = pn.Sequential(trained(x=IMAGES.reshape(20, 36) / 255, y=np.arange(20) % 2, preprocess=None), pn.Dense(2))
    with pytest.raises(ValueError, match="fit: the model was trained on floats, x is uint8: prepare it"):
        pn.fit(floats, (IMAGES.reshape(20, 36), np.arange(20) % 2), epochs=1)


def test_a_copy_of_an_unbuilt_model_around_a_trained_one_is_refused():
    """It held the architecture only, and the trained values were lost."""
    model = trained()
    x = pn.Input((3,))
    for outer in (pn.Sequential(model, pn.Dense(2)), pn.Model(x, pn.Dense(2)(model(x)))):
        with pytest.raises(TypeError, match="it is not built, but layers in it have values, which a copy would lose"):
            copy.deepcopy(outer)
        outer.build((3,))
        assert np.array_equal(copy.deepcopy(outer)(X).numpy(), outer(X).numpy())


def test_columns_are_taken_over():
    table = pd.DataFrame(X, columns=["a", "b", "c"])
    model = trained(x=table)
    part, outer = pn.Model(model.input, model["dense_1"].output), pn.Sequential(model, pn.Dense(2))
    assert pn.predict(part, table[["c", "a", "b"]]) == pytest.approx(hidden(model), abs=1e-5)
    pn.fit(outer, (table[["b", "c", "a"]], Y), epochs=1, verbose=0)
    assert outer.card.columns == ("a", "b", "c")
    with pytest.raises(ValueError, match="predict: x has no column b"):
        pn.predict(part, table[["a", "c"]])


def test_a_choice_of_the_user_takes_precedence(capsys):
    model = trained()
    outer = pn.Sequential(model, pn.Dense(2))
    pn.fit(outer, (X / 1000, Y), epochs=1, preprocess=None)
    assert outer.card.preprocessing.kind == "none"
    assert "as sequential" not in capsys.readouterr().out
    x = pn.Input((3,))
    outer = pn.Model(x, pn.Dense(2)(code := model(x)))
    pn.fit(outer, (X / 1000, Y), epochs=1, preprocess=None, verbose=0)
    part = pn.Model(x, code)  # of the outer model, whose inputs were prepared otherwise
    assert part.card.preprocessing.kind == "none"
    assert pn.Sequential(model, pn.Dense(2)).card.preprocessing == model.card.preprocessing


def test_models_that_disagree_are_named():
    one, other = trained(), trained(x=X[:20], y=Y[:20])
    x = pn.Input((3,))
    outer = pn.Model(x, pn.Dense(2)(pn.Concatenate()(one(x), other(x))))
    words = r"fit: sequential_1 and sequential_2 inside the model were trained with different preprocessings.*: give"
    with pytest.raises(ValueError, match=words):
        pn.fit(outer, (X, Y), epochs=1)
    pn.fit(outer, (X, Y), epochs=1, preprocess="dataset", verbose=0)


def test_a_layer_before_a_trained_model_is_named():
    model = trained()
    outer = pn.Sequential(pn.Reshape((3,)), model, pn.Dense(2))
    words = "fit: sequential_1 inside the model was trained with preprocessing .dataset mean, std., but not on x itself"
    with pytest.warns(UserWarning, match=words):
        pn.fit(outer, (X / 1000, Y), epochs=1, verbose=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pn.fit(pn.Sequential(pn.Reshape((3,)), model, pn.Dense(2)), (X, Y), epochs=1, preprocess="dataset", verbose=0)


def test_independent_models_on_one_input_take_nothing():
    x = pn.Input((3,))
    one, other = pn.Model(x, pn.Dense(2)(x)), pn.Model(x, pn.Dense(2)(x))
    pn.fit(one, (X, Y), epochs=1, preprocess="dataset", verbose=0)
    pn.fit(other, (X / 1000, Y), epochs=1, verbose=0)
    assert other.card.preprocessing != one.card.preprocessing
    flat = pn.Flatten()
    first, second = pn.Sequential(flat, pn.Dense(2)), pn.Sequential(flat, pn.Dense(2))
    pn.fit(first, (IMAGES, np.arange(20) % 2), epochs=1, verbose=0)
    pn.fit(second, (IMAGES / 255, np.arange(20) % 2), epochs=1, verbose=0)
    assert second.card.preprocessing.dtype == "float"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda model: setattr(model, "fc", pn.Dense(3)), AttributeError),
        (lambda model: setattr(model, "classifier", pn.Sequential(pn.Dense(3))), AttributeError),
        (lambda model: setattr(model, "dense_2", pn.Dense(3)), AttributeError),
        (lambda model: model.layers.__setitem__(-1, pn.Dense(3)), AttributeError),
        (lambda model: model.layers.pop(), AttributeError),
        (lambda model: model.layers.append(pn.Dense(3)), AttributeError),
        (lambda model: exec("model[-1] = layer", {"model": model, "layer": pn.Dense(3)}), TypeError),
        (lambda model: exec("del model[-1]", {"model": model}), TypeError),
    ],
)
def test_a_layer_is_not_replaced_in_silence(change: Callable[[pn.Model], object], error: type[Exception]) -> None:
    chain = pn.Sequential(pn.Dense(4, "relu"), pn.Dense(2))
    x = pn.Input((3,))
    for model in (chain, pn.Model(x, pn.Dense(2)(pn.Dense(4, "relu")(x)))):
        before = [layer.kind for layer in model.layers]
        with pytest.raises(error):
            change(model)
        assert [layer.kind for layer in model.layers] == before


def test_the_error_shows_how_to_replace_the_last_layer() -> None:
    model = pn.Sequential(pn.Dense(4, "relu"), pn.Dense(2))
    with pytest.raises(AttributeError, match=r"pn.Sequential\(\*model.layers\[:-1\], pn.Dense\(3\)\)"):
        model.fc = pn.Dense(3)
    with pytest.raises(TypeError, match=r"pn.Sequential\(\*model.layers\[:-1\], pn.Dense\(3\)\)"):
        model[-1] = pn.Dense(3)
    changed = pn.Sequential(*model.layers[:-1], pn.Dense(3))
    assert changed[0] is model[0]
    model.note = "mine"  # other attributes are free


# ---- features


def shifted(n: int = 120) -> tuple[np.ndarray, np.ndarray]:
    """A table far from standardized, and its classes."""
    x = np.random.default_rng(0).normal([50, -7], [10, 0.1], (n, 2)).astype("f4")
    return x, (x[:, 0] > 50).astype(int)


def fitted_on_shifted() -> tuple[pn.Sequential, np.ndarray]:
    x, y = shifted()
    model = pn.Sequential(pn.Dense(6, "relu"), pn.Dense(4, "tanh"), pn.Dense(2))
    pn.fit(model, (x, y), epochs=2, validation=None, verbose=0)
    return model, x


def test_features_are_predicted_from_inputs_as_they_are(tmp_path):
    model, x = fitted_on_shifted()
    rule = model.card.preprocessing
    ready = (x - np.array(rule.mean, "f4")) / np.array(rule.deviation, "f4")
    wanted = model["dense_2"](model["dense_1"](pn.tensor(ready))).numpy()
    first, part, inside = (
        pn.Model(model.input, model["dense_1"].output),
        pn.Model(model.input, model["dense_2"].output),
        pn.Model(model["dense_1"].output, model["dense_2"].output),
    )
    chain = pn.Sequential(*model.layers[:-1])
    chain.build((2,))
    warnings.simplefilter("error")  # pytest restores the filters
    for features in (part, chain):
        found = pn.predict(features, x)
        np.testing.assert_allclose(found, wanted, atol=1e-5)  # float32 sums in another order
        loaded = pn.load(pn.save(features, tmp_path / "features.safetensors"))
        assert np.array_equal(pn.predict(loaded, x), found)
    np.testing.assert_allclose(pn.predict(inside, pn.predict(first, x)), wanted, atol=1e-5)  # the same


def test_what_is_not_trained_or_an_output_is_still_reported():
    model, x = fitted_on_shifted()
    whole = pn.Model(model.input, model.output)
    new = pn.Sequential(*model.layers[:-1], pn.Dense(3))
    new.build((2,))
    other = pn.Sequential(pn.Activation("tanh"), *model.layers[:-1])  # its layers got other inputs in training
    other.build((2,))
    for one in (new, whole, other):
        with pytest.warns(UserWarning, match="its raw outputs"):
            pn.predict(one, x)
