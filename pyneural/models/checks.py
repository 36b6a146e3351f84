"""checks.py -- checks of the arguments of pn.Model and pn.Sequential."""

from __future__ import annotations

from pyneural.arguments.checks import check_dtype
from pyneural.layers.layer import Layer, tree
from pyneural.layers.nodes import Node
from pyneural.layers.operation import name_of, record
from pyneural.models.graph import Graph


def graph_of(inputs: object, outputs: object) -> Graph:
    """The graph that pn.Model's arguments describe.

    Raises:
        TypeError, ValueError: they do not describe a graph; the message says what was given instead of a node.
    """
    if isinstance(inputs, list | tuple | dict):
        raise TypeError(
            f"Model: inputs is a {type(inputs).__name__}, but a model has one input: join the arrays into one "
            "(np.concatenate along the last axis) and give a single pn.Input"
        )
    if isinstance(outputs, list | tuple):
        raise TypeError("Model: outputs is a list: name the heads, as in pn.Model(x, {'top': a, 'bottom': b})")
    start = _node("inputs", inputs)
    if not isinstance(outputs, dict):
        return Graph(start, {"": _node("outputs", outputs)})
    if not outputs:
        raise ValueError("Model: outputs is an empty dict: give at least one head, such as {'top': node}")
    for name in outputs:
        if not isinstance(name, str) or not name.isidentifier():
            raise ValueError(f"Model: a head is named {name!r}: use letters, digits and _")
    return Graph(start, {name: _node(f"output '{name}'", node) for name, node in outputs.items()})


def _node(what: str, given: object) -> Node:
    """Checks that the argument is a node, and returns it."""
    if isinstance(given, Node):
        return given
    kind = f"of type {type(given).__name__}"
    if isinstance(given, type):
        kind = f"{given.__name__}, a class"
    elif isinstance(given, Layer):
        kind = f"the layer {name_of(given)}, which was not called"
    raise TypeError(f"Model: {what} is {kind}: give a node: pn.Input(shape), or the result of calling a layer on nodes")


def dtype_of(layers: list[Layer], wanted: str | None) -> str:
    """The dtype of a model of these layers: that of their existing values, else the one wanted, else float32.

    Raises:
        ValueError: the dtypes differ.
    """
    if wanted is not None:
        check_dtype("Model", wanted)
    below = (tensor for layer in layers for one in tree(layer) for tensor in record(one).tensors.values())
    found = sorted({tensor.dtype for tensor in below if not tensor.is_shape_only})
    if len(found) > 1:
        raise ValueError("Model: some of its layers have float32 values and some float64: use one dtype for all")
    if found and wanted not in (None, *found):
        raise ValueError(f"Model: dtype is {wanted!r}, but layers in it already have {found[0]} values: omit dtype")
    return wanted or (found[0] if found else "float32")


def checked_layers(given: tuple[object, ...]) -> tuple[Layer, ...]:
    """The layers given to pn.Sequential, one by one or as one list.

    Raises:
        TypeError, ValueError: some are not layers, or there are none.
    """
    layers = tuple(given[0]) if len(given) == 1 and isinstance(given[0], list | tuple) else given
    found = []
    if not layers:
        raise ValueError("Sequential: give at least one layer, such as pn.Sequential(pn.Dense(10))")
    for layer in layers:
        if isinstance(layer, list | tuple):
            raise TypeError("Sequential: there is a list among the layers: give all in one list, or one by one")
        if isinstance(layer, Node) and layer.layer is None:
            raise TypeError(
                "Sequential: omit pn.Input: the shape is inferred from the data, or set by model.build(shape)"
            )
        if isinstance(layer, Node):
            raise TypeError("Sequential: give layers, not nodes; pn.Model(inputs, outputs) takes nodes")
        if isinstance(layer, type) and issubclass(layer, Layer):
            raise TypeError(f"Sequential: {layer.__name__} is a class; write pn.{layer.__name__}(...)")
        if not isinstance(layer, Layer):
            raise TypeError(f"Sequential: {layer!r} is not a layer")
        found.append(layer)
    return tuple(found)
