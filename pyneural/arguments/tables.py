"""tables.py -- tables with named columns, such as DataFrames of pandas and polars: column names and numbers.

Neither library is needed: a table is any object with `columns`, columns by name, and `to_numpy`.
"""

from typing import Any

import numpy as np

from pyneural.arguments.checks import warn

Names = tuple[str, ...]


def is_table(values: Any) -> bool:
    """Whether values are a table with named columns."""
    return hasattr(values, "to_numpy") and hasattr(values, "columns")  # in this order: a lazy frame warns of the second


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


def table_numbers(table: Any) -> Any:
    """The values of a table (n, columns), in their common dtype."""
    return np.column_stack([np.asarray(table[name]) for name in table.columns])
