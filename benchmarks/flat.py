"""flat.py -- the memory of a process that trains again and again, and of one that trains for long.

    python benchmarks/flat.py [--fits 10000] [--epochs 10000]

Prints the resident memory, in MiB, after each tenth of the small fits (callbacks, validation, batch norm, dropout,
averaged weights) and of the epochs of one long fit.  Both must be flat: only the history of the long fit may grow.
"""

import argparse
import os
from pathlib import Path

import numpy as np

import pyneural as pn


def resident() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def fit(epochs: int, callbacks: list[object]) -> None:
    x = np.random.default_rng(0).normal(size=(40, 5)).astype(np.float32)
    model = pn.Sequential(pn.Dense(8, "relu"), pn.BatchNorm(), pn.Dropout(0.1), pn.Dense(3))
    pn.fit(model, (x, np.arange(40) % 3), epochs=epochs, ema=0.9, callbacks=callbacks, verbose=0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fits", type=int, default=10_000)
    parser.add_argument("--epochs", type=int, default=10_000)
    options = parser.parse_args()
    sizes = []
    for number in range(1, options.fits + 1):
        fit(1, [pn.callbacks.EarlyStopping(), lambda epoch, logs: None])
        if number % (options.fits // 10) == 0:
            sizes.append(resident())
    print(f"{options.fits:,} fits:", " ".join(f"{size:.1f}" for size in sizes))
    sizes = []
    every = options.epochs // 10
    fit(options.epochs, [lambda epoch, logs: sizes.append(resident()) if epoch % every == 0 else None])
    print(f"{options.epochs:,} epochs:", " ".join(f"{size:.1f}" for size in sizes))


if __name__ == "__main__":
    main()
