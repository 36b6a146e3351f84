"""two_classes.py -- TwoClasses: the scores of predictions of two classes, with their intervals."""

import math
from functools import cached_property

import numpy as np

import pyneural.metrics.influence as influence
import pyneural.metrics.intervals as intervals
import pyneural.metrics.scores as scores
from pyneural.arguments.arrays import Array
from pyneural.metrics.estimate import Estimate

_MANY = 10_000  # examples from which a variance by influences is as good as one by draws, which takes seconds


class TwoClasses:
    """Scores that are computed when they are first read; NaN if the labels do not define them.

    Args:
        labels: (n,) 0 and 1, the positive class.
        probabilities: (n,) of 1.
        predictions: (n,) 0 and 1.
        units: (n,) the numbers of the groups, from `bootstrap.units_of`; None: each example by itself.
    """

    def __init__(self, labels: Array, probabilities: Array, predictions: Array, units: Array | None) -> None:
        self.labels = labels
        self.probabilities = probabilities.astype(np.float64)
        self.predictions = predictions
        self.units = units

    @cached_property
    def sensitivity(self) -> Estimate:
        """The share of 1 that is found: TP / (TP + FN)."""
        return self._share(self.predictions == 1, self.labels == 1)

    @cached_property
    def specificity(self) -> Estimate:
        """The share of 0 that is found: TN / (TN + FP)."""
        return self._share(self.predictions == 0, self.labels == 0)

    @cached_property
    def ppv(self) -> Estimate:
        """The share of 1 among the predictions of 1: TP / (TP + FP)."""
        return self._share(self.labels == 1, self.predictions == 1)

    @cached_property
    def npv(self) -> Estimate:
        """The share of 0 among the predictions of 0: TN / (TN + FN)."""
        return self._share(self.labels == 0, self.predictions == 0)

    @cached_property
    def roc_auc(self) -> Estimate:
        """The area under the ROC curve; DeLong's interval; by group the bootstrap's, which includes it."""
        value = scores.roc_auc(self.labels, self.probabilities)
        if self.units is None:
            return intervals.auc(self.labels, self.probabilities, value)
        return self._area(value, 0, min(self._groups(0), self._groups(1)))

    @cached_property
    def average_precision(self) -> Estimate:
        """The mean precision over the recalls, with the bootstrap's interval; of many examples, by influences."""
        if self.units is None and len(self.labels) > _MANY:
            value, of_rows = influence.average_precision(self.labels, self.probabilities)
            return intervals.area_of_influences(value, of_rows, None, self._groups(1))
        return self._area(scores.average_precision(self.labels, self.probabilities), 1, self._groups(1))

    @cached_property
    def brier(self) -> Estimate:
        """The mean squared error of the probabilities; Student's interval, or the bootstrap's by group."""
        error = intervals.mean((self.probabilities - self.labels) ** 2, self.units)
        return Estimate(error, max(0.0, error.low), error.high)

    @cached_property
    def calibration_error(self) -> Estimate:
        """The expected calibration error in 15 bins, with the bootstrap's interval."""
        value = scores.calibration_error(self.labels, self.probabilities)
        return intervals.calibration(self.labels, self.probabilities, value, self.units)

    def _share(self, right: Array, of: Array) -> Estimate:
        return intervals.share(right[of], None if self.units is None else self.units[of])

    def _area(self, value: float, column: int, fewest: int) -> Estimate:
        """An area with the interval of its draws; Wilson's of `fewest` if it is 0 or 1, and so in all draws."""
        if math.isnan(value):
            return Estimate(value, value, value)
        if min(value, 1 - value) < intervals.ROUNDING:  # a sum of precisions of 1 may end beside 1
            value = float(round(value))
            alone = Estimate.share(int(value) * fewest, fewest)
            return Estimate(value, alone.low, alone.high)
        n = len(self.labels) if self.units is None else int(self.units.max()) + 1
        if n < 2 or (self.units is not None and fewest < 2):  # a single group of a class says nothing of others
            return Estimate(value, 0.0, 1.0)
        low, high = intervals.area_bounds(self._draws[:, column], value, n)
        if self.units is not None:
            low, high = intervals.wider(low, high, self._by_example(value, column))
            if column == 0 and intervals.differing(self.probabilities, self.units) < intervals.FEW:
                least = intervals.random_order(value, self._groups(1), self._groups(0))
                low, high = intervals.wider(low, high, least)
        return Estimate(value, low, high)

    def _by_example(self, value: float, column: int) -> Estimate:
        """The same as if each example were a group of its own."""
        if column == 0:
            return intervals.auc(self.labels, self.probabilities, value)
        drawn = intervals.curve_draws(self.labels, self.probabilities)[:, column]
        return Estimate(value, *intervals.area_bounds(drawn, value, len(self.labels)))

    @cached_property
    def _draws(self) -> Array:
        return intervals.curve_draws(self.labels, self.probabilities, self.units)

    def _groups(self, label: int) -> int:
        """The number of groups, or of examples, of a label."""
        of = self.labels == label
        return int(of.sum()) if self.units is None else len(np.unique(self.units[of]))
