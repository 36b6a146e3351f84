"""feed.py -- Feed: batches of one data set that lies in memory, gathered and prepared by the engine.

What trains and what measures takes its batches from a Feed, or from a Stream (stream.py), which looks the same.
"""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, Protocol

import numpy as np

import pyneural._core as _core
import pyneural.ops as ops
from pyneural._core import Tensor
from pyneural.arguments.arrays import Array
from pyneural.card.preprocessing import Preprocessing

Targets = Any  # a Tensor, or for a model with heads a dict of Tensors by their names


class Batches(Protocol):
    """What gives the batches of a training or a measurement."""

    def __len__(self) -> int:
        """How many examples."""

    def steps(self, size: int) -> int:
        """How many batches, of `size` where the size is ours to choose."""

    def smallest(self, size: int) -> int:
        """How many examples the smallest batch has."""

    def epoch(self, size: int, seed: int, epoch: int) -> Iterator[tuple[Tensor, Targets, Tensor]]:
        """Batches to train on: prepared inputs, targets, and the numbers of the samples."""

    def batches(self, size: int) -> Iterator[tuple[Tensor, Targets]]:
        """Batches in order: prepared inputs, and targets (None where there are none)."""


class Feed:
    """The rows of (x, y) that take part, and how a batch is made of them.

    Args:
        x: all inputs (n, ...), read in place.
        y: all encoded labels (n,) or (n, K), a dict of them, or None.
        rows: int64 (m,), those that take part.
        preprocessing: what happens to x.
        dtype: the model's.
    """

    def __init__(self, x: Array, y: Any, rows: Array, preprocessing: Preprocessing, dtype: str) -> None:
        self.x, self.y = _core.borrow(x), None if y is None else each(_core.borrow, y)
        self.rows = _core.borrow(np.ascontiguousarray(rows, np.int64))
        self.batch = preprocessing.gather(x.dtype, dtype)

    def __len__(self) -> int:
        return len(self.rows)

    def steps(self, size: int) -> int:
        """How many batches of that size there are."""
        return len(_edges(len(self.rows), size)) - 1

    def smallest(self, size: int) -> int:
        """How many examples the smallest batch has."""
        return min(end - start for start, end in pairwise(_edges(len(self.rows), size)))

    def epoch(self, size: int, seed: int, epoch: int) -> Iterator[tuple[Tensor, Targets, Tensor]]:
        """Batches in the order of an epoch, which is a function of the seed and the epoch."""
        x, batch = self.x, self.batch
        order = ops.gather(self.rows, _core.permutation(len(self.rows), seed, "shuffle", epoch))
        targets = each(lambda y: ops.gather(y, order), self.y)
        edges = pairwise(_edges(len(order), size))
        if isinstance(targets, dict):
            for start, end in edges:
                rows = order[start:end]
                yield batch(x, rows), {head: y[start:end] for head, y in targets.items()}, rows
            return
        for start, end in edges:
            rows = order[start:end]
            yield batch(x, rows), targets[start:end], rows

    def batches(self, size: int) -> Iterator[tuple[Tensor, Targets]]:
        """Batches in order, the last one shorter."""
        for start in range(0, len(self.rows), size):
            rows = self.rows[start : start + size]
            yield self.batch(self.x, rows), None if self.y is None else _gathered(self.y, rows)


def _edges(n: int, size: int) -> list[int]:
    """Where batches begin, and n.

    One example that is left over goes with the batch before it: it has no variance, which batch norm needs.
    """
    edges = [*range(0, n, size), n]
    if size > 1 and len(edges) > 2 and edges[-1] - edges[-2] == 1:
        del edges[-2]
    return edges


def each(function: Callable[[Any], Any], y: Any) -> Any:
    """The function of y, or of each part of it by the head's name."""
    return {head: function(part) for head, part in y.items()} if isinstance(y, dict) else function(y)


def _gathered(y: Any, rows: Tensor) -> Any:
    return each(lambda part: ops.gather(part, rows), y)
