"""99 % on MNIST's test set, from raw uint8 images, in one call of pn.fit of one epoch.

    python benchmarks/ninety_nine.py [--seeds N] [--network NAME] [--batch N] [--threads N] [--all]

Every seed is a fresh process.  The whole first call of pn.fit is timed: checks, building the model, the moments of the
pixels and the epoch; reading the files and evaluation are not.  PyTorch trains the same network with the same schedule
and batch size, fused Adam, channels last; it is timed from the moments of the pixels to the end of the epoch.
"""

import argparse
import json
import math
import statistics
import sys
import time

import fresh
from cases import moments
from judge import Target, table, verdict

SEEDS, THEIR_SEEDS = 10, 3
ACCURACY, SECONDS, AIM = 99.00, 1.5, 0.9
RATE, BETA1, BETA2 = 0.01, 0.7, 0.9

# Filters, size and padding of the convolutions, units of the hidden dense layer (0: none).  Each convolution is
# followed by a 2 x 2 maximum, batch norm and ReLU; in this order the norm has a quarter of the values to process.
NETWORKS = {
    "16-32, fc 128": (((16, 5, 0), (32, 3, 0)), 128),
    "16-32, fc 64": (((16, 5, 0), (32, 3, 0)), 64),
    "8-16-32": (((8, 5, 0), (16, 3, 1), (32, 3, 1)), 0),
    "12-24, fc 96": (((12, 5, 0), (24, 3, 0)), 96),
    "8-32, fc 64": (((8, 5, 0), (32, 3, 0)), 64),
}
# Over seeds 0 to 9: 99.06 %; fc 128 has 99.09 in more time, 12-24 98.99 and 8-32 98.96 in a little less (see --all).
NETWORK, BATCH = "16-32, fc 64", 128


def ours(name: str, batch: int, seed: int) -> tuple[float, float]:
    """Percent of the test set, and seconds of pn.fit."""
    import pyneural as pn

    data = pn.datasets.mnist()
    convolutions, hidden = NETWORKS[name]
    layers: list[pn.Layer] = []
    for filters, size, pad in convolutions:
        convolution = pn.Conv2D(filters, size, padding=pad, bias=False)
        layers += [convolution, pn.MaxPool2D(2), pn.BatchNorm(activation="relu")]
    layers += [pn.Flatten(), *([pn.Dense(hidden, "relu")] if hidden else []), pn.Dense(10)]
    model = pn.Sequential(*layers)
    optimizer = pn.Adam(beta1=BETA1, beta2=BETA2)
    begun = time.perf_counter()
    pn.fit(
        model,
        data.train,
        epochs=1,
        batch_size=batch,
        optimizer=optimizer,
        learning_rate=RATE,
        validation=None,
        seed=seed,
        verbose=0,
    )
    seconds = time.perf_counter() - begun
    return 100 * float(pn.evaluate(model, data.test, verbose=0).accuracy), seconds


def theirs(name: str, batch: int, seed: int) -> tuple[float, float]:
    """The same with PyTorch."""
    import torch
    from torch import nn

    from pyneural import datasets, schedules

    data = datasets.mnist()
    images, labels = (torch.from_numpy(values) for values in (data.train.x, data.train.y))
    images = images.permute(0, 3, 1, 2)
    torch.manual_seed(seed)
    begun = time.perf_counter()
    mean, deviation = moments(data.train.x)
    convolutions, hidden = NETWORKS[name]
    layers: list[nn.Module] = []
    inputs, side = 1, 28
    for filters, size, pad in convolutions:
        convolution = nn.Conv2d(inputs, filters, size, padding=pad, bias=False)
        layers += [convolution, nn.MaxPool2d(2), nn.BatchNorm2d(filters), nn.ReLU()]
        inputs, side = filters, (side + 2 * pad - size + 1) // 2
    flat = inputs * side * side
    layers += [nn.Flatten(), *([nn.Linear(flat, hidden), nn.ReLU()] if hidden else []), nn.Linear(hidden or flat, 10)]
    net = nn.Sequential(*layers).to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(net.parameters(), lr=RATE, betas=(BETA1, BETA2), fused=True)
    order, steps = torch.randperm(len(images)).split(batch), math.ceil(len(images) / batch)
    for step, rows in enumerate(order):
        for group in optimizer.param_groups:
            group["lr"] = RATE * schedules.one_cycle(step, steps)
        x = images[rows].float().sub_(mean).mul_(1 / deviation).contiguous(memory_format=torch.channels_last)
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(x), labels[rows]).backward()
        optimizer.step()
    seconds = time.perf_counter() - begun
    net.eval()
    with torch.inference_mode():
        tests = torch.from_numpy(data.test.x).permute(0, 3, 1, 2).float().sub_(mean).mul_(1 / deviation)
        answers = torch.cat([net(part).argmax(1) for part in tests.split(500)])
    return 100 * float((answers == torch.from_numpy(data.test.y)).double().mean()), seconds


def side(which: str, name: str, batch: int, seeds: int, threads: int = 2) -> tuple[list[float], list[float]]:
    """Percents and seconds of so many seeds."""
    runs = [fresh.run("ninety_nine.py", which, name, str(batch), str(seed), threads=threads) for seed in range(seeds)]
    return [accuracy for accuracy, _ in runs], [seconds for _, seconds in runs]


def row(words: str, accuracies: list[float], seconds: list[float]) -> list[str]:
    """A line of the table."""
    return [
        words,
        str(len(seconds)),
        f"{statistics.mean(accuracies):.3f} ({min(accuracies):.2f} to {max(accuracies):.2f})",
        f"{statistics.median(seconds):.2f} ({min(seconds):.2f} to {max(seconds):.2f})",
    ]


HEAD = ["one epoch of MNIST", "seeds", "mean accuracy, %", "median seconds"]


def measure(
    quick: bool, name: str = NETWORK, batch: int = BATCH, seeds: int = SEEDS, threads: int = 2
) -> tuple[str, list[Target]]:
    """The table, and its targets."""
    rows, targets = [], []
    accuracies, seconds = side("ours", name, batch, 3 if quick else seeds, threads)
    rows.append(row(f"pyneural, {name}, batch {batch}", accuracies, seconds))
    count = f"{len(seconds)} seeds"
    targets.append(
        Target(f"99 %: mean accuracy, {count}", statistics.mean(accuracies), ACCURACY, least=True, unit=" %")
    )
    targets.append(Target(f"99 %: one pn.fit, {count}", statistics.median(seconds), SECONDS, aim=AIM, unit=" s"))
    try:
        found = side("theirs", name, batch, 1 if quick else THEIR_SEEDS, threads)
        rows.append(row(f"PyTorch, {name}, batch {batch}", *found))
    except RuntimeError as error:
        rows.append([f"PyTorch is left out: {str(error).splitlines()[-1]}", "", "", ""])
    return table(HEAD, rows), targets


def main() -> int:
    arguments = fresh.child()
    if arguments:
        which, name, batch, seed = arguments
        print(json.dumps((ours if which == "ours" else theirs)(name, int(batch), int(seed))))
        return 0
    parser = argparse.ArgumentParser(description="99 % on MNIST's test set in one pn.fit.")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--network", choices=NETWORKS, default=NETWORK)
    parser.add_argument("--batch", type=int, default=BATCH)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--all", action="store_true", help="ours alone, on every network")
    options = parser.parse_args()
    if options.all:
        rows = [row(name, *side("ours", name, options.batch, options.seeds, options.threads)) for name in NETWORKS]
        print(table(HEAD, rows))
        return 0
    return verdict(*measure(False, options.network, options.batch, options.seeds, options.threads))


if __name__ == "__main__":
    sys.exit(main())
