"""target_scaling.py -- which targets of a training are standardized, and by what.

Targets of the built-in losses of regression are, if the output can be any number: after a sigmoid or a relu it cannot,
and only the user knows what a custom loss takes outputs for.  A trained model keeps what it was trained with.
"""

import math
from typing import Any

import numpy as np

from pyneural.arguments.arrays import Array
from pyneural.batching.sources import Source
from pyneural.card.target_scale import TargetScale
from pyneural.card.task import REGRESSION
from pyneural.evaluation.heads import Head, encode, scales_of
from pyneural.evaluation.rounding import warn_of_rounding
from pyneural.layers.convolution import Conv2D
from pyneural.layers.dense import Dense
from pyneural.layers.joins import Add, Arithmetic, Concatenate
from pyneural.layers.norms import Dropout
from pyneural.layers.reshaping import Flatten, Reshape
from pyneural.models.graph import Graph
from pyneural.models.model import Model
from pyneural.models.network import Network

_UNKNOWN = TargetScale()
_MARGIN = 1e3  # deviations that an error may have
_BY_A_NUMBER = ("multiply", "divide")


def with_scales(model: Model, heads: tuple[Head, ...], train: Source, scale_targets: bool) -> tuple[Head, ...]:
    """The heads, with the scales of their targets.

    Args:
        model: a model whose graph is known.
        heads: its heads.
        train: the training data.
        scale_targets: the argument of fit.

    Raises:
        ValueError: the targets do not fit the model.
    """
    if not scale_targets:
        return heads
    known = scales_of(model)
    if not _is_new(model):
        return tuple(head._replace(scale=known.get(head.name)) for head in heads)
    wanted = tuple(head._replace(scale=_UNKNOWN) if _is_scaled(model, head) else head for head in heads)
    if not any(head.scale for head in wanted):
        return heads

    def encoded(y: Any, who: str, classes: Any = ()) -> Any:
        return encode(wanted, model.dtype, y, who, classes, training=True)

    found = train.targets(encoded)
    by_name = found if isinstance(found, dict) else {"": found}
    return tuple(
        head._replace(scale=_learned(by_name[head.name], model.dtype, head.name)) if head.scale else head
        for head in wanted
    )


def _learned(y: Array, dtype: str, head: str) -> TargetScale:
    """The scale of targets (n, K).

    Raises:
        ValueError: the loss in their units would overflow.
    """
    scale = TargetScale.learn(y, dtype)
    who = f"fit: {head}" if head else "fit"
    largest = max(scale.deviation)
    if largest > math.sqrt(float(np.finfo(dtype).max)) / _MARGIN:
        raise ValueError(
            f"{who}: y has a standard deviation of {largest:.3g}, whose square {dtype} cannot hold: divide y by a "
            "constant"
        )
    warn_of_rounding(y, scale, dtype, who)
    return scale


def _is_new(model: Model) -> bool:
    """Whether no training, not even one by hand that was evaluated, has given the outputs a scale."""
    return not model.card.epochs and not (model.is_built and model.card.task is not None)


def _is_scaled(model: Model, head: Head) -> bool:
    if head.task.kind != "values" or head.loss.name not in REGRESSION:
        return False
    return _free(model.graph)[id(model.graph.outputs[head.name])]


def _free(graph: Graph) -> dict[int, bool]:
    """By node, whether its values are linear in its last parameters, so that each of them can be any number."""
    found = {id(graph.input): False}
    for node in graph.nodes:
        found[id(node)] = _is_free(node.layer, [found[id(before)] for before in node.inputs])
    return found


def _is_free(layer: Any, inputs: list[bool]) -> bool:
    if isinstance(layer, Network):
        inner = layer.graph
        return inner.only is not None and _free(inner)[id(inner.only)]
    if isinstance(layer, Dense | Conv2D):
        return layer.activation is None
    if isinstance(layer, Flatten | Reshape | Dropout | Concatenate):
        return all(inputs)
    if isinstance(layer, Arithmetic):
        return any(inputs) and layer.operation in ("add", "subtract", *(() if layer.reverse else _BY_A_NUMBER))
    return isinstance(layer, Add) and any(inputs)
