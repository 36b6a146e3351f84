"""pixels.py -- what is kept of the pixels of the training images, to tell whether another image is like them."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np

from pyneural.arguments.arrays import Array

_UNIT = 10_000  # the maps are kept as whole numbers of a ten-thousandth, which are short in a file
_LARGEST = 10 * _UNIT  # of any number in the maps, by their definition
_MOST_CELLS, _MOST_DIRECTIONS = 64, 64
Whole = tuple[int, ...]


@dataclass(frozen=True)
class Pixels:
    """Statistics of training images; pyneural/evaluation/drift.py has the formulas.

    Args:
        count: the number of images.
        grid: the rows and columns of the maps.
        centre: the mean of their maps, flat, in ten-thousandths.
        directions: in which directions the maps vary, and by how much, flat, in ten-thousandths.
        ranges: by the name of a number about an image, its smallest and its largest expected value.
    """

    count: int
    grid: tuple[int, int]
    centre: Whole
    directions: tuple[Whole, ...]
    ranges: dict[str, tuple[float, float]]

    @cached_property
    def arrays(self) -> tuple[Array, Array]:
        """The centre (cells,) and the directions (count, cells), float32."""
        size = 2 * self.grid[0] * self.grid[1]
        directions = np.array(self.directions, np.float32).reshape(-1, size)
        return np.array(self.centre, np.float32) / _UNIT, directions / _UNIT

    def as_json(self) -> dict[str, Any]:
        """All fields as JSON values."""
        return {
            "count": self.count,
            "grid": list(self.grid),
            "centre": list(self.centre),
            "directions": list(map(list, self.directions)),
            "ranges": {name: list(limits) for name, limits in self.ranges.items()},
        }

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Self:
        """The inverse of as_json.

        Raises:
            ValueError, KeyError, TypeError: the record is invalid.
        """
        rows, columns = map(int, record["grid"])
        made = cls(
            int(record["count"]),
            (rows, columns),
            tuple(map(int, record["centre"])),
            tuple(tuple(map(int, one)) for one in record["directions"]),
            {str(name): (float(low), float(high)) for name, (low, high) in record["ranges"].items()},
        )
        size = 2 * rows * columns
        sizes = {len(made.centre), *map(len, made.directions)}
        if min(rows, columns) < 1 or rows * columns > _MOST_CELLS or sizes != {size}:
            raise ValueError(f"the maps of its training images are {sizes}, and their grid is {rows} x {columns}")
        if len(made.directions) > _MOST_DIRECTIONS:
            raise ValueError(f"the maps of its training images have {len(made.directions)} directions")
        if any(abs(value) > _LARGEST for one in (made.centre, *made.directions) for value in one):
            raise ValueError(f"the maps of its training images have numbers beyond {_LARGEST}")
        for name, (low, high) in made.ranges.items():
            if not (math.isfinite(low) and math.isfinite(high) and low <= high):
                raise ValueError(f"the range of '{name}' in its training images is {low:g} to {high:g}")
        return made


def whole(values: Array) -> Any:
    """Numbers as Pixels keeps them: tuples of whole numbers of a ten-thousandth."""
    rounded = np.rint(np.asarray(values, np.float64) * _UNIT).astype(int)
    return tuple(rounded.tolist()) if rounded.ndim == 1 else tuple(map(tuple, rounded.tolist()))
