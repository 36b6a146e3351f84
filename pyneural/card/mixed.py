"""mixed.py -- Mixed: the preprocessings of several models that take the same inputs."""

from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Self

import numpy as np

import pyneural._core as _core
import pyneural.ops as ops
from pyneural._core import Tensor
from pyneural.arguments.arrays import Array
from pyneural.card.preprocessing import Gather, Preprocessing


@dataclass(frozen=True)
class Mixed(Preprocessing):
    """The preprocessings of several models; batches are gathered as they were given, for each model to prepare.

    Args:
        members: those of the models, for inputs of the same dtype.
        widths: where a table becomes other numbers for each model, how many it has; else ().
    """

    members: tuple[Preprocessing, ...] = ()
    widths: tuple[int, ...] = ()

    @classmethod
    def of(cls, members: tuple[Preprocessing, ...], widths: tuple[int, ...] = ()) -> Self:
        """Their union; its kind is "none" if all are."""
        kinds = [one.kind for one in members if one.kind != "none"]
        return cls(kinds[0] if kinds else "none", members[0].dtype, members=members, widths=widths)

    def check_range(self, x: Array, dtype: str, who: str) -> None:
        """Rejects finite inputs that become infinite for one of the models."""
        for one, part in zip(self.members, self.parts(x), strict=True):
            one.check_range(part, dtype, who)
        if self.kind == "none" or all(one.kind != "none" for one in self.members) or x.dtype == np.uint8:
            return
        if _core.check_finite(x, float(np.finfo(dtype).max))[0]:  # float64, which models without a mean take as dtype
            raise ValueError(f"{who}: x has values that {dtype} cannot hold: divide them by a constant")

    def parts(self, x: Any) -> list[Any]:
        """For each model, its columns of a table as the numbers of all of them, side by side; else all of x."""
        if not self.widths or x.ndim != 2 or x.shape[1] != sum(self.widths):
            return [x] * len(self.members)
        ends = list(accumulate(self.widths))
        return [x[:, end - width : end] for end, width in zip(ends, self.widths, strict=True)]

    def gather(self, given: Any, dtype: str) -> Gather:
        """A function (x, rows) -> the rows as they were given."""
        return ops.take

    def __str__(self) -> str:
        words = dict.fromkeys(map(str, self.members))
        return f"{' or '.join(words)}, by each model"


def prepared(one: Preprocessing | None, x: Tensor, dtype: str) -> Tensor:
    """A batch as it was given, prepared for a model of a dtype."""
    rule = one or Preprocessing("none", "float")
    return rule.gather(np.dtype(x.dtype), dtype)(x, _core.borrow(np.arange(len(x))))
