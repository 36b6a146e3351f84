"""table.py -- Table: named columns of numbers, booleans and categories, as data frames and CSV files have them."""

import hashlib
from typing import Any, NamedTuple, NoReturn

import numpy as np

from pyneural.arguments.arrays import Array

_MISSING = -1  # the code of a category that is missing


class Column(NamedTuple):
    """One column of a Table.

    Args:
        name: its name.
        kind: "number", "boolean" or "category".
        values: (n,): of numbers float64, NaN if missing; of booleans float64, 0, 1 or NaN; of categories int64 codes,
            -1 if missing.
        names: the values that the codes of categories mean; () for the other kinds.
    """

    name: str
    kind: str
    values: Array
    names: tuple[str, ...] = ()

    @property
    def missing(self) -> Array:
        """Which values are missing: a mask (n,)."""
        found: Array = self.values == _MISSING if self.kind == "category" else np.isnan(self.values)
        return found

    def take(self, rows: Any) -> "Column":
        """The column with some of its values."""
        return self._replace(values=self.values[rows])

    def value(self, row: int) -> Any:
        """The value in a row, as Python has it: a number, True or False, text, or None if it is missing."""
        one = self.values[row].item()
        if self.kind == "category":
            return None if one == _MISSING else self.names[one]
        return None if one != one else bool(one) if self.kind == "boolean" else one


class Table:
    """Columns of equal length, with different names.

    `table[rows]` is a Table of some rows (row numbers, a mask, a slice), and `table[0]` is one row, a dict by name.

    Args:
        columns: the columns.
        who: the prefix of messages.

    Raises:
        ValueError: there are none, their lengths differ, or two have the same name.

    >>> table = Table([Column("age", "number", np.array([31.0, np.nan])), Column("sex", "category", np.array([1, 0]),
    ...     ("f", "m"))])
    >>> table.shape, table[0], table[1]
    ((2, 2), {'age': 31.0, 'sex': 'm'}, {'age': None, 'sex': 'f'})
    """

    ndim = 2
    dtype = np.dtype(np.float64)  # of the numbers that its columns become

    def __init__(self, columns: Any, who: str = "table") -> None:
        self.columns: tuple[Column, ...] = tuple(columns)
        self.names = tuple(column.name for column in self.columns)
        if not self.columns:
            raise ValueError(f"{who} has no columns: give at least one")
        if len(set(self.names)) < len(self.names):
            twice = next(name for name in self.names if self.names.count(name) > 1)
            raise ValueError(f"{who} has two columns named {twice!r}: rename or remove one")
        first = self.columns[0]
        for column in self.columns:
            if len(column.values) != len(first.values):
                raise ValueError(
                    f"{who}: the column {first.name!r} has {len(first.values):,} values, {column.name!r} has "
                    f"{len(column.values):,}: give columns of one length"
                )

    @property
    def shape(self) -> tuple[int, int]:
        """The number of rows, and of columns."""
        return len(self), len(self.columns)

    def __len__(self) -> int:
        return len(self.columns[0].values)

    def __repr__(self) -> str:
        return f"<Table: {len(self):,} rows, {', '.join(f'{c.name} ({c.kind})' for c in self.columns)}>"

    def __array__(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError(
            "a table is not an array, since it may have categories: give it to pn.fit, pn.evaluate or pn.predict as it "
            "is, or take the numbers of a column, table.column(name).values"
        )

    @property
    def numbers(self) -> Array | None:
        """All values as floats (n, columns); None if there are categories, or values are missing."""
        if any(one.kind == "category" or one.missing.any() for one in self.columns):
            return None
        return np.column_stack([one.values for one in self.columns])

    def column(self, name: str) -> Column:
        """The column with that name.

        Raises:
            KeyError: there is none.
        """
        if name not in self.names:
            raise KeyError(f"there is no column {name!r}: the columns are {', '.join(self.names)}")
        return self.columns[self.names.index(name)]

    def take(self, rows: Any) -> "Table":
        """A Table of some rows: row numbers, a mask (n,), or a slice, which shares the memory of the columns."""
        return Table(column.take(rows) for column in self.columns)

    def bits(self) -> Array:
        """The values as int64 (n, columns), in the order of the names: equal for equal rows, also of other tables."""
        return np.column_stack([_bits(column) for column in sorted(self.columns, key=lambda one: one.name)])

    def __getitem__(self, rows: Any) -> Any:
        if isinstance(rows, int | np.integer):
            return {column.name: column.value(int(rows)) for column in self.columns}
        return self.take(rows)


def _bits(column: Column) -> Array:
    """(n,) int64, equal for equal values: the bits of numbers, hashes of names."""
    if column.kind == "category":
        table = np.array([*map(_hashed, column.names), 0], np.int64)  # code -1 is the last
        return np.asarray(table[column.values])
    found = column.values.copy()
    found[column.missing] = np.nan  # of one pattern of bits
    return found.view(np.int64)


def _hashed(name: str) -> int:
    found = hashlib.blake2b(name.encode(errors="surrogatepass"), digest_size=8)
    return int.from_bytes(found.digest(), "little", signed=True)
