"""feed.py -- Feed: batches of one data set, gathered and prepared by the engine."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from pyneural import _core, ops
from pyneural._core import Tensor
from pyneural.preprocessing import Preprocessing

Array = npt.NDArray[Any]


class Feed:
    """The rows of (x, y) that take part, and how a batch is made of them.

    Args:
        x: all inputs (n, ...), read in place.
        y: all encoded labels (n,) or (n, K), or None.
        rows: int64 (m,), those that take part.
        preprocessing: what happens to x.
        dtype: the model's.
    """

    def __init__(self, x: Tensor, y: Tensor | None, rows: Array, preprocessing: Preprocessing, dtype: str) -> None:
        self.x, self.y = x, y
        self.rows = _core.borrow(np.ascontiguousarray(rows, np.int64))
        self.batch = preprocessing.gather(dtype)

    def __len__(self) -> int:
        return len(self.rows)

    def shuffled(self, seed: int, epoch: int) -> Tensor:
        """The rows in the order of an epoch: a function of the seed and the epoch."""
        return ops.gather(self.rows, _core.permutation(len(self.rows), seed, "shuffle", epoch))

    def batches(self, size: int) -> Iterator[tuple[Tensor, Tensor | None]]:
        """Batches in order, the last one shorter."""
        for start in range(0, len(self.rows), size):
            rows = self.rows[start : start + size]
            yield self.batch(self.x, rows), None if self.y is None else ops.gather(self.y, rows)
