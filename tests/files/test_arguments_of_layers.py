"""Arguments of layers in files, pickles and copies: functions, NumPy numbers, tuples; and models not built yet."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import pyneural as pn
from pyneural.files import safetensors as files


class Keeping(pn.Layer):
    """Has one argument, of any kind."""

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value

    def call(self, x: pn.Tensor, *, training: bool) -> pn.Tensor:
        return x * 1.0


def swish(x: pn.Tensor) -> pn.Tensor:
    return x * pn.ops.sigmoid(x)


def built(*layers: pn.Layer) -> pn.Sequential:
    model = pn.Sequential(*layers)
    model.build((4,))
    return model


COPIES = {"copy": copy.copy, "deepcopy": copy.deepcopy, "pickle": lambda model: pickle.loads(pickle.dumps(model))}


def block() -> pn.Model:
    x = pn.Input((4,))
    h = pn.Dense(4, "relu")(x)
    return pn.Model(x, {"a": pn.Dense(2)(h + x), "b": pn.Dense(1)(h)}, dtype="float64", seed=3, name="block")


MODELS = {
    "a chain": lambda: pn.Sequential(pn.Dense(8, "relu"), pn.Dropout(0.2), pn.Dense(3)),
    "a graph": block,
    "a seed": lambda: pn.Sequential(pn.Dense(3), seed=7, dtype="float64"),
    "a function": lambda: pn.Sequential(pn.Dense(3, swish), pn.Activation(swish)),
    "a custom layer": lambda: pn.Sequential(Keeping([1, (2, 3)]), pn.Dense(3)),
    "nested": lambda: pn.Sequential(pn.Sequential(pn.Dense(3, "relu"), name="inner"), pn.Dense(2)),
}


@pytest.mark.parametrize("how", COPIES)
@pytest.mark.parametrize("kind", MODELS)
def test_a_model_that_is_not_built_is_copied(kind: str, how: str) -> None:
    model = MODELS[kind]()
    again = COPIES[how](model)
    assert type(again) is type(model)
    assert again is not model
    assert not again.is_built
    assert not model.is_built
    assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]
    assert (again.dtype, again.seed, again.name) == (model.dtype, model.seed, model.name)
    for one in (model, again):
        one.build((4,), seed=1)
    assert again.fingerprint() == model.fingerprint()


def test_a_copy_shares_nothing_with_the_model() -> None:
    model = pn.Sequential(Keeping([1, 2]), pn.Dense(3))
    again = copy.deepcopy(model)
    again.layers[0].value.append(3)
    assert model.layers[0].value == [1, 2]


def test_frozen_layers_of_a_model_that_is_not_built_stay_frozen() -> None:
    model = pn.Sequential(pn.Dense(3), pn.Dense(2))
    model.layers[0].trainable = False
    assert [layer.trainable for layer in copy.deepcopy(model).layers] == [False, True]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.float32(0.5), 0.5), (np.int64(3), 3), (np.bool_(True), True), (np.str_("a"), "a"), ((1, 2), (1, 2)),
        ([1, 2], [1, 2]), ([(1, 2), [3]], [(1, 2), [3]]), ((), ()), ([], []), ({"a": (1, [2])}, {"a": (1, [2])}),
        ({}, {}),
        ((np.int64(1), np.float64(2)), (1, 2.0)), (None, None), ({"list": [1]}, {"list": [1]}), ("text", "text"),
    ],
)  # fmt: skip
def test_arguments_come_back_as_they_were(value: Any, expected: Any) -> None:
    again = files.loads(files.dumps(built(Keeping(value), pn.Dense(1))), layers=[Keeping])
    found = again.layers[0].value
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.ones(3), r"keeping_1: value is an array \(3,\), but layer arguments are saved as text: .*array.tolist\(\)"),
        (pn.tensor([1.0]), r"keeping_1: value is an array \(1,\)"),
        (pn.Dense(3), r"keeping_1: value is a layer, dense.*: create it inside __init__"),
        ({1: 2}, r"keeping_1: value is of type dict, but a file can only store numbers"),
        (1j, r"keeping_1: value is of type complex"),
        ({1, 2}, r"keeping_1: value is of type set"),
        (float, r"keeping_1: value is of type"),
        ([np.ones(2)], r"keeping_1: value is an array \(2,\)"),
    ],
)
def test_arguments_that_no_file_can_hold_are_named(value: Any, text: str, tmp_path) -> None:
    model = pn.Sequential(pn.Dense(4), Keeping(0), pn.Dense(1))
    model.build((4,))
    model.layers[1].value = value
    with pytest.raises(TypeError, match=f"^{text}"):
        pn.save(model, tmp_path / "x.safetensors")
    assert list(tmp_path.iterdir()) == []


# ---- functions as activations


@pytest.mark.parametrize(
    "make",
    [
        lambda f: pn.Dense(4, f),
        lambda f: pn.Sequential(pn.Dense(4), pn.Activation(f)),
        lambda f: pn.BatchNorm(activation=f),
    ],
)
def test_an_activation_may_be_a_function(make, rings) -> None:
    model = pn.Sequential(pn.Dense(8), make(swish), pn.Dense(3))
    history = pn.fit(model, rings, epochs=3, verbose=0)
    assert history["loss"][-1] < history["loss"][0]
    assert "swish" in str(pn.Sequential(pn.Dense(2, swish), pn.Dense(1)))
    data = files.dumps(model)
    with pytest.raises(ValueError, match=r"the custom function swish: pass it, pn.load\(path, layers=\[swish\]\)"):
        files.loads(data)
    again = files.loads(data, layers=[swish])
    assert np.array_equal(pn.predict(again, rings[0]), pn.predict(model, rings[0]))
    assert pickle.loads(pickle.dumps(model)).fingerprint() == copy.deepcopy(model).fingerprint() == model.fingerprint()


def test_a_convolution_takes_a_function_too() -> None:
    model = pn.Sequential(pn.Conv2D(2, 3, activation=swish), pn.DepthwiseConv2D(3, activation=swish), pn.MaxPool2D(2))
    model.build((9, 9, 1))
    assert model(np.ones((2, 9, 9, 1), "f4")).shape == (2, 2, 2, 2)


def test_an_op_given_as_activation_is_its_name() -> None:
    assert pn.Dense(3, pn.ops.relu).activation == "relu"
    assert pn.Activation(pn.ops.softmax).activation == "softmax"


def test_a_lambda_can_be_saved_and_loaded() -> None:
    model = built(pn.Dense(3, lambda x: x * 2.0))
    again = files.loads(files.dumps(model), layers=[lambda x: x * 2.0])
    assert np.array_equal(again(np.ones((2, 4), "f4")).numpy(), model(np.ones((2, 4), "f4")).numpy())


def test_two_functions_of_one_name_are_refused() -> None:
    model = built(pn.Dense(3, lambda x: x * 2.0), pn.Dense(3, lambda x: x * 3.0))
    with pytest.raises(TypeError, match=r"dense_2: activation is a function <lambda>, but the model has another"):
        files.dumps(model)


@pytest.mark.parametrize(
    ("activation", "error", "text"),
    [
        (lambda x: x.numpy(), RuntimeError, "shape-only"),
        (
            lambda x: x.sum(),
            TypeError,
            r"dense_1: activation function returned a tensor \(\): return a tensor \(1, 3\)",
        ),
        (
            lambda x: 3,
            TypeError,
            r"dense_1: activation function returned int: return a tensor \(1, 3\), computed from x",
        ),
        (pn.Activation, TypeError, r"activation is the class Activation: give a name"),
        (pn.Activation("relu"), TypeError, r"activation is Activation: give a name"),
    ],
)
def test_functions_that_are_not_activations_are_named(activation: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        pn.Sequential(pn.Dense(3, activation)).build((4,))
