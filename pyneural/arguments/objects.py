"""objects.py -- object arrays: whether all values are numbers, and which are missing."""

from typing import Any

import numpy as np


def missing_rows(array: Any) -> list[int]:
    """The flat indices of None, NaN, NaT and the NA of pandas."""
    if array.dtype.kind == "O":
        return [row for row, value in enumerate(array.flat) if is_missing(value)]
    return [int(row) for row in np.flatnonzero(array != array)]  # only NaN differs from itself


def are_numbers(array: Any) -> bool:
    """Whether all values of an object array are numbers."""
    return all(isinstance(value, int | float | np.number | np.bool_) for value in array.flat)


def is_missing(value: Any) -> bool:
    """Whether one value is missing."""
    if isinstance(value, str | bytes | int):
        return False
    return value is None or type(value).__name__ in ("NAType", "NaTType") or bool(np.any(value != value))
