"""The names of the package.  Made from HOMES in __init__.py by tools/make_stubs.py."""

from pyneural.apps.digits_app import digits, digits_cnn, digits_mlp
from pyneural.apps.table_app import train_table
from pyneural.apps.train_app import image_cnn, table_mlp, train
from pyneural.apps.two_digits_app import two_digits, two_digits_cnn, two_digits_mlp
from pyneural.apps.xray_app import xray, xray_cnn

__all__ = [
    "digits",
    "digits_cnn",
    "digits_mlp",
    "image_cnn",
    "table_mlp",
    "train",
    "train_table",
    "two_digits",
    "two_digits_cnn",
    "two_digits_mlp",
    "xray",
    "xray_cnn",
]
