"""position.py -- where a training run is: what random numbers are a function of.

Random numbers come from (seed, stream, step, sample, element); the stream is the layer's own, the rest is here.  It is
a context variable, so Python threads that each train a model do not meet.
"""

from contextvars import ContextVar

from pyneural._core import Tensor


class Position:
    """The seed, the step (the epoch, in fit) and the batch's sample numbers (n,) (None: 0, 1, 2 ...)."""

    __slots__ = ("samples", "seed", "step")

    def __init__(self, seed: int = 0, step: int = 0, samples: Tensor | None = None) -> None:
        self.seed = seed
        self.step = step
        self.samples = samples


position: ContextVar[Position | None] = ContextVar("pyneural_position", default=None)


def here() -> Position:
    """The present position; the start, where nothing is being trained."""
    return position.get() or Position()
