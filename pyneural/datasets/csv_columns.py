"""csv_columns.py -- the columns of a CSV file: cells are collected block by block, and become numbers or categories.

A column holds numbers until text appears in it.  Whether it is then a category, or a column of numbers with wrong
cells, is decided at the end; for a category whose first blocks held numbers, the file is read once more.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from pyneural.arguments.arrays import Array
from pyneural.card.booleans import BOOLEANS
from pyneural.card.classes import in_order
from pyneural.card.rules import MOST_NAMES, ONE_HOT
from pyneural.card.table import Column
from pyneural.datasets.csv_cells import MISSING, is_date, number, numbers
from pyneural.printing import shortened

_SHOWN = 3  # wrong cells in a message
_SIGNS = "$€£¥% "  # around numbers
_CODED = ("category", "names", "text")  # kinds that are text from the start


class Cell(NamedTuple):
    """A cell that is not what its column is: its row, from 0, and its text."""

    row: int
    text: str


class Fault(NamedTuple):
    """Why a column cannot be used: what is wrong ("mixed", "infinite", "texts", "dates", "signs"), and where."""

    kind: str
    words: str
    cells: tuple[Cell, ...] = ()


class Collected:
    """The cells of one column.

    Args:
        name: the column's name.
        mark: the decimal mark, "." or ",".
        kind: "number" if text in it is a fault; "category" if numbers in it are names; "names" for those of groups, of
            which there may be many; "text" if it was split; "" if the cells decide.
    """

    def __init__(self, name: str, mark: str, kind: str = "") -> None:
        self.name = name
        self.mark = mark
        self.kind = kind
        self.rows = 0
        self.wrong: list[Cell] = []
        self.words = 0  # cells of text
        self.figures = 0  # cells of numbers
        self.crowded = False
        self._parts: list[Array] = []  # of numbers or of codes, by block
        self._names: dict[str, int] | None = {} if kind in _CODED else None
        self._codes: dict[str, int] = {}  # of cells as they are written

    def see(self, cells: Sequence[str]) -> None:
        """Takes the next block of cells."""
        if self._names is None:
            values = self._numbers(cells)
            if values is not None:
                self._parts.append(values)
                self.rows += len(cells)
                return
            self._names = {}
            self._parts = [np.full(self.rows, -1, np.int64)]
        if not self.crowded:
            self._parts.append(self._coded(cells))
        self.rows += len(cells)

    @property
    def is_split(self) -> bool:
        """Whether the column is of text, and began with numbers, whose text is lost: it has to be read again."""
        return self._names is None and not self.kind and self.words > self.figures

    @property
    def distinct(self) -> int:
        """The number of different values."""
        if self._names is not None:
            return len(self._names)
        values = self.values
        return len(np.unique(values[~np.isnan(values)]))

    @property
    def values(self) -> Array:
        """The numbers, or the codes of the texts."""
        if len(self._parts) > 1:
            self._parts = [np.concatenate(self._parts)]
        return self._parts[0] if self._parts else np.zeros(0)

    @property
    def missing(self) -> int:
        """The number of missing values."""
        return self.rows - self.figures if self._names is None else int(np.count_nonzero(self.values < 0))

    def column(self, booleans: bool = True) -> Column:
        """The column of a Table; `booleans` is whether yes and no, or true and false, are a kind of their own."""
        values = self.values
        if self._names is None:
            return Column(self.name, "number", values)
        spelled = {name.lower() for name in self._names}
        for pair in BOOLEANS:
            if booleans and spelled and spelled <= pair.keys() and self.kind not in ("category", "names"):
                meanings = np.array([pair[name.lower()] for name in self._names] + [np.nan])  # the last is code -1
                return Column(self.name, "boolean", meanings[values])
        names = in_order(self._names)
        places = {name: place for place, name in enumerate(names)}
        codes = np.array([places[name] for name in self._names] + [-1])
        return Column(self.name, "category", codes[values], names)

    def fault(self) -> Fault | None:
        """Why the column cannot be used; None if it can."""
        if self.crowded:
            return Fault("texts", f"more than {MOST_NAMES:,} different texts, such as {self._example()}")
        if self._names is not None:
            return None if self.kind == "names" else self._fault_of_texts(self._names)
        if self.words:
            return self._mixed(self.figures, self.words, self.wrong)
        infinite = np.flatnonzero(np.isinf(self.values))
        if len(infinite):
            count = f"{len(infinite):,} infinite value{'s' * (len(infinite) > 1)}"
            return Fault("infinite", count, (Cell(int(infinite[0]), ""),))
        return None

    def _fault_of_texts(self, names: dict[str, int]) -> Fault | None:
        counts = np.bincount(self.values[self.values >= 0], minlength=len(names)).tolist()
        total = sum(counts)
        words = [name for name in names if number(name, self.mark) is None]
        text = sum(counts[names[name]] for name in words)
        if 0 < text <= total - text and self.kind != "category":
            cells = [Cell(int(np.argmax(self.values == names[name])), name) for name in words[:_SHOWN]]
            return self._mixed(total - text, text, cells)
        if names and all(map(is_date, names)) and self.kind != "category":
            return Fault("dates", f"dates, such as {self._example()}")
        signs = all(number(name.strip(_SIGNS), self.mark) is not None for name in names)
        if names and signs and text and self.kind != "category":
            return Fault("signs", f"numbers with signs, such as {self._example()}")
        if len(names) > max(ONE_HOT, total // 2):
            return Fault("texts", f"{len(names):,} different texts in {total:,} rows, such as {self._example()}")
        return None

    def _mixed(self, figures: int, text: int, cells: Sequence[Cell]) -> Fault:
        rows = f"numbers in {figures:,} row{'s' * (figures != 1)} and text in {text:,}"
        return Fault("mixed", rows, tuple(cells))

    def _example(self) -> str:
        return repr(shortened(next(iter(self._names or ("",))), 40))

    def _numbers(self, cells: Sequence[str]) -> Array | None:
        """A block as numbers, NaN where it has other text; None if all that the column has is text."""
        found: list[Cell] = []
        try:
            values = numbers(cells, self.mark)
        except ValueError:
            known = {cell: number(cell, self.mark) for cell in set(cells)}
            values = np.array([known[cell] for cell in cells], np.float64)  # None becomes NaN
            strange = {cell for cell, value in known.items() if value is None}
            found = [Cell(self.rows + at, cell.strip()) for at, cell in enumerate(cells) if cell in strange]
        figures = int(np.count_nonzero(~np.isnan(values)))
        if len(found) > figures and not self.figures and not self.kind:
            return None
        self.figures += figures
        self.words += len(found)
        self.wrong += found[: _SHOWN - len(self.wrong)]
        return values

    def _coded(self, cells: Sequence[str]) -> Array:
        """A block as codes of texts, -1 for missing ones."""
        assert self._names is not None
        for cell in dict.fromkeys(cells):
            if cell not in self._codes:
                text = cell.strip()
                missing = text.lower() in MISSING
                self._codes[cell] = -1 if missing else self._names.setdefault(text, len(self._names))
        self.crowded = len(self._names) > MOST_NAMES and self.kind != "names"
        return np.fromiter(map(self._codes.__getitem__, cells), np.int64, len(cells))
