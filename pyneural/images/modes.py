"""modes.py -- Pillow's many kinds of pixels as four: grey or coloured, with or without transparency, of 8 bits."""

from typing import TYPE_CHECKING

import numpy as np

from pyneural.arguments.arrays import Array

if TYPE_CHECKING:
    from PIL.Image import Image

_SEE_THROUGH = ("PA", "LA", "La", "RGBA", "RGBa")


def plain(image: "Image") -> "Image":
    """An image in mode L, RGB, LA or RGBA.

    Of 16 bits (modes I;16), 65535 is white, whatever an image holds, so that all images of a set are scaled alike.
    Integers of 32 bits (mode I) have no white of their own: 255 is white where none is larger, else 65535.

    Raises:
        ValueError: its pixels are floats.
    """
    from PIL import Image

    if image.mode == "F":
        raise ValueError("its pixels are floats; save it with 8 bits")
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
    """A plain image with transparent pixels laid over white; others as they are."""
    from PIL import Image

    if image.mode not in _SEE_THROUGH:
        return image
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


def _eight_bits(values: Array, mode: str) -> Array:
    """Grey of more bits, rounded to 8."""
    wide = values.astype(np.int64).clip(0, 65535)
    if mode == "I" and values.size and wide.max() <= 255:
        return wide.astype(np.uint8)
    return ((wide + 128) // 257).astype(np.uint8)
