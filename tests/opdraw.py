"""The words that oprows.py is written in: inputs, and what a row of the table holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

Make = Callable[[np.random.Generator, str], np.ndarray]


# ---- inputs: each is made from a generator and the real dtype of the run -------------------------------------------


@dataclass(frozen=True)
class Draw:
    """An input: its shape, whether it is real, and how its values are made."""

    shape: tuple[int, ...]
    real: bool
    make: Make


def draw_real(shape: tuple[int, ...], values: Callable[[np.random.Generator], Any]) -> Draw:
    return Draw(shape, True, lambda rng, real: np.asarray(values(rng)).astype(real).reshape(shape))


def normal(*shape: int) -> Draw:
    return draw_real(shape, lambda rng: rng.normal(size=shape))


def positive(*shape: int) -> Draw:
    """From 0.5 to 2."""
    return draw_real(shape, lambda rng: rng.uniform(0.5, 2, shape))


def away(*shape: int) -> Draw:
    """Of both signs, at least 0.1 from 0: where a function has a corner."""
    return draw_real(shape, lambda rng: rng.uniform(0.1, 2, shape) * rng.choice([-1, 1], shape))


def distinct(*shape: int) -> Draw:
    """No two equal or close, from about -20 to 20 at most: where the greatest of several counts."""
    n = int(np.prod(shape))
    return draw_real(shape, lambda rng: (rng.permutation(n) - n / 2) * min(0.02, 40 / max(n, 1)))


def chances(*shape: int) -> Draw:
    return draw_real(shape, lambda rng: special.softmax(rng.normal(size=shape), axis=-1))


def unit(*shape: int) -> Draw:
    return draw_real(shape, lambda rng: rng.uniform(0, 1, shape))


def labels(high: int, *shape: int) -> Draw:
    return Draw(shape, False, lambda rng, real: rng.integers(0, high, shape))


def mask(*shape: int) -> Draw:
    return Draw(shape, False, lambda rng, real: rng.integers(0, 2, shape).astype("uint8"))


def pixels(*shape: int) -> Draw:
    return Draw(shape, False, lambda rng, real: rng.integers(0, 256, shape).astype("uint8"))


def values(v: Any, dtype: str | None = None) -> Draw:
    """These very values: of the run's real, or of a dtype of their own."""
    a = np.asarray(v)
    return Draw(a.shape, dtype is None, lambda rng, real: a.astype(dtype or real))


# ---- rows ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    inputs: tuple[Draw | None, ...]
    params: dict[str, Any]
    smooth: bool = True


@dataclass(frozen=True)
class Bad:
    says: str
    inputs: tuple[Draw | None, ...]
    params: dict[str, Any]
    error: type[Exception] = ValueError


@dataclass(frozen=True)
class Wide:
    """How close float32 comes to the truth over its whole range, each element for itself.

    Args:
        forward: of the result, in units in the last place.
        gradient: of the gradient, likewise.
        of_dy: in the gradient, besides: as a share of dy, where it follows from a y that is near a constant.
        least: in both, besides: in least normal numbers, where a factor of the result is smaller than the result.
    """

    forward: float = 4
    gradient: float = 6
    of_dy: float = 0
    least: float = 4


@dataclass(frozen=True)
class Row:
    op: str
    ref: Callable[..., np.ndarray]
    cases: tuple[Case, ...]
    bad: tuple[Bad, ...] = ()
    leaves: tuple[int, ...] = tuple(range(8))  # inputs that have a gradient
    variadic: bool = False
    exact: bool = False  # the result equals the reference: nothing is rounded
    copies: bool = True  # an exact op's gradient is exact, too; not where it adds up
    ulps: float = 8  # opbounds.py: two to four times what was found over all cases and instruction sets
    gradient_ulps: float | None = None  # of gradients, if not the same
    left_of: Callable[..., list[np.ndarray]] | None = None  # (dy, *inputs, **params): of each gradient, what cancels
    wide: Wide | None = None  # of an elementwise op


def case(*inputs: Draw | None, **params: Any) -> Case:
    return Case(inputs, params)


def plain(*inputs: Draw | None, **params: Any) -> Case:
    """A case at a corner, or at infinity: forward only."""
    return Case(inputs, params, smooth=False)


def bad(says: str, *inputs: Draw | None, **params: Any) -> Bad:
    return Bad(says, inputs, params)


def wrong_type(says: str, *inputs: Draw | None, **params: Any) -> Bad:
    return Bad(says, inputs, params, TypeError)
