"""occlusion.py -- occlusion: the drop of a score where a patch covers the image."""

from typing import NamedTuple

import numpy as np

from pyneural.arguments.arrays import Array
from pyneural.arguments.checks import Pair, both, pair
from pyneural.evaluation.evidence import Score, scores
from pyneural.evaluation.running import BATCH
from pyneural.models.model import Model

_AT_ONCE = 1 << 22  # the most numbers in a batch of occluded images


class Patches(NamedTuple):
    """The patches: their size, and the rows and columns at which they begin."""

    size: tuple[int, int]
    rows: list[int]
    columns: list[int]


def patches_of(shape: tuple[int, ...], size: Pair | None, stride: Pair | None, who: str) -> Patches:
    """The patches that cover every pixel; the last ones end at the border.

    Raises:
        ValueError: they are larger than the image, or leave pixels out.
    """
    sizes = (max(1, shape[0] // 7), max(1, shape[1] // 7)) if size is None else both(pair(who, "patch", size))
    steps = tuple(max(1, one // 2) for one in sizes) if stride is None else both(pair(who, "stride", stride))
    for one, step, length in zip(sizes, steps, shape, strict=False):
        if one > length:
            raise ValueError(f"{who}: patch is {size}, but the image is {shape[0]} x {shape[1]}: give a smaller one")
        if step > one:
            raise ValueError(
                f"{who}: stride is {stride}, so patches of {sizes[0]} x {sizes[1]} leave pixels out: give at most the "
                "size of a patch"
            )
    rows, columns = (
        sorted({*range(0, length - one + 1, step), length - one})
        for one, step, length in zip(sizes, steps, shape, strict=False)
    )
    return Patches(sizes, rows, columns)


def occlusion(model: Model, score: Score, x: Array, fill: bool, patches: Patches) -> Array:
    """The mean drop of the score, at each pixel of prepared x, over the patches that cover it.

    Args:
        model: the model.
        score: the score.
        x: (height, width, ...).
        fill: whether a patch has the mean of x; else 0, the mean in standardized images.
        patches: the patches, which cover every pixel.
    """
    height, width = patches.size
    mean = x.mean(axis=(0, 1)) if fill else np.zeros(x.shape[2:], x.dtype)
    whole = scores(model, score, x[None])[0]
    places = [(row, column) for row in patches.rows for column in patches.columns]
    total, count = np.zeros(x.shape[:2]), np.zeros(x.shape[:2])
    at_once = max(1, min(BATCH, _AT_ONCE // x.size))
    for start in range(0, len(places), at_once):
        some = places[start : start + at_once]
        covered = np.repeat(x[None], len(some), axis=0)
        for image, (row, column) in zip(covered, some, strict=True):
            image[row : row + height, column : column + width] = mean
        for drop, (row, column) in zip(whole - scores(model, score, covered), some, strict=True):
            total[row : row + height, column : column + width] += drop
            count[row : row + height, column : column + width] += 1
    return total / count
