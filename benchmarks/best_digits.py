"""The recipe "best" of pyneural digits: accuracy on the test images over seeds, and its time beside PyTorch's.

    python benchmarks/best_digits.py [--data mnist|fashion] [--seeds N] [--threads N]

Every seed is a fresh process, and in turn with it a fresh process of PyTorch trains the same network for one epoch: the
same batches of 128, label smoothing and AdamW (fused), channels last, but without augmentation, which ours includes.
Exits with 1 if the mean accuracy or the time of an epoch misses its target.  Without PyTorch, only the accuracy counts.
"""

import argparse
import json
import statistics
import sys
import time

import fresh
from cases import moments
from judge import Target, table, verdict

SEEDS = 3
ACCURACY = {"mnist": (99.65, 99.75), "fashion": (93.5, 94.5)}  # at least, and the aim
RATIO = 0.8  # seconds of an epoch, over PyTorch's
BLOCKS = {  # filters, size, whether pooled: digits_large and clothes_cnn
    "mnist": ((24, 5, True), (48, 3, True), (64, 3, False), (96, 3, True)),
    "fashion": ((32, 3, False), (32, 3, True), (64, 3, False), (64, 3, True), (128, 3, False), (128, 3, True)),
}
DROPOUT = {"mnist": 0.0, "fashion": 0.2}  # after each pooling


def ours(name: str, seed: int) -> tuple[float, float]:
    """Percent of the test images, and seconds per epoch."""
    import pyneural as pn

    run = pn.apps.digits(recipe="best", data="fashion" if name == "fashion" else None, seed=seed, verbose=0)
    return 100 * float(run.report.accuracy), statistics.median(run.history["seconds"])


def theirs(name: str, seed: int) -> float:
    """Seconds of an epoch with PyTorch."""
    import torch
    from torch import nn

    from pyneural import datasets

    data = (datasets.fashion_mnist if name == "fashion" else datasets.mnist)().train
    images, labels = torch.from_numpy(data.x).permute(0, 3, 1, 2), torch.from_numpy(data.y).long()
    mean, deviation = moments(data.x)
    torch.manual_seed(seed)
    layers: list[nn.Module] = []
    inputs = 1
    for filters, size, pooled in BLOCKS[name]:
        convolution = nn.Conv2d(inputs, filters, size, padding=size // 2, bias=False)
        layers += [convolution, nn.BatchNorm2d(filters), nn.ReLU()]
        if pooled:
            layers += [nn.MaxPool2d(2), *([nn.Dropout(DROPOUT[name])] if DROPOUT[name] else [])]
        inputs = filters
    net = nn.Sequential(*layers, nn.Flatten(), nn.Linear(9 * inputs, 10)).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.008, weight_decay=0.02, fused=True)
    begun = time.perf_counter()
    for rows in torch.randperm(len(images)).split(128):
        x = images[rows].float().sub_(mean).mul_(1 / deviation).contiguous(memory_format=torch.channels_last)
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(x), labels[rows], label_smoothing=0.05).backward()
        optimizer.step()
    return time.perf_counter() - begun


def measure(name: str, seeds: int, threads: int) -> tuple[str, list[Target]]:
    """The table, and its targets."""
    rows, accuracies, ratios = [], [], []
    for seed in range(seeds):
        accuracy, seconds = fresh.run("best_digits.py", "ours", name, str(seed), threads=threads)
        accuracies.append(accuracy)
        try:
            beside = fresh.run("best_digits.py", "theirs", name, str(seed), threads=threads)
            ratios.append(seconds / beside)
            rows.append([str(seed), f"{accuracy:.2f}", f"{seconds:.2f}", f"{beside:.2f}", f"{ratios[-1]:.2f}"])
        except RuntimeError as error:
            print(f"PyTorch is left out: {str(error).splitlines()[-1]}", file=sys.stderr)
            rows.append([str(seed), f"{accuracy:.2f}", f"{seconds:.2f}", "", ""])
    least, aim = ACCURACY[name]
    targets = [Target(f"{name}: mean of {seeds} seeds", statistics.mean(accuracies), least, True, aim, " %")]
    if ratios:
        targets.append(Target("an epoch, over PyTorch's", statistics.median(ratios), RATIO))
    return table(["seed", "test accuracy, %", "an epoch, s", "PyTorch's, s", "ratio"], rows), targets


def main() -> int:
    arguments = fresh.child()
    if arguments:
        which, name, seed = arguments
        print(json.dumps(ours(name, int(seed)) if which == "ours" else theirs(name, int(seed))))
        return 0
    parser = argparse.ArgumentParser(description='The recipe "best" of pyneural digits, beside PyTorch.')
    parser.add_argument("--data", choices=ACCURACY, default="mnist")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    return verdict(*measure(options.data, options.seeds, options.threads))


if __name__ == "__main__":
    sys.exit(main())
