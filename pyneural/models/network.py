"""network.py -- Network: a graph of layers as one layer, which learns their shapes and computes.

Where their parameters lie and what users call is the business of a Model, which is a Network.
"""

from typing import Any

import pyneural._core as _core
from pyneural._core import Tensor
from pyneural.arguments.checks import Shape, batched
from pyneural.card.card import Card
from pyneural.layers.context import Building, building, recorded
from pyneural.layers.layer import Layer, tree, undone_on_error
from pyneural.layers.naming import name_layers
from pyneural.layers.nodes import Node
from pyneural.layers.operation import name_of, record
from pyneural.models.graph import Graph


class Network(Layer):
    """A graph of layers as one layer.

    Attributes:
        dtype: of the parameters and of all computing.
        seed: of the initial parameters.
        card: what a file says of its inputs and outputs.
        input_shape: without the batch's axis; None until it has a graph.
        output_shape: likewise, or by head.
    """

    takes_nodes = True
    input_shape: Shape | None
    output_shape: Shape | dict[str, Shape] | None

    def _begin(self, dtype: str, seed: int | None, name: str | None) -> None:
        """What every network starts with."""
        Layer.__init__(self, name=name)
        if dtype not in ("float32", "float64"):
            raise ValueError(f"{type(self).__name__}: dtype is {dtype!r}: give 'float32' or 'float64'")
        self.dtype, self.seed, self.card = dtype, seed, Card()
        self._graph: Graph | None = None
        self.input_shape = self.output_shape = None

    # ---- its graph

    @property
    def graph(self) -> Graph:
        """The graph that it runs.

        Raises:
            RuntimeError: there is none yet.
        """
        if self._graph is None:
            raise RuntimeError(f"{name_of(self)} has no graph yet: call model.build(shape) first")
        return self._graph

    def adopt(self, graph: Graph) -> None:
        """Makes a graph its own."""
        shapes = {name: node.shape for name, node in graph.outputs.items()}
        record(self).built = True
        vars(self).update(_graph=graph, input_shape=graph.input.shape, output_shape=shapes.get("", shapes))

    def infer_shapes(self, shape: Shape, batch: int = 1) -> None:
        """Makes the graph for inputs (n, *shape) where there is none yet; on failure every layer is as it was.

        Args:
            shape: of one input, without the batch's axis.
            batch: the batch size that messages show.

        Raises:
            ValueError, TypeError: the layers do not go together, or it has a graph for another shape.
        """
        if self.input_shape is not None:
            if shape != self.input_shape:
                raise ValueError(f"model: it is built for inputs {self.input_shape}, not {shape}")
            return
        with undone_on_error(tree(self)), building(Building(self.dtype, batch)):
            self.connect(shape)

    def connect(self, shape: Shape) -> None:
        """Makes the graph for inputs (n, *shape)."""
        raise NotImplementedError("a pn.Model has its graph from the start")

    def _unbuild(self) -> None:
        super()._unbuild()
        vars(self).update(_graph=None, input_shape=None, output_shape=None)

    # ---- computing

    def inside(self, x: Tensor) -> Tensor:
        """The output for a shape-only tensor, where it is a layer of a model that is being built.

        Raises:
            ValueError: it takes other shapes, or has several heads.
        """
        if self.input_shape is None:
            self.connect(tuple(x.shape[1:]))
        elif x.shape[1:] != self.input_shape:
            raise ValueError(f"{name_of(self)}: it is built for inputs {batched(self.input_shape)}, x is {x.shape}")
        if not isinstance(self.output_shape, tuple):
            raise ValueError(
                f"{name_of(self)}: it has {len(self.output_shape or ())} heads, and a layer has one output: use the "
                "layers in it, or a pn.Model of one head"
            )
        y: Tensor = recorded(self, (x,), _core.shape_only((*x.shape[:1], *self.output_shape), x.dtype))
        return y

    def call(self, x: Tensor, *, training: bool) -> Any:
        """Computes y, (n, ...), or a dict of them, from x."""
        assert self._graph is not None
        found = self._graph.run(x, training)
        return found.get("", found)

    def logits(self, x: Tensor, *, training: bool, written: frozenset[str] = frozenset()) -> Any:
        """What call gives, before a final softmax or sigmoid; heads named in `written` are as call gives them."""
        assert self._graph is not None
        found = self._graph.run(x, training, written)
        return found.get("", found)

    def output_of_logits(self) -> Any:
        """What its last layer makes of logits."""
        node = self._graph.only if self._graph else None
        return node.layer.output_of_logits() if node and node.layer else None

    # ---- looking

    @property
    def input(self) -> Node:
        """The node at which the graph begins."""
        return self.graph.input

    @property
    def output(self) -> Node | dict[str, Node]:
        """The node at which the graph ends, or the heads by name."""
        return self.graph.only or self.graph.outputs

    def children(self) -> list[Layer]:
        """The layers, each once, in the order of the graph."""
        return name_layers(list(self.graph.layers), name_of(self))

    @property
    def layers(self) -> list[Layer]:
        """The layers, in order."""
        return self.children()

    @property
    def sequence(self) -> list[Layer] | None:
        """The layers as they are called, where each takes what the one before it gives; else None."""
        return [layer for layer, _ in self.graph.calls] if self.graph.is_chain else None

    def chain(self) -> list[Layer] | None:
        """The sequence, with those of networks inside in their places; None where one of them is not a chain."""
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
