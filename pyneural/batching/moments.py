"""moments.py -- the mean and standard deviation of each channel, of one array, some of its rows, or many batches."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

import pyneural._core as _core
from pyneural.arguments.arrays import Array
from pyneural.datasets.mapped import is_mapped

_PIECE = 1 << 24  # bytes that are copied at a time


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


def moments_of(x: Array, rows: Array) -> tuple[Any, Any]:
    """The moments of x[rows]; rows of pixels and of mapped files are copied in small pieces.

    For pixels, the pieces do not change the bits: their sums are whole numbers, so the order does not matter.
    """
    if len(rows) == len(x):
        return moments(x)
    if len(rows) * (x.nbytes // len(x)) <= _PIECE or not (x.dtype == np.uint8 or is_mapped(x)):
        return moments(x[rows])
    if x.dtype == np.uint8:
        return _of_pixels(_pieces(x, rows))
    running = RunningMoments()
    for piece in _pieces(x, rows):
        running.add(piece)
    return running.mean, running.deviation


def _pieces(x: Array, rows: Array) -> Iterator[Array]:
    step = max(1, _PIECE // (x.nbytes // len(x)))
    return (x[rows[start : start + step]] for start in range(0, len(rows), step))


def _of_pixels(pieces: Iterator[Array]) -> tuple[list[float], list[float]]:
    """From the sums of each channel, Σ v and Σ v², which are found exactly: they are whole, so rounding undoes errors.

    The largest, Σ v² of a piece, is below 2**43 (255² for 67 million pixels), and its relative error below 2**-50.
    """
    sums: list[int] = []
    squares: list[int] = []
    n = 0
    for piece in pieces:
        count = piece.size // piece.shape[-1]
        means, deviations = moments(piece)
        sums = sums or [0] * len(means)
        squares = squares or [0] * len(means)
        for i, (mean, deviation) in enumerate(zip(means, deviations, strict=True)):
            total = round(float(mean) * count)
            sums[i] += total
            squares[i] += round(((float(deviation) * count) ** 2 + total * total) / count)
        n += count
    mean = [total / n for total in sums]
    return mean, [math.sqrt(square * n - total * total) / n for total, square in zip(sums, squares, strict=True)]


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
