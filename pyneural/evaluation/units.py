"""units.py -- losses and metrics of standardized targets, in the units of the targets.

A model with a TargetScale is trained on (target - mean) / deviation.  The mean squared error of a target is then
deviation**2 times that of training, and the mean absolute error deviation times.  Huber's loss has a delta of one
deviation, and so it is deviation**2 times that of training, too.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import pyneural.losses as losses
import pyneural.metrics.names as metrics
import pyneural.ops as ops
from pyneural._core import Tensor
from pyneural.card.target_scale import TargetScale
from pyneural.card.task import REGRESSION

_POWER = {"mse": 2, "mae": 1, "huber": 2}  # of the deviation, in the unit of a loss


class Unit(NamedTuple):
    """The unit of a loss of standardized targets.

    Attributes:
        size: the loss in units of the targets, divided by that of training; its mean over several targets.
        loss: None if `size` is exact; else a function of standardized (outputs, targets) that returns the loss.
    """

    size: float
    loss: losses.LossFunction | None


def is_standardized(scale: TargetScale | None, loss: losses.Loss) -> bool:
    """Whether a head is trained on standardized targets: a custom loss takes values in units of the targets."""
    return scale is not None and loss.name in REGRESSION


def unit(scale: TargetScale, loss: losses.Loss) -> Unit:
    """The unit of a loss, one of mse, mae and huber."""
    sizes = [deviation ** _POWER[loss.name] for deviation in scale.deviation]
    mean = sum(sizes) / len(sizes)
    return Unit(mean, None if len(set(sizes)) == 1 else partial(_of_standardized, in_units(scale, loss), scale))


def in_units(scale: TargetScale, loss: losses.Loss) -> losses.LossFunction:
    """A loss as a function of values and targets in their units."""
    return partial(_huber, scale) if loss.name == "huber" else loss.mean


def metric(function: metrics.Metric, scale: TargetScale) -> metrics.Metric:
    """A metric in units of the targets, as a function of standardized outputs and targets.

    The built-in ones look at differences alone, so that a large mean costs no digits.
    """
    back = scale.from_mean if metrics.is_built_in(function) else scale.values

    def measured(outputs: Tensor, targets: Tensor) -> Tensor | float:
        return function(back(outputs), back(targets))

    return measured


def _of_standardized(
    function: Callable[..., Tensor], scale: TargetScale, outputs: Tensor, targets: Tensor, **options: Any
) -> Tensor:
    return function(scale.from_mean(outputs), scale.from_mean(targets), **options)


def _huber(scale: TargetScale, outputs: Tensor, targets: Tensor, **options: Any) -> Tensor:
    """deviation**2 * m (|d| - m / 2), with d = (output - target) / deviation and m = min(|d|, 1)."""
    d = ops.abs(scale.in_deviations(outputs - targets))
    m = ops.minimum(d, 1.0)
    found = scale.from_mean(scale.from_mean(m * (d - m * 0.5)))
    return ops.mae(found, found * 0.0, **options)
