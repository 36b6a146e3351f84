"""columns.py -- Columns: how the columns of a table become numbers, learned from training rows and saved with a model.

Numbers stay as they are; a missing one becomes the median of the training rows.  Booleans are 0 and 1; a missing one
becomes the more frequent value.  Both get one more column, 1 where the value is missing, if training rows lack some.
Categories of up to 12 values become one column for each, 1 in that of the value; those of more become one column of
whole numbers, for a pn.EmbedColumns: 0 for unknown ones, then 1 and so on.  A missing category is one more category.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from pyneural.arguments.arrays import Array
from pyneural.arguments.checks import warn
from pyneural.arguments.spelling import closest
from pyneural.card.classes import Names, listed
from pyneural.card.rules import KINDS, Odd, Rule, as_kind, encode, in_words, learned
from pyneural.card.table import Column, Table


@dataclass(frozen=True)
class Columns:
    """How the columns of a table become numbers.

    Args:
        rules: one per column, in the order of the training data.

    >>> from pyneural.card.table import Column
    >>> town = Column("town", "category", np.array([0, 1, -1]), ("Bonn", "Ulm"))
    >>> columns = Columns.learn(Table([Column("age", "number", np.array([30.0, np.nan, 50.0])), town]), None, "fit")
    >>> columns.features
    ('age', 'age is missing', 'town=Bonn', 'town=Ulm', 'town is missing')
    >>> columns.encode(Table([Column("age", "number", np.array([np.nan])), town.take([0])]), "predict")
    array([[40.,  1.,  1.,  0.,  0.]])
    """

    rules: tuple[Rule, ...]

    @classmethod
    def learn(cls, table: Table, rows: Array | None, who: str) -> Self:
        """The rules for a table, from the training rows alone.

        Args:
            table: the table.
            rows: the numbers of the training rows; None for all.
            who: the prefix of messages.

        Raises:
            ValueError: a column has no values, or nearly as many different ones as rows; the message names it.
        """
        return cls(tuple(learned(one if rows is None else one.take(rows), who) for one in table.columns))

    @classmethod
    def of_numbers(cls, names: Names, x: Array | None = None, rows: Array | None = None) -> Self:
        """The rules for columns of numbers without missing values; with x, medians of its rows are kept."""
        if x is None:
            return cls(tuple(Rule(name, "number") for name in names))
        medians = [float(np.median(x[:, i] if rows is None else x[rows, i])) for i in range(len(names))]
        return cls(tuple(Rule(name, "number", fill=fill) for name, fill in zip(names, medians, strict=True)))

    # ---- what they are

    @property
    def names(self) -> Names:
        """The names of the table's columns, in order."""
        return tuple(rule.name for rule in self.rules)

    @property
    def features(self) -> Names:
        """The names of the columns of numbers that they become."""
        return tuple(name for rule in self.rules for name in rule.features)

    @property
    def is_plain(self) -> bool:
        """Whether every column becomes itself, so that an array may stand for a table."""
        return all(rule.kind != "category" and not rule.missing for rule in self.rules)

    @property
    def embedded(self) -> dict[int, int]:
        """The features that are numbers of categories, and how many numbers each has."""
        places, at = {}, 0
        for rule in self.rules:
            if rule.is_embedded:
                places[at] = 1 + len(rule.names) + rule.missing
            at += len(rule.features)
        return places

    @property
    def unscaled(self) -> tuple[int, ...]:
        """The features that preprocessing leaves as they are: all but numbers, if there are other kinds."""
        if self.is_plain:
            return ()
        kept: list[int] = []
        at = 0
        for rule in self.rules:
            width = len(rule.features)
            kept += range(at + (rule.kind == "number"), at + width)
            at += width
        return tuple(kept)

    def __str__(self) -> str:
        """In a few words: `12 columns -> 31 numbers (3 categories, 1 of them embedded, 2 with missing values)`."""
        categories = sum(rule.kind == "category" for rule in self.rules)
        missing = sum(rule.missing for rule in self.rules)
        embedded = len(self.embedded)
        parts = [f"{categories} categor{'ies' if categories > 1 else 'y'}"] if categories else []
        parts += [f"{embedded} of them embedded"] if embedded else []
        parts += [f"{missing} with missing values"] if missing else []
        before, after = len(self.rules), len(self.features)
        many = f"{before} column{'s' * (before > 1)} -> {after} number{'s' * (after > 1)}"
        return f"{many} ({', '.join(parts)})" if parts else many

    # ---- tables to numbers

    def encode(self, table: Table, who: str) -> Array:
        """The numbers of a table, (n, len(features)), float64; warns once of values that training did not have.

        Raises:
            ValueError, TypeError: columns are missing, unknown, or of another kind; the message names them.
        """
        x, odd = self.encoded(table, who)
        if odd:
            warn(f"{who}: {odd}")
        return x

    def encoded(self, table: Table, who: str) -> tuple[Array, str]:
        """The numbers, and in words which values training did not have; "" if there are none."""
        check_names(table.names, self.names, who)
        x = np.zeros((len(table), len(self.features)))
        odd: list[Odd] = []
        at = 0
        for rule in self.rules:
            width = len(rule.features)
            found = encode(rule, as_kind(rule, table.column(rule.name), who), x[:, at : at + width], who)
            odd += [found] if found else []
            at += width
        return x, in_words(odd)

    # ---- in files

    def as_json(self) -> list[dict[str, Any]]:
        """All rules as JSON values."""
        return [rule._asdict() | {"names": list(rule.names)} for rule in self.rules]

    @classmethod
    def from_json(cls, record: Any) -> Self:
        """The inverse of as_json.

        Raises:
            ValueError, KeyError, TypeError: the record is invalid.
        """
        rules = []
        for one in record:
            fill = None if one["fill"] is None else float(one["fill"])
            rule = Rule(str(one["name"]), one["kind"], tuple(map(str, one["names"])), fill, bool(one["missing"]))
            if rule.kind not in KINDS or (rule.kind == "category") != bool(rule.names):
                raise ValueError(f"the column {one} is invalid")
            if len(set(rule.names)) < len(rule.names) or (fill is not None and not np.isfinite(fill)):
                raise ValueError(f"the column {one} is invalid")
            rules.append(rule)
        columns = cls(tuple(rules))
        if len(set(columns.names)) < len(rules):
            raise ValueError("two columns have the same name")
        return columns


def as_array(known: Columns | None, x: Array | Table, given: Names, who: str) -> Array:
    """Inputs as the numbers that a model takes; those with known columns as float64, however they were given.

    So a row has the same bits in a frame of float32, in a dict and in a CSV file.

    Args:
        known: the columns of the model; None if it was trained on arrays.
        x: an array, or a table.
        given: the names of the columns of an array, if it was a table.
        who: the prefix of messages.

    Raises:
        ValueError, TypeError: they do not fit the model; the message says why.
    """
    if known is not None:
        return _by_columns(known, x, given, who).astype(np.float64, copy=False)
    if isinstance(x, Table):
        numbers = x.numbers
        if numbers is None:
            raise TypeError(
                f"{who}: x has categories or missing values, and the model was trained on arrays without column names: "
                "give the same numbers as in training"
            )
        return numbers
    return x


def _by_columns(known: Columns, x: Array | Table, given: Names, who: str) -> Array:
    """Inputs as numbers, for a model that was trained on a table."""
    if isinstance(x, Table):
        return known.encode(x, who)
    if not known.names or (known.is_plain and (not given or given == known.names)):
        return x
    if not given:
        raise TypeError(
            f"{who}: x is an array {x.shape}, and the model was trained on a table: give a data frame, or a dict "
            f"for one row, with the columns {listed(known.names)}"
        )
    if known.is_plain:
        return in_order_of(x, given, known.names, who)
    return known.encode(Table(Column(name, "number", x[:, i].astype(float)) for i, name in enumerate(given)), who)


def in_order_of(x: Array, given: Names, wanted: Names, who: str) -> Array:
    """The columns of x, which are named `given`, in the order `wanted`; x unchanged if either has no names.

    Raises:
        ValueError: columns are missing, or unknown; the message names them.
    """
    if not given or not wanted or given == wanted:
        return x
    check_names(given, wanted, who)
    return x[..., [given.index(name) for name in wanted]]


def check_names(given: Names, wanted: Names, who: str) -> None:
    """Rejects a table that lacks columns, or has others, which may be the missing ones under other names.

    Raises:
        ValueError: it does; the message names them, and similar names.
    """
    if given == wanted:
        return
    known, there = set(wanted), set(given)
    missing = [name for name in wanted if name not in there]
    extra = [name for name in given if name not in known]
    if missing or extra:
        wrong = [f"no {_columns(missing)}"] if missing else []
        wrong += [f"the {_columns(extra)}, which the training data did not have"] if extra else []
        near = {name: closest(name, extra) for name in missing}
        alike = [f"'{other}' for '{name}'" for name, other in near.items() if other]
        hint = f" (perhaps {listed(alike)})" if alike else ""
        raise ValueError(f"{who}: x has {', and '.join(wrong)}{hint}: give the columns {listed(wanted)}")


def _columns(names: list[str]) -> str:
    return f"column{'s' * (len(names) > 1)} {listed(names)}"
