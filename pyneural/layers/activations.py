"""activations.py -- activations by name: fused into a layer's op, or as a separate layer."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pyneural.ops as ops
from pyneural._core import Tensor
from pyneural.arguments.checks import Shape
from pyneural.arguments.spelling import choose, plain
from pyneural.layers.layer import Layer

FUSED = ("relu", "leaky_relu", "sigmoid", "tanh")  # the activations that linear, conv2d and batch_norm can fuse
ACTIVATIONS: dict[str, Any] = {
    name: getattr(ops, name)
    for name in (*FUSED, "elu", "gelu", "softplus", "softmax", "log_softmax", "step", "abs", "exp")
} | {"gelu_tanh": partial(ops.gelu, approximate="tanh")}
LAST = ("softmax", "sigmoid", "log_softmax")  # losses take the logits, before one of these


class Activated(Layer):
    """A layer that ends in an activation: fused into its op if the op supports it, else a separate op."""

    activation: str | None

    def _activate(self, activation: Any) -> None:
        if isinstance(activation, int):
            kind = type(self).__name__
            raise TypeError(
                f"{kind}: activation is {activation}: give only the output size, {kind}({activation}), as the "
                "input size is inferred; activation is a name, such as 'relu'"
            )
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
        """The logits: the output before a final softmax or sigmoid."""
        return self._run(x, None, training) if self.activation in LAST else self.call(x, training=training)

    def output_of_logits(self) -> Callable[..., Tensor] | None:
        """The final softmax or sigmoid; None if there is none."""
        return _alone(self.activation) if self.activation in LAST else None


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
        """The logits: the output before a final softmax or sigmoid."""
        return x if self.activation in LAST else self.call(x, training=training)

    def output_of_logits(self) -> Callable[..., Tensor] | None:
        """The final softmax or sigmoid; None if there is none."""
        return _alone(self.activation) if self.activation in LAST else None

    def flops(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """Multiplications and additions for one example."""
        return 0


def _alone(activation: str) -> Callable[..., Tensor]:
    """The activation as a function with the signature of Layer.call."""
    op = ACTIVATIONS[activation]

    def call(x: Tensor, *, training: bool) -> Tensor:
        y: Tensor = op(x)
        return y

    return call
