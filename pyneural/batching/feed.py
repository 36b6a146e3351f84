"""feed.py -- Feed: batches of a data set in memory, gathered and preprocessed by the engine.

Training and evaluation take their batches from a Feed, or from a Stream (stream.py), which has the same interface.
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise, repeat
from typing import Any, NamedTuple, Protocol

import numpy as np

import pyneural._core as _core
import pyneural.ops as ops
from pyneural._core import Tensor
from pyneural.arguments.arrays import Array
from pyneural.batching.augmentation import Augment, augmented_gather
from pyneural.batching.balancing import Draws
from pyneural.card.preprocessing import Preprocessing

Targets = Any  # a Tensor, or for a model with heads a dict of Tensors by head
AsTargets = Callable[[Any], Any]  # encoded labels, an array or a dict by head -> targets
Weights = Any  # None, a BatchWeights, or for a model with heads a dict of them by head


class BatchWeights(NamedTuple):
    """The weights of the rows of a batch, (n,), and their sum."""

    rows: Tensor
    total: float


def batch_weights(rows: Any) -> Weights:
    """BatchWeights of a tensor (n,), or a dict of them; None for None."""
    return None if rows is None else each(lambda weights: BatchWeights(weights, float(weights.sum())), rows)


class Batches(Protocol):
    """The interface of a source of batches for training or evaluation."""

    def __len__(self) -> int:
        """The number of examples."""

    def steps(self, size: int) -> int:
        """The number of batches, with `size` examples each if the source allows a choice."""

    def smallest(self, size: int) -> int:
        """The number of examples in the smallest batch."""

    def epoch(self, size: int, seed: int, epoch: int) -> Iterator[tuple[Tensor, Targets, Weights, Tensor]]:
        """Batches for training: preprocessed inputs, targets, weights, and sample numbers."""

    def batches(self, size: int) -> Iterator[tuple[Tensor, Targets, Weights]]:
        """Batches in order: preprocessed inputs, targets (None without labels), and weights."""


class Feed:
    """The selected rows of (x, y), in batches.

    Args:
        x: all inputs (n, ...), read in place.
        y: all encoded labels (n,) or (n, K), a dict of them, or None.
        rows: int64 (m,), the selected rows.
        preprocessing: the preprocessing of x.
        dtype: the model's dtype.
        weights: the weights of all rows in the loss, (n,) of that dtype, or a dict of them; None: all count the same.
        classes: the class of each selected row, (m,), if an epoch is to draw as many rows of each; None: each row once.
        augment: the random changes of the images of an epoch; None for none.
    """

    def __init__(
        self,
        x: Array,
        y: Any,
        rows: Array,
        preprocessing: Preprocessing,
        dtype: str,
        weights: Any = None,
        classes: Array | None = None,
        augment: Augment | None = None,
    ) -> None:
        self.x = _core.borrow(x)
        self.y = None if y is None else each(_core.borrow, y)
        self.weights = None if weights is None else each(_core.borrow, weights)
        self.draws = None if classes is None else Draws(classes)
        self.rows = _core.borrow(np.ascontiguousarray(rows, np.int64))
        self.batch = preprocessing.gather(x.dtype, dtype)
        self._augmented = None if augment is None else partial(augmented_gather, augment, preprocessing, x.dtype, dtype)

    def __len__(self) -> int:
        return len(self.rows)

    def steps(self, size: int) -> int:
        """The number of batches of that size."""
        return len(_edges(len(self.rows), size)) - 1

    def smallest(self, size: int) -> int:
        """The number of examples in the smallest batch."""
        return min(end - start for start, end in pairwise(_edges(len(self.rows), size)))

    def epoch(self, size: int, seed: int, epoch: int) -> Iterator[tuple[Tensor, Targets, Weights, Tensor]]:
        """Batches in the shuffled order of an epoch, which depends only on the seed and the epoch."""
        x = self.x
        batch = self.batch
        augmented = None if self._augmented is None else self._augmented(seed, epoch)
        order, samples = self._order(seed, epoch)
        pieces = [slice(*ends) for ends in pairwise(_edges(len(order), size))]
        targets = _parts(_gathered(self.y, order), pieces)
        weights = _parts(_gathered(self.weights, order), pieces)
        for piece, y, weight in zip(pieces, targets, weights, strict=False):
            rows = order[piece]
            numbers = rows if samples is order else samples[piece]
            weighed = None if weight is None else batch_weights(weight)
            yield batch(x, rows) if augmented is None else augmented(x, rows, numbers), y, weighed, numbers

    def _order(self, seed: int, epoch: int) -> tuple[Tensor, Tensor]:
        """The rows of an epoch in order, and their sample numbers; a repeated row gets a new number each time."""
        if self.draws is None:
            order = ops.gather(self.rows, _core.permutation(len(self.rows), seed, "shuffle", epoch))
            return order, order
        places, copies = self.draws.of_epoch(seed, epoch)
        rows = self.rows.numpy()[places]
        return _core.borrow(rows), _core.borrow(rows + copies * len(self.x))

    def batches(self, size: int) -> Iterator[tuple[Tensor, Targets, Weights]]:
        """Batches in order; the last one may be smaller."""
        for start in range(0, len(self.rows), size):
            rows = self.rows[start : start + size]
            weights = None if self.weights is None else batch_weights(_gathered(self.weights, rows))
            yield self.batch(self.x, rows), _gathered(self.y, rows), weights


def _edges(n: int, size: int) -> list[int]:
    """The start of each batch, and n.

    A single leftover example joins the batch before it, because batch norm needs a variance.
    """
    edges = [*range(0, n, size), n]
    if size > 1 and len(edges) > 2 and edges[-1] - edges[-2] == 1:
        del edges[-2]
    return edges


def unchanged(y: Any) -> Any:
    """The encoded labels themselves, as targets."""
    return y


def each(function: Callable[[Any], Any], y: Any) -> Any:
    """Applies the function to y, or to the part of each head."""
    return {head: function(part) for head, part in y.items()} if isinstance(y, dict) else function(y)


def _gathered(y: Any, rows: Tensor) -> Any:
    """The selected rows of each part; None for None."""
    return None if y is None else each(lambda part: ops.gather(part, rows), y)


def _parts(y: Any, pieces: list[slice]) -> Iterator[Any]:
    """The pieces of the rows, of each part; None for each piece if there are no rows."""
    if y is None:
        return repeat(None)
    if isinstance(y, dict):
        return ({head: part[piece] for head, part in y.items()} for piece in pieces)
    return map(y.__getitem__, pieces)
