"""modes.py -- converts Pillow's image modes to four: 8-bit greyscale or colour, with or without transparency."""

from typing import TYPE_CHECKING

import numpy as np

from pyneural.arguments.arrays import Array

if TYPE_CHECKING:
    from PIL.Image import Image

_ROWS = 256
_SEE_THROUGH = ("PA", "LA", "La", "RGBA", "RGBa")


def plain(image: "Image") -> "Image":
    """The image in mode L, RGB, LA or RGBA.

    In 16-bit modes (I;16), white is always 65535, so that all images of a set are scaled alike.  32-bit mode I defines
    no white: it is 255 if no pixel is larger, else 65535.

    Raises:
        ValueError: its pixels are floats.
    """
    from PIL import Image

    if image.mode == "F":
        raise ValueError("its pixels are floats; save it with 8 bits per channel")
    if image.mode.startswith("I"):  # Pillow clips these at 255
        return Image.fromarray(_eight_bits(np.asarray(image), image.mode))
    if image.mode in ("LA", "RGBA"):
        return image
    if image.mode in _SEE_THROUGH or "transparency" in image.info:
        return image.convert("RGBA")
    if image.mode in ("L", "RGB"):
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


def on_white(image: "Image") -> "Image":
    """An image of `plain` with transparent pixels laid over white; other images unchanged."""
    from PIL import Image

    if image.mode not in _SEE_THROUGH:
        return image
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


def _eight_bits(values: Array, mode: str) -> Array:
    """Greyscale with more bits, rounded to 8; some rows at a time, since a large image may leave little memory."""
    narrow = mode == "I" and values.size > 0 and values.max() <= 255
    found = np.empty(values.shape, np.uint8)
    for start in range(0, len(values), _ROWS):
        wide = values[start : start + _ROWS].astype(np.int32).clip(0, 255 if narrow else 65535)
        found[start : start + _ROWS] = wide if narrow else (wide + 128) // 257
    return found
