"""predict.py -- predictions of a trained model: predict, classify."""

from collections.abc import Mapping
from typing import Any, NamedTuple, overload

import numpy as np

import pyneural._core as _core
import pyneural.losses as losses
from pyneural.arguments.arrays import Array, as_numbers
from pyneural.arguments.checks import warn
from pyneural.arguments.familiar_keywords import AVERAGES, CHOOSES
from pyneural.arguments.objects import brief
from pyneural.arguments.spelling import check_keywords
from pyneural.arguments.tables import dtype_name
from pyneural.batching.feed import Feed
from pyneural.batching.inputs import check_model, finite, not_a_path, numbered
from pyneural.card.classes import listed
from pyneural.card.columns import Columns, as_array
from pyneural.card.frames import is_frame, row_of, rows_of_frame, table_of_row
from pyneural.card.preprocessing import NOT_UINT8, Preprocessing
from pyneural.card.table import Table
from pyneural.card.task import Task
from pyneural.datasets.dataset import Dataset
from pyneural.datasets.splits import Splits
from pyneural.evaluation.drift import Watch
from pyneural.evaluation.heads import Head, trained
from pyneural.evaluation.running import answering, rows_at_once
from pyneural.models.ensemble import Ensemble
from pyneural.models.entrances import gives_features, inherit
from pyneural.models.model import Model
from pyneural.models.sequential import Sequential
from pyneural.printing import encodable

_PIXELS = np.dtype(np.uint8)


@overload
def predict(model: Sequential | Ensemble, x: Any) -> Array: ...


@overload
def predict(model: Model, x: Any) -> Any: ...


@check_keywords(
    batch_size="not needed: it has no effect on the result",
    verbose="not needed: it prints nothing",
    data="x",
    images="x",
    **AVERAGES,
)
def predict(model: Model | Ensemble, x: Any) -> Any:
    """The predictions of a trained model; inputs are preprocessed as in training.

    Args:
        model: a trained model, or a pn.Ensemble.
        x: inputs (n, ...), a Dataset, or a single input.  For a model that was trained on a table: a DataFrame, or one
            row of it as a Series or a dict, with the same columns in any order.

    Returns:
        Probabilities (n, K) for classes, the probability of 1 (n, 1) for a binary model, that of each label (n, K) for
        several labels, whose sum need not be 1, else values (n, K); for a model with heads a dict of these.  For
        classes trained with mse, mae or huber, the probabilities are the raw outputs, whose sum need not be 1.

    Raises:
        ValueError, TypeError: x does not fit the model.
        RuntimeError: the model has no values yet.

    A model that was trained by hand, and not yet evaluated, returns its raw outputs, with a warning.  So does a part of
    a trained model, without a warning: pn.Model(trained.input, trained["conv2d_2"].output) gives features.
    """
    return _answered(model, x, "predict")


def _answered(model: Model | Ensemble, x: Any, who: str) -> Any:
    """The result of predict; messages start with `who`."""
    heads, preprocessing = _by_hand(model) if _is_by_hand(model) else ready(model, who)
    if isinstance(x, Splits):
        raise TypeError(f"{who}: give one part of the data: data.test, or data.test.x")
    if isinstance(x, tuple) and len(x) == 2 and np.shape(x[0]) != np.shape(x[1]):
        raise TypeError(f"{who}: x is a pair: give only the inputs, without labels: pn.{who}(model, x)")
    values = checked_inputs(model, x, preprocessing, who)
    if model.card.pixels is not None:
        watch = Watch(model, who)
        watch.see(values)
        watch.warn()
    return answered(model, heads, preprocessing, values)


def answered(model: Model | Ensemble, heads: tuple[Head, ...], preprocessing: Preprocessing, values: Array) -> Any:
    """The result of predict for inputs that are checked already, as `checked_inputs` does, or `finite`."""
    n = len(values)
    run = answering(model, heads)
    if n == 0:
        empty = {head.name: np.empty((0, head.task.outputs), model.dtype) for head in heads}
        return empty.get("", empty)
    with _core.no_grad():
        rows = 1 if n == 1 else rows_at_once(model)
        if n <= rows:
            batch = preprocessing.gather(values.dtype, model.dtype)(_core.borrow(values), _core.borrow(np.arange(n)))
            return run(batch)[1]
        feed = Feed(values, None, np.arange(n), preprocessing, model.dtype)
        found = [run(batch)[1] for batch, *_ in feed.batches(rows)]
    if not heads[0].name:
        return np.concatenate(found)
    return {head.name: np.concatenate([part[head.name] for part in found]) for head in heads}


def checked_inputs(model: Model | Ensemble, x: Any, preprocessing: Preprocessing, who: str) -> Array:
    """A checked batch of inputs (n, ...) from the argument of predict."""
    values = _given(model, x, who)
    shape = model.input_shape or ()
    if values.shape == shape or (values.ndim == 2 and (*values.shape, 1) == shape):
        values = values[None]
    pixels = values.dtype == _PIXELS
    values = finite(model, values, who, preprocessing.kind)
    if pixels and preprocessing.dtype == "uint8":
        return values
    if pixels:  # perhaps indices of an Embedding; else the check raises the error
        values = numbered(model, values, who)
    given = x.given if isinstance(x, Dataset) else dtype_name(x, NOT_UINT8)
    preprocessing.check(values.dtype.name, who, given)
    preprocessing.check_range(values, model.dtype, who)
    return values


def _given(model: Model | Ensemble, x: Any, who: str) -> Array:
    """The argument of predict as an array; tables, and rows of them, by the model's columns."""
    known = model.card.table
    if type(x) is np.ndarray and x.dtype == _PIXELS and known is None:  # a masked array is a subclass
        return x
    if isinstance(x, Dataset):
        return as_array(known, x.x, x.columns, who)
    if isinstance(x, Table) or is_frame(x):
        return as_array(known, *rows_of_frame(f"{who}: x", x), who)
    row = row_of(x)
    if row is not None and known is not None and (isinstance(x, Mapping) or _names_columns(row, known)):
        return as_array(known, table_of_row(row, f"{who}: x"), tuple(row), who)
    return as_array(known, _numbers(model, x, who), (), who)


def _names_columns(row: dict[str, Any], known: Columns) -> bool:
    """Whether a Series is a row of the table, and not a column with row labels."""
    return len(row) == len(known.names) or not set(row).isdisjoint(known.names)


def _numbers(model: Model | Ensemble, x: Any, who: str) -> Array:
    """Inputs as numbers; what is not an array is often the path of an image."""
    try:
        return as_numbers(f"{who}: x", x)
    except TypeError:
        if np.ndim(x) == 0:
            not_a_path(model, np.asarray(x), who)
        if model.card.table is not None and not model.card.table.is_plain:
            raise TypeError(
                f"{who}: x is {brief(x)}, and the model was trained on a table: give a data frame, or a dict for one "
                f"row, with the columns {listed(model.card.table.names)}"
            ) from None
        raise


class Prediction(NamedTuple):
    """The prediction for one input: `7 (99.8 %)`."""

    label: str
    confidence: float
    probabilities: Array

    def __str__(self) -> str:
        return encodable(f"{self.label} ({100 * self.confidence:.1f} %)")

    def __repr__(self) -> str:
        return str(self)


class LabelPrediction(NamedTuple):
    """The labels that apply to one input, of several: `fog (91.2 %), rain (80.1 %)`, or `none of 5 labels`.

    Attributes:
        labels: the names of those that apply, in the order of the model.
        confidences: their probabilities.
        probabilities: (K,) the probabilities of all labels, which need not sum to 1.
    """

    labels: tuple[str, ...]
    confidences: tuple[float, ...]
    probabilities: Array

    def __str__(self) -> str:
        pairs = zip(self.labels, self.confidences, strict=True)
        words = ", ".join(f"{label} ({100 * share:.1f} %)" for label, share in pairs)
        return encodable(words or f"none of {len(self.probabilities)} labels")

    def __repr__(self) -> str:
        return str(self)


@overload
def classify(model: Sequential | Ensemble, image: Any) -> Any: ...


@overload
def classify(model: Model, image: Any) -> Any: ...


@check_keywords(x="image", data="image", threshold=CHOOSES, **AVERAGES)
def classify(model: Model | Ensemble, image: Any) -> Any:
    """The predicted class of one input, or the labels that apply to it, with their confidence.

    Args:
        model: a model trained on classes or binary labels, or a pn.Ensemble.
        image: one input: (height, width), (height, width, channels) or a batch of 1.

    Returns:
        The Prediction, or of a model of several labels the LabelPrediction, which has those whose probability is at
        least the label's threshold; for a model with heads a dict of them.

    Raises:
        ValueError, TypeError: the model is for regression, or the image does not fit it.
    """
    heads, _ = ready(model, "classify")
    for head in heads:
        if head.task.kind == "values":
            what = f"the head {head.name}" if head.name else "this model"
            raise ValueError(f"classify: {what} is for regression: use pn.predict(model, x)")
    found = _answered(model, image, "classify")
    by_head = found if isinstance(found, dict) else {"": found}
    count = len(by_head[heads[0].name])
    if count != 1:
        raise ValueError(f"classify: it takes one input, got {count:,}: use pn.predict(model, x)")
    predictions = {head.name: prediction_of(head.task, by_head[head.name][0]) for head in heads}
    return predictions.get("", predictions)


def prediction_of(task: Task, row: Array) -> Prediction | LabelPrediction:
    """The prediction that the outputs (K,) of one input mean, for classes or labels."""
    if task.kind == "labels":
        apply = np.flatnonzero(task.decide(row[None])[0])
        return LabelPrediction(tuple(map(task.label, apply.tolist())), tuple(row[apply].tolist()), row)
    number = int(task.decide(row[None])[0])
    if task.kind == "binary":
        row = np.array([1 - row[0], row[0]])
    return Prediction(task.label(number), min(1.0, max(0.0, float(row[number]))), row)


def _is_by_hand(model: Any) -> bool:
    """Whether a model has values that are not from pn.fit, and has not been evaluated."""
    return isinstance(model, Model) and model.is_built and model.card.task is None


def _by_hand(model: Any) -> tuple[tuple[Head, ...], Preprocessing]:
    """Heads for a model with an unknown task: values, so that outputs are returned unchanged."""
    inherit(model)
    if not gives_features(model):
        warn(
            "predict: the model was not trained by pn.fit, so these are its raw outputs; once pn.evaluate(model, (x, "
            "y)) has inferred from y what they mean, predict returns probabilities if y has classes"
        )
    shape: Any = model.output_shape
    shapes = shape if isinstance(shape, dict) else {"": shape}
    tasks = {head: Task("values", one[-1] if one else 1) for head, one in shapes.items()}
    heads = tuple(Head(head, task, losses.rows(None, task), {}) for head, task in tasks.items())
    return heads, model.card.preprocessing or Preprocessing("none", "float")


def ready(model: Model | Ensemble, who: str) -> tuple[tuple[Head, ...], Preprocessing]:
    """The heads and the preprocessing of a trained model.

    Raises:
        RuntimeError: it is not trained yet.
    """
    check_model(model, who)
    if model.card.task is None:
        raise RuntimeError(
            f"{who}: the model is not trained yet: call pn.fit(model, data) first; if it was trained by hand, call "
            "pn.evaluate(model, (x, y)) once, which infers the task from y (model(x) returns the raw output)"
        )
    return trained(model), model.card.preprocessing or Preprocessing("none", "float")
