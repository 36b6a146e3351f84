"""nodes.py -- Node: a Vertex of a graph with arithmetic; Input: where a graph begins.

They stand above the layers because a layer computes the sum of two nodes; layers themselves know only Vertex.
"""

from __future__ import annotations

from pyneural.arguments.checks import is_number, shape_of
from pyneural.arguments.spelling import check_keywords
from pyneural.layers.joins import Add, Arithmetic, Multiply
from pyneural.layers.layer import Layer
from pyneural.layers.operation import Vertex

_OF_NODES: dict[str, type[Layer]] = {"add": Add, "multiply": Multiply}


class Node(Vertex):
    """A node of a graph: the output of a layer called on other nodes.

    `a + b`, `a - b`, `a * b`, `a / b` and `-a` of nodes and numbers are layers too.

    Args:
        shape: the shape of one example, without the batch axis.
        layer: the layer that makes it; None for an input.
        inputs: the nodes the layer was called on.

    >>> import pyneural as pn
    >>> x = pn.Input((8, 8, 1))
    >>> pn.Conv2D(4, 3)(x)
    <Node of conv2d (n, 6, 6, 4)>
    """

    __slots__ = ()
    __array_ufunc__ = None  # so that NumPy numbers and arrays defer to these methods

    def __add__(self, other: Node | float) -> Node:
        return _arithmetic("add", self, other)

    def __radd__(self, other: float) -> Node:
        return _arithmetic("add", other, self)

    def __sub__(self, other: Node | float) -> Node:
        return _arithmetic("subtract", self, other)

    def __rsub__(self, other: float) -> Node:
        return _arithmetic("subtract", other, self)

    def __mul__(self, other: Node | float) -> Node:
        return _arithmetic("multiply", self, other)

    def __rmul__(self, other: float) -> Node:
        return _arithmetic("multiply", other, self)

    def __truediv__(self, other: Node | float) -> Node:
        return _arithmetic("divide", self, other)

    def __rtruediv__(self, other: float) -> Node:
        return _arithmetic("divide", other, self)

    def __neg__(self) -> Node:
        return _arithmetic("multiply", self, -1.0)


@check_keywords(
    name="not needed: an input has no name",
    batch_size="not needed: batches may have any size",
    dtype="pn.Model(dtype=...)",
)
def Input(shape: object, *others: object) -> Node:  # noqa: N802 -- used like a layer
    """The node where a graph begins.

    Args:
        shape: the shape of one example, without the batch axis: (28, 28, 1).
        others: none allowed; the error shows the fix.

    Raises:
        TypeError, ValueError: the shape is not a tuple of positive whole numbers.

    >>> import pyneural as pn
    >>> x = pn.Input((28, 28, 1))
    >>> h = pn.Dense(32, "relu")(pn.Flatten()(x))
    >>> model = pn.Model(x, pn.Dense(10)(h + pn.Dense(32)(h)))
    >>> model.output_shape
    (10,)
    """
    if others:
        raise TypeError(f"Input: give one tuple, pn.Input({(shape, *others)})")
    return Node(shape_of("Input", shape))


def _arithmetic(operation: str, left: object, right: object) -> Node:
    """The node of a sum, difference, product or quotient of two nodes, or of a node and a number."""
    nodes = [side for side in (left, right) if isinstance(side, Node)]
    number = right if isinstance(left, Node) else left
    made: Layer
    if len(nodes) == 2:
        made = _OF_NODES[operation]() if operation in _OF_NODES else Arithmetic(operation)
    elif is_number(number):
        made = Arithmetic(operation, float(number), reverse=nodes[0] is right)
    else:
        raise TypeError(
            f"{operation}: cannot combine {type(number).__name__} with {nodes[0]!r}: give another node, or a number"
        )
    node: Node = made(*nodes)
    return node
