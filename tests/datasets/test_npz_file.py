"""Data sets in .npz files: read, trained on by path, and refused with the fix."""

import os
import re
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

import pyneural as pn

X = np.arange(40 * 16, dtype=np.uint8).reshape(40, 4, 4)
Y = np.arange(40) % 2


def test_x_and_y_are_a_training_part(tmp_path):
    np.savez(tmp_path / "mine.npz", x=X, y=Y, classes=["cat", "dog"], groups=Y, other=[1])
    data = pn.datasets.npz(tmp_path / "mine.npz")
    assert (data.name, data.train.name, data.test, data.validation) == ("mine", "mine", None, None)
    assert data.train.x.shape == (40, 4, 4, 1)
    assert data.train.counts() == {"cat": 20, "dog": 20}
    assert np.array_equal(data.train.groups, Y)


PARTS = [
    ("x_train y_train x_test y_test", (30, None, 10)),
    ("x_train y_train x_val y_val x_test y_test", (20, 10, 10)),
    ("train_images train_labels val_images val_labels test_images test_labels", (20, 10, 10)),
    ("x_train y_train", (40, None, None)),
    ("x y x_test y_test", (30, None, 10)),
]


@pytest.mark.parametrize(("names", "counts"), PARTS)
def test_parts_have_the_names_of_other_libraries(tmp_path, names, counts):
    ends = np.cumsum([count for count in counts if count])
    pairs = zip(np.split(X, ends[:-1]), np.split(Y[:, None], ends[:-1]), strict=True)
    np.savez_compressed(
        tmp_path / "a.npz", **dict(zip(names.split(), (each for pair in pairs for each in pair), strict=True))
    )
    data = pn.datasets.npz(tmp_path / "a.npz")
    parts = (data.train, data.validation, data.test)
    assert tuple(None if part is None else len(part) for part in parts) == counts
    assert all(part.y.ndim == 1 for part in parts if part is not None), "a column of labels"


def test_a_path_trains_and_evaluates(tmp_path, capsys):
    path = tmp_path / "mine.npz"
    x = (
        np.where(Y[:, None], 200, 20).astype(np.uint8)
        + np.arange(4, dtype=np.uint8)
        + np.arange(40, dtype=np.uint8)[:, None]
    )
    parts = {"train": slice(25, 40), "test": slice(0, 10), "val": slice(10, 25)}
    np.savez(
        path, **{f"{name}_{part}": array[rows] for part, rows in parts.items() for name, array in (("x", x), ("y", Y))}
    )
    model = pn.Sequential(pn.Dense(2))
    pn.fit(model, str(path), epochs=20, learning_rate=0.1)
    assert "mine: 15 train, 15 validation (given)" in capsys.readouterr().out
    assert pn.evaluate(model, path, verbose=0).n == 10
    np.savez(tmp_path / "new.npz", x=x[:7], y=Y[:7])
    (tmp_path / "new.npz").rename(tmp_path / "NEW.NPZ")
    assert pn.evaluate(model, tmp_path / "NEW.NPZ", verbose=0).accuracy == 1
    again = pn.fit(pn.Sequential(pn.Dense(2)), (x[25:], Y[25:]), validation=path, epochs=1, verbose=0)
    assert "val_loss" in again


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"x": X}, "contains x but not y: make it with np.savez(path, x=x, y=y)"),
        ({"x_train": X, "y_train": Y, "y_test": Y}, "contains y_test but not x_test"),
        ({"a": X, "b": Y}, "contains a, b: it must contain x and y, or x_train and y_train: make it with"),
        ({"x_test": X, "y_test": Y}, "contains x_test, y_test: it must contain x and y, or x_train"),
        ({}, "contains no arrays"),
        ({"x": X, "y": Y[:3]}, "mine: x has 40 examples, y is (3,): give one label per example"),
        ({"x": X, "y": Y, "groups": Y[:3]}, "mine: groups is (3,): give one per example"),
        ({"x": X, "y": Y.astype(object)}, "cannot be read (it contains pickled objects)"),
        ({"x": np.array(3), "y": np.array(1)}, "mine: x is (1,): give (n, ...), one row per example"),
    ],
)
def test_other_arrays_are_refused(tmp_path, arrays, words):
    np.savez(tmp_path / "mine.npz", **arrays)
    for call in (pn.datasets.npz, lambda path: pn.fit(pn.Sequential(pn.Dense(2)), path)):
        with pytest.raises(ValueError, match=f"^npz: 'mine.npz'.* {re.escape(words)}"):
            call(tmp_path / "mine.npz")


def archive(path: Path, **members: bytes) -> Path:
    """An .npz of these members, packed."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(f"{name}.npy", data)
    return path


def member(shape: object, dtype: str = "|u1", data: bytes = b"", version: int = 1) -> bytes:
    """An array's bytes, with a header that may be wrong."""
    header = f"{{'descr': {dtype!r}, 'fortran_order': False, 'shape': {shape!r}, }}\n".encode()
    return b"\x93NUMPY" + bytes((version, 0)) + len(header).to_bytes(2 if version == 1 else 4, "little") + header + data


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (member((10**11,), data=bytes(100)), "the header of x promises 100,000,000,000 bytes, and there are 100"),
        (member((10**11,), data=bytes(100), version=2), "the header of x promises 100,000,000,000 bytes, and there"),
        (member((2**40, 2**40)), "the header of x promises 1,208,925,819,614,629,174,706,176 bytes, and there are 0"),
        (member((2,), "<U500000000", bytes(8)), "the header of x promises 4,000,000,000 bytes, and there are 8"),
        (member((40, 2), data=bytes(79)), "the header of x promises 80 bytes, and there are 79"),
        (member((40, 2), data=bytes(81)), "the header of x promises 80 bytes, and there are 81"),
        (member((-40, -2), data=bytes(80)), "x has the shape (-40, -2)"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\x7f" + b" " * 20_000, "the header of x is too long"),
        (b"pixels", "x is not an array of NumPy"),
        (b"", "x is not an array of NumPy"),
    ],
    ids=[
        "100 GB",
        "version 2",
        "overflow",
        "wide words",
        "short",
        "long",
        "negative",
        "a long header",
        "text",
        "empty",
    ],
)
def test_a_header_that_does_not_fit_its_data_is_refused_before_memory_is_taken(tmp_path, x, words):
    path = archive(tmp_path / "mine.npz", x=x, y=member((40,), "<i8", bytes(320)))
    tracemalloc.start()
    with pytest.raises(ValueError, match=re.escape(f"npz: 'mine.npz' cannot be read ({words}")):
        pn.datasets.npz(path)
    assert tracemalloc.get_traced_memory()[1] < 3_000_000
    tracemalloc.stop()


def test_arrays_that_are_larger_than_the_memory_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "sysconf", lambda name: 1000)
    path = archive(tmp_path / "mine.npz", x=member((2, 10**6), data=bytes(2 * 10**6)), y=member((2,), "<i8", bytes(16)))
    with pytest.raises(ValueError, match=r"its arrays have 2,000,016 bytes, but this machine's memory is 1,000,000"):
        pn.datasets.npz(path)


def test_a_file_that_is_not_an_npz_is_refused(tmp_path):
    np.savez(tmp_path / "whole.npz", x=X, y=Y)
    for name, data in (("words", b"x and y"), ("half", (tmp_path / "whole.npz").read_bytes()[:400]), ("empty", b"")):
        (tmp_path / f"{name}.npz").write_bytes(data)
        with pytest.raises(ValueError, match=f"^npz: '{name}.npz' cannot be read .*: make it with np.savez"):
            pn.datasets.npz(tmp_path / f"{name}.npz")
    with pytest.raises(FileNotFoundError, match=r"npz: there is no file '.*none.npz': give an .npz made by"):
        pn.datasets.npz(tmp_path / "none.npz")
