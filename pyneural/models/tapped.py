"""tapped.py -- the feature maps of a model: its graph without nesting, cut open at one of them to read its gradient."""

from typing import Any

import pyneural._core as _core
from pyneural._core import Tensor
from pyneural.layers.convolution import Conv2D, MaxPool2D
from pyneural.layers.layer import Layer, tree
from pyneural.layers.nodes import Node
from pyneural.models.graph import Graph
from pyneural.models.network import Network


class _Tap(Layer):
    """Passes its input on as a leaf, so that `backward` ends there and leaves its gradient."""

    leaf: Any = None

    def call(self, x: Tensor, *, training: bool) -> Tensor:
        """Computes y, (n, ...), from x."""
        vars(self)["leaf"] = found = _core.tensor(x.numpy(), x.dtype, requires_grad=True)
        return found


class Tapped:
    """A network's graph up to one output, cut open at a node.

    Args:
        graph: from `unnested`.
        node: one of its nodes, whose values and gradient are read.
    """

    def __init__(self, graph: Graph, node: Node) -> None:
        self._tap = _Tap()
        ways = {id(graph.input): Node(graph.input.shape)}
        start = ways[id(graph.input)]
        for old in graph.nodes:
            new = Node(old.shape, old.layer, tuple(ways[id(source)] for source in old.inputs))
            ways[id(old)] = Node(old.shape, self._tap, (new,)) if old is node else new
        self._graph = Graph(start, {name: ways[id(end)] for name, end in graph.outputs.items()})

    def gradient(self, x: Tensor, direction: Any, *, written: bool) -> tuple[Any, Any]:
        """The values at the node for a batch x, and the gradient of sum(output * direction) with respect to them.

        Args:
            x: prepared inputs (n, ...).
            direction: (n, outputs).
            written: whether the output is taken as it is written, or its logits.

        Returns:
            Two arrays (n, ...); the gradient is None if the output does not depend on the values.
        """
        output = self._graph.run(x, False, frozenset(self._graph.outputs) if written else frozenset())
        if output[""].requires_grad:
            output[""].backward(direction)
        leaf = self._tap.leaf
        return leaf.numpy(), None if leaf.grad is None else leaf.grad.numpy()


def unnested(network: Network, head: str) -> Graph:
    """The graph up to one output, whose name becomes "", with the layers of nested networks instead of these."""
    start = Node(network.graph.input.shape)
    return Graph(start, {"": _copied(network.graph, start)[id(network.graph.outputs[head])]})


def _copied(graph: Graph, start: Node) -> dict[int, Node]:
    """New nodes for those of a graph, by their ids, with `start` as its input."""
    ways = {id(graph.input): start}
    for node in graph.nodes:
        inputs = tuple(ways[id(source)] for source in node.inputs)
        if isinstance(node.layer, Network):
            inner = node.layer.graph
            ways[id(node)] = _copied(inner, inputs[0])[id(inner.only)]
        else:
            ways[id(node)] = Node(node.shape, node.layer, inputs)
    return ways


def last_feature_map(graph: Graph) -> Node | None:
    """The node of the last convolution, or the last one of what follows it at the same height and width.

    That is the map behind the convolution's batch norm, activation, residual sum or gate, and before any pooling.  A
    custom layer that contains a convolution counts as one.
    """
    found: Node | None = None
    for layer, node in graph.calls:
        if len(node.shape) == 3 and any(isinstance(one, Conv2D) for one in tree(layer)):
            found = node
    reached = {id(found)}
    for node in graph.nodes:
        if found is None or len(node.shape) != 3 or node.shape[:2] != found.shape[:2]:
            continue
        if any(id(source) in reached for source in node.inputs) and not isinstance(node.layer, MaxPool2D):
            reached.add(id(node))
            found = node
    return found
