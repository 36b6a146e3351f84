"""Arrays, models, layers and classes where a name, a number or a function is taken: a sentence, not NumPy's message."""

import copy
import pickle
import re

import numpy as np
import pandas as pd
import pytest

import pyneural as pn

X = np.random.default_rng(0).random((20, 3), dtype=np.float32)
Y = np.arange(20) % 2
IMAGES = np.random.default_rng(0).integers(0, 256, (20, 4, 4, 1), dtype=np.uint8)
MODEL = pn.Sequential(pn.Dense(2))
GIVEN = {
    "ndarray (40, 3)": np.ones((40, 3)),
    "Tensor (40, 3)": pn.ones((40, 3)),
    "DataFrame (3, 1)": pd.DataFrame({"a": [1, 2, 3]}),
    "Sequential": MODEL,
    "Dense": pn.Dense(2),
    "the class Dense": pn.Dense,
    "[1, 2]": [1, 2],
}


def fit(**options):
    model = pn.Sequential(pn.Dense(2))
    return pn.fit(model, (X, Y), **({"epochs": 1, "verbose": 0} | options))


@pytest.mark.parametrize("said", GIVEN)
@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("verbose", r"give 0 \(silent\), 1"),
        ("loss", r"give a name \(cross_entropy.*"),
        ("schedule", r"give a name \(constant.*"),
        ("preprocess", r"give a name \(auto.*"),
        ("optimizer", r"give a name \(sgd.*"),
        ("learning_rate", "give a number"),
        ("batch_size", "give a whole number"),
        ("epochs", "give a whole number"),
        ("seed", "give a whole number"),
    ],
)
def test_fit_names_what_was_given(name, fix, said):
    with pytest.raises((TypeError, ValueError), match=rf"{name} is {re.escape(said)}: {fix}"):
        fit(**{name: GIVEN[said]})


@pytest.mark.parametrize("said", ["ndarray (40, 3)", "DataFrame (3, 1)", "Sequential", "Dense", "the class Dense", "5"])
def test_metrics_are_names_and_functions(said):
    value = GIVEN.get(said, 5)
    words = rf"metrics is {re.escape(said)}: give a name \(accuracy.*\), a function, or a list"
    with pytest.raises(TypeError, match=words):
        fit(metrics=value)
    if said != "5":
        with pytest.raises(TypeError, match=rf"metric is {re.escape(said)}: give a name \(accuracy"):
            fit(metrics=["accuracy", value])


@pytest.mark.parametrize("said", ["Sequential", "Dense", "ndarray (40, 3)"])
def test_callbacks_are_functions_and_instances(said):
    value = GIVEN[said]
    for given in ([value], value):
        with pytest.raises(TypeError, match=rf"fit: callbacks (has|is) {re.escape(said)}: give "):
            fit(callbacks=given)


def test_no_metrics_may_be_none():
    assert fit(metrics=None).keys() == fit().keys()
    x = pn.Input((3,))
    heads = pn.Model(x, {"a": pn.Dense(2)(x), "b": pn.Dense(1)(x)})
    pn.fit(heads, (X, {"a": Y, "b": X[:, 0]}), metrics={"a": None}, epochs=1, verbose=0)


@pytest.mark.parametrize("said", ["ndarray (40, 3)", "DataFrame (3, 1)", "Sequential", "the class Dense"])
def test_other_functions_name_what_was_given(said):
    value = GIVEN[said]
    model = pn.Sequential(pn.Dense(2))
    pn.fit(model, (X, Y), epochs=1, verbose=0)
    for run, words in (
        (lambda: pn.evaluate(model, (X, Y), verbose=value), "evaluate: verbose is {}: give 0"),
        (lambda: pn.check_gradients(lambda x: x * x, [[1.0]], verbose=value), "check_gradients: verbose is {}: give 0"),
        (lambda: pn.Dense(2, value), "activation is {}: give a name"),
        (lambda: pn.Sequential(pn.Dense(2, init=value)).build((3,)), "init is {}: give a name"),
        (lambda: pn.Sequential(pn.Conv2D(2, 3, init=value)).build((5, 5, 1)), "init is {}: give a name"),
        (lambda: pn.Sequential(pn.Dense(2), dtype=value), "dtype is {}: give 'float32'"),
        (lambda: pn.Model(model.input, model.output, dtype=value), "dtype is {}: give 'float32'"),
    ):
        with pytest.raises((TypeError, ValueError), match=words.format(re.escape(said))):
            run()


@pytest.mark.parametrize("name", ["name", "note", "prepare"])
def test_the_texts_of_a_data_set_are_text(name):
    with pytest.raises(TypeError, match=rf"Dataset: {name} is 3: give text"):
        pn.Dataset(X, Y, **{name: 3})
    with pytest.raises(TypeError, match="Splits: name is 3: give text"):
        pn.Splits(pn.Dataset(X, Y), name=3)


def test_an_unknown_preparation_is_refused():
    """It was saved with the model, whose file could not be read again."""
    with pytest.raises(ValueError, match=r"Dataset: prepare 'digits'. did you mean 'digit'"):
        pn.Dataset(X, Y, prepare="digits")


def test_functions_and_classes_that_cannot_be_pickled_are_named():
    class Mine(pn.Layer):
        def call(self, x):
            return x

    words = "it has {}, which Python cannot pickle: define it with a name at the top level of a module"
    for layer, what in ((pn.Dense(2, lambda x: x * 2), r"the function .*<lambda>"), (Mine(), r"the class .*Mine")):
        for built in (True, False):
            model = pn.Sequential(layer if not built else copy.deepcopy(layer), pn.Dense(2))
            if built:
                model.build((3,))
            with pytest.raises(pickle.PicklingError, match=f"{layer.kind}_1: {words.format(what)}"):
                pickle.dumps(model)
            again = copy.deepcopy(model)
            if built:
                assert np.array_equal(again(X).numpy(), model(X).numpy())


def test_numbers_out_of_the_range_of_an_embedding_are_shown():
    model = pn.Sequential(pn.Embedding(10, 2), pn.Flatten(), pn.Dense(2))
    model.build((3,))
    for x in ([[1, 2, 2**40]], [[1.0, 2.0, 2.0**40]], np.float32([[1, 2, 2.0**40]])):
        with pytest.raises(ValueError, match=r"x must be in 0..9, but runs from 1 to 1099511627776$"):
            model(np.array(x))
    with pytest.raises(ValueError, match=r"x must be in 0..9, but runs from -1e\+20 to 3$"):
        model(np.array([[3, -1e20, 0]]))


@pytest.mark.parametrize("dtype", ["int64", "int32", "bool", "float16", "float64"])
def test_the_dtype_that_was_given_is_named(dtype):
    model = pn.Sequential(pn.Flatten(), pn.Dense(2))
    pn.fit(model, (IMAGES, Y), epochs=1, verbose=0)
    x = IMAGES.astype(dtype)
    for run in (
        lambda: pn.predict(model, x),
        lambda: pn.predict(model, pn.Dataset(x, Y)),
        lambda: pn.classify(model, x[0]),
        lambda: pn.evaluate(model, (x, Y)),
        lambda: pn.evaluate(model, pn.Dataset(x, Y)[:9]),
        lambda: pn.fit(model, (x, Y)),
        lambda: pn.fit(model, (IMAGES, Y), validation=(x, Y)),
    ):
        with pytest.raises(ValueError, match=rf"the model was trained on uint8 pixels 0..255, x is {dtype}: give"):
            run()
    for run in (lambda: pn.evaluate(model, [(x, Y)]), lambda: pn.fit(model, [(x, Y)])):
        with pytest.raises(ValueError, match=r"the model was trained on uint8 pixels 0..255, x is not uint8: give"):
            run()


@pytest.mark.parametrize("size", [2**62, 2**63, 2**70])
def test_a_batch_may_be_larger_than_the_data(size):
    assert fit(batch_size=size).steps == 1
    assert pn.fit(pn.Sequential(pn.Dense(2)), [(X, Y)], batch_size=size, epochs=1, verbose=0).steps == 1
    with pytest.raises(ValueError, match="build: batch is -1: give a whole number of at least 1"):
        pn.Sequential(pn.Dense(2)).build((3,), batch=-1)
