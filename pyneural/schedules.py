"""schedules.py -- learning-rate schedules: functions of (step, steps) that return a multiplier.

The learning rate at a step is the optimizer's learning_rate times schedule(step, steps); steps count from 0.
"""

import inspect
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pyneural.arguments.familiar_modules import OF_SCHEDULES
from pyneural.arguments.objects import refuse_as_function
from pyneural.arguments.spelling import choose, names_of

Schedule = Callable[[int, int], float]


def constant(step: int, steps: int) -> float:
    """Always 1."""
    return 1.0


def step(step: int, steps: int, *, parts: int = 3, factor: float = 0.1) -> float:
    """Starts at 1, and is multiplied by `factor` after each of `parts` equal parts.

    >>> [round(step(s, 9), 3) for s in (0, 3, 8)]
    [1.0, 0.1, 0.01]
    """
    return float(factor ** (step * parts // max(1, steps)))


def cosine(step: int, steps: int) -> float:
    """(1 + cos(π step / steps)) / 2.  Source: Loshchilov & Hutter, SGDR, 2017."""
    return 0.5 * (1 + math.cos(math.pi * step / max(1, steps)))


def one_cycle(step: int, steps: int, *, warm: float = 0.25, start: float = 0.04, end: float = 0.001) -> float:
    """From `start` up to 1 over the first `warm` fraction of the steps, then down to `end`, both along cosines.

    Source: Smith & Topin, Super-convergence, 2018.

    >>> [round(one_cycle(s, 100), 2) for s in (0, 25, 99)]
    [0.04, 1.0, 0.0]
    """
    rise = max(1.0, warm * steps)
    if step < rise:
        low, at = start, 1 - step / rise
    else:
        low, at = end, (step - rise) / max(1.0, steps - rise)
    return low + (1 - low) * 0.5 * (1 + math.cos(math.pi * at))


NAMES: dict[str, Schedule] = {"constant": constant, "step": step, "cosine": cosine, "one-cycle": one_cycle}


def find(schedule: str | Schedule) -> Schedule:
    """The schedule given by a name or a function of (step, steps).

    Raises:
        TypeError, ValueError: it is neither of them.
    """
    refuse_as_function("schedule", schedule, f"give a name ({', '.join(NAMES)}) or a function of (step, steps)")
    if not callable(schedule):
        return choose("schedule", schedule, NAMES)
    try:
        inspect.signature(schedule).bind(0, 1)
    except TypeError:
        raise TypeError(
            f"fit: schedule is {name(schedule)}{inspect.signature(schedule)}: give a function of (step, steps)"
        ) from None
    return _checked(schedule)


def _checked(schedule: Schedule) -> Schedule:
    """A user's schedule, whose values are checked."""

    def checked(step: int, steps: int) -> float:
        value: Any = schedule(step, steps)
        try:
            multiplier = float(value)
        except (TypeError, ValueError):
            multiplier = math.nan
        if not (math.isfinite(multiplier) and multiplier >= 0):
            raise ValueError(
                f"fit: schedule {name(schedule)} returned {value!r} for step {step} of {steps}: return a number of at "
                "least 0, by which the learning rate is multiplied"
            )
        return multiplier

    return checked


def name(schedule: str | Schedule) -> str:
    """Its name in progress lines."""
    return schedule if isinstance(schedule, str) else getattr(schedule, "__name__", "custom schedule")


if not TYPE_CHECKING:  # type checkers report wrong names by themselves
    __getattr__ = names_of(
        "pyneural.schedules", ("NAMES", "constant", "cosine", "find", "one_cycle", "step"), OF_SCHEDULES
    )
