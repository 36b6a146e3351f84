"""stuck.py -- reports layers that do not learn because no gradient reaches them, and the likely cause.

It runs once, after the first epoch, so steps are not slowed down.
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
    """A layer and its trained parameters."""

    path: str
    layer: Layer
    parameters: list[Tensor]


def layers_without_gradient(model: Model, before: dict[str, Array]) -> str:
    """A hint about layers without a gradient; "" if every layer has one, or has changed.

    Args:
        model: the model after its first epoch.
        before: the result of `values` before it.
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
            use = "use 'relu', 'tanh' or 'sigmoid' instead"
            return f"{_activation(row)}: its gradient is 0 everywhere, so {them}: {use}"
    names = ", ".join(row.path for row in still)
    found = [name for row in rows[rows.index(still[-1]) :] if (name := _activation(row))]
    found = found or [name for row in rows[rows.index(still[0]) :] if (name := _activation(row))]
    cause = "check the layers after it (steps, rounding and comparisons have a gradient of 0)"
    if found:
        cause = (
            f"check {found[0]} and the initial values: if its output is 0 for every example, try 'leaky_relu', or a "
            "lower learning rate"
        )
    return f"{names}: every gradient is 0, so nothing is learned there: {cause}"


def _activation(row: _Row) -> str | None:
    name = getattr(row.layer, "activation", None)
    return name if isinstance(name, str) else None


def values(model: Model, groups: tuple[str, ...]) -> dict[str, Array]:
    """Copies of the parameters in these groups: without weight decay, only a gradient changes them."""
    return {
        f"{path}/{name}": np.array(record(layer).tensors[name].numpy())
        for path, layer in walk(model)
        for name, spec in record(layer).specs.items()
        if spec.group in groups
    }


def _is_still(row: _Row, before: dict[str, Array]) -> bool:
    """Whether the last gradient is 0, and the parameters without weight decay have not changed."""
    if any(tensor.grad is None or np.any(tensor.grad.numpy()) for tensor in row.parameters):
        return False
    now = ((f"{row.path}/{name}", tensor) for name, tensor in record(row.layer).tensors.items())
    return all(np.array_equal(tensor.numpy(), before[key]) for key, tensor in now if key in before)
