"""labels_report.py -- LabelsReport: the evaluation of a model of several labels, each yes or no."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np

from pyneural.arguments.arrays import Array
from pyneural.arguments.checks import whole
from pyneural.card.task import Task
from pyneural.evaluation.lines import say
from pyneural.evaluation.report import Report
from pyneural.metrics.class_scores import ByClass
from pyneural.metrics.estimate import Estimate
from pyneural.metrics.label_scores import LabelScores, baseline


class LabelsReport(Report):
    """The evaluation of a model of several labels.

    Scores of one label are in `by_label["fog"]`, which is a Report of two classes, and `precision`, `recall` and `f1`
    are by label.  `roc_auc` and `average_precision` are the means over the labels that they are defined for.

    Attributes:
        outputs: (n, K), the probabilities.
        predictions: (n, K), 0 and 1.
        labels: (n, K), 0 and 1.
        mistakes: the numbers of the examples with a wrong answer, those with most of them first.
    """

    def __init__(self, *arguments: Any, **known: Any) -> None:
        super().__init__(*arguments, **known)
        wrong = (self.predictions != self.labels).sum(axis=1)
        rows = np.flatnonzero(wrong)
        self.mistakes = rows[np.lexsort((-self.confidence[rows], -wrong[rows]))]

    @property
    def accuracy(self) -> Estimate:
        """The share of right answers, over all labels of all examples."""
        return self._labels.accuracy

    @property
    def exact_match(self) -> Estimate:
        """The share of examples with a right answer to every label."""
        return self._labels.exact_match

    @property
    def balanced_accuracy(self) -> None:
        """None: it is of classes."""
        return

    @property
    def precision(self) -> ByClass:
        """By label (number or name), the share of its positive answers that are right."""
        return ByClass(self._labels.precision, self.task.names)

    @property
    def recall(self) -> ByClass:
        """By label (number or name), the share of its examples that are found."""
        return ByClass(self._labels.recall, self.task.names)

    @property
    def f1(self) -> ByClass:
        """By label (number or name), 2 TP / (2 TP + FP + FN)."""
        return ByClass(self._labels.f1, self.task.names)

    @property
    def f1_macro(self) -> Estimate:
        """The mean F1 of the labels that apply, or are answered, at least once."""
        return self._labels.f1_macro

    @property
    def f1_micro(self) -> Estimate:
        """2 TP / (2 TP + FP + FN) of all answers together."""
        return self._labels.f1_micro

    @property
    def support(self) -> Array:
        """(K,) the number of examples that each label applies to."""
        return self._labels.support

    @property
    def roc_auc(self) -> Estimate:
        """The mean of the labels' areas under the ROC curve."""
        return self._labels.roc_auc

    @property
    def average_precision(self) -> Estimate:
        """The mean of the labels' average precisions."""
        return self._labels.average_precision

    @property
    def calibration_error(self) -> Estimate:
        """The expected calibration error in 15 bins, of the probabilities of all labels together."""
        return self._labels.calibration_error

    @property
    def estimates(self) -> dict[str, Estimate]:
        """All scores that are one number, by name."""
        found = {name: getattr(self, name) for name in self.baseline}
        return found | {"loss": self.loss}

    @cached_property
    def baseline(self) -> dict[str, float]:
        """The scores, by name, of answering the commoner one of yes and no for each label."""
        return baseline(self.labels)

    @property
    def commonest(self) -> str:
        """What the baseline answers."""
        return "commoner answers"

    @cached_property
    def confusion(self) -> Array:
        """(K, 2, 2) counts of each label, a row for no and yes, a column for the answers no and yes."""
        kinds = 2 * self.labels + self.predictions
        counts = [np.bincount(column, minlength=4) for column in kinds.T]
        return np.asarray(counts).reshape(-1, 2, 2)

    @cached_property
    def by_label(self) -> dict[str, Report]:
        """The report of each label by name, as of two classes."""
        known: dict[str, Any] = {"groups": self.groups, "files": self.files, "mark": self.mark}
        found = {}
        for number, name in enumerate(self.task.names):
            p, y = self.outputs[:, number], self.labels[:, number]
            least = np.finfo(p.dtype).tiny
            errors = -np.log(np.maximum(np.where(y, p, 1 - p).astype(np.float64), least))
            what = f"{self.name}: {name}" if self.name else name
            found[name] = Report(self.task.of_label(number), p[:, None], y, errors, what, self.note, **known)
        return found

    @property
    def confidence(self) -> Array:
        """(n,) the lowest probability of the answers to an example's labels, 0.5 to 1 at thresholds of 0.5."""
        return np.asarray(np.where(self.predictions, self.outputs, 1 - self.outputs).min(axis=1))

    def samples(self, count: int = 10) -> None:
        """Prints the first examples: labels, predicted labels; then the proportion of exact matches.

        Raises:
            ValueError: count is not a whole number of at least 1.
        """
        count = min(whole("report.samples", "count", count), self.n)
        right = (self.labels[:count] == self.predictions[:count]).all(axis=1)
        for row in range(count):
            actual, predicted = (named(self.task, rows[row]) for rows in (self.labels, self.predictions))
            say([f"#{row} actual {actual} predicted {predicted} {'ok' if right[row] else 'wrong'}"])
        hits = int(right.sum())
        say([f"{hits} of {count} exactly right: {Estimate.share(hits, count)}"])

    def _answers(self) -> Iterator[list[object]]:
        yield [f"{what} {name}" for name in self.task.names for what in ("actual", "predicted", "probability of")]
        for actual, predicted, shares in zip(self.labels, self.predictions, self.outputs, strict=True):
            triples = zip(actual.tolist(), predicted.tolist(), shares.tolist(), strict=True)
            yield [cell for y, answer, p in triples for cell in (y, answer, f"{p:.9g}")]

    @cached_property
    def _labels(self) -> LabelScores:
        return LabelScores(self.labels, self.outputs, self.predictions, self.units)


def named(task: Task, row: Array) -> str:
    """The labels that apply, in words."""
    return ", ".join(task.label(number) for number in np.flatnonzero(row).tolist()) or "none"


def report_of(task: Task, *arguments: Any, **known: Any) -> Report:
    """The report of the kind that suits the task; the arguments are those of Report."""
    return (LabelsReport if task.kind == "labels" else Report)(task, *arguments, **known)
