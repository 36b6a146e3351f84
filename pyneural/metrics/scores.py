"""scores.py -- scores of predictions, as plain functions on arrays: (labels, predictions) -> a number or a curve.

In functions of two classes, labels are 0 and 1, and a score is higher where 1 is likelier, such as its probability.
A score that is undefined, such as the area under a curve where all labels are equal, is NaN.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from pyneural.arguments.arrays import Array
from pyneural.arguments.checks import whole
from pyneural.arguments.familiar_keywords import OF_ANSWERS, OF_PROBABILITIES, OF_SCORES
from pyneural.arguments.objects import refuse_masked
from pyneural.arguments.spelling import check_keywords

BINS = 15  # of calibration curves
_AT_ONCE = 1 << 22  # elements of temporary arrays


class Curve(NamedTuple):
    """A curve over thresholds: a score of at least `thresholds[i]` predicts 1, which gives the point (x[i], y[i])."""

    x: Array
    y: Array
    thresholds: Array


class Calibration(NamedTuple):
    """A calibration curve, one entry per bin: the mean probability, the share of 1, and the number of examples."""

    probability: Array
    share: Array
    n: Array


# ---- classes ---------------------------------------------------------------------------------------------------------


@check_keywords(**OF_ANSWERS)
def balanced_accuracy(labels: Any, predictions: Any) -> float:
    """The mean recall of the classes that occur (Brodersen et al. 2010); guessing gives 1 / classes.

    >>> balanced_accuracy([0, 0, 0, 1], [0, 0, 0, 0])
    0.5
    """
    y = _class_numbers("balanced_accuracy", labels)
    predicted = _class_numbers("balanced_accuracy", predictions, len(y))
    of = np.unique(y, return_inverse=True)[1].reshape(-1)
    return float(np.mean(np.bincount(of, y == predicted) / np.bincount(of))) if len(y) else math.nan


@check_keywords(**OF_PROBABILITIES)
def top_k(labels: Any, probabilities: Any, k: int = 5) -> float:
    """The share of examples whose class is among the k most probable; of equal ones, the lower number comes first.

    >>> top_k([2, 0], [[0.5, 0.2, 0.3], [0.1, 0.3, 0.6]], k=2)
    0.5
    """
    y = _class_numbers("top_k", labels)
    k = whole("top_k", "k", k)
    p = _array("top_k: probabilities", probabilities)
    if p.ndim != 2 or len(p) != len(y) or p.dtype.kind not in "iubf":
        raise ValueError(
            f"top_k: there are {len(y):,} labels, probabilities are {p.dtype} {p.shape}: give (n, classes)"
        )
    if len(y) and y.max() >= p.shape[1]:
        raise ValueError(
            f"top_k: a label is {y.max()}, and there are probabilities of {p.shape[1]} classes: give (n, K)"
        )
    return float(np.mean(ranks(y, p) < k)) if len(y) else math.nan


def ranks(labels: Array, probabilities: Array) -> Array:
    """(n,) the number of classes that are more probable than an example's own; all of them if that is NaN."""
    n, classes = probabilities.shape
    found = np.empty(n, np.int64)
    step = max(1, _AT_ONCE // classes)
    before = np.arange(classes)
    for start in range(0, n, step):
        rows = probabilities[start : start + step]
        of = labels[start : start + step, None]
        own = np.take_along_axis(rows, of, axis=1)
        above = (rows > own) | ((rows == own) & (before < of))
        found[start : start + step] = np.where(np.isnan(own[:, 0]), classes, above.sum(axis=1))
    return found


# ---- two classes -----------------------------------------------------------------------------------------------------


@check_keywords(**OF_SCORES)
def roc_curve(labels: Any, scores: Any) -> Curve:
    """The share of 0 above each threshold (false positive rate) against the share of 1 (sensitivity), (Fawcett 2006).

    >>> roc_curve([0, 1], [0.2, 0.7]).y.tolist()
    [0.0, 1.0, 1.0]
    """
    y, s = labels_and_scores("roc_curve", labels, scores)
    thresholds, hits, alarms = _counts_above(y, s)
    positives, negatives = max(1, int(y.sum())), max(1, int(len(y) - y.sum()))
    return Curve(
        np.concatenate([[0.0], alarms / negatives]),
        np.concatenate([[0.0], hits / positives]),
        np.concatenate([[math.inf], thresholds]),
    )


@check_keywords(**OF_SCORES)
def precision_recall_curve(labels: Any, scores: Any) -> Curve:
    """Recall, the share of 1 that is above each threshold, against precision, the share of 1 among all above it.

    >>> precision_recall_curve([0, 1], [0.2, 0.7]).y.tolist()
    [1.0, 0.5]
    """
    y, s = labels_and_scores("precision_recall_curve", labels, scores)
    thresholds, hits, alarms = _counts_above(y, s)
    return Curve(hits / max(1, int(y.sum())), hits / (hits + alarms), thresholds)


@check_keywords(**OF_SCORES)
def roc_auc(labels: Any, scores: Any) -> float:
    """The area under the ROC curve: the probability that an example of 1 scores higher than one of 0.

    Σ ([s₁ > s₀] + [s₁ = s₀] / 2) / (n₁ n₀), over all pairs (Hanley and McNeil 1982); NaN if all labels are equal.

    >>> roc_auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75
    """
    y, s = labels_and_scores("roc_auc", labels, scores)
    positives = int(y.sum())
    negatives = len(y) - positives
    if not positives or not negatives or np.isnan(s).any():
        return math.nan
    _, hits, alarms = _counts_above(y, s)
    new = np.diff(hits, prepend=0)
    below = negatives - alarms  # of 0, below each threshold
    tied = np.diff(alarms, prepend=0)
    return float((new * (2 * below + tied)).sum() / (2 * positives * negatives))


@check_keywords(**OF_SCORES)
def average_precision(labels: Any, scores: Any) -> float:
    """The mean precision over the recalls: Σ (Rᵢ - Rᵢ₋₁) Pᵢ, over thresholds; NaN if no label is 1.

    Unlike the trapezoidal area, it does not interpolate between points (Davis and Goadrich 2006).

    >>> round(average_precision([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]), 4)
    0.8333
    """
    y, s = labels_and_scores("average_precision", labels, scores)
    if not y.any() or np.isnan(s).any():
        return math.nan
    recall, precision, _ = precision_recall_curve(y, s)
    return float((np.diff(recall, prepend=0.0) * precision).sum())


@check_keywords(**OF_PROBABILITIES)
def brier(labels: Any, probabilities: Any) -> float:
    """The mean squared error of the probabilities of 1: Σ (p - y)² / n (Brier 1950).

    >>> brier([0, 1], [0.0, 0.5])
    0.125
    """
    y, p = labels_and_scores("brier", labels, probabilities)
    return float(np.mean((p - y) ** 2)) if len(y) else math.nan


@check_keywords(**OF_PROBABILITIES)
def calibration_curve(labels: Any, probabilities: Any, bins: int = BINS) -> Calibration:
    """The share of 1 among examples of similar probability, in bins of equal width from 0 to 1.

    A bin includes its upper end, the first one also 0; empty bins are left out.

    >>> calibration_curve([0, 1, 1], [0.1, 0.1, 0.9], bins=2).share.tolist()
    [0.5, 1.0]
    """
    y, p = labels_and_scores("calibration_curve", labels, probabilities)
    bins = whole("calibration_curve", "bins", bins)
    bin_of = bin_numbers(p, bins)
    count = np.bincount(bin_of, minlength=bins)
    there = count > 0
    mean, share = (np.bincount(bin_of, values, bins)[there] / count[there] for values in (p, y))
    return Calibration(mean, share, count[there])


def bin_numbers(probabilities: Array, bins: int = BINS) -> Array:
    """The bin of each probability; what is outside of 0 to 1 is in the nearest bin, NaN in the last one."""
    return np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], probabilities)


@check_keywords(**OF_PROBABILITIES)
def calibration_error(labels: Any, probabilities: Any, bins: int = BINS) -> float:
    """The expected calibration error: Σ (count / n) |share - mean probability|, over the bins of `calibration_curve`.

    Source: Naeini, Cooper and Hauskrecht 2015; bins of equal width.

    >>> round(calibration_error([0, 1, 1], [0.1, 0.1, 0.9], bins=2), 4)
    0.3
    """
    probability, share, count = calibration_curve(labels, probabilities, bins)
    n = count.sum()
    return float((count * np.abs(share - probability)).sum() / n) if n else math.nan


# ---- values ----------------------------------------------------------------------------------------------------------


@check_keywords(**OF_ANSWERS)
def mse(labels: Any, predictions: Any) -> float:
    """Σ (y - prediction)² / n, the mean over examples and outputs.

    >>> mse([1.0, 2.0], [1.0, 4.0])
    2.0
    """
    y, predicted = _values("mse", labels, predictions)
    return float(np.mean((y - predicted) ** 2)) if y.size else math.nan


@check_keywords(**OF_ANSWERS)
def mae(labels: Any, predictions: Any) -> float:
    """Σ |y - prediction| / n, the mean over examples and outputs.

    >>> mae([1.0, 2.0], [1.0, 4.0])
    1.0
    """
    y, predicted = _values("mae", labels, predictions)
    return float(np.mean(np.abs(y - predicted))) if y.size else math.nan


@check_keywords(**OF_ANSWERS)
def r2(labels: Any, predictions: Any) -> float:
    """The share of the labels' variance that is explained: 1 - Σ (y - prediction)² / Σ (y - mean y)², at most 1.

    The mean over outputs; NaN if a label is constant.

    >>> r2([1.0, 2.0, 3.0], [1.0, 2.0, 2.0])
    0.5
    """
    y, predicted = _values("r2", labels, predictions)
    if not np.all(np.any(y[1:] != y[:1], axis=0)):  # the mean of equal labels need not be them, but for rounding
        return math.nan
    left = ((y - predicted) ** 2).sum(axis=0)
    return float(np.mean(1 - left / ((y - y.mean(axis=0)) ** 2).sum(axis=0)))


# ---- arguments -------------------------------------------------------------------------------------------------------


def _counts_above(y: Array, s: Array) -> tuple[Array, Array, Array]:
    """The distinct scores from the highest, and how many examples of 1 and of 0 have at least that score."""
    order = np.argsort(-s, kind="stable")
    sorted_scores = s[order]
    changes = np.flatnonzero(sorted_scores[1:] != sorted_scores[:-1])
    ends = np.append(changes, len(s) - 1) if len(s) else np.empty(0, np.int64)
    hits = np.cumsum(y[order])[ends]
    return sorted_scores[ends], hits, ends + 1 - hits


def _array(what: str, values: Any, dtype: Any = None) -> Array:
    refuse_masked(what, values)
    return np.asarray(values, dtype)


def _class_numbers(who: str, values: Any, n: int | None = None) -> Array:
    array = _array(f"{who}: {'labels' if n is None else 'predictions'}", values)
    if array.ndim != 1 or array.dtype.kind not in "iub" or (array.size and array.min() < 0):
        raise ValueError(f"{who}: labels and predictions are class numbers (n,), got {array.dtype} {array.shape}")
    if n is not None and len(array) != n:
        raise ValueError(f"{who}: there are {n:,} labels and {len(array):,} predictions: give one for each")
    return array.astype(np.int64)


def labels_and_scores(who: str, labels: Any, scores: Any) -> tuple[Array, Array]:
    """Labels of two classes as int64, scores as float64.

    Raises:
        ValueError: they are something else; the message starts with `who`.
    """
    y = _array(f"{who}: labels", labels)
    s = _array(f"{who}: scores", scores)
    if y.ndim != 1 or y.dtype.kind not in "iubf" or not np.isin(y, (0, 1)).all():
        raise ValueError(f"{who}: labels are 0 and 1, (n,), got {y.dtype} {y.shape}: of more classes, give y == number")
    if s.shape != y.shape or s.dtype.kind not in "iubf":
        raise ValueError(f"{who}: there are {len(y):,} labels, scores are {s.dtype} {s.shape}: give one for each label")
    return y.astype(np.int64), s.astype(np.float64)


def _values(who: str, labels: Any, predictions: Any) -> tuple[Array, Array]:
    y = _array(f"{who}: labels", labels, np.float64)
    predicted = _array(f"{who}: predictions", predictions, np.float64)
    if y.shape != predicted.shape or y.ndim == 0:
        raise ValueError(f"{who}: labels are {y.shape}, predictions {predicted.shape}: give both alike, (n,) or (n, K)")
    return y, predicted
