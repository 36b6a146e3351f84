"""files.py -- image files as pixels, with a clear error for anything wrong with one."""

import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from pyneural.arguments.arrays import Array
from pyneural.arguments.paths import readable
from pyneural.images.modes import WHITE, on_white, plain

if TYPE_CHECKING:
    from PIL.Image import Image


MOST_PIXELS = 1 << 26
"""The most pixels an image may have: 67 million, 8192 x 8192.  A file of 700 kB may unpack to gigabytes."""
_warnings_are_ours = threading.Lock()  # warning filters are global to the process


class TooLargeError(ValueError):
    """An image with too many pixels to decode."""

    def __init__(self, pixels: int) -> None:
        super().__init__(f"it has {pixels:,} pixels, but at most {MOST_PIXELS:,} are decoded: scale it down first")
        self.pixels = pixels


@contextmanager
def opened(path: str | Path, who: str) -> "Iterator[Image]":
    """Opens an image file and applies its EXIF orientation; read the pixels inside the `with` block.

    Args:
        path: the file's path.
        who: the prefix of messages, also of those that are raised inside the `with` block.

    Raises:
        OSError: there is no such file, or it is a folder, a pipe or a device.
        ValueError: it is empty, not an image, too large, or damaged.
    """
    from PIL import ImageOps, UnidentifiedImageError

    source = readable(who, path, "an image file, such as a PNG or JPEG")
    if not source.stat().st_size:
        raise ValueError(f"{who}: '{source}' is empty; give a PNG or JPEG")
    try:
        with unread(source) as image:
            ImageOps.exif_transpose(image, in_place=True)
            yield image
    except UnidentifiedImageError:
        raise ValueError(f"{who}: '{source}' is not an image that Pillow can read; give a PNG or JPEG") from None
    except Exception as error:  # Pillow may raise any exception for damaged files
        if str(error).startswith(who):  # raised in the `with` block, about the image
            raise
        raise ValueError(f"{who}: '{source}' cannot be read: {error or type(error).__name__}") from None


def unread(source: Path | BinaryIO, longest: int | None = None, formats: list[str] | None = None) -> "Image":
    """Opens an image file without decoding its pixels yet; for a `with` statement.

    Args:
        source: the file.
        longest: the longer side that is needed: a JPEG is decoded at a reduced size if that suffices.
        formats: Pillow's names of the formats to try, such as "PNG"; None: all.

    Raises:
        TooLargeError: it has more than MOST_PIXELS.
        OSError, SyntaxError: raised by Pillow for damaged files, and for files that are not images.
    """
    from PIL import Image

    try:
        with _warnings_are_ours, warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(source, formats=formats)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        count = re.search(r"\((\d+) pixels\)", str(error))
        if count is None or int(count[1]) <= MOST_PIXELS:  # the user lowered Pillow's own limit
            raise OSError(str(error)) from None
        raise TooLargeError(int(count[1])) from None
    if longest is not None:
        image.draft(None, (longest, longest))
    if image.width * image.height > MOST_PIXELS:
        image.close()
        raise TooLargeError(image.width * image.height)
    return image


def pixels(file: Path, shape: tuple[int, int] | None, channels: int | None, white: int = WHITE) -> Array:
    """The pixels of an image file, uint8 (height, width, 1 or 3).

    Args:
        file: the file.
        shape: (height, width) to scale it to, or None.
        channels: 1 or 3; None: 1 if it is grey.
        white: the value of white in 16-bit images.
    """
    return pixels_and_depth(file, shape, channels, white)[0]


def pixels_and_depth(
    file: Path, shape: tuple[int, int] | None, channels: int | None, white: int = WHITE
) -> tuple[Array, int]:
    """The pixels of an image file, and the largest value of a 16-bit image before its conversion, else 0."""
    from PIL import ImageOps

    with unread(file, None if shape is None else max(shape)) as opened:
        ImageOps.exif_transpose(opened, in_place=True)
        largest = int(np.asarray(opened).max()) if opened.mode.startswith("I;16") else 0
        return fitted(opened, shape, channels, white), largest


def fitted(opened: "Image", shape: tuple[int, int] | None, channels: int | None, white: int = WHITE) -> Array:
    """The pixels of an open image, uint8 (height, width, 1 or 3); the arguments are those of `pixels`."""
    from PIL import Image

    image = on_white(plain(opened, white))
    if channels is not None:
        image = image.convert("L" if channels == 1 else "RGB")
    if shape is not None and image.size != (shape[1], shape[0]):
        image = image.resize((shape[1], shape[0]), Image.Resampling.BILINEAR)
    found = np.asarray(image)
    if found.ndim == 2:
        return found[..., None]
    grey = channels is None and np.array_equal(found[..., :2], found[..., 1:])
    return found[..., :1] if grey else found
