"""activations.py -- activations by name, inside a layer's op or as a layer of their own."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pyneural.ops as ops
from pyneural._core import Tensor
from pyneural.arguments.checks import Shape
from pyneural.arguments.spelling import choose, plain
from pyneural.layers.layer import Layer

FUSED = ("relu", "leaky_relu", "sigmoid", "tanh")  # what linear, conv2d and batch_norm take themselves
ACTIVATIONS: dict[str, Any] = {
    name: getattr(ops, name)
    for name in (*FUSED, "elu", "gelu", "softplus", "softmax", "log_softmax", "step", "abs", "exp")
} | {"gelu_tanh": partial(ops.gelu, approximate="tanh")}
LAST = ("softmax", "sigmoid", "log_softmax")  # a loss takes what comes before these


class Activated(Layer):
    """A layer that ends in an activation: fused into its op where that can be, an op of its own where not."""

    activation: str | None

    def _activate(self, activation: Any) -> None:
        if isinstance(activation, int):
            kind = type(self).__name__
            raise TypeError(
                f"{kind}: activation is {activation}: give one size, {kind}({activation}), for that of the inputs is "
                "learnt; or a name, as 'relu'"
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
        """The output before a final softmax or sigmoid."""
        return self._run(x, None, training) if self.activation in LAST else self.call(x, training=training)

    def output_of_logits(self) -> Callable[..., Tensor] | None:
        """The final softmax or sigmoid, where there is one."""
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
        """The output before a final softmax or sigmoid."""
        return x if self.activation in LAST else self.call(x, training=training)

    def output_of_logits(self) -> Callable[..., Tensor] | None:
        """The final softmax or sigmoid, where there is one."""
        return _alone(self.activation) if self.activation in LAST else None

    def flops(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """Multiplications and additions for one example."""
        return 0


def _alone(activation: str) -> Callable[..., Tensor]:
    """The activation, called as layers are."""
    op = ACTIVATIONS[activation]

    def call(x: Tensor, *, training: bool) -> Tensor:
        y: Tensor = op(x)
        return y

    return call
