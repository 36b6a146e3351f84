"""Every op of the engine.  Made from its table by tools/make_stubs.py."""

import builtins
from collections.abc import Sequence
from types import EllipsisType

from numpy.typing import ArrayLike

from pyneural._core import Tensor

_Values = Tensor | ArrayLike
_Index = int | builtins.slice | EllipsisType

__all__ = [
    "abs",
    "accuracy",
    "add",
    "all",
    "any",
    "argmax",
    "augment",
    "avg_pool2d",
    "batch_norm",
    "binary_cross_entropy",
    "cast",
    "clip",
    "concat",
    "conv2d",
    "cross_entropy",
    "depthwise_conv2d",
    "div",
    "dropout",
    "elu",
    "equal",
    "exp",
    "expand",
    "expm1",
    "flatten",
    "gather",
    "gelu",
    "global_avg_pool2d",
    "greater",
    "greater_equal",
    "huber",
    "layer_norm",
    "leaky_relu",
    "less",
    "less_equal",
    "linear",
    "log",
    "log1p",
    "log_softmax",
    "logsumexp",
    "mae",
    "matmul",
    "max",
    "max_pool2d",
    "maximum",
    "mean",
    "min",
    "minimum",
    "mse",
    "mul",
    "neg",
    "not_equal",
    "one_hot",
    "pow",
    "relu",
    "reshape",
    "sigmoid",
    "slice",
    "softmax",
    "softplus",
    "sqrt",
    "squeeze",
    "stack",
    "step",
    "sub",
    "sum",
    "take",
    "tanh",
    "transpose",
    "unsqueeze",
    "var",
    "where",
]

def add(a: _Values, b: _Values) -> Tensor:
    """Elementwise: a + b.

    a, b: any shapes that broadcast; returns the broadcast shape.

    >>> pn.ops.add(np.ones((2, 3), "float32"), np.float32([1, 2, 3])).shape
    (2, 3)
    """

def sub(a: _Values, b: _Values) -> Tensor:
    """Elementwise: a - b.

    a, b: any shapes that broadcast; returns the broadcast shape.

    >>> pn.ops.sub(np.ones((2, 3), "float32"), np.float32([1, 2, 3])).shape
    (2, 3)
    """

def mul(a: _Values, b: _Values) -> Tensor:
    """Elementwise: a * b.

    a, b: any shapes that broadcast; returns the broadcast shape.

    >>> pn.ops.mul(np.ones((2, 3), "float32"), np.float32([1, 2, 3])).shape
    (2, 3)
    """

def div(a: _Values, b: _Values) -> Tensor:
    """Elementwise: a / b.

    a, b: any shapes that broadcast; returns the broadcast shape.

    >>> pn.ops.div(np.ones((2, 3), "float32"), np.float32([1, 2, 3])).shape
    (2, 3)
    """

def maximum(a: _Values, b: _Values) -> Tensor:
    """Elementwise: the greater of a and b; NaN if either is; the gradient is shared where they are equal.

    a, b: any shapes that broadcast; returns the broadcast shape.

    >>> pn.ops.maximum(np.ones((2, 3), "float32"), np.float32([1, 2, 3])).shape
    (2, 3)
    """

def minimum(a: _Values, b: _Values) -> Tensor:
    """Elementwise: the smaller of a and b; NaN if either is; the gradient is shared where they are equal.

    a, b: any shapes that broadcast; returns the broadcast shape.

    >>> pn.ops.minimum(np.ones((2, 3), "float32"), np.float32([1, 2, 3])).shape
    (2, 3)
    """

def equal(a: _Values, b: _Values) -> Tensor:
    """Elementwise: 1 where a == b, else 0; it has no gradient.

    a, b: any shapes that broadcast; returns the broadcast shape, uint8.

    >>> pn.ops.equal(np.float32([1, 2]), 2.0).dtype
    'uint8'
    """

def not_equal(a: _Values, b: _Values) -> Tensor:
    """Elementwise: 1 where a != b, else 0; it has no gradient.

    a, b: any shapes that broadcast; returns the broadcast shape, uint8.

    >>> pn.ops.not_equal(np.float32([1, 2]), 2.0).dtype
    'uint8'
    """

def greater(a: _Values, b: _Values) -> Tensor:
    """Elementwise: 1 where a > b, else 0; it has no gradient.

    a, b: any shapes that broadcast; returns the broadcast shape, uint8.

    >>> pn.ops.greater(np.float32([1, 2]), 2.0).dtype
    'uint8'
    """

def greater_equal(a: _Values, b: _Values) -> Tensor:
    """Elementwise: 1 where a >= b, else 0; it has no gradient.

    a, b: any shapes that broadcast; returns the broadcast shape, uint8.

    >>> pn.ops.greater_equal(np.float32([1, 2]), 2.0).dtype
    'uint8'
    """

def less(a: _Values, b: _Values) -> Tensor:
    """Elementwise: 1 where a < b, else 0; it has no gradient.

    a, b: any shapes that broadcast; returns the broadcast shape, uint8.

    >>> pn.ops.less(np.float32([1, 2]), 2.0).dtype
    'uint8'
    """

def less_equal(a: _Values, b: _Values) -> Tensor:
    """Elementwise: 1 where a <= b, else 0; it has no gradient.

    a, b: any shapes that broadcast; returns the broadcast shape, uint8.

    >>> pn.ops.less_equal(np.float32([1, 2]), 2.0).dtype
    'uint8'
    """

def neg(x: _Values) -> Tensor:
    """Elementwise: -x.

    x: any shape; returns the same shape.

    >>> pn.ops.neg(np.float32([0.5, 1.0])).shape
    (2,)
    """

def exp(x: _Values) -> Tensor:
    """Elementwise: e to the power x.

    x: any shape; returns the same shape.

    >>> pn.ops.exp(np.float32([0.5, 1.0])).shape
    (2,)
    """

def expm1(x: _Values) -> Tensor:
    """Elementwise: e to the power x, minus 1: exact also near 0.

    x: any shape; returns the same shape.

    >>> pn.ops.expm1(np.float32([0.5, 1.0])).shape
    (2,)
    """

def log(x: _Values) -> Tensor:
    """Elementwise: natural logarithm of x; -inf at 0, NaN below.

    x: any shape; returns the same shape.

    >>> pn.ops.log(np.float32([0.5, 1.0])).shape
    (2,)
    """

def log1p(x: _Values) -> Tensor:
    """Elementwise: natural logarithm of 1 + x, exact also near 0; -inf at -1, NaN below.

    x: any shape; returns the same shape.

    >>> pn.ops.log1p(np.float32([0.5, 1.0])).shape
    (2,)
    """

def sqrt(x: _Values) -> Tensor:
    """Elementwise: square root of x; NaN below 0.

    x: any shape; returns the same shape.

    >>> pn.ops.sqrt(np.float32([0.5, 1.0])).shape
    (2,)
    """

def abs(x: _Values) -> Tensor:
    """Elementwise: absolute value of x; gradient 0 at 0.

    x: any shape; returns the same shape.

    >>> pn.ops.abs(np.float32([0.5, 1.0])).shape
    (2,)
    """

def pow(x: _Values, exponent: float) -> Tensor:
    """Elementwise: x to a constant power.

    x: any shape; returns the same shape.

    >>> pn.ops.pow(np.float32([0.5, 1.0]), exponent=2).shape
    (2,)
    """

def clip(x: _Values, low: float, high: float) -> Tensor:
    """Elementwise: x held between low and high; gradient 0 outside.

    x: any shape; returns the same shape.

    >>> pn.ops.clip(np.float32([0.5, 1.0]), low=0, high=0.75).shape
    (2,)
    """

def relu(x: _Values) -> Tensor:
    """Elementwise: max(x, 0); gradient 0 at 0.

    x: any shape; returns the same shape.

    >>> pn.ops.relu(np.float32([0.5, 1.0])).shape
    (2,)
    """

def leaky_relu(x: _Values, slope: float = 0.01) -> Tensor:
    """Elementwise: x where positive, else slope * x.

    x: any shape; returns the same shape.

    >>> pn.ops.leaky_relu(np.float32([0.5, 1.0])).shape
    (2,)
    """

def sigmoid(x: _Values) -> Tensor:
    """Elementwise: 1 / (1 + exp(-x)).

    x: any shape; returns the same shape.

    >>> pn.ops.sigmoid(np.float32([0.5, 1.0])).shape
    (2,)
    """

def tanh(x: _Values) -> Tensor:
    """Elementwise: hyperbolic tangent of x.

    x: any shape; returns the same shape.

    >>> pn.ops.tanh(np.float32([0.5, 1.0])).shape
    (2,)
    """

def elu(x: _Values, alpha: float = 1.0) -> Tensor:
    """Elementwise: x where positive, else alpha * (exp(x) - 1) (Clevert et al. 2016).

    x: any shape; returns the same shape.

    >>> pn.ops.elu(np.float32([0.5, 1.0])).shape
    (2,)
    """

def softplus(x: _Values) -> Tensor:
    """Elementwise: log(1 + exp(x)), without overflow.

    x: any shape; returns the same shape.

    >>> pn.ops.softplus(np.float32([0.5, 1.0])).shape
    (2,)
    """

def gelu(x: _Values, approximate: str = "none") -> Tensor:
    """Elementwise: x times the share of the normal distribution that lies below x (Hendrycks and Gimpel 2016):
    x * Phi(x), or with approximate="tanh" 0.5 * x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3))).

    x: any shape; returns the same shape.

    >>> pn.ops.gelu(np.float32([0.5, 1.0])).shape
    (2,)
    """

def step(x: _Values) -> Tensor:
    """Elementwise: 1 where x > 0, else 0; its gradient is 0 everywhere.

    x: any shape; returns the same shape.

    >>> pn.ops.step(np.float32([0.5, 1.0])).shape
    (2,)
    """

def where(condition: _Values, a: _Values, b: _Values) -> Tensor:
    """a where the condition holds, else b.

    condition: uint8 or bool; a, b: any; all of shapes that broadcast; returns the broadcast shape.

    >>> x = np.float32([-1, 2])
    >>> pn.ops.where(x > 0, x, np.float32(0)).numpy().tolist()
    [0.0, 2.0]
    """

def matmul(a: _Values, b: _Values, transpose_a: bool = False, transpose_b: bool = False) -> Tensor:
    """Matrix product over the last two axes; leading axes are a batch.

    a: (..., M, K); b: (..., K, N); equal batch axes, or one operand is a single matrix; returns (..., M, N).

    >>> pn.ops.matmul(np.ones((5, 2, 3), "float32"), np.ones((3, 4), "float32")).shape
    (5, 2, 4)
    """

def linear(
    x: _Values,
    weight: _Values,
    bias: _Values | None = None,
    activation: str | None = None,
    slope: float = 0.01,
) -> Tensor:
    """A dense layer: activation(x @ weight + bias).

    x: (..., in); weight: (in, out); bias: (out); returns (..., out).

    >>> x, weight = np.ones((4, 3), "float32"), np.ones((3, 2), "float32")
    >>> pn.ops.linear(x, weight, activation="relu").shape
    (4, 2)
    """

def sum(x: _Values, axis: int | tuple[int, ...] | list[int] | None = None, keepdims: bool = False) -> Tensor:
    """Sum over axes; the sum of no values is 0.

    x: any shape; returns x's shape without the reduced axes (or with length 1: keepdims).

    >>> x = np.float32([[1, 2], [3, 4]])
    >>> pn.ops.sum(x, axis=0).shape
    (2,)
    """

def mean(x: _Values, axis: int | tuple[int, ...] | list[int] | None = None, keepdims: bool = False) -> Tensor:
    """Mean over axes; the mean of no values is NaN.

    x: any shape; returns x's shape without the reduced axes (or with length 1: keepdims).

    >>> x = np.float32([[1, 2], [3, 4]])
    >>> pn.ops.mean(x, axis=0).shape
    (2,)
    """

def max(x: _Values, axis: int | tuple[int, ...] | list[int] | None = None, keepdims: bool = False) -> Tensor:
    """Maximum over axes, NaN if there is one; equal maxima share the gradient evenly.

    x: any shape; returns x's shape without the reduced axes (or with length 1: keepdims).

    >>> x = np.float32([[1, 2], [3, 4]])
    >>> pn.ops.max(x, axis=0).shape
    (2,)
    """

def min(x: _Values, axis: int | tuple[int, ...] | list[int] | None = None, keepdims: bool = False) -> Tensor:
    """Minimum over axes, NaN if there is one; equal minima share the gradient evenly.

    x: any shape; returns x's shape without the reduced axes (or with length 1: keepdims).

    >>> x = np.float32([[1, 2], [3, 4]])
    >>> pn.ops.min(x, axis=0).shape
    (2,)
    """

def var(
    x: _Values,
    axis: int | tuple[int, ...] | list[int] | None = None,
    keepdims: bool = False,
    correction: float = 0.0,
) -> Tensor:
    """Variance over axes: sum((x - mean)^2) / (n - correction).

    x: any shape; returns x's shape without the reduced axes (or with length 1: keepdims).

    >>> x = np.float32([[1, 2], [3, 4]])
    >>> pn.ops.var(x, axis=0).shape
    (2,)
    """

def any(x: _Values, axis: int | tuple[int, ...] | list[int] | None = None, keepdims: bool = False) -> Tensor:
    """1 where some value along the axes is not 0, else 0; of no values 0.

    x: any shape and dtype; returns uint8, x's shape without the axes (or with length 1: keepdims).

    >>> pn.ops.any(np.float32([[0, 2], [0, 0]]), axis=1).numpy().tolist()
    [1, 0]
    """

def all(x: _Values, axis: int | tuple[int, ...] | list[int] | None = None, keepdims: bool = False) -> Tensor:
    """1 where no value along the axes is 0, else 0; of no values 1.

    x: any shape and dtype; returns uint8, x's shape without the axes (or with length 1: keepdims).

    >>> pn.ops.all(np.float32([[1, 2], [1, 0]]), axis=1).numpy().tolist()
    [1, 0]
    """

def argmax(x: _Values, axis: int = -1, keepdims: bool = False) -> Tensor:
    """Index of the largest value along an axis: the first of several equal ones, or the first NaN.

    x: at least 1 axis; returns int64, x's shape without the axis (or with length 1: keepdims).

    >>> pn.ops.argmax(np.float32([[1, 3, 2], [9, 8, 7]])).numpy().tolist()
    [1, 0]
    """

def one_hot(indices: _Values, classes: int, dtype: str = "float32") -> Tensor:
    """One-hot encoding: 1 at the position of the index, 0 elsewhere.

    indices: int64, any shape, each from 0 to classes - 1; returns that shape with an axis of length classes added.

    >>> pn.ops.one_hot(np.array([2, 0]), classes=3).numpy().tolist()
    [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    """

def cast(x: _Values, dtype: str) -> Tensor:
    """A copy in another dtype.

    x: any shape and dtype; returns the same shape.  float64 is rounded to the nearest float32.  A real is truncated to an
    integer and clipped to the range of the dtype; NaN becomes 0.  int64 becomes uint8 modulo 256.  Between float32 and
    float64 the gradient is cast back.

    >>> pn.ops.cast(np.float32([1.5, -2.5]), "int64").numpy().tolist()
    [1, -2]
    """

def reshape(x: _Values, shape: int | tuple[int, ...] | list[int]) -> Tensor:
    """The same values in the same order with another shape, without copying.

    x: any shape and dtype; returns shape, which must have the same number of values.

    >>> pn.ops.reshape(np.zeros((2, 6), "float32"), (3, -1)).shape
    (3, 4)
    """

def flatten(x: _Values, axis: int = 0) -> Tensor:
    """Flattens all axes from `axis` on into one, without copying.

    x: any shape and dtype; returns (n,), or (n, m) with axis=1.

    >>> pn.ops.flatten(np.zeros((2, 3, 4), "float32")).shape
    (24,)
    >>> pn.ops.flatten(np.zeros((2, 3, 4), "float32"), 1).shape
    (2, 12)
    """

def squeeze(x: _Values, axis: int | tuple[int, ...] | list[int] | None = None) -> Tensor:
    """Removes axes of length 1, without copying.

    x: any shape and dtype; returns x's shape without them.

    >>> pn.ops.squeeze(np.zeros((2, 1, 3, 1), "float32")).shape
    (2, 3)
    >>> pn.ops.squeeze(np.zeros((1, 3, 1), "float32"), axis=-1).shape
    (1, 3)
    """

def unsqueeze(x: _Values, axis: int) -> Tensor:
    """Adds an axis of length 1, without copying.

    x: at most 7 axes, any dtype; returns x's shape with the new axis.

    >>> pn.ops.unsqueeze(np.zeros((2, 3), "float32"), 1).shape
    (2, 1, 3)
    >>> pn.ops.unsqueeze(np.zeros((2, 3), "float32"), -1).shape
    (2, 3, 1)
    """

def transpose(x: _Values, axes: int | tuple[int, ...] | list[int] | None = None) -> Tensor:
    """x with its axes in another order, as a copy.

    x: any shape and dtype; axis i of the result is axis axes[i] of x.

    >>> pn.ops.transpose(np.zeros((2, 1, 28, 28), "float32"), (0, 2, 3, 1)).shape
    (2, 28, 28, 1)
    """

def concat(tensors: Sequence[_Values], axis: int = 0) -> Tensor:
    """Tensors joined along an axis.

    tensors: 1 to 64, whose shapes differ in that axis only; returns the joined tensor.

    >>> pn.ops.concat([np.zeros((2, 3), "float32"), np.ones((2, 1), "float32")], axis=1).shape
    (2, 4)
    """

def stack(tensors: Sequence[_Values], axis: int = 0) -> Tensor:
    """Tensors of the same shape joined along a new axis.

    tensors: 1 to 64 of the same shape; returns that shape with one more axis, of length len(tensors).

    >>> pn.ops.stack([np.zeros(3, "float32"), np.ones(3, "float32")]).shape
    (2, 3)
    """

def slice(x: _Values, slices: _Index | tuple[_Index, ...]) -> Tensor:
    """Basic slicing, start:stop:step on each axis, like x[...]; contiguous rows share storage.

    x: any shape and dtype; axes without a slice are kept whole; an int removes its axis.

    >>> pn.ops.slice(np.zeros((4, 5), "float32"), (slice(1, 3), slice(None, None, 2))).shape
    (2, 3)
    """

def expand(x: _Values, shape: int | tuple[int, ...] | list[int]) -> Tensor:
    """x broadcast to a shape, by NumPy's rules.

    x: each axis, matched from the last, has the length in shape, or 1; returns shape.

    >>> pn.ops.expand(np.float32([[1], [2]]), (2, 3)).numpy().tolist()
    [[1.0, 1.0, 1.0], [2.0, 2.0, 2.0]]
    """

def take(x: _Values, indices: _Values) -> Tensor:
    """Selects rows of x by number: x[indices].

    x: (n, ...), any dtype; indices: int64, any shape, each from 0 to n - 1; returns the shape of indices,
    then that of a row.  Where a row is taken more than once, its gradients are added.

    >>> pn.ops.take(np.float32([[1, 2], [3, 4]]), np.array([1, 1, 0])).numpy().tolist()
    [[3.0, 4.0], [3.0, 4.0], [1.0, 2.0]]
    """

def softmax(x: _Values, axis: int = -1) -> Tensor:
    """Probabilities along an axis: exp(x - max) / sum (Bridle 1990).

    x: (..., C); returns the same shape, whose rows sum to 1.

    >>> pn.ops.softmax(np.float32([[0, 0]])).numpy().tolist()
    [[0.5, 0.5]]
    """

def log_softmax(x: _Values, axis: int = -1) -> Tensor:
    """Logarithm of the softmax along an axis, without overflow: x - max - log(sum(exp(x - max))).

    x: (..., C); returns the same shape.

    >>> pn.ops.log_softmax(np.float32([[0, 0, 0]])).shape
    (1, 3)
    """

def logsumexp(x: _Values, axis: int | tuple[int, ...] | list[int] | None = None, keepdims: bool = False) -> Tensor:
    """log(sum(exp(x))) over axes, without overflow; its gradient is the softmax (Blanchard et al. 2021).

    x: any shape; returns x's shape without the reduced axes (or with length 1: keepdims).  If there are no values, or all are -inf, it is -inf.

    >>> pn.ops.logsumexp(np.float32([[1000, 1000], [0, 0]]), axis=0).numpy().tolist()
    [1000.0, 1000.0]
    """

def cross_entropy(
    logits: _Values,
    targets: _Values,
    row_weights: _Values | None = None,
    class_weights: _Values | None = None,
    label_smoothing: float = 0.0,
    ignore: int | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Cross-entropy of logits: minus the log probability of the target, -sum(class_weights * targets * log_softmax(logits)).

    logits: (..., C); targets: class numbers int64 (...), or probabilities (..., C); row_weights: (...); class_weights: (C).
    The mean divides by the total weight; it is NaN when every row is ignored.

    >>> pn.ops.cross_entropy(np.zeros((2, 10), "float32"), np.array([3, 9]), reduction="none").shape
    (2,)
    """

def binary_cross_entropy(
    logits: _Values,
    targets: _Values,
    row_weights: _Values | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Binary cross-entropy of logits, log(1 + exp(x)) - x * target, summed within a row.

    logits: (N,), (N, 1) or (N, K); targets: as many, int64 0 or 1, or real from 0 to 1; row_weights: (N,).
    The mean divides by the total weight.

    >>> pn.ops.binary_cross_entropy(np.float32([40, -40]), np.array([1, 0])).item() < 1e-6
    True
    """

def mse(x: _Values, targets: _Values, row_weights: _Values | None = None, reduction: str = "mean") -> Tensor:
    """Mean squared error, (x - target)^2 averaged within a row.

    x, targets: (N, ...), real, of one dtype; row_weights: (N,).  The mean divides by the total weight.

    >>> pn.ops.mse(np.float32([1, 2]), np.float32([1, 4])).item()
    2.0
    """

def mae(x: _Values, targets: _Values, row_weights: _Values | None = None, reduction: str = "mean") -> Tensor:
    """Mean absolute error, |x - target| averaged within a row; gradient 0 where they are equal.

    x, targets: (N, ...), real, of one dtype; row_weights: (N,).  The mean divides by the total weight.

    >>> pn.ops.mae(np.float32([1, 2]), np.float32([1, 4])).item()
    1.0
    """

def huber(
    x: _Values,
    targets: _Values,
    row_weights: _Values | None = None,
    delta: float = 1.0,
    reduction: str = "mean",
) -> Tensor:
    """Huber's loss (1964), averaged within a row: with d = x - target, d^2 / 2 where |d| <= delta, and beyond it
    delta * (|d| - delta / 2), so that the gradient of large errors is bounded.

    x, targets: (N, ...), real, of one dtype; row_weights: (N,).  The mean divides by the total weight.

    >>> pn.ops.huber(np.float32([1, 2]), np.float32([1, 5])).item()
    1.25
    """

def accuracy(x: _Values, targets: _Values, threshold: float = 0.0, reduction: str = "mean") -> Tensor:
    """The fraction of rows whose prediction is the target; it has no gradient.

    x: logits (..., C) against class numbers int64 (...); or (N, 1) or (N,) against 0 or 1, by the threshold.

    >>> pn.ops.accuracy(np.float32([[1, 2], [4, 3]]), np.array([1, 1])).item()
    0.5
    """

def conv2d(
    x: _Values,
    weight: _Values,
    bias: _Values | None = None,
    stride: int | tuple[int, ...] | list[int] = 1,
    padding: str | int | tuple[int, int] | tuple[tuple[int, int], tuple[int, int]] = "valid",
    activation: str | None = None,
    slope: float = 0.01,
    pool: int | tuple[int, ...] | list[int] | None = None,
) -> Tensor:
    """A convolution layer over images: activation(x * weight + bias) (LeCun et al. 1989).

    x: (N, H, W, C); weight: (KH, KW, C, O); bias: (O); returns (N, OH, OW, O), with OH = (H + padding - KH) // stride + 1, or OH // pool with a pool: the same as max_pool2d(conv2d(...), pool), but the intermediate result is never stored as a whole.

    >>> x, weight = np.ones((2, 28, 28, 1), "float32"), np.ones((5, 5, 1, 8), "float32")
    >>> pn.ops.conv2d(x, weight, padding="same", activation="relu").shape
    (2, 28, 28, 8)
    """

def depthwise_conv2d(
    x: _Values,
    weight: _Values,
    bias: _Values | None = None,
    stride: int | tuple[int, ...] | list[int] = 1,
    padding: str | int | tuple[int, int] | tuple[tuple[int, int], tuple[int, int]] = "valid",
    activation: str | None = None,
    slope: float = 0.01,
) -> Tensor:
    """A convolution of each image channel with its own kernels (Howard et al. 2017, MobileNets).

    x: (N, H, W, C); weight: (KH, KW, C, M), M kernels for each channel; bias: (C * M); returns (N, OH, OW, C * M), with OH = (H + padding - KH) // stride + 1; channel c gives outputs c * M to c * M + M - 1.

    >>> x, weight = np.ones((2, 28, 28, 8), "float32"), np.ones((3, 3, 8, 1), "float32")
    >>> pn.ops.depthwise_conv2d(x, weight, padding="same", activation="relu").shape
    (2, 28, 28, 8)
    """

def max_pool2d(
    x: _Values,
    size: int | tuple[int, ...] | list[int] = 2,
    stride: int | tuple[int, ...] | list[int] | None = None,
    padding: str | int | tuple[int, int] | tuple[tuple[int, int], tuple[int, int]] = "valid",
) -> Tensor:
    """The maximum of each window, per channel; the gradient goes to the first of several equal ones.

    x: (N, H, W, C); returns (N, OH, OW, C), with OH = (H + padding - size) // stride + 1; padding never wins.

    >>> pn.ops.max_pool2d(np.zeros((2, 28, 28, 8), "float32")).shape
    (2, 14, 14, 8)
    """

def avg_pool2d(
    x: _Values,
    size: int | tuple[int, ...] | list[int] = 2,
    stride: int | tuple[int, ...] | list[int] | None = None,
    padding: str | int | tuple[int, int] | tuple[tuple[int, int], tuple[int, int]] = "valid",
) -> Tensor:
    """The mean of each window, per channel, over the cells inside the image.

    x: (N, H, W, C); returns (N, OH, OW, C), with OH = (H + padding - size) // stride + 1.

    >>> pn.ops.avg_pool2d(np.zeros((2, 28, 28, 8), "float32"), size=4).shape
    (2, 7, 7, 8)
    """

def global_avg_pool2d(x: _Values) -> Tensor:
    """The mean of each channel over the whole image (Lin et al. 2013).

    x: (N, H, W, C); returns (N, C).

    >>> pn.ops.global_avg_pool2d(np.zeros((2, 7, 7, 8), "float32")).shape
    (2, 8)
    """

def batch_norm(
    x: _Values,
    gamma: _Values,
    beta: _Values,
    running_mean: _Values,
    running_var: _Values,
    residual: _Values | None = None,
    training: bool = False,
    momentum: float = 0.9,
    epsilon: float = 1e-05,
    activation: str | None = None,
    slope: float = 0.01,
) -> Tensor:
    """Each channel to mean 0 and variance 1, then scaled and shifted (Ioffe and Szegedy 2015):
    activation(gamma * (x - mean) / sqrt(variance + epsilon) + beta + residual).

    x: (..., C); gamma, beta, running_mean, running_var: (C); residual: as x; returns x's shape.  Training uses the batch's
    statistics and changes the running ones in place; otherwise the running ones are used.

    >>> one, zero = np.ones(3, "float32"), pn.tensor(np.zeros(3, "float32"))
    >>> pn.ops.batch_norm(np.ones((8, 3), "float32"), one, zero, zero, one).shape
    (8, 3)
    """

def layer_norm(x: _Values, gamma: _Values, beta: _Values, epsilon: float = 1e-05) -> Tensor:
    """Each row to mean 0 and variance 1 along the last axis, then scaled and shifted (Ba, Kiros and Hinton 2016):
    gamma * (x - mean) / sqrt(variance + epsilon) + beta.

    x: (..., C); gamma, beta: (C,); returns x's shape.

    >>> pn.ops.layer_norm(np.float32([[1, 3]]), np.float32([1, 1]), np.float32([0, 10])).numpy().round(3)
    array([[-1., 11.]], dtype=float32)
    """

def dropout(
    x: _Values,
    samples: _Values | None = None,
    rate: float = 0.5,
    seed: int = 0,
    stream: str | int = 0,
    step: int = 0,
    first: int = 0,
) -> Tensor:
    """Sets a random fraction of the values to 0 and divides the others by 1 - rate (Srivastava et al. 2014).

    x: (N, ...); samples: int64 (N,), the row numbers in the whole dataset; returns x's shape.  The mask only depends
    on (seed, stream, step, sample, element).

    >>> pn.ops.dropout(np.ones((4, 3), "float32"), rate=0.0).numpy().sum().item()
    12.0
    """

def gather(
    x: _Values,
    rows: _Values,
    mean: _Values | None = None,
    scale: _Values | None = None,
    dtype: str = "float32",
) -> Tensor:
    """A batch of rows, as floats and normalised: (x[rows] - mean) * scale; it has no gradient.

    x: (n, ...) uint8, float or int64; rows: int64 (m,); mean, scale: one number, or one for each of the last axis;
    returns (m, ...): uint8 becomes dtype, other dtypes are kept.

    >>> images = np.full((10, 28, 28, 1), 255, "uint8")
    >>> pn.ops.gather(images, np.array([3, 1]), np.float32(0), np.float32(1 / 255)).shape
    (2, 28, 28, 1)
    """

def augment(
    x: _Values,
    rows: _Values,
    samples: _Values | None = None,
    mean: _Values | None = None,
    factor: _Values | None = None,
    shift: float = 0.0,
    rotate: float = 0.0,
    scale: float = 0.0,
    shear: float = 0.0,
    flip: bool = False,
    gamma: float = 0.0,
    brightness: float = 0.0,
    contrast: float = 0.0,
    erase: float = 0.0,
    standardize: bool = False,
    seed: int = 0,
    stream: str | int = 0,
    step: int = 0,
    dtype: str = "float32",
) -> Tensor:
    """A batch of images, each one warped at random and with other tones; pn.Augment has the formulas.

    x: (n, height, width, channels), uint8 or floats; rows: int64 (m,); samples: int64 (m,), the numbers that the
    random numbers follow from, by default rows; mean, factor: one number, or one per channel.  Returns
    (augmented - mean) * factor, (m, height, width, channels); it has no gradient.

    >>> images = np.full((10, 28, 28, 1), 255, "uint8")
    >>> pn.ops.augment(images, np.array([3, 1]), rotate=10, shift=0.1, seed=1).shape
    (2, 28, 28, 1)
    """
