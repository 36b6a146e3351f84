"""archives.py -- NumPy's .npz archives: their arrays, or an error that says how to make a right one.

A small file may unpack to gigabytes, and a header may promise more than the file has: NumPy allocates the memory
before it reads.  So the header of each array is compared with the size of its member, and that with a limit, first.
"""

import math
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pyneural.arguments.arrays import Array

if TYPE_CHECKING:
    from zipfile import ZipFile

_LONGEST_HEADER = 10_000  # bytes, as in NumPy, which reads a longer one before it refuses it


def read_archive(
    path: Path, who: str, wanted: Iterable[str], fix: str, most: int | None = None
) -> tuple[dict[str, Array], list[str]]:
    """The wanted arrays of an .npz, and the names of all that it has; pickled objects are refused.

    Args:
        path: the file.
        who: the prefix of messages.
        wanted: the names of the arrays to read, of which some may be missing.
        fix: how to make such a file, for messages.
        most: the most bytes that these arrays may have together; None: as many as the machine has memory.

    Raises:
        OSError: it cannot be opened.
        ValueError: it is not an .npz, it is damaged, or its arrays are too large.
    """
    import zipfile

    with path.open("rb") as file:
        try:
            if not zipfile.is_zipfile(file):
                raise ValueError("it is not an .npz, or incomplete")
            file.seek(0)
            with np.load(file, allow_pickle=False) as opened:
                names = sorted(opened.files)
                there = [name for name in wanted if name in names]
                sizes = [_size(opened.zip, name) for name in there]
                _check_total(sum(sizes), most)
                return {name: opened[name] for name in there}, names
        except Exception as error:  # zipfile and NumPy may raise any exception for damaged files
            why = "it contains pickled objects" if "allow_pickle" in str(error) else str(error) or type(error).__name__
            raise ValueError(f"{who} cannot be read ({why}): {fix}") from None


def _size(archive: "ZipFile", name: str) -> int:
    """The bytes of an array by its header.

    Raises:
        ValueError: it is not an array, or does not have as many.
    """
    info = archive.getinfo(name if name in archive.namelist() else f"{name}.npy")
    with archive.open(info) as member:
        if member.read(6) != b"\x93NUMPY":
            raise ValueError(f"{name} is not an array of NumPy")
        first = member.read(2) == b"\x01\x00"
        if int.from_bytes(member.read(2 if first else 4), "little") > _LONGEST_HEADER:
            raise ValueError(f"the header of {name} is too long")
        member.seek(8)
        reader = np.lib.format.read_array_header_1_0 if first else np.lib.format.read_array_header_2_0
        shape, _, dtype = reader(member)
        found = info.file_size - member.tell()
    if dtype.hasobject:
        return 0  # NumPy refuses it
    if min(shape, default=0) < 0:
        raise ValueError(f"{name} has the shape {shape}")
    promised = math.prod(shape) * dtype.itemsize
    if promised != found:
        raise ValueError(f"the header of {name} promises {promised:,} bytes, and there are {found:,}")
    return promised


def _check_total(size: int, most: int | None) -> None:
    limit = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if most is None else most
    if size > limit:
        most_is = "this machine's memory is" if most is None else "the limit is"
        raise ValueError(f"its arrays have {size:,} bytes, but {most_is} {limit:,}")
