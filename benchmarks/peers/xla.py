"""JAX: one jitted function for the whole step, with donated buffers; optax's Adam.

Layers are the lax calls that flax's layers make.  Of the two ways to compute a 2 x 2 maximum, by windows or by
reshaping, the faster counts.  A step is timed until its loss is available; timing the dispatch alone would be unfair.
"""

from collections.abc import Callable
from itertools import islice, repeat
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from cases import RATE, Case
from jax import lax
from networks import (
    Conv,
    Dense,
    Flatten,
    GlobalPool,
    Network,
    Norm,
    Pool,
    Residual,
    shapes,
    weight_shapes,
)

from peers.clock import timed
from peers.orders import batches
from peers.quickest import quickest

Array = Any
AXES = ("NHWC", "HWIO", "NHWC")
EPSILON = 1e-5


def convolve(x: Array, weight: Array, stride: int, pad: int) -> Array:
    return lax.conv_general_dilated(x, weight, (stride, stride), ((pad, pad), (pad, pad)), dimension_numbers=AXES)


def normalise(x: Array, gamma: Array, beta: Array, training: bool) -> Array:
    """Batch norm; the running averages, mean 0 and variance 1, are not updated."""
    if not training:
        return x * (gamma / np.sqrt(1 + EPSILON)) + beta
    axes = tuple(range(x.ndim - 1))
    mean = x.mean(axes)
    scale = gamma * lax.rsqrt(jnp.square(x).mean(axes) - jnp.square(mean) + EPSILON)
    return x * scale + (beta - mean * scale)


def window_maximum(x: Array) -> Array:
    return lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")


def reshaped_maximum(x: Array) -> Array:
    n, height, width, channels = x.shape
    x = x[:, : height // 2 * 2, : width // 2 * 2]
    return x.reshape(n, height // 2, 2, width // 2, 2, channels).max((2, 4))


def residual(x: Array, w: list[Array], layer: Residual, training: bool) -> Array:
    y = jax.nn.relu(normalise(convolve(x, w[0], layer.stride, 1), w[1], w[2], training))
    y = normalise(convolve(y, w[3], 1, 1), w[4], w[5], training)
    if len(w) > 6:
        x = normalise(convolve(x, w[6], layer.stride, 0), w[7], w[8], training)
    return jax.nn.relu(y + x)


def function(network: Network, shape: tuple[int, ...], pool: Callable[[Array], Array], training: bool) -> Any:
    """(weights, x) -> outputs."""
    plan = [(layer, len(weight_shapes(layer, s))) for layer, s in zip(network, shapes(network, shape), strict=False)]

    def run(weights: list[Array], x: Array) -> Array:
        at = 0
        for layer, count in plan:
            w = weights[at : at + count]
            at += count
            match layer:
                case Conv():
                    x = convolve(x, w[0], layer.stride, layer.pad)
                    x = x + w[1] if layer.bias else x
                case Dense():
                    x = x @ w[0] + w[1]
                case Norm():
                    x = normalise(x, w[0], w[1], training)
                case Residual():
                    x = residual(x, w, layer, training)
                case Pool():
                    x = pool(x)
                case GlobalPool():
                    x = x.mean((1, 2))
                case Flatten():
                    x = x.reshape(len(x), -1)
            if getattr(layer, "relu", False):
                x = jax.nn.relu(x)
        return x

    return run


POOLS = (window_maximum, reshaped_maximum)


class Jax:
    """The adapter."""

    def __init__(self, threads: int) -> None:
        self.words = f"JAX {jax.__version__}, jit, optax {optax.__version__}"

    def has(self, case: Case) -> bool:
        return True

    def train(self, case: Case, weights: list[np.ndarray], data: tuple[np.ndarray, np.ndarray, float, float]) -> Any:
        pools = POOLS if Pool() in case.network else POOLS[:1]
        return quickest([Trainer(case, weights, data, pool) for pool in pools])

    def model(self, case: Case, weights: list[np.ndarray], x: np.ndarray) -> Any:
        pools = POOLS if Pool() in case.network else POOLS[:1]
        return quickest([Predictor(case, weights, x, pool) for pool in pools])


class Trainer:
    """A training step with one kind of pooling."""

    def __init__(self, case: Case, weights: list[np.ndarray], data: Any, pool: Callable[[Array], Array]) -> None:
        images, labels, mean, deviation = data
        self.given, self.words = weights, pool.__name__.replace("_", " ")
        self.images, self.labels = jnp.asarray(images), jnp.asarray(labels.astype(np.int32))
        self.optimizer = optax.adam(RATE)
        self.weights = [jnp.asarray(w) for w in weights]
        self.slots = self.optimizer.init(self.weights)
        self.batches = batches(len(images), case.batch)
        run = function(case.network, case.shape, pool, training=True)

        def loss(weights: list[Array], images: Array, labels: Array, rows: Array) -> Array:
            x = (images[rows].astype(jnp.float32) - mean) * (1 / deviation)
            return optax.softmax_cross_entropy_with_integer_labels(run(weights, x), labels[rows]).mean()

        def step(weights: list[Array], slots: Any, images: Array, labels: Array, rows: Array) -> Any:
            value, gradients = jax.value_and_grad(loss)(weights, images, labels, rows)
            changes, slots = self.optimizer.update(gradients, slots, weights)
            return optax.apply_updates(weights, changes), slots, value

        self.gradients = jax.jit(jax.value_and_grad(loss))
        self.step = jax.jit(step, donate_argnums=(0, 1))

    def check(self, rows: np.ndarray) -> tuple[float, list[np.ndarray]]:
        weights = [jnp.asarray(w) for w in self.given]
        value, gradients = self.gradients(weights, self.images, self.labels, rows.astype(np.int32))
        return float(value), [np.asarray(g) for g in gradients]

    def steps(self, n: int) -> list[float]:
        return timed(self._step, zip(rows.astype(np.int32) for rows in islice(self.batches, n)))

    def _step(self, rows: np.ndarray) -> None:
        self.weights, self.slots, value = self.step(self.weights, self.slots, self.images, self.labels, rows)
        value.block_until_ready()

    def close(self) -> None:
        pass


class Predictor:
    """The network on a prepared batch."""

    def __init__(self, case: Case, weights: list[np.ndarray], x: np.ndarray, pool: Callable[[Array], Array]) -> None:
        self.words = pool.__name__.replace("_", " ")
        self.x, self.weights = jnp.asarray(x), [jnp.asarray(w) for w in weights]
        self.run = jax.jit(function(case.network, case.shape, pool, training=False))

    def check(self) -> np.ndarray:
        return np.asarray(self.run(self.weights, self.x))

    def steps(self, n: int) -> list[float]:
        return timed(lambda: self.run(self.weights, self.x).block_until_ready(), repeat((), n))

    def close(self) -> None:
        pass
