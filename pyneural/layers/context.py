"""context.py -- what calls of layers ask of their surroundings: a build, a list of calls, a training's position."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

import pyneural._core as _core
from pyneural._core import Tensor
from pyneural.arguments.checks import Shape


class Building(NamedTuple):
    """While a model builds: the dtype of its tensors, and the batch size that messages show."""

    dtype: str
    batch: int = 1


Heard = list[tuple[Any, tuple[Shape, ...], Shape]]  # a layer, the shapes of its inputs, that of its output
_heard: ContextVar[Heard | None] = ContextVar("pyneural_heard", default=None)
now_building: ContextVar[Building | None] = ContextVar("pyneural_building", default=None)


@contextmanager
def building(at: Building) -> Iterator[None]:
    """Layers called inside declare their tensors as shape-only ones."""
    token = now_building.set(at)
    try:
        with _core.no_grad():
            yield
    finally:
        now_building.reset(token)


@contextmanager
def listening() -> Iterator[Heard]:
    """Notes each call of a layer inside a build: the layer, the shapes of its inputs, that of its output."""
    heard: Heard = []
    token = _heard.set(heard)
    try:
        yield heard
    finally:
        _heard.reset(token)


def recorded(layer: Any, inputs: tuple[Any, ...], y: Any) -> Any:
    """The output y of a layer; the call is noted where somebody listens."""
    heard = _heard.get()
    if heard is not None and isinstance(y, Tensor):
        heard.append((layer, tuple(tuple(x.shape[1:]) for x in inputs), tuple(y.shape[1:])))
    return y


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
