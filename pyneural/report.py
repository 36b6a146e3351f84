"""report.py -- Report: what evaluate found."""

from typing import Any

import numpy as np
import numpy.typing as npt

from pyneural.estimate import Estimate
from pyneural.task import Task

Array = npt.NDArray[Any]


class Report:
    """How a model did on a data set; prints as one line.

    Attributes:
        n: examples.
        accuracy: the share that is right, an Estimate; None where outputs are values.
        loss: the mean loss of an example, an Estimate; the loss trained with where that is one of pn.losses.
        outputs: (n, K), what predict gives.
        predictions: (n,) class numbers; (n, K) where outputs are values.
        labels: the truth, likewise.
        confusion: (K, K) counts, a row a true class, a column a predicted one; None where outputs are values.
        mistakes: the numbers of the wrong ones, the surest first.
    """

    def __init__(
        self, task: Task, outputs: Array, y: Array, errors: Array, name: str, note: str, loss_name: str = "mse"
    ) -> None:
        self.task, self.outputs, self.name, self.note = task, outputs, name, note
        self.loss_name = "loss" if task.kind != "values" else loss_name
        self.n = len(outputs)
        self.loss = Estimate.mean(errors.tolist())
        self.accuracy: Estimate | None = None
        self.confusion: Array | None = None
        self.mistakes: Array = np.empty(0, np.int64)
        if task.kind == "values":
            self.predictions, self.labels = outputs, y
            return
        one = task.kind == "binary"
        self.predictions = (outputs[:, 0] >= task.threshold).astype(np.int64) if one else outputs.argmax(axis=1)
        self.labels = y.reshape(-1).astype(np.int64)
        wrong = np.flatnonzero(self.predictions != self.labels)
        self.mistakes = wrong[np.argsort(-self.confidence[wrong], kind="stable")]
        self.accuracy = Estimate.share(self.n - len(wrong), self.n)
        classes = max(2, task.outputs)
        self.confusion = np.bincount(self.labels * classes + self.predictions, minlength=classes**2)
        self.confusion = self.confusion.reshape(classes, classes)

    @property
    def confidence(self) -> Array:
        """(n,) the probability of the class predicted, 0 to 1."""
        if self.task.kind == "binary":
            return np.asarray(np.maximum(self.outputs[:, 0], 1 - self.outputs[:, 0]))
        return np.asarray(self.outputs.max(axis=1).clip(0, 1))

    def samples(self, count: int = 10) -> None:
        """Prints the first examples: truth, prediction, confidence; and a last line with the share that is right."""
        if self.accuracy is None:
            raise ValueError("samples: the outputs are values; compare report.predictions with report.labels")
        count = min(count, self.n)
        for number in range(count):
            actual, said = self.labels[number], self.predictions[number]
            mark = "ok" if actual == said else "wrong"
            label = self.task.label
            print(
                f"#{number} actual {label(actual)} predicted {label(said)} {100 * self.confidence[number]:.1f} % {mark}"
            )
        right = int(np.sum(self.labels[:count] == self.predictions[:count]))
        print(f"{right} of {count} right: {Estimate.share(right, count)}")

    def __str__(self) -> str:
        parts = [] if self.accuracy is None else [f"accuracy {self.accuracy}"]
        parts.append(f"{self.loss_name} {self.loss:.4g}")
        parts.append(f"n = {self.n:,}")
        if self.note:
            parts.append(self.note)
        return " · ".join(parts)

    __repr__ = __str__
