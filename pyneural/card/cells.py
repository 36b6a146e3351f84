"""cells.py -- columns of a Table from Python values, arrays and codes; what cannot be a column is refused."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from pyneural.arguments.arrays import Array
from pyneural.arguments.objects import brief, is_missing
from pyneural.card.classes import in_order
from pyneural.card.table import Column

_TIMES = ("date", "datetime", "datetime64", "time", "timedelta", "timedelta64", "Timestamp", "Timedelta", "Period")
_NESTED = (list, tuple, set, dict, np.ndarray)


def column(who: str, name: str, values: Iterable[Any]) -> Column:
    """A column of Python values: numbers (also decimals), booleans, text; None, NaN and NA are missing.

    Raises:
        TypeError: they are dates, nested, or objects of another kind.
        ValueError: numbers and text are mixed, or a number is infinite; the message says in which rows.
    """
    given = list(values)
    kinds = {kind: _kind(kind) for kind in set(map(type, given))}
    if "nested" in kinds.values():
        refuse(who, name, next(v for v in given if kinds[type(v)] == "nested"), "nested")
    gone = {kind for kind, what in kinds.items() if what == "missing"}
    absent = np.fromiter((type(v) in gone or v != v for v in given), bool, len(given))  # only NaN differs from itself
    present = [v for v, no in zip(given, absent.tolist(), strict=True) if not no]
    found = {kinds[type(v)] for v in present}
    for wrong in ("times", "other") if found else ():
        if wrong in found:
            refuse(who, name, next(v for v in present if kinds[type(v)] == wrong), wrong)
    if "text" in found and len(found) > 1:
        raise ValueError(f"{who} has {_mixed(given, absent, kinds)} in the column {name!r}: give one kind in a column")
    if found == {"text"}:
        return of_text(name, [None if no else decoded(v) for v, no in zip(given, absent.tolist(), strict=True)])
    numbers = np.full(len(given), np.nan)
    try:
        numbers[~absent] = [float(v) for v in present]
    except OverflowError:
        raise ValueError(
            f"{who} has whole numbers in the column {name!r} that float64 cannot hold: divide them by a constant"
        ) from None
    return of_numbers(who, name, numbers, boolean=found == {"boolean"})


def of_numbers(who: str, name: str, values: Array, *, boolean: bool = False) -> Column:
    """A column of numbers, NaN where they are missing.

    Raises:
        ValueError: some are infinite.
    """
    infinite = np.flatnonzero(np.isinf(values))
    if len(infinite):
        raise ValueError(
            f"{who} has {len(infinite):,} infinite values in the column {name!r}, the first in row {infinite[0]}: "
            "correct them, or make them missing (NaN)"
        )
    return Column(name, "boolean" if boolean else "number", np.asarray(values, np.float64))


def of_text(name: str, values: Sequence[str | None]) -> Column:
    """A column of categories."""
    names = in_order(value for value in set(values) if value is not None)
    codes: dict[str | None, int] = {value: code for code, value in enumerate(names)}
    codes[None] = -1
    return Column(name, "category", np.fromiter(map(codes.__getitem__, values), np.int64, len(values)), names)


def of_codes(name: str, codes: Array, names: Iterable[Any], *, ordered: bool = True) -> Column:
    """A column of categories given as codes, -1 if missing; equal names become one category.

    The order of the names is kept if it has a meaning, `ordered`; else they are sorted as in of_text.
    """
    words = [decoded(one) for one in names]
    distinct = tuple(dict.fromkeys(words)) if ordered else in_order(words)
    places = {word: place for place, word in enumerate(distinct)}
    table = np.array([*(places[word] for word in words), -1], np.int64)
    return Column(name, "category", table[np.asarray(codes, np.int64)], distinct)


def refuse(who: str, name: str, value: Any, wrong: str, kind: str = "") -> None:
    """Rejects a column whose values cannot be learned from: "times", "nested" or "other".

    Raises:
        TypeError: always.
    """
    if wrong == "times":
        raise TypeError(
            f"{who} has dates or times in the column {name!r}{f' ({kind})' if kind else ''}: make numbers of them, "
            "such as the year, the month or the days since a date, or drop the column"
        )
    if wrong == "nested":
        raise TypeError(
            f"{who} has {kind or 'a ' + type(value).__name__} in each row of the column {name!r}: give one value per "
            "row, in a column for each, or drop the column"
        )
    raise TypeError(
        f"{who} has {kind or brief(value)} in the column {name!r}: give numbers, booleans or text, or drop the column"
    )


def _kind(kind: type) -> str:
    """What values of a type are in a column."""
    if kind.__name__ in ("NoneType", "NAType", "NaTType"):
        return "missing"
    if issubclass(kind, str | bytes):
        return "text"
    if issubclass(kind, bool | np.bool_):
        return "boolean"
    if any(one.__name__ in _TIMES for one in kind.__mro__):
        return "times"
    if issubclass(kind, _NESTED):
        return "nested"
    numbers = int, float, np.integer, np.floating
    return "number" if issubclass(kind, numbers) or kind.__name__ in ("Decimal", "Fraction") else "other"


def _mixed(values: list[Any], absent: Array, kinds: dict[type, str]) -> str:
    """The first value of each kind, with its row."""
    first: dict[str, str] = {}
    for row, (value, no) in enumerate(zip(values, absent.tolist(), strict=True)):
        if not no:
            kind = kinds[type(value)]
            first.setdefault(kind, f"{kind}{'' if kind == 'text' else 's'} ({brief(value)} in row {row})")
    return " and ".join(first.values())


def decoded(value: Any) -> str:
    """The name of a category as text; of a whole number as of an int, so that 2 and 2.0 are one category."""
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, float | np.floating) and is_missing(value) is False and float(value).is_integer():
        return str(int(value))
    return str(value)
