"""Data sets in .npz files: read, trained on by path, and refused with the fix."""

import re

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
    assert "val_loss" in again.values


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


def test_a_file_that_is_not_an_npz_is_refused(tmp_path):
    np.savez(tmp_path / "whole.npz", x=X, y=Y)
    for name, data in (("words", b"x and y"), ("half", (tmp_path / "whole.npz").read_bytes()[:400]), ("empty", b"")):
        (tmp_path / f"{name}.npz").write_bytes(data)
        with pytest.raises(ValueError, match=f"^npz: '{name}.npz' cannot be read .*: make it with np.savez"):
            pn.datasets.npz(tmp_path / f"{name}.npz")
    with pytest.raises(FileNotFoundError, match=r"npz: there is no file '.*none.npz': give an .npz made by"):
        pn.datasets.npz(tmp_path / "none.npz")
