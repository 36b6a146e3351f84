"""plan.py -- what a training works on: its data split, checked and prepared, with its task, loss and metrics."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pyneural import _core, losses, metrics
from pyneural.dataset import Dataset, Splits, as_dataset, split_rows
from pyneural.feed import Feed
from pyneural.inputs import checked, fitted, warn_of_pixels
from pyneural.model import Model
from pyneural.preprocessing import Preprocessing
from pyneural.task import Task, infer

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Plan:
    """What fit trains on.

    Args:
        feed: the training batches.
        held: the validation batches, or None.
        loss: what becomes small.
        metrics: what is shown beside it, by name.
        words: the first line of the progress: data, split, inputs, task.
    """

    feed: Feed
    held: Feed | None
    loss: losses.Loss
    metrics: dict[str, metrics.Metric]
    words: str


@dataclass(frozen=True)
class Request:
    """The arguments of fit that decide on a Plan."""

    validation: float | Dataset | tuple[Any, Any] | None
    preprocess: str | None
    loss: str | losses.LossFunction
    metrics: Sequence[str | metrics.Metric]
    seed: int
    batch_size: int


def plan(model: Model, data: Any, request: Request) -> Plan:
    """Checks and prepares everything, builds the model where it is not, and notes on its card what it will be.

    Raises:
        ValueError, TypeError: model, data and arguments do not go together.
    """
    card = model.card
    loss_name = losses.spelled(request.loss)
    train, held, rows, held_rows, split = _parts(data, request.validation, request.seed)
    x = fitted(model, train.x, "fit")
    if model.input_shape is None:
        model.build(x.shape[1:], seed=request.seed, batch=request.batch_size)
    x = checked(model, x, "fit")
    warn_of_pixels(x)
    assert model.output_shape is not None
    task = card.task or infer(train.y, model.output_shape, loss_name, train.classes, "fit")
    loss = losses.find(request.loss, task)
    y = task.encode(train.y, model.dtype, "fit")
    if card.preprocessing is not None and request.preprocess == "auto":
        preprocessing = card.preprocessing
        preprocessing.check(x, "fit")
    else:
        preprocessing = Preprocessing.learn(request.preprocess, x if len(rows) == len(x) else x[rows])
    shared = held_pair = _core.borrow(x), _core.borrow(y)
    if held is not None and held is not train:
        preprocessing.check(held.x, "fit: validation")
        held_x = checked(model, held.x, "fit: validation")
        held_pair = _core.borrow(held_x), _core.borrow(task.encode(held.y, model.dtype, "fit: validation"))
    made = Plan(
        Feed(*shared, rows, preprocessing, model.dtype),
        None if held is None else Feed(*held_pair, held_rows, preprocessing, model.dtype),
        loss,
        metrics.find(request.metrics, task),
        f"{_name(train)}: {split} · {x.dtype} {x.shape[1:]} -> {preprocessing} · {_task(task)}",
    )
    card.task, card.preprocessing, card.loss, card.seed = task, preprocessing, loss.name, request.seed
    card.data = _name(train)
    card.data_hash = hashlib.sha256(hashlib.sha256(x.data).digest() + hashlib.sha256(y.data).digest()).hexdigest()
    return made


def _parts(data: Any, validation: Any, seed: int) -> tuple[Dataset, Dataset | None, Array, Array, str]:
    """The training data, what is held back for validation, the rows of each that take part, and words for it."""
    if isinstance(data, Splits):
        train, held = data.train, data.validation
    else:
        train, held = as_dataset(data, "fit"), None
    rows = np.arange(len(train))
    if validation is None or (isinstance(validation, int | float) and validation == 0):
        return train, None, rows, rows[:0], f"{len(rows):,} train, no validation"
    if isinstance(validation, int | float):
        if isinstance(validation, bool) or not 0 < validation < 1:
            raise ValueError(
                f"fit: validation is {validation!r}: give a share between 0 and 1, a Dataset, (x, y) or None"
            )
        if held is None:
            rows, held_rows = split_rows(train, float(validation), seed)
            words = f"{len(rows):,} train, {len(held_rows):,} validation (shuffled, stratified)"
            return train, train, rows, held_rows, words
    else:
        held = as_dataset(validation, "fit: validation")
    return train, held, rows, np.arange(len(held)), f"{len(rows):,} train, {len(held):,} validation (given)"


def _name(data: Dataset) -> str:
    return " ".join(filter(None, (data.name or "data", f"({data.note})" if data.note else "")))


def _task(task: Task) -> str:
    return {"classes": f"{task.outputs} classes", "binary": "binary", "values": f"{task.outputs} values"}[task.kind]
