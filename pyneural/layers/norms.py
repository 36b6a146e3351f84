"""norms.py -- normalization layers and dropout."""

import math
from typing import Any

import pyneural.ops as ops
from pyneural._core import Tensor
from pyneural.arguments.checks import Shape, is_number
from pyneural.layers.activations import LAST, Activated, Choice
from pyneural.layers.context import Position, current_position
from pyneural.layers.layer import Layer


class BatchNorm(Activated):
    """y = activation(γ (x - mean) / √(var + ε) + β), over every axis but the last.  Source: Ioffe & Szegedy 2015.

    In training, mean and var are those of the batch, and update the running averages; in inference, the running
    averages are used.  With `trainable = False` they are also used in training, and not updated.

    Called on two nodes, batch_norm(x, residual), it adds the second before the activation: the end of a residual block
    in one op.

    Args:
        activation: None or a name.
        momentum: the share of the running averages that is kept at each step.
        epsilon: ε.
    """

    def __init__(
        self, *, activation: Choice | None = None, momentum: float = 0.9, epsilon: float = 1e-5, name: str | None = None
    ) -> None:
        super().__init__(name=name)
        self.momentum = _share("BatchNorm: momentum", momentum, "a number")
        self.epsilon = _above_0("BatchNorm", epsilon)
        self._activate(activation)

    def build(self, shape: tuple[int, ...]) -> None:
        """Declares the parameters for inputs (n, *shape)."""
        channels = shape[-1:]
        self.parameter("gamma", channels, "ones", "bias")
        self.parameter("beta", channels, "zeros", "bias")
        self.state("running_mean", channels, "zeros")
        self.state("running_var", channels, "ones")

    def call(self, x: Tensor, residual: Tensor | None = None, *, training: bool) -> Tensor:
        """Computes y, (n, ...), from x and an optional residual."""
        y = self._run(x, self._fused, training, residual)
        return y if self._after is None else self._after(y)

    def logits(self, x: Tensor, residual: Tensor | None = None, *, training: bool) -> Tensor:
        """The logits: the output before a final softmax or sigmoid."""
        if self.activation in LAST:
            return self._run(x, None, training, residual)
        return self.call(x, residual, training=training)

    def _run(self, x: Tensor, activation: str | None, training: bool, residual: Tensor | None = None) -> Tensor:
        return ops.batch_norm(
            x,
            self.gamma,
            self.beta,
            self.running_mean,
            self.running_var,
            residual,
            training=training and self._record.trainable,
            momentum=self.momentum,
            epsilon=self.epsilon,
            activation=activation,
        )

    def flops(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """Multiplications and additions for one example."""
        return (1 + len(inputs)) * math.prod(output)  # inference: scale and shift, and the residual


class LayerNorm(Layer):
    """y = γ (x - mean) / √(var + ε) + β, with the mean and variance of each row, along the last axis.

    Training and inference are the same.  Source: Ba, Kiros & Hinton 2016.

    Args:
        epsilon: ε.
    """

    def __init__(self, *, epsilon: float = 1e-5, name: str | None = None) -> None:
        super().__init__(name=name)
        self.epsilon = _above_0("LayerNorm", epsilon)

    def build(self, shape: tuple[int, ...]) -> None:
        """Declares the parameters for inputs (n, *shape)."""
        if not shape:
            raise ValueError("x is (n,): it needs features, (n, features)")
        self.parameter("gamma", shape[-1:], "ones", "bias")
        self.parameter("beta", shape[-1:], "zeros", "bias")

    def call(self, x: Tensor, *, training: bool) -> Tensor:
        """Computes y, (n, ...), from x."""
        return ops.layer_norm(x, self.gamma, self.beta, epsilon=self.epsilon)

    def flops(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """Multiplications and additions for one example."""
        return 7 * math.prod(output)  # mean 1, variance 3, normalize 1, scale and shift 2


class Dropout(Layer):
    """In training each value becomes 0 with probability `rate`, else x / (1 - rate).  Source: Srivastava et al. 2014.

    The mask depends only on the seed, the layer's path, the epoch, the sample's number in the data, the element, and
    the number of the call, if the layer is called several times per batch.
    """

    def __init__(self, rate: float = 0.5, *, name: str | None = None) -> None:
        super().__init__(name=name)
        self.rate = _share("Dropout: rate", rate, "the share to drop")
        self._alone = Position()  # counts the calls by hand, outside of a model's

    def call(self, x: Tensor, *, training: bool) -> Tensor:
        """Computes y, (n, ...), from x."""
        if not training or self.rate == 0:
            return x
        at = current_position() or self._alone
        return ops.dropout(
            x, at.samples, rate=self.rate, seed=at.seed, stream=at.stream(self._record.path), step=at.step
        )

    def flops(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """Multiplications and additions for one example."""
        return 0


def _share(what: str, value: Any, meaning: str) -> float:
    if not is_number(value) or not 0 <= value < 1:
        raise ValueError(f"{what} is {value!r}: give {meaning}, from 0 up to but not including 1")
    return float(value)


def _above_0(who: str, epsilon: Any) -> float:
    if not is_number(epsilon) or not 0 < epsilon < math.inf:
        raise ValueError(f"{who}: epsilon is {epsilon!r}: give a number above 0, such as 1e-5")
    return float(epsilon)
