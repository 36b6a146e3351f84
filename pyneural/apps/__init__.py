"""The main jobs, one function each."""

from pyneural.apps.digits_app import digits, digits_cnn, digits_mlp

__all__ = ["digits", "digits_cnn", "digits_mlp"]
