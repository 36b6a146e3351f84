"""layer.py -- Layer: the base class of all layers, and how their parameters are created.

The life of a layer: its constructor runs; a model's build passes a shape-only batch through it, and the layer declares
its parameters and state in `build`; the model allocates and initializes them in two blocks; from then on `call` runs.
"""

import inspect
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, Self

import pyneural._core as _core
import pyneural.initializers as initializers
from pyneural._core import Tensor
from pyneural.arguments.checks import Shape
from pyneural.arguments.familiar import OF_LAYER
from pyneural.arguments.spelling import check_arguments, instead, no_attribute
from pyneural.layers.building import accepted, check_inputs, errors_named, takes_training, without_training
from pyneural.layers.context import Building, building, now_building, recorded
from pyneural.layers.naming import name_layers
from pyneural.layers.operation import Operation, Vertex, name_of, record
from pyneural.layers.record import Record, Spec


class Layer(Operation):
    """The base class of all layers; custom layers define `build` and `call`.

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

    kind: str = "layer"
    """The class's name in snake case, from which layers without a name get theirs."""
    takes_nodes: ClassVar[bool] = False
    """Whether its constructor takes nodes."""
    input_ndim: ClassVar[int] = 0
    """The number of axes an input must have, without the batch axis; 0: any."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """A layer that is not built; done here so that custom layers need not call super().__init__()."""
        if not cls.takes_nodes and any(isinstance(one, Vertex) for arg in args for one in _flat(arg)):
            raise TypeError(f"{cls.__name__}: create the layer first, then call it on nodes: {cls.__name__}(...)(node)")
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
        call = vars(cls).get("call")
        if inspect.isfunction(call) and not takes_training(call):
            cls.call = without_training(call)  # type: ignore[method-assign]
        if "kind" not in vars(cls):
            cls.kind = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", cls.__name__).lower()

    # ---- what a layer may define besides build, call and logits

    def flops(self, inputs: tuple[Shape, ...], output: Shape) -> int | None:
        """Multiplications and additions of a forward pass of one example; None if unknown."""
        return None

    def config(self) -> dict[str, Any]:
        """The constructor arguments that recreate this layer, read from attributes of the same names."""
        takes = list(inspect.signature(self.__init__).parameters.values())  # type: ignore[misc]
        names = [one.name for one in takes if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)]
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
        """Declares a parameter; it becomes the attribute `name`.

        Args:
            name: an identifier.
            shape: its shape.
            init: a name, a number, or a function of (values, seed, stream); "auto" is glorot_uniform.
            group: "weight", or "bias" for biases and norms, which are exempt from weight decay.
        """
        if group not in ("weight", "bias"):
            raise ValueError(f"{name_of(self)}: parameter {name}: group is {group!r}: give 'weight' or 'bias'")
        return self._declare(name, shape, initializers.resolved(init, None), group)

    def state(self, name: str, shape: Sequence[int], init: str | float | initializers.Initializer = "zeros") -> Tensor:
        """Declares state: saved and restored with the parameters, but not trained, such as running statistics."""
        return self._declare(name, shape, init, "state")

    def _declare(
        self, name: str, shape: Sequence[int], init: str | float | initializers.Initializer, group: str
    ) -> Tensor:
        at = now_building.get()
        if at is None:
            raise RuntimeError(f"{name_of(self)}: parameters are declared in build(), which the model calls")
        if not name.isidentifier() or name in self._record.specs or hasattr(type(self), name):
            raise ValueError(f"{name_of(self)}: '{name}' is not an identifier, or is taken (only a model calls build)")
        sizes = tuple(int(size) for size in shape)
        self._record.specs[name] = Spec(sizes, initializers.find(init), group)
        tensor = vars(self)[name] = self._record.tensors[name] = _core.shape_only(sizes, at.dtype)
        return tensor

    # ---- calling

    def __call__(self, *inputs: Any, training: bool = False) -> Any:
        """Called on nodes, returns a node; called on tensors (in composite layers, while building), returns the output.

        Raises:
            ValueError, TypeError: the inputs do not fit the layer; the message says which and what they are.
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
        """The output for shape-only tensors; builds the layer first if needed."""
        own = self._record
        shapes = tuple(tuple(x.shape[1:]) for x in inputs)
        with errors_named(name_of(self), shapes, own.shapes):
            if not own.built:
                check_inputs(self.call, inputs, self.input_ndim, type(self).__name__)
                self.build(*accepted(self.build, shapes))
                own.shapes = shapes
                own.built = True
            return recorded(self, inputs, self.call(*inputs, training=training))

    # ---- tensors

    @property
    def trainable(self) -> bool:
        """False: the optimizer skips the layer's parameters, and batch norm does not update its statistics."""
        return self._record.trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._record.trainable = bool(value)
        for block, index in self._record.places.values():
            block.set_trainable(index, self._record.trainable)
        for child in self.children():
            child.trainable = value

    def _unbuild(self) -> None:
        """Undoes a build that failed."""
        self._record.forget(vars(self))

    def __getstate__(self) -> dict[str, Any]:
        """What copy and pickle keep of a layer: its arguments; the copy gets its own parameters when it is built.

        Raises:
            TypeError: it has values, which belong to its model.
        """
        if self._record.path:
            raise TypeError(
                f"{name_of(self)}: a layer that has values is copied and pickled with its model: copy.deepcopy(model), "
                "pickle.dumps(model)"
            )
        kept = {name: value for name, value in vars(self).items() if not self._record.owns(value)}
        return kept | {"_record": Record(trainable=self._record.trainable)}

    def __setattr__(self, name: str, value: Any) -> None:
        tensor = vars(self).get(name)
        if isinstance(tensor, Tensor) and self._record.owns(tensor):
            if value is not tensor:
                _assign(f"{name_of(self)}: {name}", tensor, value)
            return
        super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:  # reached only for missing names; Any: a custom layer's tensors
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
        raise no_attribute(f"{name_of(self)}: a {type(self).__name__}", self, name, {})

    # ---- the tree

    def children(self) -> "list[Layer]":
        """The layers inside this one, in the order they were set; each has a name."""
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
    """Every layer below this one once, outermost first, with its path (`block_1/dense_2`)."""
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
    """The dtype of the first tensor in a layer or below it; float32 if there is none yet."""
    return next((tensor.dtype for one in tree(layer) for tensor in record(one).tensors.values()), "float32")


@contextmanager
def undone_on_error(layers: list[Layer]) -> Iterator[None]:
    """On an error inside, layers that were not built before are unbuilt again."""
    fresh = [layer for layer in layers if not record(layer).built]
    try:
        yield
    except BaseException:
        for layer in fresh:
            layer._unbuild()
        raise


def arguments(layer: Layer, **given: Any) -> dict[str, Any]:
    """A layer's config: its arguments, and its name if it has one."""
    return given if layer.name is None else given | {"name": layer.name}


def on_nodes(layer: Layer, inputs: tuple[Any, ...]) -> Vertex:
    """The node that a layer makes of others.  A shape-only pass infers its shape, so errors surface at this call.

    Raises:
        ValueError, TypeError: the layer does not fit the nodes; the layer is left unchanged.
    """
    for x in inputs:
        if not isinstance(x, Vertex):
            raise TypeError(
                f"{name_of(layer)}: got {type(x).__name__} beside nodes: start the graph at pn.Input(shape), and call "
                "its layers on nodes only"
            )
    at = now_building.get() or Building(layer_dtype(layer))
    with undone_on_error(tree(layer)), building(at):
        y = layer(*(_core.shape_only((at.batch, *x.shape), at.dtype) for x in inputs))
        if not isinstance(y, Tensor) or y.shape[:1] != (at.batch,):
            given = str(y.shape) if isinstance(y, Tensor) else type(y).__name__
            raise ValueError(
                f"{name_of(layer)}: for a batch of {at.batch} its output is {given}: return a tensor ({at.batch}, ...)"
            )
    node: Vertex = type(inputs[0])(tuple(y.shape[1:]), layer, inputs)
    record(layer).vertices.add(node)
    return node


def node_of(layer: Layer) -> Vertex:
    """The one node that a layer made.

    Raises:
        AttributeError: it made none, or several.
    """
    nodes = list(record(layer).vertices)
    if not nodes:
        raise AttributeError(f"{name_of(layer)} is not part of a graph, so it has no output yet: build its model first")
    if len(nodes) > 1:
        raise AttributeError(
            f"{name_of(layer)} is called in {len(nodes)} places, so its output is ambiguous: keep the node that the "
            "call returned"
        )
    node: Vertex = nodes[0]
    return node
