"""Callbacks: code that pn.fit calls during training, `pn.fit(model, data, callbacks=[...])`.

A callback is a function of (epoch, logs), called after each epoch, or an instance of a class: one of those below, or a
subclass of Callback with any of the methods on_train_begin, on_epoch_begin, on_batch_end, on_epoch_end, on_train_end.
"""

from typing import TYPE_CHECKING

from pyneural.arguments.familiar_modules import OF_CALLBACKS
from pyneural.arguments.spelling import names_of
from pyneural.callbacks.callback import Callback, Run
from pyneural.callbacks.logs import LogFile, TensorBoard
from pyneural.callbacks.saving import Checkpoint
from pyneural.callbacks.stopping import EarlyStopping, ReduceLROnPlateau

__all__ = ["Callback", "Checkpoint", "EarlyStopping", "LogFile", "ReduceLROnPlateau", "Run", "TensorBoard"]

if not TYPE_CHECKING:  # type checkers report wrong names by themselves
    __getattr__ = names_of("pyneural.callbacks", __all__, OF_CALLBACKS)
