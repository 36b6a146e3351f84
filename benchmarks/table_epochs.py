"""How many epochs small tables need: the rule of epochs="auto" against fewer epochs and larger batches.

    python benchmarks/table_epochs.py [--seeds 2]

Five synthetic functions, a network with 128 hidden units, 2,000 test rows.  Prints R2 or accuracy, the mean of the
seeds, for each number of rows; docs/training.md has the table.
"""

import argparse
import math
from collections.abc import Iterator

import numpy as np

import pyneural as pn

TEST = 2_000
RULES = ((1, 64), (2, 64), (2, 32))  # the exponent k, and the batch size


def problems(n: int, seed: int) -> Iterator[tuple[str, np.ndarray, np.ndarray, int]]:
    """Name, x, y and the number of outputs."""
    draw = np.random.default_rng(700 + seed)
    n += TEST
    x = draw.normal(size=(n, 6))
    w = draw.normal(size=(6, 8))
    yield "tanh", x, np.tanh(x @ w).sum(axis=1) + 0.3 * draw.normal(size=n), 1
    yield "sine", 2 * x[:, :1], np.sin(4 * x[:, 0]) + 0.02 * draw.normal(size=n), 1
    yield "product", x, x[:, 0] * x[:, 1] + np.abs(x[:, 2]) + 0.5 * draw.normal(size=n), 1
    classes = np.sin(x @ w[:, 0]) + x[:, 0] * x[:, 1] > 0
    yield "two classes", x, np.where(draw.random(n) < 0.05, ~classes, classes).astype(int), 2
    scores = x @ draw.normal(size=(6, 5)) + 0.7 * draw.normal(size=(n, 5))
    yield "five classes", x, scores.argmax(axis=1), 5


def epochs_of(n: int, k: int, batch_size: int) -> int:
    """The number of epochs for n training rows, as in pyneural/training/automatic_epochs.py."""
    steps = math.ceil(n / batch_size)
    return min(1_000, math.ceil(max(5 * (10_000 / n) ** k, 500 / steps)))


def score(n: int, x: np.ndarray, y: np.ndarray, outputs: int, rule: tuple[int, int], seed: int) -> float:
    """R2, or accuracy, on the test rows."""
    k, batch_size = rule
    epochs = epochs_of(n - round(0.1 * n), k, batch_size)
    model = pn.Sequential(pn.Dense(128, "relu"), pn.Dense(outputs))
    patience = max(5, epochs // 3)
    pn.fit(model, (x[:n], y[:n]), epochs=epochs, batch_size=batch_size, patience=patience, seed=seed, verbose=0)
    report = pn.evaluate(model, (x[n:], y[n:]), verbose=0)
    return float(report.r2 if outputs == 1 else report.accuracy)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=2)
    seeds = range(parser.parse_args().seeds)
    for n in (400, 1_500, 3_000):
        for rule in RULES:
            rows = [[score(n, x, y, k, rule, seed) for _, x, y, k in problems(n, seed)] for seed in seeds]
            means = " ".join(f"{value:.2f}" for value in np.mean(rows, axis=0))
            print(f"n = {n:<6,} k = {rule[0]}, batches of {rule[1]}: {means}", flush=True)


if __name__ == "__main__":
    main()
