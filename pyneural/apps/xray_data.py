"""xray_data.py -- the images that the chest X-ray detector trains on: a folder, or PneumoniaMNIST if there is none."""

from pathlib import Path

from pyneural.apps.xray_words import Lines
from pyneural.datasets.chest_xray_folder import chest_xray, in_words, is_there
from pyneural.datasets.dataset import Splits
from pyneural.datasets.pneumonia_mnist_file import pneumonia_mnist

_SIZE = 144  # of the images of a folder
_SMALL = 28  # of PneumoniaMNIST


def read_xrays(path: str | Path | None, size: int | None, lines: Lines) -> Splits:
    """The images of a path; of None, those of a folder, or if there is none, PneumoniaMNIST, whose note says so.

    Raises:
        ValueError, TypeError, OSError: they cannot be read.
    """
    if path is None and not is_there():
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
