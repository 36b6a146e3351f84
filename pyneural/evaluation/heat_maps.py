"""heat_maps.py -- heat_map: where in an image a model saw evidence for a class, by Grad-CAM or by occlusion."""

from contextvars import Context
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import pyneural._core as _core
from pyneural._core import Tensor
from pyneural.arguments.arrays import Array
from pyneural.arguments.checks import Pair, batched, flag, warn
from pyneural.arguments.familiar_keywords import OF_HEAT_MAPS
from pyneural.arguments.spelling import check_keywords, choose
from pyneural.batching.image_input import image_input, reads_images
from pyneural.card.mixed import prepared
from pyneural.evaluation.evidence import Score, score_of
from pyneural.evaluation.grad_cam import grad_cam, tapped_at
from pyneural.evaluation.heads import head_of, trained
from pyneural.evaluation.occlusion import Patches, occlusion, patches_of
from pyneural.evaluation.predict import checked_inputs, ready
from pyneural.images.digit import prepare_digit
from pyneural.models.ensemble import Ensemble
from pyneural.models.model import Model
from pyneural.models.tapped import Tapped

METHODS = {"grad-cam": "Grad-CAM", "occlusion": "occlusion"}


class HeatMap(NamedTuple):
    """A heat map (height, width), the image (1, height, width, ...) as it was given, and what the map explains."""

    values: Array
    image: Array
    label: str
    method: str


@check_keywords(**OF_HEAT_MAPS)
def heat_map(
    model: Model | Ensemble,
    image: Any,
    *,
    method: str = "grad-cam",
    label: str | int | None = None,
    head: str | None = None,
    layer: str | None = None,
    patch: Pair | None = None,
    stride: Pair | None = None,
    normalize: bool = True,
) -> Array:
    """Where in an image a trained model sees evidence for a class.

    Grad-CAM (Selvaraju et al. 2017) weights the channels A_k of a feature map by the mean gradient of the class's
    logit y, with respect to the Z pixels of the channel, and scales the result to the image bilinearly::

        map = relu(sum over k of a_k A_k),   a_k = 1/Z sum over pixels of dy / dA_k

    Occlusion (Zeiler and Fergus 2014) covers the image with a patch of its mean, at one place after another.  A pixel
    has the mean, over the patches that cover it, of how far the log odds of the class drop, log p - log(1 - p); they
    are used instead of p because p hardly changes if the model is sure.  The patch has the mean of the training
    data, or of the image if images were standardized each by itself or not at all.

    For values, and classes trained with mse, mae or huber, both explain the output itself.  For a model with
    test_time="flip", Grad-CAM is the mean of the image's map and the mirrored map of its mirror image, and occlusion
    uses the averaged probability.

    Grad-CAM suits networks that average the channels over the image, as pn.GlobalAvgPool2D does: before a pn.Flatten
    the gradient differs from pixel to pixel, and its mean may miss what matters, which occlusion finds.

    Args:
        model: a trained model of images, or a pn.Ensemble of them, whose map is the mean of its models' maps.
        image: one image as pn.predict takes it, or the path of an image file, which is scaled to the model's size.
        method: "grad-cam", which needs a convolution, or "occlusion".
        label: the name or number of the class; None: the predicted one.  For values, the number of the output.
        head: the name of the head, if the model has several.
        layer: for Grad-CAM, the name of the layer whose output is the feature map; None: the last one of the height
            and width of the last convolution's output, before any pooling.
        patch: for occlusion, the size in pixels, one number or (height, width); None: a seventh of the image.
        stride: the distance from one patch to the next; None: half a patch.
        normalize: whether the map is scaled to 0..1, where evidence against the class is 0; if not, Grad-CAM is in
            units of the logit, and occlusion in log odds, negative where covering raises them.

    Returns:
        The map (height, width), float32.

    Raises:
        RuntimeError: the model is not trained.
        ValueError, TypeError: the model does not take images or has no convolution, or an argument does not fit.

    >>> import pyneural as pn
    >>> data = pn.datasets.mnist("sample")
    >>> model = pn.Sequential(pn.Conv2D(4, 5, activation="relu"), pn.MaxPool2D(2), pn.Flatten(), pn.Dense(10))
    >>> history = pn.fit(model, data, epochs=1, verbose=0)
    >>> pn.heat_map(model, data.test.x[0]).shape
    (28, 28)
    >>> pn.heat_map(model, data.test.x[0], method="occlusion", label=3, patch=7).dtype
    dtype('float32')
    """
    found = explained("heat_map", model, image, method, label, head, layer, patch, stride, normalize)
    return found.values


def explained(
    who: str,
    model: Model | Ensemble,
    image: Any,
    method: str,
    label: str | int | None,
    head: str | None,
    layer: str | None,
    patch: Pair | None,
    stride: Pair | None,
    normalize: bool,
) -> HeatMap:
    """The result of heat_map, with the image and its label; messages start with `who`."""
    heads, preprocessing = ready(model, "heat_map")
    shown = choose(f"{who}: method", method, METHODS)
    flag(who, "normalize", normalize)
    cam = shown == "Grad-CAM"
    if cam and (patch, stride) != (None, None):
        raise ValueError(f"{who}: patch and stride are for method='occlusion': leave them out, or add it")
    if not cam and layer is not None:
        raise ValueError(f"{who}: layer is for method='grad-cam': leave it out")
    shape = model.input_shape or ()
    if len(shape) not in (2, 3):
        raise ValueError(f"{who}: the model takes inputs {batched(shape)}, but a heat map needs images")
    one = head_of(heads, head, who)
    models = tuple(model) if isinstance(model, Ensemble) else (model,)
    tapped = [tapped_at(each, one, layer, who) for each in models] if cam else []
    patches = patches_of(shape, patch, stride, who)
    given = _of_file(model, image, who) if isinstance(image, str | Path) else image
    x = checked_inputs(model, given, preprocessing, who)
    if len(x) != 1:
        raise ValueError(f"{who}: it takes one image, got {len(x):,}: give one of them, such as x[0]")
    with _core.no_grad():
        batch = preprocessing.gather(x.dtype, model.dtype)(_core.borrow(x), _core.borrow(np.arange(1)))
        score = score_of(one, label, model, batch, who)
    if cam:
        maps = [Context().run(_grad_cam, *pair, score, x, who) for pair in zip(models, tapped, strict=True)]
    else:
        maps = [_occlusion(each, score, x, patches) for each in models]
    values = np.mean(maps, axis=0)
    if not np.isfinite(values).all():
        raise ValueError(f"{who}: the model's outputs are NaN or infinite for this image: check its weights")
    return HeatMap(_normalized(values, who, score.label) if normalize else _single(values), x, score.label, shown)


def _prepared(model: Model, x: Array) -> Tensor:
    with _core.no_grad():
        return prepared(model.card.preprocessing, _core.borrow(x), model.dtype)


def _occlusion(model: Model, score: Score, x: Array, patches: Patches) -> Array:
    """The map of occlusion, for a score whose head may be that of an ensemble."""
    rule = model.card.preprocessing
    head = next(head for head in trained(model) if head.name == score.head.name)
    image = _prepared(model, x).numpy()[0]
    return occlusion(model, score._replace(head=head), image, rule is None or rule.kind == "none", patches)


def _grad_cam(model: Model, tapped: Tapped, score: Score, x: Array, who: str) -> Array:
    """The map of Grad-CAM; the mean over both sides if predictions are.  Called outside of any no_grad."""
    batch = _prepared(model, x)
    values = grad_cam(tapped, score, batch, who)
    if model.card.test_time is None:
        return values
    return np.asarray((values + grad_cam(tapped, score, batch[:, :, ::-1], who)[:, ::-1]) / 2)


def _of_file(model: Model | Ensemble, path: str | Path, who: str) -> Array:
    """The image in a file, as the model takes it."""
    if model.card.prepare == "digit":
        return prepare_digit(str(path))
    if not reads_images(model):
        raise TypeError(
            f"{who}: image is a path, but the model was not trained on uint8 images: give its numbers "
            f"{model.input_shape or ()}"
        )
    return image_input(model, path, who)[0]


def _normalized(values: Array, who: str, label: str) -> Array:
    """The map scaled to 0..1; all 0, with a warning, if nothing in it is positive."""
    most = values.max()
    if most <= 0:
        warn(f"{who}: nothing in the image speaks for {label}, so the map is 0 everywhere: try another method or label")
    return _single(np.maximum(values, 0) / (most if most > 0 else 1))


def _single(values: Array) -> Array:
    return np.ascontiguousarray(values, np.float32)
