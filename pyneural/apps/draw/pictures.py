"""pictures.py -- the body of a request as an image: a PNG, a JPEG, or raw pixels."""

import base64
import math
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from pyneural.apps.draw.safety import RefusedError
from pyneural.arguments.arrays import Array
from pyneural.images.files import TooLargeError, unread
from pyneural.images.modes import plain

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_PIXELS = 25_000_000
"""The most pixels that are decoded: 5000 x 5000.  A PNG of 75 kB may unpack to as many."""
_FORMATS = {b"\x89PNG\r\n\x1a\n": "PNG", b"\xff\xd8\xff": "JPEG"}
_SIDES = range(28, 1025)  # of raw squares
_MOST_SCANS = 40  # of a JPEG: one of 100 kB may have hundreds, and each goes over all pixels; usual are 1 to 20
_MOST_SEGMENTS = 2000
_MARKER = re.compile(rb"\xff[^\x00\x01\xff\xd0-\xd8]")  # of a segment that has a length, or of the end
_SCAN, _END = 0xDA, 0xD9
_decoders = threading.Semaphore(2)  # two images of MOST_PIXELS take 300 MB


def raw_square(body: bytes) -> Array | None:
    """Raw grey pixels, uint8 (n, n), if the body has n x n bytes; None for a PNG or JPEG.

    Raises:
        RefusedError: it is neither.
    """
    if not body:
        raise RefusedError(400, "the body is empty: send a PNG or JPEG, or n x n grey pixels, one byte each")
    if _format(body):
        return None
    _check_form(body)
    side = math.isqrt(len(body))
    if side * side != len(body) or side not in _SIDES:
        raise RefusedError(
            415,
            f"the body of {len(body):,} bytes is neither a PNG or JPEG, nor n x n grey pixels, one byte each, "
            f"with n from {_SIDES[0]} to {_SIDES[-1]}",
        )
    return np.frombuffer(body, np.uint8).reshape(side, side)


def _check_form(body: bytes) -> None:
    """Refuses a form with the image in it, such as `curl -F` sends."""
    if body.startswith(b"--") and b"form-data" in body[:500]:
        raise RefusedError(415, "the body is a form: send the bytes of the image alone, curl --data-binary @image.png")


@contextmanager
def decoded(body: bytes, longest: int | None = None) -> "Iterator[Image]":
    """The image in the bytes of a PNG or JPEG file, decoded, upright; use it inside the `with` block.

    Two images at a time exist, however many are asked about, as small files may hold large ones.

    Args:
        body: the bytes.
        longest: the longer side that is needed: the image is reduced by a whole factor if that suffices.

    Raises:
        RefusedError: it is neither, damaged, or has more than MOST_PIXELS.
    """
    kind = _format(body)
    if kind is None:
        _check_form(body)
        raise RefusedError(415, "the body is neither a PNG nor a JPEG: convert the image to one of them")
    if kind == "JPEG" and not _is_usual(body):
        raise RefusedError(413, f"the JPEG has more than {_MOST_SCANS} scans: save it again as a usual JPEG")
    with _decoders:
        yield _opened(body, kind, longest)


def _opened(body: bytes, kind: str, longest: int | None) -> "Image":
    from PIL import ImageOps, UnidentifiedImageError

    try:
        image = unread(BytesIO(body), longest, [kind])
        if image.width * image.height > MOST_PIXELS:
            raise TooLargeError(image.width * image.height)
        image.load()
        factor = 1 if longest is None else max(image.size) // longest
        reduced = image if factor < 2 else plain(image).reduce(factor)
        return ImageOps.exif_transpose(reduced)
    except TooLargeError as error:
        raise RefusedError(
            413, f"the image has {error.pixels:,} pixels, but at most {MOST_PIXELS:,} are decoded: scale it down first"
        ) from None
    except UnidentifiedImageError:
        raise RefusedError(422, f"the {kind} is damaged: its beginning cannot be read") from None
    except MemoryError:
        raise
    except Exception as error:  # Pillow may raise any exception for damaged files
        raise RefusedError(422, f"the {kind} is damaged: {error}") from None


def _is_usual(body: bytes) -> bool:
    """Whether a JPEG has a usual number of segments, and of scans among them; read as decoders do, garbage included."""
    scans, at = 0, 2
    for _ in range(_MOST_SEGMENTS):
        found = _MARKER.search(body, at)
        if found is None or body[found.start() + 1] == _END:
            return scans <= _MOST_SCANS
        scans += body[found.start() + 1] == _SCAN
        at = found.end() + int.from_bytes(body[found.end() : found.end() + 2], "big")
    return False


def packed(pixels: Array) -> dict[str, Any]:
    """Pixels uint8 (height, width, channels) as JSON: the shape, and the bytes as base64, channel by channel."""
    planes = np.ascontiguousarray(pixels.transpose(2, 0, 1))
    return {"shape": list(planes.shape), "pixels": base64.b64encode(planes.tobytes()).decode()}


def _format(body: bytes) -> str | None:
    return next((name for magic, name in _FORMATS.items() if body.startswith(magic)), None)
