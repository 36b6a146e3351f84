"""outputs.py -- the outputs of a trained model as the losses take them: logits, where there are classes."""

from typing import Any

import numpy as np

import pyneural._core as _core
from pyneural.arguments.arrays import Array
from pyneural.batching.feed import Feed
from pyneural.evaluation.heads import Head
from pyneural.evaluation.predict import checked_inputs, ready
from pyneural.evaluation.running import answering, rows_at_once
from pyneural.models.model import Model


def outputs_of(model: Model, x: Any, who: str) -> tuple[tuple[Head, ...], dict[str, Array]]:
    """The heads of a trained model, and its outputs (n, K) for inputs x, by head; logits divided by the temperature.

    Args:
        model: a trained model.
        x: inputs, as in predict; at least one.
        who: the prefix of messages.
    """
    heads, preprocessing = ready(model, who)
    values = checked_inputs(model, x, preprocessing, who)
    feed = Feed(values, None, np.arange(len(values)), preprocessing, model.dtype)
    run = answering(model, heads)
    with _core.no_grad():
        found = [run(batch)[0] for batch, *_ in feed.batches(rows_at_once(model))]
    parts = [part if isinstance(part, dict) else {"": part} for part in found]
    return heads, {head.name: np.concatenate([part[head.name].numpy() for part in parts]) for head in heads}
