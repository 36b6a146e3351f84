"""statistics.py -- numbers that describe the pixels of an image, to tell whether it is like others."""

from typing import NamedTuple

import numpy as np

from pyneural.arguments.arrays import Array

CELLS = 8  # rows and columns of the maps, of images that have as many pixels
_DARK, _BRIGHT = 8, 247  # pixels below and above these count as black and as white
_LEAST = 0.5  # grey levels: smaller deviations are those of an image of one colour


def grid_of(shape: tuple[int, ...]) -> tuple[int, int]:
    """The rows and columns of the maps of images (height, width, ...)."""
    return min(CELLS, shape[0]), min(CELLS, shape[1])


class Described(NamedTuple):
    """What describes n images.

    tones has numbers, each (n,): mean and deviation of the grey levels; detail, the logarithm of the mean difference of
    neighbours in units of the deviation; black and white, the shares of pixels below 8 and above 247; and for three
    channels colour, the mean difference between the largest and the smallest channel.

    maps (n, 2, rows, columns) are two coarse maps per image.  The first has the mean of each cell, standardized over
    the image.  The second has the logarithm of the mean difference of neighbours, less its mean over the image.  Both
    are divided by the root of the number of cells.
    """

    tones: dict[str, Array]
    maps: Array


def described(images: Array, grid: tuple[int, int]) -> Described:
    """Describes images by their pixels.

    Args:
        images: uint8 (n, height, width, 1 or 3).
        grid: the rows and columns of the maps, at most the height and width of the images.
    """
    grey = _grey(images)
    steps = _steps(grey)
    deviation = grey.std(axis=(1, 2))
    tones = {
        "mean": grey.mean(axis=(1, 2)),
        "deviation": deviation,
        "detail": np.log((steps.mean(axis=(1, 2)) + 0.1 * _LEAST) / (deviation + _LEAST)),
        "black": (grey < _DARK).mean(axis=(1, 2)),
        "white": (grey > _BRIGHT).mean(axis=(1, 2)),
    }
    if images.shape[3] == 3:
        tones["colour"] = (images.max(axis=3) - images.min(axis=3)).mean(axis=(1, 2))
    light, detail = _means(grey, grid), np.log1p(_means(steps, grid))
    light -= light.mean(axis=(1, 2), keepdims=True)
    light /= np.maximum(light.std(axis=(1, 2), keepdims=True), _LEAST)
    detail -= detail.mean(axis=(1, 2), keepdims=True)
    return Described(tones, np.stack([light, detail], axis=1) / np.sqrt(grid[0] * grid[1]))


def _grey(images: Array) -> Array:
    """The mean of the channels, float32 (n, height, width)."""
    found: Array = images[..., 0].astype(np.float32) if images.shape[3] == 1 else images.mean(axis=3, dtype=np.float32)
    return found


def _steps(grey: Array) -> Array:
    """The mean absolute difference between each pixel and its neighbours to the right and below."""
    found = np.zeros_like(grey)
    found[:, :, :-1] += np.abs(np.diff(grey, axis=2))
    found[:, :-1] += np.abs(np.diff(grey, axis=1))
    return found / 2


def _means(grey: Array, grid: tuple[int, int]) -> Array:
    """The mean of each cell, (n, rows, columns)."""
    (rows, columns), (height, width) = grid, grey.shape[1:]
    tops, lefts = np.arange(rows) * height // rows, np.arange(columns) * width // columns
    sums = np.add.reduceat(np.add.reduceat(grey, tops, axis=1), lefts, axis=2)
    sizes = np.diff(np.append(tops, height))[:, None] * np.diff(np.append(lefts, width))
    found: Array = sums / sizes
    return found
