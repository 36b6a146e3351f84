"""initializers.py -- initial values of parameters.

fan_in and fan_out are the numbers of inputs and outputs of a unit: the product of all axes but the last, and of all but
the second to last.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import pyneural._core as _core
from pyneural._core import Tensor
from pyneural.arguments.checks import is_number
from pyneural.arguments.familiar_modules import OF_INITIALIZERS
from pyneural.arguments.objects import refuse_as_function
from pyneural.arguments.spelling import choose, names_of, plain

Initializer = Callable[[Tensor, int, str], None]
Fans = tuple[float, float]


def _fans(shape: Sequence[int]) -> Fans:
    if len(shape) < 2:
        return float(max(1, math.prod(shape))), float(max(1, math.prod(shape)))
    taps = math.prod(shape[:-2])
    return float(max(1, taps * shape[-2])), float(max(1, taps * shape[-1]))


def he_uniform(values: Tensor, seed: int, stream: str, fans: Fans | None = None) -> None:
    """U(-a, a), a = √(6 / fan_in): for relu.  Source: He et al. 2015."""
    a = math.sqrt(6 / (fans or _fans(values.shape))[0])
    _core.random_fill(values, "uniform", -a, a, seed, stream)


def he_normal(values: Tensor, seed: int, stream: str, fans: Fans | None = None) -> None:
    """N(0, 2 / fan_in): for relu.  Source: He et al. 2015."""
    _core.random_fill(values, "normal", 0.0, math.sqrt(2 / (fans or _fans(values.shape))[0]), seed, stream)


def glorot_uniform(values: Tensor, seed: int, stream: str, fans: Fans | None = None) -> None:
    """U(-a, a), a = √(6 / (fan_in + fan_out)).  Source: Glorot & Bengio 2010."""
    a = math.sqrt(6 / sum(fans or _fans(values.shape)))
    _core.random_fill(values, "uniform", -a, a, seed, stream)


def glorot_normal(values: Tensor, seed: int, stream: str, fans: Fans | None = None) -> None:
    """N(0, 2 / (fan_in + fan_out)).  Source: Glorot & Bengio 2010."""
    _core.random_fill(values, "normal", 0.0, math.sqrt(2 / sum(fans or _fans(values.shape))), seed, stream)


def normal(values: Tensor, seed: int, stream: str) -> None:
    """N(0, 0.05²)."""
    _core.random_fill(values, "normal", 0.0, 0.05, seed, stream)


def uniform(values: Tensor, seed: int, stream: str) -> None:
    """U(-0.05, 0.05)."""
    _core.random_fill(values, "uniform", -0.05, 0.05, seed, stream)


def zeros(values: Tensor, seed: int, stream: str) -> None:
    """All 0."""
    values.assign(0.0)


def ones(values: Tensor, seed: int, stream: str) -> None:
    """All 1."""
    values.assign(1.0)


def constant(value: float) -> Initializer:
    """All `value`; a layer's init= also takes the number itself."""

    def fill(values: Tensor, seed: int, stream: str) -> None:
        values.assign(value)

    return fill


NAMES: dict[str, Initializer] = {
    "he_uniform": he_uniform,
    "he_normal": he_normal,
    "glorot_uniform": glorot_uniform,
    "glorot_normal": glorot_normal,
    "normal": normal,
    "uniform": uniform,
    "zeros": zeros,
    "ones": ones,
}


def find(init: str | float | Initializer, fans: Fans | None = None) -> Initializer:
    """The initializer meant by a name, a number or a function of (values, seed, stream).

    fans: fan_in and fan_out, if they do not follow from the shape.
    """
    refuse_as_function("init", init, f"give a name ({', '.join(NAMES)}), a number or a function")
    if is_number(init):
        return constant(float(init))
    found = init if callable(init) else choose("init", init, NAMES)
    for by_fans in (he_uniform, he_normal, glorot_uniform, glorot_normal):
        if found is by_fans and fans:
            return partial(by_fans, fans=fans)
    return found


def resolved(init: str | float | Initializer, activation: object) -> str | float | Initializer:
    """A layer's init; "auto" chooses by the activation."""
    return suited(activation) if isinstance(init, str) and init == "auto" else init


def suited(activation: object) -> str:
    """The name of the initializer for an activation: he_uniform for relu and similar ones, else glorot_uniform."""
    he = ("relu", "leaky_relu", "elu", "softplus", "gelu", "gelu_tanh")
    return "he_uniform" if isinstance(activation, str) and plain(activation) in he else "glorot_uniform"


if not TYPE_CHECKING:  # type checkers report wrong names by themselves
    __getattr__ = names_of("pyneural.initializers", (*NAMES, "NAMES", "constant", "find"), OF_INITIALIZERS)
