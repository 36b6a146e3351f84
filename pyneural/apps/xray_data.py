"""xray_data.py -- the images that the chest X-ray detector trains on, and which of them validate each network."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from pyneural.apps.xray_words import Lines
from pyneural.arguments.arrays import Array
from pyneural.datasets.chest_xray_folder import chest_xray, folder_exists, in_words
from pyneural.datasets.dataset import Dataset
from pyneural.datasets.pneumonia_mnist_file import pneumonia_mnist
from pyneural.datasets.splits import Splits
from pyneural.datasets.splitting import fold_rows

_FOLDS = 8
_SIZE = 144  # of the images of a folder
_SMALL = 28  # of PneumoniaMNIST


def read_xrays(path: str | Path | None, size: int | None, lines: Lines) -> Splits:
    """The images of a path; of None, those of a folder, or if there is none, PneumoniaMNIST, whose note says so.

    Raises:
        ValueError, TypeError, OSError: they cannot be read.
    """
    if path is None and not folder_exists():
        lines.say("no folder of chest X-rays is given or found, so this run is on PneumoniaMNIST, 28 x 28 pixels")
        return _small(path, size)
    if path is not None and (str(path) == "sample" or str(path).endswith(".npz")):
        return _small(path, size)
    data = chest_xray(path, _SIZE if size is None else size, verbose=0)
    assert data.test is not None
    lines.say(in_words(data.train, data.test))
    return data


def _small(path: str | Path | None, size: int | None) -> Splits:
    """PneumoniaMNIST, with a note that is shown with every result."""
    if size not in (None, _SMALL):
        raise ValueError(
            f"xray: size is {size}, and the images of PneumoniaMNIST are {_SMALL} x {_SMALL}: leave it out"
        )
    data = pneumonia_mnist(path)
    for part in (data.train, data.validation, data.test):
        if part is not None and not part.note:
            part.note = f"PneumoniaMNIST, {_SMALL} x {_SMALL}"
    return data


class Division(NamedTuple):
    """The training images, and the numbers of those that are held out for validation, for one network after another."""

    images: Dataset
    held: list[Array]

    def parts(self, seed: int) -> tuple[Dataset, Dataset, Array]:
        """The training part and the validation part of the network with a seed, and the numbers of the latter."""
        rows = self.held[seed % len(self.held)]
        return self.images.take(np.setdiff1d(np.arange(len(self.images)), rows)), self.images.take(rows), rows

    def check(self, seeds: range) -> None:
        """Checks that each network trains on both classes, before the first one does.

        Raises:
            ValueError: all images of a class validate one of the networks.
        """
        for seed in seeds[: len(self.held)]:
            rest = np.delete(self.images.y, self.held[seed % len(self.held)])
            for number, name in enumerate(self.images.classes):
                if not np.any((rest == number) | (rest == name)):
                    count = int(np.sum((self.images.y == number) | (self.images.y == name)))
                    raise ValueError(
                        f"xray: all {count:,} images of {name} are in {self.fold(seed)}, which the network with seed "
                        f"{seed} is not trained on: give images of more patients with {name}"
                    )

    def fold(self, seed: int) -> str:
        """Which part of the training images that validation part is, in words."""
        if len(self.held) == 1:
            return "the validation part of the data"
        return f"fold {seed % len(self.held) + 1} of {len(self.held)} of the training images"


def divided(data: Splits, folds: int | None) -> Division:
    """The training images, divided into folds.

    Args:
        data: the data.  If it has a validation part, that is the one, but with `folds` it joins the training images.
        folds: how many; None for eight.

    Raises:
        ValueError: there are fewer groups than folds.
    """
    if data.validation is None:
        return Division(data.train, fold_rows(data.train, folds or _FOLDS, 0, "xray: folds"))
    train, held = data.train, data.validation
    x, y = np.concatenate([train.x, held.x]), np.concatenate([train.y, held.y])
    images = Dataset(x, y, classes=train.classes, name=train.name, note=train.note)
    if folds is None:
        return Division(images, [np.arange(len(train), len(images))])
    return Division(images, fold_rows(images, folds, 0, "xray: folds"))
