"""Steps and memory of networks by their number of parameters: an MLP with two hidden layers, Adam, batches of 64.

    python benchmarks/parameters.py              # 1, 5, 25, 100 million
    python benchmarks/parameters.py 25

Each size runs in a fresh process.  A step is forward, backward and the update; times are the least of some.  Memory
is the peak of the whole process, and what of it the weights take.
"""

import resource
import subprocess
import sys
import time

import numpy as np

import pyneural as pn

BATCH, INPUTS, CLASSES, STEPS = 64, 784, 10, 6


def width_for(parameters: float) -> int:
    """The width w of both hidden layers for which (INPUTS + CLASSES) w + w² is the number of parameters."""
    half = (INPUTS + CLASSES) / 2
    return round((half**2 + parameters) ** 0.5 - half)


def measure(millions: float) -> str:
    width = width_for(millions * 1e6)
    model = pn.Sequential(pn.Dense(width, "relu"), pn.Dense(width, "relu"), pn.Dense(CLASSES))
    model.build((INPUTS,))
    optimizer = pn.Adam(model)
    generator = np.random.default_rng(0)
    x = generator.normal(size=(BATCH, INPUTS)).astype("float32")
    y = generator.integers(0, CLASSES, BATCH)
    times = []
    for _ in range(STEPS):
        start = time.perf_counter()
        pn.ops.cross_entropy(model(x, training=True), y).backward()
        optimizer.step()
        times.append(time.perf_counter() - start)
    ones = []
    for _ in range(STEPS):
        with pn.no_grad():
            start = time.perf_counter()
            model(x[:1])
            ones.append(time.perf_counter() - start)
    weights = sum(p.size for p in model.parameters.values())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 if sys.platform == "darwin" else 1024)
    return (
        f"{weights / 1e6:6.1f} million ({INPUTS}-{width}-{width}-{CLASSES}): step {1000 * min(times):6.0f} ms, "
        f"one prediction {1000 * min(ones):5.1f} ms, memory {peak:6,.0f} MiB, of which weights {weights / 2**18:4.0f}"
    )


def main() -> None:
    if len(sys.argv) == 3 and sys.argv[1] == "--measure":
        print(measure(float(sys.argv[2])))
        return
    for millions in map(float, sys.argv[1:] or (1, 5, 25, 100)):
        subprocess.run([sys.executable, __file__, "--measure", str(millions)], check=True)


if __name__ == "__main__":
    main()
