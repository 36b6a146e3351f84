"""report.py -- Report: the result of an evaluation."""

import math
import sys
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from pyneural.arguments.arrays import Array
from pyneural.arguments.checks import whole
from pyneural.arguments.familiar import OF_REPORT
from pyneural.arguments.spelling import no_attribute
from pyneural.card.task import Task
from pyneural.evaluation.lines import say
from pyneural.metrics.estimate import Estimate
from pyneural.printing import encodable, put

_LARGEST = 1 << 30  # the most bytes of a confusion matrix: 11,585 classes
_SHOWN = 4  # the most values shown per example


class Report:
    """The evaluation of a model on a data set; prints as one line.

    Attributes:
        n: examples.
        accuracy: the proportion of correct predictions, an Estimate; None for regression.
        loss: the mean loss per example, an Estimate; the training loss if it is one of pn.losses.
        outputs: (n, K), the result of predict.
        r2: for regression, the proportion of the labels' variance that is explained, at most 1: the mean over outputs
            of 1 - Σ(y - prediction)² / Σ(y - mean y)²; NaN if a label is constant; None for classes.
        predictions: (n,) class numbers; (n, K) values for regression.
        labels: the true ones, in the same form.
        mistakes: the numbers of the wrong ones, most confident first.
    """

    def __init__(
        self, task: Task, outputs: Array, y: Array, errors: Array, name: str, note: str, loss_name: str = "mse"
    ) -> None:
        self.task = task
        self.outputs = outputs
        self.name = name
        self.note = note
        self.loss_name = "loss" if task.kind != "values" else loss_name
        self.n = len(outputs)
        self.printed_in: int | None = None  # the notebook cell where evaluate printed it
        self.loss = Estimate.mean(errors.tolist())
        self.accuracy: Estimate | None = None
        self.r2: float | None = None
        self.mistakes: Array = np.empty(0, np.int64)
        if task.kind == "values":
            self.predictions = outputs
            self.labels = y
            self.r2 = _explained(outputs, y)
            return
        one = task.kind == "binary"
        self.predictions = (outputs[:, 0] >= task.threshold).astype(np.int64) if one else outputs.argmax(axis=1)
        self.labels = y.reshape(-1).astype(np.int64)
        wrong = np.flatnonzero(self.predictions != self.labels)
        self.mistakes = wrong[np.argsort(-self.confidence[wrong], kind="stable")]
        self.accuracy = Estimate.share(self.n - len(wrong), self.n)

    @cached_property
    def confusion(self) -> Array | None:
        """(K, K) counts, a row per true class, a column per predicted class; None for regression.

        Counted when it is first read.

        Raises:
            ValueError: there are too many classes for such a table.
        """
        if self.accuracy is None:
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
            return np.asarray(np.maximum(self.outputs[:, 0], 1 - self.outputs[:, 0]))
        return np.asarray(self.outputs.max(axis=1).clip(0, 1))

    if not TYPE_CHECKING:  # type checkers report wrong names by themselves

        def __getattr__(self, name):
            raise no_attribute("a report", self, name, OF_REPORT)

    def samples(self, count: int = 10) -> None:
        """Prints the first examples: label, prediction, confidence; then the proportion of correct ones.

        For regression: label, prediction, mean absolute error; then the mean of these errors.

        Raises:
            ValueError: count is not a whole number of at least 1.
        """
        count = min(whole("report.samples", "count", count), self.n)
        actual = self.labels[:count]
        predicted = self.predictions[:count]
        if self.accuracy is None:
            off = np.abs(predicted.astype(np.float64) - actual).mean(axis=1)
            for number, (one, other, error) in enumerate(zip(actual, predicted, off, strict=True)):
                say([f"#{number} actual {_row(one)} predicted {_row(other)} off {error:.3g}"])
            say([f"mean absolute error of {count}: {Estimate.mean(off.tolist())}"])
            return
        label = self.task.label
        shares = 100 * self.confidence[:count]
        for number, (one, other, share) in enumerate(zip(actual, predicted, shares, strict=True)):
            mark = "ok" if one == other else "wrong"
            say([f"#{number} actual {label(one)} predicted {label(other)} {share:.1f} % {mark}"])
        right = int(np.sum(actual == predicted))
        say([f"{right} of {count} right: {Estimate.share(right, count)}"])

    @property
    def parts(self) -> list[str]:
        """The parts of its line: accuracy, loss, examples."""
        parts = [] if self.accuracy is None else [f"accuracy {self.accuracy}"]
        parts.append(f"{self.loss_name} {self.loss:.4g}")
        if self.r2 is not None:
            parts.append(f"R² {self.r2:.4f}")
        parts.append(f"n = {self.n:,}")
        if self.note:
            parts.append(self.note)
        return parts

    def __str__(self) -> str:
        return encodable(" · ".join(self.parts))

    __repr__ = __str__

    def _ipython_display_(self) -> None:
        """Shows the line in a notebook, unless pn.evaluate printed it in the same cell."""
        if self.printed_in is None or self.printed_in != this_cell():
            put(str(self))


class Reports(dict[str, Report]):
    """The reports of a model with heads, by head."""

    def _ipython_display_(self) -> None:
        """Shows one line per head in a notebook, unless pn.evaluate printed them in the same cell."""
        for head, report in self.items():
            if report.printed_in is None or report.printed_in != this_cell():
                put(f"{head}: {report}")


def this_cell() -> int | None:
    """The number of the running notebook cell; None outside of notebooks and IPython."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return None if shell is None else int(shell.execution_count)


def _explained(outputs: Array, y: Array) -> float:
    truth = y.astype(np.float64)
    left = ((truth - outputs) ** 2).sum(axis=0)
    there = ((truth - truth.mean(axis=0)) ** 2).sum(axis=0)
    return float(np.mean(1 - left / there)) if len(truth) and np.all(there > 0) else math.nan


def _row(values: Array) -> str:
    shown = ", ".join(f"{value:.4g}" for value in values[:_SHOWN])
    return shown if len(values) <= _SHOWN else f"{shown}, ..."
