"""The table of cases: what is trained or predicted, on which data, and how fast it must be.

A bar is the highest accepted ratio of our time to the best peer's, with two threads; an aim is the desired ratio.
"""

from dataclasses import dataclass

import numpy as np
from networks import KERAS_CNN, LENET, MLP, XRAY, Network, Shape

RATE = 0.001  # Adam's, where a peer asks for one


@dataclass(frozen=True)
class Case:
    """One line of the table.

    Args:
        name: its name in the table.
        kind: "train" (batch gathered, forward, backward, Adam), "model" (the network on a prepared float32 batch) or
            "predict" (ours: pn.predict from uint8 pixels to probabilities; the peers' as "model").
        network: its layers.
        batch: images at a time.
        data: "digits" (60,000 of 28 x 28) or "xray" (5,216 of 112 x 112).
        bar, aim: limits of the ratio.
        scales: whether two threads must be 1.8 times as fast as one.
        libraries: whether the ratio is to the best library: hand-written NumPy, two bare products without any checks,
            is then shown but not compared with.
    """

    name: str
    kind: str
    network: Network
    batch: int
    data: str
    bar: float
    aim: float
    scales: bool = False
    libraries: bool = False

    @property
    def shape(self) -> Shape:
        """Of one image."""
        return SHAPES[self.data]


SHAPES: dict[str, Shape] = {"digits": (28, 28, 1), "xray": (112, 112, 1)}

CASES = (
    Case("train MLP 784-128-10, batch 32",     "train",   MLP,       32,  "digits", 0.40, 0.30),
    Case("train MLP 784-128-10, batch 256",    "train",   MLP,       256, "digits", 0.65, 0.50),
    Case("train LeNet 8-16, batch 64",         "train",   LENET,     64,  "digits", 0.25, 0.16, scales=True),
    Case("train Keras mnist_cnn, batch 128",   "train",   KERAS_CNN, 128, "digits", 0.65, 0.50, scales=True),
    Case("train X-ray ResNet, batch 32",       "train",   XRAY,      32,  "xray",   0.90, 0.70, scales=True),
    Case("model(x) MLP, 1 image",              "model",   MLP,       1,   "digits", 0.40, 0.30, libraries=True),
    Case("pn.predict MLP, 1 image",            "predict", MLP,       1,   "digits", 1.00, 0.60, libraries=True),
    Case("model(x) MLP, 256 images",           "model",   MLP,       256, "digits", 0.95, 0.85),
    Case("model(x) LeNet, 256 images",         "model",   LENET,     256, "digits", 0.45, 0.35, scales=True),
    Case("model(x) Keras mnist_cnn, 256",      "model",   KERAS_CNN, 256, "digits", 1.00, 0.92, scales=True),
)  # fmt: skip


def load(data: str) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 (n, height, width, 1) and labels int64 (n,): MNIST if all of it is available, else noise."""
    draw = np.random.default_rng(0)
    if data == "xray":
        return draw.integers(0, 256, (5_216, 112, 112, 1), dtype=np.uint8), draw.integers(0, 2, 5_216)
    from pyneural import datasets  # imported here, since processes that measure a peer's memory must not load pyneural

    digits = datasets.mnist().train
    if len(digits) == 60_000:
        return digits.x, digits.y
    return draw.integers(0, 256, (60_000, 28, 28, 1), dtype=np.uint8), draw.integers(0, 10, 60_000)


def moments(images: np.ndarray) -> tuple[float, float]:
    """The mean and standard deviation that every side normalises with."""
    sample = images[:2_000].astype(np.float64)
    return float(sample.mean()), float(sample.std())
