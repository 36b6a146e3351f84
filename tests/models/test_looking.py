"""Models as sequences of layers, and what else a person tries: lists, numbers, loops, classes, plain custom layers."""

from __future__ import annotations

import copy
import re
from typing import Any

import numpy as np
import pytest

import pyneural as pn
from pyneural.files import safetensors as files


def chain() -> pn.Sequential:
    return pn.Sequential([pn.Dense(8, "relu", name="first"), pn.Dropout(0.1), pn.Dense(3)])


def graph() -> pn.Model:
    x = pn.Input((2,))
    h = pn.Dense(4, "relu")(x)
    return pn.Model(x, {"a": pn.Dense(3)(h), "b": pn.Dense(1)(h)})


def test_a_list_of_layers_is_the_layers_one_by_one(rings) -> None:
    one_by_one = pn.Sequential(pn.Dense(8, "relu", name="first"), pn.Dropout(0.1), pn.Dense(3))
    prints = [pn.fit(model, rings, epochs=1, verbose=0).fingerprint for model in (chain(), one_by_one)]
    assert prints[0] == prints[1]
    assert len(pn.Sequential((pn.Dense(1), pn.Dense(2)))) == 2


def test_layers_go_by_number_too() -> None:
    model = chain()
    assert model[0] is model["first"] is model.layers[0]
    assert model[-1] is model[np.int64(2)] is model.layers[2]
    assert tuple(model) == model.layers
    assert [layer.name for layer in model] == ["first", "dropout_1", "dense_2"]
    assert (len(model), bool(model)) == (3, True)
    assert model[1] in model
    assert pn.Dense(3) not in model
    heads = graph()
    assert tuple(heads) == heads.layers
    assert len(heads) == 3


def test_a_shared_layer_is_counted_as_often_as_it_is_called() -> None:
    shared = pn.Dense(4)
    model = pn.Sequential(shared, pn.Activation("relu"), shared)
    assert (len(model), len(model.layers)) == (3, 2)
    assert model[0] is model[2] is shared


@pytest.mark.parametrize(
    ("key", "error", "text"),
    [
        (3, IndexError, "sequential: no layer 3: it has 3, numbered from 0"),
        (-4, IndexError, "sequential: no layer -4: it has 3"),
        (slice(0, 2), TypeError, "give a layer's name or number, model['dense_1'] or model[0]"),
        (True, TypeError, "give a layer's name or number"),
        (1.0, TypeError, "give a layer's name or number"),
        (None, TypeError, "give a layer's name or number"),
        ("frist", KeyError, "did you mean 'first'"),
    ],
)
def test_an_argument_that_is_not_a_layer_of_a_model_is_named(key: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=re.escape(text)):
        chain()[key]


@pytest.mark.parametrize(
    ("layers", "error", "text"),
    [
        (([],), ValueError, "give at least one layer"),
        (([pn.Dense(3)], pn.Dense(3)), TypeError, "there is a list among the layers"),
        (([[pn.Dense(3)]],), TypeError, "there is a list among the layers"),
        (([pn.Dense],), TypeError, "Dense is a class"),
        (([3],), TypeError, "3 is not a layer"),
    ],
)
def test_lists_that_are_not_layers_are_named(layers: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        pn.Sequential(*layers)


@pytest.mark.parametrize("call", [pn.fit, pn.evaluate])
def test_a_model_in_the_place_of_data_is_named(call: Any) -> None:
    model = chain()
    pn.fit(model, (np.eye(3, dtype="f4"), [0, 1, 2]), epochs=1, verbose=0)
    with pytest.raises(TypeError, match=rf"^{call.__name__}: "):
        call(model, chain())


def test_the_names_of_classes_are_on_the_model(rings) -> None:
    x, y = rings
    model = chain()
    assert model.classes == ()
    pn.fit(model, (x, np.array(["inner", "middle", "outer"])[y]), epochs=1, verbose=0)
    assert model.classes == files.loads(files.dumps(model)).classes == ("inner", "middle", "outer")
    pn.fit(numbers := chain(), rings, epochs=1, verbose=0)
    assert numbers.classes == ("0", "1", "2")
    pn.fit(values := pn.Sequential(pn.Dense(1)), (x, x[:, 0]), epochs=1, verbose=0)
    assert values.classes == ()
    pn.fit(heads := graph(), (x, {"a": y, "b": x[:, 0]}), epochs=1, verbose=0)
    assert heads.classes == {"a": ("0", "1", "2"), "b": ()}


# ---- custom layers whose call takes no `training`


class Scaled(pn.Layer):
    def build(self, shape: tuple[int, ...]) -> None:
        self.parameter("factor", shape[-1:], "ones")

    def call(self, x: pn.Tensor) -> pn.Tensor:
        return x * self.factor


class More(Scaled):
    def call(self, x: pn.Tensor) -> pn.Tensor:
        return super().call(x) + 1.0


class Sum(pn.Layer):
    def call(self, a: pn.Tensor, b: pn.Tensor) -> pn.Tensor:
        return a + b


@pytest.mark.parametrize("kind", [Scaled, More])
def test_a_custom_layer_need_not_take_training(kind: type[pn.Layer], rings) -> None:
    model = pn.Sequential(pn.Dense(8, "relu"), kind(), pn.Dense(3))
    pn.fit(model, rings, epochs=2, verbose=0)
    again = files.loads(files.dumps(model), layers=[kind])
    assert np.array_equal(pn.predict(again, rings[0]), pn.predict(model, rings[0]))
    assert copy.deepcopy(model).fingerprint() == model.fingerprint()
    model.summary()


def test_the_number_of_inputs_of_such_a_layer_is_checked() -> None:
    x = pn.Input((2,))
    model = pn.Model(x, Sum()(x, x))
    assert model(np.ones((1, 2), "f4")).tolist() == [[2.0, 2.0]]
    with pytest.raises(TypeError, match="it does not take 1 inputs"):
        Sum()(x)


# ---- models trained by hand


def by_hand(*layers: pn.Layer) -> pn.Sequential:
    model = pn.Sequential(*layers)
    model.build((2,))
    return model


def test_a_model_trained_by_hand_predicts_before_it_is_evaluated(rings) -> None:
    x, y = rings
    model = by_hand(pn.Dense(16, "relu"), pn.Dense(3))
    optimizer = pn.Adam(model, learning_rate=0.02)
    for _ in range(30):
        pn.ops.cross_entropy(model(x, training=True), y).backward()
        optimizer.step()
    with pytest.warns(UserWarning, match=r"predict: the model was not trained by pn.fit, so these are its raw outputs"):
        raw = pn.predict(model, x)
    assert np.array_equal(raw, model(x).numpy())
    with pytest.warns(UserWarning, match="raw outputs"):
        assert pn.predict(model, x[:0]).shape == (0, 3)
    pn.evaluate(model, rings, verbose=0)
    assert np.allclose(pn.predict(model, x).sum(axis=1), 1, atol=1e-5)  # float32 sums of 3


def test_heads_trained_by_hand_predict_too() -> None:
    model = graph()
    model.build((2,))
    with pytest.warns(UserWarning, match="raw outputs"):
        found = pn.predict(model, np.ones((4, 2), "f4"))
    assert {head: part.shape for head, part in found.items()} == {"a": (4, 3), "b": (4, 1)}


def test_a_softmax_of_the_model_itself_is_written(rings) -> None:
    with pytest.warns(UserWarning, match="raw outputs"):
        found = pn.predict(by_hand(pn.Dense(3, "softmax")), rings[0])
    assert np.allclose(found.sum(axis=1), 1, atol=1e-5)  # float32 sums of 3


# ---- gradients of a float32 model


def test_gradients_of_a_float32_model_are_checked_on_a_float64_copy(rings) -> None:
    x, y = rings[0][:6], rings[1][:6]
    for built in (False, True):
        model = pn.Sequential(
            pn.Dense(4, "tanh"), pn.BatchNorm(), Scaled(), pn.Sequential(pn.Dense(4, "tanh")), pn.Dense(3)
        )
        if built:
            model.build((2,))
        before = model.fingerprint() if built else None
        errors = pn.check_gradients(model, x, y, verbose=0)
        assert {"dense_1/weight", "scaled_1/factor", "sequential_1/dense_1/weight", "x"} <= errors.keys()
        assert model.is_built is built
        assert model.dtype == "float32"
        assert before is None or model.fingerprint() == before
