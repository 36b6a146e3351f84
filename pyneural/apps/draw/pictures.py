"""pictures.py -- the body of a request as an image: a PNG, a JPEG, or raw pixels."""

import base64
import math
import threading
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from pyneural.apps.draw.safety import RefusedError
from pyneural.arguments.arrays import Array
from pyneural.images.files import TooLargeError, unread

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_PIXELS = 25_000_000
"""The most pixels that are decoded: 5000 x 5000.  A PNG of 75 kB may unpack to as many."""
_FORMATS = {b"\x89PNG\r\n\x1a\n": "PNG", b"\xff\xd8\xff": "JPEG"}
_SIDES = range(28, 1025)  # of raw squares
_decoders = threading.Semaphore(2)  # two images of MOST_PIXELS take 200 MB


def raw_square(body: bytes) -> Array | None:
    """Raw grey pixels, uint8 (n, n), if the body has n x n bytes; None for a PNG or JPEG.

    Raises:
        RefusedError: it is neither.
    """
    if not body:
        raise RefusedError(400, "the body is empty: send a PNG or JPEG, or n x n grey pixels, one byte each")
    if _format(body):
        return None
    side = math.isqrt(len(body))
    if side * side != len(body) or side not in _SIDES:
        raise RefusedError(
            415,
            f"the body of {len(body):,} bytes is neither a PNG or JPEG, nor n x n grey pixels, one byte each, "
            f"with n from {_SIDES[0]} to {_SIDES[-1]}",
        )
    return np.frombuffer(body, np.uint8).reshape(side, side)


def decoded(body: bytes, longest: int | None = None) -> "Image":
    """The image in the bytes of a PNG or JPEG file, decoded, upright.

    Args:
        body: the bytes.
        longest: the longer side that is needed: a JPEG is decoded at a reduced size if that suffices.

    Raises:
        RefusedError: it is neither, damaged, or has more than MOST_PIXELS.
    """
    from PIL import ImageOps

    kind = _format(body)
    if kind is None:
        raise RefusedError(415, "the body is neither a PNG nor a JPEG: convert the image to one of them")
    try:
        with _decoders:
            image = unread(BytesIO(body), longest, [kind])
            if image.width * image.height > MOST_PIXELS:
                raise TooLargeError(image.width * image.height)
            image.load()
            return ImageOps.exif_transpose(image)
    except TooLargeError as error:
        raise RefusedError(
            413, f"the image has {error.pixels:,} pixels, but at most {MOST_PIXELS:,} are decoded: scale it down first"
        ) from None
    except (OSError, SyntaxError, ValueError, EOFError, OverflowError) as error:  # Pillow's, for damaged files
        raise RefusedError(422, f"the {kind} is damaged: {error}") from None


def packed(pixels: Array) -> dict[str, Any]:
    """Pixels uint8 (height, width, channels) as JSON: the shape, and the bytes as base64, channel by channel."""
    planes = np.ascontiguousarray(pixels.transpose(2, 0, 1))
    return {"shape": list(planes.shape), "pixels": base64.b64encode(planes.tobytes()).decode()}


def _format(body: bytes) -> str | None:
    return next((name for magic, name in _FORMATS.items() if body.startswith(magic)), None)
