"""moments.py -- the mean and standard deviation of each channel, of one array and over many batches."""

import math

import numpy as np

import pyneural._core as _core
from pyneural.arguments.arrays import Array


def moments(x: Array) -> tuple[Array, Array]:
    """The mean and the standard deviation of each channel, float64, also of numbers whose squares underflow."""
    mean, deviation = _core.moments(x)
    if x.dtype == np.uint8 or deviation.all():
        return mean, deviation
    exact = deviation.copy()
    for channel in np.flatnonzero(deviation == 0):
        values = x[..., channel].astype(np.float64)
        values -= values.flat[0]
        most = float(np.abs(values).max())
        if most > 0:
            exact[channel] = float(np.std(values / most)) * most
    return mean, exact


class RunningMoments:
    """The mean and standard deviation of each channel over many batches.  Source: Chan, Golub & LeVeque 1983."""

    def __init__(self) -> None:
        self.count = 0
        self.mean: list[float] = []
        self._roots: list[float] = []  # of the sums of squares, which may underflow

    def add(self, x: Array) -> None:
        """Adds a batch."""
        means, deviations = (list(map(float, values)) for values in moments(x))
        count = x.size // x.shape[-1]
        if not self.mean:
            self.mean = [0.0] * len(means)
            self._roots = [0.0] * len(means)
        total = self.count + count
        for i, (mean, deviation) in enumerate(zip(means, deviations, strict=True)):
            apart = mean - self.mean[i]
            self.mean[i] += apart * count / total
            between = apart * math.sqrt(self.count * count / total)
            self._roots[i] = math.hypot(self._roots[i], deviation * math.sqrt(count), between)
        self.count = total

    @property
    def deviation(self) -> list[float]:
        """The standard deviation of each channel, with divisor n."""
        return [root / math.sqrt(self.count) for root in self._roots]
