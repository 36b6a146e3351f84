"""dataset.py -- Dataset: examples and their labels; Splits: the parts to train and test on; how a part is split off."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pyneural import _core

Array = npt.NDArray[Any]


class Dataset:
    """Examples x and their labels y.

    Args:
        x: uint8 (n, height, width, channels), or floats (n, ...).  Grey images may come as (n, height, width).
        y: class numbers (n,), names (n,), one-hot rows (n, K), or values (n,) or (n, K); for a model with heads a dict
            of these by the heads' names.
        classes: the names of the classes, in order.
        groups: (n,), what belongs together (a patient, say).
        name: what the progress lines call it.
        note: said wherever a result from it is quoted, as that it is a small sample.
        prepare: what makes such an example of an image file, for pn.save to note: "digit" is pn.prepare_digit.

    >>> Dataset([[0.0], [1.0]], [0, 1], name="pair")
    <pair: 2 x float32 (1,), y int64 ()>
    """

    def __init__(
        self,
        x: Any,
        y: Any,
        *,
        classes: Sequence[str] = (),
        groups: Any = None,
        name: str = "",
        note: str = "",
        prepare: str = "",
    ) -> None:
        who = name or "data"
        self.x = as_rows(f"{who}: x", x)
        self.y: Any = (
            {str(head): as_labels(f"{who}: y['{head}']", part) for head, part in y.items()}
            if isinstance(y, dict)
            else as_labels(f"{who}: y", y)
        )
        self.classes, self.name, self.note, self.prepare = tuple(map(str, classes)), name, note, prepare
        self.groups = None if groups is None else np.asarray(groups)
        if self.x.ndim < 2:
            raise ValueError(
                f"{who}: x is {self.x.shape}: give (n, ...), an example a row; for one feature x.reshape(-1, 1)"
            )
        for head, part in by_head(self.y).items():
            what = f"y['{head}']" if head else "y"
            if part.ndim == 0 or len(self.x) != len(part):
                raise ValueError(
                    f"{who}: x has {len(self.x):,} examples, {what} is {part.shape}: give one label for each"
                )
            if part.dtype.kind not in "iubfUSO":
                raise TypeError(f"{who}: {what} is of {part.dtype}: give numbers or names")
        if len(self.x) == 0:
            raise ValueError(f"{who}: it is empty, x is {self.x.shape}: give at least one example")
        if self.groups is not None and self.groups.shape != (len(self.x),):
            raise ValueError(f"{who}: groups is {self.groups.shape}: give one for each of the {len(self.x):,} examples")

    def __len__(self) -> int:
        return len(self.x)

    def __repr__(self) -> str:
        note = f" ({self.note})" if self.note else ""
        name = self.name or "dataset"
        labels = ", ".join(f"{head or 'y'} {y.dtype} {y.shape[1:]}" for head, y in by_head(self.y).items())
        return f"<{name}{note}: {len(self):,} x {self.x.dtype} {self.x.shape[1:]}, {labels}>"

    def take(self, rows: Any) -> "Dataset":
        """The examples of these rows, as a new Dataset."""
        groups = None if self.groups is None else self.groups[rows]
        y = {head: part[rows] for head, part in self.y.items()} if isinstance(self.y, dict) else self.y[rows]
        said = {"name": self.name, "note": self.note, "prepare": self.prepare}
        return Dataset(self.x[rows], y, classes=self.classes, groups=groups, **said)

    def arrays(self, *, flat: bool = False) -> tuple[Array, Any]:
        """The examples as floats, uint8 pixels brought to 0..1, and y; with flat=True a row each.

        >>> Dataset(np.full((2, 2, 2, 1), 255, np.uint8), [0, 1]).arrays(flat=True)[0][0]
        array([1., 1., 1., 1.], dtype=float32)
        """
        x = self.x.astype(np.float32) / np.float32(255) if self.x.dtype == np.uint8 else self.x
        return (x.reshape(len(x), -1) if flat else x), self.y


@dataclass(frozen=True)
class Splits:
    """A data set in its parts: `.train`, `.test`, and `.validation` where the source has one.

    `name` is what the progress lines call it.
    """

    train: Dataset
    test: Dataset | None = None
    validation: Dataset | None = None
    name: str = ""


def by_head(y: Any) -> dict[str, Any]:
    """Labels by the name of their head; those of a model with one output have the name ""."""
    return y if isinstance(y, dict) else {"": y}


def as_rows(what: str, values: Any) -> Array:
    """Rows of uint8, float32 or float64, native and C-contiguous; other numbers become float32."""
    array = _array(what, values)
    if array.dtype.kind not in "iubf":
        raise TypeError(f"{what} {_no_numbers(array)}")
    if array.dtype == np.uint8:
        array = np.ascontiguousarray(array)
    else:
        array = np.ascontiguousarray(array, np.float64 if _wide(values, array) else np.float32)
    return array[..., None] if array.dtype == np.uint8 and array.ndim == 3 else array


def as_labels(what: str, values: Any) -> Array:
    """Numbers or names as they are given.

    Raises:
        ValueError: some are missing, or rows have several lengths.
    """
    array = _array(what, values)
    if array.dtype.kind == "O":
        missing = [row for row, label in enumerate(array.flat) if label is None or label != label]  # NaN is not itself
        if missing:
            raise ValueError(
                f"{what} has {len(missing):,} labels that are missing (None or NaN), the first at {missing[0]}: remove "
                "those examples"
            )
    return array


def _array(what: str, values: Any) -> Array:
    """An array of values; one of Python objects that are all numbers becomes one of numbers."""
    try:
        array = values.numpy() if isinstance(values, _core.Tensor) else np.asarray(values)
        if array.dtype.kind == "O" and all(isinstance(value, int | float | np.number) for value in array.flat):
            return np.array(array.tolist())
    except ValueError as error:
        if "inhomogeneous" not in str(error):
            raise
        raise ValueError(f"{what} has rows of several lengths: make all alike, or give one number a row") from None
    return array


def _no_numbers(array: Array) -> str:
    """What is wrong with inputs that are no numbers, and what to do."""
    if array.dtype.names:
        return "is a table with named columns: give rows of numbers, np.column_stack([table[name] for name in names])"
    if array.dtype.kind in "USO" and array.size:
        place, word = next(
            ((place, value) for place, value in np.ndenumerate(array) if not _is_number(value)), ((), array.flat[0])
        )
        if place:
            where = f"in column {place[-1]} " if len(place) > 1 else ""
            return f"holds '{word}' {where}at row {place[0]}: give numbers: leave such columns out, or number the words"
        return f"holds numbers as text ({array.dtype}): convert them, x.astype('float32')"
    return f"is of {array.dtype}: give numbers: uint8 pixels or floats"


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _wide(values: Any, array: Array) -> bool:
    """float64 stays when it was chosen; a list of Python numbers did not choose it."""
    return array.dtype.kind == "f" and array.dtype.itemsize == 8 and isinstance(values, np.ndarray | _core.Tensor)


def as_dataset(data: Any, who: str) -> Dataset:
    """A Dataset from one, or from (x, y)."""
    if isinstance(data, Dataset):
        return data
    if isinstance(data, Splits):
        raise TypeError(f"{who}: give one part of the data: data.train, data.validation or data.test")
    if isinstance(data, tuple | list) and len(data) == 2:
        if isinstance(data[0], tuple) and all(hasattr(part, "shape") for part in data[0]):
            raise TypeError(
                f"{who}: data is a pair of pairs: give one, (x, y), and where that is a list of batches, as a list"
            )
        return Dataset(data[0], data[1])
    raise TypeError(f"{who}: data is {type(data).__name__}: give a pn.Dataset or a pair of arrays, (x, y)")


def split_rows(data: Dataset, share: float, seed: int) -> tuple[Array, Array]:
    """Rows to train on and rows to validate on: shuffled, stratified by label, a function of the seed.

    Args:
        data: what is split.
        share: of the examples that go to validation, 0 < share < 1.
        seed: of the shuffle.

    Returns:
        Two int64 arrays of row numbers, both ascending.

    Raises:
        ValueError: a part would be empty.
    """
    n = len(data)
    wanted = round(share * n)
    if not 0 < wanted < n:
        raise ValueError(f"fit: validation={share:g} of {n:,} examples leaves a part empty: use validation=None")
    order = _core.permutation(n, seed, "split", 0).numpy()
    held = np.sort(order[_stratified(_label(data.y), order, wanted)])
    kept = np.ones(n, bool)
    kept[held] = False
    return np.flatnonzero(kept), held


def _label(y: Any) -> Array | None:
    """(n,) numbers, equal where all that y says of two examples is; None where y is values."""
    found = []
    for part in by_head(y).values():
        labels = part.reshape(-1) if part.size == len(part) else part.argmax(axis=1) if part.ndim == 2 else None
        if labels is not None and (labels.dtype.kind != "f" or np.all(labels == np.floor(labels))):
            found.append(np.unique(labels.astype(str) if labels.dtype.kind == "O" else labels, return_inverse=True)[1])
    if not found:
        return None
    return found[0] if len(found) == 1 else np.unique(np.stack(found, 1), axis=0, return_inverse=True)[1].reshape(-1)


def _stratified(label: Array | None, order: Array, wanted: int) -> Array:
    """Positions in `order` whose labels have the shares of the whole; plain first ones where labels are values."""
    if label is None or label.max() >= len(order) // 2:
        return np.arange(wanted)
    counts = np.bincount(label)
    exact = counts * (wanted / len(order))
    quota = np.floor(exact).astype(int)
    for place in np.argsort(quota - exact, kind="stable")[: wanted - int(quota.sum())]:  # the largest remainders
        quota[place] += 1
    shuffled = label[order]
    return np.concatenate([np.flatnonzero(shuffled == name)[: quota[name]] for name in range(len(counts))])
