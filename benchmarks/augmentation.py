"""The cost of augmentation: steps of pn.fit with and without it, in turns.

    python benchmarks/augmentation.py [--quick]

First the images are compared: with those of the naive kernels (in a process of its own), and bit for bit with those of
one thread.  A step gathers its batch from uint8, changes and normalises it, and trains on it.  Exits with 1 if the
images differ, or if augmentation makes the median step longer by more than the limit.
"""

import os
import statistics
import subprocess
import sys
from dataclasses import asdict

import numpy as np
from cases import Case
from judge import Target, microseconds, table, verdict
from networks import LENET, XRAY, weights
from peers.ours import Fit

import pyneural as pn


class Large(Case):
    """A case with images of 144 x 144."""

    @property
    def shape(self) -> tuple[int, ...]:
        return 144, 144, 1


WIDE = pn.Augment(shift=0.15, rotate=15, scale=0.2, shear=0, flip=True, gamma=0.6, contrast=0.3, brightness=0.15)
LIMITS: dict[Case, tuple[pn.Augment, float]] = {  # what is done to the images, and by how much a step may grow
    Case("LeNet 8-16, 28 x 28, batch 64", "train", LENET, 64, "digits", 0, 0): (pn.Augment(), 0.15),
    Large("X-ray, 144 x 144, batch 32", "train", XRAY, 32, "xray", 0, 0): (WIDE, 0.10),
}
NEAR = 255 * 2**-15  # of tones next to black, gamma makes more of a rounding


def images(shape: tuple[int, ...], n: int = 640) -> np.ndarray:
    """Smooth uint8 images."""
    draw = np.random.default_rng(0)
    y, x = np.mgrid[: shape[0], : shape[1]] / shape[0]
    waves = [np.sin(draw.uniform(2, 9) * x + draw.uniform(2, 9) * y + draw.uniform(0, 6)) for _ in range(n)]
    return (127.5 + 127 * np.stack(waves)).astype(np.uint8)[..., None]


def augmented(x: np.ndarray, augment: pn.Augment) -> np.ndarray:
    """The first 64 images."""
    return np.array(pn.ops.augment(x, np.arange(64), seed=1, **asdict(augment)).numpy())


def differences() -> list[str]:
    """What is wrong with the images."""
    wrong = []
    for number, (case, (augment, _)) in enumerate(LIMITS.items()):
        x = images(case.shape)
        got = augmented(x, augment)
        environment = {**os.environ, "PYNEURAL_ISA": "naive"}
        done = subprocess.run(
            [sys.executable, __file__, "--twin", str(number)], env=environment, capture_output=True, check=True
        )
        off = float(np.abs(got - np.frombuffer(done.stdout, np.float32).reshape(got.shape)).max())
        if not off <= NEAR:
            wrong.append(f"{case.name}: a pixel is off by {off:.3g} from the naive kernels, {NEAR:.3g} is allowed")
        threads = pn.get_threads()
        pn.set_threads(1)
        if not np.array_equal(augmented(x, augment), got):
            wrong.append(f"{case.name}: one thread and {threads} give other bits")
        pn.set_threads(threads)
    return wrong


def steps(case: Case, augment: pn.Augment, turns: int) -> dict[str, float]:
    """Median seconds per step without and with augmentation, in turns of 10 steps, the first of which is a warm-up."""
    x = images(case.shape)
    data = x, np.arange(len(x)) % 2, 127.0, 74.0
    given = weights(case.network, case.shape)
    fits = {"plain": Fit(case, given, data), "augmented": Fit(case, given, data, augment=augment)}
    found: dict[str, list[float]] = {name: [] for name in fits}
    for turn in range(turns + 1):
        for name, fit in fits.items():
            seconds = fit.steps(10)
            found[name] += seconds[1:] if turn else []
    for fit in fits.values():
        fit.close()
    return {name: statistics.median(seconds) for name, seconds in found.items()}


def main(quick: bool) -> int:
    """Prints the table; returns the exit status."""
    wrong = differences()
    if wrong:
        print("\n".join(wrong))
        return 1
    rows, targets = [], []
    for case, (augment, limit) in LIMITS.items():
        seconds = steps(case, augment, 50 // (case.shape[0] // 28) // (5 if quick else 1))
        more = seconds["augmented"] / seconds["plain"] - 1
        rows.append([case.name, *map(microseconds, seconds.values()), f"{100 * more:.1f} %"])
        targets.append(Target(f"{case.name}: augmentation, of a step", more, limit))
    head = [f"µs per step, {pn.get_threads()} threads, {pn._core.isa()}", "plain", "augmented", "more"]
    return verdict(table(head, rows), targets)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--twin"]:
        case, (augment, _) = list(LIMITS.items())[int(sys.argv[2])]
        sys.stdout.buffer.write(augmented(images(case.shape), augment).tobytes())
        sys.exit(0)
    sys.exit(main("--quick" in sys.argv[1:]))
