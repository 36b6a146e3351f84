"""csv_known.py -- a CSV file read for a trained model, whose columns and their kinds are known."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pyneural.arguments.arrays import Array
from pyneural.arguments.spelling import closest
from pyneural.card.booleans import meaning
from pyneural.card.classes import listed
from pyneural.card.table import Column, Table
from pyneural.datasets.csv_columns import Collected
from pyneural.datasets.csv_header import check_name, column_names
from pyneural.datasets.csv_path import stem
from pyneural.datasets.csv_reading import read, refuse_faults
from pyneural.datasets.csv_target import groups_of, with_target
from pyneural.datasets.csv_text import Text, examined, lines_of
from pyneural.datasets.dataset import Dataset

_NUMBERED = re.compile("column_[0-9]+")
_MOST = 100  # names that are compared with each other
_AS_READ = {"number": "number", "category": "names", "boolean": "names"}  # the kind as `Collected` takes it


def known_table(text: Text, kinds: Mapping[str, str]) -> Table:
    """The columns that a model takes, in its order; others are ignored.

    Args:
        text: the file.
        kinds: the kind of each column, by name.

    Raises:
        ValueError: the file is damaged, columns are missing, or a cell is not what its column was in training.
    """
    return _table(*_collected(text, kinds, {}), kinds)


def known_dataset(
    who: str, path: str | Path, kinds: Mapping[str, str], target: Mapping[str, str], groups: str | None = None
) -> Dataset:
    """The columns that a model takes, with the labels, as a Dataset to evaluate the model on.

    Args:
        who: the prefix of messages.
        path: the file's path.
        kinds: the kind of each input column, by name.
        target: how the cells of each target are read: "number" for values, "names" for class names, "" if classes are
            numbers.
        groups: the column of the groups.

    Raises:
        ValueError: as those of `known_table`, or a target is missing in the file.
    """
    text = examined(who, path)
    if groups is not None and groups in target:
        raise ValueError(f"{text.who}: the column '{groups}' is the target, not the groups: give another column")
    also = dict(target) | ({} if groups is None else {groups: "names"})
    text, columns, skip = _collected(text, kinds, also, groups)
    found = {one.name: one for one in columns}
    targets = [found[name] for name in target]
    rows = with_target(text, targets, skip)
    labels = [_labels(one, rows, booleans=len(targets) > 1) for one in targets]
    y = labels[0] if len(labels) == 1 else np.stack(labels, axis=1)
    grouped = None if groups is None else groups_of(text, found[groups], rows, skip)
    data = Dataset(_table(text, columns, skip, kinds).take(rows), y, groups=grouped, name=stem(path))
    data.y_names = tuple(target)
    return data


def _collected(
    text: Text, kinds: Mapping[str, str], also: Mapping[str, str], groups: str | None = None
) -> tuple[Text, list[Collected], int]:
    """The file, its columns with these names, and the number of rows above the values."""
    wanted = {name: _AS_READ[kind] for name, kind in kinds.items()} | dict(also)
    names = column_names(text, True)
    skip = 1
    if all(map(_NUMBERED.fullmatch, wanted)) and not set(names) & set(wanted):
        names, skip = column_names(text, False), 0
    _refuse_missing(text.who, names, wanted, kinds, groups)
    columns = read(text, names, [at for at, name in enumerate(names) if name in wanted], skip, wanted)
    if not columns:
        raise ValueError(f"{text.who} has column names but no rows: a CSV file has one line per example")
    refuse_faults(text, [one for one in columns if one.kind], skip, needed=True)
    return text, columns, skip


def _boolean(text: Text, column: Column, skip: int) -> Column:
    """A column that was booleans in training, from its texts: yes and no, true and false, or 1 and 0.

    Raises:
        ValueError: it has another text; the message names the line.
    """
    meanings = np.array([*map(meaning, column.names), np.nan])  # the last is code -1
    wrong = np.flatnonzero(np.isnan(meanings[column.values]) & ~column.missing)
    if len(wrong):
        row = int(wrong[0])
        line = lines_of(text, [row], skip)[row]
        raise ValueError(
            f"{text.who}: the column '{column.name}' has {column.value(row)!r} in line {line:,}, and was"
            " yes and no, or true and false, in the training data: correct the cell, or leave it empty"
        )
    return Column(column.name, "boolean", meanings[column.values])


def _refuse_missing(
    who: str, names: Sequence[str], wanted: Mapping[str, str], kinds: Mapping[str, str], groups: str | None
) -> None:
    """Refuses a file that lacks columns."""
    there = set(names)
    missing = [name for name in wanted if name not in there]
    for name in missing:
        if name not in kinds:
            what = "groups" if name == groups else "the target, which evaluate needs, and predict does not"
            check_name(who, what, name, names)
    if missing:
        near = {name: closest(name, names[:_MOST]) for name in missing[:_MOST]}
        alike = [f"'{other}' for '{name}'" for name, other in near.items() if other]
        hint = f" (perhaps {listed(alike)})" if alike else ""
        raise ValueError(
            f"{who} has no column{'s' * (len(missing) > 1)} {listed(missing)}{hint}: give all columns of the training "
            "data, in any order, with empty cells for missing values"
        )


def _table(text: Text, columns: Sequence[Collected], skip: int, kinds: Mapping[str, str]) -> Table:
    found = {one.name: one for one in columns}
    return Table(
        (
            _boolean(text, found[name].column(), skip) if kind == "boolean" else found[name].column()
            for name, kind in kinds.items()
        ),
        text.who,
    )


def _labels(one: Collected, rows: Any, booleans: bool) -> Array:
    """Labels as text or numbers, those of classes int64."""
    column = one.column(booleans)
    values = column.values[rows]
    if column.kind == "category":
        found: Array = np.array(column.names)[values]
        return found
    whole = not one.kind and bool(np.all(values == np.floor(values)))
    numbers: Array = values.astype(np.int64) if whole else values
    return numbers
