"""stuck.py -- says which layers do not learn because no gradient comes to them, and what may be the cause.

It is asked once, after the first epoch: at each step it costs nothing.
"""

from typing import NamedTuple

import numpy as np

from pyneural._core import Tensor
from pyneural.arguments.arrays import Array
from pyneural.layers.layer import Layer, walk
from pyneural.layers.operation import record
from pyneural.models.model import Model

FLAT = ("step",)  # activations whose gradient is 0 everywhere


class _Row(NamedTuple):
    """A layer, and the parameters in it that are trained."""

    path: str
    layer: Layer
    parameters: list[Tensor]


def layers_without_gradient(model: Model, before: dict[str, Array]) -> str:
    """What to look at; "" where every layer has a gradient, or has changed.

    Args:
        model: after its first epoch.
        before: what `values` gave before it.
    """
    rows = [
        _Row(
            path,
            layer,
            [record(layer).tensors[name] for name, spec in record(layer).specs.items() if spec.group != "state"],
        )
        for path, layer in walk(model)
    ]
    still = [row for row in rows if row.parameters and row.layer.trainable and _is_still(row, before)]
    if not still:
        return ""
    for place, row in enumerate(rows):
        before_it = [one.path for one in rows[: place + 1] if one in still]
        if _activation(row) in FLAT and before_it:
            names = ", ".join(before_it)
            them = f"the layers before it will not learn ({names})" if len(before_it) > 1 else f"{names} will not learn"
            use = "use 'relu', 'tanh' or 'sigmoid' in its place"
            return f"{_activation(row)}: its gradient is 0 everywhere, so {them}: {use}"
    names = ", ".join(row.path for row in still)
    found = [name for row in rows[rows.index(still[-1]) :] if (name := _activation(row))]
    found = found or [name for row in rows[rows.index(still[0]) :] if (name := _activation(row))]
    cause = "look at what comes after it (steps, roundings and comparisons have a gradient of 0)"
    if found:
        cause = (
            f"look at {found[0]} and at the initial values: where it gives 0 for every example, try 'leaky_relu', or a "
            "lower learning rate"
        )
    return f"{names}: every gradient is 0, so nothing is learnt there: {cause}"


def _activation(row: _Row) -> str | None:
    name = getattr(row.layer, "activation", None)
    return name if isinstance(name, str) else None


def values(model: Model, groups: tuple[str, ...]) -> dict[str, Array]:
    """Copies of the parameters of these groups: those that weight decay leaves alone move where there is a gradient."""
    return {
        f"{path}/{name}": np.array(record(layer).tensors[name].numpy())
        for path, layer in walk(model)
        for name, spec in record(layer).specs.items()
        if spec.group in groups
    }


def _is_still(row: _Row, before: dict[str, Array]) -> bool:
    """Whether the last gradient is 0, and what only a gradient moves has not moved."""
    if any(tensor.grad is None or np.any(tensor.grad.numpy()) for tensor in row.parameters):
        return False
    now = ((f"{row.path}/{name}", tensor) for name, tensor in record(row.layer).tensors.items())
    return all(np.array_equal(tensor.numpy(), before[key]) for key, tensor in now if key in before)
