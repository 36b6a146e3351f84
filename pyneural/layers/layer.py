"""layer.py -- Layer: what every layer is, and how its parameters come to be.

A layer's life: it is made; a model's build pushes a shape-only batch through it, and the layer says in `build` which
parameters and state it has; the model lays all of them out in two blocks and fills them; from then on `call` runs.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, Self

import pyneural._core as _core
import pyneural.initializers as initializers
from pyneural._core import Tensor
from pyneural.arguments.checks import Shape
from pyneural.arguments.familiar import OF_LAYER
from pyneural.arguments.spelling import check_arguments, instead
from pyneural.layers.building import accepted, check_inputs, errors_named
from pyneural.layers.context import Building, building, now_building, recorded
from pyneural.layers.naming import name_layers
from pyneural.layers.operation import Operation, Vertex, name_of, record
from pyneural.layers.record import Record, Spec


class Layer(Operation):
    """The base of all layers; own layers define `build` and `call`.

    >>> import pyneural as pn
    >>> class Scale(pn.Layer):
    ...     def build(self, shape):
    ...         self.parameter("factor", shape[-1:], "ones")
    ...     def call(self, x, *, training):
    ...         return x * self.factor
    >>> model = pn.Sequential(Scale(), pn.Dense(1))
    >>> model.build((3,))
    >>> model["scale_1"].factor.numpy()
    array([1., 1., 1.], dtype=float32)
    """

    kind: ClassVar[str] = "layer"
    takes_nodes: ClassVar[bool] = False
    """Whether nodes are arguments of its constructor."""
    input_ndim: ClassVar[int] = 0
    """How many axes an input needs, without the batch's; 0: any."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """A layer that is not built; here, so that own layers need not call super().__init__()."""
        if not cls.takes_nodes and any(isinstance(one, Vertex) for arg in args for one in _flat(arg)):
            raise TypeError(
                f"{cls.__name__}: a layer is made first, and called on nodes then: {cls.__name__}(...)(node)"
            )
        if args or kwargs:
            check_arguments(cls, len(args), kwargs)
        self = super().__new__(cls)
        vars(self).update(name=None, _record=Record())
        return self

    def __init__(self, *, name: str | None = None) -> None:
        if name is not None and (not isinstance(name, str) or not name or "/" in name):
            raise ValueError(f"{self.kind}: name is {name!r}: give a word without '/'")
        self.name = name

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "kind" not in vars(cls):
            cls.kind = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", cls.__name__).lower()

    # ---- what a layer defines, besides build, call and logits

    def flops(self, inputs: tuple[Shape, ...], output: Shape) -> int | None:
        """Multiplications and additions for one example, not training; None where the layer cannot tell."""
        return None

    def config(self) -> dict[str, Any]:
        """The arguments that make this layer again: those of __init__, read from attributes of the same names."""
        code = type(self).__init__.__code__
        names = code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]
        for name in names:
            if name not in vars(self):
                raise TypeError(f"{type(self).__name__}: set self.{name} in __init__, or define config()")
        return {name: value for name in names if (value := getattr(self, name)) is not None or name != "name"}

    # ---- what a layer uses in build

    def parameter(
        self,
        name: str,
        shape: Sequence[int],
        init: str | float | initializers.Initializer = "auto",
        group: str = "weight",
    ) -> Tensor:
        """Declares a parameter; it is then the attribute `name`.

        Args:
            name: an identifier.
            shape: its shape.
            init: a name, a number, or a function of (values, seed, stream); "auto" is glorot_uniform.
            group: "weight", or "bias" for biases and norms, which weight decay leaves alone.
        """
        if group not in ("weight", "bias"):
            raise ValueError(f"{name_of(self)}: parameter {name}: group is {group!r}: give 'weight' or 'bias'")
        return self._declare(name, shape, "glorot_uniform" if init == "auto" else init, group)

    def state(self, name: str, shape: Sequence[int], init: str | float | initializers.Initializer = "zeros") -> Tensor:
        """Declares state: saved and restored with the parameters, but not trained (running statistics and the like)."""
        return self._declare(name, shape, init, "state")

    def _declare(
        self, name: str, shape: Sequence[int], init: str | float | initializers.Initializer, group: str
    ) -> Tensor:
        at = now_building.get()
        if at is None:
            raise RuntimeError(f"{name_of(self)}: parameters are declared in build(), which the model calls")
        if not name.isidentifier() or name in self._record.specs or hasattr(type(self), name):
            raise ValueError(f"{name_of(self)}: parameter name '{name}' is taken, or no identifier")
        sizes = tuple(int(size) for size in shape)
        self._record.specs[name] = Spec(sizes, initializers.find(init), group)
        tensor = vars(self)[name] = self._record.tensors[name] = _core.shape_only(sizes, at.dtype)
        return tensor

    # ---- calling

    def __call__(self, *inputs: Any, training: bool = False) -> Any:
        """A node, for nodes: the layer's place in a graph.  For tensors (in composite layers, in build), the output.

        Raises:
            ValueError, TypeError: the inputs do not fit the layer; says which and what they are.
        """
        if len(inputs) == 1 and isinstance(inputs[0], list | tuple):
            inputs = tuple(inputs[0])  # pn.Add()([a, b]) is pn.Add()(a, b)
        if any(isinstance(x, Vertex) for x in inputs):
            return on_nodes(self, inputs)
        if now_building.get() is not None:
            return self._first_call(inputs, training)
        if not self._record.built or any(tensor.is_shape_only for tensor in self._record.tensors.values()):
            raise RuntimeError(
                f"{name_of(self)} is not built: put it into a pn.Sequential, or call it on nodes (pn.Input)"
            )
        return self.call(*inputs, training=training)

    def _first_call(self, inputs: tuple[Any, ...], training: bool) -> Any:
        """The output for shape-only tensors, once the layer is built for them."""
        own, shapes = self._record, tuple(tuple(x.shape[1:]) for x in inputs)
        with errors_named(name_of(self), shapes, own.shapes):
            if not own.built:
                check_inputs(self.call, inputs, self.input_ndim, type(self).__name__)
                self.build(*accepted(self.build, shapes))
                own.shapes, own.built = shapes, True
            return recorded(self, inputs, self.call(*inputs, training=training))

    # ---- tensors

    @property
    def trainable(self) -> bool:
        """False: the optimizer leaves the layer's parameters alone, and batch norm its statistics."""
        return self._record.trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._record.trainable = bool(value)
        for block, index in self._record.places.values():
            block.set_trainable(index, self._record.trainable)
        for child in self.children():
            child.trainable = value

    def _unbuild(self) -> None:
        """Takes back a build that failed."""
        self._record.forget(vars(self))

    def __setattr__(self, name: str, value: Any) -> None:
        tensor = vars(self).get(name)
        if isinstance(tensor, Tensor) and self._record.owns(tensor):
            if value is not tensor:
                _assign(f"{name_of(self)}: {name}", tensor, value)
            return
        super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:  # reached for names that are nowhere else; Any: an own layer's tensors
        if name.startswith("_"):
            raise AttributeError(name)
        if name == "output":
            return node_of(self)
        if name in OF_LAYER:
            raise AttributeError(f"{name_of(self)}: a layer has no '{name}'; {instead(OF_LAYER[name])}")
        if not self._record.built and name in ("weight", "bias", "gamma", "beta", "running_mean", "running_var"):
            raise AttributeError(
                f"{name_of(self)}: has no {name} yet: build the model first (model.build(shape), or pn.fit)"
            )
        raise AttributeError(f"{type(self).__name__} has no attribute '{name}'")

    # ---- the tree

    def children(self) -> "list[Layer]":
        """The layers inside this one, in the order they were put there; each has a name."""
        inside: dict[int, Layer] = {}
        for value in vars(self).values():
            if isinstance(value, Layer):
                inside[id(value)] = value
            elif isinstance(value, list | tuple):
                inside |= {id(v): v for v in value if isinstance(v, Layer)}
        return name_layers(list(inside.values()), name_of(self))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {name_of(self)}>"


def _flat(argument: Any) -> Sequence[Any]:
    return argument if isinstance(argument, list | tuple) else (argument,)


def _assign(who: str, tensor: Tensor, value: Any) -> None:
    import numpy as np

    given = np.shape(value)
    if given and given != tensor.shape:
        raise ValueError(f"{who} is {tensor.shape}, the value given is {given}")
    tensor.assign(value)


def walk(layer: Layer) -> Iterator[tuple[str, Layer]]:
    """Every layer in the tree below this one once, outermost first, with its path (`block_1/dense_2`)."""
    return _below(layer, "", {})


def _below(layer: Layer, path: str, seen: dict[int, Layer]) -> Iterator[tuple[str, Layer]]:
    for child in layer.children():
        if id(child) not in seen:
            seen[id(child)] = child
            below = f"{path}/{child.name}" if path else str(child.name)
            yield below, child
            yield from _below(child, below, seen)


def tree(layer: Layer) -> list[Layer]:
    """A layer and all below it."""
    return [layer, *(one for _, one in walk(layer))]


def layer_dtype(layer: Layer) -> str:
    """The dtype of the first tensor in a layer and those below it; float32 where there is none yet."""
    return next((tensor.dtype for one in tree(layer) for tensor in record(one).tensors.values()), "float32")


@contextmanager
def undone_on_error(layers: list[Layer]) -> Iterator[None]:
    """An error inside leaves these layers as they were: those that were not built are not."""
    fresh = [layer for layer in layers if not record(layer).built]
    try:
        yield
    except BaseException:
        for layer in fresh:
            layer._unbuild()
        raise


def arguments(layer: Layer, **given: Any) -> dict[str, Any]:
    """A layer's config: its arguments, and its name where it has one."""
    return given if layer.name is None else given | {"name": layer.name}


def on_nodes(layer: Layer, inputs: tuple[Any, ...]) -> Vertex:
    """The node that a layer makes of others: its shape comes of a shape-only pass, so errors are the caller's.

    Raises:
        ValueError, TypeError: the layer and the nodes do not go together; the layer is as it was.
    """
    for x in inputs:
        if not isinstance(x, Vertex):
            raise TypeError(
                f"{name_of(layer)}: {type(x).__name__} where a node belongs: a graph begins at pn.Input(shape), and "
                "its layers are called on nodes alone"
            )
    at = now_building.get() or Building(layer_dtype(layer))
    with undone_on_error(tree(layer)), building(at):
        y = layer(*(_core.shape_only((at.batch, *x.shape), at.dtype) for x in inputs))
        if not isinstance(y, Tensor) or y.shape[:1] != (at.batch,):
            given = str(y.shape) if isinstance(y, Tensor) else type(y).__name__
            raise ValueError(
                f"{name_of(layer)}: for a batch of {at.batch} its output is {given}: give a tensor ({at.batch}, ...)"
            )
    node: Vertex = type(inputs[0])(tuple(y.shape[1:]), layer, inputs)
    record(layer).vertices.add(node)
    return node


def node_of(layer: Layer) -> Vertex:
    """The one node that a layer made.

    Raises:
        AttributeError: there is none, or several.
    """
    nodes = list(record(layer).vertices)
    if not nodes:
        raise AttributeError(f"{name_of(layer)} is in no graph, so it has no output yet: build its model first")
    if len(nodes) > 1:
        raise AttributeError(
            f"{name_of(layer)} is called in {len(nodes)} places, so which output is not clear: keep the node that the "
            "call returned"
        )
    node: Vertex = nodes[0]
    return node
