"""dataset.py -- Dataset: examples and their labels; Splits: the training, validation and test parts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pyneural.arguments.arrays import Array, as_groups, as_labels, as_rows
from pyneural.arguments.familiar import OF_DATASETS, OF_SPLITS
from pyneural.arguments.spelling import no_attribute
from pyneural.arguments.tables import column_names, warn_of_order
from pyneural.card.classes import checked_names
from pyneural.printing import encodable


class Dataset:
    """Examples x and their labels y.

    Args:
        x: uint8 (n, height, width, channels), or floats (n, ...).  Greyscale images may be (n, height, width); a table
            may be a DataFrame, whose column names are saved with the model.
        y: class numbers (n,), names (n,), one-hot rows (n, K), or values (n,) or (n, K); for a model with heads a dict
            of these by head.
        classes: the class names, in order: label 0 is the first.  They are matched by name with those of a trained
            model and of other data.  For labels by head, also a dict.
        groups: (n,), the group of each example, such as its patient: pn.fit puts a whole group into the training part
            or into the validation part, never into both.
        name: the name shown in progress lines.
        note: a note shown with every result on this data, for example that it is a small sample.
        prepare: how image files are converted to inputs, saved with the model: "digit" is pn.prepare_digit.

    >>> Dataset([[0.0], [1.0]], [0, 1], name="pair")
    <pair: 2 x float32 (1,), y int64 ()>
    """

    def __init__(
        self,
        x: Any,
        y: Any,
        *,
        classes: Sequence[str] | Mapping[str, Sequence[str]] = (),
        groups: Any = None,
        name: str = "",
        note: str = "",
        prepare: str = "",
    ) -> None:
        who = name or "data"
        self.x = as_rows(f"{who}: x", x)
        self.columns = column_names(x)
        self.y: Any = (
            {str(head): as_labels(f"{who}: y['{head}']", part) for head, part in y.items()}
            if isinstance(y, dict)
            else as_labels(f"{who}: y", y)
        )
        for head, part in by_head(y).items():
            warn_of_order(who, x, f"y['{head}']" if head else "y", part)
        self.classes: Any = checked_names(who, classes)
        self.name = name
        self.note = note
        self.prepare = prepare
        self.groups = None if groups is None else as_groups(f"{who}: groups", groups)
        if self.x.ndim < 2:
            raise ValueError(
                f"{who}: x is {self.x.shape}: give (n, ...), one row per example; for one feature x.reshape(-1, 1)"
            )
        if isinstance(self.classes, dict) and not self.classes.keys() <= by_head(self.y).keys():
            raise ValueError(
                f"{who}: classes is a dict ({', '.join(self.classes)}), "
                f"y has {', '.join(by_head(self.y)) or 'no heads'}: use the heads of y"
            )
        for head, part in by_head(self.y).items():
            what = f"y['{head}']" if head else "y"
            if part.ndim == 0 or len(self.x) != len(part):
                raise ValueError(
                    f"{who}: x has {len(self.x):,} examples, {what} is {part.shape}: give one label per example"
                )
            if part.dtype.kind not in "iubfUSO":
                raise TypeError(f"{who}: {what} has dtype {part.dtype}: give numbers or names")
        if len(self.x) == 0:
            raise ValueError(f"{who}: it is empty, x is {self.x.shape}: give at least one example")
        if self.groups is not None and self.groups.shape != (len(self.x),):
            raise ValueError(f"{who}: groups is {self.groups.shape}: give one per example, ({len(self.x)},)")

    def __len__(self) -> int:
        return len(self.x)

    def __repr__(self) -> str:
        note = f" ({self.note})" if self.note else ""
        name = self.name or "dataset"
        labels = ", ".join(f"{head or 'y'} {y.dtype} {y.shape[1:]}" for head, y in by_head(self.y).items())
        return encodable(f"<{name}{note}: {len(self):,} x {self.x.dtype} {self.x.shape[1:]}, {labels}>")

    if not TYPE_CHECKING:  # type checkers report wrong names by themselves

        def __getattr__(self, name):
            raise no_attribute("a data set", self, name, OF_DATASETS)

    def take(self, rows: Any) -> "Dataset":
        """A new Dataset of the examples in these rows."""
        groups = None if self.groups is None else self.groups[rows]
        y = {head: part[rows] for head, part in self.y.items()} if isinstance(self.y, dict) else self.y[rows]
        said = {"name": self.name, "note": self.note, "prepare": self.prepare}
        part = Dataset(self.x[rows], y, classes=self.classes, groups=groups, **said)
        part.columns = self.columns
        return part

    def arrays(self, *, flat: bool = False) -> tuple[Array, Any]:
        """Returns x as floats, uint8 pixels scaled to 0..1, and y; flat=True gives one row per example.

        >>> Dataset(np.full((2, 2, 2, 1), 255, np.uint8), [0, 1]).arrays(flat=True)[0][0]
        array([1., 1., 1., 1.], dtype=float32)
        """
        x = self.x.astype(np.float32) / np.float32(255) if self.x.dtype == np.uint8 else self.x
        return (x.reshape(len(x), -1) if flat else x), self.y


@dataclass(frozen=True)
class Splits:
    """A data set in parts: `.train`, and `.test` and `.validation`, which may be None.

    `name` is shown in progress lines.
    """

    train: Dataset
    test: Dataset | None = None
    validation: Dataset | None = None
    name: str = ""

    def __post_init__(self) -> None:
        for part in ("train", "test", "validation"):
            given = getattr(self, part)
            if not isinstance(given, Dataset) and (given is not None or part == "train"):
                kind = type(given).__name__
                raise TypeError(f"Splits: {part} is {kind}: give a pn.Dataset, such as pn.Dataset(x, y)")

    if not TYPE_CHECKING:  # type checkers report wrong names by themselves

        def __getattr__(self, name):
            raise no_attribute("data in parts", self, name, OF_SPLITS)


def by_head(y: Any) -> dict[str, Any]:
    """Labels by head; for a single output the head is ""."""
    return y if isinstance(y, dict) else {"": y}


def as_dataset(data: Any, who: str) -> Dataset:
    """The data as a Dataset, from a Dataset or (x, y)."""
    if isinstance(data, Dataset):
        return data
    if isinstance(data, Splits):
        raise TypeError(f"{who}: give one part of the data: data.train, data.validation or data.test")
    if isinstance(data, tuple | list) and len(data) == 2:
        if isinstance(data[0], tuple) and all(hasattr(part, "shape") for part in data[0]):
            raise TypeError(f"{who}: data is a pair of pairs: give one pair (x, y); give batches as a list")
        return Dataset(data[0], data[1])
    raise TypeError(f"{who}: data is {type(data).__name__}: give a pn.Dataset or a pair of arrays, (x, y)")
