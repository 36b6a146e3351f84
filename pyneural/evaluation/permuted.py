"""permuted.py -- data with the values of one column in another order, row by row or group by group."""

import copy
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

import pyneural._core as _core
import pyneural.metrics.bootstrap as bootstrap
from pyneural.arguments.arrays import Array
from pyneural.card.table import Table
from pyneural.datasets.dataset import Dataset


class Rows(NamedTuple):
    """The data, and the units of its rows: their groups, or each row by itself."""

    data: Dataset
    units: Array
    unit_count: int
    grouped: bool

    @classmethod
    def of(cls, data: Dataset) -> "Rows":
        """The data with its groups."""
        groups = bootstrap.units_of(data.groups)
        units = np.arange(len(data)) if groups is None else groups
        return cls(data, units, int(units.max()) + 1, groups is not None)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        x: Any = self.data.x
        if isinstance(x, Table):
            return x.names
        return self.data.columns or tuple(f"column {number}" for number in range(x.shape[1]))

    def values(self, number: int) -> Array:
        """(n,) the values of a column; categories by number."""
        x: Any = self.data.x
        values: Array = x.columns[number].values if isinstance(x, Table) else x[:, number]
        return values

    def orders(self, number: int, repeats: int, seed: int) -> Iterator[Array]:
        """The row (n,) whose value of a column each row gets, for each permutation."""
        stream = f"importance/{number}"
        values = self.values(number)
        first = np.unique(self.units, return_index=True)[1]
        alike = self.grouped and np.array_equal(values, values[first][self.units], equal_nan=values.dtype.kind == "f")
        for repeat in range(repeats):
            if alike:
                yield first[_core.permutation(self.unit_count, seed, stream, repeat).numpy()][self.units]
            else:
                yield _core.permutation(len(self.data), seed, stream, repeat).numpy()

    def permuted(self, number: int, order: Array) -> Dataset:
        """The data with the values of one column in another order."""
        found = copy.copy(self.data)
        x: Any = self.data.x
        if isinstance(x, Table):
            columns = list(x.columns)
            columns[number] = columns[number]._replace(values=columns[number].values[order])
            found.x = Table(columns)
        else:
            found.x = x.copy()
            found.x[:, number] = x[order, number]
        return found
