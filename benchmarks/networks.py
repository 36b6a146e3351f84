"""The networks of the benchmark, as data: every peer builds the same layers from it, with the same initial weights.

Weights are in our layouts, (height, width, in, out) and (in, out), and in the order of the layers; a norm has gamma and
beta, a residual block its two convolutions each with a norm, then the shortcut with its norm where there is one.
"""

from itertools import accumulate
from typing import NamedTuple

import numpy as np


class Conv(NamedTuple):
    """A convolution, with bias."""

    filters: int
    size: int
    stride: int = 1
    pad: int = 0
    relu: bool = True
    bias: bool = True


class Norm(NamedTuple):
    """Batch norm over every axis but the last."""

    relu: bool = True


class Pool(NamedTuple):
    """The maximum of windows of 2 x 2."""


class GlobalPool(NamedTuple):
    """The mean over height and width."""


class Flatten(NamedTuple):
    """Flattens all axes but the batch axis, in the order rows, columns, channels."""


class Dense(NamedTuple):
    """A dense layer, with bias."""

    units: int
    relu: bool = False


class Residual(NamedTuple):
    """relu(norm(conv 3x3(relu(norm(conv 3x3(x))))) + x); x by a 1 x 1 convolution and a norm where shapes differ."""

    filters: int
    stride: int = 1


Layer = Conv | Norm | Pool | GlobalPool | Flatten | Dense | Residual
Network = tuple[Layer, ...]
Shape = tuple[int, ...]

MLP: Network = (Flatten(), Dense(128, True), Dense(10))
LENET: Network = (Conv(8, 5), Pool(), Conv(16, 5), Pool(), Flatten(), Dense(128, True), Dense(10))
KERAS_CNN: Network = (Conv(32, 3), Conv(64, 3), Pool(), Flatten(), Dense(128, True), Dense(10))
XRAY: Network = (
    *(Conv(16, 3, 2, 1, relu=False, bias=False), Norm()),
    *(Residual(16), Residual(32, 2), Residual(64, 2), Residual(128, 2)),
    *(GlobalPool(), Dense(2)),
)
DEEP_MLP: Network = (Flatten(), *(Dense(724, True) for _ in range(19)), Dense(10))  # 20 layers, 10 million parameters
RESNET_50: Network = (  # 1 + 24 x 2 + 1 layers with weights, the shortcuts not counted (He et al. 2016, section 4.2)
    *(Conv(16, 3, 1, 1, relu=False, bias=False), Norm()),
    *(Residual(filters, stride if number == 0 else 1) for filters, stride in ((16, 1), (32, 2), (64, 2))
      for number in range(8)),
    *(GlobalPool(), Dense(10)),
)  # fmt: skip


def shapes(network: Network, shape: Shape) -> list[Shape]:
    """The shape, without the batch's axis, before each layer and after the last."""
    return list(accumulate(network, lambda before, layer: _after(layer, before), initial=shape))


def _after(layer: Layer, shape: Shape) -> Shape:
    if isinstance(layer, Conv):
        sides = tuple((side + 2 * layer.pad - layer.size) // layer.stride + 1 for side in shape[:2])
        return (*sides, layer.filters)
    if isinstance(layer, Residual):
        return (*((side + layer.stride - 1) // layer.stride for side in shape[:2]), layer.filters)
    if isinstance(layer, Pool):
        return shape[0] // 2, shape[1] // 2, shape[2]
    if isinstance(layer, Flatten):
        return (int(np.prod(shape)),)
    if isinstance(layer, GlobalPool):
        return shape[-1:]
    return (*shape[:-1], layer.units) if isinstance(layer, Dense) else shape


def weight_shapes(layer: Layer, shape: Shape) -> list[Shape]:
    """The shapes of a layer's weights, for inputs (n, *shape)."""
    inputs = shape[-1]
    if isinstance(layer, Conv):
        return [(layer.size, layer.size, inputs, layer.filters), *([(layer.filters,)] if layer.bias else [])]
    if isinstance(layer, Dense):
        return [(inputs, layer.units), (layer.units,)]
    if isinstance(layer, Norm):
        return [(inputs,), (inputs,)]
    if isinstance(layer, Residual):
        filters, norm = layer.filters, [(layer.filters,)] * 2
        shortcut = [(1, 1, inputs, filters), *norm] if has_shortcut(layer, shape) else []
        return [(3, 3, inputs, filters), *norm, (3, 3, filters, filters), *norm, *shortcut]
    return []


def has_shortcut(layer: Residual, shape: Shape) -> bool:
    """Whether the block's input needs a convolution to get its output's shape."""
    return layer.stride != 1 or shape[-1] != layer.filters


def weights(network: Network, shape: Shape, seed: int = 0) -> list[np.ndarray]:
    """Initial float32 weights: He initialisation for matrices and kernels, gamma about 1, biases and beta about 0."""
    draw, made = np.random.default_rng(seed), []
    for layer, before in zip(network, shapes(network, shape), strict=False):
        for number, size in enumerate(weight_shapes(layer, before)):
            if len(size) > 1:
                values = draw.normal(0, np.sqrt(2 / np.prod(size[:-1])), size)
            else:
                norm = isinstance(layer, Norm | Residual)
                first = number % 2 == 0 if isinstance(layer, Norm) else number % 3 == 1
                values = draw.normal(1.0 if norm and first else 0.0, 0.05, size)
            made.append(values.astype(np.float32))
    return made


def taps(side: int, size: int, stride: int, pad: int) -> int:
    """Along one axis of length `side`: pairs of an output and a kernel's tap that falls inside."""
    outputs = range(-pad, side + pad - size + 1, stride)
    return sum(min(at + size, side) - max(at, 0) for at in outputs)


def _products(layer: Layer, before: Shape, after: Shape) -> int:
    """Multiplications and additions forward, for one image; taps outside the image are none."""
    if isinstance(layer, Dense):
        return 2 * int(np.prod(before)) * layer.units
    if isinstance(layer, Conv):
        inside = [taps(side, layer.size, layer.stride, layer.pad) for side in before[:2]]
        return 2 * inside[0] * inside[1] * before[-1] * layer.filters
    if not isinstance(layer, Residual):
        return 0
    parts = [Conv(layer.filters, 3, layer.stride, 1)]
    second = _products(Conv(layer.filters, 3, 1, 1), after, after)
    if has_shortcut(layer, before):
        parts.append(Conv(layer.filters, 1, layer.stride))
    return second + sum(_products(part, before, after) for part in parts)


def flops(network: Network, shape: Shape) -> int:
    """Multiplications and additions of the matrix products and convolutions of a training step, for one image.

    Forward, the gradient of the weights and the gradient of the inputs are the same work; the first layer's inputs need
    none.
    """
    total, first = 0, True
    all_shapes = shapes(network, shape)
    for layer, before, after in zip(network, all_shapes, all_shapes[1:], strict=False):
        work = _products(layer, before, after)
        total += work * (2 if first else 3)
        first = first and work == 0
    return total


def forward_flops(network: Network, shape: Shape) -> int:
    """Those of the forward pass alone."""
    all_shapes = shapes(network, shape)
    return sum(
        _products(layer, before, after)
        for layer, before, after in zip(network, all_shapes, all_shapes[1:], strict=False)
    )


def activations(network: Network, shape: Shape) -> int:
    """Values that the layers compute for one image; those of a block's convolutions and norms one by one."""
    all_shapes = shapes(network, shape)
    total = 0
    for layer, before, after in zip(network, all_shapes, all_shapes[1:], strict=False):
        times = (6 if has_shortcut(layer, before) else 4) if isinstance(layer, Residual) else 1
        total += times * int(np.prod(after)) * (not isinstance(layer, Flatten))
    return total


def traffic(network: Network, shape: Shape, batch: int) -> int:
    """Bytes that a training step moves at the least, were nothing kept in a cache from one layer to the next.

    Pixels are read as bytes; every activation is written and read, and its gradient written and read; a weight is read
    twice, its gradient written and read, Adam's two slots and the weight read and written.
    """
    all_shapes = shapes(network, shape)
    layers = list(zip(network, all_shapes, all_shapes[1:], strict=False))
    values = activations(network, shape)
    count = sum(int(np.prod(s)) for layer, before, _ in layers for s in weight_shapes(layer, before))
    pixels = int(np.prod(shape))
    return batch * (pixels + 4 * 2 * pixels + 4 * 4 * values) + 4 * 10 * count
