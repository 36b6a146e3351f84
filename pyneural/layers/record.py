"""record.py -- Record: the library's data about a layer, in one attribute, so that all other names stay free."""

import weakref
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pyneural._core as _core
from pyneural._core import Block, Tensor
from pyneural.arguments.checks import Shape
from pyneural.initializers import Initializer


class Spec(NamedTuple):
    """The declaration of one of a layer's tensors."""

    shape: Shape
    init: Initializer
    group: str


@dataclass(slots=True, eq=False)
class Record:
    """The library's data about a layer.

    Attributes:
        path: its path in the model that allocated its tensors (`block_1/dense_2`); "" before that.
        trainable: whether the optimizer changes its parameters.
        built: whether it has declared its tensors.
        shapes: the input shapes it was built for.
        specs: the declarations of its tensors, by name.
        tensors: its tensors by the same names; shape-only until a model allocates them.
        places: for each allocated parameter, its block and its number in the block.
        vertices: the graph nodes that it made; graphs own them.
        entrance: how its inputs were prepared when it was trained as the first layer of a model (models/entrances.py).
        is_feature: whether pn.fit trained it inside a model, before the outputs: what it computes are features.
    """

    path: str = ""
    trainable: bool = True
    built: bool = False
    shapes: tuple[Shape, ...] = ()
    specs: dict[str, Spec] = field(default_factory=dict)
    tensors: dict[str, Tensor] = field(default_factory=dict)
    places: dict[str, tuple[Block, int]] = field(default_factory=dict)
    vertices: weakref.WeakSet[Any] = field(default_factory=weakref.WeakSet)
    entrance: Any = None
    is_feature: bool = False

    def __reduce__(self) -> tuple[Any, ...]:
        return Record, ("", self.trainable)  # a copied layer is not built, and has no nodes

    def owns(self, value: object) -> bool:
        """Whether a value is one of the layer's tensors, by identity."""
        return any(value is tensor for tensor in self.tensors.values())

    def move(self, attributes: dict[str, Any], name: str, tensor: Tensor, block: Block, index: int) -> None:
        """Moves a tensor into a block, and updates every attribute of the layer that held the old one.

        Args:
            attributes: the layer's attributes, which may hold the tensor under a second name.
            name: the tensor's name.
            tensor: the new tensor.
            block: the block that holds it.
            index: its number in the block.
        """
        self._replace(attributes, name, tensor)
        if self.specs[name].group != "state":
            self.places[name] = (block, index)
            block.set_trainable(index, self.trainable)

    def convert(self, attributes: dict[str, Any], dtype: str) -> None:
        """Gives the tensors that have no values yet another dtype."""
        for name, tensor in list(self.tensors.items()):
            if tensor.is_shape_only and tensor.dtype != dtype:
                self._replace(attributes, name, _core.shape_only(tensor.shape, dtype))

    def _replace(self, attributes: dict[str, Any], name: str, tensor: Tensor) -> None:
        old = self.tensors[name]  # `self.w = self.parameter("weight", ...)` is allowed, so any attribute may hold it
        for attribute, value in list(attributes.items()):
            if value is old:
                attributes[attribute] = tensor
        self.tensors[name] = tensor

    def forget(self, attributes: dict[str, Any]) -> None:
        """Undoes a build that failed; deletes the layer's attributes that are its tensors."""
        for attribute, value in list(attributes.items()):
            if self.owns(value):
                del attributes[attribute]
        self.built = False
        self.shapes = ()
        self.specs = {}
        self.tensors = {}
        self.places = {}
        self.entrance = None
        self.is_feature = False
