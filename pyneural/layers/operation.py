"""operation.py -- Operation: what a graph asks of a layer; Vertex: a place in a graph.

They stand below the layers: a layer is an Operation, and nodes.py gives a Vertex its arithmetic.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, ClassVar, Self

from pyneural._core import Tensor
from pyneural.arguments.checks import Shape, batched
from pyneural.layers.record import Record

_ages = itertools.count(1)


class Operation:
    """What a graph asks of a layer: it is built for shapes, called, and may be called together with its neighbours."""

    kind: ClassVar[str]
    name: str | None
    _record: Record

    def build(self, shape: tuple[int, ...]) -> None:
        """Says which parameters and state the layer has, for inputs (n, *shape); one shape for each input."""

    def call(self, x: Tensor, *, training: bool) -> Tensor:
        """Computes the layer's output, (n, ...), from x (n, *shape)."""
        raise NotImplementedError(f"{type(self).__name__} needs a method call(self, x, *, training)")

    def logits(self, x: Tensor, *, training: bool) -> Tensor:
        """Like call, but without a final softmax or sigmoid: what the losses take."""
        return self.call(x, training=training)

    def output_of_logits(self) -> Callable[..., Tensor] | None:
        """The call that makes the output of the logits; None where they are the same."""
        if type(self).logits is not Operation.logits:
            raise ValueError(
                f"{name_of(self)}: other layers read its output, and the loss its logits: put what is between the two "
                "into a pn.Activation of its own"
            )
        return None

    def fused_after(self, before: Operation) -> Callable[..., Tensor] | None:
        """The call that does what `before` does and then this layer, where one op can do both."""
        return None


def record(operation: Operation) -> Record:
    """What is kept about a layer."""
    return operation._record


def name_of(operation: Operation) -> str:
    """A layer's name in messages: its path in its model, else its name, else its kind."""
    return operation._record.path or operation.name or operation.kind


class Vertex:
    """A place in a graph: what a layer makes of other places.

    Args:
        shape: of one example, without the batch's axis.
        layer: what makes it; None for an input.
        inputs: the places it is made of.
    """

    __slots__ = ("__weakref__", "age", "inputs", "layer", "shape")
    inputs: tuple[Self, ...]

    def __init__(self, shape: Shape, layer: Operation | None = None, inputs: tuple[Self, ...] = ()) -> None:
        self.shape, self.layer, self.inputs = shape, layer, inputs
        self.age = next(_ages)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.maker} {batched(self.shape)}>"

    @property
    def maker(self) -> str:
        """The name of the layer that makes it, or "input"."""
        return "input" if self.layer is None else name_of(self.layer)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        raise TypeError(
            f"{self!r} has a shape but no values: call layers on it (pn.Activation('relu')(node), or an own pn.Layer "
            "that calls the op)"
        )
