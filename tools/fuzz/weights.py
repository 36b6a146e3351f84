"""weights.py -- trainings with weights, soft labels, smoothing, accumulation and averaging, against their formulas.

A linear model of float64 is trained by plain gradient descent, by pn.fit and in NumPy from the formulas in
docs/training.md; losses and validation losses must be equal.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from case import Case, Finding

import pyneural as pn
import pyneural._core as _core

RATE = 0.1
CLOSE = 1e-9  # relative, after at most 120 steps in float64
FEATURES, HELD, EPOCHS = 3, 17, 2


@dataclass
class Set:
    """Inputs, labels as rows of probabilities, and weights."""

    x: Any
    y: Any
    weights: Any

    def given(self, soft: bool, weighted: bool) -> pn.Dataset:
        """The same for pn.fit."""
        return pn.Dataset(
            self.x, self.y if soft else self.y.argmax(axis=1), sample_weight=self.weights if weighted else None
        )


def run(case: Case) -> None:
    """One training."""
    n, K = case.random.randint(8, 60), case.random.randint(2, 4)
    soft, weighted = case.chance(0.3), (case.chance(0.5), case.chance(0.5))
    train, held = _set(case, n, K, soft, weighted[0]), _set(case, HELD, K, soft, False)
    held.weights = case.numbers.random(HELD) + 0.01 if weighted[1] else np.ones(HELD)
    words: dict[str, Any] = {
        "batch_size": case.random.randint(2, 12),
        "accumulate": case.random.randint(1, 4),
        "label_smoothing": case.pick((0.0, 0.1)),
        "ema": case.pick((None, 0.7)),
        "class_weight": case.pick((None, "balanced", {0: case.random.uniform(0, 3), K - 1: 2.0})),
        "seed": case.random.randint(0, 3),
    }
    case.say(f"fit of {n} examples of {K} classes, soft={soft}, sample_weight={weighted}, {words}")
    model = pn.Sequential(pn.Dense(K), dtype="float64")
    model.build((FEATURES,))
    start = [np.array(model["dense_1"].weight.numpy()), np.array(model["dense_1"].bias.numpy())]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of small and random data
        history = case.attempt(
            pn.fit, model, train.given(soft, weighted[0]), validation=held.given(soft, weighted[1]), epochs=EPOCHS,
            optimizer=pn.SGD(momentum=0.0), learning_rate=RATE, schedule="constant", preprocess=None, verbose=0, **words
        )  # fmt: skip
    if history is None:
        return
    for epoch, wanted in enumerate(_losses(train, held, start, words)):
        found = history["loss"][epoch], history["val_loss"][epoch]
        if not np.allclose(found, wanted, rtol=CLOSE, atol=CLOSE):
            raise Finding(f"the losses of epoch {epoch + 1} are {found}, by the formulas {wanted}")


def _set(case: Case, n: int, K: int, soft: bool, weighted: bool) -> Set:
    generator = case.numbers
    numbers = generator.integers(0, K, n)
    numbers[:K] = range(K)
    y = generator.dirichlet(np.ones(K), n) if soft else np.eye(K)[numbers]
    weights = generator.random(n) * generator.choice([0, 1, 5], n) if weighted else np.ones(n)
    weights[:K] = 1  # some of every class remain
    return Set(generator.normal(size=(n, FEATURES)), y, weights)


def _log_softmax(z: Any) -> Any:
    z = z - z.max(axis=1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))


def _class_weights(given: Any, y: Any) -> Any:
    K = y.shape[1]
    if given == "balanced":
        return len(y) / (K * y.sum(axis=0))
    return np.array([(given or {}).get(number, 1.0) for number in range(K)])


def _losses(train: Set, held: Set, start: list[Any], words: dict[str, Any]) -> list[tuple[float, float]]:
    """The loss and the validation loss of each epoch."""
    used = train.weights > 0
    weights = train.weights * (train.y @ _class_weights(words["class_weight"], train.y[used]))
    rows = np.flatnonzero(weights > 0)
    s, decay = words["label_smoothing"], words["ema"]
    targets = (1 - s) * train.y + s / train.y.shape[1]
    now, mean, steps, found = start, [np.zeros_like(part) for part in start], 0, []
    for epoch in range(EPOCHS):
        order = rows[_core.permutation(len(rows), words["seed"], "shuffle", epoch).numpy()]
        total = 0.0
        for part in _groups(order, words["batch_size"], words["accumulate"]):
            logs = _log_softmax(train.x[part] @ now[0] + now[1])
            total -= float((weights[part][:, None] * targets[part] * logs).sum())
            slope = weights[part][:, None] * (np.exp(logs) - targets[part]) / weights[part].sum()
            now = [now[0] - RATE * train.x[part].T @ slope, now[1] - RATE * slope.sum(axis=0)]
            steps += 1
            if decay:
                share = (1 - decay) / (1 - decay**steps)
                mean = [m + share * (p - m) for m, p in zip(mean, now, strict=True)]
        weight, bias = mean if decay else now
        errors = -(held.y * _log_softmax(held.x @ weight + bias)).sum(axis=1)
        found.append((total / float(weights[rows].sum()), float(np.average(errors, weights=held.weights))))
    return found


def _groups(order: Any, size: int, accumulate: int) -> list[Any]:
    """The rows of each step; a single leftover row joins the batch before it."""
    edges = [*range(0, len(order), size), len(order)]
    if len(edges) > 2 and edges[-1] - edges[-2] == 1:
        del edges[-2]
    batches = [order[start:end] for start, end in pairwise(edges)]
    return [np.concatenate(batches[at : at + accumulate]) for at in range(0, len(batches), accumulate)]
