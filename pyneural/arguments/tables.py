"""tables.py -- tables with named columns, as pandas and polars have them: their names, and their numbers.

Neither library is needed: a table is what has `columns`, columns by name, and `to_numpy`.
"""

from typing import Any

import numpy as np

from pyneural.arguments.objects import are_numbers, missing_rows

Names = tuple[str, ...]


def is_table(values: Any) -> bool:
    """Whether values are a table with named columns."""
    return hasattr(values, "columns") and hasattr(values, "to_numpy")


def column_names(values: Any) -> Names:
    """The names of a table's columns, or of the numbers of one of its rows; () for what has none."""
    if is_table(values):
        return tuple(map(str, values.columns))
    if hasattr(values, "to_frame") and hasattr(values, "index") and all(isinstance(key, str) for key in values.index):
        return tuple(values.index)
    return ()


def table_numbers(what: str, table: Any) -> Any:
    """The numbers of a table (n, columns), of the dtype that holds them all.

    Raises:
        TypeError: a column holds no numbers; says which, and what instead.
        ValueError: values are missing, or two columns have one name.
    """
    names = list(table.columns)
    twice = next((name for name in names if names.count(name) > 1), None) if len(set(names)) < len(names) else None
    if twice is not None:
        raise ValueError(f"{what} has two columns named {twice!r}: rename or remove one")
    if not names:
        raise ValueError(f"{what} is a table without columns: give at least one")
    return np.column_stack([_column(what, name, np.asarray(table[name])) for name in names])


def _column(what: str, name: Any, values: Any) -> Any:
    """A column as numbers."""
    where = f"in the column {name!r}"
    missing = missing_rows(values) if values.dtype.kind in "fcOmM" else []
    if missing:
        raise ValueError(
            f"{what} has {len(missing):,} missing values {where}, the first in row {missing[0]}: fill them, as with "
            "x.fillna(0), or remove those rows"
        )
    if values.dtype.kind == "O" and are_numbers(values):
        values = np.array(values.tolist())
    if values.dtype.kind in "mM":
        raise TypeError(
            f"{what} holds dates or times {where} ({values.dtype}): give numbers, as x[{name!r}].astype('int64')"
        )
    if values.dtype.kind not in "biuf":
        words = next((value for value in values if isinstance(value, str)), values[0] if len(values) else "")
        raise TypeError(
            f"{what} holds words {where}, as {str(words)!r}: give numbers: pd.get_dummies(x) makes a column of each "
            "word, or leave the column out"
        )
    return values
