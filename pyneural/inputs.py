"""inputs.py -- inputs as they come, made into arrays as the model takes them, or refused with the fix."""

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from pyneural import _core
from pyneural.layer import walk
from pyneural.layers import Dense, Flatten
from pyneural.model import Model

Array = npt.NDArray[Any]
_SECOND = {"fit": "data", "evaluate": "data", "predict": "x", "classify": "image"}  # what stands beside the model


def check_model(model: Any, who: str) -> None:
    """Refuses what is no model.

    Raises:
        TypeError: it is none; says what it is.
    """
    if not isinstance(model, Model):
        what = f"{model.__name__}, a class" if isinstance(model, type) else type(model).__name__
        raise TypeError(
            f"{who}: model is {what}: give a pn.Sequential or a pn.Model first: pn.{who}(model, {_SECOND[who]})"
        )


def takes_images(model: Model) -> bool:
    """Whether the first layer that cares wants (n, height, width, channels)."""
    for _, layer in walk(model):
        if layer._wants == 3:
            return True
        if isinstance(layer, Dense | Flatten):
            return False
    return False


def fitted(model: Model, x: Array, who: str) -> Array:
    """The inputs in the shape the model takes: grey images get their axis of channels.

    Raises:
        ValueError: the shape is another one; says which, and what to do.
    """
    want = model.input_shape
    grey = want is not None and len(want) == x.ndim and want[-1] == 1 and x.shape[1:] == want[:-1]
    if grey or (want is None and x.ndim == 3 and takes_images(model)):
        x = x[..., None]
    if want is None:
        if takes_images(model):
            _channels_last(x, who)
        return x
    if x.shape[1:] != want:
        what = "images" if len(want) == 3 else "inputs"
        raise ValueError(f"{who}: the model was built for {what} {want}, this data has {x.shape[1:]}")
    return x


def _channels_last(x: Array, who: str) -> None:
    if x.ndim == 4 and x.shape[1] in (1, 3) and x.shape[3] not in (1, 2, 3, 4):
        raise ValueError(f"{who}: x is {x.shape}: channels look first; use x.transpose(0, 2, 3, 1)")


def checked(model: Model, x: Array, who: str) -> Array:
    """The inputs for training or predicting: fitted, of the model's dtype or uint8, without NaN and infinities."""
    x = fitted(model, x, who)
    if x.dtype == np.uint8:
        return np.ascontiguousarray(x)
    x = np.ascontiguousarray(x, model.dtype)
    count, first = _core.check_finite(x)
    if count:
        place = tuple(int(i) for i in np.unravel_index(first, x.shape))
        raise ValueError(
            f"{who}: x has {count:,} values that are NaN or infinite, the first at {place}: remove or fill them"
        )
    return x


def warn_of_pixels(x: Array) -> None:
    """Float pixels 0..255 train badly: a warning that names the fix."""
    if x.ndim == 4 and x.dtype != np.uint8 and x.size and x.min() >= 0 and 16 < x.max() <= 255:
        warnings.warn(
            "fit: x holds float pixels 0..255, which train badly: keep uint8 (x.astype('uint8')), or divide by 255",
            UserWarning,
            stacklevel=3,
        )
