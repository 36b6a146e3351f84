"""csv_file.py -- a table in a CSV file as a data set: its columns become numbers, booleans and categories."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pyneural.arguments.checks import flag, verbosity
from pyneural.arguments.spelling import check_keywords
from pyneural.card.table import Column, Table
from pyneural.datasets.csv_columns import Collected
from pyneural.datasets.csv_header import check_name, column_names, is_unnamed, only_numbers_rows
from pyneural.datasets.csv_path import stem
from pyneural.datasets.csv_reading import read, refuse_faults
from pyneural.datasets.csv_summary import summary, warn_of_capitals
from pyneural.datasets.csv_target import groups_of, labels_of, with_target
from pyneural.datasets.csv_text import Text, examined
from pyneural.datasets.dataset import Dataset
from pyneural.printing import put

_INFERRED = "not needed: it is found in the file"


@check_keywords(
    positional="give the rest by name, such as target='price'",
    **dict.fromkeys(("y", "label", "labels", "target_column", "label_column", "class_column"), "target"),
    **dict.fromkeys(("exclude", "ignore", "usecols", "columns"), "drop=['name', ...], the columns to leave out"),
    **dict.fromkeys(("group", "patients"), "groups"),
    **dict.fromkeys(("dtype", "converters", "categorical"), "categories=['name', ...], numbers that are names"),
    **dict.fromkeys(("sep", "delimiter", "decimal", "thousands", "encoding", "compression"), _INFERRED),
    **dict.fromkeys(("index_col", "na_values", "quotechar", "parse_dates"), _INFERRED),
)
def csv(
    path: str | Path,
    *,
    target: str | Sequence[str],
    groups: str | None = None,
    drop: str | Sequence[str] = (),
    categories: str | Sequence[str] = (),
    header: bool | None = None,
    verbose: int = 1,
) -> Dataset:
    r"""The table in a CSV file as a Dataset, whose x is a Table of numbers, booleans and categories.

    Commas, semicolons, tabs or pipes separate cells, which may be in quotes; decimals have a point or a comma, and
    thousands may be grouped.  The text is UTF-8, UTF-16 with a byte-order mark, or Windows-1252 (Latin-1), and may be
    packed with gzip.  Columns of numbers, of yes and no or true and false, and of other text are told apart by their
    cells.  A cell is missing if it is empty, NA, N/A, NaN, null, None, ?, - , <NA> or #N/A, in capitals or not.

    Left out are empty columns and those that only number the rows: a first column without a name, and those called id
    or index, or whose name ends in it, if all values are different.  Rows without a target are left out with a warning.

    Args:
        path: the file's path.
        target: the name of the column to predict: text gives class names; whole numbers are classes if there are at
            most 20 different ones, each three times on average; other numbers are values.  Several names of columns of
            numbers give labels (n, K).
        groups: the column with the group of each row, such as its patient, which is kept out of x.
        drop: the columns to leave out.
        categories: columns of numbers that are names, such as postcodes.
        header: False if the first line has values, for columns called column_1, column_2 and so on; True if it has
            names that look like values; None: names, and values are refused.
        verbose: 1 prints a table of the columns; 0 nothing.

    Returns:
        A Dataset; `data.split(0.2)` makes a training part and a test part of it.

    Raises:
        OSError: there is no such file, or it is a folder, a pipe, or not readable.
        ValueError, TypeError: it is not a CSV file, a column cannot be used, or a name is wrong; the message says
            where and what to do.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "flats.csv"
    ...     _ = path.write_text("rooms;balcony;price\n3;yes;99,5\n2;no;70,0\n?;no;81,3\n")
    ...     data = csv(path, target="price")
    flats.csv: 3 rows, 3 columns, separated by semicolons, with decimal commas
      column   kind                missing  distinct
      rooms    number                    1         2
      balcony  boolean                   0         2
      price    number, the target        0         3
    """
    show = verbosity("csv", verbose, "1 (a table of the columns)")
    text = examined("csv", path)
    if header is not None:
        flag("csv", "header", header)
    names = column_names(text, header)
    asked = _asked(text.who, names, target, groups, drop, categories)
    targets, dropped = asked["target"], asked["drop"]
    kinds = dict.fromkeys(asked["categories"], "category") | dict.fromkeys(asked["groups"], "names")
    skip = 0 if header is False else 1
    columns = read(text, names, [at for at, name in enumerate(names) if name not in dropped], skip, kinds)
    if not columns or not columns[0].rows:
        raise ValueError(f"{text.who} has column names but no rows: a CSV file has one line per example")
    own = {*targets, *asked["groups"]}
    left_out = _left_out(text, columns, names, own | set(asked["categories"]))
    used = [one for one in columns if one.name not in left_out]
    refuse_faults(text, [one for one in used if one.name in targets], skip, needed=True)
    refuse_faults(text, [one for one in used if one.name not in targets], skip)
    inputs = [one for one in used if one.name not in own]
    if not inputs:
        raise ValueError(f"{text.who} has no column but {', '.join(own)}: give a file with inputs, one column each")
    by_name = {one.name: one for one in used}
    rows = with_target(text, [by_name[name] for name in targets], skip)
    y, classes = labels_of(text, [by_name[name] for name in targets], rows)
    grouped = groups_of(text, by_name[groups], rows, skip) if groups is not None else None
    if show:
        as_classes = ", as classes" if y.dtype.kind == "i" and y.ndim == 1 else ""
        roles = dict.fromkeys(targets, f"the target{as_classes}" if len(targets) == 1 else "a target")
        put(summary(text, columns, roles | dict.fromkeys(asked["groups"], "the groups"), left_out))
    table = Table((_chosen(one.column(), rows) for one in inputs), text.who)
    warn_of_capitals(text, [*table.columns, *(by_name[name].column(booleans=False) for name in targets)])
    data = Dataset(table, y, classes=classes, groups=grouped, name=stem(path))
    data.y_names = tuple(targets)
    return data


def _chosen(column: Column, rows: Any) -> Column:
    return column._replace(values=column.values[rows])


def _asked(
    who: str, names: Sequence[str], target: Any, groups: Any, drop: Any, categories: Any
) -> dict[str, list[str]]:
    """The columns that are asked for, by argument, after checking that they exist and do not contradict each other."""
    given = {"target": target, "groups": () if groups is None else groups, "drop": drop, "categories": categories}
    found: dict[str, list[str]] = {}
    for what, value in given.items():
        one = isinstance(value, str) or not hasattr(value, "__iter__") or (what == "groups" and value != ())
        several = [value] if one else list(value)
        found[what] = list(dict.fromkeys(check_name(who, what, name, names) for name in several))
    if not found["target"]:
        raise ValueError(f"{who}: target is empty: give the name of the column to predict")
    for one, other in (("target", "groups"), ("target", "drop"), ("groups", "drop"), ("categories", "drop")):
        both = [name for name in found[one] if name in found[other]]
        if both:
            raise ValueError(f"{who}: the column '{both[0]}' is in {one} and in {other}: leave it out of one of them")
    return found


def _left_out(text: Text, columns: Sequence[Collected], names: Sequence[str], kept: set[str]) -> dict[str, str]:
    """The columns that are of no use, by name, and why.

    Raises:
        ValueError: a column with values has no name.
    """
    found: dict[str, str] = {}
    for one in columns:
        if one.name in kept:
            continue
        if one.missing == one.rows and not one.words:
            found[one.name] = "empty, left out"
        elif only_numbers_rows(one, is_first=one.name == names[0]):
            found[one.name] = "names the rows, left out"
        elif is_unnamed(one.name):
            place = names.index(one.name) + 1
            raise ValueError(f"{text.who}: column {place:,} has no name: add one to the first line")
    return found
