"""ascii_art.py -- images as ASCII art, for terminals."""

from typing import Any

import numpy as np

import pyneural._core as _core
from pyneural.arguments.arrays import Array
from pyneural.arguments.checks import whole
from pyneural.arguments.objects import refuse_masked
from pyneural.arguments.spelling import check_keywords
from pyneural.printing import terminal_columns

_RAMP = " .:-=+*#%@"  # from dark to bright
_COLUMNS = 80
_GREY = {1: (1.0,), 3: (0.299, 0.587, 0.114)}  # the weight of each channel; ITU-R BT.601


@check_keywords(width="columns", size="columns")
def ascii(image: Any, *, columns: int | None = None) -> str:  # noqa: A001 -- users write pn.ascii
    """An image as ASCII art, for a terminal: bright pixels become dense characters.

    A character is twice as high as wide, so each pixel takes two of them, and 28 x 28 becomes 28 lines of 56.  A wider
    image is averaged down to `columns`.

    Args:
        image: one image, (height, width), (height, width, 1) or (height, width, 3): uint8 from 0 to 255, bool, or
            floats from 0 to 1; other ranges are rescaled, the minimum to 0 and the maximum to 1.
        columns: the maximum width, at least 2; None takes 80, or the width of the terminal if that is less.

    Returns:
        Lines of equal width, without a newline at the end.

    Raises:
        ValueError: it is not an image; the message says what was given.

    >>> print(ascii(np.array([[0, 128, 255], [255, 128, 64]], np.uint8)))
      ++@@
    @@++::
    """
    if columns is None:
        columns = max(2, min(_COLUMNS, terminal_columns() or _COLUMNS))
    columns = whole("ascii", "columns", columns, least=2)
    refuse_masked("ascii: image", image)
    light = _light(image.numpy() if isinstance(image, _core.Tensor) else np.asarray(image))
    height, width = light.shape
    wide = min(columns, 2 * width)
    lines = max(1, round(height * wide / (2 * width)))
    cells = _shares(height, lines) @ light @ _shares(width, wide).T
    steps = np.rint(cells * (len(_RAMP) - 1)).astype(int)
    return "\n".join("".join(_RAMP[step] for step in line) for line in steps)


def _light(x: Array) -> Array:
    """The image (height, width), from 0 to 1."""
    pixels = x[..., None] if x.ndim == 2 else x
    if pixels.ndim != 3 or pixels.shape[2] not in _GREY or not x.size or x.dtype.kind not in "biuf":
        fix = ", such as images[0]" if x.ndim in (3, 4) else ""
        raise ValueError(
            f"ascii: image is {x.dtype} {x.shape}: give one image, (height, width) or with 1 or 3 channels{fix}"
        )
    light = pixels.astype(np.float64) / (255 if x.dtype == np.uint8 else 1)
    if not np.isfinite(light).all():
        raise ValueError("ascii: the image contains NaN or infinity")
    low, high = light.min(), light.max()
    if low < 0 or high > 1:
        light = (light - low) / ((high - low) or 1)
    return np.asarray(light @ np.array(_GREY[pixels.shape[2]]))


def _shares(size: int, cells: int) -> Array:
    """(cells, size): the weight of each of `size` pixels in each of `cells` equal cells; rows sum to 1."""
    edges = np.arange(cells + 1) * (size / cells)
    covered = np.minimum(edges[1:, None], np.arange(size) + 1) - np.maximum(edges[:-1, None], np.arange(size))
    return np.asarray(np.clip(covered, 0, None) * (cells / size))
