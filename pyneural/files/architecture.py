"""architecture.py -- a model's layers and graph to JSON and back.

A layer is {kind, config, name}, plus `trainable` if it is frozen.  A Sequential also has `layers`; a Model has `input`
(a shape), `layers`, `nodes` ([layer, [nodes]] by number; node 0 is the input) and `outputs` (a node's number, or
[name, number] per head).  Further uses of a layer are {same: path}.
"""

from typing import Any

import numpy as np

from pyneural._core import Tensor
from pyneural.arguments.checks import Shape, named
from pyneural.layers.activations import Activation
from pyneural.layers.convolution import AvgPool2D, Conv2D, DepthwiseConv2D, GlobalAvgPool2D, MaxPool2D
from pyneural.layers.dense import Dense, Embedding
from pyneural.layers.embed_columns import EmbedColumns
from pyneural.layers.joins import Add, Arithmetic, Concatenate, Multiply
from pyneural.layers.layer import Layer, walk
from pyneural.layers.nodes import Input, Node
from pyneural.layers.norms import BatchNorm, Dropout, LayerNorm
from pyneural.layers.operation import name_of, record
from pyneural.layers.reshaping import Flatten, Reshape
from pyneural.models.model import Model
from pyneural.models.sequential import Sequential

Kinds = dict[str, Any]  # classes of layers, and functions, by name
Description = dict[str, Any]


class UnknownKindError(ValueError):
    """A layer in a file is of an unknown class."""


def describe(model: Model, *, as_json: bool = True) -> Description:
    """The architecture of a model.

    Args:
        model: a model, built or not.
        as_json: whether the arguments of layers are converted to JSON values.

    Raises:
        TypeError: a layer in it has no config, or has an argument that cannot be saved.
    """
    return _describe(model, "", {}, _Writer() if as_json else None)


def construct(description: Description, kinds: Kinds, name: str) -> Layer:
    """The described model, without values.

    Args:
        description: the result of describe, or any other JSON value.
        kinds: the layer classes by name; only their constructors are called.
        name: the file's name, for messages.

    Raises:
        UnknownKindError: a class is missing.
        KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError, RecursionError: it is invalid.
    """
    return _construct(description, kinds | {"Sequential": Sequential, "Model": Model}, name, "", {})


def sizes(values: Any) -> Shape:
    """A shape from JSON."""
    if not isinstance(values, list) or not all(type(v) is int and v > 0 for v in values):
        raise ValueError(f"a shape is {values!r}")
    return tuple(values)


class _Writer:
    """Layer arguments as JSON values: a list as {"list": [...]}, a tuple as a list, a function by its name."""

    def __init__(self) -> None:
        self._functions: dict[str, Any] = {}

    def __call__(self, what: str, value: Any) -> Any:
        """A value as JSON.

        Raises:
            TypeError: it cannot be saved; the message starts with `what`.
        """
        if isinstance(value, np.generic):
            value = value.item()
        if value is None or isinstance(value, bool | int | float | str):
            return value
        if isinstance(value, tuple):
            return [self(what, one) for one in value]
        if isinstance(value, list):
            return {"list": [self(what, one) for one in value]}
        if isinstance(value, dict) and all(isinstance(key, str) for key in value):
            return {"dict": {key: self(what, one) for key, one in value.items()}}
        if callable(value) and not isinstance(value, type | Layer):
            return {"function": self._named(what, value)}
        raise TypeError(f"{what} is {_kind(value)}")

    def _named(self, what: str, function: Any) -> str:
        name = named(function, "<lambda>")
        if self._functions.setdefault(name, function) is not function:
            raise TypeError(
                f"{what} is a function {name}, but the model has another function of that name: give them different "
                "names, such as function.__name__ = 'swish', because a file stores functions by name"
            )
        return name


def _kind(value: Any) -> str:
    """The error for a value that cannot be saved, with the fix."""
    if isinstance(value, np.ndarray | Tensor):
        return (
            f"an array {value.shape}, but layer arguments are saved as text: pass a list (array.tolist()), or "
            "declare it in build by self.state(name, shape), whose values are saved"
        )
    if isinstance(value, Layer):
        return f"a layer, {name_of(value)}, but arguments are saved as text: create it inside __init__"
    return (
        f"of type {type(value).__name__}, but a file can only store numbers, text, None, lists, tuples, dicts with "
        "text keys, and functions by their names: use one of these, or define config()"
    )


def functions_of(value: Any) -> list[Any]:
    """The functions in a description that holds objects."""
    if isinstance(value, dict):
        return [one for part in value.values() for one in functions_of(part)]
    if isinstance(value, list | tuple):
        return [one for part in value for one in functions_of(part)]
    return [value] if callable(value) and not isinstance(value, type | Layer) else []


def _read(value: Any, kinds: Kinds, name: str) -> Any:
    """A layer argument from JSON; a JSON list is a tuple."""
    if isinstance(value, list):
        return tuple(_read(one, kinds, name) for one in value)
    if not isinstance(value, dict) or len(value) != 1:
        return value
    ((kind, inside),) = value.items()
    if kind == "list" and isinstance(inside, list):
        return [_read(one, kinds, name) for one in inside]
    if kind == "dict" and isinstance(inside, dict):
        return {key: _read(one, kinds, name) for key, one in inside.items()}
    if kind == "function":
        if str(inside) not in kinds:
            raise UnknownKindError(
                f"{name}: it contains the custom function {inside}: pass it, pn.load(path, layers=[{inside}])"
            )
        return kinds[str(inside)]
    return value


def _describe(layer: Layer, path: str, met: dict[int, str | None], written: "_Writer | None") -> Description:
    if id(layer) in met:
        if met[id(layer)] is None:
            raise _shared(layer)
        return {"same": met[id(layer)]}
    met[id(layer)] = path
    config = {key: value for key, value in layer.config().items() if key != "name"}
    if written:
        config = {key: written(f"{name_of(layer)}: {key}", value) for key, value in config.items()}
    description: Description = {"kind": type(layer).__name__, "config": config, "name": layer.name}
    if not layer.trainable:
        description["trainable"] = False
    if isinstance(layer, Model):
        inside = layer.sequence if isinstance(layer, Sequential) else layer.children()
        description["layers"] = [_describe(child, f"{path}/{child.name}", met, written) for child in inside]
        if not isinstance(layer, Sequential):
            description |= _describe_graph(layer)
        return description
    for _, child in walk(layer):  # layers that its constructor creates
        if id(child) in met:
            raise _shared(child)
        met[id(child)] = None
    return description


def _shared(layer: Layer) -> TypeError:
    return TypeError(
        f"{name_of(layer)}: it is inside a custom layer and also used elsewhere, which cannot be saved: share layers "
        "only by calling them on nodes"
    )


def _describe_graph(model: Model) -> Description:
    graph = model.graph
    places = {id(layer): number for number, layer in enumerate(graph.layers)}
    numbers = {id(node): number for number, node in enumerate([graph.input, *graph.nodes])}
    outputs: Any = [[name, numbers[id(node)]] for name, node in graph.outputs.items()]
    return {
        "input": list(graph.input.shape),
        "nodes": [[places[id(node.layer)], [numbers[id(source)] for source in node.inputs]] for node in graph.nodes],
        "outputs": numbers[id(graph.only)] if graph.only else outputs,
    }


def _construct(description: Description, kinds: Kinds, name: str, path: str, met: dict[str, Layer]) -> Layer:
    if "same" in description:
        return met[description["same"]]
    kind = str(description["kind"])
    if kind not in kinds:
        raise UnknownKindError(
            f"{name}: it contains the custom layer {kind}: pass its class, pn.load(path, layers=[{kind}])"
        )
    config = {str(key): _read(value, kinds, name) for key, value in description["config"].items()}
    inside = [
        _construct(child, kinds, name, f"{path}/{child.get('name')}", met) for child in description.get("layers", ())
    ]
    if kinds[kind] is Model:
        layer: Layer = Model(*_construct_graph(description, inside), **config)
    else:
        layer = kinds[kind](*inside, **config)
    if description["name"] is not None:
        layer.name = str(description["name"])
    if description.get("trainable") is False:
        _freeze(layer)
    met[path] = layer
    return layer


def _construct_graph(description: Description, layers: list[Layer]) -> tuple[Node, Node | dict[str, Node]]:
    """Rebuilds a graph by calling its layers on nodes; returns its input and outputs."""
    nodes = [Input(sizes(description["input"]))]
    for place, sources in description["nodes"]:
        if not sources:
            raise ValueError("a layer of the graph has no inputs")
        nodes.append(_pick(layers, place)(*[_pick(nodes, source) for source in sources]))
    outputs = description["outputs"]
    if isinstance(outputs, list):
        return nodes[0], {str(head): _pick(nodes, number) for head, number in outputs}
    return nodes[0], _pick(nodes, outputs)


def _pick(things: list[Any], number: Any) -> Any:
    if type(number) is not int or not 0 <= number < len(things):
        raise ValueError(f"{number!r} is not a number from 0 to {len(things) - 1}")
    return things[number]


def _freeze(layer: Layer) -> None:
    """Freezes a layer: layers in a model have their own entries, layers in custom layers are frozen with them."""
    if isinstance(layer, Model):
        record(layer).trainable = False
    else:
        layer.trainable = False


KINDS: dict[str, type[Layer]] = {
    layer.__name__: layer
    for layer in (
        Dense, Embedding, EmbedColumns, Conv2D, DepthwiseConv2D, MaxPool2D, AvgPool2D, GlobalAvgPool2D, BatchNorm,
        LayerNorm, Dropout,
        Flatten, Reshape, Activation, Add, Multiply, Concatenate, Arithmetic,
    )
}  # fmt: skip
