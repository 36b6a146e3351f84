"""influence.py -- scores by name, with the influence of every example on them.

The influence of example i is n times the derivative of the score by the weight of i (Hampel 1974).  So the influences
have mean 0, and the variance of the score is that of the influences, divided by n.  Differences of scores of the same
examples have differences of influences, which is how their intervals are computed.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

import pyneural.metrics.scores as scores
from pyneural.arguments.arrays import Array
from pyneural.card.task import Task

_TIMES = 4  # a class with more than so many times the examples of another one makes data imbalanced
_LEAST = 1e-7  # the least probability in a logarithm


class Influence(NamedTuple):
    """A score, and the influence (n,) of each example."""

    value: float
    of_rows: Array


class Metric(NamedTuple):
    """A score by name.

    Attributes:
        words: its name for readers.
        kinds: the kinds of task that have it.
        higher: whether more is better.
        percent: whether it is a share.
        of: (task, labels as the task encodes them, outputs of predict) -> Influence.
    """

    words: str
    kinds: tuple[str, ...]
    higher: bool
    percent: bool
    of: Callable[[Task, Array, Array], Influence]

    @property
    def change(self) -> str:
        """What is worse without a column, in words."""
        return f"{self.words} {'lost' if self.higher else 'gained'}{' (points)' * self.percent}"


def is_imbalanced(counts: Array) -> bool:
    """Whether of the classes that occur one has more than four times the examples of another.

    Of two classes: whether one has less than 20 %.
    """
    there = counts[counts > 0]
    return len(there) > 1 and bool(there.max() > _TIMES * there.min())


def default_metric(task: Task, y: Array) -> str:
    """The name of the score that suits labels: R², accuracy, or one that is not that of the commonest class alone."""
    if task.kind == "values":
        return "r2"
    if task.kind == "labels":
        yes = y.sum(axis=0)
        uneven = any(is_imbalanced(np.array([len(y) - one, one])) for one in yes.tolist())
        return "roc_auc" if uneven else "accuracy"
    if not is_imbalanced(np.bincount(y.reshape(-1), minlength=2)):
        return "accuracy"
    return "roc_auc" if task.is_two_class else "balanced_accuracy"


# ---- classes, and labels ---------------------------------------------------------------------------------------------


def _accuracy(task: Task, y: Array, outputs: Array) -> Influence:
    right = (task.decide(outputs) == y).astype(np.float64)
    return _mean(right.mean(axis=1) if task.kind == "labels" else right)


def _balanced_accuracy(task: Task, y: Array, outputs: Array) -> Influence:
    right = task.decide(outputs) == y
    _, of = np.unique(y, return_inverse=True)
    counts = np.bincount(of)
    recalls = np.bincount(of, right) / counts
    return Influence(float(recalls.mean()), (right - recalls[of]) * (len(y) / len(counts) / counts)[of])


def _roc_auc(task: Task, y: Array, outputs: Array) -> Influence:
    return of_labels(roc_auc, y, outputs) if task.kind == "labels" else roc_auc(y, outputs[:, -1])


def _average_precision(task: Task, y: Array, outputs: Array) -> Influence:
    score = average_precision
    return of_labels(score, y, outputs) if task.kind == "labels" else score(y, outputs[:, -1])


def of_labels(score: Callable[[Array, Array], Influence], y: Array, p: Array) -> Influence:
    """The mean of a score of each label (n, K) that defines it."""
    columns = [score(y[:, k], p[:, k]) for k in range(y.shape[1])]
    parts = [part for part in columns if not math.isnan(part.value)]
    if not parts:
        return Influence(math.nan, np.zeros(len(y)))
    return Influence(float(np.mean([part.value for part in parts])), np.mean([part.of_rows for part in parts], axis=0))


def roc_auc(y: Array, p: Array) -> Influence:
    """The area under the ROC curve; influences are DeLong's placements (DeLong et al. 1988), less the area."""
    s = p.astype(np.float64)
    value = scores.roc_auc(y, s)
    found = np.zeros(len(y))
    if not math.isnan(value):
        for label in (0, 1):
            own, others = s[y == label], np.sort(s[y != label])
            below = (np.searchsorted(others, own) + np.searchsorted(others, own, side="right")) / (2 * len(others))
            found[y == label] = ((below if label else 1 - below) - value) * (len(y) / len(own))
    return Influence(value, found)


def average_precision(y: Array, p: Array) -> Influence:
    """The average precision AP = Σ Pᵢ / n₁ over the examples i of 1, Pᵢ the precision at the score of i.

    The influence of k is n / n₁ times y_k (P_k - AP) + Σ (y_k - Pᵢ) / Nᵢ, the sum over the examples i of 1 that score
    at most as high as k, where Nᵢ examples score at least as high as i.
    """
    s = p.astype(np.float64)
    value = scores.average_precision(y, s)
    if math.isnan(value):
        return Influence(value, np.zeros(len(y)))
    distinct, at = np.unique(-s, return_inverse=True)  # from the highest score
    new = np.bincount(at, y, len(distinct))
    above = np.bincount(at, minlength=len(distinct)).cumsum()
    precision = new.cumsum() / above
    shares = np.stack([new / above, new * precision / above])
    below = shares[:, ::-1].cumsum(axis=1)[:, ::-1]  # the sums over this score and lower ones
    found = y * (precision[at] - value) + y * below[0][at] - below[1][at]
    return Influence(value, found * (len(y) / y.sum()))


def _log_loss(task: Task, y: Array, outputs: Array) -> Influence:
    p = outputs.astype(np.float64)
    if task.kind == "classes":
        of_label = np.take_along_axis(p, y[:, None], axis=1)[:, 0]
        return _mean(-np.log(of_label.clip(_LEAST, 1)))
    rows = -np.log(np.where(y.reshape(p.shape) == 1, p, 1 - p).clip(_LEAST, 1))
    return _mean(rows.sum(axis=1))


# ---- values ----------------------------------------------------------------------------------------------------------


def _mse(task: Task, y: Array, outputs: Array) -> Influence:
    return _mean(((outputs.astype(np.float64) - y) ** 2).mean(axis=1))


def _mae(task: Task, y: Array, outputs: Array) -> Influence:
    return _mean(np.abs(outputs.astype(np.float64) - y).mean(axis=1))


def _r2(task: Task, y: Array, outputs: Array) -> Influence:
    """R² = the mean over outputs of 1 - E / V, with the influence (E (y - mean)² / V - e²) / V."""
    actual = y.astype(np.float64)
    left = (outputs.astype(np.float64) - actual) ** 2
    around = (actual - actual.mean(axis=0)) ** 2
    E, V = left.mean(axis=0), around.mean(axis=0)
    value = scores.r2(y, outputs)
    if math.isnan(value):
        return Influence(value, np.zeros(len(y)))
    return Influence(value, ((E * around / V - left) / V).mean(axis=1))


def _mean(of_rows: Array) -> Influence:
    value = float(of_rows.mean())
    return Influence(value, of_rows - value)


_ANY = ("classes", "binary", "labels")
METRICS = {
    "accuracy": Metric("accuracy", _ANY, True, True, _accuracy),
    "balanced_accuracy": Metric("balanced accuracy", ("classes", "binary"), True, True, _balanced_accuracy),
    "roc_auc": Metric("ROC AUC", _ANY, True, False, _roc_auc),
    "average_precision": Metric("average precision", _ANY, True, False, _average_precision),
    "log_loss": Metric("log loss", _ANY, False, False, _log_loss),
    "r2": Metric("R²", ("values",), True, False, _r2),
    "mse": Metric("MSE", ("values",), False, False, _mse),
    "mae": Metric("MAE", ("values",), False, False, _mae),
}
