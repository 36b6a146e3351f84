"""pooling.py -- several outputs for the same examples as one: the mean of their probabilities, or of their values.

Losses and temperatures take logits.  Those of the mean of N probabilities are, for classes and for one output::

    z = log(1/N sum over i of p_i)        z = log(1/N sum over i of p_i) - log(1/N sum over i of (1 - p_i))

They are computed from the logarithms of the probabilities, which do not underflow where these do.
"""

import math
from collections.abc import Sequence

import pyneural.ops as ops
from pyneural._core import Tensor


def mean(parts: Sequence[Tensor]) -> Tensor:
    """The mean, elementwise; summed in float64, so that of equal float32 parts it is the part, to its last bit."""
    first, *others = (ops.cast(part, "float64") for part in parts)
    return ops.cast(sum(others, start=first) / len(parts), parts[0].dtype)


def logits_of_mean(parts: Sequence[Tensor], kind: str) -> Tensor:
    """The logits of the mean of the probabilities that these logits give; for values, their mean.

    Args:
        parts: each (n, outputs).
        kind: "classes" (softmax), "binary" (sigmoid) or "values".
    """
    if kind == "values" or len(parts) == 1:
        return mean(parts)
    if kind == "classes":
        return _log_mean([ops.log_softmax(part) for part in parts])
    positive = _log_mean([-ops.softplus(-part) for part in parts])
    return positive - _log_mean([-ops.softplus(part) for part in parts])


def _log_mean(logs: list[Tensor]) -> Tensor:
    """log(1/N sum over i of exp(logs_i)), elementwise."""
    return ops.logsumexp(ops.stack(logs), axis=0) - math.log(len(logs))
