"""running.py -- a model run on a batch: its outputs as the losses take them, and its answers.

A model with test_time="flip" runs twice, on each image and on its mirror image, and its probabilities are the means of
both.  Those of an ensemble are the means of its models, each of which prepares the inputs itself.  A temperature
divides the logits of the mean, so calibration changes no answer there either.
"""

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

import pyneural.ops as ops
from pyneural._core import Tensor
from pyneural.arguments.arrays import Array
from pyneural.card.mixed import prepared
from pyneural.card.target_scale import TargetScale
from pyneural.evaluation.heads import Head, trained, written
from pyneural.evaluation.pooling import logits_of_mean, mean
from pyneural.layers.layer import tree
from pyneural.layers.operation import record
from pyneural.models.ensemble import Ensemble
from pyneural.models.model import Model

Forward = Callable[..., Any]  # (x, training=) -> a Tensor, or a dict of them by head
Answering = Callable[[Tensor], tuple[Any, Any]]  # x -> what Forward returns, and the answers as arrays
BATCH = 500  # rows per batch: enough to use all cores, few enough to fit into their caches
_WIDEST = 1 << 21  # the most numbers of a batch in the widest layer's input: 8 MiB of float32
_Both = Callable[[Tensor], tuple[Tensor, Tensor]]  # x -> outputs as the losses take them, and answers


def rows_at_once(model: Model | Ensemble) -> int:
    """The rows of a batch, fewer than BATCH if the model has wide layers, such as convolutions of large images."""
    if isinstance(model, Ensemble):
        return min(map(rows_at_once, model))
    widest = max((math.prod(shape) for layer in tree(model) for shape in record(layer).shapes), default=1)
    return max(1, min(BATCH, _WIDEST // max(1, widest)))


def forward(model: Model | Ensemble, heads: tuple[Head, ...], *, training: bool = False) -> Forward:
    """A function (x, training=) -> the outputs as the losses take them; logits are divided by the temperature.

    For training, standardized values stay so.
    """
    if isinstance(model, Ensemble):
        return partial(_outputs_alone, _mean_of_models(model, heads[0]))
    once = _once(model, heads, training=training)
    if model.card.test_time is None:
        return once
    return partial(_in_training_once, once, _flipped(model, heads[0], training=training))


def answering(model: Model | Ensemble, heads: tuple[Head, ...]) -> Answering:
    """A function x -> what `forward` returns, and the answers: probabilities or values, as arrays."""
    if isinstance(model, Ensemble):
        return partial(_as_arrays, _mean_of_models(model, heads[0]))
    if model.card.test_time is None:
        return partial(_with_answers, _once(model, heads), heads)
    return partial(_as_arrays, _flipped(model, heads[0]))


def _once(model: Model, heads: tuple[Head, ...], *, training: bool = False) -> Forward:
    """The `forward` of a single pass."""
    run = _as_the_model_has_them(model, heads)
    scales = {
        head.name: head.scale for head in heads if head.scale is not None and not (training and head.is_standardized)
    }
    return partial(_in_units, run, scales) if scales else run


def _in_units(run: Forward, scales: Mapping[str, TargetScale], x: Tensor, *, training: bool) -> Any:
    """The outputs, the standardized ones as values."""
    outputs = run(x, training=training)
    if not isinstance(outputs, dict):
        return scales[""].values(outputs)
    return {head: scales[head].values(part) if head in scales else part for head, part in outputs.items()}


def _as_the_model_has_them(model: Model, heads: tuple[Head, ...]) -> Forward:
    """The outputs of a single pass: values, some of them standardized, and logits, divided by the temperature."""
    plain = [head.name for head in heads if written(head)]
    if len(plain) == len(heads):
        return model.call
    run: Forward = partial(model.logits, written=frozenset(plain)) if plain else model.logits
    factors = {
        head.name: 1 / head.task.temperature for head in heads if head.task.temperature != 1 and not written(head)
    }
    return partial(_cooled, run, factors) if factors else run


def _cooled(run: Forward, factors: Mapping[str, float], x: Tensor, *, training: bool) -> Any:
    """The outputs, some heads' times a factor."""
    outputs = run(x, training=training)
    if not isinstance(outputs, dict):
        return outputs * factors[""]
    return {head: part * factors[head] if head in factors else part for head, part in outputs.items()}


def _with_answers(run: Forward, heads: tuple[Head, ...], x: Tensor) -> tuple[Any, Any]:
    outputs = run(x, training=False)
    if not heads[0].name:
        return outputs, np.array(_answer(outputs, heads[0]).numpy())
    return outputs, {head.name: np.array(_answer(outputs[head.name], head).numpy()) for head in heads}


def _answer(outputs: Tensor, head: Head) -> Tensor:
    """Probabilities or values from outputs as the losses take them: softmax or sigmoid of logits."""
    if written(head):
        return outputs
    return ops.softmax(outputs) if head.task.kind == "classes" else ops.sigmoid(outputs)


# ---- means of several passes


def _flipped(model: Model, head: Head, *, training: bool = False) -> _Both:
    """The mean over each image and its mirror image; of a model with one output."""
    uncooled = head._replace(task=head.task.uncalibrated())
    return partial(_of_both_sides, _once(model, (uncooled,), training=training), head)


def _of_both_sides(run: Forward, head: Head, x: Tensor) -> tuple[Tensor, Tensor]:
    outputs = [run(side, training=False) for side in (x, x[:, :, ::-1])]
    return _pooled(outputs, [_answer(one, head) for one in outputs], head)


def _mean_of_models(ensemble: Ensemble, head: Head) -> _Both:
    """The mean of the models' answers to a batch as it was given, which each of them prepares."""
    return partial(_of_models, [_prepared_for(model) for model in ensemble], ensemble.parts, head)


def _of_models(
    runs: list[_Both], parts: Callable[[Tensor], list[Tensor]], head: Head, x: Tensor
) -> tuple[Tensor, Tensor]:
    found = [run(part) for run, part in zip(runs, parts(x), strict=True)]
    return _pooled([outputs for outputs, _ in found], [answers for _, answers in found], head)


def _prepared_for(model: Model) -> _Both:
    """A model of an ensemble on a batch as it was given."""
    (head,) = trained(model)
    run = partial(_single, _once(model, (head,)), head) if model.card.test_time is None else _flipped(model, head)

    def both(x: Tensor) -> tuple[Tensor, Tensor]:
        return run(prepared(model.card.preprocessing, x, model.dtype))

    return both


def _single(run: Forward, head: Head, x: Tensor) -> tuple[Tensor, Tensor]:
    outputs = run(x, training=False)
    return outputs, _answer(outputs, head)


def _pooled(outputs: list[Tensor], answers: list[Tensor], head: Head) -> tuple[Tensor, Tensor]:
    """The outputs of the mean, divided by the head's temperature, and its answers."""
    found = logits_of_mean(outputs, "values" if written(head) else head.task.kind)
    if written(head) or head.task.temperature == 1:
        return found, mean(answers)
    found = found * (1 / head.task.temperature)
    return found, _answer(found, head)


def _in_training_once(run: Forward, both: _Both, x: Tensor, *, training: bool) -> Tensor:
    outputs: Tensor = run(x, training=True) if training else both(x)[0]
    return outputs


def _outputs_alone(both: _Both, x: Tensor, *, training: bool) -> Tensor:
    assert not training, "an ensemble is not trained"
    return both(x)[0]


def _as_arrays(both: _Both, x: Tensor) -> tuple[Tensor, Array]:
    outputs, answers = both(x)
    return outputs, np.array(answers.numpy())
