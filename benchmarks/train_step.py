"""How long a training step takes here and in PyTorch, in one run on this machine.

Two networks learn from the same 60,000 uint8 images: the MLP 784-128-10 (batch 256) and LeNet (5 x 5 convolutions with
8 and 16 filters, each with a 2 x 2 maximum, then 128 and 10 units; batch 64), both with Adam, on two threads.  Our step
is the one that pn.fit runs, with its default options: it gathers and normalises the batch, follows the schedule, reads
the loss and counts hits.  PyTorch's gathers and normalises the same batch from a uint8 tensor and does nothing beside
the step; of its variants (plain, fused Adam, channels last with fused Adam) the fastest counts.  Losses and gradients
are compared first; then whole epochs are timed in turn, and the medians are what is printed.

Exit status: 0, 1 where ours is slower or differs, 2 where PyTorch is not importable and so nothing was compared.
"""

import argparse
import importlib.util
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import pyneural as pn

ALLOWED = 1.0  # our time / PyTorch's
TOLERANCE = 2e-4  # float32: sums of 784 and more terms in different orders
RATE = 0.001


class Network(NamedTuple):
    """One network on both sides."""

    name: str
    batch: int
    ours: Callable[[], pn.Sequential]
    theirs: Callable[[], Any]


def our_mlp() -> pn.Sequential:
    return pn.Sequential(pn.Flatten(), pn.Dense(128, "relu"), pn.Dense(10))


def our_lenet() -> pn.Sequential:
    return pn.Sequential(
        pn.Conv2D(8, 5, activation="relu"),
        pn.MaxPool2D(2),
        pn.Conv2D(16, 5, activation="relu"),
        pn.MaxPool2D(2),
        pn.Flatten(),
        pn.Dense(128, "relu"),
        pn.Dense(10),
    )


def their_mlp() -> Any:
    from torch import nn

    return nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))


def their_lenet() -> Any:
    from torch import nn

    return nn.Sequential(
        *(nn.Conv2d(1, 8, 5), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(8, 16, 5), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10)),
    )


NETWORKS = (
    Network("MLP 784-128-10", 256, our_mlp, their_mlp),
    Network("LeNet 8-16-128-10", 64, our_lenet, their_lenet),
)


def digits() -> tuple[np.ndarray, np.ndarray]:
    """60,000 images and labels: MNIST where it is at hand, else noise of the same kind."""
    data = pn.datasets.mnist().train
    if len(data) == 60_000:
        return data.x, data.y
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (60_000, 28, 28, 1), dtype=np.uint8)
    return images, generator.integers(0, 10, 60_000)


# ---- ours ----------------------------------------------------------------------------------------------------------


def our_epoch(model: pn.Sequential, x: np.ndarray, y: np.ndarray, batch: int) -> float:
    """Trains for one epoch; seconds a step, the epoch's shuffling included."""
    history = pn.fit(model, (x, y), epochs=1, batch_size=batch, validation=None, verbose=0)
    return history["seconds"][0] / history.steps


# ---- PyTorch -------------------------------------------------------------------------------------------------------


class Theirs:
    """PyTorch's side of one network, in one variant."""

    def __init__(self, network: Network, model: pn.Sequential, x: np.ndarray, y: np.ndarray, variant: str) -> None:
        import torch

        card = model.card.preprocessing
        assert card is not None
        self.mean, self.scale = card.mean[0], 1 / card.deviation[0]
        self.images = torch.from_numpy(x).permute(0, 3, 1, 2).contiguous()
        self.labels = torch.from_numpy(y)
        self.channels_last = variant == "channels last"
        self.batch = network.batch
        self.model = network.theirs()
        if self.channels_last:
            self.model = self.model.to(memory_format=torch.channels_last)
        self.take_weights(model)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=RATE, fused=variant != "plain")

    def take_weights(self, model: pn.Sequential) -> None:
        """Copies our parameters, in PyTorch's layouts."""
        import torch

        with torch.no_grad():
            for theirs, ours in zip(self.model.parameters(), model.parameters.values(), strict=True):
                theirs.copy_(torch.from_numpy(their_layout(ours.numpy())))

    def loss(self, rows: Any) -> Any:
        """The mean loss of the batch of these rows."""
        import torch

        x = (self.images[rows].float() - self.mean) * self.scale
        if self.channels_last:
            x = x.contiguous(memory_format=torch.channels_last)
        return torch.nn.functional.cross_entropy(self.model(x), self.labels[rows])

    def epoch(self) -> float:
        """Trains for one epoch; seconds a step, the epoch's shuffling included."""
        import torch

        begun, steps = time.perf_counter(), 0
        order = torch.randperm(len(self.images))
        for rows in order.split(self.batch):
            self.optimizer.zero_grad()
            self.loss(rows).backward()
            self.optimizer.step()
            steps += 1
        return (time.perf_counter() - begun) / steps


def their_layout(weight: np.ndarray) -> np.ndarray:
    """(in, out) to (out, in); (KH, KW, C, O) to (O, C, KH, KW).

    After a convolution the first dense layer reads its inputs in another order; see dense_after_images.
    """
    if weight.ndim == 2:
        return np.ascontiguousarray(dense_after_images(weight).T)
    if weight.ndim == 4:
        return np.ascontiguousarray(weight.transpose(3, 2, 0, 1))
    return weight.copy()


def dense_after_images(weight: np.ndarray) -> np.ndarray:
    """LeNet's first dense weight: rows for (4, 4, 16), as ours flattens, become rows for (16, 4, 4)."""
    if len(weight) != 256:
        return weight
    return weight.reshape(4, 4, 16, -1).transpose(2, 0, 1, 3).reshape(256, -1)


# ---- comparing -----------------------------------------------------------------------------------------------------


def differences(network: Network, model: pn.Sequential, theirs: Theirs, x: np.ndarray, y: np.ndarray) -> float:
    """The greatest relative difference between the losses, and between the gradients, of the first batch."""
    import torch

    rows = np.arange(network.batch)
    assert model.card.preprocessing is not None
    batch = model.card.preprocessing.gather(model.dtype)(pn.tensor(x[rows]), pn.tensor(rows))
    loss = pn.ops.cross_entropy(model(batch), y[rows])
    loss.backward()
    theirs.take_weights(model)
    theirs.optimizer.zero_grad()
    expected = theirs.loss(torch.from_numpy(rows))
    expected.backward()
    found = [abs(loss.item() - expected.item()) / expected.item()]
    for ours, parameter in zip(model.parameters.values(), theirs.model.parameters(), strict=True):
        assert ours.grad is not None
        gradient = parameter.grad.numpy()
        found.append(float(np.abs(their_layout(ours.grad.numpy()) - gradient).max() / np.abs(gradient).max()))
    return max(found)


def compare(network: Network, x: np.ndarray, y: np.ndarray, rounds: int) -> bool:
    """Prints one network's lines; whether ours is right and fast enough."""
    model = network.ours()
    our_epoch(model, x, y, network.batch)  # builds, learns the preprocessing, warms up
    variants = ("plain", "fused Adam") + (("channels last",) if "LeNet" in network.name else ())
    theirs = {variant: Theirs(network, model, x, y, variant) for variant in variants}
    difference = max(differences(network, model, side, x, y) for side in theirs.values())
    our_times: list[float] = []
    their_times: dict[str, list[float]] = {variant: [] for variant in variants}
    for _ in range(rounds):
        our_times.append(our_epoch(model, x, y, network.batch))
        for variant, side in theirs.items():
            their_times[variant].append(side.epoch())
    ours = statistics.median(our_times)
    medians = {variant: statistics.median(times) for variant, times in their_times.items()}
    ratio = ours / min(medians.values())
    right, fast = difference <= TOLERANCE, ratio <= ALLOWED
    print(f"{network.name}, batch {network.batch}, {pn.get_threads()} threads, {rounds} epochs each, in turn:")
    agrees = "agree" if right else "DIFFER"
    print(f"    losses and gradients {agrees}: greatest relative difference {difference:.1e} (allowed {TOLERANCE:.0e})")
    for name, times in {"pyneural": our_times, **{f"PyTorch, {v}": t for v, t in their_times.items()}}.items():
        middle = statistics.median(times)
        spread = f"{1e3 * min(times):.3f} to {1e3 * max(times):.3f}"
        print(f"    {name:<24} {1e3 * middle:7.3f} ms a step ({spread}), ours / theirs {ours / middle:.2f}")
    print(f"    {'ok' if fast else 'MISSED'}: ours / the fastest of theirs = {ratio:.2f} (allowed {ALLOWED:.2f})")
    return right and fast


def main() -> int:
    parser = argparse.ArgumentParser(description="Training steps, ours and PyTorch's.")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5, help="epochs timed for each")
    arguments = parser.parse_args()
    pn.set_threads(arguments.threads)
    x, y = digits()
    if importlib.util.find_spec("torch") is None:
        for network in NETWORKS:
            model = network.ours()
            times = [our_epoch(model, x, y, network.batch) for _ in range(arguments.rounds + 1)][1:]
            print(f"{network.name}, batch {network.batch}: {1e3 * statistics.median(times):.3f} ms a step")
        print("PyTorch is not importable here, so nothing was compared")
        return 2
    import torch

    torch.set_num_threads(arguments.threads)
    print(f"pyneural {pn.__version__} ({pn._core.isa()}), PyTorch {torch.__version__}")
    good = [compare(network, x, y, arguments.rounds) for network in NETWORKS]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
