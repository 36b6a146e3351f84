"""balancing.py -- an epoch that draws the same number of examples from every class.

Of n draws and K classes, each class gets n / K; the n mod K that are left over go to classes that change from epoch to
epoch.  A class of m examples with q draws gives each example floor(q / m) times, and q mod m of them, drawn without
replacement, once more.  All draws are shuffled together.
"""

import numpy as np

import pyneural._core as _core
from pyneural.arguments.arrays import Array


class Draws:
    """The draws of every epoch.

    Args:
        classes: (n,), the number of the class of each example.
    """

    def __init__(self, classes: Array) -> None:
        group, self._counts = np.unique(classes, return_inverse=True, return_counts=True)[1:]
        self._group = group.astype(np.min_scalar_type(len(self._counts)))  # small integers are sorted in linear time

    def of_epoch(self, seed: int, epoch: int) -> tuple[Array, Array]:
        """The draws of an epoch, a function of the seed and the epoch.

        Returns:
            (n,) the places of the examples in the order of training, and (n,) how often each has been drawn before.
        """
        counts = self._counts
        kinds = len(counts)
        n = len(self._group)
        quota = np.full(kinds, n // kinds)
        quota[_order(kinds, seed, "balance", epoch)[: n % kinds]] += 1
        order = _order(n, seed, "balance/examples", epoch)
        order = order[np.argsort(self._group[order], kind="stable")]
        start = np.cumsum(counts) - counts
        rank = np.arange(n) - np.repeat(start, counts)  # of each example within its class
        times = np.repeat(quota // counts, counts) + (rank < np.repeat(quota % counts, counts))
        copies = np.arange(n) - np.repeat(np.cumsum(times) - times, times)
        shuffle = _order(n, seed, "shuffle", epoch)
        return np.repeat(order, times)[shuffle], copies[shuffle]


def _order(n: int, seed: int, stream: str, epoch: int) -> Array:
    return np.asarray(_core.permutation(n, seed, stream, epoch).numpy())
