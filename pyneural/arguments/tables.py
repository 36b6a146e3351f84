"""tables.py -- tables with named columns, such as DataFrames of pandas and polars: column names and numbers.

Neither library is needed: a table is any object with `columns`, columns by name, and `to_numpy`.
"""

from typing import Any

import numpy as np

from pyneural.arguments.checks import warn
from pyneural.arguments.objects import are_numbers, missing_rows

Names = tuple[str, ...]


def is_table(values: Any) -> bool:
    """Whether values are a table with named columns."""
    return hasattr(values, "columns") and hasattr(values, "to_numpy")


def dtype_name(values: Any, otherwise: str) -> str:
    """The name of the dtype that was given; `otherwise` for lists and tables."""
    return otherwise if is_table(values) else str(getattr(values, "dtype", otherwise))


def column_names(values: Any) -> Names:
    """The column names of a table, or of one of its rows; () if there are none."""
    if is_table(values):
        return tuple(map(str, values.columns))
    if hasattr(values, "to_frame") and hasattr(values, "index") and all(isinstance(key, str) for key in values.index):
        return tuple(values.index)
    return ()


def warn_of_order(who: str, x: Any, what: str, y: Any) -> None:
    """Warns where two tables have the same row labels in different orders: rows are paired by position."""
    rows: Any = getattr(x, "index", None)
    others: Any = getattr(y, "index", None)
    labelled = hasattr(rows, "equals") and hasattr(others, "equals")
    if labelled and len(rows) == len(others) and not rows.equals(others) and set(rows) == set(others):
        warn(
            f"{who}: x and {what} have the same row labels in different orders ({rows[0]} and {others[0]} come "
            f"first), and rows are paired by position, not by label: if that is wrong, give {what}.loc[x.index]; if it "
            f"is right, {what}.to_numpy()"
        )


def table_numbers(what: str, table: Any) -> Any:
    """The numbers of a table (n, columns), in their common dtype.

    Raises:
        TypeError: a column is not numeric; the message says which, and what it contains.
        ValueError: values are missing, or two columns have the same name.
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
            f"{what} has {len(missing):,} missing values {where}, the first in row {missing[0]}: fill them, for "
            "example with x.fillna(0), or remove those rows"
        )
    if values.dtype.kind == "O" and are_numbers(values):
        values = np.array(values.tolist())
    if values.dtype.kind in "mM":
        raise TypeError(
            f"{what} has dates or times {where} ({values.dtype}): give numbers, such as x[{name!r}].astype('int64')"
        )
    if values.dtype.kind not in "biuf":
        words = next((value for value in values if isinstance(value, str)), values[0] if len(values) else "")
        raise TypeError(
            f"{what} has words {where}, such as {str(words)!r}: give numbers: pd.get_dummies(x) makes one column per "
            "word, or drop the column"
        )
    return values
