"""labels.py -- labels of any kind as class numbers or values, or an error that names the fix."""

import numpy as np

import pyneural.card.soft as soft
from pyneural.arguments.arrays import Array
from pyneural.card.classes import by_name


def column(y: Array) -> Array:
    """Labels (n, 1) as (n,)."""
    return y.reshape(-1) if y.ndim == 2 and y.shape[1] == 1 else y


def is_real(y: Array) -> bool:
    """Whether labels are floats."""
    return y.dtype.kind == "f"


def is_one_hot(y: Array) -> bool:
    """Whether labels are one-hot rows (n, K)."""
    return y.ndim == 2 and bool(np.all((y == 0) | (y == 1)) and np.all(y.sum(axis=1) == 1))


def check_finite(y: Array, who: str) -> None:
    """Rejects labels that are NaN or infinite.

    Raises:
        ValueError: some are; the message says where.
    """
    if is_real(y):
        strange = ~np.isfinite(y)
        if strange.any():
            place = tuple(int(i) for i in np.argwhere(strange)[0])
            fix = "words read as numbers become NaN: read them as text" if strange.all() else "remove or fill them"
            raise ValueError(
                f"{who}: y has {int(strange.sum()):,} values that are NaN or infinite, the first at {place}: {fix}"
            )


def class_numbers(y: Array, classes: tuple[str, ...], who: str) -> Array:
    """Labels of any kind as class numbers (n,).

    Raises:
        ValueError: they are not classes; the message says how.
    """
    if y.dtype.kind in "USO":
        return by_name(y, classes, "the data's classes are", who)
    if y.ndim == 2 and is_one_hot(y):
        return np.asarray(np.argmax(y, axis=1))
    if y.ndim == 2 and bool(np.all((y == 0) | (y == 1))):
        raise ValueError(
            f"{who}: y is {y.shape}, and some rows have no 1 or several, but the model answers one class for each "
            "example: give one class, or train a new model on these labels"
        )
    if y.ndim == 2 and is_real(y) and (reason := soft.off(y)):
        raise ValueError(
            f"{who}: y is {y.shape} of {y.dtype}: {reason}: give class numbers (n,), one-hot rows, names, or rows of "
            "probabilities, from 0 to 1, whose sum is 1"
        )
    if y.ndim != 1 or y.dtype.kind not in "iubf":
        raise ValueError(f"{who}: y is {y.shape} of {y.dtype}: give class numbers (n,), one-hot rows, or names")
    if y.dtype.kind == "f" and not np.all(y == np.floor(y)):
        raise ValueError(f"{who}: labels are not whole numbers, such as {y[y != np.floor(y)][0]}: give class numbers")
    return integers(y, who)


def integers(y: Array, who: str) -> Array:
    """Whole numbers as int64.

    Raises:
        ValueError: one is too large.
    """
    wide = y.dtype.kind == "f" or y.dtype == np.uint64
    largest = y[np.abs(y).argmax()] if wide else 0
    if abs(float(largest)) >= 2.0**63:
        raise ValueError(f"{who}: y has {largest:g}, too large for the number of a class: give class numbers, or names")
    return y.astype(np.int64)


def values(y: Array, outputs: int, dtype: str, who: str) -> Array:
    """Labels as values (n, outputs), all finite in the dtype.

    Raises:
        ValueError: they are not; the message says how.
    """
    if y.dtype.kind not in "iubf":
        raise ValueError(f"{who}: y has dtype {y.dtype}: give numbers")
    values = y.reshape(-1, 1) if y.ndim == 1 else y
    if values.ndim != 2 or values.shape[1] != outputs:
        fix = f"end the model in pn.Dense({values.shape[1]})" if values.ndim == 2 else "give values (n, outputs)"
        raise ValueError(f"{who}: y is {y.shape}, the model has {outputs} outputs: {fix}")
    with np.errstate(over="ignore"):  # which is found below
        found = np.ascontiguousarray(values, dtype)
    strange = np.argwhere(~np.isfinite(found))
    if len(strange):
        place = tuple(int(i) for i in strange[0])
        raise ValueError(
            f"{who}: y has {len(strange):,} values that {dtype} cannot hold, as {values[place]:g} at {place}: divide "
            "them by a constant, or make the model with dtype='float64'"
        )
    return found


def out_of_range(low: int, high: int, units: int) -> str:
    """The error for class numbers that do not fit the outputs, with the fix."""
    if low < 0:
        return f"labels run {low}..{high} but class numbers start at 0: pass y + {-low}, or y as floats for values"
    if units == 1:
        return (
            f"labels run {low}..{high}, one output takes 0 and 1: end the model in pn.Dense({high + 1}) for classes, "
            "or pass y as floats for values"
        )
    if low == 1 and high == units:
        return f"labels run 1..{high} but class numbers start at 0 for Dense({units}): pass y - 1"
    return (
        f"labels run {low}..{high}, the model has {units} outputs, for 0..{units - 1}: end it in pn.Dense({high + 1})"
    )
