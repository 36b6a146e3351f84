"""objective.py -- Objective: the losses and the metrics of all heads combined, on a batch and over many.

With several heads the loss is the sum of the heads' losses, and each metric is prefixed by the name of its head
(`top_accuracy`).
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from operator import mul
from types import MappingProxyType
from typing import Any, NamedTuple

import pyneural._core as _core
import pyneural.losses as losses
import pyneural.metrics.names as metrics
from pyneural._core import Tensor
from pyneural.batching.feed import Batches, Weights
from pyneural.evaluation.heads import Head
from pyneural.evaluation.means import Means
from pyneural.evaluation.running import Forward, forward, rows_at_once
from pyneural.evaluation.units import Unit, metric, unit
from pyneural.metrics.estimate import Estimate
from pyneural.models.model import Model

_TAKEN = {
    "loss": "the training loss",
    "learning_rate": "the learning rate",
    "seconds": "the time of an epoch",
    "epoch": "the number of the epoch",
}  # names in a history
Shown = Callable[[float], float] | None
NO_FACTORS: Mapping[str, float] = MappingProxyType({})


class Objective(NamedTuple):
    """The computation on a batch.

    Attributes:
        run: (x, training=) -> the outputs as the losses take them.
        rows: the rows of a batch without gradients.
        loss: (outputs, targets, weights) -> the scalar loss; weights may be None.
        total: a dict of factors by head -> the sum of the heads' losses of the last batch, multiplied by them too; for
            several heads.
        metrics: by name, functions of (outputs, targets).
        shares: the names of the metrics that are proportions of correct predictions.
        together: the custom functions by name, including a custom loss, which are called on many batches at once.
        parts: the names of the heads' losses, and their factors in the sum; empty for a single output.
        shown: converts the loss of the last batch to units of the targets; None if it is in these units.  With several
            heads, whose units differ, the sum is that of training.
    """

    run: Forward
    rows: int
    loss: losses.LossFunction
    total: Callable[[Mapping[str, float]], Tensor]
    metrics: dict[str, metrics.Metric]
    shares: tuple[str, ...]
    together: dict[str, metrics.Metric]
    parts: dict[str, float]
    shown: Shown = None

    @property
    def has_custom_loss(self) -> bool:
        """Whether a loss is a custom function."""
        return "loss" in self.together or any(name in self.together for name in self.parts)

    def means(self) -> Means:
        """New means over the batches of an epoch, or of an evaluation."""
        return Means(self.metrics, self.together, self.parts)


def objective(model: Model, heads: tuple[Head, ...], factors: Mapping[str, float] = NO_FACTORS) -> Objective:
    """The Objective of all heads; the loss of each is multiplied by its factor, 1 if it has none."""
    run, rows = forward(model, heads, training=True), rows_at_once(model)
    together = _together(heads)
    if not heads[0].name:
        head = heads[0]
        _check_names(list(head.metrics))
        shares = _shares(head.metrics)
        loss_of_one, converted = _one(head)
        return Objective(run, rows, loss_of_one, _one_loss, _metrics(head), shares, together, {}, converted)
    parts: dict[str, Tensor] = {}  # the heads' losses of the current batch, which the metrics reuse
    in_units: dict[str, Tensor | float] = {}
    means = {head.name: _weighted(head.loss.mean) for head in heads}
    units = {head.name: unit(head.scale, head.loss) for head in heads if head.scale and head.is_standardized}
    exact = {name: one.size for name, one in units.items() if one.loss is None}
    others = {name: _weighted(one.loss) for name, one in units.items() if one.loss is not None}

    def loss(outputs: dict[str, Tensor], targets: dict[str, Tensor], weights: Weights = None) -> Tensor:
        for name, mean in means.items():
            parts[name] = mean(outputs[name], targets[name], weights and weights[name])
        in_units.update(parts)
        for name, size in exact.items():
            in_units[name] = parts[name].item() * size
        for name, mean in others.items():
            in_units[name] = mean(outputs[name].detach(), targets[name], weights and weights[name])
        return total(factors)

    def total(scales: Mapping[str, float]) -> Tensor:
        first, *others = (part * scales[name] if name in scales else part for name, part in parts.items())
        return sum(others, start=first)

    def scaled(scales: Mapping[str, float]) -> Tensor:
        return total({name: scale * factors.get(name, 1.0) for name, scale in scales.items()})

    shown: dict[str, metrics.Metric] = {}
    _check_names([f"{head.name}_{name}" for head in heads for name in ("loss", *head.metrics)])
    for head in heads:
        shown[f"{head.name}_loss"] = partial(_part, in_units, head.name)
        for name, function in _metrics(head).items():
            shown[f"{head.name}_{name}"] = partial(_of_head, function, head.name)
    shares = tuple(f"{head.name}_{name}" for head in heads for name in _shares(head.metrics))
    return Objective(
        run,
        rows,
        loss,
        scaled,
        shown,
        shares,
        together,
        {f"{head.name}_loss": factors.get(head.name, 1.0) / _size(units.get(head.name)) for head in heads},
    )


def _size(of_head: Unit | None) -> float:
    return 1.0 if of_head is None else of_head.size


def _one(head: Head) -> tuple[losses.LossFunction, Shown]:
    """The loss of a model with one output, and what converts it to units of the targets."""
    mean = _weighted(head.loss.mean)
    if head.scale is None or not head.is_standardized:
        return mean, None
    size, in_units = unit(head.scale, head.loss)
    if in_units is None:
        return mean, partial(mul, size)
    shown = _weighted(in_units)
    last: list[Tensor] = []

    def loss(outputs: Tensor, targets: Tensor, weights: Weights = None) -> Tensor:
        last[:] = [shown(outputs.detach(), targets, weights)]
        return mean(outputs, targets, weights)

    return loss, lambda _: last[0].item()


def _metrics(head: Head) -> dict[str, metrics.Metric]:
    """The metrics of a head; those of standardized targets in the units of the targets."""
    if head.scale is None or not head.is_standardized:
        return head.metrics
    return {name: metric(function, head.scale) for name, function in head.metrics.items()}


def _weighted(mean: losses.LossFunction) -> losses.LossFunction:
    """A loss that takes the weights of the rows, or None; 0, without a gradient, if all weights are 0."""

    def weighted(outputs: Tensor, targets: Tensor, weights: Weights = None) -> Tensor:
        if weights is None:
            return mean(outputs, targets)
        how = "mean" if weights.total else "sum"
        return mean(outputs, targets, row_weights=weights.rows, reduction=how)

    return weighted


def _one_loss(scales: Mapping[str, float]) -> Tensor:
    raise AssertionError("a model with one output has one loss, whose gradient can be scaled")


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
        measured = _metrics(head)
        own |= {name: measured[name] for name, one in head.metrics.items() if not metrics.is_built_in(one)}
        for name, function in own.items():
            if head.name:
                found[f"{head.name}_{name}"] = partial(_of_head, function, head.name)
            else:
                found[name] = function
    return found


def _shares(found: dict[str, metrics.Metric]) -> tuple[str, ...]:
    return tuple(name for name, function in found.items() if metrics.is_accuracy(function))


def _part(parts: Mapping[str, Tensor | float], name: str, outputs: Any, targets: Any) -> Tensor | float:
    return parts[name]


def _of_head(function: metrics.Metric, name: str, outputs: Any, targets: Any) -> Tensor | float:
    return function(outputs[name], targets[name])


def mean_loss_and_metrics(
    objective: Objective, feed: Batches, stop: _core.Interrupt, done: Callable[[int], None] = lambda rows: None
) -> dict[str, float]:
    """The mean loss and the mean of each metric; proportions of correct predictions have intervals.

    After each batch `done` is called with its number of rows.  Once Ctrl-C is pressed (`stop.pressed`) it stops after
    the current batch, and the means are invalid.
    """
    means = objective.means()
    shown = objective.shown
    with _core.no_grad():
        for x, y, weights in feed.batches(objective.rows):
            outputs = objective.run(x, training=False)
            loss = objective.loss(outputs, y, weights).item()
            means.add(outputs, y, loss if shown is None else shown(loss), len(x), weights)
            done(len(x))
            if stop.pressed:
                break
    return means.result() | {name: Estimate.share(round(means.sums[name]), means.n) for name in objective.shares}


def losses_of(objective: Objective, feed: Batches) -> Iterator[Tensor]:
    """The loss of each batch."""
    with _core.no_grad():
        for x, y, weights in feed.batches(objective.rows):
            yield objective.loss(objective.run(x, training=False), y, weights)
