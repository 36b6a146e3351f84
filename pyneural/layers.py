"""layers.py -- the layers with weights, and the pools: each is one op, with its parameters.

All layers of the package are listed at the end, in KINDS; the others are in norms.py, activations.py, shapes.py and
joins.py.
"""

import math
from collections.abc import Callable
from functools import partial
from numbers import Integral
from typing import Any

from pyneural import _core, ops
from pyneural._core import Tensor
from pyneural.activations import ACTIVATIONS, Activated, Activation
from pyneural.graph import Shape
from pyneural.initializers import suited
from pyneural.joins import Add, Arithmetic, Concatenate, Multiply
from pyneural.layer import Layer
from pyneural.norms import BatchNorm, Dropout, LayerNorm
from pyneural.shapes import Flatten, Reshape
from pyneural.spelling import choose, plain

__all__ = [
    "ACTIVATIONS",
    "KINDS",
    "Activation",
    "Add",
    "AvgPool2D",
    "BatchNorm",
    "Concatenate",
    "Conv2D",
    "Dense",
    "Dropout",
    "Embedding",
    "Flatten",
    "GlobalAvgPool2D",
    "LayerNorm",
    "MaxPool2D",
    "Multiply",
    "Reshape",
]

Pair = int | tuple[int, int]
Padding = str | int | tuple[int, int] | tuple[tuple[int, int], tuple[int, int]]
_EXACT = 2**24  # float32 holds all whole numbers up to this one


def whole(who: str, name: str, value: object, also: str = "") -> int:
    """A size, if it is a whole number of at least 1, Python's or NumPy's."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        raise ValueError(f"{who}: {name} is {value!r}: give a whole number of at least 1{also}")
    return int(value)


def pair(who: str, name: str, value: object) -> Pair:
    """A size for both axes, or one for each."""
    if isinstance(value, tuple | list) and len(value) == 2:
        return whole(who, name, value[0]), whole(who, name, value[1])
    return whole(who, name, value, ", or two, (down, across)")


def both(value: Pair) -> tuple[int, int]:
    """One number for both axes, or a number for each."""
    return value if isinstance(value, tuple) else (value, value)


def _padding(who: str, padding: Padding) -> Padding:
    """As the ops take it, a word in their spelling."""
    if isinstance(padding, str):
        choose(f"{who}: padding", padding, {"valid": 0, "same": 0})
        return plain(padding)
    return padding


def arguments(layer: Layer, **given: Any) -> dict[str, Any]:
    """A layer's config: its arguments, and its name where it has one."""
    return given if layer.name is None else given | {"name": layer.name}


class Dense(Activated):
    """y = activation(x W + b), along the last axis: (n, ..., in) -> (n, ..., units).

    Args:
        units: the outputs.
        activation: None or a name.
        bias: False leaves b out.
        init: what the weight (in, units) starts as; "auto" suits the activation.
    """

    def __init__(
        self,
        units: int,
        activation: str | None = None,
        *,
        bias: bool = True,
        init: str | float = "auto",
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self.units, self._bias, self.init = whole("Dense", "units", units), bias, init
        self._activate(activation)

    def config(self) -> dict[str, Any]:
        """The arguments that make it again."""
        return arguments(self, units=self.units, activation=self.activation, bias=self._bias, init=self.init)

    def build(self, shape: tuple[int, ...]) -> None:
        """Declares the parameters for inputs (n, *shape)."""
        if len(shape) == 3:
            raise ValueError(f"x is (n, {', '.join(map(str, shape))}); put pn.Flatten() before Dense")
        if not shape:
            raise ValueError("x is (n,): it needs features, (n, features); use x.reshape(-1, 1)")
        self.parameter("weight", (shape[-1], self.units), suited(self.activation) if self.init == "auto" else self.init)
        self._offset = self.parameter("bias", (self.units,), "zeros", "bias") if self._bias else None

    def _run(self, x: Tensor, activation: str | None, training: bool) -> Tensor:
        return ops.linear(x, self.weight, self._offset, activation=activation)

    def _flops(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return 2 * inputs[0][-1] * math.prod(output)


class Embedding(Layer):
    """A vector for each number, learnt: (n, ...) whole numbers -> (n, ..., units).

    The numbers come as int64, or as whole floats (pn.fit makes floats of integers), and stay as they are: train with
    preprocess=None where they are uint8.

    Args:
        vocabulary: how many numbers there are, 0 to vocabulary - 1; at most 16,777,216.
        units: the length of a vector.
        init: what the weight (vocabulary, units) starts as.

    >>> import pyneural as pn
    >>> model = pn.Sequential(pn.Embedding(1000, 8), pn.Flatten(), pn.Dense(2))
    >>> model(np.array([[3, 999, 0, 3]])).shape
    (1, 2)
    """

    def __init__(self, vocabulary: int, units: int, *, init: str | float = "normal", name: str | None = None) -> None:
        super().__init__(name=name)
        self.vocabulary, self.units = whole("Embedding", "vocabulary", vocabulary), whole("Embedding", "units", units)
        if vocabulary > _EXACT:
            raise ValueError(
                f"Embedding: vocabulary is {vocabulary:,}: at most {_EXACT:,} numbers are exact in float32"
            )
        self.init = init

    def build(self, shape: tuple[int, ...]) -> None:
        """Declares the parameters for inputs (n, *shape)."""
        self.parameter("weight", (self.vocabulary, self.units), self.init)

    def call(self, x: Tensor, *, training: bool) -> Tensor:
        """Computes y, (n, ..., units), from x."""
        numbers = self._whole(x) if x.dtype in ("float32", "float64") else x.astype("int64")
        try:
            return ops.take(self.weight, numbers)
        except ValueError:
            found = numbers.numpy()
            raise ValueError(
                f"{self._who}: it knows the numbers 0..{self.vocabulary - 1}, x has {found.min()} to {found.max()}"
            ) from None

    def _whole(self, x: Tensor) -> Tensor:
        """Floats as int64, if they are whole."""
        if x.is_shape_only or x.size == 0:
            return x.astype("int64")
        inside = ops.clip(x.detach(), -float(_EXACT), float(_EXACT))
        numbers = x if _core.check_finite(inside)[0] else inside.astype("int64")  # x: there is a NaN
        if numbers is x or ops.abs(inside - numbers.astype(x.dtype)).max().item() != 0:
            raise ValueError(
                f"{self._who}: x has numbers that are not whole: give those of words or classes, "
                f"0..{self.vocabulary - 1}, as they are, with preprocess=None in pn.fit"
            )
        return numbers

    def _flops(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return 0


class Conv2D(Activated):
    """y = activation(x * W + b), a convolution: (n, height, width, channels) -> (n, height', width', filters).

    Args:
        filters: the output channels.
        size: of the kernel, one number or (height, width).
        activation: None or a name.
        stride: one number or (down, across).
        padding: "valid" (none), "same", a number, (down, across) or ((top, bottom), (left, right)).
        bias: False leaves b out, as before a BatchNorm.
        init: what the weight (height, width, channels, filters) starts as; "auto" suits the activation.
    """

    _wants = 3

    def __init__(
        self,
        filters: int,
        size: Pair,
        *,
        activation: str | None = None,
        stride: Pair = 1,
        padding: Padding = "valid",
        bias: bool = True,
        init: str | float = "auto",
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self.filters, self.size = whole("Conv2D", "filters", filters), pair("Conv2D", "size", size)
        self.stride, self.padding = pair("Conv2D", "stride", stride), _padding("Conv2D", padding)
        self._bias, self.init = bias, init
        self._activate(activation)

    def config(self) -> dict[str, Any]:
        """The arguments that make it again."""
        return arguments(
            self,
            filters=self.filters,
            size=self.size,
            activation=self.activation,
            stride=self.stride,
            padding=self.padding,
            bias=self._bias,
            init=self.init,
        )

    def build(self, shape: tuple[int, ...]) -> None:
        """Declares the parameters for inputs (n, *shape)."""
        sizes = (*both(self.size), shape[-1], self.filters)
        self.parameter("weight", sizes, suited(self.activation or "relu") if self.init == "auto" else self.init)
        self._offset = self.parameter("bias", (self.filters,), "zeros", "bias") if self._bias else None

    def _run(self, x: Tensor, activation: str | None, training: bool, pool: Pair | None = None) -> Tensor:
        stride, padding = self.stride, self.padding
        return ops.conv2d(
            x, self.weight, self._offset, stride=stride, padding=padding, activation=activation, pool=pool
        )

    def _flops(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return 2 * math.prod((*both(self.size), inputs[0][-1], *output))


class MaxPool2D(Layer):
    """The greatest value of each window: (n, height, width, channels) -> (n, height', width', channels).

    Args:
        size: of the window, one number or (height, width).
        stride: None (the size), one number or (down, across).
        padding: "valid", "same", or numbers as Conv2D takes them.
    """

    _wants = 3

    def __init__(
        self, size: Pair = 2, *, stride: Pair | None = None, padding: Padding = "valid", name: str | None = None
    ) -> None:
        super().__init__(name=name)
        who = type(self).__name__
        self.size, self.padding = pair(who, "size", size), _padding(who, padding)
        self.stride = self.size if stride is None else pair(who, "stride", stride)

    def call(self, x: Tensor, *, training: bool) -> Tensor:
        """Computes y, (n, ...), from x."""
        return ops.max_pool2d(x, size=self.size, stride=self.stride, padding=self.padding)

    def _behind(self, before: Layer) -> Callable[..., Tensor] | None:
        tiles = type(self) is MaxPool2D and self.padding == "valid" and both(self.stride) == both(self.size)
        if type(before) is not Conv2D or before._after is not None or not tiles:
            return None
        return partial(before._run, activation=before._fused, pool=self.size)

    def _flops(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return math.prod((*both(self.size), *output))


class AvgPool2D(MaxPool2D):
    """The mean of each window: (n, height, width, channels) -> (n, height', width', channels); else as MaxPool2D."""

    def call(self, x: Tensor, *, training: bool) -> Tensor:
        """Computes y, (n, ...), from x."""
        return ops.avg_pool2d(x, size=self.size, stride=self.stride, padding=self.padding)


class GlobalAvgPool2D(Layer):
    """The mean over height and width: (n, height, width, channels) -> (n, channels)."""

    _wants = 3

    def call(self, x: Tensor, *, training: bool) -> Tensor:
        """Computes y, (n, ...), from x."""
        return ops.global_avg_pool2d(x)

    def _flops(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return math.prod(inputs[0])


KINDS: dict[str, type[Layer]] = {
    layer.__name__: layer
    for layer in (
        Dense, Embedding, Conv2D, MaxPool2D, AvgPool2D, GlobalAvgPool2D, BatchNorm, LayerNorm, Dropout, Flatten,
        Reshape, Activation, Add, Multiply, Concatenate, Arithmetic,
    )
}  # fmt: skip
