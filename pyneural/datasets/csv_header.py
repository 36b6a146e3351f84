"""csv_header.py -- the names of a CSV file's columns, and which columns only number its rows."""

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from pyneural.arguments.spelling import closest
from pyneural.card.classes import listed
from pyneural.datasets.csv_cells import MISSING, number
from pyneural.datasets.csv_columns import Collected
from pyneural.datasets.csv_text import Row, Text, blocks, first_row

_ASKED = 50  # rows that are compared with the first one
_MOST_COMPARED = 1_000  # names with which a wrong one is compared
_NO_NAME = "Unnamed: "  # with the column's number, from 0, as pandas calls it
_IDENTIFIER = re.compile(r"(?i:id|index|rownames)|.*(?:[_ .-](?i:id|index)|[a-z](?:Id|ID))")


def column_names(text: Text, header: bool | None) -> list[str]:
    """The names of the columns: those in the first line, or column_1, column_2 and so on.

    Args:
        text: the file.
        header: whether the first line has names; None: it must look like it.

    Raises:
        ValueError: two columns have the same name, or the first line has values.
    """
    first = first_row(text)
    if header is False:
        return [f"column_{number}" for number in range(1, len(first) + 1)]
    names = [cell.strip() or f"{_NO_NAME}{at}" for at, cell in enumerate(first)]
    if header is None:
        _refuse_values(text, first)
    twice, count = Counter(names).most_common(1)[0]
    if count > 1:
        raise ValueError(f"{text.who} has two columns named {twice!r}: rename or remove one")
    return names


def check_name(who: str, what: str, name: object, names: Sequence[str]) -> str:
    """Checks that a column exists.

    Raises:
        TypeError: the name is not a string.
        ValueError: there is no such column; the message has the closest name, or all.
    """
    if not isinstance(name, str):
        raise TypeError(f"{who}: {what} is {name!r}: give the name of a column")
    if name not in names:
        near = closest(name, names[:_MOST_COMPARED])
        hint = f"did you mean {near!r}" if near else f"the columns are {listed(names)}"
        if not near and (len(names) == 1 or sum(map(is_unnamed, names)) > len(names) // 2):
            hint += "; if the first line is a title, remove the lines above the names"
        raise ValueError(f"{who} has no column {name!r} ({what}); {hint}")
    return name


def is_unnamed(name: str) -> bool:
    """Whether a column has no name."""
    return name.startswith(_NO_NAME)


def only_numbers_rows(one: Collected, is_first: bool) -> bool:
    """Whether a column tells rows apart, and nothing else.

    These are: a first column without a name whose values are all different, and one that is called id or index, or
    whose name ends in it (customer_id, PassengerId), with whole numbers or texts that are all different.
    """
    if not (is_first if is_unnamed(one.name) else _IDENTIFIER.fullmatch(one.name)):
        return False
    if one.crowded or one.words or one.missing or one.distinct < one.rows:
        return False
    values = one.values
    return bool(np.all(values == np.floor(values)))


def _refuse_values(text: Text, first: Row) -> None:
    """Refuses a first line of values: it has a number in every column that has numbers below it."""
    rows = next(blocks(text, len(first), 1), [])[:_ASKED]
    numeric = [one for one, *below in zip(first, *rows, strict=True) if below and all(map(_is_number, below))]
    if numeric and all(map(_is_number, numeric)):
        raise ValueError(
            f"{text.who}: the first line has values, such as {numeric[0].strip()}, where names of columns belong: add "
            "a line of names, or give header=False (pyneural train: --no-header), which calls the columns column_1, "
            "column_2 and so on; header=True (--header) takes the values as names"
        )


def _is_number(cell: str) -> bool:
    return cell.strip().lower() not in MISSING and any(number(cell, mark) is not None for mark in ".,")
