"""building.py -- a layer's first call: checks its inputs, and prefixes errors with the layer's name."""

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pyneural.arguments.checks import Shape, batched


@contextmanager
def errors_named(name: str, shapes: tuple[Shape, ...], built_for: tuple[Shape, ...]) -> Iterator[None]:
    """Prefixes errors raised inside with the layer's name.

    Args:
        name: the layer's name.
        shapes: the shapes of the inputs of this call, without the batch axis.
        built_for: the input shapes it was built for; empty if it is not built yet.
    """
    try:
        yield
    except RuntimeError as error:
        if "shape-only" not in str(error):
            raise
        raise RuntimeError(
            f"{name}: {error}: building a model passes only shapes through its layers, so compute with pn.ops and "
            "methods of x, not with numpy() or item()"
        ) from None
    except (ValueError, TypeError) as error:
        if type(error) not in (ValueError, TypeError):
            raise
        also = ""
        if built_for and shapes != built_for:
            first, here = (" and ".join(map(batched, each)) for each in (built_for, shapes))
            also = f"; it was built for {first}, but is called on {here} here: a shared layer has one set of parameters"
        told = str(error).removeprefix(f"{name}: ")  # an op of the same name adds the same prefix
        raise type(error)(f"{name}: {told}{also}") from None


def check_inputs(call: Callable[..., Any], inputs: tuple[Any, ...], input_ndim: int, kind: str) -> None:
    """Rejects a wrong number of inputs, and inputs of a wrong rank.

    Args:
        call: the layer's `call` method.
        inputs: shape-only tensors.
        input_ndim: the number of axes the first input must have, without the batch axis; 0: any.
        kind: the name of the layer's class.

    Raises:
        TypeError, ValueError: the inputs do not fit; the message says what the layer takes.
    """
    try:
        inspect.signature(call).bind(*inputs, training=False)
    except TypeError:
        raise TypeError(
            f"it does not take {len(inputs)} inputs; pn.Add() and pn.Concatenate() join several into one"
        ) from None
    if input_ndim and inputs[0].ndim != input_ndim + 1:
        raise ValueError(f"x is {inputs[0].shape}: {kind} needs images, (n, height, width, channels)")


def takes_training(call: Callable[..., Any]) -> bool:
    """Whether a layer's `call` takes the keyword `training`."""
    takes = inspect.signature(call).parameters
    return "training" in takes or any(one.kind is one.VAR_KEYWORD for one in takes.values())


def without_training(call: Callable[..., Any]) -> Callable[..., Any]:
    """Lets the `call` of a custom layer that behaves the same during training take the keyword, too."""

    @functools.wraps(call)
    def with_training(*inputs: Any, training: bool = False) -> Any:
        return call(*inputs)

    takes = inspect.signature(call)
    training = inspect.Parameter("training", inspect.Parameter.KEYWORD_ONLY, default=False)
    vars(with_training)["__signature__"] = takes.replace(parameters=[*takes.parameters.values(), training])
    return with_training


def accepted(build: Callable[..., None], shapes: tuple[Shape, ...]) -> tuple[Shape, ...]:
    """The first of the input shapes, as many as the layer's `build` takes."""
    takes = inspect.signature(build).parameters.values()
    return shapes if any(p.kind is p.VAR_POSITIONAL for p in takes) else shapes[: len(takes)]
