"""identical.py -- which examples are identical, and groups that keep them together.

Two photographs are never identical, so equal pixels are one photograph that is stored twice; if one copy is trained on
and the other tested, the test is too easy.
"""

from collections.abc import Iterator

import numpy as np

from pyneural.arguments.arrays import Array

_CHUNK = 1 << 24  # bytes that are hashed at a time


def digests(x: Array) -> Array:
    """A 64-bit hash of each row, int64 (n,): equal for identical rows, and different between runs of Python."""
    return np.fromiter((hash(row) for row in _rows(x)), np.int64, len(x))


def _rows(x: Array) -> Iterator[bytes]:
    """The bytes of each row; -0.0 is not 0.0 here."""
    if not len(x):
        return
    size = x.nbytes // len(x)
    step = max(1, _CHUNK // max(1, size))
    for start in range(0, len(x), step):
        data = x[start : start + step].tobytes()
        yield from (data[place : place + size] for place in range(0, len(data), size or 1))


def copies(x: Array) -> list[Array]:
    """The row numbers of each example that appears more than once, in the order of the first appearance.

    >>> copies(np.array([[1, 2], [3, 4], [1, 2], [5, 6]]))
    [array([0, 2])]
    """
    hashes = digests(x)
    order = np.argsort(hashes, kind="stable")
    edges = np.flatnonzero(np.diff(hashes[order])) + 1
    runs = [run for run in np.split(order, edges) if len(run) > 1] if len(edges) + 1 < len(x) else []
    found = [same for run in runs for same in _equal(x, run)]
    return sorted(found, key=lambda same: int(same[0]))


def _equal(x: Array, run: Array) -> Iterator[Array]:
    """Rows with one hash, which are the same but for a chance of 2**-64."""
    while len(run) > 1:
        first = x[run[0]].tobytes()
        same = np.array([x[row].tobytes() == first for row in run])
        if same.sum() > 1:
            yield run[same]
        run = run[~same]


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
