"""preprocessing.py -- the preprocessing of inputs: chosen in fit, saved with the model, applied by predict."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
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
_LEAST_OF_IMAGES = 1e-6  # of smaller deviations, as in an image of one colour, this one is taken (as in augment.inc)
_LEAST = {"float32": 1e-35, "float64": 1e-305}  # smaller deviations have no exact inverse: their values are subnormal
NOT_UINT8 = "not uint8"  # what a message says where the dtype that was given is not known
CHOICES = ("auto", "dataset", "image")


def decided(choice: str | None, dtype: str) -> str:
    """The kind of preprocessing that a choice means for inputs of a dtype, if they are not a table.

    Raises:
        ValueError, TypeError: the choice is invalid.
    """
    kind = "none" if choice is None else choose("preprocess", choice, {name: name for name in CHOICES})
    return ("dataset" if dtype == "uint8" else "none") if kind == "auto" else kind


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
    _made: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False)  # what predict reuses

    @classmethod
    def learn(
        cls,
        kind: str,
        dtype: str,
        shape: tuple[int, ...],
        moments: Callable[[], Moments],
        unscaled: tuple[int, ...] = (),
    ) -> Self:
        """The preprocessing of a kind for the training inputs.

        Args:
            kind: "dataset", "image" or "none".
            dtype: the dtype of the inputs.
            shape: the shape of one input, (..., channels).
            moments: returns the mean and the standard deviation of each channel; called only if needed.
            unscaled: the channels that stay as they are.

        Raises:
            ValueError: it does not suit the inputs; the message says why.
        """
        given = dtype
        dtype = "uint8" if dtype == "uint8" else "float"
        if kind == "image" and len(shape) < 2:
            raise ValueError(
                f"fit: preprocess='image' needs images, x is {_rows(shape)}: use preprocess='dataset', or None"
            )
        if kind == "image" and dtype == "float":
            _check_images(moments()[1])
        if kind != "dataset":
            return cls(kind, dtype)
        means, deviations = ([*map(float, values)] for values in moments())
        for channel in unscaled:
            means[channel], deviations[channel] = 0.0, 1.0
        _check_small(deviations, given)
        return cls(kind, dtype, tuple(means), tuple(d if d > 0 else 1.0 for d in deviations))

    def as_json(self) -> dict[str, Any]:
        """All fields as JSON values."""
        return {
            "kind": self.kind,
            "dtype": self.dtype,
            "mean": list(self.mean),
            "deviation": list(self.deviation),
        }

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Self:
        """The inverse of as_json."""
        mean = tuple(map(float, record["mean"]))
        deviation = tuple(map(float, record["deviation"]))
        made = cls(str(record["kind"]), str(record["dtype"]), mean, deviation)
        if made.kind not in ("dataset", "image", "none") or made.dtype not in ("uint8", "float"):
            raise ValueError(f"preprocessing {record} is invalid")
        if not all(map(math.isfinite, mean + deviation)):
            raise ValueError(f"preprocessing {record} is invalid: it has numbers that are not finite")
        if len(mean) != len(deviation) or (made.kind == "dataset") != bool(mean) or not all(d > 0 for d in deviation):
            raise ValueError(f"preprocessing {record} is invalid")
        return made

    def check(self, dtype: str, who: str, shown: str = "") -> None:
        """Rejects uint8 inputs if the model was trained on floats, and the other way round; `shown` names the dtype."""
        given = "uint8" if dtype == "uint8" else "float"
        if given == self.dtype:
            return
        if self.dtype == "uint8":
            raise ValueError(
                f"{who}: the model was trained on uint8 pixels 0..255, x is {shown or dtype}: give uint8 pixels "
                "(x.astype('uint8') for whole 0..255, (x * 255).round().astype('uint8') for 0..1)"
            )
        raise ValueError(
            f"{who}: the model was trained on floats, x is uint8: prepare it like the training data "
            "(often x.astype('float32') / 255)"
        )

    def check_range(self, x: Array, dtype: str, who: str) -> None:
        """Rejects finite inputs that become infinite, because they are too far from the mean of the training data.

        Args:
            x: (n, ..., channels), finite.
            dtype: the model's dtype.
            who: the prefix of messages.
        """
        if self.kind != "dataset" or x.dtype == np.uint8 or not _core.check_finite(x, self._limit(x.dtype, dtype))[0]:
            return
        most = _largest(dtype)
        within = _largest(x.dtype)
        with np.errstate(over="ignore"):
            apart = np.abs(x - np.array(self.mean))
            far = (apart > within) | (apart / np.array(self.deviation) > most)
        if far.any():
            place = tuple(int(i) for i in np.argwhere(far)[0])
            raise ValueError(
                f"{who}: x has {int(far.sum()):,} values that are too far from the training data, as {x[place]:g} at "
                f"{place}: standardized by the training set's mean and deviation, {dtype} cannot hold them: correct or "
                "remove them"
            )

    def gather(self, given: Any, dtype: str) -> Gather:
        """A function (x, rows) -> the preprocessed batch, in the model's dtype.

        The mean of float64 inputs is subtracted in float64: float32 would round timestamps of one minute to one value.

        Args:
            given: the NumPy dtype of x.
            dtype: the model's dtype.
        """
        within = self.within(given, dtype)
        prepare: Gather = partial(ops.gather, dtype=within)
        if self.kind == "dataset":
            mean, scale = map(_core.borrow, self.scaling(within))
            prepare = partial(ops.gather, mean=mean, scale=scale, dtype=within)
        elif self.kind == "image":
            prepare = partial(_by_its_own, prepare)
        return prepare if within == dtype else partial(_rounded, prepare, dtype)

    def within(self, given: Any, dtype: str) -> str:
        """The dtype in which inputs of NumPy dtype `given` are prepared for a model of a dtype."""
        return "float64" if given == _FLOAT64 else dtype

    def scaling(self, dtype: str) -> tuple[Array, Array]:
        """The mean and the scale, 1 / deviation, of each channel."""
        if dtype not in self._made:
            self._made[dtype] = np.array(self.mean, dtype), (1.0 / np.array(self.deviation)).astype(dtype)
        found: tuple[Array, Array] = self._made[dtype]
        return found

    def _limit(self, given: Any, dtype: str) -> float:
        """The magnitude up to which inputs of every channel stay finite."""
        if (given, dtype) not in self._made:
            with np.errstate(over="ignore"):
                most = np.minimum(_largest(dtype) * np.array(self.deviation), _largest(given))
            self._made[given, dtype] = float(np.min(most - np.abs(np.array(self.mean))))
        found: float = self._made[given, dtype]
        return found

    def __str__(self) -> str:
        return {"dataset": "dataset mean, std", "image": "image mean, std", "none": "unchanged"}[self.kind]


def _largest(dtype: Any) -> float:
    """The largest number of a dtype, minus a margin for rounding."""
    return float(np.finfo(dtype).max) * (1 - 1e-6)


def _check_small(deviation: Sequence[float] | Array, dtype: str) -> None:
    """Rejects deviations by which values of that dtype cannot be divided."""
    least = _LEAST.get(dtype, 0.0)
    small = [channel for channel, value in enumerate(deviation) if 0 < value < least]
    if small:
        fix = ", or give it as float64" if dtype == "float32" else ""
        raise ValueError(
            f"fit: column {small[0]} of x has a standard deviation of {deviation[small[0]]:.3g}, too small to divide "
            f"{dtype} by: multiply x by a constant{fix}"
        )


def _check_images(deviation: Sequence[float] | Array) -> None:
    """Rejects images that differ by so little that each of them would be standardized to about 0."""
    largest = max(deviation, default=0.0)
    if 0 < largest < _LEAST_OF_IMAGES:
        raise ValueError(
            f"fit: the standard deviation of x is {largest:.3g}, and preprocess='image' divides by at least "
            f"{_LEAST_OF_IMAGES:g}, so images would become nearly 0: multiply x by a constant, or use "
            "preprocess='dataset'"
        )


def _by_its_own(plain: Gather, x: Tensor, rows: Tensor) -> Tensor:
    """Standardizes each image by its own mean and deviation."""
    batch = plain(x, rows)
    axes = tuple(range(1, batch.ndim - 1))
    deviation = ops.sqrt(ops.var(batch, axis=axes, keepdims=True))
    return (batch - ops.mean(batch, axis=axes, keepdims=True)) / ops.maximum(deviation, _LEAST_OF_IMAGES)


def _rounded(prepare: Gather, dtype: str, x: Tensor, rows: Tensor) -> Tensor:
    return ops.cast(prepare(x, rows), dtype)


def _rows(shape: tuple[int, ...]) -> str:
    return f"(n, {', '.join(map(str, shape))})"
