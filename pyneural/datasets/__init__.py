"""Data sets: MNIST, Fashion-MNIST, chest X-rays, PneumoniaMNIST, folders of images, and .npz files."""

from typing import TYPE_CHECKING

from pyneural.arguments.familiar_modules import OF_DATA_FUNCTIONS
from pyneural.arguments.spelling import names_of
from pyneural.datasets.chest_xray_folder import chest_xray
from pyneural.datasets.image_folder import folder
from pyneural.datasets.mnist_files import fashion_mnist, mnist
from pyneural.datasets.npz_file import npz
from pyneural.datasets.pneumonia_mnist_file import pneumonia_mnist

__all__ = ["chest_xray", "fashion_mnist", "folder", "mnist", "npz", "pneumonia_mnist"]

if not TYPE_CHECKING:  # type checkers report wrong names by themselves
    __getattr__ = names_of("pyneural.datasets", __all__, OF_DATA_FUNCTIONS)
