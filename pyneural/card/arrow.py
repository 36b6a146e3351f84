"""arrow.py -- columns of a Table from the Arrow PyCapsule interface, which polars, pyarrow, DuckDB and others have.

An object gives a stream of batches, each a struct with one child per column, as C structs whose layout is fixed:
https://arrow.apache.org/docs/format/CDataInterface.html and .../Columnar.html.
"""

import ctypes
from collections.abc import Iterator
from ctypes import POINTER, addressof, c_char_p, c_int, c_int64, c_void_p
from typing import Any

import numpy as np

from pyneural.card.buffers import bits, decimals, masked, numbers, texts, views
from pyneural.card.cells import decoded, of_numbers, of_text, refuse
from pyneural.card.table import Column

_NUMBERS = dict(zip("cCsSiIlLefg", ("i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8"), strict=True))
_TEXT = {"u": "i4", "U": "i8"}  # the offsets of text


_Function = ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p)
_Release = ctypes.CFUNCTYPE(None, c_void_p)


class _Schema(ctypes.Structure):
    """ArrowSchema: the name and the type of a column; children and dictionary are addresses of others."""

    _fields_ = (
        ("format", c_char_p),
        ("name", c_char_p),
        ("metadata", c_void_p),
        ("flags", c_int64),
        ("n_children", c_int64),
        ("children", POINTER(c_void_p)),
        ("dictionary", c_void_p),
        ("release", _Release),
        ("private_data", c_void_p),
    )


class _Array(ctypes.Structure):
    """ArrowArray: the buffers of a column; buffers, children and dictionary are addresses."""

    _fields_ = (
        ("length", c_int64),
        ("null_count", c_int64),
        ("offset", c_int64),
        ("n_buffers", c_int64),
        ("n_children", c_int64),
        ("buffers", POINTER(c_void_p)),
        ("children", POINTER(c_void_p)),
        ("dictionary", c_void_p),
        ("release", _Release),
        ("private_data", c_void_p),
    )


class _Stream(ctypes.Structure):
    """ArrowArrayStream: a stream of batches."""

    _fields_ = (
        ("get_schema", _Function),
        ("get_next", _Function),
        ("get_last_error", ctypes.CFUNCTYPE(c_char_p, c_void_p)),
        ("release", _Release),
        ("private_data", c_void_p),
    )


def columns_of_stream(x: Any, who: str) -> Iterator[Column]:
    """The columns of an object with __arrow_c_stream__.

    Raises:
        TypeError, ValueError: a column cannot be learned from; the message names it.
    """
    capsule = x.__arrow_c_stream__()  # owns the stream
    stream = _Stream.from_address(_address(capsule))
    schema = _Schema()
    _done(who, stream, stream.get_schema(addressof(stream), addressof(schema)))
    try:
        fields = [_Schema.from_address(schema.children[i]) for i in range(schema.n_children)]
        for field in fields:
            _check(who, field)
        parts: list[list[Any]] = [[] for _ in fields]
        for batch in _batches(who, stream):
            for i, field in enumerate(fields):
                parts[i].append(_read(field, _Array.from_address(batch.children[i]), batch.offset, batch.length))
        yield from (_joined(who, field, part) for field, part in zip(fields, parts, strict=True))
    finally:
        schema.release(addressof(schema))


def _address(capsule: Any) -> int:
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = c_void_p, [ctypes.py_object, c_char_p]
    found: int = pointer(capsule, b"arrow_array_stream")
    return found


def _done(who: str, stream: _Stream, code: int) -> None:
    if code:
        raise ValueError(
            f"{who} cannot be read: {(stream.get_last_error(addressof(stream)) or b'no reason given').decode()}"
        )


def _batches(who: str, stream: _Stream) -> Iterator[_Array]:
    while True:
        batch = _Array()
        _done(who, stream, stream.get_next(addressof(stream), addressof(batch)))
        if not batch.release:
            return
        try:
            yield batch
        finally:
            batch.release(addressof(batch))


def _check(who: str, field: _Schema) -> None:
    """Refuses columns of dates, lists and the like."""
    kind = (_Schema.from_address(field.dictionary) if field.dictionary else field).format.decode()
    known = kind in _NUMBERS or kind in _TEXT or kind in ("n", "b", "vu") or kind.startswith("d:")
    if not known:
        wrong = "times" if kind.startswith("t") else "nested" if kind.startswith("+") and kind != "+r" else "other"
        refuse(
            who, field.name.decode(), None, wrong, "lists or structs" if wrong == "nested" else f"the Arrow type {kind}"
        )


def _read(field: _Schema, array: _Array, start: int, count: int) -> Any:
    """The values start to start + count: floats, NaN if missing; or a list, None if missing."""
    kind, at = field.format.decode(), array.offset + start
    buffers = [array.buffers[i] or 0 for i in range(array.n_buffers)]
    valid = bits(buffers[0], at, count) if kind != "n" and buffers[0] else None
    if field.dictionary:
        names = _names(_Schema.from_address(field.dictionary), _Array.from_address(array.dictionary))
        codes = numbers(buffers[1], _NUMBERS[kind], at, count)
        present = np.ones(count, bool) if valid is None else valid
        return [names[code] if ok else None for code, ok in zip(codes.tolist(), present.tolist(), strict=True)]
    if kind == "n":
        return np.full(count, np.nan)
    if kind == "b":
        return masked(bits(buffers[1], at, count), valid)
    if kind in _NUMBERS:
        return masked(numbers(buffers[1], _NUMBERS[kind], at, count), valid)
    if kind.startswith("d:"):
        _, scale, *width = kind[2:].split(",")
        return masked(decimals(buffers[1], int(width[0]) if width else 128, int(scale), at, count), valid)
    if kind == "vu":
        return views(buffers[1], buffers[2:-1], at, count, valid)
    return texts(numbers(buffers[1], _TEXT[kind], at, count + 1), buffers[2], valid)


def _names(field: _Schema, array: _Array) -> list[str | None]:
    """The names of categories, None if missing."""
    words = _read(field, array, 0, array.length)
    kind = bool if field.format == b"b" else lambda word: word
    return [None if word is None or word != word else decoded(kind(word)) for word in words]


def _joined(who: str, field: _Schema, parts: list[Any]) -> Column:
    name = field.name.decode()
    if parts and isinstance(parts[0], list):
        return of_text(name, [value for part in parts for value in part])
    boolean = field.format == b"b"
    return of_numbers(who, name, np.concatenate([np.empty(0), *parts]), boolean=boolean)
