"""rules.py -- Rule: how one column of a table becomes numbers, learned from training rows."""

import re
from typing import NamedTuple

import numpy as np

from pyneural.arguments.arrays import Array
from pyneural.arguments.objects import brief
from pyneural.card.booleans import meaning
from pyneural.card.classes import Names
from pyneural.card.table import Column
from pyneural.printing import shortened

ONE_HOT = 12  # the most values of a category that get a column each
KINDS = ("number", "boolean", "category")
MOST_NAMES = 10_000  # values of a category: the embedding of more has millions of weights
_FIRST = 3  # values that a warning names
_LONGEST = 40  # characters of a value in a message
_WHOLE = re.compile(r"(?<=[0-9])\.0+\Z")  # the end of 2.0, which is the category 2
_MIDDLE = {"number": "median", "boolean": "more frequent value"}


class Rule(NamedTuple):
    """How one column becomes numbers.

    Args:
        name, kind: as in a Column.
        names: the values of a category, in order.
        fill: what a missing number or boolean becomes; None if that is not known, so that a missing one is an error.
        missing: whether training rows lacked values.
    """

    name: str
    kind: str
    names: Names = ()
    fill: float | None = None
    missing: bool = False

    @property
    def is_embedded(self) -> bool:
        """Whether it becomes the numbers of its categories, for an embedding."""
        return self.kind == "category" and len(self.names) > ONE_HOT

    @property
    def features(self) -> Names:
        """The names of the columns it becomes."""
        also = (f"{self.name} is missing",) if self.missing else ()
        if self.is_embedded:
            return (self.name,)
        if self.kind == "category":
            return (*(f"{self.name}={name}" for name in self.names), *also)
        return (self.name, *also)


class Odd(NamedTuple):
    """What is unlike the training rows in a column: how many values, and the first of them."""

    name: str
    many: int
    first: Names
    fill: str


# ---- learning


def learned(column: Column, who: str) -> Rule:
    """The rule for a column, from its values in the training rows.

    Raises:
        ValueError: it has no values, or nearly as many different ones as rows.
    """
    absent = column.missing
    count = len(absent) - int(absent.sum())
    if not count:
        raise ValueError(f"{who}: the column {column.name!r} has no values in the training rows: drop it")
    if column.kind != "category":
        present = column.values[~absent]
        fill = float(np.median(present)) if column.kind == "number" else float(present.mean() > 0.5)
        return Rule(column.name, column.kind, (), fill, count < len(absent))
    used = np.unique(column.values[~absent])
    _check_distinct(column, used, count, who)
    return Rule(column.name, "category", tuple(column.names[code] for code in used), None, count < len(absent))


def _check_distinct(column: Column, used: Array, count: int, who: str) -> None:
    """Rejects categories from which nothing is learned: a value that occurs once says nothing of other rows."""
    distinct = len(used)
    such = f"such as {', '.join(repr(shortened(column.names[code], _LONGEST)) for code in used[:_FIRST])}"
    if distinct > max(ONE_HOT, count // 2):
        raise ValueError(
            f"{who}: the column {column.name!r} has {distinct:,} different texts in {count:,} rows, {such}: it "
            "probably identifies the rows, and nothing can be learned from it: drop it"
        )
    if distinct > MOST_NAMES:
        raise ValueError(
            f"{who}: the column {column.name!r} has {distinct:,} different texts, {such}, and a category may have "
            f"{MOST_NAMES:,}: replace rare ones by one name, or drop it"
        )


# ---- encoding


def as_kind(rule: Rule, column: Column, who: str) -> Column:
    """The column as the kind that the model was trained on; numbers and words may be booleans, numbers categories.

    Raises:
        TypeError: it is of another kind.
    """
    absent = column.missing
    if column.kind == rule.kind or absent.all():
        empty = np.full(len(absent), -1) if rule.kind == "category" else np.full(len(absent), np.nan)
        return column if column.kind == rule.kind else Column(rule.name, rule.kind, empty)
    if rule.kind == "category":
        numbers, codes = np.unique(column.values[~absent], return_inverse=True)
        names = [str(n == 1) if column.kind == "boolean" else f"{n:.0f}" if n == int(n) else str(n) for n in numbers]
        values = np.full(len(absent), -1)
        values[~absent] = codes
        return Column(rule.name, "category", values, tuple(names))
    if column.kind != "category" and rule.kind == "number":
        return column
    values = column.values
    if column.kind == "category":  # the last is code -1
        values = np.array([meaning(name) if rule.kind == "boolean" else np.nan for name in (*column.names, "")])[values]
    wrong = ~absent & ~np.isin(values, (0, 1))
    if not wrong.any():
        return Column(rule.name, rule.kind, values)
    row = int(wrong.argmax())
    fix = "numbers" if rule.kind == "number" else "True or False, 'yes' or 'no', 1 or 0"
    raise TypeError(
        f"{who}: x has {brief(column.value(row))} in the column {rule.name!r}, row {row}, which held {rule.kind}s in "
        f"the training data: give {fix}"
    )


def encode(rule: Rule, column: Column, x: Array, who: str) -> Odd | None:
    """Writes the numbers of a column to x (n, features), and returns what is unlike the training rows."""
    absent = column.missing
    if rule.kind != "category":
        x[:, 0] = column.values
        if not absent.any():
            return None
        if rule.fill is None:
            raise ValueError(
                f"{who}: x has {int(absent.sum()):,} missing values in the column {rule.name!r}, the first in row "
                f"{int(absent.argmax())}: fill them, or remove those rows"
            )
        x[absent, 0] = rule.fill
        if rule.missing:
            x[:, 1] = absent
            return None
        value = f"{rule.fill:g}" if rule.kind == "number" else str(rule.fill == 1)
        return Odd(rule.name, int(absent.sum()), (), f"the {_MIDDLE[rule.kind]}, {value}")
    return _encode_category(rule, column, absent, x)


def _encode_category(rule: Rule, column: Column, absent: Array, x: Array) -> Odd | None:
    places = {name: place for place, name in enumerate(rule.names, start=1)}
    known = [places[name] if name in places else places.get(_WHOLE.sub("", name), 0) for name in column.names]
    table = np.array([*known, 0], np.int64)  # code -1 is the last
    numbers = table[column.values]
    if rule.missing:
        numbers[absent] = 1 + len(rule.names)
    if rule.is_embedded:
        x[:, 0] = numbers
    else:
        rows = np.flatnonzero(numbers)
        x[rows, numbers[rows] - 1] = 1
    unknown = numbers == 0
    if not unknown.any():
        return None
    codes = list(dict.fromkeys(column.values[unknown & ~absent].tolist()))
    first = tuple(repr(shortened(column.names[code], _LONGEST)) for code in codes[:_FIRST])
    return Odd(rule.name, int(unknown.sum()), (*first, *(["..."] if len(codes) > _FIRST else [])), "")


def in_words(odd: list[Odd]) -> str:
    """What is unlike the training rows, in one sentence; "" if nothing is."""
    parts = []
    for one in odd:
        values = f"{one.many:,} value{'s' * (one.many > 1)} of the column {one.name!r}"
        if one.fill:
            parts.append(f"{values} missing, as in no training row, taken as {one.fill}")
        else:
            first = f" ({', '.join(one.first)})" if one.first else " (missing)"
            parts.append(f"{values} not in the training data{first}, taken as unknown")
    return "; ".join(parts)
