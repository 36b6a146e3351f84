"""The names of the package.  Made from HOMES in __init__.py by tools/make_stubs.py."""

from pyneural.datasets.chest_xray_folder import chest_xray
from pyneural.datasets.csv_file import csv
from pyneural.datasets.image_folder import folder
from pyneural.datasets.mnist_files import fashion_mnist, mnist
from pyneural.datasets.npz_file import npz
from pyneural.datasets.pneumonia_mnist_file import pneumonia_mnist
from pyneural.datasets.two_digits_pairs import two_digits

__all__ = [
    "chest_xray",
    "csv",
    "fashion_mnist",
    "folder",
    "mnist",
    "npz",
    "pneumonia_mnist",
    "two_digits",
]
