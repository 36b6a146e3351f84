"""Row numbers of batches, reshuffled every epoch."""

from collections.abc import Iterator

import numpy as np


def batches(n: int, size: int) -> Iterator[np.ndarray]:
    """Full batches of int64 row numbers, endlessly; shuffling is not part of a peer's step."""
    draw = np.random.default_rng(1)
    while True:
        order = draw.permutation(n)
        yield from order[: n // size * size].reshape(-1, size)
