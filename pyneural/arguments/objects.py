"""objects.py -- values that are not plain numbers: object arrays, missing values, masked values."""

from typing import Any

import numpy as np

_SHOWN = 60  # the most characters of a value in a message


def brief(value: Any) -> str:
    """A value for messages: as Python writes it if that is short, else its type, and its shape if it has one.

    >>> brief("relu"), brief(np.zeros((2, 40))), brief(int)
    ("'relu'", 'ndarray (2, 40)', 'the class int')
    """
    if isinstance(value, type):
        return f"the class {value.__name__}"
    shape = getattr(value, "shape", None)
    if not is_layer(value):
        text = repr(value)
        if len(text) <= _SHOWN and "\n" not in text:
            return text
    return type(value).__name__ + (f" {tuple(shape)}" if isinstance(shape, tuple) else "")


def is_layer(value: Any) -> bool:
    """Whether a value is a layer or a model, which can be called, but is not a function."""
    return hasattr(type(value), "takes_nodes")


def inside(value: Any) -> str:
    """For messages: where the model is in an estimator, pn.Classifier or pn.Regressor; "" for other objects."""
    if not type(value).__module__.startswith("pyneural.training.") or not hasattr(value, "get_params"):
        return ""
    return "give the model in it, its model_" + ("" if hasattr(value, "model_") else ", which it has once it is fitted")


def refuse_as_function(what: str, value: Any, fix: str) -> None:
    """Rejects what can be called but is not a function: a class, a layer, a model.

    Raises:
        TypeError: it is one of these.
    """
    if isinstance(value, type) or is_layer(value):
        raise TypeError(f"{what} is {brief(value)}: {fix}")


def missing_rows(array: Any) -> list[int]:
    """The flat indices of None, NaN, NaT and the NA of pandas."""
    if array.dtype.kind == "O":
        return [row for row, value in enumerate(array.flat) if is_missing(value)]
    return [int(row) for row in np.flatnonzero(array != array)]  # only NaN differs from itself


def are_numbers(array: Any) -> bool:
    """Whether all values of an object array are numbers."""
    return all(isinstance(value, int | float | np.number | np.bool_) for value in array.flat)


def is_missing(value: Any) -> bool:
    """Whether one value is missing."""
    if isinstance(value, str | bytes | int):
        return False
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    try:
        return bool(np.any(value != value))
    except Exception:  # a lazy frame, or another object that cannot be compared
        return False


def refuse_masked(what: str, values: Any) -> None:
    """Rejects masked arrays with masked values, also in lists: NumPy's asarray drops the mask.

    Raises:
        ValueError: values are masked; the message says how many, and where.
    """
    count, first = _masked(values)
    if count:
        name = what.split()[-1] if hasattr(values, "filled") else "array"
        raise ValueError(
            f"{what} has {count:,} masked values, the first at {first}: fill them, such as with {name}.filled(0), or "
            "remove those examples"
        )


def _masked(values: Any) -> tuple[int, tuple[int, ...]]:
    """The number of masked values, and the place of the first."""
    if isinstance(values, list | tuple):
        kinds = set(map(type, values))
        if not any(issubclass(kind, list | tuple) or hasattr(kind, "filled") for kind in kinds):
            return 0, ()
        found = [(row, *_masked(value)) for row, value in enumerate(values)]
        return sum(count for _, count, _ in found), next(((row, *at) for row, count, at in found if count), ())
    mask = np.asarray(getattr(values, "mask", False)) if hasattr(type(values), "filled") else None
    if mask is None or mask.dtype != np.bool_ or not mask.any():
        return 0, ()
    return int(mask.sum()), tuple(int(i) for i in np.argwhere(mask)[0])
