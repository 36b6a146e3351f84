"""Data sets: known ones, and folders of images."""

from pyneural.datasets.image_folder import folder
from pyneural.datasets.mnist_files import mnist

__all__ = ["folder", "mnist"]
