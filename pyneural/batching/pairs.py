"""pairs.py -- batches (x, y) in an object of the user: whether it is one, one pass over it, and all of its labels."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from pyneural._core import Tensor
from pyneural.arguments.arrays import Array, as_labels
from pyneural.card.columns import Columns, as_array
from pyneural.card.frames import rows_and_names
from pyneural.card.table import Table
from pyneural.datasets.dataset import Dataset
from pyneural.datasets.splits import Splits

ITERABLE = "give a list of batches, or a re-iterable object: its __iter__ must start over each time"


def labels(data: Any, who: str) -> Any:
    """All labels, as an array or a dict of them by head; the batches will be iterated over again.

    Raises:
        TypeError: the batches are not re-iterable.
    """
    refuse_iterator(data, who)
    return joined([y for _, y, _ in pairs(data, who)], who)


def refuse_iterator(data: Any, who: str) -> None:
    """Rejects iterators, which can be used only once."""
    if isinstance(data, Iterator):
        raise TypeError(f"{who}: data is a {type(data).__name__}, which is exhausted after one epoch: {ITERABLE}")


def is_stream(data: Any) -> bool:
    """Whether data is an iterable of batches, and not an array, a pair of arrays or a mapping."""
    if isinstance(data, Dataset | Splits | str | bytes | Mapping | Tensor) or hasattr(data, "shape"):
        return False
    if isinstance(data, tuple):  # ((x, y), (x, y)) is more often train and test than two batches
        return False
    if isinstance(data, list):
        return len(data) > 0 and all(_is_pair(item) for item in data)
    return hasattr(data, "__iter__") or (hasattr(data, "__getitem__") and hasattr(data, "__len__"))


def one_pass(data: Any) -> Iterator[Any]:
    """The batches of one pass; an object without __iter__ is indexed from 0 to its length - 1."""
    if hasattr(data, "__iter__"):
        return iter(data)
    return (data[number] for number in range(len(data)))


def _is_pair(item: Any) -> bool:
    return (
        isinstance(item, tuple | list)
        and len(item) == 2
        and all(hasattr(p, "shape") or isinstance(p, dict) for p in item)
    )


def pairs(data: Any, who: str, known: Columns | None = None) -> Iterator[tuple[Array, Any, Columns | None]]:
    """The batches of one pass as arrays, and the columns of x, if it is a table.

    Tables become numbers by the columns that are known, or else those of the first batch, which must be numbers.

    Raises:
        ValueError, TypeError: a batch is not a pair of inputs and labels; the message says which.
    """
    for number, item in enumerate(one_pass(data), start=1):
        at = f"{who}: batch {number}"
        if not isinstance(item, tuple | list) or len(item) != 2:
            what = f"{len(item)} things" if isinstance(item, tuple | list) else type(item).__name__
            weights = (
                "; weights of examples need arrays, pn.Dataset(x, y, sample_weight=w)" if what == "3 things" else ""
            )
            raise TypeError(f"{at} is {what}: give pairs (x, y), inputs (n, ...) and their labels{weights}")
        given, names = rows_and_names(f"{at}: x", item[0])
        if known is None and names:
            known = _of_numbers(given, names, at)
        x = as_array(known, given, names, at)
        if isinstance(item[1], dict):
            y: Any = {str(head): as_labels(f"{at}: y['{head}']", part) for head, part in item[1].items()}
        else:
            y = as_labels(f"{at}: y", item[1])
        lengths = [part.shape[:1] for part in (y.values() if isinstance(y, dict) else (y,))]
        if () in lengths:
            raise ValueError(
                f"{at} is a single example: give batches, x (n, ...) and y (n,), like a loader with a batch size"
            )
        if x.ndim < 2:
            raise ValueError(
                f"{at}: x is {x.shape}: give (n, ...), one row per example; for one feature x.reshape(-1, 1)"
            )
        if any(length != x.shape[:1] for length in lengths):
            raise ValueError(f"{at}: x has {len(x):,} examples, y has {lengths[0][0]:,}: give one label per example")
        if len(x) == 0:
            raise ValueError(f"{at} is empty, x is {x.shape}: skip empty batches")
        yield x, y, known


def _of_numbers(x: Array | Table, names: tuple[str, ...], at: str) -> Columns:
    """The columns of batches that are tables of numbers."""
    if isinstance(x, Table):
        raise TypeError(
            f"{at}: x has categories or missing values, which are learned from all training rows: give the whole "
            "table, (frame, y)"
        )
    return Columns.of_numbers(names)


def joined(labels: list[Any], who: str) -> Any:
    """All labels of the first pass in one array, or one by head."""
    if isinstance(labels[0], dict):
        heads = labels[0].keys()
        for number, part in enumerate(labels, start=1):
            if not isinstance(part, dict) or part.keys() != heads:
                raise ValueError(f"{who}: batch {number} has other labels than the first, which has {', '.join(heads)}")
        return {head: joined([part[head] for part in labels], who) for head in heads}
    for number, part in enumerate(labels, start=1):
        if isinstance(part, dict) or part.shape[1:] != labels[0].shape[1:]:
            given = "a dict" if isinstance(part, dict) else part.shape
            raise ValueError(
                f"{who}: batch {number} has labels {given}, the first batch {labels[0].shape}: use one shape for all"
            )
        if (part.dtype.kind in "UO") != (labels[0].dtype.kind in "UO"):  # NumPy would turn the numbers into text
            raise ValueError(
                f"{who}: batch {number}: y has {_kind(part)}, and the first batch has {_kind(labels[0])}: give labels "
                "of one kind"
            )
    return np.concatenate(labels)


def _kind(labels: Array) -> str:
    return f"{'text' if labels.dtype.kind in 'UO' else 'numbers'}, such as {labels.reshape(-1)[:1].tolist()[0]!r}"
