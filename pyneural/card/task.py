"""task.py -- the task of a model, inferred from the labels: classes, binary, or values."""

import math
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

import pyneural.card.soft as soft
from pyneural.arguments.arrays import Array
from pyneural.card.classes import Names, are_numbers, by_name, by_number, in_order, listed, renumbered
from pyneural.card.labels import (
    check_finite,
    class_numbers,
    column,
    integers,
    is_one_hot,
    is_real,
    out_of_range,
    values,
)

KINDS = ("classes", "binary", "values")
REGRESSION = ("mse", "mae", "huber")  # losses that take outputs without softmax, and one-hot encode class numbers


@dataclass(frozen=True)
class Task:
    """What the outputs of a model mean.

    Args:
        kind: "classes" (K outputs, labels 0..K-1), "binary" (one output, labels 0 and 1) or "values" (K numbers).
        outputs: K.
        classes: the names of the classes; empty if they are their numbers.
        threshold: of two classes, the probability of the second one, class 1, from which it is the answer.
        temperature: what the logits are divided by before they become probabilities (Guo et al. 2017); from
            pn.calibrate.
    """

    kind: str
    outputs: int
    classes: tuple[str, ...] = ()
    threshold: float = 0.5
    temperature: float = 1.0

    @property
    def is_two_class(self) -> bool:
        """Whether the answer is one of two classes: of one output, or of two."""
        return self.kind == "binary" or (self.kind == "classes" and self.outputs == 2)

    def decide(self, outputs: Array) -> Array:
        """The class numbers (n,) that predictions (n, outputs) mean."""
        if self.kind == "binary" or (self.is_two_class and self.threshold != 0.5):
            return np.asarray(outputs[:, -1] >= self.threshold).astype(np.int64)
        return np.asarray(outputs.argmax(axis=1))

    def uncalibrated(self) -> Self:
        """The task with temperature 1, and the threshold that gives the same answers then."""
        if self.temperature == 1:
            return self
        return replace(self, threshold=rescaled(self.threshold, self.temperature), temperature=1.0)

    def label(self, number: int) -> str:
        """The name of a class."""
        return self.classes[number] if self.classes else str(number)

    @property
    def names(self) -> Names:
        """The names of all classes, in order; their numbers if they have no names."""
        return self.classes or tuple(map(str, range(max(2, self.outputs))))

    def named(self, classes: Names) -> Self:
        """The task with class names, if the model was trained on numbers and the data has names; else unchanged."""
        if self.kind == "values" or self.classes or len(classes) != max(2, self.outputs):
            return self
        return self if set(classes) == set(self.names) else replace(self, classes=classes)

    def as_json(self) -> dict[str, Any]:
        """All fields as JSON values."""
        return vars(self) | {"classes": list(self.classes)}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Self:
        """The inverse of as_json."""
        task = cls(
            str(record["kind"]),
            int(record["outputs"]),
            tuple(map(str, record["classes"])),
            float(record["threshold"]),
            float(record.get("temperature", 1.0)),  # older files have none
        )
        if task.kind not in KINDS or task.outputs < 1 or (task.classes and len(task.classes) != max(2, task.outputs)):
            raise ValueError(f"task {record} is invalid")
        if not 0 <= task.threshold <= 1 or not 0 < task.temperature < math.inf:
            raise ValueError(f"task {record} is invalid: its threshold is a probability, its temperature above 0")
        return task

    def encode(self, y: Array, dtype: str, who: str, classes: Names = (), *, as_rows: bool = False) -> Array:
        """Encodes labels for the loss: int64 (n,) for classes, (n, 1) for binary, floats (n, outputs) for values.

        Soft labels, rows of probabilities, become floats (n, outputs).

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
            return values(y, self.outputs, dtype, who)
        if self.kind == "classes" and soft.are_soft(y):
            return soft.encoded(y, self.outputs, dtype, who, lambda used: self._matched(used, classes, who), classes)
        numbers = self._class_numbers(y, classes, who)
        low, high = int(numbers.min()), int(numbers.max())
        if low < 0 or high > max(1, self.outputs - 1):
            raise ValueError(f"{who}: {out_of_range(low, high, self.outputs)}")
        if as_rows:
            return soft.one_hot(numbers, self.outputs, dtype)
        return np.ascontiguousarray(numbers if self.kind == "classes" else numbers.reshape(-1, 1), np.int64)

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


def infer(y: Array, outputs: tuple[int, ...], loss: object, classes: Names, who: str, *, naming: bool = False) -> Task:
    """Infers the task from labels y, for a model whose output is (n, *outputs).

    Args:
        y: labels (n,), (n, 1) or (n, K).
        outputs: the model's output shape, without the batch axis.
        loss: the name of the loss, which decides if the labels are ambiguous: regression losses make numbers values,
            but class numbers and one-hot rows for several outputs stay classes.
        classes: the class names, if the data has them.
        who: the prefix of messages.
        naming: for a new model: whole numbers other than 0..K-1, such as 10, 20 and 30, are class names.
    """
    y = column(y)
    units = outputs[-1] if outputs else 1
    if len(outputs) != 1:
        raise ValueError(
            f"{who}: the model's output is (n, {', '.join(map(str, outputs))}); end it in pn.Flatten() and pn.Dense"
        )
    check_finite(y, who)
    if loss in REGRESSION:
        if y.dtype.kind not in "USO" and (units == 1 or not (y.ndim == 1 or is_one_hot(y)) or _fractions(y)):
            return Task("values", units)
    elif units > 1 and y.shape[1:] == (units,) and soft.are_soft(y):
        _check_count(len(classes), units, who)
        return Task("classes", units, classes)
    elif loss != "binary_cross_entropy" and is_real(y) and not _whole_classes(y, units):
        return Task("values", units)
    if y.dtype.kind in "USO" and not classes:
        classes = in_order(np.unique(y.astype(str)).tolist())
        if len(classes) == 1:
            raise ValueError(f"{who}: all {len(y):,} labels are '{classes[0]}': give at least two classes")
    kind = "binary" if units == 1 else "classes"
    if naming and not classes and (names := _numbers_as_names(y, units, who)):
        return Task(kind, units, names)
    _check_classes(class_numbers(y, classes, who), units, len(classes), who)
    return Task(kind, units, classes if len(classes) == max(2, units) else ())


def check_varied(y: Array, task: Task, who: str) -> None:
    """Rejects class labels that are all equal.

    Raises:
        ValueError: they are.
    """
    y = column(y)
    if soft.are_soft(y) and np.any(y != y[0]):
        return
    rows = y if y.ndim == 1 else y.argmax(axis=1)
    if task.kind != "values" and len(rows) > 1 and bool(np.all(rows == rows[0])):
        raise ValueError(f"{who}: all {len(rows):,} labels are {rows[0]}: give at least two classes")


def _check_classes(numbers: Array, units: int, named: int, who: str) -> None:
    low, high = int(numbers.min()), int(numbers.max())
    _check_count(named, units, who)
    if low < 0 or high > max(1, units - 1):
        raise ValueError(f"{who}: {out_of_range(low, high, units)}")


def _check_count(named: int, units: int, who: str) -> None:
    if named and named != max(2, units):
        raise ValueError(
            f"{who}: the labels are {named} classes, the model has {units} outputs: end it in pn.Dense({named})"
        )


def _numbers_as_names(y: Array, units: int, who: str) -> Names:
    """Class names from labels that are whole numbers other than 0..K-1; () if they are 0..K-1.

    Raises:
        ValueError: their number differs from the model's classes.
    """
    if y.ndim != 1 or y.dtype.kind not in "iuf" or not np.all(y == np.floor(y)):
        return ()
    numbers = np.unique(integers(y, who))
    classes = max(2, units)
    low = int(numbers[0])
    high = int(numbers[-1])
    n = len(numbers)
    if n == 1 or (low >= 0 and high < classes) or (low == 0 and high == n - 1 and units > 1):
        return ()
    names = tuple(map(str, numbers.tolist()))
    if n == classes:
        return names
    if units == 1:
        raise ValueError(
            f"{who}: y has {n:,} different whole numbers from {low} to {high}, and one output takes two classes: for "
            f"values train with loss='mse' (or give y as floats), for classes end the model in pn.Dense({n})"
        )
    raise ValueError(
        f"{who}: y has {n:,} classes, the labels {listed(names)}, and the model has {units} outputs: end it in "
        f"pn.Dense({n})"
    )


def _fractions(y: Array) -> bool:
    return is_real(y) and not bool(np.all(y == np.floor(y)))


def _whole_classes(y: Array, units: int) -> bool:
    """Whether floats are class numbers or one-hot rows for several outputs."""
    if units == 1:
        return False
    return (y.ndim == 1 and bool(np.all(y == np.floor(y)))) or is_one_hot(y)
