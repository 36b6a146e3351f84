"""idx.py -- IDX files, the format of MNIST: two zero bytes, the type, the number of axes, the sizes, the values.

Source: http://yann.lecun.com/exdb/mnist, as archived; sizes and values are big-endian.
"""

import math
import zlib
from pathlib import Path

import numpy as np

from pyneural.arguments.arrays import Array
from pyneural.arguments.familiar_keywords import OF_FILES
from pyneural.arguments.paths import readable
from pyneural.arguments.spelling import check_keywords

_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_MEANINGS = {1: "labels (1 axis)", 3: "images (3 axes)"}


@check_keywords(**OF_FILES)
def read_idx(path: str | Path, *, axes: int | None = None) -> Array:
    """The array in an IDX file, plain or gzipped.

    Args:
        path: the file's path.
        axes: the number of axes it must have: 3 for images, 1 for labels; None: any.

    Raises:
        ValueError: it is not an IDX file, is incomplete, or has other axes; the message says which.
        OSError: it cannot be read.
    """
    source = readable("read_idx", path, "an IDX file, plain or gzipped")
    return parse_idx(source.read_bytes(), source.name, axes=axes)


def parse_idx(data: bytes, name: str = "IDX", *, axes: int | None = None) -> Array:
    """The array in the bytes of an IDX file; messages start with `name`."""
    if data[:2] == b"\x1f\x8b":
        data = _unpack(data, name)
    if data.lstrip()[:1] == b"<":
        raise ValueError(f"{name}: it is a web page, not an IDX file: the download went wrong; fetch it again")
    if len(data) < 4:
        raise ValueError(f"{name}: {len(data)} bytes are too few for an IDX file: incomplete download")
    if data[0] or data[1] or data[2] not in _TYPES or not data[3]:
        raise ValueError(f"{name}: it is not an IDX file: it starts with {data[:4].hex(' ')}")
    count = data[3]
    if axes is not None and count != axes:
        got = _MEANINGS.get(count, f"{count} axes")
        raise ValueError(
            f"{name}: it contains {got}, expected {_MEANINGS.get(axes, f'{axes} axes')}: are the files swapped?"
        )
    start = 4 + 4 * count
    if len(data) < start:
        raise ValueError(f"{name}: the header needs {start} bytes, found {len(data)}: incomplete download")
    shape = tuple(int.from_bytes(data[4 + 4 * i : 8 + 4 * i], "big") for i in range(count))
    kind = np.dtype(_TYPES[data[2]])
    promised, found = math.prod(shape) * kind.itemsize, len(data) - start
    if found < promised:
        raise ValueError(f"{name}: header promises {promised:,} bytes, found {found:,}: incomplete download")
    if found > promised:
        raise ValueError(
            f"{name}: header promises {promised:,} bytes, found {found:,}: it is damaged, or not an IDX file"
        )
    if count > 32:  # NumPy 1.26's limit
        raise ValueError(f"{name}: it has {count} axes, too many for an array")
    return np.frombuffer(data, kind, offset=start).reshape(shape).astype(kind.newbyteorder("="))


def _unpack(data: bytes, name: str) -> bytes:
    """Unpacks a gzip stream as far as possible, but hardly more than its IDX header says."""
    stream = zlib.decompressobj(wbits=31)
    try:
        unpacked = stream.decompress(data, 4 + 4 * 255)
        limit = len(unpacked)
        if len(unpacked) >= 4 and unpacked[2] in _TYPES:
            count = unpacked[3]
            shape = [int.from_bytes(unpacked[4 + 4 * i : 8 + 4 * i], "big") for i in range(count)]
            limit = 4 + 4 * count + math.prod(shape) * np.dtype(_TYPES[unpacked[2]]).itemsize + 1
        room = min(limit - len(unpacked), 1032 * len(data))  # the maximum ratio of deflate
        if room > 0:
            unpacked += stream.decompress(stream.unconsumed_tail, room)
    except zlib.error as error:
        raise ValueError(f"{name}: its gzip stream is damaged ({error}): fetch it again") from error
    if not stream.eof and len(unpacked) == limit - 1:
        raise ValueError(f"{name}: the end of its gzip stream is missing: incomplete download")
    return unpacked
