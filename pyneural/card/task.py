"""task.py -- the task of a model: what its outputs mean, and how labels are encoded for the loss."""

import math
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

import pyneural.card.several as several
import pyneural.card.soft as soft
from pyneural.arguments.arrays import Array
from pyneural.card.classes import Names, are_numbers, by_name, by_number, listed, renumbered
from pyneural.card.labels import check_finite, class_numbers, column, out_of_range, values

KINDS = ("classes", "binary", "values", "labels")
REGRESSION = ("mse", "mae", "huber")  # losses that take outputs without softmax, and one-hot encode class numbers


@dataclass(frozen=True)
class Task:
    """What the outputs of a model mean.

    Args:
        kind: "classes" (K outputs, labels 0..K-1), "binary" (one output, labels 0 and 1), "values" (K numbers) or
            "labels" (K outputs, of which each answers yes or no by itself; rows of 0 and 1).
        outputs: K.
        classes: the names of the classes, of the labels, or of several values; empty if they are their numbers.
        threshold: of two classes, the probability of the second one, class 1, from which it is the answer.
        temperature: what the logits are divided by before they become probabilities (Guo et al. 2017); from
            pn.calibrate.
        thresholds: of labels, the probability of each from which it applies; empty: 0.5 for each.
    """

    kind: str
    outputs: int
    classes: tuple[str, ...] = ()
    threshold: float = 0.5
    temperature: float = 1.0
    thresholds: tuple[float, ...] = ()

    @property
    def is_two_class(self) -> bool:
        """Whether the answer is one of two classes: of one output, or of two."""
        return self.kind == "binary" or (self.kind == "classes" and self.outputs == 2)

    def decide(self, outputs: Array) -> Array:
        """The class numbers (n,) that predictions (n, outputs) mean; of labels, rows (n, outputs) of 0 and 1."""
        if self.kind == "labels":
            return np.asarray(outputs >= np.asarray(self.by_label, outputs.dtype)).astype(np.int64)
        if self.kind == "binary" or (self.is_two_class and self.threshold != 0.5):
            return np.asarray(outputs[:, -1] >= self.threshold).astype(np.int64)
        return np.asarray(outputs.argmax(axis=1))

    def uncalibrated(self) -> Self:
        """The task with temperature 1, and the threshold that gives the same answers then."""
        if self.temperature == 1:
            return self
        return self.at(1.0)

    def at(self, temperature: float) -> Self:
        """The task with another temperature, and the thresholds that give the same answers then."""
        factor = self.temperature / temperature
        thresholds = tuple(rescaled(one, factor) for one in self.thresholds)
        threshold = rescaled(self.threshold, factor)
        return replace(self, threshold=threshold, temperature=temperature, thresholds=thresholds)

    @property
    def by_label(self) -> tuple[float, ...]:
        """The threshold of each label."""
        return self.thresholds or (0.5,) * self.outputs

    def of_label(self, number: int) -> Self:
        """The task of one label by itself: two classes, of which the second is that it applies."""
        name = self.label(number)
        return replace(
            self,
            kind="binary",
            outputs=1,
            classes=(f"not {name}", name),
            threshold=self.by_label[number],
            thresholds=(),
        )

    def label(self, number: int) -> str:
        """The name of a class."""
        return self.classes[number] if self.classes else str(number)

    @property
    def names(self) -> Names:
        """The names of all classes, in order; their numbers if they have no names."""
        return self.classes or tuple(map(str, range(max(2, self.outputs))))

    @property
    def ratings(self) -> Array:
        """(K,) the numbers that more than two classes are named by, if they are not 0 to K - 1; else none, (0,)."""
        numbered = self.kind == "classes" and self.outputs > 2 and bool(self.classes) and are_numbers(self.classes)
        numbers = list(map(int, self.classes)) if numbered else []
        return np.array([] if sorted(numbers) == list(range(self.outputs)) else numbers, np.float64)

    def named(self, classes: Names) -> Self:
        """The task with class names, if the model was trained on numbers and the data has names; else unchanged."""
        if self.kind == "values" or self.classes or len(classes) != max(2, self.outputs):
            return self
        return self if set(classes) == set(self.names) else replace(self, classes=classes)

    def as_json(self) -> dict[str, Any]:
        """All fields as JSON values."""
        record = vars(self) | {"classes": list(self.classes), "thresholds": list(self.thresholds)}
        return record if self.thresholds else {name: value for name, value in record.items() if name != "thresholds"}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Self:
        """The inverse of as_json."""
        task = cls(
            str(record["kind"]),
            int(record["outputs"]),
            tuple(map(str, record["classes"])),
            float(record["threshold"]),
            float(record.get("temperature", 1.0)),  # older files have none
            tuple(map(float, record.get("thresholds", ()))),
        )
        if task.kind not in KINDS or task.outputs < 1 or (task.classes and len(task.classes) != max(2, task.outputs)):
            raise ValueError(f"task {record} is invalid")
        if task.thresholds and (task.kind != "labels" or len(task.thresholds) != task.outputs):
            raise ValueError(f"task {record} is invalid: it has a threshold for each label")
        shares = (task.threshold, *task.thresholds)
        if not all(0 <= share <= 1 for share in shares) or not 0 < task.temperature < math.inf:
            raise ValueError(f"task {record} is invalid: its threshold is a probability, its temperature above 0")
        return task

    def encode(self, y: Array, dtype: str, who: str, classes: Names = (), *, as_rows: bool = False) -> Array:
        """Encodes labels for the loss: int64 (n,) for classes, (n, 1) for binary, floats (n, outputs) for values.

        Soft labels, rows of probabilities, become floats (n, outputs); rows of 0 and 1 of several labels int64.

        Args:
            y: labels (n,), (n, 1) or (n, K).
            dtype: the dtype of values and probabilities.
            who: the prefix of messages.
            classes: the names of the data's class numbers, if it has any.
            as_rows: class numbers become one-hot rows, because other examples have soft labels.

        Raises:
            ValueError: the labels do not fit the task; the message says how.
        """
        y = column(y)
        check_finite(y, who)
        if self.kind == "values":
            return values(self._in_order(y, classes, who), self.outputs, dtype, who)
        if self.kind == "labels":
            return several.encoded(y, self.outputs, who, lambda used: self._matched(used, classes, who), classes)
        if self.kind == "classes" and soft.are_soft(y):
            return soft.encoded(y, self.outputs, dtype, who, lambda used: self._matched(used, classes, who), classes)
        numbers = self._class_numbers(y, classes, who)
        low, high = int(numbers.min()), int(numbers.max())
        if low < 0 or high > max(1, self.outputs - 1):
            raise ValueError(f"{who}: {out_of_range(low, high, self.outputs)}")
        if as_rows:
            return soft.one_hot(numbers, self.outputs, dtype)
        return np.ascontiguousarray(numbers if self.kind == "classes" else numbers.reshape(-1, 1), np.int64)

    def _in_order(self, y: Array, given: Names, who: str) -> Array:
        """Several values, whose columns the data names, in the order of the model's names."""
        named = y.ndim == 2 and len(given) == y.shape[1] and bool(self.classes)
        if not named or given == self.classes:
            return y
        if set(given) != set(self.classes):
            raise ValueError(
                f"{who}: the values of y are {listed(given)}; the model's are {listed(self.classes)}: give these"
            )
        return y[:, [given.index(name) for name in self.classes]]

    def _class_numbers(self, y: Array, classes: Names, who: str) -> Array:
        """Labels as the model's class numbers; matched by name if data and model have names."""
        if y.dtype.kind in "USO":
            return by_name(y, self.names, self._known, who)
        numbers = self._matched(class_numbers(y, self.classes, who), classes, who)
        if not classes and self.classes and y.ndim == 1 and are_numbers(self.classes):
            return by_number(numbers, self.classes, self._known, who)
        return numbers

    def _matched(self, numbers: Array, classes: Names, who: str) -> Array:
        """The model's class numbers for the data's, by name if both have names."""
        if classes and classes != self.classes and self.named(classes) is self:
            return renumbered(numbers, classes, self.names, self._known, who)
        return numbers

    @property
    def _known(self) -> str:
        """Introduces the names in messages."""
        return f"the model's classes are{'' if self.classes else ' the numbers'}"


def rescaled(probability: float, factor: float) -> float:
    """The probability whose log odds are those of `probability` times a factor.

    >>> rescaled(0.5, 3.0), round(rescaled(0.9, 2.0), 4)
    (0.5, 0.9878)
    """
    if probability in (0.0, 1.0):
        return probability
    odds = math.log(probability / (1 - probability)) * factor
    return (1 + math.tanh(odds / 2)) / 2
