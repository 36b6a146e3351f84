"""joins.py -- layers that join several inputs: sums, products, concatenation, and the arithmetic of nodes."""

import math
import operator
from collections.abc import Callable
from typing import Any

import pyneural.ops as ops
from pyneural._core import Tensor
from pyneural.arguments.checks import Shape, batched, is_whole
from pyneural.arguments.spelling import choose
from pyneural.layers.layer import Layer

_OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
}


class _Elementwise(Layer):
    """Joins several inputs element by element."""

    def call(self, *inputs: Tensor, training: bool) -> Tensor:
        """Computes y, (n, ...), from two or more inputs."""
        if len(inputs) < 2:
            raise ValueError(f"it joins two or more inputs, got {len(inputs)}: {type(self).__name__}()(a, b)")
        y = inputs[0]
        for x in inputs[1:]:
            _match(y, x)
            y = self._both(y, x)
        return y

    def _both(self, a: Tensor, b: Tensor) -> Tensor:
        raise NotImplementedError

    def flops(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """Multiplications and additions for one example."""
        return (len(inputs) - 1) * math.prod(output)


class Add(_Elementwise):
    """a + b + ...: a residual connection is Add()(block(x), x), or block(x) + x.  Axes of length 1 are broadcast.

    >>> import pyneural as pn
    >>> x = pn.Input((8,))
    >>> pn.Add()(x, pn.Dense(8)(x), pn.Dense(8)(x))
    <Node of add (n, 8)>
    """

    def _both(self, a: Tensor, b: Tensor) -> Tensor:
        return ops.add(a, b)


class Multiply(_Elementwise):
    """a * b * ...: a gate.  Axes of length 1 are broadcast."""

    def _both(self, a: Tensor, b: Tensor) -> Tensor:
        return ops.mul(a, b)


class Concatenate(Layer):
    """Concatenates the inputs along an axis; all other axes must have equal lengths.

    Args:
        axis: an axis of (n, ...); -1 is the last; 0, the batch axis, is not allowed.

    >>> import pyneural as pn
    >>> x = pn.Input((8, 8, 1))
    >>> pn.Concatenate()(x, pn.Conv2D(4, 3, padding="same")(x))
    <Node of concatenate (n, 8, 8, 5)>
    """

    def __init__(self, axis: int = -1, *, name: str | None = None) -> None:
        super().__init__(name=name)
        if not is_whole(axis) or axis == 0:
            raise ValueError(
                f"Concatenate: axis is {axis!r}: give a whole number other than 0, the batch axis; -1 is the last axis"
            )
        self.axis = int(axis)

    def call(self, *inputs: Tensor, training: bool) -> Tensor:
        """Computes y, (n, ...), from two or more inputs."""
        if len(inputs) < 2:
            raise ValueError(f"it joins two or more inputs, got {len(inputs)}: Concatenate()(a, b)")
        if not -inputs[0].ndim < self.axis < inputs[0].ndim:
            raise ValueError(f"axis is {self.axis}, but x is {inputs[0].shape}")
        return ops.concat(inputs, axis=self.axis)

    def flops(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """Multiplications and additions for one example."""
        return 0


class Arithmetic(Layer):
    """The layer behind `a - b`, `a / b` and the four operations with a number in a graph.

    Args:
        operation: "add", "subtract", "multiply" or "divide".
        number: the other operand; None if there are two inputs.
        reverse: whether the number is the left operand.
    """

    def __init__(
        self, operation: str, number: float | None = None, *, reverse: bool = False, name: str | None = None
    ) -> None:
        super().__init__(name=name)
        self._operation = choose("operation", operation, _OPERATIONS)
        self.operation = operation
        self.number = None if number is None else float(number)
        self.reverse = reverse
        self.kind = operation

    def call(self, *inputs: Tensor, training: bool) -> Tensor:
        """Computes y, (n, ...), from one input and the number, or from two."""
        y: Tensor
        if self.number is None:
            first, second = inputs
            _match(first, second)
            y = self._operation(first, second)
        else:
            (x,) = inputs
            y = self._operation(self.number, x) if self.reverse else self._operation(x, self.number)
        return y

    def flops(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """Multiplications and additions for one example."""
        return math.prod(output)


def _match(a: Tensor, b: Tensor) -> None:
    """Rejects shapes that do not match, and shapes that would broadcast over the batch axis."""
    if a.shape == b.shape:
        return
    if a.ndim != b.ndim or any(m != n and 1 not in (m, n) for m, n in zip(a.shape[1:], b.shape[1:], strict=True)):
        raise ValueError(
            f"the inputs are {batched(a.shape[1:])} and {batched(b.shape[1:])}: give equal shapes (use pn.Dense "
            "or a pn.Conv2D of size 1), or 1 in an axis to be broadcast"
        )
