"""evaluate.py -- what a trained model is worth, and what it says: evaluate, predict, classify."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from pyneural import _core, ops
from pyneural.dataset import Dataset, as_dataset
from pyneural.feed import Feed
from pyneural.inputs import checked
from pyneural.measure import BATCH, forward
from pyneural.model import Model
from pyneural.preprocessing import Preprocessing
from pyneural.report import Report
from pyneural.spelling import words
from pyneural.task import Task

Array = npt.NDArray[Any]

_ROW_LOSS: dict[str, Callable[..., _core.Tensor]] = {
    "classes": ops.cross_entropy,
    "binary": ops.binary_cross_entropy,
    "values": ops.mse,
}


@words(x="the second argument: pn.evaluate(model, (x, y))", y="the second argument: pn.evaluate(model, (x, y))")
def evaluate(model: Model, data: Any, *, verbose: int = 1) -> Report:
    """Measures a trained model on data it has not seen, and prints one line.

    Args:
        model: trained, or loaded.
        data: a pn.Dataset, as data.test, or arrays (x, y).
        verbose: 0 prints nothing.

    Returns:
        The Report: accuracy and loss with their 95 % intervals, confusion, mistakes.

    Raises:
        ValueError, TypeError: the data is not of the kind the model was trained on.
    """
    task, preprocessing = _trained(model, "evaluate")
    part = as_dataset(data, "evaluate")
    x = _inputs(model, part.x, preprocessing, "evaluate")
    y = task.encode(part.y, model.dtype, "evaluate")
    feed = Feed(_core.borrow(x), _core.borrow(y), np.arange(len(x)), preprocessing, model.dtype)
    outputs, errors, run = [], [], forward(model)
    with _core.no_grad():
        for batch, targets in feed.batches(BATCH):
            found = run(batch, training=False)
            errors.append(_ROW_LOSS[task.kind](found, targets, reduction="none").numpy().reshape(-1))
            outputs.append(_answers(found, task))
    report = Report(task, np.concatenate(outputs), y, np.concatenate(errors), part.name, part.note)
    if verbose:
        print(report, flush=True)
    return report


def predict(model: Model, x: Any) -> Array:
    """What a trained model says about inputs, which are prepared as those it was trained on.

    Args:
        model: trained, or loaded.
        x: inputs (n, ...), a Dataset, or a single input.

    Returns:
        Probabilities (n, K) for classes, the probability of 1 (n, 1) for a binary model, else values (n, K).

    Raises:
        ValueError, TypeError: x is not of the kind the model was trained on.
    """
    task, preprocessing = _trained(model, "predict")
    values = x.x if isinstance(x, Dataset) else x.numpy() if isinstance(x, _core.Tensor) else np.asarray(x)
    if values.dtype.kind not in "iubf":
        raise TypeError(f"predict: x is of {values.dtype}: give numbers")
    if values.dtype != np.uint8:
        values = values.astype(model.dtype, copy=False)
    shape = model.input_shape or ()
    if values.shape == shape or (len(shape) == 3 and (*values.shape, 1) == shape):
        values = values[None]
    values = _inputs(model, values, preprocessing, "predict")
    if len(values) == 0:
        return np.empty((0, task.outputs), model.dtype)
    feed, run = Feed(_core.borrow(values), None, np.arange(len(values)), preprocessing, model.dtype), forward(model)
    with _core.no_grad():
        return np.concatenate([_answers(run(batch, training=False), task) for batch, _ in feed.batches(BATCH)])


class Prediction(NamedTuple):
    """What a model says about one input: `7 (99.8 %)`."""

    label: str
    confidence: float
    probabilities: Array

    def __str__(self) -> str:
        return f"{self.label} ({100 * self.confidence:.1f} %)"

    def __repr__(self) -> str:
        return str(self)


def classify(model: Model, image: Any) -> Prediction:
    """The class of one input, with the model's confidence in it.

    Args:
        model: trained on classes or binary labels.
        image: one input, as (height, width), (height, width, channels) or a batch of 1.
    """
    task, _ = _trained(model, "classify")
    if task.kind == "values":
        raise ValueError("classify: this model gives values, not classes: use pn.predict(model, x)")
    found = predict(model, image)
    if len(found) != 1:
        raise ValueError(f"classify: it takes one input, got {len(found):,}: use pn.predict(model, x)")
    row = found[0]
    if task.kind == "binary":
        row = np.array([1 - row[0], row[0]])
        number = int(row[1] >= task.threshold)
    else:
        number = int(row.argmax())
    return Prediction(task.label(number), float(row[number]), row)


def _trained(model: Model, who: str) -> tuple[Task, Preprocessing]:
    if not isinstance(model, Model):
        raise TypeError(f"{who}: model is {type(model).__name__}: give a trained model: {who}(model, ...)")
    if model.card.task is None:
        raise RuntimeError(
            f"{who}: the model is not trained yet: pn.fit(model, data) first (model(x) runs it as it is)"
        )
    return model.card.task, model.card.preprocessing or Preprocessing("none", "float")


def _inputs(model: Model, x: Array, preprocessing: Preprocessing, who: str) -> Array:
    preprocessing.check(x, who)
    return checked(model, x, who)


def _answers(outputs: _core.Tensor, task: Task) -> Array:
    if task.kind == "classes":
        outputs = ops.softmax(outputs)
    elif task.kind == "binary":
        outputs = ops.sigmoid(outputs)
    return np.array(outputs.numpy())
