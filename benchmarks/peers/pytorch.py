"""PyTorch: eager, in the faster of its two memory layouts, and compiled; both with fused Adam.

Its images are (n, channels, height, width), so the axes of weights are transposed, and the rows of the first dense
weight after images permuted.  Only the step is measured: no loss is read, nothing is counted.
"""

from itertools import islice, repeat
from typing import Any

import numpy as np
import torch
from cases import RATE, Case
from networks import (
    Conv,
    Dense,
    Flatten,
    GlobalPool,
    Network,
    Norm,
    Pool,
    Residual,
    has_shortcut,
    shapes,
    weight_shapes,
)
from torch import nn

from peers.clock import timed
from peers.orders import batches
from peers.quickest import quickest


class Block(nn.Module):
    """A residual block."""

    def __init__(self, inputs: int, filters: int, stride: int, shortcut: bool) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, filters, 3, stride, 1, bias=False)
        self.first_norm = nn.BatchNorm2d(filters)
        self.second = nn.Conv2d(filters, filters, 3, 1, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(filters)
        self.side = nn.Identity()
        if shortcut:
            self.side = nn.Sequential(nn.Conv2d(inputs, filters, 1, stride, bias=False), nn.BatchNorm2d(filters))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.first_norm(self.first(x)).relu_()
        return self.second_norm(self.second(y)).add_(self.side(x)).relu_()


class Mean(nn.Module):
    """The mean over height and width."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean((2, 3))


def build(network: Network, shape: tuple[int, ...]) -> nn.Sequential:
    """The network in its layers."""
    layers: list[nn.Module] = []
    for layer, before in zip(network, shapes(network, shape), strict=False):
        match layer:
            case Conv(filters, size, stride, pad, relu, bias):
                layers.append(nn.Conv2d(before[-1], filters, size, stride, pad, bias=bias))
            case Dense(units, relu):
                layers.append(nn.Linear(before[-1], units))
            case Norm(relu):
                layers.append(nn.BatchNorm2d(before[-1]))
            case Residual(filters, stride):
                layers.append(Block(before[-1], filters, stride, has_shortcut(layer, before)))
                relu = False
            case Pool():
                layers.append(nn.MaxPool2d(2))
                relu = False
            case GlobalPool():
                layers.append(Mean())
                relu = False
            case Flatten():
                layers.append(nn.Flatten())
                relu = False
        if relu:
            layers.append(nn.ReLU(inplace=True))
    return nn.Sequential(*layers)


def theirs(value: np.ndarray, images: tuple[int, ...] | None) -> np.ndarray:
    """A weight, or its gradient, in their layout; `images` is the shape that is flattened before it."""
    if value.ndim == 4:
        return np.ascontiguousarray(value.transpose(3, 2, 0, 1))
    if value.ndim == 2 and images is not None:
        value = value.reshape(*images, -1).transpose(2, 0, 1, 3).reshape(value.shape)
    return np.ascontiguousarray(value.T)


def ours(value: np.ndarray, images: tuple[int, ...] | None) -> np.ndarray:
    """The reverse of theirs."""
    if value.ndim == 4:
        return value.transpose(2, 3, 1, 0)
    if value.ndim == 2 and images is not None:
        height, width, channels = images
        value = value.reshape(-1, channels, height, width).transpose(0, 2, 3, 1).reshape(len(value), -1)
    return value.T


def flattened(network: Network, shape: tuple[int, ...]) -> dict[int, tuple[int, ...]]:
    """The number of the parameter that follows a flattening of images, and their shape."""
    number, found, pending = 0, {}, None
    for layer, before in zip(network, shapes(network, shape), strict=False):
        sizes = weight_shapes(layer, before)
        if isinstance(layer, Flatten):
            pending = before
        elif sizes and pending is not None:
            found[number], pending = pending, None
        number += len(sizes)
    return found


class Eager:
    """The adapter."""

    compiled = False

    def __init__(self, threads: int) -> None:
        torch.set_num_threads(threads)
        self.words = f"PyTorch {torch.__version__}, eager, fused Adam"

    def has(self, case: Case) -> bool:
        return True

    def train(self, case: Case, weights: list[np.ndarray], data: tuple[np.ndarray, np.ndarray, float, float]) -> Any:
        layouts = (False, True) if any(isinstance(layer, Conv) for layer in case.network) else (False,)
        return quickest([Trainer(case, weights, data, last, self.compiled) for last in layouts])

    def model(self, case: Case, weights: list[np.ndarray], x: np.ndarray) -> Any:
        layouts = (False, True) if any(isinstance(layer, Conv) for layer in case.network) else (False,)
        return quickest([Predictor(case, weights, x, last, self.compiled) for last in layouts])


class Compiled(Eager):
    """The adapter, with torch.compile around network and loss."""

    compiled = True

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        self.words = f"PyTorch {torch.__version__}, torch.compile, fused Adam"


class Trainer:
    """A training step in one memory layout."""

    def __init__(
        self,
        case: Case,
        weights: list[np.ndarray],
        data: tuple[np.ndarray, np.ndarray, float, float],
        last: bool,
        compiled: bool,
    ) -> None:
        images, labels, self.mean, deviation = data
        self.case, self.weights, self.last, self.scale = case, weights, last, 1 / deviation
        self.words = "channels last" if last else "channels first"
        self.flattened = flattened(case.network, case.shape)
        self.images = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()
        self.labels = torch.from_numpy(labels)
        self.net = build(case.network, case.shape)
        self.net.to(memory_format=torch.channels_last if last else torch.contiguous_format)
        self._give()
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=RATE, fused=True)
        self.loss = torch.compile(self._loss) if compiled else self._loss
        self.batches = batches(len(images), case.batch)

    def _give(self) -> None:
        with torch.no_grad():
            for number, (tensor, values) in enumerate(zip(self.net.parameters(), self.weights, strict=True)):
                tensor.copy_(torch.from_numpy(theirs(values, self.flattened.get(number))))

    def _loss(self, rows: torch.Tensor) -> torch.Tensor:
        x = self.images.index_select(0, rows).float().sub_(self.mean).mul_(self.scale)
        if self.last:
            x = x.contiguous(memory_format=torch.channels_last)
        return nn.functional.cross_entropy(self.net(x), self.labels[rows])

    def check(self, rows: np.ndarray) -> tuple[float, list[np.ndarray]]:
        self._give()
        self.optimizer.zero_grad()
        loss = self.loss(torch.from_numpy(rows))
        loss.backward()
        gradients = [
            ours(tensor.grad.numpy(), self.flattened.get(number)) for number, tensor in enumerate(self.net.parameters())
        ]
        return loss.item(), gradients

    def steps(self, n: int) -> list[float]:
        return timed(self._step, zip(map(torch.from_numpy, islice(self.batches, n))))

    def _step(self, rows: torch.Tensor) -> None:
        self.optimizer.zero_grad()
        self.loss(rows).backward()
        self.optimizer.step()

    def close(self) -> None:
        pass


class Predictor:
    """The network on a prepared batch, in one memory layout."""

    def __init__(self, case: Case, weights: list[np.ndarray], x: np.ndarray, last: bool, compiled: bool) -> None:
        layout = torch.channels_last if last else torch.contiguous_format
        self.words = "channels last" if last else "channels first"
        self.x = torch.from_numpy(x).permute(0, 3, 1, 2).contiguous(memory_format=layout)
        self.net = build(case.network, case.shape).eval().to(memory_format=layout)
        numbers = flattened(case.network, case.shape)
        with torch.no_grad():
            for number, (tensor, values) in enumerate(zip(self.net.parameters(), weights, strict=True)):
                tensor.copy_(torch.from_numpy(theirs(values, numbers.get(number))))
        self.run = torch.compile(self.net) if compiled else self.net

    def check(self) -> np.ndarray:
        with torch.inference_mode():
            return self.run(self.x).numpy()

    def steps(self, n: int) -> list[float]:
        with torch.inference_mode():
            return timed(self.run, repeat((self.x,), n))

    def close(self) -> None:
        pass
