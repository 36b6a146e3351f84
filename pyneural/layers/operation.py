"""operation.py -- Vertex: a place in a graph, without the arithmetic that nodes.py adds above the layers."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Self

from pyneural.arguments.checks import Shape, batched

if TYPE_CHECKING:
    from pyneural.layers.layer import Layer

_ages = itertools.count(1)


class Vertex:
    """A place in a graph: what a layer makes of other places.

    Args:
        shape: of one example, without the batch's axis.
        layer: what makes it; None for an input.
        inputs: the places it is made of.
    """

    __slots__ = ("__weakref__", "age", "inputs", "layer", "shape")
    inputs: tuple[Self, ...]

    def __init__(self, shape: Shape, layer: Layer | None = None, inputs: tuple[Self, ...] = ()) -> None:
        self.shape, self.layer, self.inputs = shape, layer, inputs
        self.age = next(_ages)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.maker} {batched(self.shape)}>"

    @property
    def maker(self) -> str:
        """The name of the layer that makes it, or "input"."""
        return "input" if self.layer is None else self.layer._who

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        raise TypeError(
            f"{self!r} has a shape but no values: call layers on it (pn.Activation('relu')(node), or an own pn.Layer "
            "that calls the op)"
        )
