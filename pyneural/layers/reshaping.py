"""reshaping.py -- layers that change the shape and keep the values."""

import math

import pyneural.ops as ops
from pyneural._core import Tensor
from pyneural.arguments.checks import Shape, batched, is_whole
from pyneural.layers.layer import Layer


class Flatten(Layer):
    """Flattens all axes except the batch axis: (n, ...) -> (n, values)."""

    def call(self, x: Tensor, *, training: bool) -> Tensor:
        """Computes y, (n, values), from x."""
        return ops.reshape(x, (x.shape[0], math.prod(x.shape[1:])))

    def flops(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """Multiplications and additions for one example."""
        return 0


class Reshape(Layer):
    """The same values in another shape: (n, ...) -> (n, *shape).

    Args:
        shape: the new shape, without the batch axis; one length may be -1, which is then inferred.
    """

    def __init__(self, shape: tuple[int, ...], *, name: str | None = None) -> None:
        super().__init__(name=name)
        if not isinstance(shape, tuple | list):
            raise TypeError(f"Reshape: shape is {shape!r}: give a tuple without the batch axis, such as (7, 7, 16)")
        if not all(is_whole(size) and (size > 0 or size == -1) for size in shape) or shape.count(-1) > 1:
            raise ValueError(f"Reshape: shape is {tuple(shape)}: give positive whole numbers, and -1 at most once")
        self.shape = tuple(map(int, shape))

    def call(self, x: Tensor, *, training: bool) -> Tensor:
        """Computes y, (n, *shape), from x."""
        values = math.prod(x.shape[1:])
        known = math.prod(size for size in self.shape if size != -1)
        if values % known or (values != known and -1 not in self.shape):
            raise ValueError(
                f"x is {batched(x.shape[1:])}, {values} values per example, which do not fit shape {self.shape}"
            )
        return ops.reshape(x, (x.shape[0], *(values // known if size == -1 else size for size in self.shape)))

    def flops(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """Multiplications and additions for one example."""
        return 0
