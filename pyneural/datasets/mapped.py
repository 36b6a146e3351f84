"""mapped.py -- arrays in memory-mapped files, for data sets that are larger than memory.

The pages of a mapped file are read when they are used, and the system drops them again when it needs the memory.
"""

from pathlib import Path
from typing import IO, Any

import numpy as np

from pyneural.arguments.arrays import Array
from pyneural.datasets.cache_folder import cache_folder

_LARGE = 1 << 26  # bytes from which a part of a mapped array becomes a file of its own
_CHUNK = 1 << 24  # bytes that are copied at a time


def mapped(file: Path | IO[bytes], shape: tuple[int, ...], dtype: Any = np.uint8) -> Array:
    """The array at the start of a file, read-only."""
    array: Array = np.memmap(file, dtype, "r", 0, shape).view(np.ndarray)
    return array


def is_mapped(array: Array) -> bool:
    """Whether an array lies in a memory-mapped file."""
    import mmap

    base: Any = array
    while isinstance(base, np.ndarray):
        base = base.base
    return isinstance(base, mmap.mmap)


def selected(x: Array, rows: slice | Array) -> Array:
    """x[rows]; many rows of a mapped array are gathered into another mapped file, which ends with the array."""
    if isinstance(rows, slice) or not is_mapped(x) or len(rows) * (size := x.nbytes // len(x)) < _LARGE:
        return x[rows]
    import tempfile

    try:
        with tempfile.TemporaryFile(dir=cache_folder("images")) as file:
            for start in range(0, len(rows), max(1, _CHUNK // size)):
                file.write(x[rows[start : start + max(1, _CHUNK // size)]].data)
            file.flush()
            return mapped(file, (len(rows), *x.shape[1:]), x.dtype)
    except OSError:  # there is no such folder, or no space in it
        return x[rows]
