"""weights.py -- plots of what a model has learnt: the filters of its convolutions."""

from typing import Any

import numpy as np

import pyneural.plot.drawing as drawing
from pyneural.arguments.familiar_keywords import OF_PLOTS
from pyneural.arguments.spelling import check_keywords
from pyneural.layers.convolution import Conv2D
from pyneural.layers.layer import walk
from pyneural.models.model import Model


@check_keywords(**OF_PLOTS)
def filters(
    model: Model, layer: str | None = None, *, count: int = 64, columns: int | None = None, ax: Any = None
) -> Any:
    """The filters of a convolution, each as an image.

    All have one scale: 0 is white, positive weights are red, negative ones blue; of three input channels, the weights
    are colours, with grey for 0.  Of other numbers of channels, each channel of a filter is an image of its own.

    Args:
        model: a built model.
        layer: the name of a Conv2D; None: the first one.
        count: the number of images to draw.
        columns: images per row; None chooses.
        ax: Axes to draw into, one per image.

    Returns:
        The array of Axes (rows, columns).

    Raises:
        ValueError: the model has no such convolution.
        RuntimeError: the model is not built yet.

    >>> model = pn.Sequential(pn.Conv2D(8, 5), pn.Flatten(), pn.Dense(10))
    >>> model.build((28, 28, 1))
    >>> pn.plot.filters(model).shape
    (1, 8)
    """
    if not isinstance(model, Model):
        raise TypeError(f"plot.filters: model is {type(model).__name__}: give a model with a pn.Conv2D")
    convolutions = {name: one for name, one in walk(model) if isinstance(one, Conv2D)}
    if not convolutions:
        raise ValueError("plot.filters: the model has no Conv2D, so it has no filters")
    if layer is None:
        layer = next(iter(convolutions))
    if layer not in convolutions:
        raise ValueError(f"plot.filters: the model has no Conv2D {layer!r}: it has {', '.join(convolutions)}")
    if not model.is_built:
        raise RuntimeError("plot.filters: the model is not built yet: pn.fit(model, data) first, or model.build(shape)")
    weight = np.asarray(convolutions[layer].weight, np.float64)  # (height, width, C, K)
    if not np.isfinite(weight).all():
        raise ValueError(f"plot.filters: the weights of {layer} contain NaN or infinity")
    C, K = weight.shape[2:]
    images = np.moveaxis(weight, 3, 0)
    titles = [str(number) for number in range(K)]
    if C not in (1, 3):
        images = images.transpose(0, 3, 1, 2).reshape(K * C, *weight.shape[:2], 1)
        titles = [f"{number}, {channel}" for number in range(K) for channel in range(C)]
    shown = drawing.pixels(images, count, "filters")
    return drawing.filter_grid(shown, titles[:count], float(np.abs(weight).max()) or 1.0, columns, ax)
