"""blocks.py -- a model's two blocks of memory: one for its parameters, one for its state."""

import hashlib
from collections.abc import Sequence
from typing import NoReturn

import numpy as np

from pyneural._core import Block, Tensor
from pyneural.arguments.arrays import Array
from pyneural.layers.layer import Layer
from pyneural.layers.operation import record


class Parameters(dict[str, Tensor]):
    """Tensors by their paths; calling it, as in other libraries, raises an error that explains the difference."""

    def __call__(self, *_: object, **__: object) -> NoReturn:
        """Raises an error: parameters is not a method."""
        raise TypeError("model.parameters is a dict, not a method: drop the (); pn.Adam(model) takes the model")


class Blocks:
    """The memory of a model's tensors.

    A layer may be part of two models; its tensors lie in the blocks of the model that allocated them last.  The other
    model allocates again, keeping the values, when it needs its blocks.
    """

    def __init__(self, layers: Sequence[tuple[str, Layer]], dtype: str, seed: int) -> None:
        """Allocates the tensors of built layers (path, layer), and initializes those that have no values yet."""
        self.places: list[tuple[Layer, str]] = []
        self.tensors: dict[str, Tensor] = {}
        self.parameters = self._allocate(layers, dtype, seed, state=False)
        self.state = self._allocate(layers, dtype, seed, state=True)

    def _allocate(self, layers: Sequence[tuple[str, Layer]], dtype: str, seed: int, state: bool) -> Block | None:
        found = [
            (f"{path}/{name}", layer, name, spec)
            for path, layer in layers
            for name, spec in record(layer).specs.items()
            if (spec.group == "state") is state
        ]
        if not found:
            return None
        block = Block([f[0] for f in found], [f[3].shape for f in found], [f[3].group for f in found], dtype)
        for index, (path, layer, name, spec) in enumerate(found):
            tensor = block.tensors[index]
            old = record(layer).tensors[name]
            if old.is_shape_only:
                spec.init(tensor, seed, path)
            else:
                tensor.assign(old)
            record(layer).move(vars(layer), name, tensor, block, index)
            self.places.append((layer, name))
            self.tensors[path] = tensor
        return block

    @property
    def current(self) -> bool:
        """False once another model has allocated one of these layers."""
        return all(
            record(layer).tensors.get(name) is tensor
            for (layer, name), tensor in zip(self.places, self.tensors.values(), strict=True)
        )

    def snapshot(self) -> list[bytes]:
        """The values of all parameters and state, for restore."""
        return [block.snapshot() for block in (self.parameters, self.state) if block is not None]

    def restore(self, values: list[bytes]) -> None:
        """Restores the values that snapshot returned."""
        blocks = [block for block in (self.parameters, self.state) if block is not None]
        for block, data in zip(blocks, values, strict=True):
            block.restore(data)

    def arrays(self, values: list[bytes]) -> dict[str, Array]:
        """The values that snapshot returned as arrays by path."""
        blocks = [block for block in (self.parameters, self.state) if block is not None]
        found = {}
        for block, data in zip(blocks, values, strict=True):
            start = block.tensors[0].numpy().ctypes.data
            for path, tensor in zip(block.names, block.tensors, strict=True):
                now = tensor.numpy()
                flat = np.frombuffer(data, now.dtype, now.size, now.ctypes.data - start)
                found[path] = flat.reshape(now.shape)
        return found

    def fingerprint(self) -> str:
        """The sha256 of all names, shapes and values, without padding."""
        digest = hashlib.sha256()
        for path, tensor in self.tensors.items():
            digest.update(f"{path} {tensor.dtype} {tensor.shape}\n".encode())
            digest.update(tensor.numpy().tobytes())
        return digest.hexdigest()
