"""dense.py -- dense layers and embeddings: each is one op plus its parameters."""

import math
from typing import Any

import pyneural._core as _core
import pyneural.ops as ops
from pyneural._core import Tensor
from pyneural.arguments.checks import Shape, whole
from pyneural.initializers import resolved
from pyneural.layers.activations import Activated, Choice
from pyneural.layers.layer import Layer, arguments
from pyneural.layers.operation import name_of

_LONG = 1e16  # larger numbers are shown as 1e+16
_EXACT = 2**24  # float32 represents every whole number up to this one exactly


class Dense(Activated):
    """y = activation(x W + b), along the last axis: (n, ..., in) -> (n, ..., units).

    Args:
        units: the number of outputs.
        activation: None or a name.
        bias: False omits b.
        init: the initializer of the weight (in, units); "auto" chooses by the activation.
    """

    def __init__(
        self,
        units: int,
        activation: Choice | None = None,
        *,
        bias: bool = True,
        init: str | float = "auto",
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self.units = whole("Dense", "units", units)
        self._bias = bias
        self.init = init
        self._activate(activation)

    def config(self) -> dict[str, Any]:
        """The constructor arguments that recreate the layer."""
        return arguments(self, units=self.units, activation=self.activation, bias=self._bias, init=self.init)

    def build(self, shape: tuple[int, ...]) -> None:
        """Declares the parameters for inputs (n, *shape)."""
        if len(shape) == 3:
            raise ValueError(f"x is (n, {', '.join(map(str, shape))}); put pn.Flatten() before Dense")
        if not shape:
            raise ValueError("x is (n,): it needs features, (n, features); use x.reshape(-1, 1)")
        self.parameter("weight", (shape[-1], self.units), resolved(self.init, self.activation))
        self._offset = self.parameter("bias", (self.units,), "zeros", "bias") if self._bias else None

    def _run(self, x: Tensor, activation: str | None, training: bool) -> Tensor:
        return ops.linear(x, self.weight, self._offset, activation=activation)

    def flops(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """Multiplications and additions for one example."""
        return 2 * inputs[0][-1] * math.prod(output)


class Embedding(Layer):
    """A trained vector for each whole number: (n, ...) -> (n, ..., units).

    The numbers are int64, or floats that are whole (pn.fit converts integers to floats), and must not be rescaled:
    train uint8 ones with preprocess=None.

    Args:
        vocabulary: the numbers run from 0 to vocabulary - 1; at most 16,777,216.
        units: the length of each vector.
        init: the initializer of the weight (vocabulary, units).

    >>> import pyneural as pn
    >>> model = pn.Sequential(pn.Embedding(1000, 8), pn.Flatten(), pn.Dense(2))
    >>> model(np.array([[3, 999, 0, 3]])).shape
    (1, 2)
    """

    def __init__(self, vocabulary: int, units: int, *, init: str | float = "normal", name: str | None = None) -> None:
        super().__init__(name=name)
        self.vocabulary = whole("Embedding", "vocabulary", vocabulary)
        self.units = whole("Embedding", "units", units)
        if vocabulary > _EXACT:
            raise ValueError(
                f"Embedding: vocabulary is {vocabulary:,}: at most {_EXACT:,} numbers are exact in float32"
            )
        self.init = init

    def build(self, shape: tuple[int, ...]) -> None:
        """Declares the parameters for inputs (n, *shape)."""
        self.parameter("weight", (self.vocabulary, self.units), self.init)

    def call(self, x: Tensor, *, training: bool) -> Tensor:
        """Computes y, (n, ..., units), from x."""
        numbers = self._whole(x) if x.dtype in ("float32", "float64") else x.astype("int64")
        try:
            return ops.take(self.weight, numbers)
        except ValueError:
            low, high = (f"{n:.0f}" if abs(n) < _LONG else f"{n:g}" for n in (x.min().item(), x.max().item()))
            raise ValueError(
                f"{name_of(self)}: x must be in 0..{self.vocabulary - 1}, but runs from {low} to {high}"
            ) from None

    def _whole(self, x: Tensor) -> Tensor:
        """Floats converted to int64; they must be whole."""
        if x.is_shape_only or x.size == 0:
            return x.astype("int64")
        inside = ops.clip(x.detach(), -float(_EXACT), float(_EXACT))
        numbers = x if _core.check_finite(inside)[0] else inside.astype("int64")  # x itself stands for "there is a NaN"
        if numbers is x or ops.abs(inside - numbers.astype(x.dtype)).max().item() != 0:
            raise ValueError(
                f"{name_of(self)}: x has numbers that are not whole: give the numbers of words or classes, "
                f"0..{self.vocabulary - 1}, unscaled: set preprocess=None in pn.fit"
            )
        return numbers

    def flops(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """Multiplications and additions for one example."""
        return 0
