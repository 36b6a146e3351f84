"""digit.py -- converts an image of one digit, from a file, Pillow or an array, to MNIST's format."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard

import numpy as np
import numpy.typing as npt

import pyneural._core as _core
from pyneural.arguments.arrays import Array
from pyneural.arguments.checks import warn
from pyneural.arguments.objects import refuse_masked
from pyneural.arguments.spelling import check_keywords
from pyneural.images.files import opened
from pyneural.images.modes import plain

if TYPE_CHECKING:
    from PIL.Image import Image

    Picture = str | Path | Image | npt.ArrayLike


DOUBTS = {
    "touches": "the ink touches the border of the image, so part of the digit may be missing: leave a margin around "
    "the digit",
    "several": "there are several marks in the image, and the largest was taken: crop the image to one digit",
    "faint": "the ink hardly stands out from the paper, its lines or its shadows: use a darker pen, or more even light",
}
"""Reasons why a digit may be wrong, each by the engine's name."""


@dataclass(frozen=True)
class Preparation:
    """A digit in MNIST's format, and how it was converted; `print` shows that in one line.

    Attributes:
        digit: uint8 (28, 28, 1), light on dark.
        inverted: whether it was dark on light.
        transparent: whether it had transparent pixels, which were laid over a background.
        uneven: whether the background was uneven, as in a photograph, and was divided out.
        contrast: how much the ink differs from its background, 0 to 1: 1 is black ink on paper, or white on black.
        box: (top, left, height, width) of the ink in the image, in pixels.
        place: (row, column, rows, columns) of the ink in the digit, at most 20 x 20.
        warnings: reasons why the digit may be wrong, one sentence each: ink touches the border, there are several
            marks, or the ink is faint.
    """

    digit: Array = field(repr=False)
    inverted: bool
    transparent: bool
    uneven: bool
    contrast: float
    box: tuple[int, int, int, int]
    place: tuple[int, int, int, int]
    warnings: tuple[str, ...]

    def __str__(self) -> str:
        top, left, height, width = self.box
        _, _, rows, columns = self.place
        done = ["laid over a background"] if self.transparent else []
        done += ["inverted (it was dark on light)"] if self.inverted else []
        done += ["divided by its uneven background"] if self.uneven else []
        done += [f"cropped to the ink, {width} x {height} pixels at ({left}, {top})", f"scaled to {columns} x {rows}"]
        return "; but ".join([", ".join([*done, "centred by its mass in 28 x 28"]), *self.warnings])


@check_keywords(path="image", x="image")
def prepare_digit(image: "Picture") -> Array:
    """Converts an image of one digit to MNIST's format: light on dark, in a 20 x 20 box, its mass centred in 28 x 28.

    Drawings, scans and photographs are taken, dark on light or light on dark. The steps:

    1. Transparent pixels are laid over a background that keeps the ink visible; colours become grey levels; a
       dark-on-light image is inverted.
    2. The background is taken off. If it has one shade, that is found by Otsu's threshold (1979). Else the image is a
       photograph: ink is removed from a reduced copy by morphological reconstruction (Vincent, 1993), which keeps
       shadows and gradients, as these reach the border; the mean of what remains nearby is the local background
       (Gatos, Pratikakis and Perantonis, 2006). The contrast of a pixel is (level - background) / (255 - background),
       so it does not depend on the light.
    3. The ink is divided into connected marks. The digit is the strongest mark, and marks near it, such as a detached
       bar of a 5. Lines across the page and specks are dropped.
    4. The digit is cropped, scaled with averaging to a box of 20 x 20, and moved by whole pixels (LeCun et al., 1998).

    Args:
        image: the path of an image file, a Pillow image, or an array (height, width) or (height, width, channels) of 1
            to 4 channels: uint8 from 0 to 255, bool, or floats from 0 to 1.

    Returns:
        uint8 (28, 28, 1).

    Raises:
        ValueError: it is not an image, it is blank, or nothing on it stands out.
        TypeError: it is of another type.

    Warns:
        UserWarning: the digit may be wrong: ink touches the border, there are several marks, or the ink is faint.
            `examine_digit` returns these warnings instead.

    >>> page = np.full((200, 100), 255, "uint8")
    >>> page[40:160, 45:55] = 0
    >>> prepare_digit(page).shape
    (28, 28, 1)
    """
    done = examine_digit(image)
    for text in done.warnings:
        warn(f"prepare_digit: {text}")
    return done.digit


@check_keywords(path="image", x="image")
def examine_digit(image: "Picture") -> Preparation:
    """Like `prepare_digit`, but also reports what it did, and returns warnings instead of raising them.

    >>> page = np.full((200, 100), 255, "uint8")
    >>> page[40:160, 45:55] = 0
    >>> print(examine_digit(page))
    inverted (it was dark on light), cropped to the ink, 10 x 120 pixels at (45, 40), scaled to 2 x 20, \
centred by its mass in 28 x 28
    """
    try:
        digit, did = _core.prepare_digit(_pixels(image))
    except ValueError as error:
        if not isinstance(image, str | Path) or str(image) in str(error):
            raise
        raise ValueError(f"{error} (in '{image}')") from None
    return Preparation(
        digit=digit,
        inverted=did["inverted"],
        transparent=did["transparent"],
        uneven=did["uneven"],
        contrast=did["contrast"],
        box=did["box"],
        place=did["place"],
        warnings=tuple(text for name, text in DOUBTS.items() if did[name]),
    )


def _pixels(image: "Picture") -> Array:
    """The pixels as the engine takes them: uint8 (height, width) or (height, width, channels)."""
    if isinstance(image, str | Path):
        with opened(image, "prepare_digit") as picture:  # inside, because damage shows when the pixels are read
            return _of_pillow(picture)
    if _is_pillow(image):
        return _of_pillow(image)
    refuse_masked("prepare_digit: image", image)
    return _of_numbers(np.asarray(image))


def _is_pillow(image: object) -> "TypeGuard[Image]":
    return hasattr(image, "convert") and hasattr(image, "getbands")  # a check that does not import Pillow


def _of_pillow(image: "Image") -> Array:
    return _of_numbers(np.asarray(image if image.mode == "F" else plain(image)))


def _of_numbers(values: Array) -> Array:
    if values.dtype == np.uint8:
        return values
    if values.dtype == np.bool_:
        return values.astype(np.uint8) * np.uint8(255)
    if values.ndim < 2 or values.size == 0 or values.dtype.kind not in "iuf":
        return values  # the engine raises the error
    low, high = float(values.min()), float(values.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ValueError("prepare_digit: the image contains NaN or infinity")
    most = _full_scale(values, high)
    if low < 0 or high > most:
        raise ValueError(
            f"prepare_digit: the image is {values.dtype} and ranges from {low:g} to {high:g}; "
            "give 0 to 255, or floats from 0 to 1"
        )
    scaled = values * (255.0 / most)
    return np.rint(scaled, out=scaled).astype(np.uint8)


def _full_scale(values: Array, high: float) -> float:
    """The value of white."""
    if values.dtype.kind == "f":
        return 1.0 if high <= 1 else 255.0
    return 255.0 if high <= 255 else 65535.0
