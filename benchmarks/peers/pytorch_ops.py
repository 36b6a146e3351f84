"""Single ops of PyTorch; images are channels last, so nothing is rearranged."""

import contextlib
from collections.abc import Callable
from itertools import repeat
from typing import Any

import numpy as np
import torch
from kernels import Kernel
from torch.nn import functional

from peers.clock import timed


def theirs(a: np.ndarray, is_weight: bool) -> torch.Tensor:
    """The same numbers with PyTorch's order of axes; images keep their memory layout."""
    t = torch.from_numpy(a)
    if t.ndim != 4:
        return t
    if is_weight:
        return t.permute(3, 2, 0, 1).contiguous(memory_format=torch.channels_last)
    return t.permute(0, 3, 1, 2)


def ours(t: torch.Tensor, is_weight: bool) -> np.ndarray:
    """The reverse."""
    if t.ndim == 4:
        t = t.permute(2, 3, 1, 0) if is_weight else t.permute(0, 2, 3, 1)
    return t.detach().numpy()


def forward(kernel: Kernel, t: dict[str, torch.Tensor]) -> Callable[[], torch.Tensor]:
    """The op on its inputs."""
    x, w = t["x"], t.get("w")
    match kernel.op:
        case "matmul":
            return lambda: x @ w
        case "conv":
            padding = kernel.w[0] // 2
            return lambda: functional.conv2d(x, w, padding=padding)
        case "depthwise":
            return lambda: functional.conv2d(x, w.permute(1, 0, 2, 3), padding="same", groups=kernel.x[-1])
        case "max_pool" | "avg_pool":
            pool = functional.max_pool2d if kernel.op == "max_pool" else functional.avg_pool2d
            return lambda: pool(x, 2)
        case "batch_norm" | "layer_norm":
            one, zero = torch.ones(kernel.x[-1]), torch.zeros(kernel.x[-1])
            if kernel.op == "layer_norm":
                return lambda: functional.layer_norm(x, kernel.x[-1:], one, zero)
            mean, var = zero.clone(), one.clone()
            return lambda: functional.batch_norm(x, mean, var, one, zero, training=True)
        case "gather":
            rows = torch.from_numpy(np.random.default_rng(1).integers(0, kernel.x[0], 256))
            return lambda: x.index_select(0, rows).float().sub_(33.0).mul_(1 / 78)
        case "gelu":
            return lambda: functional.gelu(x)
        case "softmax":
            return lambda: torch.softmax(x, -1)
    return lambda: getattr(torch, kernel.op)(x)


class Ops:
    """The adapter."""

    def __init__(self, threads: int) -> None:
        torch.set_num_threads(threads)
        self.words = f"PyTorch {torch.__version__}"

    def kernel(self, kernel: Kernel) -> Any:
        return Runner(kernel)


class Runner:
    """One op, or the gradient of one of its inputs."""

    def __init__(self, kernel: Kernel) -> None:
        tensors = {name: theirs(a, name == "w") for name, a in kernel.arrays().items()}
        self.is_weight, self.wanted = kernel.wanted == "w", tensors.get(kernel.wanted)
        self.forward = forward(kernel, tensors)
        if self.wanted is not None:
            self.wanted.requires_grad_()
            self.y = self.forward()
            shape = self.y.shape if self.y.ndim != 4 else [self.y.shape[axis] for axis in (0, 2, 3, 1)]
            self.dy = theirs(np.random.default_rng(2).normal(size=tuple(shape)).astype(np.float32), False)

    def _backward(self) -> torch.Tensor:
        return torch.autograd.grad(self.y, self.wanted, self.dy, retain_graph=True)[0]

    def check(self) -> np.ndarray:
        return np.array(ours(self.forward() if self.wanted is None else self._backward(), self.is_weight))

    def steps(self, n: int) -> list[float]:
        run = self._backward if self.wanted is not None else self.forward
        with torch.inference_mode() if self.wanted is None else contextlib.nullcontext():
            return timed(run, repeat((), n))

    def close(self) -> None:
        pass
