"""csv_cells.py -- what the text of a cell means: a number, a missing value, a date, or other text."""

import re
from collections.abc import Iterable, Sequence

import numpy as np

from pyneural.arguments.arrays import Array

MISSING = frozenset(("", "na", "n/a", "nan", "null", "none", "?", "-", "<na>", "#n/a"))
"""How a missing value is written, in small letters; case does not matter."""
_OTHER = {".": ",", ",": "."}  # the mark of thousands, where this one is that of decimals
_GROUPS = "[+-]?[1-9][0-9]{{0,2}}([{other}' \u2019\u00a0\u202f])[0-9]{{3}}(?:\\1[0-9]{{3}})*(?:[{mark}][0-9]*)?"
_GROUPED = {mark: re.compile(_GROUPS.format(mark=mark, other=other)) for mark, other in _OTHER.items()}
_DATE = re.compile(r"([0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}|[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{2,4})([T ,].*)?")
_ENOUGH = 100  # cells that decide about a mark


def number(text: str, mark: str) -> float | None:
    """The number in a cell, NaN for a missing value, None for other text.

    Args:
        text: the cell.
        mark: the decimal mark, "." or ",".  The other one, an apostrophe or a space may group digits by thousands.

    >>> [number(text, ".") for text in ("1.5", "1,234.5", "1e3", " NA ", "1,5", "x")]
    [1.5, 1234.5, 1000.0, nan, None, None]
    >>> [number(text, ",") for text in ("1,5", "1.234,5", "1.5")]
    [1.5, 1234.5, None]
    """
    text = text.strip()
    if text.lower() in MISSING:
        return np.nan
    grouped = _GROUPED[mark].fullmatch(text)
    if grouped:
        text = text.replace(grouped[1], "")
    if _OTHER[mark] in text or "_" in text:
        return None
    try:
        return float(text.replace(mark, "."))
    except ValueError:
        return None


def numbers(cells: Sequence[str], mark: str) -> Array:
    """The numbers in many cells, at once.

    Raises:
        ValueError: a cell is not a plain number, though `number` may read it.
    """
    text = "".join(cells)
    if "_" in text or _OTHER[mark] in text:
        raise ValueError
    plain: Iterable[str] = cells if mark == "." else (cell.replace(",", ".") for cell in cells)
    return np.fromiter(map(float, plain), np.float64, len(cells))


def is_date(text: str) -> bool:
    """Whether a text is a date, such as 2024-01-31, 31.1.2024 or 1/31/24, perhaps with a time."""
    return _DATE.fullmatch(text) is not None


def decimal_marks(columns: Sequence[Sequence[str]], delimiter: str) -> list[str]:
    """The decimal mark of each column, from some of its cells.

    A column without decimals has the mark of the others; if none has decimals, a comma where semicolons separate cells.

    >>> decimal_marks([["1,5", "2"], ["1.234", "7"], ["a", "b"]], ";")
    [',', ',', ',']
    """
    found = [_evidence(cells) for cells in columns]
    commas, points = sum(mark == "," for mark in found), sum(mark == "." for mark in found)
    usual = "," if not points and (commas or delimiter == ";") else "."
    return [mark or usual for mark in found]


def _evidence(cells: Sequence[str]) -> str:
    """The mark with which cells can be read as numbers; "" if both will do, or neither."""
    if not {",", "."} & set("".join(cells)):
        return ""
    only, text = {".": 0, ",": 0}, 0
    for cell in dict.fromkeys(cells):
        readable = [mark for mark in only if number(cell, mark) is not None]
        text += not readable
        if len(readable) == 1:
            only[readable[0]] += 1
            if only[readable[0]] == _ENOUGH:
                break
    if only["."] == only[","] or max(only.values()) < text:
        return ""
    return max(only, key=lambda mark: only[mark])
