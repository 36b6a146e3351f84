"""Hand-written NumPy: the dense network, carefully optimised, float32 and in place; no convolutions."""

from itertools import islice, repeat
from typing import Any

import numpy as np
from cases import RATE, Case
from networks import Dense, Flatten

from peers.clock import timed
from peers.orders import batches


class ByHand:
    """The adapter; environment variables set the threads of its BLAS library."""

    def __init__(self, threads: int) -> None:
        self.words = f"NumPy {np.__version__}, by hand"

    def has(self, case: Case) -> bool:
        return all(isinstance(layer, Flatten | Dense) for layer in case.network)

    def train(self, case: Case, weights: list[np.ndarray], data: tuple[np.ndarray, np.ndarray, float, float]) -> Any:
        return Trainer(case, weights, data)

    def model(self, case: Case, weights: list[np.ndarray], x: np.ndarray) -> Any:
        return Predictor(weights, x)


def forward(weights: list[np.ndarray], x: np.ndarray) -> list[np.ndarray]:
    """The input of each layer, and the output of the last; ReLU after all but the last."""
    values = [x.reshape(len(x), -1)]
    for number in range(0, len(weights), 2):
        y = values[-1] @ weights[number]
        y += weights[number + 1]
        if number + 2 < len(weights):
            np.maximum(y, 0, out=y)
        values.append(y)
    return values


class Trainer:
    """A training step."""

    words = ""

    def __init__(self, case: Case, weights: list[np.ndarray], data: Any) -> None:
        self.images, self.labels, mean, deviation = data
        self.mean, self.scale = np.float32(mean), np.float32(1 / deviation)
        self.given = weights
        sizes = [w.size for w in weights]
        self.block = np.concatenate([w.ravel() for w in weights])  # one array, so that Adam is a few long passes
        ends = np.cumsum(sizes)
        self.weights = [self.block[e - w.size : e].reshape(w.shape) for e, w in zip(ends, weights, strict=True)]
        self.gradient = np.empty_like(self.block)
        self.gradients = [self.gradient[e - w.size : e].reshape(w.shape) for e, w in zip(ends, weights, strict=True)]
        self.first, self.second = np.zeros_like(self.block), np.zeros_like(self.block)
        self.one, self.other = np.empty_like(self.block), np.empty_like(self.block)
        self.made, self.batches = 0, batches(len(self.images), case.batch)

    def _backward(self, rows: np.ndarray) -> np.floating:
        """Fills the gradients; returns the loss."""
        x = self.images[rows].astype(np.float32)
        x -= self.mean
        x *= self.scale
        values, labels = forward(self.weights, x), self.labels[rows]
        d = values[-1]
        d -= d.max(1, keepdims=True)
        np.exp(d, out=d)
        d /= d.sum(1, keepdims=True)
        every = np.arange(len(rows))
        loss = -np.log(d[every, labels]).mean()
        d[every, labels] -= 1
        d *= np.float32(1 / len(rows))
        for number in range(len(self.weights) - 2, -1, -2):
            before = values[number // 2]
            np.matmul(before.T, d, out=self.gradients[number])
            d.sum(0, out=self.gradients[number + 1])
            if number:
                d = d @ self.weights[number].T
                d *= before > 0
        return loss

    def _adam(self) -> None:
        self.made += 1
        self.first *= 0.9
        self.first += np.multiply(self.gradient, 0.1, out=self.one)
        self.second *= 0.999
        np.multiply(self.gradient, self.gradient, out=self.one)
        self.second += np.multiply(self.one, 0.001, out=self.one)
        np.sqrt(np.multiply(self.second, 1 / (1 - 0.999**self.made), out=self.one), out=self.one)
        self.one += 1e-8
        np.divide(self.first, self.one, out=self.other)
        self.block -= np.multiply(self.other, RATE / (1 - 0.9**self.made), out=self.other)

    def _step(self, rows: np.ndarray) -> None:
        self._backward(rows)
        self._adam()

    def check(self, rows: np.ndarray) -> tuple[float, list[np.ndarray]]:
        for weight, values in zip(self.weights, self.given, strict=True):
            weight[...] = values
        loss = self._backward(rows)
        return float(loss), [gradient.copy() for gradient in self.gradients]

    def steps(self, n: int) -> list[float]:
        return timed(self._step, zip(islice(self.batches, n)))

    def close(self) -> None:
        pass


class Predictor:
    """The network on a prepared batch."""

    words = ""

    def __init__(self, weights: list[np.ndarray], x: np.ndarray) -> None:
        self.weights, self.x = weights, x

    def check(self) -> np.ndarray:
        return forward(self.weights, self.x)[-1]

    def steps(self, n: int) -> list[float]:
        return timed(forward, repeat((self.weights, self.x), n))

    def close(self) -> None:
        pass
