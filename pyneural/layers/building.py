"""building.py -- a layer's first call: its inputs checked, and errors that name the layer."""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pyneural.arguments.checks import Shape, batched


@contextmanager
def errors_named(name: str, shapes: tuple[Shape, ...], built_for: tuple[Shape, ...]) -> Iterator[None]:
    """Errors inside begin with the layer's name.

    Args:
        name: of the layer.
        shapes: of the inputs that it is called on, without the batch's axis.
        built_for: of those that it was built for; empty where it is not built yet.
    """
    try:
        yield
    except RuntimeError as error:
        if "shape-only" not in str(error):
            raise
        raise RuntimeError(
            f"{name}: {error}: a model is built of shapes, so compute with pn.ops and methods of x, and without "
            "numpy() and item()"
        ) from None
    except (ValueError, TypeError) as error:
        if type(error) not in (ValueError, TypeError):
            raise
        also = ""
        if built_for and shapes != built_for:
            first, here = (" and ".join(map(batched, each)) for each in (built_for, shapes))
            also = f"; it was built for {first}, and is given {here} here: a shared layer has one set of parameters"
        told = str(error).removeprefix(f"{name}: ")  # an op of the same name says it too
        raise type(error)(f"{name}: {told}{also}") from None


def check_inputs(call: Callable[..., Any], inputs: tuple[Any, ...], input_ndim: int, kind: str) -> None:
    """Refuses inputs that are too many, or of another rank than a layer works on.

    Args:
        call: the layer's.
        inputs: shape-only tensors.
        input_ndim: how many axes the first needs, without the batch's; 0: any.
        kind: the layer's class.

    Raises:
        TypeError, ValueError: says what it takes.
    """
    signature = inspect.signature(call)
    if "training" not in signature.parameters:
        raise TypeError(f"define call(self, x, *, training), not call{signature}")
    try:
        signature.bind(*inputs, training=False)
    except TypeError:
        raise TypeError(
            f"it does not take {len(inputs)} inputs; pn.Add() and pn.Concatenate() make one of several"
        ) from None
    if input_ndim and inputs[0].ndim != input_ndim + 1:
        raise ValueError(f"x is {inputs[0].shape}: {kind} needs images, (n, height, width, channels)")


def accepted(build: Callable[..., None], shapes: tuple[Shape, ...]) -> tuple[Shape, ...]:
    """As many of the inputs' shapes as a layer's build takes."""
    takes = inspect.signature(build).parameters.values()
    return shapes if any(p.kind is p.VAR_POSITIONAL for p in takes) else shapes[: len(takes)]
