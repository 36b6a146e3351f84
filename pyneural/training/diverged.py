"""diverged.py -- a warning about a training that ended finite, but far worse than it began, and than a constant answer.

The loss of the same answer for every example is log K for K classes, and the variance for values.  A training whose
loss is in every epoch far above that, in training and in validation, and far above the loss of its first step, has
diverged: its steps were too long.  Overfitting, few steps and inputs of a strange scale do not look like this.
"""

import math
from collections.abc import Mapping

from pyneural.arguments.checks import warn
from pyneural.card.target_scale import TargetScale
from pyneural.card.task import Task
from pyneural.models.model import Model
from pyneural.training.history import History

_FAR = 10.0  # times the loss of a constant answer, and that of the first step


def warn_if_diverged(
    history: History, model: Model, factors: Mapping[str, float], first: float, learning_rate: float
) -> None:
    """Warns once if the training has diverged, with the learning rate.

    Args:
        history: the finished training.
        model: its model, whose card has the tasks and the losses.
        factors: the factors of the heads' losses in the sum, by `name_loss`; empty for a single output.
        first: the loss of the first step; NaN if it is not known, after a resumed training.
        learning_rate: the highest one.
    """
    known = [min(history[name]) for name in ("loss", "val_loss") if history.get(name)]
    constant = _constant(model, factors)
    if not known or not known[0] > _FAR * first or not min(known) > _FAR * constant:
        return
    name = "val_loss" if "val_loss" in history else "loss"
    warn(
        f"fit: {name} is {known[-1]:,.4g} at best, where the same answer for every example has about {constant:.3g}: "
        f"the training diverged, so the learning rate of {learning_rate:g} is too high: give a lower one, such as "
        "that of pn.find_learning_rate(model, data)"
    )


def _constant(model: Model, factors: Mapping[str, float]) -> float:
    """The loss of the best constant answer, at most; infinity if it is not known."""
    card = model.card
    if not isinstance(card.task, dict):
        assert isinstance(card.task, Task)
        return _of_one(card.task, str(card.loss), card.target_scale)
    losses = card.loss if isinstance(card.loss, dict) else {}
    scales = card.target_scale if isinstance(card.target_scale, dict) else {}
    return sum(
        factors[f"{head}_loss"] * _of_one(task, losses[head], scales.get(head)) for head, task in card.task.items()
    )


def _of_one(task: Task, loss: str, scale: object) -> float:
    if loss == "cross_entropy":
        return math.log(task.outputs)
    if loss == "binary_cross_entropy":
        return task.outputs * math.log(2)
    if not isinstance(scale, TargetScale) or loss not in ("mse", "mae", "huber"):
        return math.inf
    power = 1 if loss == "mae" else 2
    return sum(one**power for one in scale.deviation) / len(scale.deviation)
