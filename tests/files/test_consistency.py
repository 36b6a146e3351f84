"""Model files whose description does not fit their layers are refused as damaged, before they predict nonsense."""

import json
import struct

import numpy as np
import pandas as pd
import pytest

import pyneural as pn


def changed(data: bytes, change) -> bytes:
    """The bytes of a model file with another description."""
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + size])
    description = json.loads(header["__metadata__"]["pyneural"])
    change(description)
    header["__metadata__"]["pyneural"] = json.dumps(description)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data[8 + size :]


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, bytes]:
    """A model of a table with one output, and one with two heads."""
    root = tmp_path_factory.mktemp("files")
    generator = np.random.default_rng(0)
    table = pd.DataFrame({"a": generator.normal(size=40), "b": ["u", "v"] * 20})
    one = pn.Sequential(pn.Dense(1))
    pn.fit(one, (table, generator.normal(size=40)), epochs=1, verbose=0)
    x = pn.Input((3,))
    two = pn.Model(x, {"kind": pn.Dense(3)(x), "size": pn.Dense(1)(x)})
    y = {"kind": np.arange(40) % 3, "size": generator.normal(size=40)}
    pn.fit(two, pn.Dataset(generator.normal(size=(40, 3)), y), epochs=1, verbose=0)
    models = {"one": one, "two": two}
    return {name: pn.save(model, root / f"{name}.safetensors").read_bytes() for name, model in models.items()}


def put(*path):
    """A change of a description: the last one is the value."""

    def change(description):
        for key in path[:-2]:
            description = description[key]
        description[path[-2]] = path[-1]

    return change


TWO = {"kind": "dataset", "dtype": "float", "mean": [0, 0], "deviation": [1, 1]}
SCALE = {"mean": [0.0], "deviation": [1.0]}


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("one", put("task", {"heads": []}), "its tasks are of the outputs"),
        ("one", put("task", {"heads": [["", None]]}), "does not fit the outputs"),
        ("one", put("task", "outputs", 2), "its task does not fit the outputs"),
        ("one", put("task", "kind", "binary"), "its target_scale does not fit the task"),
        ("one", put("target_scale", {"mean": [0, 0], "deviation": [1, 1]}), "its target_scale does not fit the task"),
        ("one", put("preprocessing", "mean", [0.0, 0.0]), "is invalid"),
        ("one", put("preprocessing", "mean", 0, float("nan")), "numbers that are not finite"),
        ("one", put("preprocessing", "deviation", 0, float("inf")), "numbers that are not finite"),
        ("one", put("table", 0, "missing", True), "its table becomes 4 numbers"),
        ("one", put("seed", -1), "seed is -1"),
        ("one", put("seed", 1e40), "give a whole number of at least 0"),
        ("two", put("task", "heads", 0, 1, None), "of the head 'kind' does not fit the outputs"),
        ("two", put("task", "heads", 0, 0, "sort"), "its tasks are of the outputs"),
        ("two", put("target_scale", SCALE), "target_scale has other heads"),
        ("two", put("target_scale", {"heads": [["kind", SCALE]]}), "its target_scale of the head 'kind'"),
        ("two", put("preprocessing", TWO), "its preprocessing is for 2 channels"),
    ],
)  # fmt: skip
def test_a_description_that_does_not_fit_is_damaged(files, tmp_path, name, change, words):
    path = tmp_path / "m.safetensors"
    path.write_bytes(changed(files[name], lambda description: None))
    pn.load(path)
    path.write_bytes(changed(files[name], change))
    with pytest.raises(ValueError, match=r"^m\.safetensors: its description of the model is damaged \(") as caught:
        pn.load(path)
    assert words in str(caught.value)
