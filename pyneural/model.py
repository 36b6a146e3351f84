"""model.py -- Model: layers that are built, called and kept as one; Sequential: one after another."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pyneural import _core
from pyneural._core import Tensor
from pyneural.blocks import Blocks
from pyneural.card import Card
from pyneural.layer import Layer, _building, building, name_layers, walk
from pyneural.position import Position, position
from pyneural.spelling import closest

_ELSEWHERE = {
    "fit": "pn.fit(model, data)",
    "train": "pn.fit(model, data)",
    "compile": "nothing: pn.fit(model, data, loss=..., optimizer=..., metrics=...) takes it all",
    "evaluate": "pn.evaluate(model, data)",
    "predict": "pn.predict(model, x)",
    "save": "pn.save(model, path)",
    "get_weights": "model.parameters",
    "weights": "model.parameters",
    "add": "pn.Sequential(layer, layer, ...)",
}


class Model(Layer):
    """What all models have; make one as pn.Sequential(...)."""

    input_shape: tuple[int, ...] | None
    output_shape: tuple[int, ...] | None

    def __init__(self, *, dtype: str = "float32", seed: int | None = None, name: str | None = None) -> None:
        super().__init__(name=name)
        if dtype not in ("float32", "float64"):
            raise ValueError(f"{type(self).__name__}: dtype is {dtype!r}: give 'float32' or 'float64'")
        self.dtype = dtype
        self.seed = seed
        self.card = Card()
        self.input_shape = self.output_shape = None
        self._blocks: Blocks | None = None
        self._calls = 0

    # ---- building

    def build(self, shape: Sequence[int], *, seed: int = 0, batch: int = 1) -> None:
        """Learns every shape by a shape-only batch, lays out the parameters and fills them.

        Args:
            shape: of one input, without the batch's axis, as (28, 28, 1).
            seed: of the initial values; the model's own seed= goes before it.
            batch: the batch size that messages show.
        """
        shape = tuple(int(size) for size in shape)
        if self.input_shape is not None:
            if shape != self.input_shape:
                raise ValueError(f"model: it is built for inputs {self.input_shape}, not {shape}")
            return
        self._learn(shape, batch)
        self.seed = seed if self.seed is None else self.seed
        self.blocks()

    def _learn(self, shape: tuple[int, ...], batch: int) -> None:
        """Pushes a shape-only batch through; on failure every layer is as it was."""
        fresh = [layer for _, layer in walk(self) if not layer._built]
        try:
            with building(self.dtype):
                self(_core.shape_only((batch, *shape), self.dtype))
        except BaseException:
            for layer in (self, *fresh):
                layer._unbuild()
            raise

    def _unbuild(self) -> None:
        super()._unbuild()
        self.input_shape = self.output_shape = None

    def blocks(self) -> Blocks:
        """The blocks in which the parameters and state lie.

        Raises:
            RuntimeError: the model is not built.
        """
        if self.input_shape is None:
            raise RuntimeError(f"{self._who}: it has no parameters yet; call model.build(shape), or pn.fit")
        if self._blocks is None or not self._blocks.current:
            layers = list(walk(self))
            for path, layer in layers:
                vars(layer)["_path"] = path
            self._blocks = Blocks(layers, self.dtype, self.seed or 0)
        return self._blocks

    # ---- calling

    def __call__(self, x: Any, *, training: bool = False) -> Tensor:
        """The last layer's output for a batch x (n, *input_shape), as written: no preprocessing, no added softmax."""
        if _building.get() is not None:
            output = self.call(x, training=training)
            vars(self).update(_built=True, input_shape=tuple(x.shape[1:]), output_shape=tuple(output.shape[1:]))
            return output
        x = self._enter(x)
        if not training:
            return self.call(x, training=False)
        token = position.set(Position(self.seed or 0, self._calls))
        self._calls += 1
        try:
            return self.call(x, training=True)
        finally:
            position.reset(token)

    def _enter(self, x: Any) -> Tensor:
        if not isinstance(x, Tensor):
            x = np.asarray(x)
            if x.dtype == np.uint8 and self.card.preprocessing is not None:
                raise TypeError(f"model(x) takes prepared {self.dtype}; pn.predict(model, x) prepares uint8 images")
            x = _core.tensor(x, self.dtype)
        entering: Tensor = x
        shape = entering.shape[1:]
        if self.input_shape is None:
            self.build(shape, batch=entering.shape[0] if entering.ndim else 1)
        elif shape != self.input_shape:
            raise ValueError(f"model: it is built for inputs (n, {_inner(self.input_shape)}), x is {entering.shape}")
        return entering

    # ---- looking

    @property
    def layers(self) -> list[Layer]:
        """The layers, in order."""
        return self.children()

    @property
    def parameters(self) -> dict[str, Tensor]:
        """Every parameter by its path (`dense_1/weight`)."""
        block = self.blocks().parameters
        return dict(zip(block.names, block.tensors, strict=True)) if block else {}

    def __reduce__(self) -> tuple[Any, ...]:
        from pyneural import files

        own = tuple({type(layer): None for _, layer in walk(self)})
        return files.loads, (files.dumps(self), "pickle", own)

    def fingerprint(self) -> str:
        """The sha256 of every parameter and state: equal for equal models."""
        return self.blocks().fingerprint()

    def __getitem__(self, path: str) -> Layer:
        """The layer of that name, or path where models are nested (`sequential_1/dense_2`)."""
        layers = dict(walk(self))
        if path not in layers:
            near = closest(str(path), layers)
            raise KeyError(f"no layer '{path}': " + (f"did you mean '{near}'" if near else ", ".join(layers)))
        return layers[path]

    def __getattr__(self, name: str) -> Any:
        if name in _ELSEWHERE:
            raise AttributeError(f"a model has no '{name}'; use {_ELSEWHERE[name]}")
        return super().__getattr__(name)


class Sequential(Model):
    """Layers one after another.

    Args:
        layers: each takes what the one before it gives.
        dtype: "float32" or "float64", of the parameters and of all computing.
        seed: of the initial parameters; None takes that of pn.fit.

    >>> import pyneural as pn
    >>> model = pn.Sequential(pn.Flatten(), pn.Dense(32, "relu"), pn.Dense(10))
    >>> model.build((28, 28, 1))
    >>> model["dense_2"].weight.shape
    (32, 10)
    """

    def __init__(
        self, *layers: Layer, dtype: str = "float32", seed: int | None = None, name: str | None = None
    ) -> None:
        super().__init__(dtype=dtype, seed=seed, name=name)
        if not layers:
            raise ValueError("Sequential: give at least one layer, as pn.Sequential(pn.Dense(10))")
        for layer in layers:
            if isinstance(layer, list | tuple):
                raise TypeError("Sequential: give the layers one by one, pn.Sequential(a, b), not in a list")
            if isinstance(layer, type) and issubclass(layer, Layer):
                raise TypeError(f"Sequential: {layer.__name__} is a class; write pn.{layer.__name__}(...)")
            if not isinstance(layer, Layer):
                raise TypeError(f"Sequential: {layer!r} is no layer")
        self._layers = layers
        self.children()

    def children(self) -> list[Layer]:
        """The layers, each once."""
        return name_layers(list(dict.fromkeys(self._layers)), self._who)

    def call(self, x: Tensor, *, training: bool) -> Tensor:
        """Computes y, (n, ...), from x."""
        if self.input_shape is None:
            for layer in self._layers:
                x = layer(x, training=training)
            return x
        for layer in self._layers:
            x = layer.call(x, training=training)
        return x

    def logits(self, x: Tensor, *, training: bool) -> Tensor:
        """The output before a final softmax or sigmoid."""
        for layer in self._layers[:-1]:
            x = layer.call(x, training=training)
        return self._layers[-1].logits(x, training=training)

    def config(self) -> dict[str, Any]:
        """The arguments that make it again."""
        return {"dtype": self.dtype} | ({} if self.name is None else {"name": self.name})


def _inner(shape: tuple[int, ...]) -> str:
    return ", ".join(map(str, shape))
