"""learning_rate.py -- find_learning_rate: trains a copy of a model for some steps with a growing learning rate.

Source: Smith, Cyclical Learning Rates for Training Neural Networks, 2017 (the range test).
"""

import copy
import math
from collections.abc import Iterator
from itertools import count
from typing import Any, Literal, NamedTuple

import pyneural._core as _core
import pyneural.training.optimizers as optimizers
from pyneural.arguments.checks import in_the_name_of, is_number, whole, whole_or_auto
from pyneural.arguments.familiar_training import OF_FIT
from pyneural.arguments.spelling import check_keywords
from pyneural.batching.inputs import check_model
from pyneural.evaluation.lines import say
from pyneural.layers.context import Position, position
from pyneural.models.model import Model
from pyneural.training.optimizers import Optimizer
from pyneural.training.plan import Losses, Plan, Request
from pyneural.training.plan import plan as make_plan

_KEEP = 0.9  # of the exponential mean of the losses
_DIVERGED = 4.0  # the test ends when the smoothed loss is this many times its lowest value
_LEAST = 10  # steps before it may end


class LearningRateCurve(NamedTuple):
    """The result of pn.find_learning_rate, for pn.plot.learning_rate.

    Attributes:
        suggestion: a good learning rate for pn.fit.
        rates: the learning rate of each step.
        losses: its loss.
        smoothed: the exponential mean of the losses.
    """

    suggestion: float
    rates: list[float]
    losses: list[float]
    smoothed: list[float]

    def __repr__(self) -> str:
        return f"<LearningRateCurve: suggestion {self.suggestion:.2g}, {len(self.rates)} steps>"


@check_keywords(
    positional="give x and y as one pair, pn.find_learning_rate(model, (x, y))",
    **OF_FIT,
    **dict.fromkeys(("start_lr", "min_lr", "start"), "lowest"),
    **dict.fromkeys(("end_lr", "max_lr", "end"), "highest"),
    **dict.fromkeys(("num_it", "num_iter", "num_training", "iterations"), "steps"),
)
def find_learning_rate(
    model: Model,
    data: Any,
    *,
    optimizer: str | Optimizer = "adam",
    loss: Losses = "auto",
    batch_size: int | Literal["auto"] = "auto",
    preprocess: str | None = "auto",
    scale_targets: bool = True,
    lowest: float = 1e-6,
    highest: float = 10.0,
    steps: int = 100,
    seed: int = 0,
    verbose: int = 1,
) -> LearningRateCurve:
    """Suggests a learning rate: trains a copy of the model for some steps, each with a larger rate.

    The rate grows from `lowest` to `highest` by the same factor at each step, and the test ends early when the loss has
    grown to 4 times its lowest value.  The suggestion is a third of the largest rate at which the smoothed loss is
    still lowest, to within its standard error: there the training begins to diverge.  (The loss of a trained model
    hardly falls, and its very lowest value is then anywhere.)  The model itself is not changed.

    Args:
        model: a model, built or not.
        data: as in pn.fit.
        optimizer: a name, or pn.Adam(beta1=0.8), as in pn.fit.
        loss: as in pn.fit.
        batch_size: as in pn.fit.
        preprocess: as in pn.fit.
        scale_targets: as in pn.fit.
        lowest: the first learning rate.
        highest: the last one.
        steps: the number of steps; the data is used again where it is too small for them.
        seed: the seed of the initial weights, the order and dropout.
        verbose: 0 prints nothing.

    Returns:
        The curve, with `.suggestion`.

    Raises:
        ValueError, TypeError: an argument, or the data, is wrong.

    >>> x = np.linspace(-1, 1, 256, dtype=np.float32).reshape(-1, 1)
    >>> found = pn.find_learning_rate(pn.Sequential(pn.Dense(16, "tanh"), pn.Dense(1)), (x, x * x), verbose=0)
    >>> 1e-4 < found.suggestion < 1
    True
    """
    check_model(model, "find_learning_rate")
    size = whole_or_auto("find_learning_rate", "batch_size", batch_size)
    steps = whole("find_learning_rate", "steps", steps, least=_LEAST)
    if not is_number(lowest) or not is_number(highest) or not 0 < lowest < highest < math.inf:
        raise ValueError(
            f"find_learning_rate: lowest is {lowest!r} and highest is {highest!r}: give learning rates above 0, the "
            "lower one first"
        )
    trial = copy.deepcopy(model)
    request = Request(None, preprocess, scale_targets, loss=loss, seed=seed, batch_size=size)
    with in_the_name_of("find_learning_rate"):
        plan = make_plan(trial, data, request)
        bound = optimizers.recipe(optimizer, None, "constant").bound(trial)
    growth = (highest / lowest) ** (1 / (steps - 1))
    rates = [lowest * growth**step for step in range(steps)]
    losses, smoothed = _tried(plan, bound, rates, Position(seed))
    if not losses:
        raise FloatingPointError(
            f"find_learning_rate: the loss of the first step, at the rate {lowest:g}, is not finite: give a "
            "smaller lowest"
        )
    best = _last_lowest(losses, smoothed)
    found = LearningRateCurve(rates[best] / 3, rates[: len(losses)], losses, smoothed)
    if verbose:
        tried = f"{len(losses)} steps from {rates[0]:.2g} to {found.rates[-1]:.2g}"
        say([f"suggested learning rate {found.suggestion:.2g}", tried, f"lowest loss at {rates[best]:.2g}"])
    return found


def _tried(plan: Plan, bound: Optimizer, rates: list[float], at: Position) -> tuple[list[float], list[float]]:
    """The loss at each rate, and their exponential means, until the loss diverges."""
    losses: list[float] = []
    smoothed: list[float] = []
    mean = 0.0
    shown = plan.objective.shown
    token = position.set(at)
    try:
        with _core.Interrupt() as stop:
            for rate, (x, y, weights, samples) in zip(rates, _batches(plan, at), strict=False):
                at.begin(samples)
                error = plan.objective.loss(plan.objective.run(x, training=True), y, weights)
                loss = error.item() if shown is None else shown(error.item())
                mean = _KEEP * mean + (1 - _KEEP) * loss
                now = mean / (1 - _KEEP ** (len(losses) + 1))
                if not math.isfinite(loss) or (len(losses) >= _LEAST and now > _DIVERGED * abs(min(smoothed))):
                    break
                losses.append(loss)
                smoothed.append(now)
                error.backward()
                bound.engine.learning_rate = rate
                bound.engine.step()
                if stop.pressed:
                    break
    finally:
        position.reset(token)
    return losses, smoothed


def _last_lowest(losses: list[float], smoothed: list[float]) -> int:
    """The last step at which the smoothed loss is the lowest, to within its standard error.

    The exponential mean of independent values of variance v has the variance v (1 - keep) / (1 + keep).
    """
    variance = sum((loss - mean) ** 2 for loss, mean in zip(losses, smoothed, strict=True)) / len(losses)
    highest = min(smoothed) + math.sqrt(variance * (1 - _KEEP) / (1 + _KEEP))
    return max(step for step, mean in enumerate(smoothed) if mean <= highest)


def _batches(plan: Plan, at: Position) -> Iterator[Any]:
    """The batches of one epoch after another."""
    for epoch in count():
        at.step = epoch
        yield from plan.feed.epoch(plan.batch_size, at.seed, epoch)
