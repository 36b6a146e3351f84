"""Data sets: MNIST, Fashion-MNIST, pairs of digits, chest X-rays, PneumoniaMNIST, folders, .npz and CSV files."""

from pyneural.arguments.familiar_modules import OF_DATA_FUNCTIONS
from pyneural.arguments.spelling import names_of
from pyneural.first_use import load_name

HOMES = {  # each name with its module, as in the package's own __init__.py
    "chest_xray": "chest_xray_folder",
    "csv": "csv_file",
    "fashion_mnist": "mnist_files",
    "folder": "image_folder",
    "mnist": "mnist_files",
    "npz": "npz_file",
    "pneumonia_mnist": "pneumonia_mnist_file",
    "two_digits": "two_digits_pairs",
}

__all__ = sorted(HOMES)


def __getattr__(name: str) -> object:
    if name in HOMES:
        return load_name(globals(), HOMES, name)
    return names_of("pyneural.datasets", HOMES, OF_DATA_FUNCTIONS)(name)


def __dir__() -> list[str]:
    return __all__
