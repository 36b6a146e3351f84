"""evaluate.py -- what a trained model is worth, and what it says: evaluate, predict, classify."""

from typing import Any, NamedTuple, overload

import numpy as np
import numpy.typing as npt

from pyneural import _core
from pyneural.dataset import Dataset, Splits
from pyneural.feed import Feed
from pyneural.heads import Head, answers, encode, forward, inferred, names, trained
from pyneural.inputs import check_model, checked, not_a_path, numbered
from pyneural.measure import BATCH
from pyneural.model import Model, Sequential
from pyneural.preprocessing import Preprocessing
from pyneural.progress import say
from pyneural.report import Report
from pyneural.sources import opened
from pyneural.spelling import words
from pyneural.stream import is_stream, labels, pairs

Array = npt.NDArray[Any]
_PIXELS = np.dtype(np.uint8)
Parts = tuple[list[Array], list[Array], list[Array]]


@overload
def evaluate(model: Sequential, data: Any, *, verbose: int = 1) -> Report: ...


@overload
def evaluate(model: Model, data: Any, *, verbose: int = 1) -> Any: ...


@words(
    positional="give x and y as one pair, pn.evaluate(model, (x, y))",
    x="the second argument: pn.evaluate(model, (x, y))",
    y="the second argument: pn.evaluate(model, (x, y))",
    batch_size="nothing: it has no effect on the result",
    metrics="nothing: the report has them all",
)
def evaluate(model: Model, data: Any, *, verbose: int = 1) -> Any:
    """Measures a trained model on data it has not seen, and prints one line.

    A model that was trained by hand, with pn.Adam(model) in a loop, has not been told what its outputs mean: that is
    inferred from y as pn.fit does, and noted on the model, so that predict and classify work from then on.

    Args:
        model: trained, or loaded.
        data: a pn.Dataset, as data.test, arrays (x, y), the path of a folder of images, of which `test` is taken where
            there is one, or batches of (x, y).
        verbose: 0 prints nothing.

    Returns:
        The Report: accuracy and loss with their 95 % intervals, confusion, mistakes; for a model with heads a dict of
        Reports, with a line a head.

    Raises:
        ValueError, TypeError: the data is not of the kind the model was trained on.
        RuntimeError: the model is neither trained nor built.
    """
    who = "evaluate"
    check_model(model, who)
    part = opened(data, who, model, part="test")
    heads, preprocessing = _heads(model, part), model.card.preprocessing or Preprocessing("none", "float")
    found = _found(model, part, heads, preprocessing)
    name, note = ("data", "") if is_stream(part) else (part.name, part.note)
    reports = {head.name: Report(head.task, *_whole(found[head.name]), name, note, head.loss.name) for head in heads}
    if verbose:
        for head, report in reports.items():
            say((f"{head}: {report}" if head else str(report)).split(" · "))
    return reports.get("", reports)


def _whole(parts: Parts) -> tuple[Array, Array, Array]:
    outputs, y, errors = map(np.concatenate, parts)
    return outputs, y, errors


def _found(model: Model, part: Any, heads: tuple[Head, ...], preprocessing: Preprocessing) -> dict[str, Parts]:
    """By head: what the model answers, the labels, and the loss of each example, batch by batch."""
    found: dict[str, Parts] = {head.name: ([], [], []) for head in heads}
    run = forward(model, heads)
    with _core.no_grad():
        for number, (x, y) in enumerate(pairs(part, "evaluate") if is_stream(part) else [(part.x, part.y)], start=1):
            who = f"evaluate: batch {number}" if is_stream(part) else "evaluate"
            x = numbered(model, checked(model, x, who), who)
            preprocessing.check(x.dtype.name, who)
            y = encode(heads, model.dtype, y, who)
            for batch, targets in Feed(x, y, np.arange(len(x)), preprocessing, model.dtype).batches(BATCH):
                outputs = run(batch, training=False)
                answered = answers(outputs, heads)
                for head in heads:
                    said, wanted, given = outputs, targets, answered
                    if head.name:
                        said, wanted, given = outputs[head.name], targets[head.name], answered[head.name]
                    errors = head.loss.mean(said, wanted, reduction="none").numpy().reshape(-1)
                    for kept, values in zip(found[head.name], (given, wanted.numpy(), errors), strict=True):
                        kept.append(np.array(values))
    return found


@overload
def predict(model: Sequential, x: Any) -> Array: ...


@overload
def predict(model: Model, x: Any) -> Any: ...


@words(batch_size="nothing: it has no effect on the result", verbose="nothing: it prints nothing", data="x", images="x")
def predict(model: Model, x: Any) -> Any:
    """What a trained model says about inputs, which are prepared as those it was trained on.

    Args:
        model: trained, or loaded.
        x: inputs (n, ...), a Dataset, or a single input.

    Returns:
        Probabilities (n, K) for classes, the probability of 1 (n, 1) for a binary model, else values (n, K); for a
        model with heads a dict of these.  The probabilities of classes trained with mse, mae or huber are the outputs
        as the model writes them: each stands for itself, and their sum need not be 1.

    Raises:
        ValueError, TypeError: x is not of the kind the model was trained on.
        RuntimeError: the model was not trained.
    """
    heads, preprocessing = _trained(model, "predict")
    if isinstance(x, Splits):
        raise TypeError("predict: give one part of the data: data.test, or data.test.x")
    if isinstance(x, tuple) and len(x) == 2 and np.shape(x[0]) != np.shape(x[1]):
        raise TypeError("predict: x is a pair: give the inputs alone, without labels: pn.predict(model, x)")
    values = _inputs(model, x, preprocessing)
    n, run = len(values), forward(model, heads)
    if n == 0:
        empty = {head.name: np.empty((0, head.task.outputs), model.dtype) for head in heads}
        return empty.get("", empty)
    with _core.no_grad():
        if n <= BATCH:
            batch = preprocessing.gather(model.dtype)(_core.borrow(values), _core.borrow(np.arange(n)))
            return answers(run(batch, training=False), heads)
        feed = Feed(values, None, np.arange(n), preprocessing, model.dtype)
        found = [answers(run(batch, training=False), heads) for batch, _ in feed.batches(BATCH)]
    if not heads[0].name:
        return np.concatenate(found)
    return {head.name: np.concatenate([part[head.name] for part in found]) for head in heads}


def _inputs(model: Model, x: Any, preprocessing: Preprocessing) -> Array:
    """A batch of inputs (n, ...), checked, of what predict is given."""
    values = x.x if isinstance(x, Dataset) else x.numpy() if isinstance(x, _core.Tensor) else np.asarray(x)
    if values.dtype.kind not in "iubf":
        not_a_path(model, values, "predict")
    shape = model.input_shape or ()
    if values.shape == shape or (values.ndim == 2 and (*values.shape, 1) == shape):
        values = values[None]
    if values.dtype == _PIXELS and preprocessing.dtype == "uint8":
        return checked(model, values, "predict")
    looked_up = values.dtype == _PIXELS  # perhaps: else the check says what is wrong
    values = numbered(model, values, "predict") if looked_up else values.astype(model.dtype, copy=False)
    preprocessing.check(values.dtype.name, "predict")
    return checked(model, values, "predict")


class Prediction(NamedTuple):
    """What a model says about one input: `7 (99.8 %)`."""

    label: str
    confidence: float
    probabilities: Array

    def __str__(self) -> str:
        return f"{self.label} ({100 * self.confidence:.1f} %)"

    def __repr__(self) -> str:
        return str(self)


@overload
def classify(model: Sequential, image: Any) -> Prediction: ...


@overload
def classify(model: Model, image: Any) -> Any: ...


@words(x="image", data="image")
def classify(model: Model, image: Any) -> Any:
    """The class of one input, with the model's confidence in it.

    Args:
        model: trained on classes or binary labels.
        image: one input, as (height, width), (height, width, channels) or a batch of 1.

    Returns:
        The Prediction; for a model with heads a dict of them.

    Raises:
        ValueError, TypeError: the model gives values, or the image is not one input of its kind.
    """
    heads, _ = _trained(model, "classify")
    for head in heads:
        if head.task.kind == "values":
            what = f"the head {head.name}" if head.name else "this model"
            raise ValueError(f"classify: {what} gives values, not classes: use pn.predict(model, x)")
    found = predict(model, image)
    by_head = found if isinstance(found, dict) else {"": found}
    count = len(by_head[heads[0].name])
    if count != 1:
        raise ValueError(f"classify: it takes one input, got {count:,}: use pn.predict(model, x)")
    said = {head.name: _prediction(head, by_head[head.name][0]) for head in heads}
    return said.get("", said)


def _prediction(head: Head, row: Array) -> Prediction:
    task = head.task
    if task.kind == "binary":
        row = np.array([1 - row[0], row[0]])
        number = int(row[1] >= task.threshold)
    else:
        number = int(row.argmax())
    return Prediction(task.label(number), min(1.0, max(0.0, float(row[number]))), row)


def _trained(model: Model, who: str) -> tuple[tuple[Head, ...], Preprocessing]:
    check_model(model, who)
    if model.card.task is None:
        raise RuntimeError(
            f"{who}: the model is not trained yet: pn.fit(model, data) first; where it was trained by hand, "
            "pn.evaluate(model, (x, y)) once, which learns from y what its outputs mean (model(x) runs it as it is)"
        )
    return trained(model), model.card.preprocessing or Preprocessing("none", "float")


def _heads(model: Model, part: Any) -> tuple[Head, ...]:
    """The heads of a model; one that was trained by hand learns from the labels what they mean."""
    if model.card.task is not None:
        return trained(model)
    if model.input_shape is None or model._blocks is None:
        raise RuntimeError("evaluate: the model is not trained yet: pn.fit(model, data) first")
    y, classes = (labels(part, "evaluate"), ()) if is_stream(part) else (part.y, part.classes)
    heads = inferred(model, y, classes=classes, who="evaluate")
    tasks = {head.name: head.task for head in heads}
    model.card.task = tasks if names(model) != ("",) else tasks[""]
    return heads
