"""picture.py -- image files as Pillow opens them, and a sentence for whatever is wrong with one."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image


@contextmanager
def opened(path: str | Path, who: str) -> "Iterator[Image]":
    """The image in a file, turned as the camera says is up; for a `with`, in which its pixels are read.

    Args:
        path: of the file.
        who: opens the messages.

    Raises:
        OSError: there is no such file, or it is a folder.
        ValueError: it is empty, no image, or damaged.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    source = Path(path)
    if not source.exists():
        raise FileNotFoundError(f"{who}: there is no file '{source}'")
    if source.is_dir():
        raise IsADirectoryError(f"{who}: '{source}' is a folder; give one image file")
    if not source.stat().st_size and source.is_file():
        raise ValueError(f"{who}: '{source}' is empty; give a PNG or JPEG")
    try:
        with Image.open(source) as image:
            yield ImageOps.exif_transpose(image)
    except UnidentifiedImageError:
        raise ValueError(f"{who}: '{source}' is no image that Pillow can read; give a PNG or JPEG") from None
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:  # what Pillow makes of damaged files
        raise ValueError(f"{who}: '{source}' cannot be read: {error}") from None
