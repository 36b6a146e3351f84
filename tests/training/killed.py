"""A training that is killed: a program that trains with everything a checkpoint must hold.

test_resume.py kills it at chosen moments, tools/kill_training.py at random ones.
"""

from __future__ import annotations

import hashlib
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import pyneural as pn
from pyneural.training import resume


class Counting(pn.callbacks.Callback):
    """Its attributes depend on every step, and it changes the training by them."""

    def __init__(self) -> None:
        self.total = 0.0
        self.epochs: list[int] = []
        self.last = np.zeros(2)

    def on_batch_end(self, step: int, logs: dict[str, float]) -> None:
        self.total += logs["loss"]
        self.last = np.array([step, logs["learning_rate"]])

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        self.epochs.append(epoch)
        self.run.learning_rate_factor = 1 / (1 + self.total / 100)


def scaled(outputs: pn.Tensor, targets: pn.Tensor) -> float:
    """A metric that is not a mean over rows: it is called on many batches together."""
    return float(outputs.numpy().std())


def train(path: Path | None, *, epochs: int = 3, log: Path | None = None, **options: Any) -> tuple[Any, ...]:
    """What must be the same with and without kills."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 255, (150, 8, 8, 1), dtype=np.uint8)
    y = np.arange(150) % 3
    model = pn.Sequential(pn.Conv2D(4, 3), pn.BatchNorm(activation="relu"), pn.Flatten(), pn.Dropout(0.3), pn.Dense(3))
    counting = Counting()
    callbacks: list[Any] = [counting, pn.callbacks.ReduceLROnPlateau("loss", patience=1)]
    if log is not None:
        callbacks.append(pn.callbacks.LogFile(log))
    history = pn.fit(
        model, (x, y), epochs=epochs, batch_size=32, metrics=[scaled], checkpoint=path, callbacks=callbacks, verbose=0,
        augment=pn.Augment(flip=True, erase=0.3), ema=0.9, balance=True, label_smoothing=0.1,
        sample_weight=np.linspace(0.5, 2, 150), **options,
    )  # fmt: skip
    values = {name: list(map(float, found)) for name, found in history.items() if name != "seconds"}
    return model.fingerprint(), history.steps, history.best_epoch, values, counting.total, counting.epochs, model.card


def kill_at(event: str, number: int) -> Callable[..., Any]:
    """Kills this process at the n-th call of os.fsync (in the middle of a write) or at the n-th step."""
    count = 0
    sync = os.fsync

    def die() -> None:
        nonlocal count
        count += 1
        if count == number:
            os.kill(os.getpid(), signal.SIGKILL)

    def killing(handle: int) -> None:
        die()
        sync(handle)

    if event == "write":
        os.fsync = killing
    step = Counting.on_batch_end

    def stepping(self: Counting, *arguments: Any) -> None:
        step(self, *arguments)
        if event == "step":
            die()

    Counting.on_batch_end = stepping  # type: ignore[method-assign]
    return die


def main(path: str, log: str, every: str, event: str, number: str, epochs: str) -> None:
    resume.EVERY = float(every)
    kill_at(event, int(number))
    print(hashlib.sha256(repr(train(Path(path), log=Path(log), epochs=int(epochs))).encode()).hexdigest())


if __name__ == "__main__":
    import sys

    main(*sys.argv[1:])
