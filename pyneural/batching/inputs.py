"""inputs.py -- converts user inputs to the arrays that a model takes, or raises an error with the fix."""

from typing import Any, NoReturn

import numpy as np

import pyneural._core as _core
from pyneural.arguments.arrays import Array
from pyneural.arguments.objects import brief, inside
from pyneural.layers.dense import Dense, Embedding
from pyneural.layers.layer import Layer, walk
from pyneural.layers.operation import name_of
from pyneural.layers.reshaping import Flatten
from pyneural.models.ensemble import Ensemble
from pyneural.models.model import Model

_LARGE = 50  # larger numbers train badly without scaling
_SQUARED = 1e150  # numbers beyond this have no square in float64
_SECOND = {
    "fit": "data",
    "find_learning_rate": "data",
    "importance": "data",
    "evaluate": "data",
    "predict": "x",
    "classify": "image",
    "heat_map": "image",
    "calibrate": "validation",
    "choose_threshold": "validation",
    "record_pixels": "images",
    "unlike_training": "images",
}  # the argument after the model
_TRAIN = ("fit", "find_learning_rate")


def check_model(model: Any, who: str) -> None:
    """Rejects anything that is not a model, or for training an ensemble.

    Raises:
        TypeError: it is; the message says what it is.
    """
    if isinstance(model, Ensemble):
        if who in _TRAIN:
            raise TypeError(
                f"{who}: model is an ensemble: train its models, for model in ensemble: pn.{who}(model, data)"
            )
        return
    if not isinstance(model, Model):
        if isinstance(model, Layer):
            raise TypeError(
                f"{who}: model is the layer {name_of(model)}: put it into a model, pn.Sequential({model.kind})"
            )
        what = f"{model.__name__}, a class" if isinstance(model, type) else type(model).__name__
        fix = inside(model) or f"give a pn.Sequential or a pn.Model first: pn.{who}(model, {_SECOND[who]})"
        raise TypeError(f"{who}: model is {what}: {fix}")


def _one(model: Model | Ensemble) -> Model:
    """The model, or the first one of an ensemble, whose inputs all of them take."""
    return model[0] if isinstance(model, Ensemble) else model


def takes_images(model: Model | Ensemble) -> bool:
    """Whether the first layer that fixes the rank of its inputs needs (n, height, width, channels)."""
    for _, layer in walk(_one(model)):
        if layer.input_ndim == 3:
            return True
        if isinstance(layer, Dense | Flatten):
            return False
    return False


def numbered(model: Model | Ensemble, x: Array, who: str) -> Array:
    """The inputs; as floats if they are indices of a pn.Embedding, which are checked.

    Raises:
        ValueError: an index is out of range; the message says which.
    """
    if isinstance(model, Ensemble):
        found = [numbered(one, part, who) for one, part in zip(model, model.parts(x), strict=True)]
        return found[-1] if found[-1].shape == x.shape else np.concatenate(found, axis=1)  # each may know other words
    first = lookup(model)
    if first is None or not x.size or not np.isfinite(x).all():
        return x
    if x.dtype != np.uint8 and np.any(x != np.floor(x)):
        raise ValueError(
            f"{who}: x has {x[x != np.floor(x)][0]:g}, which is not a whole number, but {name_of(first)} takes the "
            f"numbers of words or classes, 0 to {first.vocabulary - 1}"
        )
    low, high = float(x.min()), float(x.max())
    if low < 0 or high >= first.vocabulary:
        fix = f"make it pn.Embedding({int(high) + 1}, {first.units})" if low >= 0 else "start at 0"
        raise ValueError(
            f"{who}: x has the numbers {low:g} to {high:g}, {name_of(first)} takes 0 to {first.vocabulary - 1}: {fix}"
        )
    return x.astype(model.dtype) if x.dtype == np.uint8 else x


def lookup(model: Model) -> Embedding | None:
    """The pn.Embedding that takes the inputs, if one comes first."""
    first = next((layer for _, layer in walk(model) if not isinstance(layer, Model | Flatten)), None)
    return first if isinstance(first, Embedding) else None


def fitted(model: Model | Ensemble, x: Array, who: str) -> Array:
    """The inputs in the shape that the model takes: greyscale images get a channel axis.

    Raises:
        ValueError: the shape does not fit; the message says how to fix it.
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
        if x.ndim == len(want):
            fix = f": scale it, for example with {_scaled(want)}" if len(want) == 3 else ""
            raise ValueError(f"{who}: the model was built for {what} {want}, this one is {x.shape}{fix}")
        raise ValueError(f"{who}: the model was built for {what} {want}, this data has {x.shape[1:]}")
    return x


def not_a_path(model: Model | Ensemble, x: Array, who: str) -> NoReturn:
    """Rejects inputs that are not numbers, often the path of an image."""
    shape = model.input_shape or ()
    fix = "give numbers"
    if x.ndim == 0 and len(shape) == 3:
        fix = f"give its pixels, {'pn.prepare_digit(path)' if model.card.prepare == 'digit' else _scaled(shape)}"
    raise TypeError(f"{who}: x is {brief(x.item()) if x.ndim == 0 else f'has dtype {x.dtype}'}: {fix}")


def _scaled(shape: tuple[int, ...]) -> str:
    """Code that converts an image file to an input of the model."""
    return f"PIL.Image.open(path).convert('{'RGB' if shape[2] == 3 else 'L'}').resize({shape[1::-1]})"


def _channels_last(x: Array, who: str) -> None:
    if x.ndim == 4 and x.shape[1] in (1, 3) and x.shape[3] not in (1, 2, 3, 4):
        raise ValueError(f"{who}: x is {x.shape}, which looks channels-first: use x.transpose(0, 2, 3, 1)")


def as_inputs(model: Model | Ensemble, x: Array, who: str, kind: str) -> Array:
    """Inputs for training, evaluation or prediction: `finite`, and valid indices if a pn.Embedding comes first."""
    return numbered(model, finite(model, x, who, kind), who)


def finite(model: Model | Ensemble, x: Array, who: str, kind: str) -> Array:
    """Inputs in the model's shape, uint8 or float, all finite.

    Args:
        model: the model.
        x: (n, ...) numbers.
        who: the prefix of messages.
        kind: the kind of preprocessing; float64 is kept if a mean is subtracted, else it becomes the model's dtype.

    Raises:
        ValueError: they do not fit the model; the message says why.
    """
    if isinstance(model, Ensemble) and (parts := model.parts(x))[0] is not x:
        return np.concatenate([finite(one, part, who, kind) for one, part in zip(model, parts, strict=True)], axis=1)
    x = fitted(model, x, who)
    if x.dtype == np.uint8:
        return np.ascontiguousarray(x)
    wide = kind != "none" and x.dtype == np.float64
    with np.errstate(over="ignore"):  # which is found below
        values = np.ascontiguousarray(x, "float64" if wide else model.dtype)
    count, first = _core.check_finite(values)
    if count:
        place = tuple(int(i) for i in np.unravel_index(first, x.shape))
        if np.isfinite(x[place]):
            raise ValueError(
                f"{who}: x has {count:,} values that float32 cannot hold, as {x[place]:g} at {place}: divide them by a "
                "constant, or make the model with dtype='float64'"
            )
        raise ValueError(
            f"{who}: x has {count:,} values that are NaN or infinite, the first at {place}: remove or fill them"
        )
    if wide:
        _check_squares(values, who)
    return values


def _check_squares(x: Array, who: str) -> None:
    """Refuses numbers whose squares, of which the deviation is made, overflow."""
    if x.size and max(-float(x.min()), float(x.max())) > _SQUARED:
        beyond = np.abs(x) > _SQUARED
        place = tuple(int(i) for i in np.argwhere(beyond)[0])
        raise ValueError(
            f"{who}: x has {int(beyond.sum()):,} values beyond {_SQUARED:g}, as {x[place]:g} at {place}, whose squares "
            "overflow: divide them by a constant"
        )


def takes_numbers(model: Model) -> bool:
    """Whether the inputs are numbers of words, for a pn.Embedding."""
    return any(isinstance(layer, Embedding) for _, layer in walk(model))


def trouble_with_scale(model: Model, x: Array, kind: str) -> str:
    """What is wrong with large unscaled floats as inputs, which train badly, and the fix; "" if all is well.

    Args:
        model: the model.
        x: inputs (n, ...).
        kind: the kind of their preprocessing.
    """
    scaled = kind != "none" or model.card.preprocessing is not None
    if x.dtype == np.uint8 or scaled or not x.size or takes_numbers(model):
        return ""
    low, high = float(x.min()), float(x.max())
    if x.ndim == 4 and low >= 0 and 16 < high <= 255:
        return "x has float pixels 0..255, which train badly: keep uint8 (x.astype('uint8')), or divide by 255"
    if max(-low, high) <= _LARGE:
        return ""
    return (
        f"x runs from {low:.4g} to {high:.4g}, and large numbers train badly: preprocess='dataset' standardizes each "
        f"{'column' if x.ndim == 2 else 'channel'}, here and in pn.predict"
    )


def trouble_with_values(y: Array, fix: str) -> str:
    """What is wrong with large target values, which train slowly, and 0.0 and 1.0 alone, which are often classes.

    Args:
        y: targets.
        fix: what to do about large ones; "" if they are standardized.
    """
    low, high = float(y.min()), float(y.max())
    if (low, high) == (0, 1) and y.size == len(y) and bool(np.all((y == 0) | (y == 1))):
        return "y has floats 0 and 1, which are taken as regression targets: give y.astype(int) for two classes"
    if not fix or max(-low, high) <= _LARGE:
        return ""
    return f"y runs from {low:.4g} to {high:.4g}, and large targets train slowly: {fix}"
