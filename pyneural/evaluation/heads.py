"""heads.py -- Head: one output of a model with its task, loss and metrics; Objective: all heads combined.

A model with one output has one head, whose name is "".  With several heads, the outputs and the labels are dicts, the
loss is the sum of the heads' losses, and each metric is prefixed by the name of its head (`top_accuracy`).
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np

import pyneural._core as _core
import pyneural.losses as losses
import pyneural.metrics.names as metrics
import pyneural.ops as ops
from pyneural._core import Tensor
from pyneural.arguments.arrays import Array
from pyneural.batching.feed import Batches
from pyneural.card.classes import of_head
from pyneural.card.task import REGRESSION, Task, check_varied, infer
from pyneural.evaluation.means import Means
from pyneural.metrics.estimate import Estimate
from pyneural.models.model import Model

_TAKEN = {
    "loss": "the training loss",
    "learning_rate": "the learning rate",
    "seconds": "the time of an epoch",
    "epoch": "the number of the epoch",
}  # names in a history
Forward = Callable[..., Any]  # (x, training=) -> a Tensor, or a dict of them by head


class Head(NamedTuple):
    """One output: its name, task, loss and metrics."""

    name: str
    task: Task
    loss: losses.Loss
    metrics: dict[str, metrics.Metric]


class Objective(NamedTuple):
    """The computation on a batch.

    Attributes:
        run: (x, training=) -> the outputs as the losses take them.
        loss: (outputs, targets) -> the scalar loss.
        metrics: by name, functions of (outputs, targets).
        shares: the names of the metrics that are proportions of correct predictions.
        together: the custom functions by name, including a custom loss, which are called on many batches at once.
        parts: the names of the heads' losses; empty for a single output.
    """

    run: Forward
    loss: losses.LossFunction
    metrics: dict[str, metrics.Metric]
    shares: tuple[str, ...]
    together: dict[str, metrics.Metric]
    parts: tuple[str, ...]

    @property
    def has_custom_loss(self) -> bool:
        """Whether a loss is a custom function."""
        return "loss" in self.together or any(name in self.together for name in self.parts)

    def means(self) -> Means:
        """New means over the batches of an epoch, or of an evaluation."""
        return Means(self.metrics, self.together, self.parts)


def names(model: Model) -> tuple[str, ...]:
    """The names of a built model's heads, in order; ("",) for a single output."""
    shape = model.output_shape
    return tuple(shape) if isinstance(shape, dict) else ("",)


def pick(what: str, value: Any, heads: tuple[str, ...], who: str, absent: Any = None) -> dict[str, Any]:
    """A part of `value` for each head.

    Args:
        what: the name of the value in messages, such as "y".
        value: a dict by head, or one value, which is used for every head if `absent` is given.
        heads: the names of the heads.
        who: the prefix of messages.
        absent: the default for heads missing from the dict; None: the value must be a complete dict if heads have
            names.

    Raises:
        ValueError: the dict has other keys; the message says which.
    """
    if heads == ("",):
        if isinstance(value, dict):
            raise ValueError(
                f"{who}: {what} is a dict ({', '.join(map(str, value))}), the model has one output: give one {what}"
            )
        return {"": value}
    if not isinstance(value, Mapping):
        if absent is None:
            shown = ", ".join(f"{head!r}: ..." for head in heads)
            raise ValueError(f"{who}: the model has the heads {', '.join(heads)}: give {what} as a dict, {{{shown}}}")
        return dict.fromkeys(heads, value)
    extra = [str(key) for key in value if key not in heads]
    missing = [head for head in heads if head not in value] if absent is None else []
    if extra or missing:
        wrong = [f"no {', '.join(missing)}"] * bool(missing) + [f"{', '.join(extra)}, which is not a head"] * bool(
            extra
        )
        raise ValueError(f"{who}: {what} has {' and '.join(wrong)}: the model's heads are {', '.join(heads)}")
    return {head: value.get(head, absent) for head in heads}


def inferred(
    model: Model, y: Any, loss: Any = "auto", shown: Any = (), classes: Any = (), *, who: str
) -> tuple[Head, ...]:
    """The heads of a built model, inferred from labels and arguments; the model's existing tasks are kept.

    Args:
        model: a built model.
        y: labels, or a dict of them.
        loss: a name or a function, or a dict of them; "auto" chooses by the task.
        shown: the metrics, or a dict of them.
        classes: the class names, if the data has them; or a dict of them.
        who: the prefix of messages; "fit" rejects labels that are all equal.

    Raises:
        ValueError, TypeError: labels, losses, metrics and outputs do not fit together.
    """
    heads = names(model)
    labels = pick("y", y, heads, who)
    wanted = pick("loss", loss, heads, who, "auto")
    beside = pick("metrics", shown, heads, who, ())
    known = model.card.task if isinstance(model.card.task, dict) else {"": model.card.task}
    made = []
    for head in heads:
        at = f"{who}: {head}" if head else who
        named = of_head(classes, head)
        old = known.get(head)
        loss_name = losses.spelled(wanted[head])
        task = old or infer(labels[head], _outputs(model, head), loss_name, named, at, naming=who == "fit")
        if who == "fit":
            task = task.named(named)
            check_varied(labels[head], task, at)
        made.append(Head(head, task, losses.find(wanted[head], task, at), metrics.find(beside[head], task, at)))
    return tuple(made)


def trained(model: Model) -> tuple[Head, ...]:
    """The heads of a trained model, in order, with the losses that an evaluation reports."""
    task = model.card.task
    loss = model.card.loss
    tasks = task if isinstance(task, dict) else {"": task}
    said = loss if isinstance(loss, dict) else {"": loss}
    return tuple(
        Head(head, found, losses.rows(said.get(head), found), {})
        for head in names(model)
        if (found := tasks.get(head)) is not None
    )


def record_on_card(model: Model, heads: tuple[Head, ...]) -> None:
    """Records the tasks and the losses of the heads on the model's card."""
    if heads[0].name:
        model.card.task = {head.name: head.task for head in heads}
        model.card.loss = {head.name: head.loss.name for head in heads}
    else:
        model.card.task = heads[0].task
        model.card.loss = heads[0].loss.name


def encode(heads: tuple[Head, ...], dtype: str, y: Any, who: str, classes: Any = ()) -> Any:
    """Encodes labels for the losses, as an array or a dict; `classes` names the data's class numbers."""
    if not heads[0].name:
        return heads[0].task.encode(pick("y", y, ("",), who)[""], dtype, who, of_head(classes, ""))
    labels = pick("y", y, tuple(head.name for head in heads), who)
    return {
        name: task.encode(labels[name], dtype, f"{who}: {name}", of_head(classes, name)) for name, task, *_ in heads
    }


def written(head: Head) -> bool:
    """Whether the loss takes the model's outputs unchanged; else it takes the logits."""
    return head.task.kind == "values" or head.loss.name in REGRESSION


def forward(model: Model, heads: tuple[Head, ...]) -> Forward:
    """A function (x, training=) -> the outputs as the losses take them."""
    plain = [head.name for head in heads if written(head)]
    if len(plain) == len(heads):
        return model.call
    return partial(model.logits, written=frozenset(plain)) if plain else model.logits


def answers(outputs: Any, heads: tuple[Head, ...]) -> Any:
    """Probabilities or values, as arrays, from the result of forward: applies softmax or sigmoid to logits."""
    if not heads[0].name:
        return _answer(outputs, heads[0])
    return {head.name: _answer(outputs[head.name], head) for head in heads}


def _answer(outputs: Tensor, head: Head) -> Array:
    if not written(head):
        outputs = ops.softmax(outputs) if head.task.kind == "classes" else ops.sigmoid(outputs)
    return np.array(outputs.numpy())


def objective(model: Model, heads: tuple[Head, ...]) -> Objective:
    """The Objective of all heads."""
    run = forward(model, heads)
    together = _together(heads)
    if not heads[0].name:
        head = heads[0]
        _check_names(list(head.metrics))
        return Objective(run, head.loss.mean, head.metrics, _shares(head.metrics), together, ())
    parts: dict[str, Tensor] = {}  # the heads' losses of the current batch, which the metrics reuse

    def loss(outputs: dict[str, Tensor], targets: dict[str, Tensor]) -> Tensor:
        for head in heads:
            parts[head.name] = head.loss.mean(outputs[head.name], targets[head.name])
        first, *others = parts.values()
        return sum(others, start=first)

    shown: dict[str, metrics.Metric] = {}
    _check_names([f"{head.name}_{name}" for head in heads for name in ("loss", *head.metrics)])
    for head in heads:
        shown[f"{head.name}_loss"] = partial(_part, parts, head.name)
        for name, function in head.metrics.items():
            shown[f"{head.name}_{name}"] = partial(_of_head, function, head.name)
    shares = tuple(f"{head.name}_{name}" for head in heads for name in _shares(head.metrics))
    return Objective(run, loss, shown, shares, together, tuple(f"{head.name}_loss" for head in heads))


def _check_names(shown: list[str]) -> None:
    """Rejects metric names that are taken in a history, or duplicate.

    Raises:
        ValueError: there is such a name.
    """
    for name in shown:
        if name in _TAKEN or name.startswith("val_"):
            whose = _TAKEN.get(name, "a value of the validation")
            raise ValueError(
                f"fit: a metric or head would be named '{name}' in the history, but that is {whose}: rename the "
                "function or the head"
            )
        if shown.count(name) > 1:
            raise ValueError(f"fit: two metrics or heads would be named '{name}' in the history: rename one")


def _together(heads: tuple[Head, ...]) -> dict[str, metrics.Metric]:
    """The custom losses and metrics, by the names of their values."""
    found: dict[str, metrics.Metric] = {}
    for head in heads:
        own: dict[str, metrics.Metric] = {} if head.loss.name in losses.NAMES else {"loss": head.loss.mean}
        own |= {name: function for name, function in head.metrics.items() if not metrics.is_built_in(function)}
        for name, function in own.items():
            if head.name:
                found[f"{head.name}_{name}"] = partial(_of_head, function, head.name)
            else:
                found[name] = function
    return found


def _shares(found: dict[str, metrics.Metric]) -> tuple[str, ...]:
    return tuple(name for name, function in found.items() if metrics.is_accuracy(function))


def _part(parts: dict[str, Tensor], name: str, outputs: Any, targets: Any) -> Tensor:
    return parts[name]


def _of_head(function: metrics.Metric, name: str, outputs: Any, targets: Any) -> Tensor | float:
    return function(outputs[name], targets[name])


def _outputs(model: Model, head: str) -> tuple[int, ...]:
    shape: Any = model.output_shape
    return tuple(shape[head] if head else shape)


BATCH = 500  # rows per batch: enough to use all cores, few enough to fit into their caches


def mean_loss_and_metrics(objective: Objective, feed: Batches, stop: _core.Interrupt) -> dict[str, float]:
    """The mean loss and the mean of each metric; proportions of correct predictions have intervals.

    Once Ctrl-C is pressed (`stop.pressed`) it stops after the current batch, and the means are invalid.
    """
    means = objective.means()
    with _core.no_grad():
        for x, y in feed.batches(BATCH):
            outputs = objective.run(x, training=False)
            means.add(outputs, y, objective.loss(outputs, y).item(), len(x))
            if stop.pressed:
                break
    return means.result() | {name: Estimate.share(round(means.sums[name]), means.n) for name in objective.shares}


def outputs_of(objective: Objective, feed: Batches) -> Iterator[Any]:
    """The outputs for each batch, as the losses take them."""
    with _core.no_grad():
        for x, _ in feed.batches(BATCH):
            yield objective.run(x, training=False)


def are_finite(outputs: Any) -> bool:
    """Whether outputs, a tensor or a dict of them by head, hold neither NaN nor infinity."""
    parts = outputs.values() if isinstance(outputs, dict) else (outputs,)
    return all(_core.check_finite(part.numpy())[0] == 0 for part in parts)
