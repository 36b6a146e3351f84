"""identical.py -- which examples are identical, and groups that keep them together.

Two photographs are never identical, so equal pixels are one photograph that is stored twice; if one copy is trained on
and the other tested, the test is too easy.  Rows are equal if their 64-bit hashes are, but for a chance of 2**-64 for
each pair.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from pyneural.arguments.arrays import Array
from pyneural.card.table import Table

_CHUNK = 1 << 24  # bytes that are hashed at a time
_LONG = 256  # bytes of a row from which a quarter of so many are hashed first


def as_bits(x: Array | Table) -> Array:
    """Inputs as an array whose rows are equal where those of x are."""
    return x.bits() if isinstance(x, Table) else x


def keys(x: Array | Table) -> Array:
    """A 64-bit hash of each row, or of some bytes of each long row: equal for identical rows, in one run of Python."""
    return np.fromiter(map(hash, _parts(as_bits(x))), np.int64, len(x))


def _parts(x: Array) -> Iterator[bytes]:
    """Some evenly spread bytes of each row, or all of a short one; -0.0 is not 0.0 here."""
    size = x.nbytes // max(1, len(x))
    flat = np.ascontiguousarray(x).reshape(len(x), -1)
    if size > _LONG:
        flat = flat.view(np.uint8)[:, :: (size - 1) // (_LONG // 4)]
    kept = flat.shape[1] * flat.itemsize
    step = max(1, _CHUNK // max(1, size))
    for start in range(0, len(x), step):
        some = flat[start : start + step]
        data = some.tobytes()
        yield from (data[kept * row : kept * (row + 1)] for row in range(len(some)))


def _whole(x: Array, rows: Array) -> Array:
    """A 64-bit hash of each of these rows."""
    return np.fromiter((hash(x[row].tobytes()) for row in rows), np.int64, len(rows))


def copies(x: Array | Table, known: Array | None = None) -> list[Array]:
    """The row numbers of each example that appears more than once, in the order of the first appearance.

    Args:
        x: (n, ...).
        known: keys(x), if they are known.

    >>> copies(np.array([[1, 2], [3, 4], [1, 2], [5, 6]]))
    [array([0, 2])]
    """
    alike = _repeated(keys(x) if known is None else known, np.arange(len(x)))
    rows = np.sort(np.concatenate(alike)) if alike else np.arange(0)
    return sorted(_repeated(_whole(as_bits(x), rows), rows), key=lambda same: int(same[0]))


def _repeated(hashes: Array, rows: Array) -> list[Array]:
    """The rows of each hash that appears more than once, ascending."""
    order = np.argsort(hashes, kind="stable")
    edges = np.flatnonzero(np.diff(hashes[order])) + 1
    if len(edges) + 1 >= len(hashes):
        return []
    return [rows[run] for run in np.split(order, edges) if len(run) > 1]


class Hashed(NamedTuple):
    """Some rows of a data set: all its inputs and labels, the keys of the inputs, and the selected row numbers.

    y is None if labels need not be equal; or an array, or a dict by head.
    """

    x: Array
    y: Any
    keys: Array
    rows: Array


def common(one: Hashed, other: Hashed) -> Array:
    """The row numbers in `other` of examples that are in `one`, too."""
    if one.x.dtype != other.x.dtype or one.x.shape[1:] != other.x.shape[1:]:
        return other.rows[:0]
    ours, theirs = one.keys[one.rows], other.keys[other.rows]
    known = np.sort(ours)
    alike = known[np.searchsorted(known, theirs).clip(0, len(known) - 1)] == theirs
    if not alike.any():
        return other.rows[:0]
    first, second = one.rows[np.isin(ours, theirs[alike])], other.rows[alike]
    same: Array = second[np.isin(_with_labels(other, second), _with_labels(one, first))]
    return same


def _with_labels(data: Hashed, rows: Array) -> Array:
    """The hashes of rows and their labels."""
    found = _whole(data.x, rows)
    for labels in () if data.y is None else data.y.values() if isinstance(data.y, dict) else (data.y,):
        words = labels[rows].astype(str).tolist() if labels.dtype.kind in "OU" else _whole(labels, rows).tolist()
        found = np.fromiter(map(hash, zip(found.tolist(), words, strict=True)), np.int64, len(rows))
    return found


def joined(groups: Array, copies: list[Array]) -> Array:
    """The groups as numbers (n,), where groups that share an identical example are one.

    >>> joined(np.array(["anna", "ben", "carl", "anna"]), [np.array([1, 3])])
    array([0, 0, 1, 0])
    """
    names, numbers = np.unique(groups, return_inverse=True)
    parent = np.arange(len(names))

    def root(group: int) -> int:
        while parent[group] != group:
            parent[group] = parent[parent[group]]
            group = int(parent[group])
        return group

    for rows in copies:
        first, *others = {root(int(numbers[row])) for row in rows}
        for other in others:
            parent[other] = first
    roots = np.array([root(group) for group in range(len(names))])
    found: Array = np.unique(roots[numbers], return_inverse=True)[1]
    return found
