"""csv_target.py -- the target and the groups of a table in a CSV file."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pyneural.arguments.arrays import Array
from pyneural.arguments.checks import warn
from pyneural.card.classes import Names
from pyneural.card.table import Column
from pyneural.datasets.csv_columns import Collected
from pyneural.datasets.csv_text import Text, lines_of

_MOST_CLASSES = 20  # different whole numbers, beyond which a target has values
_EACH = 3  # rows of a class, at least, on average


def with_target(text: Text, targets: Sequence[Collected], skip: int) -> Any:
    """The rows that have a target: all of them, as a slice, or their numbers; those without are reported.

    Raises:
        ValueError: no row has one.
    """
    missing = np.zeros(targets[0].rows, bool)
    for one in targets:
        missing |= one.column(booleans=False).missing
    rows = np.flatnonzero(missing)
    if not len(rows):
        return slice(None)
    what = " or ".join(f"'{one.name}'" for one in targets)
    if len(rows) == len(missing):
        raise ValueError(f"{text.who}: no row has a value of {what}: give another target")
    first = int(rows[0])
    warn(
        f"{text.who}: {len(rows):,} of {len(missing):,} rows have no value of {what} and are left out, the first in "
        f"line {lines_of(text, [first], skip)[first]:,}"
    )
    return np.flatnonzero(~missing)


def labels_of(text: Text, targets: Sequence[Collected], rows: Any) -> tuple[Array, Names]:
    """The labels of the chosen rows, and the names of the classes, or of several labels or values; () without names.

    Text gives class names.  Whole numbers give int64, which are classes, if there are at most 20 different ones that
    appear three times each on average, or two; other numbers give float64.  Several targets give (n, K).

    Raises:
        ValueError: all labels are equal, or one of several targets is text.
    """
    columns = [one.column(booleans=len(targets) > 1) for one in targets]
    for column in columns:
        _check(text, column, column.values[rows], alone=len(columns) == 1)
    if len(columns) > 1:
        names = tuple(column.name for column in columns)
        values = np.stack([column.values[rows] for column in columns], axis=1)
        return (values.astype(np.int64) if np.all((values == 0) | (values == 1)) else values), names
    values = columns[0].values[rows]
    if columns[0].kind == "category":
        return np.array(columns[0].names)[values], columns[0].names
    return (values.astype(np.int64) if _are_classes(values) else values), ()


def groups_of(text: Text, one: Collected, rows: Any, skip: int) -> Array:
    """The groups of the chosen rows.

    Raises:
        ValueError: a row has none.
    """
    column = one.column(booleans=False)
    missing = np.flatnonzero(column.missing)
    if len(missing):
        first = int(missing[0])
        raise ValueError(
            f"{text.who}: {len(missing):,} rows have no value of '{column.name}', the column of the groups, the first "
            f"in line {lines_of(text, [first], skip)[first]:,}: give each of these rows a group of its own"
        )
    found: Array = np.array(column.names)[column.values[rows]]
    return found


def _are_classes(values: Array) -> bool:
    """Whether numbers are class numbers."""
    if np.any(values != np.floor(values)) or np.any(np.abs(values) > 2**53):
        return False
    distinct = len(np.unique(values))
    return distinct == 2 or distinct <= min(_MOST_CLASSES, len(values) // _EACH)


def _check(text: Text, column: Column, values: Array, alone: bool) -> None:
    """Refuses a target that never changes, and text as one of several targets."""
    if column.kind == "category" and not alone:
        raise ValueError(
            f"{text.who}: the target '{column.name}' has text, such as {column.names[0]!r}: several targets must have "
            "numbers, or true and false: give one target, or leave this one out"
        )
    if len(values) > 1 and np.all(values == values[0]):
        same = repr(column.names[values[0]]) if column.kind == "category" else f"{values[0]:g}"
        raise ValueError(
            f"{text.who}: the target '{column.name}' is {same} in all {len(values):,} rows: give examples of at least "
            "two values"
        )
