"""scikit-learn: MLPClassifier, which has dense networks only; one partial_fit of a batch is one step of Adam."""

import warnings
from itertools import islice, repeat
from typing import Any

import numpy as np
import sklearn
from cases import RATE, Case
from networks import Dense, Flatten
from sklearn.neural_network import MLPClassifier

from peers.clock import timed
from peers.orders import batches


class Sklearn:
    """The adapter; environment variables set the threads of its BLAS library."""

    def __init__(self, threads: int) -> None:
        warnings.simplefilter("ignore")
        self.words = f"scikit-learn {sklearn.__version__}, MLPClassifier"

    def has(self, case: Case) -> bool:
        return all(isinstance(layer, Flatten | Dense) for layer in case.network)

    def train(self, case: Case, weights: list[np.ndarray], data: Any) -> Any:
        return Trainer(case, weights, data)

    def model(self, case: Case, weights: list[np.ndarray], x: np.ndarray) -> Any:
        return Predictor(case, weights, x)


def classifier(case: Case, weights: list[np.ndarray]) -> MLPClassifier:
    """A classifier of float32 that has seen one batch, with these weights."""
    hidden = tuple(layer.units for layer in case.network if isinstance(layer, Dense))[:-1]
    made = MLPClassifier(hidden, solver="adam", alpha=0.0, batch_size=case.batch, learning_rate_init=RATE)
    x = np.zeros((max(case.batch, 10), int(np.prod(case.shape))), np.float32)
    made.partial_fit(x, np.arange(len(x)) % 10, classes=np.arange(10))
    give(made, weights)
    return made


def give(made: MLPClassifier, weights: list[np.ndarray]) -> None:
    """Puts the weights into the arrays that its optimizer holds, and clears the optimizer."""
    for array, values in zip(made.coefs_ + made.intercepts_, weights[0::2] + weights[1::2], strict=True):
        array[...] = values
    for slot in made._optimizer.ms + made._optimizer.vs:
        slot[...] = 0


class Trainer:
    """A training step."""

    words = ""

    def __init__(self, case: Case, weights: list[np.ndarray], data: Any) -> None:
        self.images, self.labels, mean, deviation = data
        self.mean, self.scale = np.float32(mean), np.float32(1 / deviation)
        self.net, self.given = classifier(case, weights), weights
        self.batches = batches(len(self.images), case.batch)

    def _step(self, rows: np.ndarray) -> None:
        x = self.images[rows].reshape(len(rows), -1).astype(np.float32)
        x -= self.mean
        x *= self.scale
        self.net.partial_fit(x, self.labels[rows])

    def check(self, rows: np.ndarray) -> tuple[float, list[np.ndarray]]:
        """The gradient is the first mean of a cleared Adam, over 1 - beta 1."""
        give(self.net, self.given)
        self._step(rows)
        found = [slot / (1 - self.net.beta_1) for slot in self.net._optimizer.ms]
        weights, biases = found[: len(found) // 2], found[len(found) // 2 :]
        gradients = [value for pair in zip(weights, biases, strict=True) for value in pair]
        return float(self.net.loss_), gradients

    def steps(self, n: int) -> list[float]:
        return timed(self._step, zip(islice(self.batches, n)))

    def close(self) -> None:
        pass


class Predictor:
    """predict_proba on a prepared batch."""

    words = ""

    def __init__(self, case: Case, weights: list[np.ndarray], x: np.ndarray) -> None:
        self.net, self.x = classifier(case, weights), x.reshape(len(x), -1)

    def check(self) -> np.ndarray:
        """Log probabilities: the outputs up to a constant per row, which is subtracted on each side."""
        return np.log(self.net.predict_proba(self.x))

    def steps(self, n: int) -> list[float]:
        return timed(self.net.predict_proba, repeat((self.x,), n))

    def close(self) -> None:
        pass
