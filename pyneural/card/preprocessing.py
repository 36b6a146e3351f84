"""preprocessing.py -- the preprocessing of inputs: chosen in fit, saved with the model, applied by predict."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Self

import numpy as np

import pyneural._core as _core
import pyneural.ops as ops
from pyneural._core import Tensor
from pyneural.arguments.arrays import Array
from pyneural.arguments.spelling import choose

Gather = Callable[[Tensor, Tensor], Tensor]
Moments = tuple[Sequence[float] | Array, Sequence[float] | Array]
_FLOAT64 = np.dtype(np.float64)
CHOICES = ("auto", "dataset", "image")


def decided(choice: str | None, dtype: str) -> str:
    """The kind of preprocessing that a choice means for inputs of a dtype.

    Raises:
        ValueError, TypeError: the choice is invalid.
    """
    kind = "none" if choice is None else choose("preprocess", choice, {name: name for name in CHOICES})
    return ("dataset" if dtype == "uint8" else "none") if kind == "auto" else kind


def kind_for(known: "Preprocessing | None", choice: str | None, dtype: str) -> str:
    """The kind of preprocessing that fit uses: that of the model, unless the user chooses another."""
    return decided(choice, dtype) if known is None or choice != "auto" else known.kind


@dataclass(frozen=True)
class Preprocessing:
    """The preprocessing of inputs.

    Args:
        kind: "dataset" ((x - mean) / deviation of the training set), "image" (of each image) or "none".
        dtype: the dtype of the inputs, "uint8" or "float".
        mean, deviation: one value per channel, for "dataset".
    """

    kind: str
    dtype: str
    mean: tuple[float, ...] = ()
    deviation: tuple[float, ...] = ()

    @classmethod
    def learn(cls, choice: str | None, dtype: str, shape: tuple[int, ...], moments: Callable[[], Moments]) -> Self:
        """The preprocessing that fit's `preprocess` means for the training inputs.

        Args:
            choice: "auto", "dataset", "image" or None.
            dtype: the dtype of the inputs.
            shape: the shape of one input, (..., channels).
            moments: returns the mean and the standard deviation of each channel; called only if needed.
        """
        kind = decided(choice, dtype)
        dtype = "uint8" if dtype == "uint8" else "float"
        if kind == "image" and len(shape) < 2:
            raise ValueError(
                f"fit: preprocess='image' needs images, x is {_rows(shape)}: use preprocess='dataset', or None"
            )
        if kind != "dataset":
            return cls(kind, dtype)
        mean, deviation = moments()
        return cls(kind, dtype, tuple(map(float, mean)), tuple(float(d) if d > 0 else 1.0 for d in deviation))

    def as_json(self) -> dict[str, Any]:
        """All fields as JSON values."""
        return vars(self) | {"mean": list(self.mean), "deviation": list(self.deviation)}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Self:
        """The inverse of as_json."""
        mean, deviation = tuple(map(float, record["mean"])), tuple(map(float, record["deviation"]))
        made = cls(str(record["kind"]), str(record["dtype"]), mean, deviation)
        if made.kind not in ("dataset", "image", "none") or made.dtype not in ("uint8", "float"):
            raise ValueError(f"preprocessing {record} is invalid")
        if len(mean) != len(deviation) or (made.kind == "dataset") != bool(mean) or not all(d > 0 for d in deviation):
            raise ValueError(f"preprocessing {record} is invalid")
        return made

    def check(self, dtype: str, who: str) -> None:
        """Rejects uint8 inputs if the model was trained on floats, and the other way round."""
        given = "uint8" if dtype == "uint8" else "float"
        if given == self.dtype:
            return
        if self.dtype == "uint8":
            raise ValueError(
                f"{who}: the model was trained on uint8 pixels 0..255, x is {dtype}: give uint8 pixels "
                "(x.astype('uint8') for whole 0..255, (x * 255).round().astype('uint8') for 0..1)"
            )
        raise ValueError(
            f"{who}: the model was trained on floats, x is uint8: prepare it like the training data "
            "(often x.astype('float32') / 255)"
        )

    def gather(self, given: Any, dtype: str) -> Gather:
        """A function (x, rows) -> the preprocessed batch, in the model's dtype.

        The mean of float64 inputs is subtracted in float64: float32 would round timestamps of one minute to one value.

        Args:
            given: the NumPy dtype of x.
            dtype: the model's dtype.
        """
        within = "float64" if given == _FLOAT64 else dtype
        prepare: Gather = partial(ops.gather, dtype=within)
        if self.kind == "dataset":
            mean, scale = map(_core.borrow, _scaling(self, within))
            prepare = partial(ops.gather, mean=mean, scale=scale, dtype=within)
        elif self.kind == "image":
            prepare = partial(_by_its_own, prepare)
        return prepare if within == dtype else partial(_rounded, prepare, dtype)

    def __str__(self) -> str:
        return {"dataset": "dataset mean, std", "image": "image mean, std", "none": "unchanged"}[self.kind]


@lru_cache(maxsize=8)  # predict calls it for every image
def _scaling(preprocessing: Preprocessing, dtype: str) -> tuple[Array, Array]:
    """The mean and the scale, 1 / deviation, of each channel."""
    return np.array(preprocessing.mean, dtype), (1.0 / np.array(preprocessing.deviation)).astype(dtype)


def _by_its_own(plain: Gather, x: Tensor, rows: Tensor) -> Tensor:
    """Standardizes each image by its own mean and deviation."""
    batch = plain(x, rows)
    axes = tuple(range(1, batch.ndim - 1))
    deviation = ops.sqrt(ops.var(batch, axis=axes, keepdims=True))
    return (batch - ops.mean(batch, axis=axes, keepdims=True)) / ops.maximum(deviation, 1e-6)


def _rounded(prepare: Gather, dtype: str, x: Tensor, rows: Tensor) -> Tensor:
    return ops.cast(prepare(x, rows), dtype)


def _rows(shape: tuple[int, ...]) -> str:
    return f"(n, {', '.join(map(str, shape))})"
