"""selection.py -- which rows an index means: a slice, row numbers, or a mask."""

from typing import Any

import numpy as np

from pyneural.arguments.arrays import Array
from pyneural.arguments.checks import is_whole

_GIVE = "give a row number, a slice such as data[:100], row numbers, or a mask such as data.y == 7"


def row_number(who: str, index: Any, n: int) -> int | None:
    """A row number from 0 to n - 1, counted from the end if it is negative; None if the index is not one number.

    Raises:
        IndexError: there is no such row.
    """
    if isinstance(index, np.ndarray) and index.ndim == 0 and index.dtype.kind in "iu":
        index = int(index)
    if not is_whole(index):
        return None
    if not -n <= index < n:
        raise IndexError(f"{who}: there is no row {index}: rows are 0 to {n - 1:,}")
    return int(index) % n


def rows_of(who: str, index: Any, n: int) -> slice | Array:
    """The rows that an index means, to be used on every array of the data; a slice selects without a copy.

    Raises:
        IndexError: a row does not exist, a mask has another length, or nothing is selected.
        TypeError: it is not an index of rows.
    """
    if isinstance(index, slice):
        try:
            count = len(range(*index.indices(n)))
        except TypeError:
            raise TypeError(f"{who}: the slice {index} has bounds that are not whole numbers: {_GIVE}") from None
        if not count:
            raise IndexError(f"{who}: the slice {_shown(index)} selects none of {n:,} rows")
        return index
    if isinstance(index, str | bytes | tuple | dict | set) or index is None or index is Ellipsis:
        raise TypeError(f"{who}: rows is {index!r}: {_GIVE}")
    rows = np.asarray(index)
    if rows.ndim == 0 and rows.dtype.kind in "fc":
        raise TypeError(f"{who}: rows is {index}: {_GIVE}")
    if rows.ndim != 1 or (rows.size and rows.dtype.kind not in "iub"):
        raise TypeError(f"{who}: rows is {type(index).__name__} of {rows.dtype} {rows.shape}: {_GIVE}")
    if rows.dtype == bool:
        if len(rows) != n:
            raise IndexError(f"{who}: the mask has {len(rows):,} values, the data {n:,} rows: give one for each row")
        rows = np.flatnonzero(rows)
    if not rows.size:
        raise IndexError(f"{who}: no rows are selected; a data set has at least one")
    low, high = int(rows.min()), int(rows.max())
    if low < -n or high >= n:
        raise IndexError(f"{who}: there is no row {high if high >= n else low}: rows are 0 to {n - 1:,}")
    return rows


def _shown(index: slice) -> str:
    """A slice as it is written: `5:3`."""
    start, stop, step = ("" if part is None else str(part) for part in (index.start, index.stop, index.step))
    return f"{start}:{stop}" + (f":{step}" if step else "")
