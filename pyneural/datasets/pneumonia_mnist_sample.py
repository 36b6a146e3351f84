"""pneumonia_mnist_sample.py -- the sample of PneumoniaMNIST in the package: one PNG for each part and class.

A PNG is a sheet of images of 28 x 28 pixels in rows of COLUMNS, read from left to right and from top to bottom.  Such
files are smaller than any .npz, show what they hold, and cannot have labels that belong to other images.
tools/make_sample.py draws them.
"""

from pathlib import Path

import numpy as np

from pyneural.arguments.arrays import Array
from pyneural.datasets.dataset import Dataset
from pyneural.datasets.mnist_files import SAMPLE, SAMPLE_NOTE
from pyneural.datasets.splits import Splits
from pyneural.images.files import pixels

CLASSES = ("NORMAL", "PNEUMONIA")
SIDE = 28
COLUMNS = 5
COUNTS = {"train": (600, 4708), "test": (200, 624)}  # of the sample, and of the official part


def sample_splits(name: str) -> Splits:
    """600 images to train on and 200 to test on, with interleaved classes; there is no validation part.

    Args:
        name: the name of the data.
    """
    made = {part: _part(SAMPLE / "pneumonia_mnist", part, name) for part in COUNTS}
    return Splits(made["train"], made["test"], name=name)


def _part(folder: Path, part: str, name: str) -> Dataset:
    groups = [_cut(pixels(folder / f"{part}_{label}.png", None, 1)[..., 0]) for label in CLASSES]
    x = np.concatenate(groups)
    y = np.repeat(np.arange(len(CLASSES)), [len(images) for images in groups])
    places = np.concatenate([(np.arange(len(images)) + 0.5) / len(images) for images in groups])
    order = np.argsort(places, kind="stable")  # so that every stretch of rows has both classes, in their proportion
    count, total = COUNTS[part]
    note = f"{SAMPLE_NOTE}: {count:,} of {total:,}"
    return Dataset(np.ascontiguousarray(x[order]), y[order], classes=CLASSES, name=name, note=note)


def _cut(sheet: Array) -> Array:
    """The images of a sheet, (n, 28, 28, 1)."""
    rows, columns = sheet.shape[0] // SIDE, sheet.shape[1] // SIDE
    return sheet.reshape(rows, SIDE, columns, SIDE).swapaxes(1, 2).reshape(-1, SIDE, SIDE, 1)
