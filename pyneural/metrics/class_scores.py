"""class_scores.py -- ClassScores: precision, recall and F1 of each class, with their intervals."""

import math
from collections.abc import Iterable
from functools import cached_property
from typing import Any, NamedTuple, SupportsIndex, overload

import numpy as np

import pyneural.metrics.bootstrap as bootstrap
import pyneural.metrics.intervals as intervals
from pyneural.arguments.arrays import Array
from pyneural.arguments.spelling import closest
from pyneural.metrics.estimate import Estimate

_AT_ONCE = 512  # classes whose draws by group are in memory at the same time
Estimates = tuple[Estimate, ...]


class ByClass(tuple[Estimate, ...]):
    """A score of each class, by number and by name.

    >>> ByClass([Estimate.share(1, 2), Estimate.share(3, 4)], ("cat", "dog"))["dog"]
    75.00 % [30.06, 95.44]
    """

    names: tuple[str, ...]

    def __new__(cls, values: Iterable[Estimate], names: tuple[str, ...]) -> "ByClass":
        """The values, and the names of their classes."""
        made = super().__new__(cls, values)
        made.names = names
        return made

    @overload
    def __getitem__(self, number: SupportsIndex | str) -> Estimate: ...

    @overload
    def __getitem__(self, number: slice) -> tuple[Estimate, ...]: ...

    def __getitem__(self, number: Any) -> Any:
        """The score of a class, by its number or name, or those of several."""
        if not isinstance(number, str):
            return super().__getitem__(number)
        if number not in self.names:
            near = closest(number, self.names)
            hint = f"did you mean '{near}'" if near else f"they are {', '.join(self.names)}"
            raise KeyError(f"there is no class '{number}': {hint}")
        return super().__getitem__(self.names.index(number))

    def __getnewargs__(self) -> tuple[Any, ...]:
        return tuple(self), self.names


class _Counts(NamedTuple):
    """By class: examples of it that are predicted right, its examples, and the predictions of it."""

    right: Array
    actual: Array
    predicted: Array


class ClassScores:
    """Scores by class, computed when they are first read; NaN for classes that they are not defined for.

    Args:
        labels: (n,) class numbers.
        predictions: (n,) class numbers.
        classes: K.
        units: (n,) the numbers of the groups, from `bootstrap.units_of`; None: each example by itself.
    """

    def __init__(self, labels: Array, predictions: Array, classes: int, units: Array | None) -> None:
        self.labels = labels
        self.predictions = predictions
        self.classes = classes
        self.units = units

    @property
    def support(self) -> Array:
        """(K,) the number of examples of each class."""
        return self._counts.actual

    @cached_property
    def recall(self) -> Estimates:
        """The share of the examples of a class that are predicted as it."""
        right, actual, _ = self._counts
        if self.units is not None:
            return self._by_group(right, actual, 0, self.labels)
        return tuple(map(Estimate.share, right.tolist(), actual.tolist()))

    @cached_property
    def precision(self) -> Estimates:
        """The share of the predictions of a class that are right."""
        right, _, predicted = self._counts
        if self.units is not None:
            return self._by_group(right, predicted, 1, self.predictions)
        return tuple(map(Estimate.share, right.tolist(), predicted.tolist()))

    @cached_property
    def f1(self) -> Estimates:
        """2 TP / (2 TP + FP + FN), the harmonic mean of precision and recall."""
        right, actual, predicted = self._counts
        if self.units is not None:
            return self._by_group(2 * right, actual + predicted, 2, self.labels)
        return tuple(map(intervals.f1, right.tolist(), actual.tolist(), predicted.tolist()))

    @cached_property
    def balanced_accuracy(self) -> Estimate:
        """The mean recall of the classes that occur.

        Recalls of 0 and of 1 are equal in all draws by group, so the interval of their mean by Wilson is added.
        """
        right, actual, _ = self._counts
        there = actual > 0
        mean = intervals.mean_of_shares(right[there], actual[there])
        if self.units is None:
            return mean
        low, high = intervals.bounds(self._draws[1]) if self.units.max() else (0.0, 1.0)
        equal = there & ((right == 0) | (right == actual))  # in every draw, as if they did not vary
        if equal.any():
            groups = self._groups(self.labels)[equal]
            part = intervals.mean_of_shares(groups * (right[equal] > 0), groups)
            weight = float(equal.sum() / there.sum())
            low = max(0.0, mean - math.hypot(mean - low, weight * (part - part.low)))
            high = min(1.0, mean + math.hypot(high - mean, weight * (part.high - part)))
        else:
            low, high = intervals.wider(low, high, mean)
        return Estimate(mean, low, high, percent=True)

    @cached_property
    def _counts(self) -> _Counts:
        of = (self.labels[self.labels == self.predictions], self.labels, self.predictions)
        return _Counts(*(np.bincount(numbers, minlength=self.classes) for numbers in of))

    def _by_group(self, hits: Array, total: Array, which: int, classes: Array) -> Estimates:
        """Shares hits / total with the bounds of their draws; Wilson's by group where all draws are equal."""
        assert self.units is not None
        groups = self._groups(classes).tolist()
        found = []
        for number, (hit, of) in enumerate(zip(hits.tolist(), total.tolist(), strict=True)):
            share = hit / of if of else math.nan
            least = intervals.f1(hit // 2, of, 0) if which == 2 else Estimate.share(hit, of)
            low, high = (0.0, 1.0)
            if self.units.max():
                low, high = self._draws[0][which, :, number].tolist()
                low, high = intervals.wider(low, high, least)
            if hit in (0, of):
                alone = Estimate.share(groups[number] if hit else 0, groups[number])
                low, high = alone.low, alone.high
            found.append(Estimate(share, low, high, percent=True))
        return tuple(found)

    def _groups(self, classes: Array) -> Array:
        """(K,) the number of groups with examples of each class."""
        assert self.units is not None
        pairs = np.unique(np.stack([classes, self.units]), axis=1)[0]
        return np.bincount(pairs, minlength=self.classes)

    @cached_property
    def _draws(self) -> tuple[Array, Array]:
        """(recall, precision and F1; low and high; K), the bounds of the draws; their balanced accuracies (DRAWS,)."""
        ends = np.full((3, 2, self.classes), math.nan)
        sums = np.zeros((2, bootstrap.DRAWS))  # of recalls, and of the classes that occur
        for start in range(0, self.classes, _AT_ONCE):
            stop = min(start + _AT_ONCE, self.classes)
            right, actual, predicted = self._drawn(start, stop)
            with np.errstate(invalid="ignore"):
                shares = (right / actual, right / predicted, 2 * right / (actual + predicted))
            for which, share in enumerate(shares):
                for number in range(start, stop):
                    ends[which, :, number] = intervals.bounds(share[:, number - start])
            sums += np.nansum(shares[0], axis=1), (actual > 0).sum(axis=1)
        return ends, sums[0] / sums[1]

    def _drawn(self, start: int, stop: int) -> _Counts:
        """The counts (DRAWS, stop - start) of the draws, for classes from start to stop; the same draws each time.

        Right answers, labels and predictions are cells of one draw, of three times the classes.
        """
        right = np.where(self.labels == self.predictions, self.labels, -1)
        assert self.units is not None
        of_units = int(self.units.max()) + 1
        width = stop - start
        cells, units = [], []
        for number, numbers in enumerate((right, self.labels, self.predictions)):
            rows = np.flatnonzero((numbers >= start) & (numbers < stop))
            cells.append(numbers[rows] - start + width * number)
            units.append(self.units[rows])
        counts = np.zeros((bootstrap.DRAWS, 3 * width))
        if any(map(len, cells)):
            drawn = bootstrap.cell_draws(np.concatenate(cells), 3 * width, np.concatenate(units), of_units=of_units)
            counts[:] = np.concatenate(list(drawn))
        return _Counts(*np.split(counts, 3, axis=1))
