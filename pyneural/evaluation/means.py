"""means.py -- Means: the loss and the metrics over many batches, from functions that return the mean over one.

Built-in functions divide by the rows of a batch, so their mean over batches weights each batch by its rows; built-in
losses divide by the total weight of the rows, if they have weights, and so do their means over batches.  A custom
function may divide by anything, such as the sum of class weights or the number of labels that it does not ignore, which
is not visible from outside.  It is called on many batches together; the result is used if it is a mean, between the
smallest and the largest value of the batches.  Other functions, such as sums, are also weighted by rows.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

import pyneural._core as _core
from pyneural._core import Tensor
from pyneural.batching.feed import Weights
from pyneural.metrics.names import Metric

_TOGETHER = 8192  # rows: enough to average out their weights, few enough for losses that compare every pair
_SLACK = 1e-5  # the relative rounding error of float32 sums


class Means:
    """Accumulates the loss and the metrics over batches.

    Args:
        metrics: functions of (outputs, targets) by name, beside the "loss" that is passed with each batch.
        together: the custom ones by name, including a custom loss.
        parts: the names of the losses whose sum is the loss, and their factors; empty for a single output.
    """

    def __init__(
        self, metrics: Mapping[str, Metric], together: Mapping[str, Metric], parts: Mapping[str, float]
    ) -> None:
        self.metrics = metrics
        self.together = together
        self.parts = parts
        self.sums = dict.fromkeys(("loss", *metrics), 0.0)
        self._totals: dict[str, float] = {}  # the total weights of losses, if their rows have weights
        self._sums_together = dict.fromkeys(together, 0.0)
        self.n = self._waiting = 0
        self._outputs: list[Any] = []
        self._targets: list[Any] = []
        self._values: dict[str, list[tuple[float, int]]] = {name: [] for name in together}

    def add(self, outputs: Any, targets: Any, loss: float, rows: int, weights: Weights = None) -> None:
        """Adds a batch and its loss."""
        self.n += rows
        sums = self.sums
        totals = {} if weights is None else self._weigh(weights)
        sums["loss"] += loss * totals.get("loss", rows)
        for name, function in self.metrics.items():
            value = float(function(outputs, targets))
            sums[name] += value * totals.get(name, rows)
            if name in self._values:
                self._values[name].append((value, rows))
        if self.together:
            if "loss" in self._values:
                self._values["loss"].append((loss, rows))
            self._wait(outputs, targets, rows)

    def _weigh(self, weights: Weights) -> dict[str, float]:
        """Adds the total weights of a batch, by the names of the losses, and returns them."""
        totals = _totals(weights)
        for name, total in totals.items():
            self._totals[name] = self._totals.get(name, 0.0) + total
        return totals

    def result(self) -> dict[str, float]:
        """The means over all batches so far."""
        self._call()
        sums = self.sums | self._sums_together
        values = {name: total / (self._totals.get(name) or max(1, self.n)) for name, total in sums.items()}
        parts = self.parts.items()
        return values | {"loss": sum(values[name] * factor for name, factor in parts)} if parts else values

    def state(self) -> dict[str, Any]:
        """The batches so far, for a checkpoint; tensors as arrays."""
        kept = {name: value for name, value in vars(self).items() if name not in ("metrics", "together", "parts")}
        return kept | {name: [_each(Tensor.numpy, one) for one in kept[name]] for name in ("_outputs", "_targets")}

    def restore(self, state: dict[str, Any]) -> None:
        """Restores what `state` returned."""
        tensors = {name: [_each(_core.borrow, one) for one in state[name]] for name in ("_outputs", "_targets")}
        vars(self).update(state | tensors)

    def _wait(self, outputs: Any, targets: Any, rows: int) -> None:
        self._outputs.append(_each(Tensor.detach, outputs))
        self._targets.append(targets)
        self._waiting += rows
        if self._waiting >= _TOGETHER:
            self._call()

    def _call(self) -> None:
        """Calls the custom functions on the waiting batches together."""
        if not self._waiting:
            return
        one = len(self._outputs) == 1
        outputs = _joined(self._outputs)
        targets = _joined(self._targets)
        with _core.no_grad():
            for name, function in self.together.items():
                whole = self._values[name][0][0] if one else float(function(outputs, targets))
                waited = self._values[name]
                self._sums_together[name] += _mean(whole, waited) * self._waiting
                waited.clear()
        self._outputs = []
        self._targets = []
        self._waiting = 0


def _totals(weights: Weights) -> dict[str, float]:
    """The total weight of a batch by the names of the losses."""
    if isinstance(weights, dict):
        return {f"{head}_loss": part.total for head, part in weights.items()}
    return {"loss": weights.total}


def _mean(whole: float, batches: list[tuple[float, int]]) -> float:
    """The value of all batches together if it lies between theirs; else their mean weighted by rows."""
    known = [value for value, _ in batches if not math.isnan(value)]  # a batch with only ignored labels has no value
    slack = _SLACK * max(map(abs, known), default=0.0)
    if known and min(known) - slack <= whole <= max(known) + slack:
        return whole
    return sum(value * rows for value, rows in batches) / sum(rows for _, rows in batches)


def _each(function: Any, parts: Any) -> Any:
    return {head: function(part) for head, part in parts.items()} if isinstance(parts, dict) else function(parts)


def _joined(batches: list[Any]) -> Any:
    """All batches concatenated."""
    if len(batches) == 1:
        return batches[0]
    if isinstance(batches[0], dict):
        return {head: _joined([batch[head] for batch in batches]) for head in batches[0]}
    return _core.borrow(np.concatenate([batch.numpy() for batch in batches]))
