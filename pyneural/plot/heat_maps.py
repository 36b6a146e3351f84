"""heat_maps.py -- a plot of an image and where in it a model saw evidence for a class."""

from typing import Any

import numpy as np

import pyneural.plot.drawing as drawing
from pyneural.arguments.arrays import Array
from pyneural.arguments.checks import Pair
from pyneural.arguments.familiar_keywords import OF_HEAT_MAPS, OF_PLOTS
from pyneural.arguments.spelling import check_keywords
from pyneural.datasets.dataset import Dataset
from pyneural.evaluation.heat_maps import explained
from pyneural.evaluation.report import Report
from pyneural.models.ensemble import Ensemble
from pyneural.models.model import Model
from pyneural.plot.answers import answer_lines
from pyneural.plot.drawing import INK, RED
from pyneural.plot.explanations import Explanations

OPACITY = 0.55  # of the map, through which the image is still seen


@check_keywords(**OF_PLOTS | OF_HEAT_MAPS)
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
    ax: Any = None,
) -> Any:
    """An image, and beside it the same image under its heat map: bright where the model saw evidence for a class.

    The colours go from black, where the map is 0, over purple and orange to yellow, where it is 1; both are seen on
    light and on dark images.

    Args:
        model: a trained model of images, or a pn.Ensemble of them.
        image: one image as pn.heat_map takes it.
        method: "grad-cam" or "occlusion".
        label: the name or number of the class; None: the predicted one.
        head: the name of the head, if the model has several.
        layer: for Grad-CAM, the name of the layer whose output is the feature map; None: as in pn.heat_map.
        patch: for occlusion, the size in pixels, one number or (height, width); None: a seventh of the image.
        stride: the distance from one patch to the next; None: half a patch.
        ax: two Axes to draw into.

    Returns:
        The array of Axes (1, 2).

    Raises:
        RuntimeError, ValueError, TypeError: as in pn.heat_map.

    >>> data = pn.datasets.mnist("sample")
    >>> model = pn.Sequential(pn.Conv2D(4, 5, activation="relu"), pn.MaxPool2D(2), pn.Flatten(), pn.Dense(10))
    >>> history = pn.fit(model, data, epochs=1, verbose=0)
    >>> pn.plot.heat_map(model, data.test.x[0], label=7)[0, 1].get_title()
    'Grad-CAM for 7'
    """
    found = explained("plot.heat_map", model, image, method, label, head, layer, patch, stride, True)
    pixels = drawing.pixels(found.image, 1, "heat_map")
    name = f"{head} {found.label}" if head else found.label
    titles = ["image", f"{found.method} for {name}"]
    axes = drawing.grid(np.repeat(pixels, 2, axis=0), titles, [INK, INK], 2, ax, "heat_map")
    _cover(axes[0, 1], found.values)
    return axes


def explained_grid(found: Explanations, report: Report, part: Dataset) -> Any:
    """Examples of a report with their answers, and beside each its heat maps; returns the Axes (rows, 1 + maps).

    Args:
        found: the examples and their maps.
        report: the report.
        part: the images that it is of.
    """
    methods = list(dict.fromkeys(method for one in found.shown for method in one.maps))
    rows = [one.row for one in found.shown]
    pixels = drawing.pixels(
        np.repeat(part.x[rows], 1 + len(methods), axis=0), len(rows) * (1 + len(methods)), "heat_map"
    )
    titles, colours = [], []
    for row in rows:
        titles += ["\n".join(answer_lines(report, row)), *methods]
        colours += [INK if report.predictions[row] == report.labels[row] else RED, *[INK] * len(methods)]
    axes = drawing.grid(pixels, titles, colours, 1 + len(methods), None, "heat_map")
    for line, one in zip(axes, found.shown, strict=True):
        for axis, method in zip(line[1:], methods, strict=True):
            _cover(axis, one.maps[method])
    return axes


def _cover(axis: Any, values: Array) -> None:
    """Draws a map over the image of an Axes."""
    axis.imshow(values, cmap="inferno", vmin=0, vmax=1, alpha=OPACITY, interpolation="nearest")
