"""plain_labels.py -- which labels an estimator takes: text or numbers, also those in arrays of objects."""

from numbers import Real

import numpy as np

from pyneural.arguments.arrays import Array


def refuse_dates(what: str, values: Array) -> None:
    """Raises a TypeError if the values are dates or durations, whose numbers depend on their unit."""
    if values.dtype.kind in "mM":
        raise TypeError(f"{what} has dtype {values.dtype}: give numbers, such as the days since a date")


def plain_labels(who: str, y: Array) -> Array:
    """Labels of classes, those in an array of objects as numbers if all are numbers.

    Raises:
        TypeError: they are of several types, which have no order.
    """
    if y.dtype.kind != "O":
        return y
    kinds = {type(label): label for label in y.reshape(-1).tolist()}
    if all(issubclass(kind, str) for kind in kinds):
        return y
    found = np.array(y.tolist()) if all(issubclass(kind, Real | np.bool_) for kind in kinds) else y
    if found.dtype.kind not in "biuf":
        shown = " and ".join(f"{label!r} ({kind.__name__})" for kind, label in [*kinds.items()][:2])
        raise TypeError(f"{who}: y has labels such as {shown}: give all as text, or all as numbers")
    return found
