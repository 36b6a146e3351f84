"""Files of ensembles: custom layers in them, what damaged ones say, and what older versions say."""

import copy
import json
import pickle
from typing import Any

import numpy as np
import pytest

import pyneural as pn
from pyneural.files.safetensors import dumps, loads

X = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
Y = (X[:, 0] > 0).astype(int)


def trained(*layers: pn.Layer, outputs: int = 2) -> pn.Sequential:
    model = pn.Sequential(*layers, pn.Dense(outputs))
    pn.fit(model, (X, Y), epochs=1, verbose=0)
    return model


@pytest.fixture(scope="module")
def data() -> bytes:
    return dumps(pn.Ensemble([trained(), trained(pn.Dense(4, "relu"))]))


def description(data: bytes) -> dict[str, Any]:
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    found: dict[str, Any] = json.loads(header["__metadata__"]["pyneural"])
    return found


def edited(data: bytes, **changes: Any) -> bytes:
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    header["__metadata__"]["pyneural"] = json.dumps(description(data) | changes)
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data[8 + length :]


def test_the_format_is_one_that_earlier_versions_refuse(data):
    assert description(data)["format"] == 2
    assert [one["format"] for one in description(data)["ensemble"]] == [1, 1]


def test_the_tensors_are_those_of_the_models_with_their_numbers(data):
    from safetensors.numpy import load

    ensemble = loads(data)
    found = load(data)
    assert sorted(found) == [
        "0/dense_1/bias", "0/dense_1/weight",
        "1/dense_1/bias", "1/dense_1/weight", "1/dense_2/bias", "1/dense_2/weight",
    ]  # fmt: skip
    assert np.array_equal(found["1/dense_2/weight"], ensemble[1]["dense_2"].weight.numpy())


class Twice(pn.Layer):
    def call(self, x: Any, *, training: bool) -> Any:
        return x * 2.0


def test_custom_layers_are_named_to_load_and_kept_by_copies():
    ensemble = pn.Ensemble([trained(Twice()), trained()])
    data = dumps(ensemble)
    with pytest.raises(ValueError, match=r"the custom layer Twice: pass its class, pn.load\(path, layers=\[Twice\]\)"):
        loads(data)
    for again in (loads(data, layers=[Twice]), copy.deepcopy(ensemble), pickle.loads(pickle.dumps(ensemble))):
        assert np.array_equal(pn.predict(again, X), pn.predict(ensemble, X))


def test_damaged_descriptions_are_refused(data):
    members = description(data)["ensemble"]
    task = description(data)["task"]
    for changes, words in (
        ({"ensemble": []}, "tensor [01]/dense_./.* belongs to none of its 0 models"),
        ({"ensemble": members[:1]}, "tensor 1/.* belongs to none of its 1 models"),
        ({"ensemble": [*members, members[0]]}, "model 2: tensor dense_1/.* is None in the file"),
        ({"ensemble": members[::-1]}, "model 0: tensor dense_.* in the file, the model has"),
        ({"ensemble": 3}, "its description of the models is damaged"),
        ({"ensemble": [members, members]}, "its description of the models is damaged"),
        ({"ensemble": [members[0], {}]}, "model 1: its description of the model is damaged"),
        ({"ensemble": [members[0], members[1] | {"task": None}]}, r"models\[1\] is not trained yet"),
        ({"task": None}, "its task is not that of its models"),
        ({"task": task | {"outputs": 3}}, "its task is not that of its models"),
        ({"task": task | {"temperature": 0}}, "its description of the ensemble is damaged"),
        ({"metrics": 3}, "its description of the ensemble is damaged"),
        ({"format": 3}, r"written by a newer pyneural \(format 3, this one reads 2\)"),
    ):
        with pytest.raises(ValueError, match=f"^e: .*{words}|^e was {words}"):
            loads(edited(data, **changes), "e")
    for end in range(0, len(data), 97):
        with pytest.raises(ValueError, match=r"^e"):
            loads(data[:end], "e")


def test_a_description_that_names_other_classes_takes_those_of_its_models(data):
    task = description(data)["task"] | {"classes": ["a", "b"]}
    assert loads(edited(data, task=task)).classes == ("0", "1")
