"""buffers.py -- values in the memory of another library: numbers, bits and text, in the layout of Arrow.

An address is that of a buffer which its owner keeps alive; what is returned are copies.
"""

import ctypes
import struct

import numpy as np

from pyneural.arguments.arrays import Array

_INLINE = 12  # bytes of text that a view holds itself
_VIEW = 16  # bytes of a view


def numbers(address: int, dtype: str, start: int, count: int) -> Array:
    """The numbers start to start + count of a buffer."""
    size = np.dtype(dtype).itemsize
    return np.frombuffer(_bytes(address + start * size, count * size), dtype)


def bits(address: int, start: int, count: int) -> Array:
    """The bits start to start + count, as booleans."""
    first = start // 8
    packed = np.frombuffer(_bytes(address + first, (start + count + 7) // 8 - first), np.uint8)
    return np.unpackbits(packed, bitorder="little")[start - 8 * first :][:count].astype(bool)


def masked(values: Array, valid: Array | None) -> Array:
    """Values as float64, NaN where they are not valid."""
    found = values.astype(np.float64)
    if valid is not None:
        found[~valid] = np.nan
    return found


def decimals(address: int, width: int, scale: int, start: int, count: int) -> Array:
    """Decimals of `width` bits, `scale` digits of them after the point, as floats."""
    size = width // 8
    data = _bytes(address + start * size, count * size)
    whole = (int.from_bytes(data[i : i + size], "little", signed=True) for i in range(0, len(data), size))
    return np.array([number / 10**scale for number in whole], np.float64)


def texts(offsets: Array, address: int, valid: Array | None) -> list[str | None]:
    """Text between offsets into a buffer of UTF-8; None where it is not valid."""
    edges = offsets.tolist()
    data = _bytes(address + edges[0], edges[-1] - edges[0])
    runs = zip(edges, edges[1:], _mask(valid, len(edges) - 1), strict=False)
    given = (data[low - edges[0] : high - edges[0]] if ok else None for low, high, ok in runs)
    return [None if one is None else one.decode(errors="backslashreplace") for one in given]


def views(address: int, others: list[int], start: int, count: int, valid: Array | None) -> list[str | None]:
    """Text as views: its length, and the text itself or its place in another buffer; None where it is not valid."""
    data = _bytes(address + start * _VIEW, count * _VIEW)
    known: dict[bytes, str] = {}  # equal views are equal text
    found: list[str | None] = []
    for at, ok in zip(range(0, len(data), _VIEW), _mask(valid, count), strict=True):
        view = data[at : at + _VIEW]
        if ok and view not in known:
            known[view] = _viewed(view, others)
        found.append(known[view] if ok else None)
    return found


def _viewed(view: bytes, others: list[int]) -> str:
    length, _, buffer, offset = struct.unpack("<iiii", view)
    text = view[4 : 4 + length] if length <= _INLINE else _bytes(others[buffer] + offset, length)
    return text.decode(errors="backslashreplace")


def _bytes(address: int, count: int) -> bytes:
    return ctypes.string_at(address, count) if count else b""


def _mask(valid: Array | None, count: int) -> list[bool]:
    return [True] * count if valid is None else valid.tolist()
