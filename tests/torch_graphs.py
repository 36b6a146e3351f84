"""Random small graphs, computed by pyneural and by PyTorch side by side, in float64.

A graph starts from one or two leaves and applies 3 to 8 ops drawn from STEPS; each step computes the same value on both
sides.  Now and then an earlier value of the same shape comes back, so that gradients meet.  The loss is a weighted sum.
Imported only where PyTorch is importable.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from torch.nn import functional as F  # noqa: N812 (its usual name)

import pyneural as pn

TOLERANCE = 1e-9  # float64; the same formulas, sums of at most a few hundred terms of size 1


@dataclass
class Pair:
    """One value on both sides."""

    ours: pn.Tensor
    theirs: torch.Tensor


@dataclass
class Graph:
    """What has been built so far, and the leaves whose gradients are compared."""

    random: np.random.Generator
    leaves: list[Pair] = field(default_factory=list)
    values: list[Pair] = field(default_factory=list)

    def leaf(self, *shape: int) -> Pair:
        values = np.asarray(self.random.normal(size=shape))
        pair = Pair(pn.tensor(values, "float64", requires_grad=True), torch.tensor(values, requires_grad=True))
        self.leaves.append(pair)
        return pair

    def integer(self, low: int, high: int) -> int:
        """low to high, both included."""
        return int(self.random.integers(low, high + 1))

    def choice(self, names: tuple[str, ...]) -> str:
        return names[self.integer(0, len(names) - 1)]


def unary(g: Graph, x: Pair) -> Pair:
    name = g.choice(("exp", "sigmoid", "tanh", "softplus", "relu", "abs", "neg", "square", "sqrt", "log"))
    if name == "exp":
        return Pair(pn.ops.exp(pn.ops.tanh(x.ours)), x.theirs.tanh().exp())
    if name == "square":
        return Pair(pn.ops.pow(x.ours, exponent=2.0), x.theirs.pow(2))
    if name in ("sqrt", "log"):
        shifted = Pair(x.ours * x.ours + 0.5, x.theirs * x.theirs + 0.5)
        return Pair(getattr(pn.ops, name)(shifted.ours), getattr(torch, name)(shifted.theirs))
    theirs = F.softplus(x.theirs) if name == "softplus" else getattr(torch, name)(x.theirs)
    return Pair(getattr(pn.ops, name)(x.ours), theirs)


def leaky_or_clip(g: Graph, x: Pair) -> Pair:
    if g.integer(0, 1):
        return Pair(pn.ops.leaky_relu(x.ours, slope=0.1), F.leaky_relu(x.theirs, 0.1))
    return Pair(pn.ops.clip(x.ours, low=-0.8, high=0.9), x.theirs.clamp(-0.8, 0.9))


def binary(g: Graph, x: Pair) -> Pair:
    same = [v for v in g.values if v.theirs.shape == x.theirs.shape]
    other = same[g.integer(0, len(same) - 1)] if g.integer(0, 1) else g.leaf(*x.theirs.shape)
    name = g.choice(("add", "sub", "mul", "maximum", "minimum", "div"))
    if name == "div":
        return Pair(x.ours / (other.ours * other.ours + 1.0), x.theirs / (other.theirs * other.theirs + 1.0))
    return Pair(getattr(pn.ops, name)(x.ours, other.ours), getattr(torch, name)(x.theirs, other.theirs))


def broadcast(g: Graph, x: Pair) -> Pair:
    shape = [n if g.integer(0, 1) else 1 for n in x.theirs.shape][g.integer(0, 1) :]
    other = g.leaf(*shape)
    if g.integer(0, 1):
        return Pair(x.ours * other.ours, x.theirs * other.theirs)
    return Pair(other.ours - x.ours, other.theirs - x.theirs)


def linear(g: Graph, x: Pair) -> Pair:
    inputs, outputs = x.theirs.shape[-1], g.integer(1, 7)
    weight, bias = g.leaf(inputs, outputs), g.leaf(outputs)
    activation = g.choice(("none", "relu", "sigmoid", "tanh"))
    z = F.linear(x.theirs, weight.theirs.T, bias.theirs)
    if activation == "none":
        return Pair(pn.ops.linear(x.ours, weight.ours, bias.ours), z)
    return Pair(pn.ops.linear(x.ours, weight.ours, bias.ours, activation=activation), getattr(torch, activation)(z))


def matmul(g: Graph, x: Pair) -> Pair:
    if x.theirs.ndim < 2:
        return linear(g, Pair(x.ours.reshape(1, -1), x.theirs.reshape(1, -1)))
    if g.integer(0, 1):
        return Pair(pn.ops.matmul(x.ours, x.ours, transpose_b=True), x.theirs @ x.theirs.transpose(-1, -2))
    other = g.leaf(x.theirs.shape[-1], g.integer(1, 5))
    return Pair(x.ours @ other.ours, x.theirs @ other.theirs)


def reduction(g: Graph, x: Pair) -> Pair:
    axis = g.integer(0, x.theirs.ndim - 1)
    name = g.choice(("sum", "mean", "amax", "amin", "var"))
    ours = getattr(pn.ops, name.removeprefix("a"))(x.ours, axis=axis, keepdims=True)
    if name == "var":
        theirs = x.theirs.var(dim=axis, correction=0, keepdim=True)
    else:
        theirs = getattr(torch, name)(x.theirs, dim=axis, keepdim=True)
    return Pair(x.ours - ours, x.theirs - theirs)


def softmax(g: Graph, x: Pair) -> Pair:
    if g.integer(0, 1):
        return Pair(pn.ops.softmax(x.ours), x.theirs.softmax(-1))
    return Pair(pn.ops.log_softmax(x.ours), x.theirs.log_softmax(-1))


def transpose(g: Graph, x: Pair) -> Pair:
    axes = tuple(int(a) for a in g.random.permutation(x.theirs.ndim))
    return Pair(x.ours.transpose(*axes), x.theirs.permute(axes))


def cut(g: Graph, x: Pair) -> Pair:
    axis = g.integer(0, x.theirs.ndim - 1)
    start = g.integer(0, x.theirs.shape[axis] - 1)
    where = (slice(None),) * axis + (slice(start, None, g.integer(1, 2)),)
    return Pair(x.ours[where], x.theirs[where])


def concat(g: Graph, x: Pair) -> Pair:
    axis = g.integer(0, x.theirs.ndim - 1)
    other = g.leaf(*x.theirs.shape)
    ours = pn.ops.concat([x.ours, other.ours, x.ours], axis=axis)
    return Pair(ours, torch.cat([x.theirs, other.theirs, x.theirs], dim=axis))


def where(g: Graph, x: Pair) -> Pair:
    mask = g.random.random(x.theirs.shape) < 0.5
    other = g.leaf(*x.theirs.shape)
    return Pair(pn.ops.where(mask, x.ours, other.ours), torch.where(torch.tensor(mask), x.theirs, other.theirs))


def conv_block(g: Graph, x: Pair) -> Pair:
    """Needs images (N, H, W, C)."""
    _, h, w, c = x.theirs.shape
    kh, kw = g.integer(1, min(3, h)), g.integer(1, min(3, w))
    ph, pw, stride = g.integer(0, kh - 1), g.integer(0, kw - 1), g.integer(1, 2)
    outputs = g.integer(1, 5)
    weight, bias = g.leaf(kh, kw, c, outputs), g.leaf(outputs)
    ours = pn.ops.conv2d(x.ours, weight.ours, bias.ours, stride=stride, padding=(ph, pw))
    kernel = weight.theirs.permute(3, 2, 0, 1).contiguous()
    theirs = F.conv2d(x.theirs.permute(0, 3, 1, 2).contiguous(), kernel, bias.theirs, stride=stride, padding=(ph, pw))
    return Pair(ours, theirs.permute(0, 2, 3, 1))


def pool(g: Graph, x: Pair) -> Pair:
    size = g.integer(1, min(2, *x.theirs.shape[1:3]))
    channels_first = x.theirs.permute(0, 3, 1, 2)
    if g.integer(0, 1):
        return Pair(pn.ops.max_pool2d(x.ours, size=size), F.max_pool2d(channels_first, size).permute(0, 2, 3, 1))
    return Pair(pn.ops.avg_pool2d(x.ours, size=size), F.avg_pool2d(channels_first, size).permute(0, 2, 3, 1))


def norm(g: Graph, x: Pair) -> Pair:
    channels = x.theirs.shape[-1]
    gamma, beta = g.leaf(channels), g.leaf(channels)
    zeros, ones = pn.zeros((channels,), "float64"), pn.tensor(np.ones(channels))
    ours = pn.ops.batch_norm(x.ours, gamma.ours, beta.ours, zeros, ones, training=True, epsilon=1e-2)
    first = x.theirs.movedim(-1, 1)
    theirs = F.batch_norm(first, None, None, gamma.theirs, beta.theirs, training=True, eps=1e-2)
    return Pair(ours, theirs.movedim(1, -1))


STEPS: tuple[Callable[[Graph, Pair], Pair], ...] = (
    unary,
    leaky_or_clip,
    binary,
    broadcast,
    linear,
    matmul,
    reduction,
    softmax,
    transpose,
    cut,
    concat,
    where,
)
IMAGE_STEPS = (conv_block, pool, norm)


def next_value(g: Graph, x: Pair) -> Pair:
    """One more op, kept small: a value that has grown past 600 elements is averaged over its first axis."""
    if x.theirs.ndim == 4 and x.theirs.shape[0] * x.theirs[0, :, :, 0].numel() > 1 and g.integer(0, 1):
        return IMAGE_STEPS[g.integer(0, len(IMAGE_STEPS) - 1)](g, x)
    if x.theirs.numel() > 600:
        return Pair(x.ours.mean(axis=0, keepdims=True), x.theirs.mean(dim=0, keepdim=True))
    return STEPS[g.integer(0, len(STEPS) - 1)](g, x)


def compare(seed: int) -> None:
    """Builds graph number `seed` on both sides; asserts equal values and gradients."""
    g = Graph(np.random.default_rng(seed))
    ndim = g.integer(1, 4)
    x = g.leaf(*(g.integer(2, 5) for _ in range(ndim)))
    g.values.append(x)
    for _ in range(g.integer(3, 8)):
        x = next_value(g, x)
        g.values.append(x)
    assert tuple(x.ours.shape) == tuple(x.theirs.shape), f"seed {seed}"
    scale = float(x.theirs.detach().abs().max()) + 1.0
    weights = g.random.normal(size=x.theirs.shape) / scale
    (x.ours * weights).sum().backward()
    (x.theirs * torch.tensor(weights)).sum().backward()
    for number, value in enumerate(g.values):
        assert_close(value.ours.numpy(), value.theirs.detach().numpy(), f"seed {seed}, value {number}")
    for number, leaf in enumerate(g.leaves):
        if leaf.theirs.grad is not None:
            assert leaf.ours.grad is not None, f"seed {seed}: leaf {number} got no gradient"
            assert_close(leaf.ours.grad.numpy(), leaf.theirs.grad.numpy(), f"seed {seed}, gradient of leaf {number}")


def assert_close(ours: np.ndarray, theirs: np.ndarray, what: str) -> None:
    size = max(1.0, float(np.abs(theirs).max(initial=0.0)))
    np.testing.assert_allclose(ours, theirs, rtol=TOLERANCE, atol=TOLERANCE * size, err_msg=what)
