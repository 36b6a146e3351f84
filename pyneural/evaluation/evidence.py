"""evidence.py -- the number that a heat map explains: one output of a model, or the log odds of a class."""

from typing import Any, NamedTuple

import numpy as np

import pyneural._core as _core
from pyneural._core import Tensor
from pyneural.arguments.arrays import Array
from pyneural.arguments.checks import is_whole
from pyneural.arguments.objects import brief
from pyneural.arguments.spelling import exactly
from pyneural.card.classes import are_numbers
from pyneural.card.task import Task
from pyneural.evaluation.heads import Head, written
from pyneural.evaluation.running import answering, forward
from pyneural.models.ensemble import Ensemble
from pyneural.models.model import Model


class Score(NamedTuple):
    """The number that a map explains: sign * one output, whose number is `place`; its label is for titles."""

    head: Head
    place: int
    sign: int
    label: str


def score_of(head: Head, label: Any, model: Model | Ensemble, batch: Tensor, who: str) -> Score:
    """The score of the class with that label; None: of the class predicted for the prepared image in `batch`.

    Raises:
        ValueError: there is no such class; the message names the closest one, or all of them.
    """
    task = head.task
    if task.kind == "values":
        if label is None and task.outputs > 1:
            raise ValueError(
                f"{who}: the model predicts {task.outputs} values: give the number of one, such as label=0"
            )
        number = 0 if label is None else _numbered(label, task.outputs, "output", who)
        return Score(head, number, 1, f"output {number}" if task.outputs > 1 else "the output")
    if label is None and task.kind == "labels":
        raise ValueError(
            f"{who}: the model answers {task.outputs} labels, each yes or no: give one, such as label={task.names[0]!r}"
        )
    if label is None:
        answers = answering(model, (head,))(batch)[1]
        number = int(task.decide(answers[head.name] if head.name else answers)[0])
    else:
        number = _class(label, task, who)
    if task.kind == "binary":
        return Score(head, 0, 1 if number else -1, task.label(number))
    return Score(head, number, 1, task.label(number))


def _class(label: Any, task: Task, who: str) -> int:
    """The number of a class from its name or number; numbers that are names count as names."""
    names = list(task.names)
    word = str(label) if is_whole(label) and task.classes and are_numbers(task.classes) else label
    if isinstance(word, str):
        return exactly(f"{who}: label", word, {name: i for i, name in enumerate(names)})
    return _numbered(label, len(names), "class", who)


def _numbered(label: Any, count: int, what: str, who: str) -> int:
    if not is_whole(label) or not 0 <= label < count:
        raise ValueError(f"{who}: label is {brief(label)}: give the {what}'s number, 0 to {count - 1}")
    return int(label)


def scores(model: Model, score: Score, x: Array) -> Array:
    """The scores (n,) of prepared inputs: log odds of a class, or an output as it is."""
    head = score.head
    with _core.no_grad():
        outputs = forward(model, (head,))(_core.tensor(x, model.dtype), training=False)
        found = (outputs[head.name] if head.name else outputs).numpy().astype(np.float64)
    value: Array = found[:, score.place]
    if written(head) or head.task.kind in ("binary", "labels"):
        return np.asarray(score.sign * value)
    others = np.delete(found, score.place, axis=1)
    most = others.max(axis=1)
    return np.asarray(value - most - np.log(np.exp(others - most[:, None]).sum(axis=1)))
