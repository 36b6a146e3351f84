"""interchange.py -- columns of a Table from the dataframe interchange protocol, x.__dataframe__().

https://data-apis.org/dataframe-protocol/latest/API.html: a column comes in chunks, each with buffers of data, validity
and offsets.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from pyneural.arguments.arrays import Array
from pyneural.card.buffers import bits, masked, numbers, texts
from pyneural.card.cells import of_codes, of_numbers, of_text, refuse
from pyneural.card.table import Column

_INT, _UINT, _FLOAT, _BOOL, _STRING, _TIME, _CATEGORY = 0, 1, 2, 20, 21, 22, 23
_LETTERS = {_INT: "i", _UINT: "u", _FLOAT: "f"}
_SENTINEL, _BITS, _BYTES = 2, 3, 4  # how missing values are marked


def columns_of_interchange(x: Any, who: str) -> Iterator[Column]:
    """The columns of an object with __dataframe__.

    Raises:
        TypeError, ValueError: a column cannot be learned from; the message names it.
    """
    frame = x.__dataframe__()
    for name in frame.column_names():
        yield _column(who, str(name), frame.get_column_by_name(name))


def _column(who: str, name: str, given: Any) -> Column:
    kind = int(given.dtype[0])
    if kind == _TIME:
        refuse(who, name, None, "times", str(given.dtype[2]))
    if kind not in (*_LETTERS, _BOOL, _STRING, _CATEGORY):
        refuse(who, name, None, "other", f"the type {given.dtype[2]}")
    chunks = [_chunk(part, kind) for part in given.get_chunks()]
    if kind == _STRING:
        return of_text(name, [value for chunk in chunks for value in chunk])
    values = np.concatenate([np.empty(0), *chunks])
    if kind != _CATEGORY:
        return of_numbers(who, name, values, boolean=kind == _BOOL)
    categories = given.describe_categorical["categories"]
    known = _column(who, name, categories)
    words = [known.value(row) for row in range(len(known.values))]
    return of_codes(name, np.where(np.isnan(values), -1, values), words)


def _chunk(part: Any, kind: int) -> Any:
    """The values of a chunk: floats, NaN if missing; or a list of text, None if missing."""
    buffers = part.get_buffers()
    start, count = int(part.offset), int(part.size())
    if kind == _STRING:
        valid = _valid(part, buffers, None)
        edges = _numbers(buffers["offsets"], start, count + 1)
        return texts(edges, buffers["data"][0].ptr, valid)
    values = _numbers(buffers["data"], start, count)
    return masked(values, _valid(part, buffers, values))


def _numbers(buffer: Any, start: int, count: int) -> Array:
    memory, (kind, width, *_) = buffer
    if width == 1:
        return bits(memory.ptr, start, count)
    letter = _LETTERS.get(int(kind), "u" if kind == _BOOL else "i")
    return numbers(memory.ptr, f"{letter}{width // 8}", start, count)


def _valid(part: Any, buffers: Any, values: Array | None) -> Array | None:
    """Which values are not missing; None if all are there, or NaN marks the others."""
    how, mark = part.describe_null
    if how == _SENTINEL and values is not None:
        return np.asarray(values != mark)
    if how in (_BITS, _BYTES) and buffers["validity"] is not None:
        marks = _numbers(buffers["validity"], int(part.offset), int(part.size())).astype(bool)
        return marks if mark == 0 else ~marks
    return None
