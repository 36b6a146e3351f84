"""reference.py -- the ops in NumPy, value and gradient in a line or two each, and reverse-mode differentiation.

A program is a list of arrays, which are its leaves, and of steps: an op, the list positions of its inputs, and its
parameters.  `disturb` is called on everything that is computed, and again on everything that backward reads: with a
small random factor it shows how far rounding can move each element of the results.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy import special

Array = np.ndarray
Disturb = Callable[[Array], Array]


class Step(NamedTuple):
    """One op of a program."""

    op: str
    inputs: tuple[int, ...]
    params: dict[str, Any]


Program = list[Array | Step]


class Formula(NamedTuple):
    """value(*x, **params), and gradients(d, y, *x, **params) for each x; None for those that have none.

    A value may be the difference of large numbers, with their rounding: inner(*x) is how large.  Likewise outer(d, *x)
    for the gradients.
    """

    value: Callable[..., Array]
    gradients: Callable[..., tuple[Array | None, ...]]
    inner: Callable[..., Any] | None = None
    outer: Callable[..., Any] | None = None


def fold(d: Array, shape: tuple[int, ...]) -> Array:
    """A gradient summed over the axes along which an input was repeated."""
    d = d.sum(axis=tuple(range(d.ndim - len(shape))))
    return d.sum(axis=tuple(i for i, n in enumerate(shape) if n == 1 and d.shape[i] != 1), keepdims=True)


def _same(value: Callable[..., Array], slope: Callable[..., Array]) -> Formula:
    """Elementwise in one input: slope(x, y)."""
    return Formula(value, lambda d, y, x, **params: (d * slope(x, y, **params),))


def _two(value: Callable[..., Array], slopes: Callable[..., tuple[Any, Any]]) -> Formula:
    """Elementwise in two inputs that broadcast."""

    def gradients(d: Array, y: Array, a: Array, b: Array) -> tuple[Array, Array]:
        da, db = slopes(a, b)
        return fold(d * da, a.shape), fold(d * db, b.shape)

    return Formula(value, gradients)


def _back(d: Array, x: Array, axis: Any, keepdims: bool) -> Array:
    """The gradient of a reduction with its axes back in place."""
    axes = range(x.ndim) if axis is None else np.atleast_1d(axis)
    kept = tuple(1 if i in {a % x.ndim for a in axes} else n for i, n in enumerate(x.shape))
    return d.reshape(kept)


def _count(x: Array, axis: Any) -> int:
    return x.size if axis is None else int(np.prod([x.shape[a] for a in np.atleast_1d(axis)]))


def _extreme(function: Callable[..., Array]) -> Formula:
    def gradients(d: Array, y: Array, x: Array, axis: Any = None, keepdims: bool = False) -> tuple[Array]:
        axes = axis if axis is None else tuple(np.atleast_1d(axis))
        hits = (x == function(x, axis=axes, keepdims=True)).astype(float)
        share = hits / hits.sum(axis=axes, keepdims=True)
        return (share * _back(d, x, axis, keepdims),)

    return Formula(function, gradients)


def _mean_back(d: Array, y: Array, x: Array, axis: Any = None, keepdims: bool = False) -> tuple[Array]:
    return (np.broadcast_to(_back(d, x, axis, keepdims) / _count(x, axis), x.shape),)


def _var_back(d: Array, y: Array, x: Array, axis: Any = None, keepdims: bool = False) -> tuple[Array]:
    axes = axis if axis is None else tuple(np.atleast_1d(axis))
    return (_back(d, x, axis, keepdims) * 2 * (x - x.mean(axis=axes, keepdims=True)) / _count(x, axis),)


# ---- products and images -------------------------------------------------------------------------------------------


def _matmul_back(d: Array, y: Array, a: Array, b: Array) -> tuple[Array, Array]:
    return fold(d @ b.swapaxes(-1, -2), a.shape), fold(a.swapaxes(-1, -2) @ d, b.shape)


ACTIVATIONS: dict[str | None, tuple[Callable[[Array], Array], Callable[[Array], Array]]] = {
    None: (lambda z: z, lambda y: np.ones_like(y)),
    "relu": (lambda z: np.maximum(z, 0), lambda y: (y > 0).astype(float)),
    "sigmoid": (special.expit, lambda y: y * (1 - y)),
    "tanh": (np.tanh, lambda y: 1 - y * y),
}


def _linear(x: Array, w: Array, b: Array, activation: str | None = None) -> Array:
    return ACTIVATIONS[activation][0](x @ w + b)


def _linear_back(
    d: Array, y: Array, x: Array, w: Array, b: Array, activation: str | None = None
) -> tuple[Array, Array, Array]:
    dz = d * ACTIVATIONS[activation][1](y)
    flat = dz.reshape(-1, dz.shape[-1])
    return dz @ w.T, x.reshape(-1, x.shape[-1]).T @ flat, flat.sum(axis=0)


def _taps(x: Array, size: tuple[int, ...], stride: int, padding: int) -> tuple[Array, list[tuple[Any, ...]]]:
    """The padded images, and for each cell of the window which of their pixels it meets."""
    padded = np.pad(x, [(0, 0), (padding, padding), (padding, padding), (0, 0)])
    last = [(padded.shape[1 + side] - size[side]) // stride * stride + 1 for side in range(2)]
    cells = [(i, j) for i in range(size[0]) for j in range(size[1])]
    return padded, [(slice(None), slice(i, i + last[0], stride), slice(j, j + last[1], stride)) for i, j in cells]


def _inside(padded: Array, x: Array, padding: int) -> Array:
    return padded[:, padding : padding + x.shape[1], padding : padding + x.shape[2]]


def _conv(x: Array, w: Array, b: Array, stride: int, padding: int, activation: str | None) -> Array:
    padded, taps = _taps(x, w.shape[:2], stride, padding)
    return ACTIVATIONS[activation][0](
        sum(padded[at] @ m for at, m in zip(taps, w.reshape(-1, *w.shape[2:]), strict=True)) + b
    )


def _conv_back(
    d: Array, y: Array, x: Array, w: Array, b: Array, stride: int, padding: int, activation: str | None
) -> tuple[Array, Array, Array]:
    dz = d * ACTIVATIONS[activation][1](y)
    padded, taps = _taps(x, w.shape[:2], stride, padding)
    dx, dw = np.zeros_like(padded), np.zeros((len(taps), *w.shape[2:]))
    for k, (at, m) in enumerate(zip(taps, w.reshape(-1, *w.shape[2:]), strict=True)):
        dx[at] += dz @ m.T
        dw[k] = np.tensordot(padded[at], dz, axes=((0, 1, 2), (0, 1, 2)))
    return _inside(dx, x, padding), dw.reshape(w.shape), dz.sum(axis=(0, 1, 2))


def _pool(x: Array, size: int, stride: int) -> tuple[Array, Array, list[tuple[Any, ...]]]:
    padded, taps = _taps(x, (size, size), stride, 0)
    return padded, np.stack([padded[at] for at in taps]), taps


def _max_pool_back(d: Array, y: Array, x: Array, size: int, stride: int) -> tuple[Array]:
    padded, cells, taps = _pool(x, size, stride)
    dx, first = np.zeros_like(padded), cells.argmax(axis=0)
    for k, at in enumerate(taps):
        dx[at] += d * (first == k)
    return (dx,)


def _avg_pool_back(d: Array, y: Array, x: Array, size: int, stride: int) -> tuple[Array]:
    padded, _, taps = _pool(x, size, stride)
    dx = np.zeros_like(padded)
    for at in taps:
        dx[at] += d / len(taps)
    return (dx,)


# ---- norms, losses -------------------------------------------------------------------------------------------------


def _norm(x: Array, gamma: Array, beta: Array, axes: tuple[int, ...]) -> tuple[Array, Array]:
    deviation = np.sqrt(x.var(axis=axes, keepdims=True) + 1e-5)
    return (x - x.mean(axis=axes, keepdims=True)) / deviation, deviation


def _norm_formula(axes_of: Callable[[Array], tuple[int, ...]]) -> Formula:
    def value(x: Array, gamma: Array, beta: Array) -> Array:
        return _norm(x, gamma, beta, axes_of(x))[0] * gamma + beta

    def gradients(d: Array, y: Array, x: Array, gamma: Array, beta: Array) -> tuple[Array, Array, Array]:
        axes = axes_of(x)
        z, deviation = _norm(x, gamma, beta, axes)
        dz = d * gamma
        dx = dz - dz.mean(axis=axes, keepdims=True) - z * (dz * z).mean(axis=axes, keepdims=True)
        return dx / deviation, fold(d * z, gamma.shape), fold(d, beta.shape)

    def outer(d: Array, x: Array, gamma: Array, beta: Array) -> Array:
        return np.max(abs(d * gamma) / _norm(x, gamma, beta, axes_of(x))[1])

    return Formula(value, gradients, outer=outer)


def _softmax_back(d: Array, y: Array, x: Array) -> tuple[Array]:
    return (y * (d - (d * y).sum(axis=-1, keepdims=True)),)


def _log_softmax_back(d: Array, y: Array, x: Array) -> tuple[Array]:
    return (d - np.exp(y) * d.sum(axis=-1, keepdims=True),)


def _cross_entropy(x: Array, labels: Array) -> Array:
    return np.asarray(-np.take_along_axis(special.log_softmax(x, axis=-1), labels[..., None], axis=-1).mean())


def _cross_entropy_back(d: Array, y: Array, x: Array, labels: Array) -> tuple[Array, None]:
    return d * (special.softmax(x, axis=-1) - np.eye(x.shape[-1])[labels]) / labels.size, None


def _mse_back(d: Array, y: Array, x: Array, t: Array) -> tuple[Array, Array]:
    slope = d * 2 * (x - t) / x.size
    return slope, -slope


def _take_back(d: Array, y: Array, x: Array, indices: Array) -> tuple[Array, None]:
    dx = np.zeros_like(x)
    np.add.at(dx, indices, d)
    return dx, None


def _slice_back(d: Array, y: Array, x: Array, slices: Any) -> tuple[Array]:
    dx = np.zeros_like(x)
    dx[slices] = d
    return (dx,)


def _concat_back(d: Array, y: Array, *x: Array, axis: int) -> tuple[Array, ...]:
    return tuple(np.split(d, np.cumsum([a.shape[axis] for a in x])[:-1], axis=axis))


# ---- the table -----------------------------------------------------------------------------------------------------

FORMULAS: dict[str, Formula] = {
    "neg": _same(np.negative, lambda x, y: -1.0),
    "exp": _same(np.exp, lambda x, y: y),
    "abs": _same(np.abs, lambda x, y: np.sign(x)),
    "relu": _same(lambda x: np.maximum(x, 0), lambda x, y: x > 0),
    "tanh": _same(np.tanh, lambda x, y: 1 - y * y),
    "sigmoid": _same(special.expit, lambda x, y: y * (1 - y)),
    "softplus": _same(lambda x: np.logaddexp(x, 0), lambda x, y: special.expit(x)),
    "gelu": _same(
        lambda x: x * special.ndtr(x), lambda x, y: special.ndtr(x) + x * np.exp(-x * x / 2) / np.sqrt(2 * np.pi)
    ),
    "pow": _same(lambda x, exponent: x**exponent, lambda x, y, exponent: exponent * x ** (exponent - 1)),
    "clip": _same(lambda x, low, high: np.clip(x, low, high), lambda x, y, low, high: (x >= low) & (x <= high)),
    "add": _two(np.add, lambda a, b: (1.0, 1.0)),
    "sub": _two(np.subtract, lambda a, b: (1.0, -1.0)),
    "mul": _two(np.multiply, lambda a, b: (b, a)),
    "div": _two(np.divide, lambda a, b: (1 / b, -a / b**2)),
    "maximum": _two(np.maximum, lambda a, b: ((a > b) + 0.5 * (a == b), (b > a) + 0.5 * (a == b))),
    "minimum": _two(np.minimum, lambda a, b: ((a < b) + 0.5 * (a == b), (b < a) + 0.5 * (a == b))),
    "sum": Formula(
        np.sum, lambda d, y, x, axis=None, keepdims=False: (np.broadcast_to(_back(d, x, axis, keepdims), x.shape),)
    ),
    "mean": Formula(np.mean, _mean_back),
    "var": Formula(np.var, _var_back),
    "max": _extreme(np.max),
    "min": _extreme(np.min),
    "matmul": Formula(np.matmul, _matmul_back),
    "linear": Formula(_linear, _linear_back),
    "conv2d": Formula(_conv, _conv_back),
    "max_pool2d": Formula(lambda x, size, stride: _pool(x, size, stride)[1].max(axis=0), _max_pool_back),
    "avg_pool2d": Formula(lambda x, size, stride: _pool(x, size, stride)[1].mean(axis=0), _avg_pool_back),
    "layer_norm": _norm_formula(lambda x: (x.ndim - 1,)),
    "batch_norm": _norm_formula(lambda x: tuple(range(x.ndim - 1))),
    "softmax": Formula(lambda x: special.softmax(x, axis=-1), _softmax_back),
    "log_softmax": Formula(lambda x: special.log_softmax(x, axis=-1), _log_softmax_back, lambda x: abs(x).max() + 1),
    "cross_entropy": Formula(_cross_entropy, _cross_entropy_back, lambda x, labels: abs(x).max() + 1),
    "mse": Formula(lambda x, t: np.asarray(((x - t) ** 2).mean()), _mse_back),
    "take": Formula(lambda x, indices: x[indices], _take_back),
    "reshape": Formula(lambda x, shape: x.reshape(shape), lambda d, y, x, shape: (d.reshape(x.shape),)),
    "transpose": Formula(np.transpose, lambda d, y, x, axes: (np.transpose(d, np.argsort(axes)),)),
    "expand": Formula(np.broadcast_to, lambda d, y, x, shape: (fold(d, x.shape),)),
    "slice": Formula(lambda x, slices: x[slices], _slice_back),
    "concat": Formula(lambda *x, axis: np.concatenate(x, axis=axis), _concat_back),
}


def _rounded(a: Array, within: float, disturb: Disturb) -> Array:
    """Disturbed as what it is, and as the difference of numbers as large as `within`."""
    large = np.full(a.shape, within)
    return disturb(a) + (disturb(large) - large if within else 0.0)


def evaluate(program: Program, disturb: Disturb) -> list[Array]:
    """Every value of a program."""
    values: list[Array] = []
    for entry in program:
        if isinstance(entry, Step):
            formula = FORMULAS[entry.op]
            x = [values[i] for i in entry.inputs]
            made = np.asarray(formula.value(*x, **entry.params))
            values.append(_rounded(made, formula.inner(*x) if formula.inner else 0.0, disturb))
        else:
            values.append(disturb(entry) if entry.dtype.kind == "f" else entry)
    return values


def differentiate(program: Program, values: list[Array], d: Array, disturb: Disturb) -> list[Array | None]:
    """The gradient of <the last value, d> by every value; None where it does not depend on one."""
    gradients: list[Array | None] = [None] * len(program)
    gradients[-1] = disturb(d)
    for at in reversed(range(len(program))):
        entry, dy = program[at], gradients[at]
        if dy is None or not isinstance(entry, Step):
            continue
        x = [disturb(values[i]) if values[i].dtype.kind == "f" else values[i] for i in entry.inputs]
        formula = FORMULAS[entry.op]
        made = formula.gradients(dy, disturb(values[at]), *x, **entry.params)
        within = formula.outer(dy, *x) if formula.outer else 0.0
        for i, dx in zip(entry.inputs, made, strict=True):
            if dx is not None:
                before = gradients[i]
                gradients[i] = _rounded(np.asarray(dx if before is None else before + dx), within, disturb)
    return gradients
