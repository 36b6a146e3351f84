"""pace.py -- Pace: the progress of a training, by steps or by the clock, which sets its learning rate and its end."""

import time

import pyneural.schedules as schedules


class Pace:
    """The multiplier of the learning rate at each step.

    With a time budget, the progress along the schedule is the larger one of steps / all steps and time / budget.

    Args:
        schedule: a function of (step, steps).
        steps: all steps of the training.
        seconds: the time budget, or None.
    """

    def __init__(self, schedule: schedules.Schedule, steps: int, seconds: float | None) -> None:
        self.schedule = schedule
        self.steps = steps
        self.seconds = seconds
        self.earlier = 0.0  # seconds of the processes before this one, if the training was resumed
        self._started = time.perf_counter()

    def resume(self, seconds: float) -> None:
        """Continues after that many seconds in earlier processes."""
        self.earlier = seconds
        self._started = time.perf_counter()

    @property
    def elapsed(self) -> float:
        """The seconds of training so far."""
        return self.earlier + time.perf_counter() - self._started

    @property
    def multiplier(self) -> schedules.Schedule:
        """A function of (step, steps) that gives the multiplier: the schedule itself without a time budget."""
        return self.schedule if self.seconds is None else self._by_clock

    def _by_clock(self, step: int, steps: int) -> float:
        assert self.seconds is not None
        return self.schedule(max(step, min(steps - 1, int(self.elapsed / self.seconds * steps))), steps)

    def is_over(self) -> bool:
        """Whether the time budget is spent."""
        return self.seconds is not None and self.elapsed >= self.seconds
