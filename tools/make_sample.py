"""make_sample.py -- draws the embedded samples of MNIST and of PneumoniaMNIST.

    python tools/make_sample.py PATH_OF_MNIST [FOLDER]
    python tools/make_sample.py PATH_OF_pneumoniamnist.npz [FOLDER]

MNIST: 6,000 + 1,000 real digits, as four gzipped IDX files, in the official order.  PneumoniaMNIST: 600 images of the
training part and 200 of the test part, as one PNG for each part and class; its rows are sorted by their MD5 before the
draw, so that copies of the file with the rows in another order give the same sample.

Stratified: each class has its share of the official part, by largest remainders.  The samples are drawn by NumPy's
PCG64 with the seeds below, and the files have no time and no name, so the bytes are reproducible with the same zlib,
or with Zopfli (pip install zopfli), which packed the digits in the package.
"""

import gzip
import hashlib
import io
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent.parent))

from pyneural.datasets.idx import read_idx
from pyneural.datasets.pneumonia_mnist_file import pneumonia_mnist
from pyneural.datasets.pneumonia_mnist_sample import CLASSES, COLUMNS, COUNTS

SEED = 1998  # the year of MNIST's paper
PARTS = {"train": 6000, "t10k": 1000}
PNEUMONIA_SEED = 2018  # the year of the paper that published the chest X-rays
DESTINATION = Path(__file__).parent.parent / "pyneural" / "datasets" / "sample"


def draw(labels: np.ndarray, count: int, seed: int) -> np.ndarray:
    """`count` row numbers, ascending, each class with its share of `labels`."""
    generator = np.random.Generator(np.random.PCG64(seed))
    exact = np.bincount(labels, minlength=labels.max() + 1) * count / len(labels)
    quota = np.floor(exact).astype(int)
    quota[np.argsort(quota - exact, kind="stable")[: count - quota.sum()]] += 1
    rows = [generator.permutation(np.flatnonzero(labels == k))[: quota[k]] for k in range(len(quota))]
    return np.sort(np.concatenate(rows))


def idx(array: np.ndarray) -> bytes:
    """A uint8 array as an IDX file."""
    return bytes((0, 0, 8, array.ndim)) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


def pack(data: bytes) -> bytes:
    """The bytes gzipped, without a time or a name: by Zopfli where it is installed, 6 % smaller, in minutes."""
    if find_spec("zopfli"):
        from zopfli.gzip import compress

        return bytes(compress(data, numiterations=15))
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=buffer, mtime=0) as file:
        file.write(data)
    return buffer.getvalue()


def xrays(images: np.ndarray, labels: np.ndarray, count: int, seed: int) -> list[np.ndarray]:
    """`count` images (n, 28, 28) of a part of PneumoniaMNIST, by class; the order of the rows does not matter."""
    rows = zip(images, labels.tolist(), strict=True)
    digests = [hashlib.md5(image.tobytes() + bytes([label]), usedforsecurity=False).digest() for image, label in rows]
    order = np.array(sorted(range(len(digests)), key=digests.__getitem__))
    drawn = order[draw(labels[order], count, seed)]
    return [images[drawn[labels[drawn] == number]] for number in range(len(CLASSES))]


def sheet(images: np.ndarray) -> bytes:
    """A PNG of the images in rows of COLUMNS."""
    n, height, width = images.shape
    rows = images.reshape(n // COLUMNS, COLUMNS, height, width).swapaxes(1, 2)
    buffer = io.BytesIO()
    Image.fromarray(rows.reshape(-1, COLUMNS * width)).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def write(file: Path, data: bytes) -> None:
    """Writes a file, and prints its size."""
    file.write_bytes(data)
    print(f"{file}: {len(data):,} bytes")


def main(source: Path, destination: Path) -> None:
    """Writes the files of one of the samples."""
    destination.mkdir(parents=True, exist_ok=True)
    if source.suffix == ".npz":
        data = pneumonia_mnist(source)
        for part, (count, _) in COUNTS.items():
            whole = getattr(data, part)
            for label, images in zip(CLASSES, xrays(whole.x[..., 0], whole.y, count, PNEUMONIA_SEED), strict=True):
                write(destination / f"{part}_{label}.png", sheet(images))
        return
    for prefix, count in PARTS.items():
        names = (f"{prefix}-images-idx3-ubyte", f"{prefix}-labels-idx1-ubyte")
        images, labels = (
            read_idx(next(source / (name + end) for end in ("", ".gz") if (source / (name + end)).exists()))
            for name in names
        )
        rows = draw(labels, count, SEED)
        for name, array in zip(names, (images[rows], labels[rows]), strict=True):
            write(destination / f"{name}.gz", pack(idx(array)))


if __name__ == "__main__":
    name = "pneumonia_mnist" if sys.argv[1].endswith(".npz") else "mnist"
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else DESTINATION / name)
