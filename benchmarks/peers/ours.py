"""pyneural: the step of pn.fit itself, with its default options.

pn.fit calls its schedule once per step.  The schedule given here is a one-cycle that also reads the clock: the time
between two calls is one whole step of the loop, with everything that fit does.  After the steps of a turn it waits
there until the next turn.
"""

import threading
import time
from itertools import repeat
from typing import Any

import numpy as np
from cases import Case
from networks import Conv, Dense, Flatten, GlobalPool, Network, Norm, Pool, Residual, has_shortcut, shapes

import pyneural as pn
from peers.clock import timed
from pyneural.card.preprocessing import Preprocessing


class Block(pn.Layer):
    """A residual block, with the sum and its ReLU inside the second batch norm."""

    def __init__(self, filters: int, stride: int, shortcut: bool) -> None:
        self.filters, self.stride, self.shortcut = filters, stride, shortcut
        self.first = pn.Conv2D(filters, 3, stride=stride, padding=1, bias=False)
        self.first_norm = pn.BatchNorm(activation="relu")
        self.second = pn.Conv2D(filters, 3, padding=1, bias=False)
        self.second_norm = pn.BatchNorm(activation="relu")
        if shortcut:
            self.side, self.side_norm = pn.Conv2D(filters, 1, stride=stride, bias=False), pn.BatchNorm()

    def call(self, x: pn.Tensor, *, training: bool) -> pn.Tensor:
        y = self.second(self.first_norm(self.first(x), training=training))
        if self.shortcut:
            x = self.side_norm(self.side(x), training=training)
        return self.second_norm(y, x, training=training)


def build(network: Network, shape: tuple[int, ...], **words: Any) -> pn.Sequential:
    """The network in our layers, built."""
    layers: list[pn.Layer] = []
    for layer, before in zip(network, shapes(network, shape), strict=False):
        match layer:
            case Conv(filters, size, stride, pad, relu, bias):
                relu_name = "relu" if relu else None
                layers.append(pn.Conv2D(filters, size, stride=stride, padding=pad, activation=relu_name, bias=bias))
            case Dense(units, relu):
                layers.append(pn.Dense(units, "relu" if relu else None))
            case Norm(relu):
                layers.append(pn.BatchNorm(activation="relu" if relu else None))
            case Residual(filters, stride):
                layers.append(Block(filters, stride, has_shortcut(layer, before)))
            case Pool():
                layers.append(pn.MaxPool2D(2))
            case GlobalPool():
                layers.append(pn.GlobalAvgPool2D())
            case Flatten():
                layers.append(pn.Flatten())
    model = pn.Sequential(*layers, **words)
    model.build(shape)
    return model


def give(model: pn.Sequential, weights: list[np.ndarray]) -> None:
    """Puts the weights into the model."""
    for tensor, values in zip(model.parameters.values(), weights, strict=True):
        tensor.assign(values)


class Ours:
    """The adapter."""

    def __init__(self, threads: int) -> None:
        pn.set_threads(threads)
        self.words = f"pyneural {pn.__version__}, {pn._core.isa()}"

    def has(self, case: Case) -> bool:
        return True

    def train(self, case: Case, weights: list[np.ndarray], data: tuple[np.ndarray, np.ndarray, float, float]) -> Any:
        return Fit(case, weights, data)

    def model(self, case: Case, weights: list[np.ndarray], x: np.ndarray) -> Any:
        return Predictor(case, weights, x)


class EnoughError(Exception):
    """Raised to end a fit."""


class Fit:
    """A pn.fit that runs in turns."""

    def __init__(
        self, case: Case, weights: list[np.ndarray], data: tuple[np.ndarray, np.ndarray, float, float], **options: Any
    ):
        self.case, self.weights, self.options = case, weights, options
        self.images, self.labels, self.mean, self.deviation = data
        self.model = build(case.network, case.shape)
        self.seconds: list[float] = []
        self.wanted, self.begun, self.failure = 0, 0.0, None
        self.turn, self.done = threading.Semaphore(0), threading.Semaphore(0)
        self.thread = threading.Thread(target=self._fit, daemon=True)

    def check(self, rows: np.ndarray) -> tuple[float, list[np.ndarray]]:
        give(self.model, self.weights)
        preprocessing = Preprocessing("dataset", "uint8", (self.mean,), (self.deviation,))
        batch = preprocessing.gather(self.images.dtype, "float32")(pn.tensor(self.images), pn.tensor(rows))
        loss = pn.ops.cross_entropy(self.model(batch, training=True), self.labels[rows])
        loss.backward()
        return loss.item(), [np.array(tensor.grad.numpy()) for tensor in self.model.parameters.values()]

    def steps(self, n: int) -> list[float]:
        self.seconds, self.wanted = [], n
        if not self.thread.ident:
            self.thread.start()
        else:
            self.turn.release()
        self.done.acquire()
        if self.failure is not None:
            raise self.failure
        return self.seconds

    def close(self) -> None:
        self.wanted = -1
        if self.thread.ident:
            self.turn.release()
            self.thread.join()

    def _fit(self) -> None:
        self.begun = time.perf_counter()
        try:
            pn.fit(
                *(self.model, (self.images, self.labels)),
                epochs=1_000_000,
                batch_size=self.case.batch,
                validation=None,
                schedule=self._clock,
                verbose=0,
                **self.options,
            )
        except EnoughError:
            pass
        except BaseException as failure:
            self.failure = failure
            self.done.release()

    def _clock(self, step: int, steps: int) -> float:
        self.seconds.append(time.perf_counter() - self.begun)
        if len(self.seconds) >= self.wanted:
            self.done.release()
            self.turn.acquire()
            if self.wanted < 0:
                raise EnoughError
        self.begun = time.perf_counter()
        return pn.schedules.one_cycle(step, 1_000)


class Predictor:
    """model(x), or pn.predict."""

    def __init__(self, case: Case, weights: list[np.ndarray], x: np.ndarray) -> None:
        self.case, self.x = case, pn.tensor(x)
        self.model = build(case.network, case.shape)
        give(self.model, weights)
        if case.kind == "predict":
            draw = np.random.default_rng(0)
            self.pixels = draw.integers(0, 256, (case.batch, *case.shape), dtype=np.uint8)
            images = draw.integers(0, 256, (500, *case.shape), dtype=np.uint8)
            labels = np.arange(500) % 10
            pn.fit(self.model, (images, labels), epochs=1, validation=None, verbose=0)
            give(self.model, weights)

    def check(self) -> np.ndarray:
        return np.array(self.model(self.x).numpy())

    def steps(self, n: int) -> list[float]:
        if self.case.kind == "predict":
            return timed(pn.predict, repeat((self.model, self.pixels), n))
        with pn.no_grad():
            return timed(self.model, repeat((self.x,), n))

    def close(self) -> None:
        pass
