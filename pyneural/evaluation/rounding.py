"""rounding.py -- a warning about targets of a regression that the dtype of a model rounds together."""

from typing import Any

import numpy as np

from pyneural.arguments.arrays import Array
from pyneural.arguments.checks import warn
from pyneural.card.target_scale import TargetScale
from pyneural.evaluation.heads import Head, pick

_STEPS = 4  # numbers of the dtype in a deviation, at least


def warn_of_rounding(y: Array, scale: TargetScale, dtype: str, who: str) -> bool:
    """Warns of targets (n, K) that differ by less than the numbers of a dtype near them do, in which answers are given.

    Returns:
        Whether it did.
    """
    for column, (mean, deviation) in enumerate(zip(scale.mean, scale.deviation, strict=True)):
        apart = float(np.spacing(np.dtype(dtype).type(abs(mean))))
        if apart > deviation / _STEPS and np.any(y[:, column] != y[0, column]):
            warn(
                f"{who}: y has the mean {mean:.3g} and a standard deviation of {deviation:.3g}, and numbers of {dtype} "
                f"are {apart:.3g} apart there, to which predictions and scores are rounded: subtract "
                "a constant from y, or make the model with dtype='float64'"
            )
            return True
    return False


def warn_of_targets(heads: tuple[Head, ...], dtype: str, y: Any, who: str) -> bool:
    """The same for labels of all heads, which the losses take; returns whether it warned."""
    labels = pick("y", y, tuple(head.name for head in heads), who)
    for head in heads:
        if head.task.kind == "values":
            at = f"{who}: {head.name}" if head.name else who
            exact = head.task.encode(labels[head.name], "float64", at)
            if len(exact) and warn_of_rounding(exact, TargetScale.learn(exact, dtype), dtype, at):
                return True
    return False
