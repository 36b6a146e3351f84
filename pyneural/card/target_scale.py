"""target_scale.py -- TargetScale: how the targets of a regression are standardized in training."""

from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

import pyneural._core as _core
from pyneural._core import Tensor
from pyneural.arguments.arrays import Array

_TINY = 1e3  # times the smallest normal number of a dtype: smaller deviations have no exact inverse


@dataclass(frozen=True)
class TargetScale:
    """The mean and the deviation of each target; outputs of the model are (target - mean) / deviation.

    Args:
        mean, deviation: one number per output.
    """

    mean: tuple[float, ...] = ()
    deviation: tuple[float, ...] = ()
    _made: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)  # what predict reuses

    @classmethod
    def learn(cls, y: Array, dtype: str) -> Self:
        """The scale of the targets (n, K), float64, of the training rows, for a model of a dtype.

        A constant target has the deviation 1.
        """
        mean, deviation = _core.moments(y)
        least = _TINY * float(np.finfo(dtype).tiny)
        return cls(tuple(map(float, mean)), tuple(float(one) if one > least else 1.0 for one in deviation))

    def as_json(self) -> dict[str, Any]:
        """All fields as JSON values."""
        return {"mean": list(self.mean), "deviation": list(self.deviation)}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Self:
        """The inverse of as_json.

        Raises:
            ValueError, KeyError, TypeError: the record is invalid.
        """
        made = cls(tuple(map(float, record["mean"])), tuple(map(float, record["deviation"])))
        numbers = np.array(made.mean + made.deviation)
        if not made.mean or len(made.mean) != len(made.deviation) or not np.isfinite(numbers).all():
            raise ValueError(f"target_scale {record} is invalid")
        if min(made.deviation) <= 0:
            raise ValueError(f"target_scale {record} is invalid: deviations are above 0")
        return made

    def standardized(self, y: Array, dtype: str) -> Array:
        """Targets (n, K), float64, as the model's outputs are to be."""
        found: Array = ((y - np.array(self.mean)) / np.array(self.deviation)).astype(dtype)
        return found

    def values(self, outputs: Tensor) -> Tensor:
        """The targets that outputs (n, K) of the model mean: outputs * deviation + mean."""
        mean, deviation = self._of(outputs.dtype)
        found: Tensor = outputs * deviation + mean
        return found

    def from_mean(self, outputs: Tensor) -> Tensor:
        """By how much these targets differ from their mean: outputs * deviation."""
        found: Tensor = outputs * self._of(outputs.dtype)[1]
        return found

    def in_deviations(self, differences: Tensor) -> Tensor:
        """Differences of targets (n, K), in units of their deviations."""
        found: Tensor = differences / self._of(differences.dtype)[1]
        return found

    def _of(self, dtype: str) -> tuple[Any, Any]:
        """Mean and deviation in the dtype of the outputs; plain numbers for one output."""
        if dtype not in self._made:
            pair = np.array(self.mean, dtype), np.array(self.deviation, dtype)
            self._made[dtype] = tuple(one.item() if one.size == 1 else _core.tensor(one) for one in pair)
        found: tuple[Any, Any] = self._made[dtype]
        return found

    def __str__(self) -> str:
        if len(self.mean) > 1:
            return "targets standardized"
        return f"targets standardized (mean {self.mean[0]:.4g}, std {self.deviation[0]:.4g})"
