"""estimator_targets.py -- the labels of an estimator: encoded for training, and decoded for the user."""

import math
from typing import Any, NamedTuple

import numpy as np

import pyneural.training.scikit_learn as scikit_learn
from pyneural.arguments.arrays import Array
from pyneural.arguments.checks import is_number
from pyneural.card.task import Task
from pyneural.evaluation.heads import Head, written
from pyneural.training.plain_labels import refuse_dates

Heads = tuple[Head, ...]
Outputs = dict[str, Array]  # what a model returns, (n, K) for each head


class Coded(NamedTuple):
    """Labels as training takes them.

    Args:
        tasks: the task of each output; the key "" for a model without heads.
        y: numbers of classes (n,), for heads (n, heads), or values (n,) or (n, K).
    """

    tasks: dict[str, Task]
    y: Array


def coded_values(who: str, y: Array) -> Coded:
    """The labels of a regression, (n,) or (n, K).

    Raises:
        TypeError: they are dates.
    """
    refuse_dates(f"{who}: y", y)
    return Coded({"": Task("values", 1 if y.ndim == 1 else y.shape[1])}, y.astype(np.float64))


class OneColumn:
    """Labels (n,) of two or more classes.

    Attributes:
        classes: the sorted labels.
    """

    def __init__(self, who: str, classes: Array) -> None:
        if len(classes) < 2:
            raise ValueError(f"{who}: all labels are of one class, {classes[0]!s}: give at least two classes")
        self.who = who
        self.classes = classes

    @property
    def task(self) -> Task:
        """The task of a network for them."""
        names = tuple(map(str, self.classes.tolist()))
        return Task("binary", 1, names) if len(names) == 2 else Task("classes", len(names), names)

    def coded(self, y: Array) -> Coded:
        """Labels as class numbers.

        Raises:
            ValueError: a label is not one of the classes.
        """
        y = scikit_learn.validation.column_or_1d(y, warn=True)
        place = np.searchsorted(self.classes, y).clip(0, len(self.classes) - 1)
        strange = np.asarray(self.classes[place] != y)
        if strange.any():
            raise ValueError(
                f"{self.who}: y has the class {y[strange].tolist()[0]!r}, and the classes are {self._shown}"
            )
        return Coded({"": self.task}, np.asarray(place, np.int64))

    @property
    def _shown(self) -> str:
        return ", ".join(map(repr, self.classes[:10].tolist())) + (", ..." if len(self.classes) > 10 else "")

    def decoded(self, y: Array) -> Array:
        """Class numbers as labels."""
        return np.asarray(self.classes[y])

    def weighted(self, y: Array, weights: Array | None, class_weight: Any) -> Array | None:
        """The weights of examples with class numbers y, times those of their classes.

        "balanced" is Σ w / (K Σ_c w), where Σ_c sums over the examples of a class: n / (K count) for equal weights.

        Raises:
            ValueError: class_weight is neither a dict of weights by label nor "balanced", names an unknown class, has
                a weight that is not a number of at least 0, or leaves no example a weight above 0.
        """
        if class_weight is None:
            return weights
        given = np.ones(len(y)) if weights is None else weights
        if isinstance(class_weight, str) and class_weight == "balanced":
            totals = np.bincount(y, given, len(self.classes))
            of_class = totals.sum() / (np.count_nonzero(totals) * np.where(totals > 0, totals, 1))
        elif isinstance(class_weight, dict):
            of_class = self._by_label(class_weight)
        else:
            raise ValueError(f"{self.who}: class_weight is {class_weight!r}: give 'balanced', a dict by label, or None")
        found = np.asarray(given * of_class[y])
        if not found.any():
            raise ValueError(f"{self.who}: class_weight is 0 for all examples: give a weight above 0 to some classes")
        return found

    def _by_label(self, class_weight: dict[Any, float]) -> Array:
        weights = np.ones(len(self.classes))
        numbers = {label: number for number, label in enumerate(self.classes.tolist())}
        for label, weight in class_weight.items():
            if label not in numbers:
                raise ValueError(
                    f"{self.who}: class_weight has {label!r}, which is not a class; they are {self._shown}"
                )
            if not is_number(weight) or not 0 <= weight < math.inf:
                raise ValueError(
                    f"{self.who}: class_weight has {weight!r} for the class {label!r}: give a number of at least 0"
                )
            weights[numbers[label]] = weight
        return weights

    def probabilities(self, heads: Heads, outputs: Outputs) -> Array:
        """Probabilities (n, K), float64."""
        return _probabilities(heads[0], outputs[heads[0].name])

    def predicted(self, heads: Heads, outputs: Outputs) -> Array:
        """The labels (n,) that a model answers, by its threshold if it has one."""
        found = self.probabilities(heads, outputs)
        task = heads[0].task
        return self.decoded(task.decide(found[:, 1:] if task.kind == "binary" else found))

    def decisions(self, heads: Heads, outputs: Outputs) -> Array:
        """The logits (n, K), float64; of two classes (n,), the log odds of the second one."""
        found = outputs[heads[0].name].astype(np.float64)
        if len(self.classes) > 2:
            return np.asarray(found)
        return np.asarray(found[:, -1] - (found[:, 0] if found.shape[1] == 2 else 0))


class Columns:
    """Labels (n, m): m columns of classes, each an output of the network.

    Attributes:
        columns: each one's classes.
    """

    def __init__(self, who: str, columns: list[Array]) -> None:
        self.who = who
        self.columns = [OneColumn(f"{who}: column {number} of y", one) for number, one in enumerate(columns)]

    @property
    def classes(self) -> Any:
        """The sorted labels of each column."""
        return [column.classes for column in self.columns]

    def coded(self, y: Array) -> Coded:
        """Labels as class numbers (n, m).

        Raises:
            ValueError: the number of columns is another, or a label is not one of the classes.
        """
        if y.ndim != 2 or y.shape[1] != len(self.columns):
            raise ValueError(f"{self.who}: y is {y.shape}: give ({len(y)}, {len(self.columns)}), as in the first fit")
        numbers = [column.coded(part).y for column, part in zip(self.columns, y.T, strict=True)]
        tasks = {f"output_{number}": column.task for number, column in enumerate(self.columns, start=1)}
        return Coded(tasks, np.stack(numbers, axis=1))

    def decoded(self, y: Any) -> Array:
        """Class numbers, by head or as (n, m), as labels."""
        parts = y.values() if isinstance(y, dict) else y.T
        return np.stack([column.decoded(part) for column, part in zip(self.columns, parts, strict=True)], axis=1)

    def weighted(self, y: Array, weights: Array | None, class_weight: Any) -> Array | None:
        """The weights as they are.

        Raises:
            ValueError: there are weights of classes, of which there are several kinds here.
        """
        if class_weight is not None:
            raise ValueError(f"{self.who}: class_weight is for one column of labels, y has several: give sample_weight")
        return weights

    def _each(self, heads: Heads, outputs: Outputs, what: str) -> list[Any]:
        """What a method of each column returns."""
        return [getattr(column, what)((head,), outputs) for column, head in zip(self.columns, heads, strict=True)]

    def probabilities(self, heads: Heads, outputs: Outputs) -> Any:
        """Probabilities (n, K) of each column, in a list."""
        return self._each(heads, outputs, "probabilities")

    def predicted(self, heads: Heads, outputs: Outputs) -> Array:
        """The labels (n, m)."""
        return np.stack(self._each(heads, outputs, "predicted"), axis=1)

    def decisions(self, heads: Heads, outputs: Outputs) -> Any:
        """The logits of each column, in a list."""
        return self._each(heads, outputs, "decisions")


class Indicators:
    """Labels (n, K) of 0 and 1: which of K labels an example has."""

    def __init__(self, who: str, count: int) -> None:
        self.who = who
        self.count = count

    @property
    def classes(self) -> Any:
        """The numbers of the labels."""
        return np.arange(self.count)

    def coded(self, y: Array) -> Coded:
        """The labels as they are.

        Raises:
            ValueError: their shape is another, or one is neither 0 nor 1.
        """
        if y.ndim != 2 or y.shape[1] != self.count:
            raise ValueError(f"{self.who}: y is {y.shape}: give ({len(y)}, {self.count}), as in the first fit")
        if not np.all((y == 0) | (y == 1)):
            raise ValueError(f"{self.who}: y has {y[(y != 0) & (y != 1)][0]!s}, and each label is 0 or 1: correct it")
        return Coded({"": Task("labels", self.count)}, y.astype(np.int64))

    def decoded(self, y: Array) -> Array:
        """The labels as they are."""
        return y

    def weighted(self, y: Array, weights: Array | None, class_weight: Any) -> Array | None:
        """The weights as they are: pn.fit weights each label by itself."""
        return weights

    def probabilities(self, heads: Heads, outputs: Outputs) -> Array:
        """The probability of each label (n, K), float64."""
        z = outputs[""].astype(np.float64)
        return np.asarray(z.clip(0, 1) if written(heads[0]) else np.exp(-np.logaddexp(0, -z)))

    def predicted(self, heads: Heads, outputs: Outputs) -> Array:
        """The labels (n, K) that a model answers, by its thresholds if it has some."""
        return heads[0].task.decide(self.probabilities(heads, outputs))

    def decisions(self, heads: Heads, outputs: Outputs) -> Array:
        """The log odds of each label (n, K), float64."""
        return np.asarray(outputs[""], np.float64)


Labels = OneColumn | Columns | Indicators


def learned(who: str, y: Array) -> Labels:
    """The kind of labels, and their classes.

    Raises:
        ValueError: y has values where classes belong, or a single class.
    """
    scikit_learn.multiclass.check_classification_targets(y)
    if y.ndim == 1 or y.shape[1] == 1:
        return OneColumn(who, np.unique(y))
    if scikit_learn.multiclass.type_of_target(y) == "multilabel-indicator":
        return Indicators(who, y.shape[1])
    return Columns(who, [np.unique(part) for part in y.T])


def announced(who: str, y: Array, classes: Any) -> Labels:
    """The kind of labels whose classes are given, because the first examples may lack some.

    Raises:
        ValueError: they are missing, or a single class.
    """
    many = y.ndim == 2 and y.shape[1] > 1
    if many and classes is None and scikit_learn.multiclass.type_of_target(y) == "multilabel-indicator":
        return Indicators(who, y.shape[1])
    if classes is None:
        raise ValueError(f"{who}: the first call of partial_fit needs all classes: give classes=np.unique(all_labels)")
    if many:
        return Columns(who, [np.unique(one) for one in classes])
    return OneColumn(who, np.unique(classes))


def _probabilities(head: Head, outputs: Array) -> Array:
    """Probabilities (n, K), float64: the softmax of logits z, or for one output (1 - σ(z), σ(z)).

    The outputs of a model that was trained with mse are its probabilities; their rows are made to sum to 1.
    """
    z = outputs.astype(np.float64)
    plain = written(head)
    if head.task.kind == "binary":
        z = np.column_stack([1 - z, z]) if plain else np.column_stack([np.zeros(len(z)), z])
    if plain:
        z = z.clip(0, None)
        total = z.sum(axis=1, keepdims=True)
        return np.asarray(np.where(total > 0, z / np.where(total > 0, total, 1), 1 / z.shape[1]))
    z = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(z / z.sum(axis=1, keepdims=True))
