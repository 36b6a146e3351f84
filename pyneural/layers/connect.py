"""connect.py -- how layers meet while a model is made: called on nodes, or on the shape-only tensors of a build."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pyneural._core as _core
from pyneural._core import Tensor
from pyneural.arguments.checks import Shape, batched
from pyneural.layers.context import Building, building, now_building, recorded
from pyneural.layers.operation import Vertex

if TYPE_CHECKING:
    from pyneural.layers.layer import Layer


def on_nodes(layer: Layer, inputs: tuple[Any, ...]) -> Vertex:
    """The node that a layer makes of others: its shape comes of a shape-only pass, so errors are the caller's.

    Raises:
        ValueError, TypeError: the layer and the nodes do not go together; the layer is as it was.
    """
    for x in inputs:
        if not isinstance(x, Vertex):
            raise TypeError(
                f"{layer._who}: {type(x).__name__} where a node belongs: a graph begins at pn.Input(shape), and its "
                "layers are called on nodes alone"
            )
    tree = layer._tree()
    fresh = [one for one in tree if not one._built]
    at = now_building.get() or Building(next((t.dtype for one in tree for t in one._tensors.values()), "float32"))
    try:
        with building(at):
            y = layer(*(_core.shape_only((at.batch, *x.shape), at.dtype) for x in inputs))
            if not isinstance(y, Tensor) or y.shape[:1] != (at.batch,):
                given = str(y.shape) if isinstance(y, Tensor) else type(y).__name__
                raise ValueError(
                    f"{layer._who}: for a batch of {at.batch} its output is {given}: give a tensor ({at.batch}, ...)"
                )
    except BaseException:
        for one in fresh:
            one._unbuild()
        raise
    node: Vertex = type(inputs[0])(tuple(y.shape[1:]), layer, inputs)
    layer._nodes.add(node)
    return node


def node_of(layer: Layer) -> Vertex:
    """The one node that a layer made.

    Raises:
        AttributeError: there is none, or several.
    """
    nodes = list(layer._nodes)
    if not nodes:
        raise AttributeError(f"{layer._who} is in no graph, so it has no output yet: build its model first")
    if len(nodes) > 1:
        raise AttributeError(
            f"{layer._who} is called in {len(nodes)} places, so which output is not clear: keep the node that the call "
            "returned"
        )
    return nodes[0]


def explained(layer: Layer, inputs: tuple[Any, ...], training: bool) -> Any:
    """The output for shape-only tensors, once the layer is built; errors name the layer."""
    shapes = tuple(tuple(x.shape[1:]) for x in inputs)
    try:
        if not layer._built:
            _check(layer, inputs)
            layer.build(*_accepted(layer.build, shapes))
            layer._shapes, layer._built = shapes, True
        return recorded(layer, inputs, layer.call(*inputs, training=training))
    except RuntimeError as error:
        if "shape-only" not in str(error):
            raise
        raise RuntimeError(
            f"{layer._who}: {error}: a model is built of shapes, so compute with pn.ops and methods of x, and without "
            "numpy() and item()"
        ) from None
    except (ValueError, TypeError) as error:
        if type(error) not in (ValueError, TypeError):
            raise
        also = ""
        if layer._built and shapes != layer._shapes:
            first, here = (" and ".join(map(batched, each)) for each in (layer._shapes, shapes))
            also = f"; it was built for {first}, and is given {here} here: a shared layer has one set of parameters"
        told = str(error).removeprefix(f"{layer._who}: ")  # an op of the same name says it too
        raise type(error)(f"{layer._who}: {told}{also}") from None


def _check(layer: Layer, inputs: tuple[Any, ...]) -> None:
    """Refuses inputs that are too many, or of another rank than the layer works on."""
    call = inspect.signature(layer.call)
    if "training" not in call.parameters:
        raise TypeError(f"define call(self, x, *, training), not call{call}")
    try:
        call.bind(*inputs, training=False)
    except TypeError:
        raise TypeError(
            f"it does not take {len(inputs)} inputs; pn.Add() and pn.Concatenate() make one of several"
        ) from None
    if layer._wants and inputs[0].ndim != layer._wants + 1:
        raise ValueError(f"x is {inputs[0].shape}: {type(layer).__name__} needs images, (n, height, width, channels)")


def _accepted(build: Callable[..., None], shapes: tuple[Shape, ...]) -> tuple[Shape, ...]:
    """As many of the inputs' shapes as build takes."""
    takes = inspect.signature(build).parameters.values()
    return shapes if any(p.kind is p.VAR_POSITIONAL for p in takes) else shapes[: len(takes)]
