"""operation.py -- Operation: the interface of a layer that a graph uses; Vertex: a node of a graph without arithmetic.

Both stand below the layers: a layer is an Operation, and nodes.py adds the arithmetic to Vertex.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, Self

from pyneural._core import Tensor
from pyneural.arguments.checks import Shape, batched
from pyneural.layers.record import Record

_ages = itertools.count(1)


class Operation:
    """The interface of a layer that a graph uses: built for input shapes, called, perhaps fused with neighbours."""

    kind: str
    name: str | None
    _record: Record

    def build(self, shape: tuple[int, ...]) -> None:
        """Declares the layer's parameters and state for inputs (n, *shape); takes one shape per input."""

    def call(self, x: Tensor, *, training: bool) -> Tensor:
        """Computes the layer's output, (n, ...), from x (n, *shape)."""
        raise NotImplementedError(f"{type(self).__name__} needs a method call(self, x, *, training)")

    def logits(self, x: Tensor, *, training: bool) -> Tensor:
        """Like call, but without a final softmax or sigmoid: the losses take logits."""
        return self.call(x, training=training)

    def output_of_logits(self) -> Callable[..., Tensor] | None:
        """A function from the logits to the output; None if they are the same."""
        if type(self).logits is not Operation.logits:
            raise ValueError(
                f"{name_of(self)}: other layers read its output, but the loss needs its logits: move what lies between "
                "the two into a separate pn.Activation"
            )
        return None

    def fused_after(self, before: Operation) -> Callable[..., Tensor] | None:
        """`before` followed by this layer as one call; None if no single op does both."""
        return None


def record(operation: Operation) -> Record:
    """The Record of a layer."""
    return operation._record


def name_of(operation: Operation) -> str:
    """A layer's name in messages: its path in its model, else its name, else its kind."""
    return operation._record.path or operation.name or operation.kind


class Vertex:
    """A node of a graph: the output of a layer called on other nodes.

    Args:
        shape: the shape of one example, without the batch axis.
        layer: the layer that makes it; None for an input.
        inputs: the nodes the layer was called on.

    Attributes:
        entrance: of the input of a trained model, how the inputs are prepared (models/entrances.py).
    """

    __slots__ = ("__weakref__", "age", "entrance", "inputs", "layer", "shape")
    inputs: tuple[Self, ...]

    def __init__(self, shape: Shape, layer: Operation | None = None, inputs: tuple[Self, ...] = ()) -> None:
        self.shape = shape
        self.layer = layer
        self.inputs = inputs
        self.age = next(_ages)
        self.entrance: Any = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.maker} {batched(self.shape)}>"

    @property
    def maker(self) -> str:
        """The name of the layer that makes it, or "input"."""
        return "input" if self.layer is None else name_of(self.layer)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        raise TypeError(
            f"{self!r} has a shape but no values: call layers on it (pn.Activation('relu')(node), or a custom pn.Layer "
            "that calls the op)"
        )
