"""Complete applications, one function each."""

from typing import TYPE_CHECKING

from pyneural.apps.digits_app import digits, digits_cnn, digits_mlp
from pyneural.apps.train_app import image_cnn, table_mlp, train
from pyneural.apps.xray_app import xray, xray_cnn
from pyneural.arguments.familiar_modules import OF_APPS
from pyneural.arguments.spelling import names_of

__all__ = ["digits", "digits_cnn", "digits_mlp", "image_cnn", "table_mlp", "train", "xray", "xray_cnn"]

if not TYPE_CHECKING:  # type checkers report wrong names by themselves
    __getattr__ = names_of("pyneural.apps", __all__, OF_APPS)
