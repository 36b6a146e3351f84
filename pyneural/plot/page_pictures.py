"""page_pictures.py -- the pictures of a page as small PNGs: plots for light and dark screens, images, and heat maps."""

import io
from collections.abc import Callable
from typing import Any

import numpy as np

from pyneural.arguments.arrays import Array
from pyneural.plot.heat_maps import OPACITY
from pyneural.plot.saved_plots import as_png

_SIDE = 160  # pixels of an image; larger ones are scaled
_COLOURS = 128  # of an image in colour, so that a page stays small
_LIGHT = {"figure.facecolor": "#ffffff", "axes.facecolor": "#ffffff"}
_DARK = {"figure.facecolor": "#1d2127", "axes.facecolor": "#1d2127", "savefig.facecolor": "#1d2127"} | {
    "grid.color": "#6b7480",
    "axes.edgecolor": "#aab2bd",
}


def for_light_and_dark(draw: Callable[[], Any]) -> tuple[bytes, bytes]:
    """A plot for light and for dark screens, in matplotlib's own style, whatever the user's is.

    Args:
        draw: draws it, and returns its Axes or an array of them.
    """
    import matplotlib.style as style

    with style.context(["default", _LIGHT]):
        light = as_png(draw())
    with style.context(["default", "dark_background", _DARK]):
        return light, as_png(draw())


def stacked(draw: Callable[[Any], Any], count: int) -> Any:
    """The Axes of a plot with several ones side by side, drawn one below the other.

    Args:
        draw: draws into the Axes that it is given.
        count: their number.
    """
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=(4.6, 3.0 * count), layout="constrained")
    return draw(figure.subplots(count, 1, squeeze=False)[:, 0])


class Gallery:
    """Images (n, height, width, 1 or 3) as PNGs; floats are scaled by the smallest and the largest of those shown."""

    def __init__(self, x: Array, rows: list[int]) -> None:
        self._x = x
        chosen = x[rows]
        self._low, self._high = (0.0, 255.0) if x.dtype == np.uint8 else (float(chosen.min()), float(chosen.max()))

    def image(self, row: int) -> bytes:
        """One of the images."""
        pixels = self._pixels(row)
        return _png(pixels[..., 0] if pixels.shape[2] == 1 else pixels)

    def under(self, values: Array, row: int) -> bytes:
        """One of the images under its heat map."""
        from matplotlib import colormaps

        covered = 255 * colormaps["inferno"](values)[..., :3]
        pixels = np.broadcast_to(self._pixels(row), covered.shape)
        return _png(np.rint((1 - OPACITY) * pixels + OPACITY * covered).astype(np.uint8))

    def _pixels(self, row: int) -> Array:
        shades = (self._x[row].astype(np.float64) - self._low) / ((self._high - self._low) or 1.0)
        found: Array = np.rint(255 * np.nan_to_num(shades).clip(0, 1)).astype(np.uint8)
        return found


def _png(pixels: Array) -> bytes:
    """The bytes of a PNG (height, width) or (height, width, 3), scaled to at most 160 pixels a side."""
    from PIL import Image

    image = Image.fromarray(np.ascontiguousarray(pixels))
    image.thumbnail((_SIDE, _SIDE))
    if image.mode == "RGB":
        image = image.quantize(_COLOURS, dither=Image.Dither.NONE)
    kept = io.BytesIO()
    image.save(kept, "PNG", optimize=True)
    return kept.getvalue()
