"""estimator_targets.py -- the labels of an estimator: encoded for training, and decoded for the user."""

from typing import Any, NamedTuple

import numpy as np

import pyneural.training.scikit_learn as scikit_learn
from pyneural.arguments.arrays import Array
from pyneural.card.task import Task


class Coded(NamedTuple):
    """Labels as training takes them.

    Args:
        tasks: the task of each output; the key "" for a model without heads.
        y: numbers of classes (n,), for heads (n, heads), or values (n,) or (n, K).
    """

    tasks: dict[str, Task]
    y: Array


def coded_values(y: Array) -> Coded:
    """The labels of a regression, (n,) or (n, K)."""
    return Coded({"": Task("values", 1 if y.ndim == 1 else y.shape[1])}, y.astype(np.float64))


def numbers_of(who: str, y: Array, classes: Array) -> Array:
    """The class numbers of labels whose classes are known, in ascending order.

    Raises:
        ValueError: a label is none of them.
    """
    place = np.searchsorted(classes, y).clip(0, len(classes) - 1)
    strange = np.asarray(classes[place] != y)
    if strange.any():
        known = ", ".join(map(str, classes[:10].tolist()))
        raise ValueError(f"{who}: y has the class {y[strange][0]!s}, and the classes are {known}: name all of them")
    return np.asarray(place, np.int64)


def task_of(who: str, classes: Array) -> Task:
    """The task of one column of classes.

    Raises:
        ValueError: there is only one class.
    """
    if len(classes) < 2:
        raise ValueError(f"{who}: all labels are of one class, {classes[0]!s}: give at least two classes")
    names = tuple(map(str, classes.tolist()))
    return Task("binary", 1, names) if len(classes) == 2 else Task("classes", len(classes), names)


def weights_of(who: str, y: Array, weights: Array | None, class_weight: Any, classes: Array) -> Array | None:
    """The weights of examples with class numbers y, times those of their classes.

    "balanced" is Σ w / (K Σ_c w), where Σ_c sums over the examples of a class: n / (K count) if all weights are equal.

    Raises:
        ValueError: class_weight is neither a dict of weights by label nor "balanced", or names an unknown class.
    """
    if class_weight is None:
        return weights
    given = np.ones(len(y)) if weights is None else weights
    if isinstance(class_weight, str) and class_weight == "balanced":
        totals = np.bincount(y, given, len(classes))
        of_class = totals.sum() / (np.count_nonzero(totals) * np.where(totals > 0, totals, 1))
    elif isinstance(class_weight, dict):
        of_class = np.ones(len(classes))
        numbers = {label: number for number, label in enumerate(classes.tolist())}
        for label, weight in class_weight.items():
            if label not in numbers:
                known = ", ".join(map(str, classes[:10].tolist()))
                raise ValueError(f"{who}: class_weight has {label!r}, which is not a class; they are {known}")
            of_class[numbers[label]] = weight
    else:
        raise ValueError(f"{who}: class_weight is {class_weight!r}: give 'balanced', a dict by label, or None")
    return np.asarray(given * of_class[y])


def probabilities(task: Task, logits: Array, *, written: bool) -> Array:
    """Probabilities (n, K), float64: the softmax of logits, or for one output (1 - σ(z), σ(z)).

    Args:
        task: of classes.
        logits: (n, outputs).
        written: whether they are probabilities already, as of a model trained with mse; rows are made to sum to 1.
    """
    z = logits.astype(np.float64)
    if task.kind == "binary":
        z = np.column_stack([1 - z, z]) if written else np.column_stack([np.zeros(len(z)), z])
    if written:
        z = z.clip(0, None)
        total = z.sum(axis=1, keepdims=True)
        return np.asarray(np.where(total > 0, z / np.where(total > 0, total, 1), 1 / z.shape[1]))
    z = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(z / z.sum(axis=1, keepdims=True))


def check_no_regression(y: Array) -> None:
    """Refuses values where classes belong, as scikit-learn does."""
    scikit_learn.multiclass.check_classification_targets(y)
