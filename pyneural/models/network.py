"""network.py -- Network: a graph of layers as one layer, which infers their shapes and computes.

Model, a subclass, adds the allocation of parameters and the interface for users.
"""

from typing import Any

import pyneural._core as _core
from pyneural._core import Tensor
from pyneural.arguments.checks import Shape, batched, check_dtype
from pyneural.card.card import Card
from pyneural.layers.context import Building, building, recorded
from pyneural.layers.layer import Layer, tree, undone_on_error
from pyneural.layers.naming import name_layers
from pyneural.layers.nodes import Node
from pyneural.layers.operation import name_of, record
from pyneural.models.graph import Graph

FIXED = (
    "the layers of a model are fixed: make another model of them, which keeps their weights, such as "
    "pn.Sequential(*model.layers[:-1], pn.Dense(3))"
)


class Network(Layer):
    """A graph of layers as one layer.

    Attributes:
        dtype: the dtype of parameters and computation.
        seed: the seed of the initial parameters.
        card: how inputs are preprocessed and what outputs mean, saved with the model.
        input_shape: without the batch axis; None until it has a graph.
        output_shape: the same for the output; a dict if there are heads.
        inherited: the name of the trained model or layer whose preprocessing it took over; "" for none.
    """

    takes_nodes = True
    input_shape: Shape | None
    output_shape: Shape | dict[str, Shape] | None

    def _begin(self, dtype: str, seed: int | None, name: str | None) -> None:
        """Sets the attributes that every network starts with."""
        Layer.__init__(self, name=name)
        check_dtype(type(self).__name__, dtype)
        self.dtype = dtype
        self.seed = seed
        self.card = Card()
        self.inherited = ""
        self._graph: Graph | None = None
        self.input_shape = self.output_shape = None

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Layer):  # it would not be called, and not be saved
            raise AttributeError(f"{name_of(self)}: {name}: {FIXED}")
        if name == "stop_training":
            raise AttributeError(
                f"{name_of(self)}: stop_training is not read: return 'stop' from the callback's method"
            )
        super().__setattr__(name, value)

    # ---- its graph

    @property
    def has_graph(self) -> bool:
        """Whether it has a graph of layers yet."""
        return self._graph is not None

    @property
    def graph(self) -> Graph:
        """The graph of layers.

        Raises:
            RuntimeError: it has none yet.
        """
        if self._graph is None:
            raise RuntimeError(f"{name_of(self)} has no graph yet: call model.build(shape) first")
        return self._graph

    def adopt(self, graph: Graph) -> None:
        """Sets the graph."""
        shapes = {name: node.shape for name, node in graph.outputs.items()}
        record(self).built = True
        vars(self).update(_graph=graph, input_shape=graph.input.shape, output_shape=shapes.get("", shapes))

    def infer_shapes(self, shape: Shape, batch: int = 1) -> None:
        """Creates the graph for inputs (n, *shape) if there is none yet; on failure every layer is left unchanged.

        Args:
            shape: the shape of one input, without the batch axis.
            batch: the batch size to show in messages.

        Raises:
            ValueError, TypeError: the layers do not fit together, or it has a graph for another shape.
        """
        if self.input_shape is not None:
            if shape != self.input_shape:
                raise ValueError(f"model: it is built for inputs {self.input_shape}, not {shape}")
        else:
            with undone_on_error(tree(self)), building(Building(self.dtype, batch)):
                self.connect(shape)
        for layer in tree(self):  # calls on nodes declare float32, before the model that decides is made
            record(layer).convert(vars(layer), self.dtype)

    def connect(self, shape: Shape) -> None:
        """Creates the graph for inputs (n, *shape)."""
        raise NotImplementedError("a pn.Model has its graph from the start")

    def _unbuild(self) -> None:
        super()._unbuild()
        vars(self).update(_graph=None, input_shape=None, output_shape=None)

    # ---- computing

    def inside(self, x: Tensor) -> Tensor:
        """The output for a shape-only tensor, while an outer model is being built.

        Raises:
            ValueError: it takes other shapes, or has several heads.
        """
        if self.input_shape is None:
            self.connect(tuple(x.shape[1:]))
        elif x.shape[1:] != self.input_shape:
            raise ValueError(f"{name_of(self)}: it is built for inputs {batched(self.input_shape)}, x is {x.shape}")
        if not isinstance(self.output_shape, tuple):
            raise ValueError(
                f"{name_of(self)}: it has {len(self.output_shape or ())} heads, but a layer has one output: use the "
                "layers in it, or a pn.Model with one head"
            )
        y: Tensor = recorded(self, (x,), _core.shape_only((*x.shape[:1], *self.output_shape), x.dtype))
        return y

    def call(self, x: Tensor, *, training: bool) -> Any:
        """Computes y, (n, ...), or a dict of them, from x."""
        assert self._graph is not None
        found = self._graph.run(x, training)
        return found.get("", found)

    def logits(self, x: Tensor, *, training: bool, written: frozenset[str] = frozenset()) -> Any:
        """The logits; heads named in `written` are as `call` returns them, with a final softmax or sigmoid."""
        assert self._graph is not None
        found = self._graph.run(x, training, written)
        return found.get("", found)

    def output_of_logits(self) -> Any:
        """The last layer's function from logits to output."""
        node = self._graph.only if self._graph else None
        return node.layer.output_of_logits() if node and node.layer else None

    # ---- looking

    @property
    def input(self) -> Node:
        """The node where the graph begins."""
        return self.graph.input

    @property
    def output(self) -> Node | dict[str, Node]:
        """The node where the graph ends, or the heads by name."""
        return self.graph.only or self.graph.outputs

    def children(self) -> list[Layer]:
        """The layers, each once, in the order of the graph."""
        return name_layers(list(self.graph.layers), name_of(self))

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers, in order."""
        return tuple(self.children())

    @property
    def sequence(self) -> list[Layer] | None:
        """The layers in the order of calls, if each takes the output of the one before it; else None."""
        return [layer for layer, _ in self.graph.calls] if self.graph.is_chain else None

    def chain(self) -> list[Layer] | None:
        """The sequence with nested networks expanded; None if one of them is not a chain."""
        sequence = self.sequence
        if sequence is None:
            return None
        found: list[Layer] = []
        for layer in sequence:
            inside = layer.chain() if isinstance(layer, Network) else [layer]
            if inside is None:
                return None
            found += inside
        return found
