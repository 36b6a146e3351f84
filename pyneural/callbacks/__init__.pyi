"""The names of the package.  Made from HOMES in __init__.py by tools/make_stubs.py."""

from pyneural.callbacks.callback import Callback, Run
from pyneural.callbacks.logs import LogFile, TensorBoard
from pyneural.callbacks.saving import Checkpoint
from pyneural.callbacks.stopping import EarlyStopping, ReduceLROnPlateau

__all__ = [
    "Callback",
    "Checkpoint",
    "EarlyStopping",
    "LogFile",
    "ReduceLROnPlateau",
    "Run",
    "TensorBoard",
]
