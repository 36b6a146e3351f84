"""convolution.py -- layers over images: convolutions and pools."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import pyneural.ops as ops
from pyneural._core import Tensor
from pyneural.arguments.checks import Padding, Pair, Shape, both, padded, pair, whole
from pyneural.initializers import find, resolved
from pyneural.layers.activations import Activated, Choice
from pyneural.layers.layer import Layer, arguments
from pyneural.layers.operation import Operation


class Conv2D(Activated):
    """y = activation(x * W + b), a convolution: (n, height, width, channels) -> (n, height', width', filters).

    Args:
        filters: the number of output channels.
        size: the kernel size, one number or (height, width).
        activation: None or a name.
        stride: one number or (vertical, horizontal).
        padding: "valid" (none), "same", a number, (vertical, horizontal) or ((top, bottom), (left, right)).
        bias: False omits b, for example before a BatchNorm.
        init: the initializer of the weight (height, width, channels, filters); "auto" chooses by the activation.
    """

    input_ndim = 3

    def __init__(
        self,
        filters: int,
        size: Pair,
        *,
        activation: Choice | None = None,
        stride: Pair = 1,
        padding: Padding = "valid",
        bias: bool = True,
        init: str | float = "auto",
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        who = type(self).__name__
        self.filters = whole(who, "filters", filters)
        self.size = pair(who, "size", size)
        self.stride = pair(who, "stride", stride)
        self.padding = padded(who, padding)
        self._bias = bias
        self.init = init
        self._activate(activation)

    def config(self) -> dict[str, Any]:
        """The constructor arguments that recreate the layer."""
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
        self.parameter("weight", sizes, resolved(self.init, self.activation or "relu"))
        self._offset = self.parameter("bias", (self.filters,), "zeros", "bias") if self._bias else None

    def _run(self, x: Tensor, activation: str | None, training: bool, pool: Pair | None = None) -> Tensor:
        return ops.conv2d(
            x,
            self.weight,
            self._offset,
            stride=self.stride,
            padding=self.padding,
            activation=activation,
            pool=pool,
        )

    def pooled(self, size: Pair) -> Callable[..., Tensor] | None:
        """The convolution and a max pool over tiles of that size as one call; None if no single op does both."""
        if type(self) is not Conv2D or self._after is not None:  # a subclass may compute something else
            return None
        return partial(self._run, activation=self._fused, pool=size)

    def flops(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """Multiplications and additions for one example."""
        return 2 * math.prod((*both(self.size), inputs[0][-1], *output))


class DepthwiseConv2D(Conv2D):
    """Separate kernels per channel: (n, height, width, channels) -> (n, height', width', channels * multiplier).

    Output channel c * multiplier + m is channel c convolved with its kernel m.  Followed by a Conv2D of size 1, it
    replaces a Conv2D with far fewer weights.  Source: Howard et al. 2017 (MobileNets).

    Args:
        size: the kernel size, one number or (height, width).
        multiplier: the number of kernels per channel.
        activation: None or a name.
        stride: one number or (vertical, horizontal).
        padding: same as for Conv2D.
        bias: False omits b, for example before a BatchNorm.
        init: the initializer of the weight (height, width, channels, multiplier); "auto" chooses by the activation.

    >>> import pyneural as pn
    >>> x = pn.Input((28, 28, 8))
    >>> pn.Conv2D(16, 1)(pn.DepthwiseConv2D(3, padding="same", activation="relu")(x))
    <Node of conv2d (n, 28, 28, 16)>
    """

    def __init__(
        self,
        size: Pair,
        *,
        multiplier: int = 1,
        activation: Choice | None = None,
        stride: Pair = 1,
        padding: Padding = "valid",
        bias: bool = True,
        init: str | float = "auto",
        name: str | None = None,
    ) -> None:
        super().__init__(
            1, size, activation=activation, stride=stride, padding=padding, bias=bias, init=init, name=name
        )
        self.multiplier = whole("DepthwiseConv2D", "multiplier", multiplier)

    def config(self) -> dict[str, Any]:
        """The constructor arguments that recreate the layer."""
        rest = super().config()
        del rest["filters"]
        return rest | {"multiplier": self.multiplier}

    def build(self, shape: tuple[int, ...]) -> None:
        """Declares the parameters for inputs (n, *shape)."""
        taps = math.prod(both(self.size))
        init = resolved(self.init, self.activation or "relu")
        sizes = (*both(self.size), shape[-1], self.multiplier)
        self.parameter("weight", sizes, find(init, fans=(taps, taps * self.multiplier)))
        outputs = shape[-1] * self.multiplier
        self._offset = self.parameter("bias", (outputs,), "zeros", "bias") if self._bias else None

    def _run(self, x: Tensor, activation: str | None, training: bool, pool: Pair | None = None) -> Tensor:
        return ops.depthwise_conv2d(
            x, self.weight, self._offset, stride=self.stride, padding=self.padding, activation=activation
        )

    def flops(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """Multiplications and additions for one example."""
        return 2 * math.prod((*both(self.size), *output))


class MaxPool2D(Layer):
    """The maximum of each window: (n, height, width, channels) -> (n, height', width', channels).

    Args:
        size: the window size, one number or (height, width).
        stride: None (the window size), one number or (vertical, horizontal).
        padding: same as for Conv2D.
    """

    input_ndim = 3

    def __init__(
        self, size: Pair = 2, *, stride: Pair | None = None, padding: Padding = "valid", name: str | None = None
    ) -> None:
        super().__init__(name=name)
        who = type(self).__name__
        self.size = pair(who, "size", size)
        self.padding = padded(who, padding)
        self.stride = self.size if stride is None else pair(who, "stride", stride)

    def call(self, x: Tensor, *, training: bool) -> Tensor:
        """Computes y, (n, ...), from x."""
        return ops.max_pool2d(x, size=self.size, stride=self.stride, padding=self.padding)

    def fused_after(self, before: Operation) -> Callable[..., Tensor] | None:
        """A convolution fused with this pool, if the windows are tiles."""
        tiles = type(self) is MaxPool2D and self.padding == "valid" and both(self.stride) == both(self.size)
        return before.pooled(self.size) if tiles and isinstance(before, Conv2D) else None

    def flops(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """Multiplications and additions for one example."""
        return math.prod((*both(self.size), *output))


class AvgPool2D(MaxPool2D):
    """The mean of each window: (n, height, width, channels) -> (n, height', width', channels); see MaxPool2D."""

    def call(self, x: Tensor, *, training: bool) -> Tensor:
        """Computes y, (n, ...), from x."""
        return ops.avg_pool2d(x, size=self.size, stride=self.stride, padding=self.padding)


class GlobalAvgPool2D(Layer):
    """The mean over height and width: (n, height, width, channels) -> (n, channels)."""

    input_ndim = 3

    def call(self, x: Tensor, *, training: bool) -> Tensor:
        """Computes y, (n, ...), from x."""
        return ops.global_avg_pool2d(x)

    def flops(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """Multiplications and additions for one example."""
        return math.prod(inputs[0])
