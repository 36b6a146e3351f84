"""activations.py -- activations by name: fused into a layer's op, or as a separate layer."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pyneural.ops as ops
from pyneural._core import Tensor
from pyneural.arguments.checks import Shape, named
from pyneural.arguments.spelling import choose, plain
from pyneural.layers.layer import Layer

FUSED = ("relu", "leaky_relu", "sigmoid", "tanh")  # the activations that linear, conv2d and batch_norm can fuse
ACTIVATIONS: dict[str, Any] = {
    name: getattr(ops, name)
    for name in (*FUSED, "elu", "gelu", "softplus", "softmax", "log_softmax", "step", "abs", "exp")
} | {"gelu_tanh": partial(ops.gelu, approximate="tanh")}
Choice = str | Callable[[Tensor], Tensor]  # a name, or a function of a tensor
LAST = ("softmax", "sigmoid", "log_softmax")  # losses take the logits, before one of these


class Activated(Layer):
    """A layer that ends in an activation: fused into its op if the op supports it, else a separate op."""

    activation: Choice | None

    def _activate(self, activation: Any) -> None:
        if isinstance(activation, int):
            kind = type(self).__name__
            raise TypeError(
                f"{kind}: activation is {activation}: give only the output size, {kind}({activation}), as the "
                "input size is inferred; activation is a name, such as 'relu'"
            )
        self.activation = None if activation is None else chosen(activation)
        self._fused = self.activation if isinstance(self.activation, str) and self.activation in FUSED else None
        self._after = None if self.activation is None or self._fused else function_of(self.activation)

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
        return _alone(self.activation) if isinstance(self.activation, str) and self.activation in LAST else None


class Activation(Layer):
    """An activation, by name or as a function of a tensor: (n, ...) -> (n, ...)."""

    def __init__(self, activation: Choice, *, name: str | None = None) -> None:
        super().__init__(name=name)
        self.activation = chosen(activation)
        self._op = function_of(self.activation)

    def call(self, x: Tensor, *, training: bool) -> Tensor:
        """Computes y, (n, ...), from x."""
        return self._op(x)

    def logits(self, x: Tensor, *, training: bool) -> Tensor:
        """The logits: the output before a final softmax or sigmoid."""
        return x if self.activation in LAST else self.call(x, training=training)

    def output_of_logits(self) -> Callable[..., Tensor] | None:
        """The final softmax or sigmoid; None if there is none."""
        return _alone(self.activation) if isinstance(self.activation, str) and self.activation in LAST else None

    def flops(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """Multiplications and additions for one example."""
        return 0


def chosen(activation: object) -> Choice:
    """An activation as layers store it: its canonical name, or a custom function.

    Raises:
        TypeError, ValueError: neither.
    """
    if not callable(activation) or isinstance(activation, type | Layer):
        if isinstance(activation, str) and activation.lower() in ("linear", "identity"):
            raise ValueError(f"activation '{activation}': a layer without an activation is linear: leave it out")
        choose("activation", activation, ACTIVATIONS)
        return plain(str(activation))
    return next((name for name, op in ACTIVATIONS.items() if op is activation), activation)


def function_of(activation: Choice) -> Callable[[Tensor], Tensor]:
    """The function of an activation; a custom one must return a tensor with the shape of its input."""
    if isinstance(activation, str):
        found: Callable[[Tensor], Tensor] = ACTIVATIONS[activation]
        return found
    function = activation

    def own(x: Tensor) -> Tensor:
        y: Any = function(x)
        if not isinstance(y, Tensor) or y.shape != x.shape:
            what = f"a tensor {y.shape}" if isinstance(y, Tensor) else type(y).__name__
            name = named(function, "function")
            raise TypeError(
                f"activation {name} returned {what}: return a tensor {x.shape}, computed from x by pn.ops or methods"
            )
        return y

    return own


def _alone(activation: str) -> Callable[..., Tensor]:
    """The activation as a function with the signature of Layer.call."""
    op = ACTIVATIONS[activation]

    def call(x: Tensor, *, training: bool) -> Tensor:
        y: Tensor = op(x)
        return y

    return call
