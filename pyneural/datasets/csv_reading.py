"""csv_reading.py -- a CSV file read as columns, whose kinds are inferred or known; faults are reported by line."""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, islice

from pyneural.datasets.csv_cells import decimal_marks
from pyneural.datasets.csv_columns import Collected, Fault
from pyneural.datasets.csv_text import Text, blocks, lines_of
from pyneural.printing import shortened

_MARKED = 4  # blocks from which decimal marks are found
_MOST_FAULTS = 8  # that a message lists


def read(
    text: Text, names: Sequence[str], wanted: Iterable[int], skip: int, kinds: Mapping[str, str]
) -> list[Collected]:
    """The columns with the numbers `wanted`.

    Args:
        text: the file.
        names: the names of all columns.
        wanted: the numbers of the columns to read.
        skip: the number of rows above the values.
        kinds: the kind of each column that has a known one, as `Collected` takes it.

    Raises:
        ValueError: the file is damaged or uneven.
    """
    places = list(wanted)
    parts = (list(zip(*rows, strict=True)) for rows in blocks(text, len(names), skip))
    start = list(islice(parts, _MARKED))
    if not start:
        return []
    joined = [list(chain.from_iterable(part[at] for part in start)) for at in places]
    marks = decimal_marks(joined, text.delimiter)
    found = [Collected(names[at], mark, kinds.get(names[at], "")) for at, mark in zip(places, marks, strict=True)]
    for columns in chain(start, parts):
        for at, one in zip(places, found, strict=True):
            one.see(columns[at])
    split = {at: Collected(one.name, one.mark, "text") for at, one in zip(places, found, strict=True) if one.is_split}
    if split:
        for rows in blocks(text, len(names), skip):
            columns = list(zip(*rows, strict=True))
            for at, one in split.items():
                one.see(columns[at])
    return [split.get(at, one) for at, one in zip(places, found, strict=True)]


def refuse_faults(text: Text, columns: Sequence[Collected], skip: int, needed: bool = False) -> None:
    """Refuses columns that cannot be used, all in one message that names the lines and what to do.

    Args:
        text: the file.
        columns: the columns.
        skip: the number of rows above the values.
        needed: whether the columns cannot be left out.

    Raises:
        ValueError: there are some.
    """
    faults = {one.name: fault for one in columns if (fault := one.fault()) is not None}
    if not faults:
        return
    listed = dict(list(faults.items())[:_MOST_FAULTS])
    lines = lines_of(text, [cell.row for fault in listed.values() for cell in fault.cells], skip)
    said = [f"'{name}' has {_said(fault, lines)}" for name, fault in listed.items()]
    more = f"; and {len(faults) - _MOST_FAULTS:,} more columns" if len(faults) > _MOST_FAULTS else ""
    what = "the column " if len(faults) == 1 else f"{len(faults):,} columns cannot be used: "
    raise ValueError(f"{text.who}: {what}{'; '.join(said)}{more}: {_remedies(faults, needed)}")


def _said(fault: Fault, lines: Mapping[int, int]) -> str:
    """A fault, with the lines of its cells."""
    if not fault.cells:
        return fault.words
    if fault.kind == "infinite":
        return f"{fault.words}, the first in line {lines[fault.cells[0].row]:,}"
    cells = (f"{shortened(cell.text, 40)!r} in line {lines[cell.row]:,}" for cell in fault.cells)
    return f"{fault.words}: {', '.join(cells)}"


def _remedies(faults: Mapping[str, Fault], needed: bool) -> str:
    """What to do about faults."""
    kinds = {fault.kind for fault in faults.values()}
    found = []
    if kinds & {"mixed", "infinite"}:
        found.append("correct these cells, or leave them empty, which means missing")
    if "dates" in kinds:
        found.append("give numbers instead of dates, such as year and month")
    if "signs" in kinds:
        found.append("write the numbers without $, % and the like")
    if needed:
        if "texts" in kinds:
            found.append("choose another column as target, whose values occur several times")
        return "; ".join(found)
    names = list(faults)
    options = " ".join(f"--drop {shlex.quote(name)}" for name in names)
    found.append(
        f"{'or ' if found else ''}leave {'it' if len(names) == 1 else 'them'} out: drop={names} (pyneural train: "
        f"{options})"
    )
    mixed = [name for name, fault in faults.items() if fault.kind == "mixed"]
    if mixed:
        found.append(f"or if the numbers in {'it' if len(names) == 1 else 'them'} are names: categories={mixed}")
    return "; ".join(found)
