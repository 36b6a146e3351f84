"""files.py -- image files as pixels, and a sentence for whatever is wrong with one."""

import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pyneural.arguments.arrays import Array
from pyneural.images.modes import on_white, plain

if TYPE_CHECKING:
    from PIL.Image import Image


MOST_PIXELS = 1 << 26
"""How many pixels of an image are decoded: 67 million, 8192 x 8192.  A file of 700 kB may unpack to gigabytes."""
_warnings_are_ours = threading.Lock()  # the filters of warnings belong to the whole process


class TooLargeError(ValueError):
    """An image of more pixels than are decoded."""

    def __init__(self, pixels: int) -> None:
        super().__init__(f"it has {pixels:,} pixels, and at most {MOST_PIXELS:,} are decoded: scale it down first")


@contextmanager
def opened(path: str | Path, who: str) -> "Iterator[Image]":
    """The image in a file, turned as the camera says is up; for a `with`, in which its pixels are read.

    Args:
        path: of the file.
        who: opens the messages.

    Raises:
        OSError: there is no such file, or it is a folder.
        ValueError: it is empty, no image, too large, or damaged.
    """
    from PIL import ImageOps, UnidentifiedImageError

    source = Path(path)
    if not source.exists():
        raise FileNotFoundError(f"{who}: there is no file '{source}'")
    if source.is_dir():
        raise IsADirectoryError(f"{who}: '{source}' is a folder; give one image file")
    if not source.stat().st_size and source.is_file():
        raise ValueError(f"{who}: '{source}' is empty; give a PNG or JPEG")
    try:
        with unread(source) as image:
            ImageOps.exif_transpose(image, in_place=True)
            yield image
    except UnidentifiedImageError:
        raise ValueError(f"{who}: '{source}' is no image that Pillow can read; give a PNG or JPEG") from None
    except (OSError, SyntaxError, TooLargeError) as error:  # what Pillow makes of damaged files
        raise ValueError(f"{who}: '{source}' cannot be read: {error}") from None


def unread(source: Path, longest: int | None = None) -> "Image":
    """The image in a file, its pixels not yet decoded, which happens where they are used; for a `with`.

    Args:
        source: the file.
        longest: the longer side that is wanted: a JPEG is decoded at a fraction of its size, where that suffices.

    Raises:
        TooLargeError: it has more than MOST_PIXELS.
        OSError, SyntaxError: what Pillow makes of damaged files, and of files that are no images.
    """
    from PIL import Image

    try:
        with _warnings_are_ours, warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(source)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        count = re.search(r"\((\d+) pixels\)", str(error))
        if count is None or int(count[1]) <= MOST_PIXELS:  # somebody made Pillow's own limit smaller
            raise OSError(str(error)) from None
        raise TooLargeError(int(count[1])) from None
    if longest is not None:
        image.draft(None, (longest, longest))
    if image.width * image.height > MOST_PIXELS:
        image.close()
        raise TooLargeError(image.width * image.height)
    return image


def pixels(file: Path, shape: tuple[int, int] | None, channels: int | None) -> Array:
    """The pixels of an image file, uint8 (height, width, 1 or 3), scaled to (height, width) where a shape is given."""
    from PIL import Image, ImageOps

    with unread(file, None if shape is None else max(shape)) as opened:
        ImageOps.exif_transpose(opened, in_place=True)
        image = on_white(plain(opened))
        if channels is not None:
            image = image.convert("L" if channels == 1 else "RGB")
        if shape is not None and image.size != (shape[1], shape[0]):
            image = image.resize((shape[1], shape[0]), Image.Resampling.BILINEAR)
        pixels = np.asarray(image)
    if pixels.ndim == 2:
        return pixels[..., None]
    grey = channels is None and np.array_equal(pixels[..., :2], pixels[..., 1:])
    return pixels[..., :1] if grey else pixels
