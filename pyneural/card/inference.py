"""inference.py -- the task of a model, inferred from labels: classes, binary, values, or several labels."""

import numpy as np

import pyneural.card.several as several
import pyneural.card.soft as soft
from pyneural.arguments.arrays import Array
from pyneural.card.classes import Names, in_order, listed
from pyneural.card.labels import check_finite, class_numbers, column, integers, is_one_hot, is_real, out_of_range
from pyneural.card.task import REGRESSION, Task


def infer(y: Array, outputs: tuple[int, ...], loss: object, classes: Names, who: str, *, naming: bool = False) -> Task:
    """Infers the task from labels y, for a model whose output is (n, *outputs).

    Rows of 0 and 1 that are not all one-hot are several labels, each of which applies or not.

    Args:
        y: labels (n,), (n, 1) or (n, K).
        outputs: the model's output shape, without the batch axis.
        loss: the name of the loss, which decides if the labels are ambiguous: regression losses make numbers values,
            but class numbers and one-hot rows for several outputs stay classes; with binary_cross_entropy, one-hot
            rows are several labels, too.
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
    if loss not in REGRESSION and several.are_rows(y) and (loss == "binary_cross_entropy" or not is_one_hot(y)):
        several.check_count(y, units, len(classes), who)
        return Task("labels", units, classes)
    if loss == "binary_cross_entropy" and units > 1 and y.shape[1:] == (units,) and not soft.are_soft(y):
        raise ValueError(
            f"{who}: y is {y.shape} of {y.dtype}, and binary_cross_entropy of {units} labels takes 0 and 1: give "
            "these, and label_smoothing= if some are uncertain"
        )
    task = _of_values(y, units, loss, classes)
    return task or _of_classes(y, units, classes, who, naming)


def _of_values(y: Array, units: int, loss: object, classes: Names) -> Task | None:
    """The task of regression targets, and their names if they are several; None for classes."""
    names = classes if len(classes) == units > 1 else ()
    if loss in REGRESSION:
        words = y.dtype.kind in "USO"
        given = not words and (units == 1 or not (y.ndim == 1 or is_one_hot(y)) or _fractions(y))
        return Task("values", units, names) if given else None
    soft_rows = units > 1 and y.shape[1:] == (units,) and soft.are_soft(y)
    if not soft_rows and loss != "binary_cross_entropy" and is_real(y) and not _whole_classes(y, units):
        return Task("values", units, names)
    return None


def _of_classes(y: Array, units: int, classes: Names, who: str, naming: bool) -> Task:
    """The task of classes: of one output or of several."""
    if units > 1 and y.shape[1:] == (units,) and soft.are_soft(y):
        _check_count(len(classes), units, who)
        return Task("classes", units, classes)
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
    if (soft.are_soft(y) or task.kind == "labels") and np.any(y != y[0]):
        return
    if task.kind == "labels" and len(y) > 1:
        raise ValueError(f"{who}: all {len(y):,} rows of y are equal: give examples with different labels")
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
