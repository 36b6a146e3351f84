"""label_scores.py -- LabelScores: the scores of answers to several labels, each yes or no, with their intervals."""

import math
from collections.abc import Callable
from functools import cached_property

import numpy as np

import pyneural.metrics.bootstrap as bootstrap
import pyneural.metrics.influence as influence
import pyneural.metrics.intervals as intervals
import pyneural.metrics.scores as scores
from pyneural.arguments.arrays import Array
from pyneural.metrics.class_scores import ClassScores
from pyneural.metrics.estimate import Estimate

_BLOCKS = 4096  # the most units that are drawn: beyond, examples are drawn in random blocks
Estimates = tuple[Estimate, ...]


class LabelScores:
    """Scores that are computed when they are first read; NaN if the labels do not define them.

    Args:
        labels: (n, K) 0 and 1.
        probabilities: (n, K) of 1.
        predictions: (n, K) 0 and 1.
        units: (n,) the numbers of the groups, from `bootstrap.units_of`; None: each example by itself.
    """

    def __init__(self, labels: Array, probabilities: Array, predictions: Array, units: Array | None) -> None:
        self.labels = labels
        self.probabilities = probabilities.astype(np.float64)
        self.predictions = predictions
        self.units = units

    @property
    def support(self) -> Array:
        """(K,) the number of examples that each label applies to."""
        return np.asarray(self.labels.sum(axis=0))

    @cached_property
    def accuracy(self) -> Estimate:
        """The share of right answers, over all labels of all examples; those of an example are one group."""
        return intervals.share((self.predictions == self.labels).reshape(-1), self._units_of_answers)

    @cached_property
    def exact_match(self) -> Estimate:
        """The share of examples with a right answer to every label."""
        return intervals.share((self.predictions == self.labels).all(axis=1), self.units)

    @property
    def precision(self) -> Estimates:
        """Of each label, the share of its positive answers that are right."""
        return tuple(one.precision[1] for one in self._answers)

    @property
    def recall(self) -> Estimates:
        """Of each label, the share of its examples that are found."""
        return tuple(one.recall[1] for one in self._answers)

    @property
    def f1(self) -> Estimates:
        """Of each label, 2 TP / (2 TP + FP + FN)."""
        return tuple(one.f1[1] for one in self._answers)

    @cached_property
    def f1_macro(self) -> Estimate:
        """The mean F1 of the labels that it is defined for: that apply, or are answered, at least once."""
        right, total = self._counts
        value = _mean(right / np.where(total, total, math.nan))
        if math.isnan(value):
            return Estimate(value, value, value, percent=True)
        drawn_right, drawn_total = self._draws
        there = drawn_total > 0
        shares = np.divide(drawn_right, drawn_total, out=np.zeros_like(drawn_total), where=there)
        drawn = shares.sum(axis=1) / np.maximum(there.sum(axis=1), 1)
        low, high = intervals.bounds(drawn)
        if low == high:  # such as where all answers are right
            known = [one for one in self.f1 if not math.isnan(one)]
            low, high = (float(np.mean([end(one) for one in known])) for end in (_low, _high))
        return Estimate(value, low, high, percent=True)

    @cached_property
    def f1_micro(self) -> Estimate:
        """2 TP / (2 TP + FP + FN) of all answers together."""
        right, total = (float(part.sum()) for part in self._counts)
        if not total:
            return Estimate(math.nan, math.nan, math.nan, percent=True)
        drawn_right, drawn_total = (part.sum(axis=1) for part in self._draws)
        drawn = drawn_right / np.where(drawn_total, drawn_total, math.nan)
        least = intervals.f1(int(right) // 2, int(total), 0)
        return Estimate(right / total, *intervals.wider(*intervals.bounds(drawn), least), percent=True)

    @cached_property
    def roc_auc(self) -> Estimate:
        """The mean of the labels' areas under the ROC curve, of those that apply to some examples, but not to all."""
        return self._mean_area(influence.roc_auc)

    @cached_property
    def average_precision(self) -> Estimate:
        """The mean of the labels' average precisions, of those that apply to some examples."""
        return self._mean_area(influence.average_precision)

    def _mean_area(self, score: Callable[[Array, Array], influence.Influence]) -> Estimate:
        """The mean of an area; its variance is that of the mean influence of an example on all of them."""
        value, of_rows = influence.of_labels(score, self.labels, self.probabilities)
        n = len(self.labels)
        fewest = min((min(yes, n - yes) for yes in self.support.tolist() if 0 < yes < n), default=0)
        return intervals.area_of_influences(value, of_rows, self.units, fewest)

    @cached_property
    def calibration_error(self) -> Estimate:
        """The expected calibration error in 15 bins, of the probabilities of all labels together."""
        y, p = self.labels.reshape(-1), self.probabilities.reshape(-1)
        return intervals.calibration(y, p, scores.calibration_error(y, p), self._units_of_answers)

    @cached_property
    def _answers(self) -> tuple[ClassScores, ...]:
        K = self.labels.shape[1]
        return tuple(ClassScores(self.labels[:, k], self.predictions[:, k], 2, self.units) for k in range(K))

    @property
    def _units_of_answers(self) -> Array:
        """(n K,) the group of each answer: its example, or its example's group."""
        n, K = self.labels.shape
        units = self.units
        if units is None:
            units = np.random.default_rng([0, n]).permutation(n) % _BLOCKS if n > _BLOCKS else np.arange(n)
        return np.repeat(units, K)

    @cached_property
    def _counts(self) -> tuple[Array, Array]:
        """(K,) 2 TP, and (K,) 2 TP + FP + FN, of each label."""
        right = 2 * (self.labels & self.predictions).sum(axis=0)
        return right, (self.labels + self.predictions).sum(axis=0)

    @cached_property
    def _draws(self) -> tuple[Array, Array]:
        """The same (DRAWS, K) of the draws of the bootstrap."""
        both = self.labels & self.predictions
        drawn = bootstrap.sum_draws(np.hstack([2 * both, self.labels + self.predictions]), self.units)
        right, total = np.split(drawn, 2, axis=1)
        return right, total


def baseline(labels: Array) -> dict[str, float]:
    """The scores, by name, of answering the commoner one of yes and no for each label."""
    n = len(labels)
    share = labels.mean(axis=0)
    answers = np.broadcast_to((share > 0.5).astype(np.int64), labels.shape)
    right, total = 2.0 * (labels & answers).sum(axis=0), (labels + answers).sum(axis=0)
    accuracy = float(np.maximum(share, 1 - share).mean())
    applies = share[share > 0]
    return {
        "accuracy": accuracy,
        "exact_match": float((labels == answers).all(axis=1).sum() / n),
        "f1_macro": _mean(right / np.where(total, total, math.nan)),
        "f1_micro": float(right.sum() / total.sum()) if total.any() else math.nan,
        "roc_auc": 0.5,
        "average_precision": float(applies.mean()) if len(applies) else math.nan,
        "calibration_error": scores.calibration_error(labels.reshape(-1), answers.reshape(-1)),
    }


def _mean(values: Array) -> float:
    """The mean of those that are not NaN."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else math.nan


def _low(one: Estimate) -> float:
    return one.low


def _high(one: Estimate) -> float:
    return one.high
