"""nonfinite.py -- the first layer and op whose output was not finite, and what to change.

The batch is run once more while the engine reports every op; so training itself is not slowed down.
"""

import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, NamedTuple

import numpy as np

import pyneural._core as _core
from pyneural._core import Tensor
from pyneural.layers.layer import Layer, walk
from pyneural.layers.operation import record
from pyneural.models.model import Model
from pyneural.models.network import Network

_LARGE = 1e6  # a loss above it may have overflowed in backward
_PARTIAL = ("log", "sqrt", "div", "pow", "log1p")  # ops that are not finite for some finite inputs


class Fault(NamedTuple):
    """The first output that was not finite.

    Attributes:
        op: the op's name; "" if parameters were not finite to begin with, or everything was finite.
        layer: the path of its layer; "" outside of layers, as in the loss.
    """

    op: str = ""
    layer: str = ""

    def __str__(self) -> str:
        if not self.op:
            return f"the weights of {self.layer} are not finite, since the step before" if self.layer else ""
        where = f"the layer {self.layer}" if self.layer else "the loss"
        return f"the first output that is not finite is that of the op {self.op} in {where}"


class _FoundError(Exception):
    """Ends the run at the fault."""


def find(model: Model, run: Callable[[], Any]) -> Fault:
    """Runs a batch again, up to the first output that is not finite."""
    for path, layer in walk(model):
        if not all(map(_is_finite, record(layer).tensors.values())):
            return Fault("", path)
    thread = threading.get_ident()
    found = Fault()

    def watch(op: str, outputs: tuple[Tensor, ...]) -> None:
        nonlocal found
        if threading.get_ident() == thread and not all(map(_is_finite, outputs)):
            found = Fault(op, _layer_of(sys._getframe(1)))
            raise _FoundError

    before = _core.set_watcher(watch)
    try:
        run()
    except _FoundError:
        pass
    finally:
        _core.set_watcher(before)
    return found


def _is_finite(tensor: Tensor) -> bool:
    if not tensor.dtype.startswith("float") or tensor.is_shape_only:
        return True
    return bool(_core.check_finite(tensor.numpy())[0] == 0)


def _layer_of(frame: FrameType | None) -> str:
    """The path of the innermost layer whose method is running; "" outside of layers."""
    while frame is not None:
        layer = frame.f_locals.get("self")
        if isinstance(layer, Layer) and not isinstance(layer, Network):
            return record(layer).path or layer.name or layer.kind
        frame = frame.f_back
    return ""


def fix(fault: Fault, model: Model, loss: float, rate: float, custom_loss: bool) -> str:
    """The likely cause, and what to change.

    Args:
        fault: the result of find.
        model: the model, after the step before.
        loss: that of the step before.
        rate: the learning rate.
        custom_loss: whether the loss is the user's function.
    """
    if custom_loss and not fault.layer:
        return (
            "the outputs are finite, so the custom loss produced it, like a mean over a batch in which every label is "
            "ignored or has weight 0: return (outputs * 0).sum() for such batches, or use larger batches"
        )
    if custom_loss and abs(loss) < _LARGE and _has_nan_gradient(model):
        return (
            f"the step before had a loss of {loss:.4g}, but a gradient of NaN: the custom loss uses a function where "
            "it has no derivative, like sqrt at 0: add a small number inside, (x + 1e-12).sqrt()"
        )
    if fault.op in _PARTIAL:
        return (
            f"keep the inputs of {fault.op} away from 0 and below, as in (x + 1e-6).log(); or lower the learning rate"
        )
    return (
        f"lower the learning rate (it is {rate:g}), limit the gradient, as in pn.Adam(clip_norm=1.0), or look for "
        "outliers in the data"
    )


def _has_nan_gradient(model: Model) -> bool:
    """Whether the last step had NaN in a gradient."""
    gradients = (tensor.grad for tensor in model.parameters.values())
    return any(gradient is not None and bool(np.isnan(gradient.numpy()).any()) for gradient in gradients)
