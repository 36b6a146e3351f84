"""connect.py -- how layers meet while a model is made: called on nodes, or on the shape-only tensors of a build."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NamedTuple

from pyneural import _core
from pyneural._core import Tensor
from pyneural.graph import Graph, Node, Shape, batched

if TYPE_CHECKING:
    from pyneural.layer import Layer
    from pyneural.model import Model


class Building(NamedTuple):
    """While a model builds: the dtype of its tensors, and the batch size that messages show."""

    dtype: str
    batch: int = 1


Heard = list[tuple["Layer", tuple[Shape, ...], Shape]]
_heard: ContextVar[Heard | None] = ContextVar("pyneural_heard", default=None)
now_building: ContextVar[Building | None] = ContextVar("pyneural_building", default=None)


@contextmanager
def building(at: Building) -> Iterator[None]:
    """Layers called inside declare their tensors as shape-only ones."""
    token = now_building.set(at)
    try:
        with _core.no_grad():
            yield
    finally:
        now_building.reset(token)


@contextmanager
def listening() -> Iterator[Heard]:
    """Notes each call of a layer inside a build: the layer, the shapes of its inputs, that of its output."""
    heard: Heard = []
    token = _heard.set(heard)
    try:
        yield heard
    finally:
        _heard.reset(token)


def _note(layer: Layer, inputs: tuple[Any, ...], y: Any) -> Any:
    heard = _heard.get()
    if heard is not None and isinstance(y, Tensor):
        heard.append((layer, tuple(tuple(x.shape[1:]) for x in inputs), tuple(y.shape[1:])))
    return y


def on_nodes(layer: Layer, inputs: tuple[Any, ...]) -> Node:
    """The node that a layer makes of others: its shape comes of a shape-only pass, so errors are the caller's.

    Raises:
        ValueError, TypeError: the layer and the nodes do not go together; the layer is as it was.
    """
    for x in inputs:
        if not isinstance(x, Node):
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
    node = Node(tuple(y.shape[1:]), layer, inputs)
    layer._nodes.add(node)
    return node


def node_of(layer: Layer) -> Node:
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


def inside(model: Model, x: Tensor) -> Tensor:
    """What a model makes of a shape-only tensor, where it is a layer of one that is being built.

    Raises:
        ValueError: it takes other shapes, or has several heads.
    """
    if model.input_shape is None:
        model._connect(tuple(x.shape[1:]))
    elif x.shape[1:] != model.input_shape:
        raise ValueError(f"{model._who}: it is built for inputs {batched(model.input_shape)}, x is {x.shape}")
    if not isinstance(model.output_shape, tuple):
        raise ValueError(
            f"{model._who}: it has {len(model.output_shape or ())} heads, and a layer has one output: use the layers "
            "in it, or a pn.Model of one head"
        )
    y: Tensor = _note(model, (x,), _core.shape_only((*x.shape[:1], *model.output_shape), x.dtype))
    return y


def graph_of(inputs: object, outputs: object) -> Graph:
    """The graph that pn.Model's arguments mean.

    Raises:
        TypeError, ValueError: they mean none; says what stands where a node belongs.
    """
    if isinstance(inputs, list | tuple | dict):
        raise TypeError(
            f"Model: inputs is a {type(inputs).__name__}, and a model has one input: join the arrays into one "
            "(np.concatenate along the last axis) and give its pn.Input"
        )
    if isinstance(outputs, list | tuple):
        raise TypeError("Model: outputs is a list: name the heads, as pn.Model(x, {'top': a, 'bottom': b})")
    start = _node("inputs", inputs)
    if not isinstance(outputs, dict):
        return Graph(start, {"": _node("outputs", outputs)})
    if not outputs:
        raise ValueError("Model: outputs is an empty dict: give at least one head, as {'top': node}")
    for name in outputs:
        if not isinstance(name, str) or not name.isidentifier():
            raise ValueError(f"Model: a head is named {name!r}: give a word of letters, digits and _")
    return Graph(start, {name: _node(f"output '{name}'", node) for name, node in outputs.items()})


def _node(what: str, given: object) -> Node:
    """What was given, if it is a node."""
    if isinstance(given, Node):
        return given
    kind = f"of type {type(given).__name__}"
    if isinstance(given, type):
        kind = f"{given.__name__}, a class"
    elif hasattr(given, "_who"):
        kind = f"the layer {given._who}, which was not called"
    raise TypeError(f"Model: {what} is {kind}: give a node, pn.Input(shape) or what a layer called on nodes returned")


def dtype_of(layers: list[Layer], wanted: str | None) -> str:
    """The dtype of a model of these layers: that of those which have values already, else the one wanted, else float32.

    Raises:
        ValueError: they do not agree.
    """
    below = (tensor for layer in layers for one in layer._tree() for tensor in one._tensors.values())
    found = sorted({tensor.dtype for tensor in below if not tensor.is_shape_only})
    if len(found) > 1:
        raise ValueError("Model: some of its layers have float32 values and some float64: make all of one dtype")
    if found and wanted not in (None, *found):
        raise ValueError(f"Model: dtype is {wanted!r}, but layers in it have {found[0]} values: leave dtype out")
    return wanted or (found[0] if found else "float32")


def check_layers(layers: tuple[object, ...]) -> None:
    """Refuses what pn.Sequential cannot put one after another."""
    if not layers:
        raise ValueError("Sequential: give at least one layer, as pn.Sequential(pn.Dense(10))")
    for layer in layers:
        if isinstance(layer, list | tuple):
            raise TypeError("Sequential: give the layers one by one, pn.Sequential(a, b), not in a list")
        if isinstance(layer, Node) and layer.layer is None:
            raise TypeError(
                "Sequential: leave pn.Input out: the shape is learnt from the data, or by model.build(shape)"
            )
        if isinstance(layer, Node):
            raise TypeError("Sequential: it takes layers, not nodes: pn.Model(inputs, outputs) is made of nodes")
        if isinstance(layer, type) and hasattr(layer, "kind"):
            raise TypeError(f"Sequential: {layer.__name__} is a class; write pn.{layer.__name__}(...)")
        if not hasattr(layer, "_who"):
            raise TypeError(f"Sequential: {layer!r} is no layer")


def explained(layer: Layer, inputs: tuple[Any, ...], training: bool) -> Any:
    """The output for shape-only tensors, once the layer is built; errors name the layer."""
    shapes = tuple(tuple(x.shape[1:]) for x in inputs)
    try:
        if not layer._built:
            _check(layer, inputs)
            layer.build(*_accepted(layer.build, shapes))
            layer._shapes, layer._built = shapes, True
        return _note(layer, inputs, layer.call(*inputs, training=training))
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
