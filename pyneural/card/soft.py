"""soft.py -- soft labels: rows of probabilities of the classes, instead of one class per example."""

from collections.abc import Callable

import numpy as np

from pyneural.arguments.arrays import Array
from pyneural.card.classes import Names

_CLOSE = 1e-3  # how far from 1 the sum of a row may be


def are_soft(y: Array) -> bool:
    """Whether labels are rows of probabilities (n, K), K > 1, that are not all one-hot."""
    rows = y.ndim == 2 and y.shape[1] > 1 and y.dtype.kind == "f" and len(y) > 0
    if not rows or not (y.min() >= 0 and y.max() <= 1):  # the common cases, and NaN
        return False
    return bool(np.any((y != 0) & (y != 1))) and off(y) is None


def off(y: Array) -> str | None:
    """Why rows (n, K) of floats are not probabilities, in words; None if they are."""
    outside = np.argwhere((y < 0) | (y > 1))
    if len(outside):
        row, column = outside[0].tolist()
        return f"row {row} has {y[row, column]:.4g}"
    sums = y.sum(axis=1, dtype=np.float64)
    wrong = np.flatnonzero(np.abs(sums - 1) > _CLOSE)
    return f"row {wrong[0]} sums to {sums[wrong[0]]:.4g}" if len(wrong) else None


def encoded(y: Array, outputs: int, dtype: str, who: str, numbers_of: Callable[[Array], Array], given: Names) -> Array:
    """Rows of probabilities that sum to 1, with a column per class of the model.

    Args:
        y: soft labels (n, K).
        outputs: the number of the model's classes.
        dtype: the model's dtype.
        who: the prefix of messages.
        numbers_of: the model's numbers of the data's class numbers.
        given: the names of the data's classes, if it has any.

    Raises:
        ValueError: the columns are not the model's classes.
    """
    expected = len(given) or outputs
    if y.shape[1] != expected:
        what = f"the data names {expected} classes" if given else f"the model has {expected} outputs"
        raise ValueError(f"{who}: y is {y.shape}, and {what}: give a column for each class")
    used = np.flatnonzero(y.any(axis=0))
    found = np.zeros((len(y), outputs))
    found[:, numbers_of(used)] = y[:, used]
    return np.ascontiguousarray(found / found.sum(axis=1, keepdims=True), dtype)


def one_hot(numbers: Array, outputs: int, dtype: str) -> Array:
    """Class numbers (n,) as rows (n, outputs)."""
    rows = np.zeros((len(numbers), outputs), dtype)
    rows[np.arange(len(numbers)), numbers] = 1
    return rows


def joined(batches: list[Array]) -> Array:
    """Encoded labels of many batches; if some are soft, class numbers become rows."""
    outputs = max(y.shape[1] if y.ndim == 2 else 1 for y in batches)
    rows = [one_hot(y, outputs, "float64") if y.ndim == 1 and outputs > 1 else y for y in batches]
    return np.concatenate(rows)


def as_numbers(y: Array) -> Array:
    """The class numbers (n,) of encoded labels; of soft ones the most probable, the first of equal ones."""
    return np.asarray(y.argmax(axis=1) if y.ndim == 2 and y.shape[1] > 1 else y.reshape(-1))
