"""modes.py -- converts Pillow's image modes to four: 8-bit greyscale or colour, with or without transparency."""

from typing import TYPE_CHECKING

import numpy as np

from pyneural.arguments.arrays import Array

if TYPE_CHECKING:
    from PIL.Image import Image

WHITE = 65535
"""White of 16 bits."""
WHITE_OF_12_BITS = 4095
TWELVE_BITS = "12-bit"
"""How a data set says, in `prepare`, that its 16-bit images have 12 bits."""
_ROWS = 256
_SEE_THROUGH = ("PA", "LA", "La", "RGBA", "RGBa")


def white_of(prepare: str) -> int:
    """The value of white in the 16-bit images of a data set, or of a model trained on it, by its `prepare`."""
    return WHITE_OF_12_BITS if prepare == TWELVE_BITS else WHITE


def plain(image: "Image", white: int = WHITE) -> "Image":
    """The image in mode L, RGB, LA or RGBA.

    In 16-bit modes (I;16), white is the same for all images of a set, whose values may have 12 bits.  32-bit mode I
    defines no white: it is 255 if no pixel is larger, else 65535.

    Raises:
        ValueError: its pixels are floats.
    """
    from PIL import Image

    if image.mode == "F":
        raise ValueError("its pixels are floats; save it with 8 bits per channel")
    if image.mode.startswith("I"):  # Pillow clips these at 255
        return Image.fromarray(_eight_bits(np.asarray(image), image.mode, white))
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


def _eight_bits(values: Array, mode: str, white: int) -> Array:
    """Greyscale with more bits, rounded to 8; some rows at a time, since a large image may leave little memory."""
    if mode == "I":
        white = 255 if values.size > 0 and values.max() <= 255 else WHITE
    found = np.empty(values.shape, np.uint8)
    for start in range(0, len(values), _ROWS):
        wide = values[start : start + _ROWS].astype(np.int32).clip(0, white)
        found[start : start + _ROWS] = (wide * 255 + white // 2) // white
    return found
