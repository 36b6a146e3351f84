"""context.py -- context variables that layer calls read: the build, a recording of calls, the training position."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

import pyneural._core as _core
from pyneural._core import Tensor
from pyneural.arguments.checks import Shape


class Building(NamedTuple):
    """Set while a model is built: the dtype of its tensors, and the batch size to show in messages."""

    dtype: str
    batch: int = 1


Calls = list[tuple[Any, tuple[Shape, ...], Shape]]  # a layer, its input shapes, its output shape
_calls: ContextVar[Calls | None] = ContextVar("pyneural_calls", default=None)
now_building: ContextVar[Building | None] = ContextVar("pyneural_building", default=None)


@contextmanager
def building(at: Building) -> Iterator[None]:
    """Layers called inside declare shape-only tensors."""
    token = now_building.set(at)
    try:
        with _core.no_grad():
            yield
    finally:
        now_building.reset(token)


@contextmanager
def recording_calls() -> Iterator[Calls]:
    """Records each layer call inside a build: the layer, its input shapes, its output shape."""
    calls: Calls = []
    token = _calls.set(calls)
    try:
        yield calls
    finally:
        _calls.reset(token)


def recorded(layer: Any, inputs: tuple[Any, ...], y: Any) -> Any:
    """Returns a layer's output y, and records the call if recording_calls is active."""
    calls = _calls.get()
    if calls is not None and isinstance(y, Tensor):
        calls.append((layer, tuple(tuple(x.shape[1:]) for x in inputs), tuple(y.shape[1:])))
    return y


class Position:
    """The seed, the step (the epoch, in fit) and the sample numbers (n,) of the batch (None: 0, 1, 2 ...)."""

    __slots__ = ("_calls", "samples", "seed", "step")

    def __init__(self, seed: int = 0, step: int = 0, samples: Tensor | None = None) -> None:
        self.seed = seed
        self.step = step
        self.samples = samples
        self._calls: dict[str, int] = {}

    def begin(self, samples: Tensor | None) -> None:
        """Starts the next batch: sets its sample numbers, and resets the call counts."""
        self.samples = samples
        self._calls.clear()

    def stream(self, path: str) -> str:
        """The random stream of a layer's next call: its path, with a number from the second call within a batch.

        So every call of a layer draws new random numbers.
        """
        number = self._calls.get(path, 0)
        self._calls[path] = number + 1
        return f"{path}#{number}" if number else path


position: ContextVar[Position | None] = ContextVar("pyneural_position", default=None)


def current_position() -> Position | None:
    """The current training position; None outside training."""
    return position.get()
