"""Single ops of pyneural; PYNEURAL_ISA selects the kernels."""

from collections.abc import Callable
from itertools import repeat
from typing import Any

import numpy as np
from kernels import Kernel

import pyneural as pn
from peers.clock import timed

ops = pn.ops


def forward(kernel: Kernel, t: dict[str, pn.Tensor]) -> Callable[[], pn.Tensor]:
    """The op on its inputs."""
    x, w = t["x"], t.get("w")
    match kernel.op:
        case "matmul":
            return lambda: ops.matmul(x, w)
        case "conv":
            padding = kernel.w[0] // 2
            return lambda: ops.conv2d(x, w, padding=padding)
        case "depthwise":
            return lambda: ops.depthwise_conv2d(x, w, padding="same")
        case "max_pool" | "avg_pool":
            pool = ops.max_pool2d if kernel.op == "max_pool" else ops.avg_pool2d
            return lambda: pool(x, size=2, stride=2)
        case "batch_norm" | "layer_norm":
            one, zero = (pn.tensor(np.full(kernel.x[-1], value, np.float32)) for value in (1, 0))
            if kernel.op == "layer_norm":
                return lambda: ops.layer_norm(x, one, zero)
            mean, var = (pn.tensor(np.full(kernel.x[-1], value, np.float32)) for value in (0, 1))
            return lambda: ops.batch_norm(x, one, zero, mean, var, training=True)
        case "gather":
            rows = pn.tensor(np.random.default_rng(1).integers(0, kernel.x[0], 256))
            mean, scale = (pn.tensor(np.array([value], np.float32)) for value in (33.0, 1 / 78))
            return lambda: ops.gather(x, rows, mean, scale)
    return lambda: getattr(ops, kernel.op)(x)


class Ops:
    """The adapter."""

    def __init__(self, threads: int) -> None:
        pn.set_threads(threads)
        self.words = f"pyneural {pn.__version__}, {pn._core.isa()}"

    def kernel(self, kernel: Kernel) -> Any:
        return Runner(kernel)


class Runner:
    """One op, or the gradient of one of its inputs."""

    def __init__(self, kernel: Kernel) -> None:
        arrays = kernel.arrays()
        tensors = {
            name: pn.tensor(a, requires_grad=name == kernel.wanted) if a.dtype != np.uint8 else pn.tensor(a)
            for name, a in arrays.items()
        }
        self.forward, self.wanted = forward(kernel, tensors), tensors.get(kernel.wanted)
        if self.wanted is not None:
            self.y = self.forward()
            self.dy = pn.tensor(np.random.default_rng(2).normal(size=self.y.shape).astype(np.float32))

    def _backward(self) -> None:
        self.y.backward(self.dy, keep_graph=True)

    def check(self) -> np.ndarray:
        if self.wanted is None:
            return np.array(self.forward().numpy())
        self._backward()
        return np.array(self.wanted.grad.numpy())

    def steps(self, n: int) -> list[float]:
        run = self._backward if self.wanted is not None else self.forward
        with pn.no_grad():
            return timed(run, repeat((), n))

    def close(self) -> None:
        pass
