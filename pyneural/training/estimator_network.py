"""estimator_network.py -- the network of an estimator: a perceptron of its arguments, or a copy of a given model."""

import copy
from collections.abc import Callable
from typing import Any

from pyneural.arguments.checks import is_number, is_whole, whole
from pyneural.arguments.objects import brief
from pyneural.layers.dense import Dense
from pyneural.layers.layer import Layer
from pyneural.layers.nodes import Input
from pyneural.layers.norms import BatchNorm, Dropout
from pyneural.models.model import Model
from pyneural.models.sequential import Sequential

Sizes = int | dict[str, int]  # the number of outputs, or by head


def perceptron(
    who: str, inputs: int, outputs: Sizes, hidden: Any, activation: Any, dropout: Any, batch_norm: Any, dtype: str
) -> Model:
    """A new network: hidden layers dropout(activation(norm(h W + b))), then one layer h W + b for each output."""
    layers = _hidden(who, hidden, activation, dropout, batch_norm)
    if isinstance(outputs, int):
        return Sequential(*layers, Dense(outputs), dtype=dtype)
    first = node = Input((inputs,))
    for layer in layers:
        node = layer(node)
    return Model(first, {head: Dense(count)(node) for head, count in outputs.items()}, dtype=dtype)


def _hidden(who: str, hidden: Any, activation: Any, dropout: Any, batch_norm: Any) -> list[Layer]:
    sizes = (hidden,) if is_whole(hidden) else hidden
    if not isinstance(sizes, tuple | list):
        raise TypeError(
            f'{who}: hidden is {brief(hidden)}: give the sizes of the hidden layers, such as (128,), or "auto"'
        )
    if not is_number(dropout) or not 0 <= dropout < 1:
        raise ValueError(f"{who}: dropout is {dropout!r}: give a number from 0 to below 1")
    found: list[Layer] = []
    for size in sizes:
        units = whole(who, "hidden", size)
        if batch_norm:
            found += [Dense(units, bias=False), BatchNorm(activation=activation)]
        else:
            found.append(Dense(units, activation))
        if dropout:
            found.append(Dropout(dropout))
    return found


def copied(who: str, model: Model | Callable[[int, Sizes], Model], inputs: int, outputs: Sizes) -> Model:
    """A copy of a model, or what a function makes of the sizes of input and output.

    Raises:
        TypeError: it is neither, or the function returns something else.
    """
    if isinstance(model, Model):
        return copy.deepcopy(model)
    if not callable(model) or isinstance(model, type):
        raise TypeError(
            f"{who}: model is {brief(model)}: give a pn.Sequential, a pn.Model or a function that makes one"
        )
    made: Any = model(inputs, outputs)
    if not isinstance(made, Model):
        raise TypeError(f"{who}: model returned {brief(made)} for (inputs, outputs): let it return a pn.Sequential")
    return made
