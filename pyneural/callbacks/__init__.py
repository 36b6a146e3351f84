"""Callbacks: code that pn.fit calls during training, `pn.fit(model, data, callbacks=[...])`.

A callback is a function of (epoch, logs), called after each epoch, or an instance of a class: one of those below, or a
subclass of Callback with any of the methods on_train_begin, on_epoch_begin, on_batch_end, on_epoch_end, on_train_end.
"""

from pyneural.arguments.familiar_modules import OF_CALLBACKS
from pyneural.arguments.spelling import names_of
from pyneural.first_use import load_name

HOMES = {  # each name with its module, as in the package's own __init__.py
    "Callback": "callback",
    "Checkpoint": "saving",
    "EarlyStopping": "stopping",
    "LogFile": "logs",
    "ReduceLROnPlateau": "stopping",
    "Run": "callback",
    "TensorBoard": "logs",
}

__all__ = sorted(HOMES)


def __getattr__(name: str) -> object:
    if name in HOMES:
        return load_name(globals(), HOMES, name)
    return names_of("pyneural.callbacks", HOMES, OF_CALLBACKS)(name)


def __dir__() -> list[str]:
    return __all__
