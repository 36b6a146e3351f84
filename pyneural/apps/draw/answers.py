"""answers.py -- what the model says of an image, as JSON: the answer, and what the network saw."""

import threading
from typing import TYPE_CHECKING, Any

import numpy as np

import pyneural._core as _core
from pyneural.apps.draw.json_answers import as_json
from pyneural.apps.draw.pictures import decoded, packed, raw_square
from pyneural.apps.draw.safety import MOST_BYTES, RefusedError
from pyneural.arguments.arrays import Array
from pyneural.batching.image_input import reads_images
from pyneural.card.preprocessing import Preprocessing
from pyneural.evaluation.drift import unlike_training
from pyneural.evaluation.facts import tasks_by_head
from pyneural.evaluation.heat_maps import heat_map
from pyneural.evaluation.predict import answered, checked_inputs, ready
from pyneural.images.digit import Preparation, examine_digit
from pyneural.images.files import fitted
from pyneural.images.modes import white_of
from pyneural.layers.activations import Activation
from pyneural.layers.convolution import Conv2D
from pyneural.layers.norms import BatchNorm
from pyneural.models.ensemble import Ensemble
from pyneural.models.model import Model

if TYPE_CHECKING:
    from PIL.Image import Image

SHOWS = ("input", "heat", "features")
"""What can be asked for beside the answer: the network's input, a heat map, the first feature maps."""
_MOST_MAPS = 32
_SMALL = 32  # pixels: occlusion takes 2 ms
_PAGE = 1024  # the longer side that a digit's preparation works on


class Reader:
    """Reads images with a model; any number of threads may use one.

    Args:
        model: a trained model of images.
        who: the prefix of messages.

    Raises:
        ValueError: the model does not take the pixels of image files.
    """

    most_bytes = MOST_BYTES  # of a request's body
    smaller = "a smaller image"

    def __init__(self, model: Model | Ensemble, who: str) -> None:
        if model.card.task is None or not reads_images(model):
            raise ValueError(
                f"{who}: the model does not take images as pixels (its inputs are {model.input_shape}): "
                "give a model that was trained on images, such as pyneural digits saves"
            )
        self.model = model
        self.is_for_digits = model.card.prepare == "digit"
        self._explaining = threading.Lock()  # a few at a time would only wait for each other
        self._features = _first_features(model)
        self.has_maps = self._features is not None

    def answer(self, body: bytes, shows: tuple[str, ...] = ()) -> dict[str, Any]:
        """The answer to the image in the body of a request, with the SHOWS that are asked for.

        Raises:
            RefusedError: it is not an image, or nothing is on it.
        """
        image, notes = self.read(body)
        return self.answer_to(image, shows, notes)

    def answer_to(self, image: Array, shows: tuple[str, ...], notes: tuple[str, ...] = ()) -> dict[str, Any]:
        """The answer to the model's input; `notes` are reasons why it may be wrong, to which more may be added."""
        found = self._predicted(image)
        (strange,) = unlike_training(self.model, image)
        if strange is not None:
            notes = (*notes, f"the image is unlike the training images: {strange}: do not trust the answer")
        if notes:
            found["notes"] = list(notes)
        if "input" in shows:
            found["input"] = packed(image)
        if "heat" in shows:
            found["heat"] = self.heat(image)
        if "features" in shows:
            found["features"] = self._maps(image)
        return found

    def read(self, body: bytes) -> tuple[Array, tuple[str, ...]]:
        """The model's input, uint8 (height, width, channels), and reasons why it may be wrong.

        Raises:
            RefusedError: the body is not an image, or nothing is on it.
        """
        raw = raw_square(body)
        if self.is_for_digits:
            try:
                done = _examined(body) if raw is None else examine_digit(raw)
            except ValueError as error:
                raise RefusedError(422, str(error).removeprefix("prepare_digit: ")) from None
            return done.digit, done.warnings
        assert self.model.input_shape is not None
        if raw is not None:
            height, width, _ = self.model.input_shape
            if (*raw.shape, 1) != self.model.input_shape:
                raise RefusedError(415, f"the model takes {height} x {width} pixels: send those, or a PNG or JPEG")
            return raw[..., None], ()
        return self.picture(body), ()

    def picture(self, body: bytes) -> Array:
        """The pixels of a PNG or JPEG at the model's size.

        Raises:
            RefusedError: the body is neither.
        """
        with decoded(body) as image:
            return self._fitted(image)

    def _fitted(self, image: "Image") -> Array:
        assert self.model.input_shape is not None
        height, width, channels = self.model.input_shape
        try:
            return fitted(image, (height, width), channels, white_of(self.model.card.prepare))
        except ValueError as error:
            raise RefusedError(422, str(error)) from None

    def heat(self, image: Array, label: str | None = None) -> dict[str, Any] | None:
        """Where the model sees evidence for a class, its answer if None, 0 to 255; None if nowhere."""
        method = "occlusion" if max(image.shape[:2]) <= _SMALL else "grad-cam"
        try:
            with self._explaining:
                found = heat_map(self.model, image, method=method, label=label, normalize=False)
        except (ValueError, TypeError):  # several heads, or no convolution
            return None
        most = found.max()
        if most <= 0:
            return None
        return packed(np.rint(np.maximum(found, 0) * (255 / most)).astype(np.uint8)[..., None])

    def _predicted(self, image: Array) -> dict[str, Any]:
        heads, preprocessing = ready(self.model, "predict")
        values = checked_inputs(self.model, image, preprocessing, "predict")
        outputs = answered(self.model, heads, preprocessing, values)  # without warnings, as the answer has notes
        return as_json(tasks_by_head(self.model), outputs if isinstance(outputs, dict) else {"": outputs}, 0)

    def _maps(self, image: Array) -> dict[str, Any] | None:
        """The first feature maps, each scaled to 0..255; None if the model does not begin with a convolution."""
        if self._features is None:
            return None
        rule = self.model.card.preprocessing or Preprocessing("none", "float")
        with _core.no_grad():
            batch = rule.gather(image.dtype, self.model.dtype)(_core.borrow(image[None]), _core.borrow(np.arange(1)))
            maps = self._features(batch).numpy()[0, :, :, :_MOST_MAPS]
        low, high = maps.min(axis=(0, 1)), maps.max(axis=(0, 1))
        scaled = (maps - low) * (255 / np.maximum(high - low, 1e-12))
        return packed(np.rint(scaled).astype(np.uint8))


def _examined(body: bytes) -> Preparation:
    with decoded(body, _PAGE) as image:
        return examine_digit(image)


def _first_features(model: Model | Ensemble) -> Model | None:
    """The first convolution with its norm and activation as a model; None if there is none at the beginning."""
    layers = list(model.layers) if isinstance(model, Model) else []
    if not layers or not isinstance(layers[0], Conv2D):
        return None
    count = 1
    while count < len(layers) and isinstance(layers[count], BatchNorm | Activation):
        count += 1
    return Model(model.input, layers[count - 1].output)
