"""The footprint of each library: import time, size on disk, and memory while it trains.

    python benchmarks/cost.py

Sizes are of the library's own distributions, without shared dependencies.  Memory is the peak of a fresh process that
trains Keras' mnist_cnn, batch 128, for a few steps on the same 60,000 images from a file.
"""

import importlib.metadata
import importlib.util
import json
import statistics
import sys
import tempfile
from pathlib import Path

import fresh
import numpy as np
from cases import CASES, load
from judge import Target, table, verdict
from networks import weights
from startup import probe

LIBRARIES = {  # the module to import, and its distributions
    "pyneural": ("pyneural", ("pyneural",)),
    "NumPy": ("numpy", ("numpy",)),
    "PyTorch": ("torch", ("torch",)),
    "JAX": ("jax", ("jax", "jaxlib", "optax")),
    "scikit-learn": ("sklearn.neural_network", ("scikit-learn", "scipy")),
}
STEPS = 12
RESIDENT = 0.5


def installed(distributions: tuple[str, ...]) -> int | None:
    """Total size of the files of distributions; None if one is not installed."""
    total = 0
    for name in distributions:
        try:
            listed = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            return None
        paths = {Path(str(listed.locate_file(entry))) for entry in listed.files or ()}
        total += sum(path.stat().st_size for path in paths if path.is_file() and "__pycache__" not in path.parts)
    return total


def resident(side: str, folder: str) -> int:
    """Peak resident bytes of this process after some training steps."""
    from peers import make

    case = next(case for case in CASES if case.name.startswith("train Keras"))
    images, labels = np.load(Path(folder) / "images.npy"), np.load(Path(folder) / "labels.npy")
    trainer = make(side, 2).train(case, weights(case.network, case.shape), (images, labels, 33.0, 78.0))
    trainer.steps(STEPS)
    return fresh.peak_resident()


def measure(quick: bool) -> tuple[str, list[Target]]:
    """The table, and its targets."""
    rows, targets, peaks = [], [], {}
    with tempfile.TemporaryDirectory() as folder:
        images, labels = load("digits")
        np.save(Path(folder) / "images.npy", images)
        np.save(Path(folder) / "labels.npy", labels)
        for name, (module, distributions) in LIBRARIES.items():
            size = installed(distributions)
            if importlib.util.find_spec(module.split(".")[0]) is None:
                continue
            probe(module)
            probes = [probe(module) for _ in range(3 if quick else 11)]
            if name in ("pyneural", "PyTorch"):
                peaks[name] = fresh.run("cost.py", name, folder)
            rows.append(
                [
                    name,
                    f"{1e3 * statistics.median(seconds for seconds, _ in probes):.0f}",
                    f"{statistics.median(memory for _, memory in probes) / 1e6:.0f}",
                    "" if size is None else f"{size / 1e6:,.1f}",
                    f"{peaks[name] / 1e6:.0f}" if name in peaks else "",
                ]
            )
    if len(peaks) == 2:
        words = "peak resident size training Keras mnist_cnn, ours / PyTorch"
        targets.append(Target(words, peaks["pyneural"] / peaks["PyTorch"], RESIDENT))
    head = ["library", "import, ms", "resident after it, MB", "installed, MB", "peak training Keras mnist_cnn, MB"]
    return table(head, rows), targets


def main() -> int:
    arguments = fresh.child()
    if arguments:
        print(json.dumps(resident(*arguments)))
        return 0
    return verdict(*measure(False))


if __name__ == "__main__":
    sys.exit(main())
