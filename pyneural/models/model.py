"""model.py -- Model: a graph of layers that are built, called and saved together."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import Any

import numpy as np

import pyneural._core as _core
import pyneural.models.summary as summary
from pyneural._core import Tensor
from pyneural.arguments.checks import batched, is_whole, shape_of, whole
from pyneural.arguments.familiar import OF_MODELS
from pyneural.arguments.objects import refuse_masked
from pyneural.arguments.spelling import check_keywords, closest, instead
from pyneural.layers.context import Position, now_building, position
from pyneural.layers.layer import Layer, on_nodes, tree, walk
from pyneural.layers.naming import name_layers
from pyneural.layers.nodes import Node
from pyneural.layers.operation import name_of, record
from pyneural.models.blocks import Blocks, Parameters
from pyneural.models.checks import dtype_of, graph_of
from pyneural.models.entrances import inherit
from pyneural.models.network import FIXED, Network
from pyneural.models.test_time import change_test_time
from pyneural.printing import encodable, put, terminal_columns


class Model(Network):
    """A graph of layers, from one input to one output or to several heads.

    A part of a trained model, and a model around one or around its layers, prepares inputs as the trained model does:
    `card.preprocessing` and `card.columns` are taken over, if x reaches the trained layers in the same way as there.

    `test_time` is what predictions are averaged over: None, or "flip", the image and its mirror image, as in pn.fit.
    It may be set on a trained model; a threshold or temperature that was chosen before is then to be chosen again.

    Args:
        inputs: the node where the graph begins; usually a pn.Input.
        outputs: the node where it ends, or a dict name -> node; then outputs, labels, losses and predictions are
            dicts with the same names.
        dtype: "float32" or "float64", for parameters and computation; None takes that of layers that already have
            values, else float32.
        seed: the seed of the initial parameters; None takes that of pn.fit.

    Raises:
        TypeError, ValueError: something is not a node, or does not depend on the input; the message names it.

    >>> import pyneural as pn
    >>> x = pn.Input((8, 8, 1))
    >>> h = pn.Conv2D(4, 3, padding="same")(x)
    >>> h = pn.Flatten()(h + pn.Conv2D(4, 1)(x))
    >>> model = pn.Model(x, {"digit": pn.Dense(10)(h), "odd": pn.Dense(1)(h)})
    >>> model.output_shape
    {'digit': (10,), 'odd': (1,)}
    >>> pn.Model(model.input, model["conv2d_2"].output).output_shape
    (8, 8, 4)
    """

    def __init__(
        self,
        inputs: Node,
        outputs: Node | Mapping[str, Node],
        *,
        dtype: str | None = None,
        seed: int | None = None,
        name: str | None = None,
    ) -> None:
        graph = graph_of(inputs, outputs)
        self._begin(dtype_of(graph.layers, dtype), seed, name)
        name_layers(graph.layers, "Model")
        self.adopt(graph)
        inherit(self)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not cls.__module__.startswith("pyneural.models."):
            raise TypeError(
                f"{cls.__name__}: make it a pn.Layer (build and call) and put it into a pn.Sequential: a pn.Model is "
                "a graph of layers, and is saved as such"
            )

    def _begin(self, dtype: str, seed: int | None, name: str | None) -> None:
        super()._begin(dtype, seed, name)
        self._blocks: Blocks | None = None
        self._ready = False
        self._calls = count()

    # ---- building

    @check_keywords(positional="give one tuple, such as model.build((28, 28, 1))", input_shape="shape")
    def build(self, shape: Sequence[int], *, seed: int = 0, batch: int = 1) -> None:
        """Infers every shape with a shape-only batch, then allocates and initializes the parameters.

        Args:
            shape: the shape of one input, without the batch axis, such as (28, 28, 1).
            seed: the seed of the initial values; the model's seed= takes precedence.
            batch: the batch size to show in messages.
        """
        self.infer_shapes(shape_of("build", shape), whole("build", "batch", batch))
        if self._blocks is None:
            self.seed = seed if self.seed is None else self.seed
            self.blocks()

    @property
    def is_built(self) -> bool:
        """Whether its parameters have values; a part of a model that has them, too, is built."""
        return self._blocks is not None or (self.has_graph and self.have_values == (True,))

    @property
    def have_values(self) -> tuple[bool, ...]:
        """Whether its tensors have values: (True,) all, (False,) none, (False, True) some, () there are no tensors."""
        tensors = (tensor for one in tree(self) for tensor in record(one).tensors.values())
        return tuple(sorted({not tensor.is_shape_only for tensor in tensors}))

    def blocks(self) -> Blocks:
        """The blocks that hold the parameters and state.

        Raises:
            RuntimeError: the model is not built.
        """
        if self.input_shape is None:
            raise RuntimeError(f"{name_of(self)}: it has no parameters yet: call model.build(shape), or pn.fit")
        if self._blocks is None or not self._blocks.current:
            layers = list(walk(self))
            for path, layer in layers:
                record(layer).path = path
            self._blocks = Blocks(layers, self.dtype, self.seed or 0)
        return self._blocks

    # ---- calling

    def __call__(self, *inputs: Any, training: bool = False) -> Any:
        """The last layer's output for a batch x (n, *input_shape), without preprocessing or an added softmax.

        A model with heads returns a dict name -> output.  Called on a node, a model acts as a layer.
        """
        if len(inputs) != 1 or (isinstance(inputs[0], list) and any(isinstance(x, Node) for x in inputs[0])):
            raise TypeError(f"{name_of(self)}: a model takes one input: join several with pn.Concatenate()")
        if isinstance(inputs[0], Node):
            return on_nodes(self, inputs)
        if now_building.get() is not None:
            return self.inside(inputs[0])
        x = self._enter(inputs[0])
        if not training or position.get() is not None:  # inside a custom layer, the outer model's position applies
            return self.call(x, training=training)
        token = position.set(Position(self.seed or 0, next(self._calls)))
        try:
            return self.call(x, training=True)
        finally:
            position.reset(token)

    def _enter(self, x: Any) -> Tensor:
        if not isinstance(x, Tensor):
            refuse_masked("model: x", x)
            x = np.asarray(x)
            if x.dtype == np.uint8 and self.card.preprocessing is not None:
                raise TypeError(f"model(x) takes prepared {self.dtype}; pn.predict(model, x) prepares uint8 images")
            x = _core.tensor(x, self.dtype)
        entering: Tensor = x
        shape = entering.shape[1:]
        if self.input_shape is None:
            self.build(shape, batch=entering.shape[0] if entering.ndim else 1)
        elif shape != self.input_shape:
            raise ValueError(f"model: it is built for inputs {batched(self.input_shape)}, x is {entering.shape}")
        if not self._ready:
            below = tree(self)[1:]
            if any(not record(one).path or any(t.is_shape_only for t in record(one).tensors.values()) for one in below):
                self.blocks()
            vars(self)["_ready"] = True
        return entering

    # ---- predicting

    @property
    def test_time(self) -> str | None:
        """What predictions are averaged over: None, or "flip" (the image and its mirror image)."""
        return self.card.test_time

    @test_time.setter
    def test_time(self, value: str | None) -> None:
        change_test_time(self, value)

    # ---- looking

    @property
    def parameters(self) -> dict[str, Tensor]:
        """Every parameter by its path (`dense_1/weight`)."""
        block = self.blocks().parameters
        return Parameters(zip(block.names, block.tensors, strict=True)) if block else Parameters()

    def config(self) -> dict[str, Any]:
        """The constructor arguments that recreate the model."""
        return {"dtype": self.dtype} | ({} if self.name is None else {"name": self.name})

    def fingerprint(self) -> str:
        """The sha256 of all parameters and state: equal for equal models."""
        return self.blocks().fingerprint()

    def summary(self) -> None:
        """Prints a table: layers, output shapes, parameters, FLOPs per example, and the preprocessing of inputs."""
        put(summary.table(self, min(summary.WIDTH, terminal_columns() or summary.WIDTH)))

    def __str__(self) -> str:
        return encodable(summary.line(self))

    __repr__ = __str__  # shown by notebooks

    @property
    def classes(self) -> Any:
        """The names of the training classes, in order; a dict if there are heads; () if there are none."""
        task = self.card.task
        if isinstance(task, dict):
            return {head: () if one.kind == "values" else one.names for head, one in task.items()}
        return () if task is None or task.kind == "values" else task.names

    def _in_order(self) -> list[Layer]:
        """The layers for len, indexing and iteration."""
        return self.children()

    def __len__(self) -> int:
        return len(self._in_order())

    def __iter__(self) -> Iterator[Layer]:
        return iter(self._in_order())

    def __contains__(self, layer: object) -> bool:
        return any(layer is one for one in self._in_order())

    def __getitem__(self, path: str | int) -> Layer:
        """The layer with that name, path (if models are nested, `sequential_1/dense_2`) or number.

        >>> import pyneural as pn
        >>> model = pn.Sequential(pn.Dense(8, name="first"), pn.Dense(3))
        >>> model["first"] is model[0], model[-1] is model.layers[1]
        (True, True)
        """
        if not isinstance(path, str):
            return self._numbered(path)
        found: Layer | None = self
        for name in path.split("/"):
            found = next((child for child in found.children() if child.name == name), None) if found else None
        if found is None:
            layers = dict(walk(self))
            near = closest(path, layers)
            raise KeyError(f"no layer '{path}': " + (f"did you mean '{near}'" if near else ", ".join(layers)))
        return found

    def __setitem__(self, path: object, layer: object) -> None:
        raise TypeError(f"{name_of(self)}: {FIXED}")

    def __delitem__(self, path: object) -> None:
        raise TypeError(f"{name_of(self)}: {FIXED}")

    def _numbered(self, number: Any) -> Layer:
        if not is_whole(number):
            raise TypeError(
                f"{name_of(self)}: give a layer's name or number, model['dense_1'] or model[0]; model.layers is a "
                "tuple, and pn.Model(model.input, model[1].output) is a model of the first layers"
            )
        layers = self._in_order()
        if not -len(layers) <= number < len(layers):
            raise IndexError(f"{name_of(self)}: no layer {number}: it has {len(layers)}, numbered from 0")
        return layers[int(number)]

    def __getattr__(self, name: str) -> Any:
        if name in OF_MODELS:
            raise AttributeError(f"a model has no '{name}'; {instead(OF_MODELS[name])}")
        return super().__getattr__(name)
