"""npz_file.py -- a data set in an .npz: x and y, or the arrays of its parts."""

import os
from pathlib import Path
from typing import Any

from pyneural.arguments.arrays import Array
from pyneural.arguments.familiar_keywords import OF_DATA_FILES
from pyneural.arguments.paths import readable
from pyneural.arguments.spelling import check_keywords
from pyneural.datasets.archives import read_archive
from pyneural.datasets.dataset import Dataset
from pyneural.datasets.splits import Splits

_SPELLINGS = {  # the names of x and y of each part: ours and Keras', and MedMNIST's
    "train": (("x_train", "y_train"), ("train_images", "train_labels"), ("x", "y")),
    "validation": (("x_val", "y_val"), ("x_validation", "y_validation"), ("val_images", "val_labels")),
    "test": (("x_test", "y_test"), ("test_images", "test_labels")),
}
_FIX = "make it with np.savez(path, x=x, y=y)"


def is_npz(path: object) -> bool:
    """Whether a path ends in .npz."""
    return isinstance(path, str | os.PathLike) and Path(path).suffix.lower() == ".npz"


@check_keywords(**OF_DATA_FILES)
def npz(path: str | Path) -> Splits:
    """The data set in an .npz file: arrays x and y, as np.savez(path, x=x, y=y) writes them.

    Or arrays for each part: x_train and y_train, and optionally x_val, y_val, x_test and y_test, as mnist.npz of Keras
    has them, or train_images, train_labels and so on, as MedMNIST has them.  An array `classes` has the names of the
    classes, label 0 first, and `groups` the group of each example, for x and y.  Pickled objects are refused, so
    that reading a file runs no code.

    Args:
        path: the file's path.

    Returns:
        Splits; missing parts are None.

    Raises:
        OSError: there is no such file, or it is not readable.
        ValueError, TypeError: it is not an .npz, it has other arrays, or they do not fit together.

    >>> import numpy as np, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.savez(f"{folder}/xor.npz", x=np.eye(2), y=[0, 1])
    ...     npz(f"{folder}/xor.npz").train
    <xor: 2 x float64 (2,), y int64 ()>
    """
    source = readable("npz", path, "an .npz made by np.savez(path, x=x, y=y)")
    who = f"npz: '{source.name}'"
    wanted = [name for pairs in _SPELLINGS.values() for pair in pairs for name in pair]
    arrays, names = read_archive(source, who, [*wanted, "classes", "groups"], _FIX)
    found = {part: _part(arrays, part, who, source.stem) for part in _SPELLINGS}
    train = found["train"]
    if train is None:
        raise ValueError(
            f"{who} contains {', '.join(names) or 'no arrays'}: it must contain x and y, or x_train and y_train: {_FIX}"
        )
    return Splits(train, found["test"], found["validation"], name=source.stem)


def npz_part(path: str | Path, part: str) -> Dataset:
    """One part of an .npz, or its x and y, for evaluation."""
    splits = npz(path)
    chosen: Dataset | None = getattr(splits, part)
    return splits.train if chosen is None else chosen


def _part(arrays: dict[str, Array], part: str, who: str, name: str) -> Dataset | None:
    """The arrays of a part as a Dataset; None if there are none."""
    for x, y in _SPELLINGS[part]:
        if (x in arrays) != (y in arrays):
            there, missing = (x, y) if x in arrays else (y, x)
            raise ValueError(f"{who} contains {there} but not {missing}: {_FIX}")
        if x in arrays:
            facts: dict[str, Any] = {"name": name}
            if "classes" in arrays:
                facts["classes"] = [str(word) for word in arrays["classes"].reshape(-1)]
            if "groups" in arrays and x == "x":
                facts["groups"] = arrays["groups"]
            return _dataset(arrays[x], arrays[y], who, facts)
    return None


def _dataset(x: Array, y: Array, who: str, facts: dict[str, Any]) -> Dataset:
    """A column of whole labels (n, 1) becomes (n,)."""
    try:
        return Dataset(x, y.reshape(-1) if y.shape == (*x.shape[:1], 1) and y.dtype.kind in "iub" else y, **facts)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{who}: {error}") from None
