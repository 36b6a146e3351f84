"""frames.py -- data frames (pandas, polars, pyarrow and others) as Tables, or as arrays if all columns are numbers.

None of these libraries is imported: a frame of pandas is read by its methods, other frames by the Arrow PyCapsule
interface or by the dataframe interchange protocol.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

import pyneural._core as _core
from pyneural.arguments.arrays import Array, as_rows, narrowed
from pyneural.arguments.tables import Names, column_names, is_table
from pyneural.card.arrow import columns_of_stream
from pyneural.card.cells import column, of_codes, of_numbers, refuse
from pyneural.card.interchange import columns_of_interchange
from pyneural.card.table import Column, Table

_TIMES = ("datetime", "timedelta", "period", "date", "time", "timestamp", "duration")
_WIDE = ("Int128", "UInt128")  # of polars, which NumPy does not have
_NESTED = ("list", "large_list", "struct", "map")


def is_frame(x: Any) -> bool:
    """Whether x is a data frame: of pandas, polars or pyarrow, or anything with one of the two protocols."""
    if isinstance(x, np.ndarray | list | tuple):
        return False
    arrow = hasattr(x, "__arrow_c_stream__") and (hasattr(x, "columns") or hasattr(x, "schema"))
    return is_table(x) or arrow or hasattr(x, "__dataframe__")


def table_of(x: Any, who: str) -> Table:
    """A data frame as a Table; one that is a Table already is returned.

    Args:
        x: the data frame.
        who: the prefix of messages, such as "data: x".

    Raises:
        TypeError: a column has dates, times, or several values in a row; the message names it.
        ValueError: a column mixes numbers and text, a number is infinite, two columns have the same name, or there are
            no columns.
    """
    if isinstance(x, Table):
        return x
    if is_table(x):
        _check_names(who, [*map(str, x.columns)])
    if any(kind.__module__.split(".")[0] == "pandas" for kind in type(x).__mro__):
        return Table([_of_pandas(who, str(name), x[name]) for name in x.columns], who)
    if hasattr(x, "__arrow_c_stream__"):
        return Table(columns_of_stream(x, who), who)
    if hasattr(x, "__dataframe__"):
        return Table(columns_of_interchange(x, who), who)
    return Table([_of_array(who, str(name), np.asarray(x[name])) for name in x.columns], who)


def rows_of_frame(who: str, x: Any) -> tuple[Array | Table, Names]:
    """A frame as an array, if it has only numbers and booleans and none is missing, else as a Table; and its names.

    Raises:
        TypeError, ValueError: as in table_of.
    """
    if not isinstance(x, Table) and _is_plain(x):
        return as_rows(who, x), column_names(x)
    table = table_of(x, who)
    numbers = None if isinstance(x, Table) else table.numbers
    return (table if numbers is None else narrowed(numbers)), table.names


def rows_and_names(who: str, x: Any) -> tuple[Array | Table, Names]:
    """What users give as inputs: an array or a Table, and the names of its columns, () if there are none.

    Raises:
        TypeError, ValueError: they are not numbers, or a column cannot be learned from; the message says where.
    """
    if isinstance(x, Table) or is_frame(x):
        return rows_of_frame(who, x)
    return as_rows(who, x), column_names(x)


def row_of(x: Any) -> dict[str, Any] | None:
    """One row of a table as a dict by column, from a dict or a Series; None if x is neither."""
    if isinstance(x, Mapping):
        return {str(name): value for name, value in x.items()}
    names = () if is_table(x) else column_names(x)
    return dict(zip(names, x.tolist(), strict=True)) if names else None


def table_of_row(row: Mapping[str, Any], who: str) -> Table:
    """A Table of one row.

    Raises:
        TypeError, ValueError: as in table_of.
    """
    return Table([column(who, name, [value]) for name, value in row.items()], who)


def _check_names(who: str, names: list[str]) -> None:
    twice = next((name for name in names if names.count(name) > 1), None) if len(set(names)) < len(names) else None
    if twice is not None:
        raise ValueError(f"{who} has two columns named {twice!r}: rename or remove one")
    if not names:
        raise ValueError(f"{who} is a table without columns: give at least one")


def _is_plain(x: Any) -> bool:
    """Whether all columns are plain numbers or booleans, all finite, so that no column needs a closer look."""
    dtypes = getattr(x, "dtypes", None) if is_table(x) else None
    if dtypes is None or not len(x.columns) or not all(map(_is_number, dtypes)):
        return False
    if len(set(map(str, x.columns))) < len(x.columns):
        return False
    return all(_is_finite(np.asarray(x[name])) for name in x.columns)


def _is_number(dtype: Any) -> bool:
    if isinstance(dtype, np.dtype):
        return dtype.kind in "biuf"
    is_numeric = getattr(dtype, "is_numeric", None)  # of polars
    return callable(is_numeric) and is_numeric() and not dtype.is_decimal() and str(dtype) not in _WIDE


def _is_finite(values: Array) -> bool:
    if values.dtype.kind != "f":
        return values.dtype.kind in "biu"
    if values.dtype in (np.float32, np.float64):
        return not _core.check_finite(np.ascontiguousarray(values))[0]
    return bool(np.isfinite(values).all())


def _of_pandas(who: str, name: str, values: Any) -> Column:
    """A Series as a Column."""
    dtype = values.dtype
    word = str(dtype)
    if type(dtype).__name__ == "CategoricalDtype":
        return of_codes(name, values.cat.codes.to_numpy(), values.cat.categories)
    kind = getattr(dtype, "kind", "O")
    if kind in "mM" or word.startswith(_TIMES):
        refuse(who, name, None, "times", word)
    if word.startswith(_NESTED):
        refuse(who, name, None, "nested", word)
    if kind in "biuf":
        return of_numbers(who, name, values.to_numpy(dtype="float64", na_value=np.nan, copy=True), boolean=kind == "b")
    if word.startswith(("str", "large_string")):
        return of_codes(name, *values.factorize(), ordered=False)
    return column(who, name, values.to_numpy(dtype=object).tolist())


def _of_array(who: str, name: str, values: Array) -> Column:
    if values.dtype.kind in "biuf":
        return of_numbers(who, name, values.astype(np.float64), boolean=values.dtype.kind == "b")
    if values.dtype.kind in "mM":
        refuse(who, name, None, "times", str(values.dtype))
    return column(who, name, values.tolist())
