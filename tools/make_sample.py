"""make_sample.py -- draws the embedded sample of MNIST: 6,000 + 1,000 real digits, as four gzipped IDX files.

    python tools/make_sample.py PATH_OF_MNIST [FOLDER]

Stratified: each class has its share of the official set, by largest remainders, in the official order.  The sample is
drawn by NumPy's PCG64 with the seed below, and the gzip header has no time and no name, so the bytes are reproducible.
"""

import gzip
import io
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from pyneural.datasets.idx import read_idx

SEED = 1998  # the year of MNIST's paper
PARTS = {"train": 6000, "t10k": 1000}
DESTINATION = Path(__file__).parent.parent / "pyneural" / "datasets" / "sample" / "mnist"


def draw(labels: np.ndarray, count: int, seed: int) -> np.ndarray:
    """`count` row numbers, ascending, each class with its share of `labels`."""
    generator = np.random.Generator(np.random.PCG64(seed))
    exact = np.bincount(labels, minlength=10) * count / len(labels)
    quota = np.floor(exact).astype(int)
    quota[np.argsort(quota - exact, kind="stable")[: count - quota.sum()]] += 1
    rows = [generator.permutation(np.flatnonzero(labels == k))[: quota[k]] for k in range(10)]
    return np.sort(np.concatenate(rows))


def idx(array: np.ndarray) -> bytes:
    """A uint8 array as an IDX file."""
    return bytes((0, 0, 8, array.ndim)) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


def pack(data: bytes) -> bytes:
    """The bytes gzipped, without a time or a name."""
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=buffer, mtime=0) as file:
        file.write(data)
    return buffer.getvalue()


def main(source: Path, destination: Path) -> None:
    """Writes the four files."""
    destination.mkdir(parents=True, exist_ok=True)
    for prefix, count in PARTS.items():
        names = (f"{prefix}-images-idx3-ubyte", f"{prefix}-labels-idx1-ubyte")
        images, labels = (
            read_idx(next(source / (name + end) for end in ("", ".gz") if (source / (name + end)).exists()))
            for name in names
        )
        rows = draw(labels, count, SEED)
        for name, array in zip(names, (images[rows], labels[rows]), strict=True):
            (destination / f"{name}.gz").write_bytes(pack(idx(array)))
            print(f"{destination / name}.gz: {(destination / f'{name}.gz').stat().st_size:,} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else DESTINATION)
