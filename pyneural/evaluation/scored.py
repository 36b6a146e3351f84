"""scored.py -- Scored: the scores of a model's predictions, computed when they are first read.

Values are those of pyneural.metrics.scores, intervals those of pyneural.metrics.intervals.
"""

import math
from functools import cached_property

import numpy as np

import pyneural.metrics.bootstrap as bootstrap
import pyneural.metrics.intervals as intervals
import pyneural.metrics.scores as scores
from pyneural.arguments.arrays import Array
from pyneural.arguments.checks import whole
from pyneural.card.task import Task
from pyneural.metrics.class_scores import ByClass, ClassScores
from pyneural.metrics.estimate import Estimate
from pyneural.metrics.two_classes import TwoClasses

_LARGEST = 1 << 30  # the most bytes of a confusion matrix: 11,585 classes
_TOP = 5  # the k of top-k accuracy, for more classes than that


class Scored:
    """The scores of predictions, the base class of Report, which documents them.

    Args:
        task: what the outputs mean.
        outputs: (n, K).
        y: the labels as the task encodes them; of soft labels (n, K), the class is the most probable one.  Several
            labels, rows of 0 and 1, are those of LabelsReport.
        errors: (n,) the loss of each example.
        loss_name: the name of the loss; "" for mse of values, and for the training loss of classes.
        groups: (n,), or None.
    """

    def __init__(
        self, task: Task, outputs: Array, y: Array, errors: Array, loss_name: str, groups: Array | None
    ) -> None:
        self.task = task
        self.outputs = outputs
        self.loss_name = loss_name or ("mse" if task.kind == "values" else "loss")
        self.n = len(outputs)
        self.groups = groups
        self._errors = errors
        self.mistakes: Array = np.empty(0, np.int64)
        if task.kind in ("values", "labels"):
            self.predictions = outputs if task.kind == "values" else task.decide(outputs)
            self.labels = y
            return
        soft = task.kind == "classes" and y.ndim == 2 and y.shape[1] > 1
        self.predictions = task.decide(outputs)
        self.labels = (y.argmax(axis=1) if soft else y.reshape(-1)).astype(np.int64)
        wrong = np.flatnonzero(self.predictions != self.labels)
        self.mistakes = wrong[np.argsort(-self.confidence[wrong], kind="stable")]

    @cached_property
    def loss(self) -> Estimate:
        """The mean loss per example; the training loss if it is one of pn.losses."""
        return intervals.mean(self._errors, self.units)

    @cached_property
    def accuracy(self) -> Estimate | None:
        """The share of correct predictions; None for regression."""
        return None if self._is_values else intervals.share(self.predictions == self.labels, self.units)

    @property
    def balanced_accuracy(self) -> Estimate | None:
        """The mean recall of the classes that occur; None for regression."""
        return None if self._classes is None else self._classes.balanced_accuracy

    @property
    def precision(self) -> ByClass | None:
        """By class (number or name), the share of its predictions that are right; None for regression."""
        return None if self._classes is None else ByClass(self._classes.precision, self.task.names)

    @property
    def recall(self) -> ByClass | None:
        """By class (number or name), the share of its examples that are predicted right; None for regression."""
        return None if self._classes is None else ByClass(self._classes.recall, self.task.names)

    @property
    def f1(self) -> ByClass | None:
        """By class, 2 TP / (2 TP + FP + FN), the harmonic mean of precision and recall; None for regression."""
        return None if self._classes is None else ByClass(self._classes.f1, self.task.names)

    @property
    def support(self) -> Array | None:
        """(K,) the number of examples of each class; None for regression."""
        return None if self._classes is None else self._classes.support

    def top_k(self, k: int = _TOP) -> Estimate:
        """The share of examples whose class is among the k most probable.

        Raises:
            ValueError: k is not a whole number of at least 1, or there are no classes.
        """
        k = whole("report.top_k", "k", k)
        if self.task.kind != "classes":
            raise ValueError(f"report.top_k: the model has {self.task.kind}, not several outputs, one per class")
        return intervals.share(scores.ranks(self.labels, self.outputs) < k, self.units)

    @property
    def sensitivity(self) -> Estimate | None:
        """Of two classes, the share of the positive ones that are found, TP / (TP + FN); else None."""
        return None if self._two is None else self._two.sensitivity

    @property
    def specificity(self) -> Estimate | None:
        """Of two classes, the share of the negative ones that are found, TN / (TN + FP); else None."""
        return None if self._two is None else self._two.specificity

    @property
    def ppv(self) -> Estimate | None:
        """Of two classes, the share of positive predictions that are right, TP / (TP + FP); else None."""
        return None if self._two is None else self._two.ppv

    @property
    def npv(self) -> Estimate | None:
        """Of two classes, the share of negative predictions that are right, TN / (TN + FN); else None."""
        return None if self._two is None else self._two.npv

    @property
    def roc_auc(self) -> Estimate | None:
        """Of two classes, how often a positive example scores higher than a negative one; else None.

        NaN if only one class occurs.
        """
        return None if self._two is None else self._two.roc_auc

    @property
    def average_precision(self) -> Estimate | None:
        """Of two classes, the mean precision over the recalls; else None."""
        return None if self._two is None else self._two.average_precision

    @property
    def brier(self) -> Estimate | None:
        """Of two classes, the mean squared error of the probability of the positive one; else None."""
        return None if self._two is None else self._two.brier

    @cached_property
    def calibration_error(self) -> Estimate | None:
        """The expected calibration error in 15 bins, of the probability of the positive class; None for regression.

        Of more than two classes, it is that of the confidence as the probability of being right (Guo et al. 2017).
        """
        if self._is_values:
            return None
        if self._two is not None:
            return self._two.calibration_error
        right = (self.predictions == self.labels).astype(np.int64)
        p = self.confidence.astype(np.float64)
        return intervals.calibration(right, p, scores.calibration_error(right, p), self.units)

    @cached_property
    def mse(self) -> Estimate | None:
        """The mean squared error over examples and outputs; None for classes."""
        return intervals.mean((self._off**2).mean(axis=1), self.units) if self._is_values else None

    @cached_property
    def mae(self) -> Estimate | None:
        """The mean absolute error over examples and outputs; of ratings that of the class numbers; else None.

        Ratings are more than two classes whose names are whole numbers, such as 3 to 8, other than 0 to K - 1.
        """
        if self._is_values:
            return intervals.mean(np.abs(self._off).mean(axis=1), self.units)
        numbers = self.task.ratings
        if not len(numbers):
            return None
        error = intervals.mean(np.abs(numbers[self.predictions] - numbers[self.labels]), self.units)
        return Estimate(error, max(0.0, error.low), error.high)

    @cached_property
    def r2(self) -> Estimate | None:
        """The share of the labels' variance that is explained, at most 1; None for classes.

        The mean over outputs of 1 - Σ(y - prediction)² / Σ(y - mean y)²; NaN if a label is constant.
        """
        if not self._is_values:
            return None
        value = scores.r2(self.labels, self.predictions)
        if math.isnan(value):
            return Estimate(value, value, value)
        if self.n < 3 or (self.units is not None and self.units.max() == 0):
            return Estimate(value, -math.inf, 1.0)
        values = self.labels.astype(np.float64), self.predictions.astype(np.float64)
        low, high = intervals.bounds(intervals.r2_draws(*values))
        if self.units is not None:
            of_groups = intervals.bounds(intervals.r2_draws(*values, self.units))
            low, high = intervals.wider(*of_groups, Estimate(value, low, high))
        return Estimate(value, low, high)

    @property
    def estimates(self) -> dict[str, Estimate]:
        """All scores that are one number, by name."""
        names = ["accuracy", "balanced_accuracy"]
        if self._is_values:
            names = ["mse", "mae", "r2"]
        elif self._two is not None:
            names += ["sensitivity", "specificity", "ppv", "npv", "roc_auc", "average_precision", "brier"]
        found = {name: getattr(self, name) for name in names}
        if self.task.kind == "classes" and self.task.outputs > _TOP:
            found[f"top_{_TOP}"] = self.top_k(_TOP)
        if not self._is_values:
            found["calibration_error"] = self.calibration_error
        if self.mae is not None:
            found["mae"] = self.mae
        return found if self.loss_name in found else found | {"loss": self.loss}

    @cached_property
    def baseline(self) -> dict[str, float]:
        """The scores, by name, of always answering the commonest class of this data, or the mean of its values."""
        if self._is_values:
            off = self.labels.astype(np.float64) - self.labels.mean(axis=0, dtype=np.float64)
            return {"mse": float(np.mean(off**2)), "mae": float(np.mean(np.abs(off))), "r2": 0.0}
        counts = np.bincount(self.labels, minlength=2)
        most, share = int(counts.argmax()), float(counts.max() / self.n)
        found = {
            "accuracy": share,
            "balanced_accuracy": 1 / int(np.count_nonzero(counts)),
            "calibration_error": 1 - share,
        }
        if len(numbers := self.task.ratings):
            found["mae"] = float(np.abs(numbers[self.labels] - numbers[most]).mean())
        if self._two is None:
            top = {f"top_{_TOP}": float(np.sort(counts)[-_TOP:].sum() / self.n)}
            return found | top if self.task.outputs > _TOP else found
        positive = float(counts[1] / self.n)
        found |= {"sensitivity": float(most), "specificity": 1.0 - most, "ppv": positive if most else math.nan}
        found |= {"npv": math.nan if most else 1 - positive, "roc_auc": 0.5}
        return found | {"average_precision": positive, "brier": 1 - share}

    @property
    def commonest(self) -> str:
        """The name of the commonest class, which the baseline always answers; "the mean" for regression."""
        return "the mean" if self._is_values else self.task.label(int(np.bincount(self.labels, minlength=2).argmax()))

    @cached_property
    def confusion(self) -> Array | None:
        """(K, K) counts, a row per true class, a column per predicted class; None for regression.

        Counted when it is first read.

        Raises:
            ValueError: there are too many classes for such a table.
        """
        if self._is_values:
            return None
        classes = max(2, self.task.outputs)
        size = classes**2 * np.dtype(np.int64).itemsize
        if size > _LARGEST:
            raise ValueError(
                f"report.confusion: a table of {classes:,} x {classes:,} classes takes {size / 2**30:.1f} GiB: count "
                "the pairs that occur: np.unique(np.stack([report.labels, report.predictions]), axis=1, "
                "return_counts=True)"
            )
        counts = np.bincount(self.labels * classes + self.predictions, minlength=classes**2)
        return counts.reshape(classes, classes)

    @property
    def confidence(self) -> Array:
        """(n,) the probability of the predicted class, 0 to 1."""
        if self.task.kind == "binary":
            return np.asarray(np.where(self.predictions, self.outputs[:, 0], 1 - self.outputs[:, 0]))
        return np.take_along_axis(self.outputs, self.predictions[:, None], axis=1)[:, 0].clip(0, 1)

    @property
    def positive(self) -> Array | None:
        """(n,) the probability of the positive class, class 1, of two classes; else None."""
        return None if self._two is None else self.outputs[:, -1]

    @property
    def _is_values(self) -> bool:
        return self.task.kind == "values"

    @cached_property
    def units(self) -> Array | None:
        """(n,) the numbers of the groups; None if there are none, or if each example is a group of its own."""
        return bootstrap.units_of(self.groups)

    @cached_property
    def _two(self) -> TwoClasses | None:
        if not self.task.is_two_class:
            return None
        return TwoClasses(self.labels, self.outputs[:, -1], self.predictions, self.units)

    @cached_property
    def _classes(self) -> ClassScores | None:
        if self._is_values:
            return None
        return ClassScores(self.labels, self.predictions, max(2, self.task.outputs), self.units)

    @property
    def _off(self) -> Array:
        return self.predictions.astype(np.float64) - self.labels
