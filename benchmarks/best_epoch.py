"""best_epoch.py -- which epoch's weights should pn.fit keep?  Rules compared on small problems by their test loss.

    python benchmarks/best_epoch.py [--seeds 3]

Each problem is trained with a few validation examples, and its loss on a large test set is computed after every epoch.
A rule looks at the validation alone, and picks an epoch.  A row has, for each rule, the mean over the seeds of
log(test loss of the picked epoch / lowest test loss of any epoch); 0 is perfect, 0.69 is twice the lowest loss.
"""

import argparse
import math
from collections.abc import Callable

import numpy as np

import pyneural as pn

Problem = Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray]]


def spiral(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    y = np.arange(n) % 3
    radius = rng.uniform(0.05, 1, n)
    angle = y * 2 * math.pi / 3 + radius * 5 + rng.normal(0, 0.2, n)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1).astype(np.float32), y


def noisy_spiral(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Two arms, of which one point in ten has the wrong label."""
    y = np.arange(n) % 2
    radius = rng.uniform(0.05, 1, n)
    angle = y * math.pi + radius * 9 + rng.normal(0, 0.1, n)
    x = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1).astype(np.float32)
    return x, np.where(rng.uniform(size=n) < 0.1, 1 - y, y)


def rings(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    y = np.arange(n) % 3
    angle, radius = rng.uniform(0, 2 * math.pi, n), 1.0 + y + rng.normal(0, 0.3, n)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1).astype(np.float32), y


def moons(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    y, angle = np.arange(n) % 2, rng.uniform(0, math.pi, n)
    points = np.stack([np.cos(angle) + y, np.where(y == 1, 0.5 - np.sin(angle), np.sin(angle))], 1)
    return (points + rng.normal(0, 0.25, (n, 2))).astype(np.float32), y


def blobs(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    y = np.arange(n) % 4
    return (np.eye(20, dtype=np.float32)[y] * 2 + rng.normal(0, 1, (n, 20))).astype(np.float32), y


def sine(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    x = rng.uniform(-3, 3, (n, 1))
    return x.astype(np.float32), (np.sin(2 * x) + rng.normal(0, 0.2, (n, 1))).astype(np.float32)


def linear(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    x = rng.normal(0, 1, (n, 30))
    return x.astype(np.float32), (x[:, :3].sum(1, keepdims=True) + rng.normal(0, 1, (n, 1))).astype(np.float32)


def parity(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    x = rng.normal(0, 1, (n, 2))
    return x.astype(np.float32), ((x[:, 0] > 0) ^ (x[:, 1] > 0)).astype(np.int64)


def digits(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    data = pn.datasets.mnist("sample")
    x, y = (data.train.x, data.train.y) if n < 1000 else (data.test.x, data.test.y)
    rows = rng.permutation(len(x))[:n]
    return x[rows].reshape(len(rows), -1), y[rows]


PROBLEMS: dict[str, tuple[Problem, int, int, int, dict[str, object]]] = {
    # data, training and validation examples together, outputs, epochs, options of fit
    "spiral": (spiral, 300, 3, 600, {}),
    "spiral, constant rate": (spiral, 300, 3, 300, {"schedule": "constant", "learning_rate": 0.01}),
    "spiral, wrong labels": (noisy_spiral, 300, 2, 1000, {}),
    "rings": (rings, 200, 3, 200, {}),
    "moons": (moons, 100, 2, 300, {}),
    "blobs": (blobs, 120, 4, 100, {}),
    "sine": (sine, 100, 1, 300, {}),
    "linear": (linear, 150, 1, 200, {}),
    "linear, constant rate": (linear, 150, 1, 200, {"schedule": "constant", "learning_rate": 0.01}),
    "parity": (parity, 120, 2, 300, {}),
    "digits": (digits, 500, 10, 30, {}),
    "digits, constant rate": (digits, 300, 10, 60, {"schedule": "constant"}),
    "blobs, 8 epochs": (blobs, 200, 4, 8, {"batch_size": 16}),
    "moons, 8 epochs": (moons, 200, 2, 8, {"schedule": "constant", "learning_rate": 0.03, "batch_size": 16}),
}


def averaged(losses: np.ndarray, keep: float) -> np.ndarray:
    """Exponential means, corrected for their start."""
    found, mean = [], 0.0
    for n, loss in enumerate(losses, start=1):
        mean = keep * mean + (1 - keep) * loss
        found.append(mean / (1 - keep**n))
    return np.array(found)


def trailing(losses: np.ndarray, width: int) -> np.ndarray:
    return np.array([losses[max(0, n - width) : n].mean() for n in range(1, len(losses) + 1)])


def growing(losses: np.ndarray, share: float) -> np.ndarray:
    """The mean over the last `share` of the epochs so far."""
    return np.array([losses[n - max(1, round(share * n)) : n].mean() for n in range(1, len(losses) + 1)])


def within(losses: np.ndarray, errors: np.ndarray, width: float) -> int:
    """The last epoch whose loss is within `width` standard errors of the lowest one."""
    lowest = int(np.argmin(losses))
    return int(np.flatnonzero(losses <= losses[lowest] + width * errors[lowest])[-1])


def accurate(accuracies: np.ndarray, losses: np.ndarray) -> int:
    """The epoch with the highest accuracy, and of these with the lowest loss."""
    return int(np.lexsort((losses, -accuracies))[0])


Rule = Callable[[np.ndarray, np.ndarray, np.ndarray], int]  # by epoch: loss, its standard error, accuracy
RULES: dict[str, Rule] = {
    "lowest": lambda losses, errors, accuracies: int(np.argmin(losses)),
    "mean .5": lambda losses, errors, accuracies: int(np.argmin(averaged(losses, 0.5))),
    "mean .8": lambda losses, errors, accuracies: int(np.argmin(averaged(losses, 0.8))),
    "mean .9": lambda losses, errors, accuracies: int(np.argmin(averaged(losses, 0.9))),
    "mean .95": lambda losses, errors, accuracies: int(np.argmin(averaged(losses, 0.95))),
    "last 5": lambda losses, errors, accuracies: int(np.argmin(trailing(losses, 5))),
    "last 10%": lambda losses, errors, accuracies: int(np.argmin(growing(losses, 0.1))),
    "last 20%": lambda losses, errors, accuracies: int(np.argmin(growing(losses, 0.2))),
    "1/2 SE": lambda losses, errors, accuracies: within(losses, errors, 0.5),
    "1 SE": lambda losses, errors, accuracies: within(losses, errors, 1.0),
    "accuracy": lambda losses, errors, accuracies: accurate(accuracies, losses),
    "last": lambda losses, errors, accuracies: len(losses) - 1,
}


def curves(name: str, seed: int) -> tuple[np.ndarray, ...]:
    """By epoch: validation loss, its standard error, validation accuracy (or 0); test loss, test accuracy (or 0)."""
    make, n, outputs, epochs, options = PROBLEMS[name]
    rng = np.random.default_rng(seed)
    x, y = make(rng, n)
    test = pn.Dataset(*make(rng, 2000))
    held = n // 10
    model = pn.Sequential(pn.Dense(32, "relu"), pn.Dense(32, "relu"), pn.Dense(outputs))
    found, errors = [], []

    def look(epoch: int, logs: dict[str, float]) -> None:
        report = pn.evaluate(model, test, verbose=0)
        found.append((float(report.loss), float(report.accuracy or 0.0)))
        if y.ndim == 1:
            p = pn.predict(model, x[:held])[np.arange(held), y[:held]]
            each = -np.log(np.maximum(p, 1e-30))
        else:
            each = (pn.predict(model, x[:held]) - y[:held]).reshape(-1) ** 2
        errors.append(float(np.std(each) / math.sqrt(held)))

    history = pn.fit(
        model, (x[held:], y[held:]), validation=(x[:held], y[:held]), epochs=epochs, seed=seed, callbacks=[look],
        verbose=0, **options,
    )  # fmt: skip
    losses, accuracies = np.array(found).T
    held_accuracy = history["val_accuracy"] if y.ndim == 1 else [0.0] * epochs
    return np.array(history["val_loss"]), np.array(errors), np.array(held_accuracy), losses, accuracies


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    seeds = parser.parse_args().seeds
    print(f"{'':22}" + "".join(f"{rule:>10}" for rule in RULES))
    total = np.zeros(len(RULES))
    gained = []
    for name in PROBLEMS:
        worse = np.zeros(len(RULES))
        right = np.zeros(len(RULES))
        for seed in range(seeds):
            *seen, test, accuracy = curves(name, seed)
            picked = [pick(*seen) for pick in RULES.values()]
            worse += np.log(test[picked] / test.min()) / seeds
            right += accuracy[picked] / seeds
        total += worse / len(PROBLEMS)
        gained.append(right)
        print(f"{name:22}" + "".join(f"{value:10.3f}" for value in worse), flush=True)
        if right.any():
            print(f"{'  accuracy %':22}" + "".join(f"{100 * value:10.1f}" for value in right), flush=True)
    print(f"{'mean':22}" + "".join(f"{value:10.3f}" for value in total))
    means = np.mean([right for right in gained if right.any()], axis=0)
    print(f"{'  accuracy %':22}" + "".join(f"{100 * value:10.1f}" for value in means))


if __name__ == "__main__":
    main()
