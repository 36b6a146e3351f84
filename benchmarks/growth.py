"""Growth: time and memory per image from batch size 32 to 4,096, and networks with many layers.

    python benchmarks/growth.py

Every number comes from a fresh process.  A larger batch must not cost more than 1.25 times as much per image.
"""

import json
import math
import statistics
import sys

import fresh
import numpy as np
from cases import SHAPES, Case, load, moments
from judge import Target, microseconds, table, verdict
from networks import DEEP_MLP, LENET, MLP, RESNET_50, activations, weights

NETWORKS = {"MLP 784-128-10": MLP, "LeNet 8-16": LENET}
DEEP = {"MLP of 20 layers": (DEEP_MLP, 64, 2_048), "ResNet of 50 layers": (RESNET_50, 32, 1_024)}
BATCHES = (32, 256, 1_024, 4_096)
FLAT, FROM = 1.25, 256
FALLS = 0.5  # loss of the third epoch over that of the first, on linearly separable classes
SANE = 1.5  # peak bytes over the size of 5 blocks of parameters and of all activations and their gradients


def batch(name: str, size: int) -> dict[str, float]:
    """Median seconds per step of pn.fit, and peak bytes of the engine."""
    from peers.ours import Fit

    import pyneural as pn

    images, labels = load("digits")
    case = Case(name, "train", NETWORKS[name], size, "digits", 0, 0)
    before = pn.memory_stats()["live_bytes"]
    fit = Fit(case, weights(case.network, case.shape), (images, labels, *moments(images)))
    seconds = fit.steps(2 + max(6, min(300, 10_000 // size)))[2:]
    fit.close()
    return {"seconds": statistics.median(seconds), "bytes": pn.memory_stats()["peak_bytes"] - before}


def deep(name: str) -> dict[str, float]:
    """Three epochs of pn.fit on ten patterns in noise."""
    from peers.ours import build

    import pyneural as pn

    network, size, count = DEEP[name]
    draw = np.random.default_rng(0)
    patterns = draw.integers(0, 156, (10, 7, 7)).repeat(4, 1).repeat(4, 2)[..., None]
    labels = draw.integers(0, 10, count)
    images = (patterns[labels] + draw.integers(0, 100, (count, 28, 28, 1))).astype(np.uint8)
    model = build(network, SHAPES["digits"])
    before = pn.memory_stats()["live_bytes"]
    history = pn.fit(model, (images, labels), epochs=3, batch_size=size, learning_rate=1e-3, validation=None, verbose=0)
    loss, stats = history["loss"], pn.memory_stats()
    count = sum(w.size for w in weights(network, SHAPES["digits"]))
    expected = 4 * (5 * count + 2 * size * activations(network, SHAPES["digits"]))
    return {
        "first": loss[0],
        "last": loss[-1],
        "parameters": count,
        "seconds": history.seconds / history.steps,
        "bytes": stats["peak_bytes"] - before,
        "expected": expected,
    }


def measure_growth(quick: bool) -> tuple[str, list[Target]]:
    """The table of batches, and its targets."""
    rows, targets = [], []
    for name in NETWORKS:
        found: dict[int, list[dict[str, float]]] = {size: [] for size in BATCHES}
        for _ in range(1 if quick else 5):
            for size, runs in found.items():
                runs.append(fresh.run("growth.py", "batch", name, str(size)))
        each = {
            what: {size: statistics.median(run[what] for run in runs) / size for size, runs in found.items()}
            for what in ("seconds", "bytes")
        }
        rows.append([f"{name}, µs an image", *(microseconds(s) for s in each["seconds"].values())])
        rows.append([f"{name}, bytes an image", *(f"{b:,.0f}" for b in each["bytes"].values())])
        for what, word in (("seconds", "time"), ("bytes", "memory")):
            worst = max(value for size, value in each[what].items() if size >= FROM) / each[what][FROM]
            targets.append(Target(f"{name}: {word} an image, batches to 4,096 over batch 256", worst, FLAT))
    return table(["training, batch", *(f"{size:,}" for size in BATCHES)], rows), targets


def measure_deep(quick: bool) -> tuple[str, list[Target]]:
    """The table of deep networks, and its targets."""
    rows, targets = [], []
    for name in DEEP:
        found = fresh.run("growth.py", "deep", name)
        rows.append(
            [
                name,
                f"{found['parameters']:,}",
                f"{found['first']:.3f} to {found['last']:.4f}",
                f"{1e3 * found['seconds']:.1f}",
                f"{found['bytes'] / 1e6:.0f}",
            ]
        )
        finite = found["last"] / found["first"] if math.isfinite(found["last"]) else math.inf
        targets.append(Target(f"{name}: the third epoch's loss over the first's", finite, FALLS))
        targets.append(Target(f"{name}: peak memory over what it must hold", found["bytes"] / found["expected"], SANE))
    head = ["network", "parameters", "loss, epoch 1 to 3", "ms a step", "peak MB"]
    return table(head, rows), targets


def main() -> int:
    arguments = fresh.child()
    if arguments:
        what, name, *rest = arguments
        print(json.dumps(batch(name, int(rest[0])) if what == "batch" else deep(name)))
        return 0
    return max([verdict(*measure(False)) for measure in (measure_growth, measure_deep)])


if __name__ == "__main__":
    sys.exit(main())
