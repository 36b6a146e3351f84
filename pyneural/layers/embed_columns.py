"""embed_columns.py -- EmbedColumns: columns of a table that are numbers of categories, replaced by trained vectors."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

import pyneural._core as _core
import pyneural.ops as ops
from pyneural._core import Tensor
from pyneural.arguments.checks import Shape, whole
from pyneural.layers.layer import Layer
from pyneural.layers.operation import name_of

_EXACT = 1 << 24  # whole numbers up to this are exact in float32
_WIDEST = 600


def width(size: int) -> int:
    """The length of the vectors for a column of so many numbers: min(600, round(1.6 size^0.56)).

    The rule of fastai (Howard and Gugger, fastai: A Layered API for Deep Learning, 2020), found by experiment.

    >>> [width(size) for size in (2, 14, 100, 10_000)]
    [2, 7, 21, 278]
    """
    return min(_WIDEST, round(1.6 * math.pow(size, 0.56)))


class EmbedColumns(Layer):
    """Trained vectors in place of columns that are numbers of categories: (n, F) -> (n, F - k + sum of units).

    The other columns come first, in their order, and then the vectors of each given column.  The number 0 stands for
    unknown categories, which training never sees, so its vector starts and stays at zero.

    pn.fit puts it in front of a pn.Sequential that is not built yet, where a table has categories of more than 12
    values.

    Args:
        columns: the places of the columns of numbers, different ones from 0 on.
        sizes: for each of them, how many numbers it has: they run from 0 to size - 1.
        units: the length of the vectors of each; None is min(600, round(1.6 size^0.56)), the rule of fastai (Howard and
            Gugger 2020).

    >>> import pyneural as pn
    >>> model = pn.Sequential(pn.EmbedColumns([1], [20]), pn.Dense(2))
    >>> model.build((3,))
    >>> model[0].units, model[0].weight_1.shape, model[0].output.shape
    ((9,), (20, 9), (11,))
    """

    def __init__(
        self,
        columns: Sequence[int],
        sizes: Sequence[int],
        units: Sequence[int] | None = None,
        *,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self.columns = _numbers("columns", columns, least=0)
        self.sizes = _numbers("sizes", sizes)
        self.units = _numbers("units", [*map(width, self.sizes)] if units is None else units)
        if not self.columns or len(set(self.columns)) < len(self.columns):
            raise ValueError(f"EmbedColumns: columns is {columns!r}: give at least one column, and each once")
        if not len(self.columns) == len(self.sizes) == len(self.units):
            raise ValueError(
                f"EmbedColumns: {len(self.columns)} columns, {len(self.sizes)} sizes and {len(self.units)} units: give "
                "one size, and one number of units, for each column"
            )
        if max(self.sizes) > _EXACT:
            raise ValueError(f"EmbedColumns: sizes has {max(self.sizes):,}: at most {_EXACT:,} are exact in float32")

    def build(self, shape: tuple[int, ...]) -> None:
        """Declares the parameters for inputs (n, *shape)."""
        if len(shape) != 1:
            raise ValueError("it takes the rows of a table, (n, columns)")
        if max(self.columns) >= shape[0]:
            raise ValueError(f"columns has {max(self.columns)}, but x has {shape[0]} columns, numbered from 0")
        for column, size, units in zip(self.columns, self.sizes, self.units, strict=True):
            self.parameter(f"weight_{column}", (size, units), _zero_first)

    def call(self, x: Tensor, *, training: bool) -> Tensor:
        """Computes y, (n, F - k + sum of units), from x (n, F)."""
        edges = [-1, *sorted(self.columns), x.shape[1]]
        runs = [(low + 1, high) for low, high in pairwise(edges) if low + 1 < high]
        parts = [x[:, low:high] for low, high in runs]
        for column, size in zip(self.columns, self.sizes, strict=True):
            numbers = self._whole(x[:, column], column, size)
            parts.append(ops.take(getattr(self, f"weight_{column}"), numbers))
        return ops.concat(parts, axis=1) if len(parts) > 1 else parts[0]

    def _whole(self, x: Tensor, column: int, size: int) -> Tensor:
        """A column as int64.

        Raises:
            ValueError: it has numbers that are not whole, or not below its size.
        """
        numbers = x.detach()
        if x.is_shape_only or x.size == 0:
            return numbers.astype("int64")
        inside = ops.clip(numbers, 0.0, float(size - 1))
        if not _core.check_finite(numbers)[0]:
            found = inside.astype("int64")
            if ops.abs(numbers - found.astype(x.dtype)).max().item() == 0:
                return found
        raise ValueError(
            f"{name_of(self)}: column {column} of x must be whole numbers in 0..{size - 1}, unscaled, but runs from "
            f"{numbers.min().item():g} to {numbers.max().item():g}: pn.fit and pn.predict prepare tables so"
        )

    def flops(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """Multiplications and additions for one example."""
        return 0


def _zero_first(values: Tensor, seed: int, stream: str) -> None:
    """N(0, 0.01²), as in fastai, but 0 for the number 0."""
    _core.random_fill(values, "normal", 0.0, 0.01, seed, stream)
    filled = np.array(values.numpy())
    filled[0] = 0
    values.assign(filled)


def _numbers(what: str, values: Any, least: int = 1) -> tuple[int, ...]:
    if isinstance(values, str) or not hasattr(values, "__iter__"):
        raise TypeError(f"EmbedColumns: {what} is {values!r}: give a list of whole numbers, such as [3, 7]")
    return tuple(whole("EmbedColumns", what, one, least=least) for one in values)
