"""several.py -- several labels per example: rows of 0 and 1, a column per label, any number of ones in a row."""

from collections.abc import Callable

import numpy as np

from pyneural.arguments.arrays import Array
from pyneural.card.classes import Names


def are_rows(y: Array) -> bool:
    """Whether labels are rows (n, K) of 0 and 1, K > 1: whole numbers, booleans, or floats with these values."""
    rows = y.ndim == 2 and y.shape[1] > 1 and y.dtype.kind in "iubf" and len(y) > 0
    return rows and bool(np.all((y == 0) | (y == 1)))


def check_count(y: Array, units: int, named: int, who: str) -> None:
    """Rejects rows whose number of labels is not that of the model's outputs, or of the data's names.

    Raises:
        ValueError: it is not; the message says how to end the model.
    """
    labels = y.shape[1]
    if labels != units:
        raise ValueError(
            f"{who}: y is {y.shape}, rows of 0 and 1: {labels} labels, each yes or no, and the model has {units} "
            f"output{'s' * (units > 1)}: end it in pn.Dense({labels})"
        )
    if named and named != labels:
        raise ValueError(f"{who}: y has {labels} labels, and the data names {named} classes: give a name for each")


def encoded(y: Array, outputs: int, who: str, numbers_of: Callable[[Array], Array], given: Names) -> Array:
    """Rows of 0 and 1 with the columns in the order of the model's labels, int64 (n, outputs).

    Args:
        y: the labels (n, K).
        outputs: the number of the model's labels.
        who: the prefix of messages.
        numbers_of: the model's numbers of the data's labels.
        given: the names of the data's labels, if it has any.

    Raises:
        ValueError: they are not rows of 0 and 1, or their columns are not the model's labels.
    """
    expected = len(given) or outputs
    if y.ndim != 2 or y.dtype.kind not in "iubf" or y.shape[1] != expected:
        what = f"the data names {expected} labels" if given else f"the model answers {expected} labels"
        raise ValueError(f"{who}: y is {y.dtype} {y.shape}, and {what}: give rows of 0 and 1, (n, {expected})")
    strange = np.argwhere((y != 0) & (y != 1))
    if len(strange):
        row, column = strange[0].tolist()
        raise ValueError(f"{who}: y has {y[row, column]:g} in row {row}, and each label is 0 or 1: correct it")
    rows = y.astype(np.int64)
    if not given:
        return np.ascontiguousarray(rows)
    used = np.flatnonzero(rows.any(axis=0))
    found = np.zeros((len(rows), outputs), np.int64)
    if len(used):
        found[:, numbers_of(used)] = rows[:, used]
    return found
