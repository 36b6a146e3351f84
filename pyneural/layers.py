"""layers.py -- the layers: each is one op, with its parameters."""

from typing import Any

from pyneural import ops
from pyneural._core import Tensor
from pyneural.initializers import suited
from pyneural.layer import Layer
from pyneural.position import here
from pyneural.spelling import choose, plain

FUSED = ("relu", "leaky_relu", "sigmoid", "tanh")  # what linear, conv2d and batch_norm take themselves
ACTIVATIONS: dict[str, Any] = {
    name: getattr(ops, name) for name in (*FUSED, "softplus", "softmax", "log_softmax", "step", "abs", "exp")
}
LAST = ("softmax", "sigmoid", "log_softmax")  # a loss takes what comes before these

Pair = int | tuple[int, int]
Padding = str | int | tuple[int, int] | tuple[tuple[int, int], tuple[int, int]]


class _Activated(Layer):
    """A layer that ends in an activation: fused into its op where that can be, an op of its own where not."""

    activation: str | None

    def _activate(self, activation: str | None) -> None:
        if activation is not None:
            choose("activation", activation, ACTIVATIONS)
            activation = plain(activation)
        self.activation = activation
        self._fused = activation if activation in FUSED else None
        self._after = None if activation is None or self._fused else ACTIVATIONS[activation]

    def _run(self, x: Tensor, activation: str | None, training: bool) -> Tensor:
        raise NotImplementedError

    def call(self, x: Tensor, *, training: bool) -> Tensor:
        """Computes y, (n, ...), from x."""
        y = self._run(x, self._fused, training)
        return y if self._after is None else self._after(y)

    def logits(self, x: Tensor, *, training: bool) -> Tensor:
        """The output before a final softmax or sigmoid."""
        return self._run(x, None, training) if self.activation in LAST else self.call(x, training=training)


def _positive(who: str, name: str, value: object) -> None:
    sizes = value if isinstance(value, tuple) else (value,)
    if not sizes or not all(isinstance(size, int) and not isinstance(size, bool) and size > 0 for size in sizes):
        raise ValueError(f"{who}: {name} is {value!r}: give a whole number of at least 1")


class Dense(_Activated):
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
        _positive("Dense", "units", units)
        self.units, self._bias, self.init = units, bias, init
        self._activate(activation)

    def config(self) -> dict[str, Any]:
        """The arguments that make it again."""
        return _config(self, units=self.units, activation=self.activation, bias=self._bias, init=self.init)

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


class Conv2D(_Activated):
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
        self.filters, self.size, self.stride, self.padding = filters, size, stride, padding
        self._bias, self.init = bias, init
        for what, value in (("filters", filters), ("size", self.size), ("stride", self.stride)):
            _positive("Conv2D", what, value)
        if isinstance(padding, str):
            choose("Conv2D: padding", padding, {"valid": 0, "same": 0})
        self._activate(activation)

    def config(self) -> dict[str, Any]:
        """The arguments that make it again."""
        return _config(
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
        sizes = (*_both(self.size), shape[-1], self.filters)
        self.parameter("weight", sizes, suited(self.activation or "relu") if self.init == "auto" else self.init)
        self._offset = self.parameter("bias", (self.filters,), "zeros", "bias") if self._bias else None

    def _run(self, x: Tensor, activation: str | None, training: bool) -> Tensor:
        return ops.conv2d(x, self.weight, self._offset, stride=self.stride, padding=self.padding, activation=activation)


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
        self.size, self.padding = size, padding
        self.stride = self.size if stride is None else stride
        for what, value in (("size", self.size), ("stride", self.stride)):
            _positive(type(self).__name__, what, value)

    def call(self, x: Tensor, *, training: bool) -> Tensor:
        """Computes y, (n, ...), from x."""
        return ops.max_pool2d(x, size=self.size, stride=self.stride, padding=self.padding)


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


class BatchNorm(_Activated):
    """y = activation(γ (x - mean) / √(var + ε) + β), over every axis but the last.  Source: Ioffe & Szegedy 2015.

    In training mean and var are the batch's, and running averages follow them; else they are the running ones.  With
    `trainable = False` the running ones are used and kept as they are.

    Args:
        activation: None or a name.
        momentum: how much of the running averages is kept each step.
        epsilon: ε.
    """

    def __init__(
        self, *, activation: str | None = None, momentum: float = 0.9, epsilon: float = 1e-5, name: str | None = None
    ) -> None:
        super().__init__(name=name)
        self.momentum, self.epsilon = momentum, epsilon
        if not 0 <= momentum < 1:
            raise ValueError(f"BatchNorm: momentum is {momentum!r}: give a number from 0 to below 1")
        self._activate(activation)

    def build(self, shape: tuple[int, ...]) -> None:
        """Declares the parameters for inputs (n, *shape)."""
        channels = shape[-1:]
        self.parameter("gamma", channels, "ones", "bias")
        self.parameter("beta", channels, "zeros", "bias")
        self.state("running_mean", channels, "zeros")
        self.state("running_var", channels, "ones")

    def _run(self, x: Tensor, activation: str | None, training: bool) -> Tensor:
        return ops.batch_norm(
            x,
            self.gamma,
            self.beta,
            self.running_mean,
            self.running_var,
            training=training and self._trainable,
            momentum=self.momentum,
            epsilon=self.epsilon,
            activation=activation,
        )


class Dropout(Layer):
    """In training each value is 0 with probability `rate`, else x / (1 - rate).  Source: Srivastava et al. 2014.

    The draw is a function of the seed, the layer's path, the epoch, the sample's number in the data and the element.
    """

    def __init__(self, rate: float = 0.5, *, name: str | None = None) -> None:
        super().__init__(name=name)
        if not 0 <= rate < 1:
            raise ValueError(f"Dropout: rate is {rate!r}: give the share to drop, from 0 to below 1")
        self.rate = rate

    def call(self, x: Tensor, *, training: bool) -> Tensor:
        """Computes y, (n, ...), from x."""
        if not training or self.rate == 0:
            return x
        at = here()
        return ops.dropout(x, at.samples, rate=self.rate, seed=at.seed, stream=self._path, step=at.step)


class Flatten(Layer):
    """All axes but the batch's in one: (n, ...) -> (n, values)."""

    def call(self, x: Tensor, *, training: bool) -> Tensor:
        """Computes y, (n, ...), from x."""
        return ops.reshape(x, (x.shape[0], -1))


class Activation(Layer):
    """An activation by name: (n, ...) -> (n, ...)."""

    def __init__(self, activation: str, *, name: str | None = None) -> None:
        super().__init__(name=name)
        self._op = choose("activation", activation, ACTIVATIONS)
        self.activation = plain(activation)

    def call(self, x: Tensor, *, training: bool) -> Tensor:
        """Computes y, (n, ...), from x."""
        y: Tensor = self._op(x)
        return y

    def logits(self, x: Tensor, *, training: bool) -> Tensor:
        """The output before a final softmax or sigmoid."""
        return x if self.activation in LAST else self.call(x, training=training)


def _both(value: Pair) -> tuple[int, int]:
    return value if isinstance(value, tuple) else (value, value)


def _config(layer: Layer, **arguments: Any) -> dict[str, Any]:
    return arguments if layer.name is None else arguments | {"name": layer.name}


KINDS: dict[str, type[Layer]] = {
    layer.__name__: layer
    for layer in (
        Dense, Conv2D, MaxPool2D, AvgPool2D, GlobalAvgPool2D, BatchNorm, Dropout, Flatten, Activation,
    )
}  # fmt: skip
