"""Model files: what comes back, what is refused, what does not crash."""

import json
import pickle
import struct
import zipfile

import numpy as np
import pytest

import pyneural as pn
from pyneural.files import safetensors as files


@pytest.fixture(scope="module")
def model(sample):
    made = pn.Sequential(pn.Conv2D(3, 5, stride=2, activation="relu"), pn.BatchNorm(), pn.Flatten(), pn.Dense(10))
    pn.fit(made, (sample.train.x[:500], sample.train.y[:500]), epochs=1, verbose=0)
    return made


def tiny() -> pn.Sequential:
    made = pn.Sequential(pn.Dense(2, "relu"), pn.Dense(1))
    pn.fit(made, (np.eye(4, dtype=np.float32), np.array([0, 1, 1, 0])), epochs=1, validation=None, verbose=0)
    return made


def edited(data: bytes, **changes) -> bytes:
    """A model file whose description is another one."""
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    description = json.loads(header["__metadata__"]["pyneural"]) | changes
    header["__metadata__"]["pyneural"] = json.dumps(description)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data[8 + length :]


def test_what_is_saved_comes_back(model, sample, tmp_path):
    path = pn.save(model, tmp_path / "digits.safetensors")
    again = pn.load(path)
    assert again.fingerprint() == model.fingerprint()
    assert again.card == model.card
    assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]
    assert np.array_equal(pn.predict(again, sample.test.x), pn.predict(model, sample.test.x))
    assert list(tmp_path.iterdir()) == [path], "no part is left beside the file"


def test_the_same_model_is_the_same_bytes(model):
    assert files.dumps(model) == files.dumps(model) == files.dumps(files.loads(files.dumps(model)))


def test_the_description_is_sorted_json_of_format_1(model):
    from safetensors import safe_open

    data = files.dumps(model)
    length = struct.unpack("<Q", data[:8])[0]
    text = json.loads(data[8 : 8 + length])["__metadata__"]["pyneural"]
    description = json.loads(text)
    assert description["format"] == 1
    assert list(description) == sorted(description)
    assert {"architecture", "preprocessing", "task", "versions", "seed", "data_hash", "metrics"} <= set(description)
    assert safe_open


def test_a_transposed_weight_is_saved_as_it_is(rings):
    made = pn.Sequential(pn.Dense(3))
    made.build((2,))
    made["dense_1"].weight = np.arange(6, dtype=np.float32).reshape(3, 2).T
    again = files.loads(files.dumps(made))
    assert np.array_equal(np.asarray(again["dense_1"].weight), [[0, 2, 4], [1, 3, 5]])


def test_training_continues_after_loading(rings):
    made = pn.Sequential(pn.Dense(8, "relu"), pn.Dense(3))
    pn.fit(made, rings, epochs=2, verbose=0)
    again = files.loads(files.dumps(made))
    first, second = (pn.fit(m, rings, epochs=1, verbose=0).fingerprint for m in (made, again))
    assert first == second


def test_a_frozen_layer_stays_frozen():
    made = pn.Sequential(pn.Dense(3), pn.Dense(2))
    made.build((2,))
    made["dense_1"].trainable = False
    assert not files.loads(files.dumps(made))["dense_1"].trainable


def test_a_custom_layer_has_to_be_named():
    class Twice(pn.Layer):
        def call(self, x, *, training):
            return x * 2.0

    made = pn.Sequential(Twice(), pn.Dense(1))
    made.build((2,))
    data = files.dumps(made)
    with pytest.raises(ValueError, match=r"the custom layer Twice: pass its class, pn.load\(path, layers=\[Twice\]\)"):
        files.loads(data)
    assert files.loads(data, layers=[Twice]).fingerprint() == made.fingerprint()


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        (
            "digits.h5",
            b"\x89HDF\r\n\x1a\n" + bytes(100),
            "digits.h5 is an HDF5 (Keras) file; pn.load reads .safetensors written by pn.save",
        ),
        ("model.pkl", pickle.dumps({"weights": [1.0]}), "model.pkl is a pickle, which may run code when loaded"),
        ("x.npy", b"\x93NUMPY\x01\x00", "x.npy is a NumPy .npy file"),
        ("empty.safetensors", b"", "0 bytes are not a model"),
        ("text.txt", b"hello, this is some text", "not a safetensors file"),
        ("odd.safetensors", struct.pack("<Q", 4) + b"nope", "header cannot be read"),
        ("bare.safetensors", struct.pack("<Q", 2) + b"{}", "contains tensors but no pyneural model"),
    ],
)
def test_foreign_files_are_named_for_what_they_are(tmp_path, name, data, words):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ValueError) as caught:  # noqa: PT011 -- the words are checked below
        pn.load(tmp_path / name)
    assert words in str(caught.value)


def test_a_zip_is_named(tmp_path):
    with zipfile.ZipFile(tmp_path / "model.pt", "w") as archive:
        archive.writestr("data.pkl", b"x")
    with pytest.raises(ValueError, match=r"model.pt is a zip archive \(a PyTorch, Keras or NumPy file\)"):
        pn.load(tmp_path / "model.pt")


def test_a_truncated_file_says_how_much_is_missing(model, tmp_path):
    data = files.dumps(model)
    for cut in (4, 20, len(data) // 2, len(data) - 1):
        with pytest.raises(ValueError, match="incomplete"):
            files.loads(data[:cut], "cut.safetensors")
    with pytest.raises(
        ValueError, match=r"cut: header promises [\d,]+ bytes of tensors, found [\d,]+: incomplete file"
    ):
        files.loads(data[:-1000], "cut")


def test_a_newer_or_damaged_description_is_refused(model):
    data = files.dumps(model)
    with pytest.raises(ValueError, match=r"written by a newer pyneural \(format 3, this one reads 2\)"):
        files.loads(edited(data, format=3))
    for changes in (
        {"format": "1"}, {"architecture": None}, {"input_shape": [28, 28, -1]}, {"input_shape": [10**12] * 3},
        {"architecture": {"kind": "Dense", "config": {"units": 3}, "name": None}}, {"task": {"kind": "poem"}},
        {"metrics": 3}, {"preprocessing": {"kind": "dataset", "dtype": "uint8", "mean": [1], "deviation": [0]}},
    ):  # fmt: skip
        with pytest.raises(ValueError, match="damaged"):
            files.loads(edited(data, **changes))
    with pytest.raises(ValueError, match=r"tensor .* in the file, the model has"):
        files.loads(edited(data, input_shape=[30, 30, 1]))


def test_40_000_mutated_files_do_not_crash():
    data = files.dumps(tiny())
    generator = np.random.default_rng(0)
    loaded, silent = 0, []
    for seed in range(40_000):
        changed = bytearray(data)
        for place in generator.integers(0, len(data), generator.integers(1, 4)):
            changed[place] = generator.integers(256)
        if seed % 8 == 0:
            changed = changed[: generator.integers(len(changed))]
        try:
            files.loads(bytes(changed))
            loaded += 1
        except ValueError as error:
            silent += [] if str(error) else [seed]
    assert not silent, f"mutations without a sentence (generator seed 0): {silent}"
    assert loaded < 30_000


@pytest.mark.parametrize(
    ("path", "error", "words"),
    [
        ("digits.h5", ValueError, "models are .safetensors files: give 'digits.safetensors'"),
        ("nowhere/digits.safetensors", FileNotFoundError, "there is no folder"),
        ("folder.safetensors", IsADirectoryError, "is a folder"),
    ],
)
def test_where_a_model_cannot_go(model, tmp_path, path, error, words):
    (tmp_path / "folder.safetensors").mkdir()
    with pytest.raises(error) as caught:
        pn.save(model, tmp_path / path)
    assert words in str(caught.value)


def test_what_is_not_there_cannot_be_loaded(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no file"):
        pn.load(tmp_path / "digits.safetensors")
    with pytest.raises(IsADirectoryError, match="is a folder"):
        pn.load(tmp_path)


def test_a_save_that_fails_leaves_the_old_file(model, tmp_path, monkeypatch):
    path = pn.save(model, tmp_path / "digits.safetensors")
    old = path.read_bytes()
    monkeypatch.setattr("os.fsync", lambda number: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        pn.save(model, path)
    assert path.read_bytes() == old
    assert list(tmp_path.iterdir()) == [path]
