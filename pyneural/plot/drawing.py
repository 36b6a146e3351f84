"""drawing.py -- the parts of pn.plot's figures: panels, grids of images, heat maps, curves, bars.

The colours are safe for colour-blind readers (Okabe and Ito 2008).  Messages start with `who`.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

import pyneural._core as _core
from pyneural.arguments.arrays import Array
from pyneural.arguments.checks import is_whole, whole
from pyneural.arguments.objects import refuse_masked
from pyneural.datasets.splits import Splits, as_dataset
from pyneural.metrics.estimate import Estimate

BLUE = "#0072B2"
ORANGE = "#E69F00"
RED = "#D55E00"
PALE = "#BBBBBB"
GREY = "#888888"  # of lines for comparison, which are seen on light and on dark ground
INK = "#222222"
_TRACK = "#EEEEEE"  # where a bar could be
_ON_DARK = {INK: "#EEEEEE", BLUE: "#56B4E9", _TRACK: "#333333"}  # what these are on dark ground
_TOP = 5  # the number of probabilities shown per prediction
_NAMED = 25  # up to this many classes, the cells of a confusion matrix show counts
_MARKED = 30  # up to this many epochs, each one is marked by a dot
_LETTER, _LINE = 0.085, 0.17  # the size of a letter and of a line in titles, in inches
_LARGE = 64  # images with more pixels per side are drawn larger


class Answer(NamedTuple):
    """A model's prediction for one image: words, their colour, and (name, probability, colour) of classes, in order."""

    words: str
    colour: str
    bars: list[tuple[str, float, str]]


def panels(ax: Any, heights: Sequence[float], widths: Sequence[float], who: str) -> Array:
    """Axes (rows, columns): those given, or new ones with these sizes in inches.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: the number of Axes is wrong.
    """
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError("plot needs matplotlib: run pip install '.[plot]' in the checkout") from error
    rows = len(heights)
    columns = len(widths)
    if ax is None:
        figure = plt.figure(figsize=(sum(widths), sum(heights)), layout="constrained")
        return np.asarray(figure.subplots(rows, columns, squeeze=False, width_ratios=widths, height_ratios=heights))
    given = _flat(ax)
    strange = [one for one in given if not (hasattr(one, "get_figure") and hasattr(one, "imshow"))]
    if strange:
        raise TypeError(
            f"plot.{who}: ax is or holds {type(strange[0]).__name__}: give Axes of matplotlib, as in plt.subplots(2)[1]"
        )
    if len(given) != rows * columns:
        raise ValueError(f"plot.{who}: ax is {len(given)} Axes, this plot has {rows * columns} ({rows} x {columns})")
    axes = np.empty(len(given), object)
    axes[:] = given
    return axes.reshape(rows, columns)


def _flat(ax: Any) -> list[Any]:
    """The Axes in an array or a nested list of them."""
    if isinstance(ax, np.ndarray | list | tuple):
        return [one for part in ax for one in _flat(part)]
    return [ax]


def as_array(what: str, value: Any, who: str) -> Array:
    """Converts images or labels to an array.

    Raises:
        TypeError, ValueError: it is not an array.
    """
    refuse_masked(f"plot.{who}: {what}", value)
    try:
        return value.numpy() if isinstance(value, _core.Tensor) else np.asarray(value)
    except ValueError as error:
        raise ValueError(f"plot.{who}: {what} is not one array: its rows differ in length: give rows alike") from error


def as_pair(x: Any, who: str) -> Any:
    """A Dataset of a pair (x, y); everything else as it is.

    Raises:
        TypeError: it is data in parts, or one example of a data set.
    """
    if isinstance(x, tuple) and len(x) == 2 and np.ndim(x[0]) > 1 and np.ndim(x[1]) == 0:
        raise TypeError(
            f"plot.{who}: an (image, label) such as data[0] is one example: give data[:1], or its image, data[0][0]"
        )
    if isinstance(x, Splits) or (isinstance(x, tuple) and len(x) == 2 and np.ndim(x[0]) > 1):
        return as_dataset(x, f"plot.{who}")
    return x


def pixels(x: Array, count: int, who: str) -> Array:
    """The first images, (n, height, width, 1 or 3)."""
    images = x[..., None] if x.ndim == 3 else x
    if images.ndim != 4 or images.shape[3] not in (1, 3) or not images.size or images.dtype.kind not in "biuf":
        raise ValueError(
            f"plot.{who}: x is {x.dtype} {x.shape}: give images (n, height, width) or (n, height, width, 1 or 3)"
        )
    return images[: whole(f"plot.{who}", "count", count)]


def panel_size(images: Array, titles: Sequence[str]) -> tuple[float, float]:
    """The width and height of an image with its title, in inches."""
    lines = [title.split("\n") for title in titles]
    longest = max(len(line) for title in lines for line in title)
    most = max(map(len, lines))
    side = 3.0 if len(images) == 1 else 2.0 if max(images.shape[1:3]) > _LARGE else 1.0
    wide = max(side, _LETTER * longest)
    shape = min(2.0, max(0.5, images.shape[1] / images.shape[2]))
    return wide, wide * shape + _LINE * most


def per_row(images: Array, titles: Sequence[str]) -> int:
    """The number of images that fit next to each other."""
    return max(1, int(10 / panel_size(images, titles)[0]))


def rows_of_versions(
    images: Array, titles: Sequence[str], count: int, columns: int | None, ax: Any, who: str
) -> tuple[int, int]:
    """The rows and columns of a grid whose rows show an image and versions of it."""
    if ax is not None:
        return 1, len(_flat(ax))
    if columns is None:
        columns = max(2, per_row(images, titles))
    columns = whole(f"plot.{who}", "columns", columns, ": an image and what becomes of it", least=2)
    return min(len(images), max(1, count // columns)), columns


def grid(images: Array, titles: Sequence[str], colours: Sequence[str], columns: int | None, ax: Any, who: str) -> Array:
    """Images with their titles, in Axes (rows, columns); unused Axes stay blank."""
    n = len(images)
    width, height = panel_size(images, titles)
    if columns is not None:
        columns = min(n, whole(f"plot.{who}", "columns", columns))
    if ax is not None:
        columns = n
    elif columns is None:
        columns = min(n, per_row(images, titles))
    axes = panels(ax, [height] * -(-n // columns), [width] * columns, who)
    low, high = (0.0, 255.0) if images.dtype == np.uint8 else (float(images.min()), float(images.max()))
    if images.dtype != np.uint8 and low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    if images.dtype != np.uint8 and images.shape[3] == 3:  # matplotlib ignores vmin and vmax for colour images
        images = (images - low) / (high - low or 1)
    smooth = "antialiased" if max(images.shape[1:3]) > _LARGE else "nearest"
    for axis, image, title, colour in zip(axes.flat, images, titles, colours, strict=False):
        axis.imshow(image, cmap="gray", vmin=low, vmax=high, interpolation=smooth)
        axis.set_title(title, fontsize=9, color=on_ground(colour, axis))
        axis.set(xticks=[], yticks=[])
    for axis in axes.flat[n:]:
        axis.axis("off")
    return axes


def on_ground(colour: str, axis: Any) -> str:
    """The colour, or one that is seen as well if the figure of the Axes is dark."""
    from matplotlib.colors import to_rgb

    return _ON_DARK.get(colour, colour) if sum(to_rgb(axis.figure.get_facecolor())) < 1.5 else colour


def filter_grid(images: Array, titles: Sequence[str], most: float, columns: int | None, ax: Any) -> Array:
    """Weights (n, height, width, 1 or 3) from -most to most, as images in Axes (rows, columns)."""
    if images.shape[3] == 3:
        return grid((images / most + 1) / 2, titles, [INK] * len(titles), columns, ax, "filters")
    axes = grid(images, titles, [INK] * len(titles), columns, ax, "filters")
    for axis in axes.flat[: len(images)]:
        axis.images[0].set(cmap="RdBu_r", clim=(-most, most))
    return axes


def heat_map(x: Array, ax: Any) -> Any:
    """One array (rows, columns) as a heat map with its scale."""
    rows, columns = x.shape
    values = np.asarray(x, float)
    if not np.isfinite(values).all():
        raise ValueError("plot.images: the array contains NaN or infinity")
    inch = 4.0 / max(rows, columns)
    axis = panels(ax, [max(2.0, rows * inch) + 0.5], [max(2.0, columns * inch) + 1.7], "images")[0, 0]
    most = float(np.abs(values).max()) or 1.0
    look: dict[str, Any] = {"cmap": "gray" if x.dtype == np.uint8 else "viridis"}
    if values.min() < 0:
        look = {"cmap": "RdBu_r", "vmin": -most, "vmax": most}
    stretched = max(rows, columns) > 4 * min(rows, columns)
    drawn = axis.imshow(values, aspect="auto" if stretched else "equal", interpolation="nearest", **look)
    for side in (axis.xaxis, axis.yaxis):
        whole_ticks(side)
    axis.set(xlabel="column", ylabel="row")
    _scale(axis, drawn, "")
    return axis


def confusion(counts: Array, names: Sequence[str], title: str, ax: Any) -> Any:
    """Counts (actual, predicted), coloured by the square root of their share of the row."""
    classes = len(counts)
    longest = max(map(len, names))
    side = max(2.0, 0.45 * min(classes, _NAMED))
    long = 0.06 * longest if longest > 3 else 0.0
    axis = panels(ax, [side + 1.1 + long], [side + 1.9 + long], "confusion")[0, 0]
    from matplotlib.colors import PowerNorm  # after panels, which raises the error if matplotlib is missing

    share = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    drawn = axis.imshow(share, cmap="Blues", norm=PowerNorm(0.5, 0, 100))
    axis.set(xlabel="predicted", ylabel="actual")
    axis.set_title(title, fontsize=10)
    _scale(axis, drawn, "share of the row (%)")
    if classes <= _NAMED:
        axis.set_xticks(range(classes), names, rotation=45 if long else 0, ha="right" if long else "center")
        axis.set_yticks(range(classes), names)
        for row, column in np.argwhere(counts):
            ink = "white" if share[row, column] > 35 else INK
            axis.text(column, row, f"{counts[row, column]:,}", ha="center", va="center", color=ink, fontsize=8)
    return axis


def _scale(axis: Any, drawn: Any, label: str) -> None:
    """A colour bar as high as the Axes."""
    axis.figure.colorbar(drawn, cax=axis.inset_axes((1.03, 0, 0.04, 1)), label=label)


def whole_ticks(side: Any) -> None:
    """Ticks of an x or y axis at whole numbers only."""
    from matplotlib.ticker import MaxNLocator

    side.set_major_locator(MaxNLocator("auto", integer=True, min_n_ticks=1))


def curve(axis: Any, values: Sequence[float], scale: float, colour: str, label: str) -> None:
    """One value per epoch; intervals are drawn as a band, or as an error bar if there is one epoch."""
    epochs = np.arange(1, len(values) + 1)
    heights = scale * np.array(values, float)
    colour = on_ground(colour, axis)
    axis.plot(epochs, heights, "o-" if len(values) <= _MARKED else "-", ms=4, color=colour, label=label)
    if all(isinstance(value, Estimate) for value in values):
        low, high = (scale * np.array([getattr(value, end) for value in values]) for end in ("low", "high"))
        if len(values) == 1:
            ends = np.stack([heights - low, high - heights])
            axis.errorbar(epochs, heights, ends, color=colour, capsize=4, label="95 % interval")
        else:
            axis.fill_between(epochs, low, high, color=colour, alpha=0.25, lw=0, label="95 % interval")


def bars_height(classes: int) -> float:
    """The height of the bars of a prediction, in inches."""
    return 0.1 + 0.3 * min(classes, _TOP)


def bars(axis: Any, answer: Sequence[tuple[str, float, str]]) -> None:
    """The highest probabilities of a prediction, each as a bar below its name and number."""
    for row, (name, share, colour) in enumerate(answer[:_TOP]):
        axis.barh(row, 1, height=0.24, color=on_ground(_TRACK, axis))
        axis.barh(row, share, height=0.24, color=on_ground(colour, axis))
        axis.text(0, row - 0.2, name, fontsize=8, ha="left", va="bottom")
        axis.text(1, row - 0.2, f"{100 * share:.1f} %", fontsize=8, ha="right", va="bottom")
    axis.set(xlim=(0, 1), ylim=(min(len(answer), _TOP) - 0.7, -0.9), xticks=[], yticks=[])
    axis.spines[:].set_visible(False)


def label_text(label: Any, classes: Sequence[str]) -> str:
    """A label for a title."""
    if is_whole(label) and 0 <= label < len(classes):
        return str(classes[int(label)])
    return f"{label:.3g}" if isinstance(label, float | np.floating) else str(label)
