"""equal_rows.py -- equal rows of a small table as one row with a weight.

So that a weight of 2 is the same as having the example twice, to the last bit: both become one row, in an order that
depends on the rows alone.  The objective is unchanged, Σ wᵢ lossᵢ / Σ wᵢ.
"""

from typing import Any, NamedTuple

import numpy as np

from pyneural.arguments.arrays import Array
from pyneural.card.table import Table

MOST = 10_000  # rows up to which equal ones are merged; sorting more takes time, and no training on them is exact


class Weighted(NamedTuple):
    """Rows to train on.

    Args:
        x: (n, ...), an array or a Table.
        y: (n,) or (n, K).
        weights: (n,), above 0; None if all are equal.
    """

    x: Any
    y: Array
    weights: Array | None

    def take(self, rows: Array) -> "Weighted":
        """Some of the rows."""
        return Weighted(self.x[rows], self.y[rows], None if self.weights is None else self.weights[rows])


def merged(x: Array | Table, y: Array, weights: Array | None) -> Weighted:
    """The rows whose weight is above 0; up to MOST rows also sorted, with equal ones merged and their weights summed.

    >>> merged(np.array([[2.0], [1.0], [2.0]]), np.array([0, 1, 0]), None)
    Weighted(x=array([[2.],
           [1.]]), y=array([0, 1]), weights=array([2., 1.]))
    """
    found = Weighted(x, y, weights)
    if weights is not None:
        found = found.take(np.flatnonzero(weights > 0))
    if len(x) > MOST or len(x.shape) > 2:
        return found
    first, place = np.unique(keys(found.x, found.y), return_index=True, return_inverse=True)[1:]
    total = np.bincount(place.reshape(-1), found.weights)
    return found.take(first)._replace(weights=None if np.all(total == total[0]) else total.astype(np.float64))


def keys(x: Array | Table, y: Array) -> Array:
    """The bytes of each row with its labels, in one order wherever the rows come from."""
    columns = [column.values for column in x.columns] if isinstance(x, Table) else [x.reshape(len(x), -1)]
    rows = np.column_stack([*columns, y]).astype(np.float64) + 0.0  # -0.0 becomes 0.0
    return np.ascontiguousarray(rows).view(f"V{rows.itemsize * rows.shape[1]}")[:, 0]
