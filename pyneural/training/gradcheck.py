"""gradcheck.py -- check_gradients: compares backward with central differences, in float64."""

from collections.abc import Callable
from typing import Any

import numpy as np

import pyneural._core as _core
import pyneural.evaluation.heads as heads
from pyneural._core import Tensor
from pyneural.arguments.arrays import Array
from pyneural.arguments.checks import verbosity
from pyneural.arguments.objects import refuse_masked
from pyneural.arguments.spelling import check_keywords
from pyneural.batching.feed import each
from pyneural.evaluation.objective import objective
from pyneural.files.copies import converted
from pyneural.layers.context import Position, position
from pyneural.layers.dense import Embedding
from pyneural.layers.embed_columns import EmbedColumns
from pyneural.layers.layer import walk
from pyneural.models.model import Model
from pyneural.printing import put_parts

_STEP = 1e-5  # balances rounding (1e-16 / h) and truncation (h²) errors in float64
_NAMED = 5  # wrong gradients that the message names


@check_keywords(eps="step", atol="tolerance", rtol="tolerance")
def check_gradients(
    model: Model | Callable[..., Tensor],
    x: Any,
    y: Any = None,
    *,
    tolerance: float = 1e-6,
    elements: int = 24,
    seed: int = 0,
    verbose: int = 1,
) -> dict[str, float]:
    """Compares every gradient with (f(p + h) - f(p - h)) / 2h, in float64, and prints one line per parameter.

    Args:
        model: a model (its loss on x and labels y is f; of one in float32 a float64 copy is checked), or a function of
            tensors (x) or (x, y) that gives a scalar, or whose outputs are then summed with fixed random weights.
        x: inputs; also differentiated, unless they are indices of a pn.Embedding or pn.EmbedColumns.
        y: labels for a model, a dict if it has heads (their losses are summed); a second input for a function.
        tolerance: the maximum relative error.
        elements: the number of randomly chosen elements to check per parameter.
        seed: the seed of that choice.
        verbose: 0 prints nothing.

    Returns:
        The maximum relative error by name.

    Raises:
        AssertionError: an error is above the tolerance, or NaN; the message says how many are, and names the first.

    >>> import pyneural as pn
    >>> errors = check_gradients(lambda x: (x * x).sum(), [[1.0, 2.0]], verbose=0)
    >>> sorted(errors)
    ['x']
    """
    verbose = verbosity("check_gradients", verbose, "1 (one line per parameter)")
    if isinstance(x, tuple):
        raise TypeError("check_gradients: x is a tuple: give x and y apart, pn.check_gradients(model, x, y)")
    refuse_masked("check_gradients: x", x)
    for part in y.values() if isinstance(y, dict) else (y,):
        refuse_masked("check_gradients: y", part)
    inputs = _core.tensor(np.asarray(x, np.float64), "float64", requires_grad=True)
    if isinstance(model, Model) and model.dtype != "float64":
        model = converted(model, "float64", seed)
    if isinstance(model, Model):
        function, leaves = _model_loss(model, inputs, y, seed)
    else:
        function, leaves = _function_loss(model, inputs, y, seed)
    kept = model.blocks().snapshot() if isinstance(model, Model) else []
    at = Position(seed)
    token = position.set(at)

    def again() -> Tensor:
        at.begin(None)  # the same dropout mask at every call
        return function()

    try:
        again().backward()
        gradients = {name: np.array(leaf.grad.numpy()) for name, leaf in leaves.items() if leaf.grad is not None}
        with _core.no_grad():
            errors = {
                name: _greatest_error(again, leaf, gradients.get(name), elements, seed) for name, leaf in leaves.items()
            }
    finally:
        position.reset(token)
        if isinstance(model, Model):
            model.blocks().restore(kept)  # the calls changed the running statistics
    if verbose:
        _print(errors, {name: str(leaves[name].shape) for name in errors}, tolerance)
    wrong = {name: error for name, error in errors.items() if not error <= tolerance}  # NaN is
    if wrong:
        raise AssertionError(f"check_gradients: {_in_words(wrong, len(errors), tolerance)} (seed {seed})")
    return errors


def _in_words(wrong: dict[str, float], checked: int, tolerance: float) -> str:
    """The wrong gradients, in the order of the parameters: how many, and the first ones."""
    if len(wrong) == 1:
        ((name, error),) = wrong.items()
        return f"{name} is off by {error:.1e}, above {tolerance:.0e}"
    first = [f"{name} by {error:.1e}" for name, error in list(wrong.items())[:_NAMED]]
    more = f" and {len(wrong) - _NAMED} more" if len(wrong) > _NAMED else ""
    return f"{len(wrong)} of {checked} gradients are off: {', '.join(first)}{more}; above {tolerance:.0e}"


def _print(errors: dict[str, float], shapes: dict[str, str], tolerance: float) -> None:
    """One line per parameter; a line that is too wide for the terminal is folded."""
    width = max(map(len, errors))
    shape_width = max(map(len, shapes.values()))
    for name, error in errors.items():
        verdict = "ok" if error <= tolerance else "WRONG"
        put_parts([f"{name:<{width}}  {shapes[name]:<{shape_width}}  {error:.1e} {verdict}"])


def _model_loss(model: Model, inputs: Tensor, y: Any, seed: int) -> tuple[Callable[[], Tensor], dict[str, Tensor]]:
    model.build(inputs.shape[1:], seed=seed)
    labels = each(np.asarray, y)
    who = "check_gradients"
    parts = heads.inferred(model, labels, who=who)
    goal = objective(model, parts)
    targets = each(_core.tensor, heads.encode(parts, "float64", labels, who))

    def function() -> Tensor:
        return goal.loss(goal.run(inputs, training=True), targets)

    numbers = any(isinstance(layer, Embedding | EmbedColumns) for _, layer in walk(model))  # x is not differentiated
    return function, model.parameters | ({} if numbers else {"x": inputs})


def _function_loss(
    function: Callable[..., Tensor], inputs: Tensor, y: Any, seed: int
) -> tuple[Callable[[], Tensor], dict[str, Tensor]]:
    leaves = {"x": inputs}
    if y is not None:
        second = np.asarray(y)
        real = second.dtype.kind == "f"
        leaves["y"] = _core.tensor(second.astype(np.float64) if real else second, requires_grad=real)
    arguments = list(leaves.values())
    weights: list[Tensor] = []

    def scalar() -> Tensor:
        value = function(*arguments)
        if value.size == 1:
            return value.sum()
        if not weights:
            weights.append(_core.zeros(value.shape, "float64"))
            _core.random_fill(weights[0], "uniform", 0.5, 1.5, seed, "check_gradients")
        return (value * weights[0]).sum()

    return scalar, {name: leaf for name, leaf in leaves.items() if leaf.requires_grad}


def _greatest_error(
    function: Callable[[], Tensor], leaf: Tensor, gradient: Array | None, elements: int, seed: int
) -> float:
    """The maximum of |g - d| / max(0.001, |g|, |d|) over some elements, where d is the difference quotient."""
    values = np.array(leaf.numpy())
    order = _core.permutation(leaf.size, seed, "check_gradients", 0).numpy()[:elements]
    worst = 0.0
    for index in order:
        place = np.unravel_index(int(index), values.shape)
        results = []
        for sign in (1, -1):
            moved = values.copy()
            moved[place] += sign * _STEP
            leaf.assign(moved)
            results.append(function().item())
        leaf.assign(values)
        quotient = (results[0] - results[1]) / (2 * _STEP)
        found = 0.0 if gradient is None else float(gradient[place])
        error = abs(found - quotient) / max(1e-3, abs(found), abs(quotient))
        worst = error if not error <= worst else worst
    return worst
