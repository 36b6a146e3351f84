"""record.py -- Record: what is kept about a layer, in one attribute, so that all other names are the layer's own."""

import weakref
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pyneural._core import Block, Tensor
from pyneural.arguments.checks import Shape
from pyneural.initializers import Initializer


class Spec(NamedTuple):
    """What a layer said about one of its tensors."""

    shape: Shape
    init: Initializer
    group: str


@dataclass(slots=True, eq=False)
class Record:
    """What is kept about a layer.

    Attributes:
        path: where it stands in the model that laid out its tensors (`block_1/dense_2`); "" before that.
        trainable: whether the optimizer changes its parameters.
        built: whether it has said which tensors it has.
        shapes: of the inputs it was built for.
        specs: what it said about its tensors, by name.
        tensors: by the same names; shape-only until a model lays them out.
        places: the block and the number in it of each parameter that was laid out.
        vertices: what it was called for in graphs, which own them.
    """

    path: str = ""
    trainable: bool = True
    built: bool = False
    shapes: tuple[Shape, ...] = ()
    specs: dict[str, Spec] = field(default_factory=dict)
    tensors: dict[str, Tensor] = field(default_factory=dict)
    places: dict[str, tuple[Block, int]] = field(default_factory=dict)
    vertices: weakref.WeakSet[Any] = field(default_factory=weakref.WeakSet)

    def owns(self, value: object) -> bool:
        """Whether a value is one of the layer's tensors, and not another that is equal."""
        return any(value is tensor for tensor in self.tensors.values())

    def move(self, attributes: dict[str, Any], name: str, tensor: Tensor, block: Block, index: int) -> None:
        """A tensor now lives in a block; every attribute of the layer that is the old one follows.

        Args:
            attributes: the layer's, where it may have kept a tensor by a second name.
            name: of the tensor.
            tensor: the new one.
            block: where it lives.
            index: its number there.
        """
        old = self.tensors[name]
        for attribute, value in list(attributes.items()):
            if value is old:
                attributes[attribute] = tensor
        self.tensors[name] = tensor
        if self.specs[name].group != "state":
            self.places[name] = (block, index)
            block.set_trainable(index, self.trainable)

    def forget(self, attributes: dict[str, Any]) -> None:
        """Takes back a build that failed; attributes of the layer that are its tensors go."""
        for attribute, value in list(attributes.items()):
            if self.owns(value):
                del attributes[attribute]
        self.built, self.shapes, self.specs, self.tensors, self.places = False, (), {}, {}, {}
