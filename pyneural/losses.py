"""losses.py -- losses: the loss ops by name, or a custom function of (outputs, targets)."""

from collections.abc import Callable
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

import pyneural._core as _core
import pyneural.ops as ops
from pyneural._core import Tensor
from pyneural.arguments.checks import named, takes_two
from pyneural.arguments.familiar_modules import OF_LOSSES
from pyneural.arguments.objects import refuse_as_function
from pyneural.arguments.spelling import choose, names_of
from pyneural.card.task import REGRESSION, Task

LossFunction = Callable[..., Tensor]


class Loss(NamedTuple):
    """A loss, its name, and the kinds of task it applies to."""

    name: str
    mean: LossFunction
    kinds: tuple[str, ...]


NAMES: dict[str, Loss] = {
    "cross_entropy": Loss("cross_entropy", ops.cross_entropy, ("classes",)),
    "binary_cross_entropy": Loss("binary_cross_entropy", ops.binary_cross_entropy, ("binary", "labels")),
    "mse": Loss("mse", ops.mse, ("values", "classes")),
    "mae": Loss("mae", ops.mae, ("values", "classes")),
    "huber": Loss("huber", ops.huber, ("values", "classes")),
}
_AUTO = {
    "classes": "cross_entropy",
    "binary": "binary_cross_entropy",
    "values": "mse",
    "labels": "binary_cross_entropy",
}


def spelled(loss: str | LossFunction) -> str:
    """The canonical name of a loss: "cross-entropy" becomes "cross_entropy"; "auto" and functions keep their names.

    A custom function never gets the name of a built-in loss, because its outputs are treated differently.
    """
    refuse_as_function("loss", loss, f"give a name ({', '.join(NAMES)}) or a function of (outputs, targets)")
    if callable(loss):
        for known in NAMES.values():
            if loss is known.mean:
                return known.name
        name = named(loss, "custom loss")
        return f"custom {name}" if name in NAMES or name == "auto" else name
    return "auto" if isinstance(loss, str) and loss == "auto" else choose("loss", loss, NAMES).name


def find(loss: str | LossFunction, task: Task, who: str = "fit") -> Loss:
    """The loss for a task: a function of (outputs, targets), the targets as the task encodes them.

    If the labels are classes and the loss is for regression (mse, mae, huber), the targets are one-hot encoded.

    Raises:
        ValueError: the loss does not fit the task.
    """
    name = spelled(loss)
    if not isinstance(task, Task):
        raise TypeError(f"{who}: task is {type(task).__name__}: give the Task on a model's card, model.card.task")
    if name not in NAMES and name != "auto":
        assert callable(loss)
        return Loss(name, _own(loss, f"{who}: loss {name}"), (task.kind,))
    found = NAMES[_AUTO[task.kind] if name == "auto" else name]
    if task.kind not in found.kinds:
        soft = "; soft labels are rows of probabilities, from 0 to 1, whose sum is 1 to within 0.001"
        raise ValueError(
            f"{who}: loss '{found.name}' is for {found.kinds[0]}, the labels are {task.kind} with {task.outputs} "
            f"output{'s' * (task.outputs > 1)}: use loss='{_AUTO[task.kind]}'"
            f"{soft if (found.name, task.kind) == ('cross_entropy', 'values') and task.outputs > 1 else ''}"
        )
    if task.kind == "labels":
        return found._replace(mean=_of_labels)
    if task.kind == "classes" and found.name in REGRESSION:
        return found._replace(mean=_against_one_hot(found.mean, task.outputs))
    return found


@lru_cache(maxsize=64)  # predict calls it for every image
def rows(name: str | None, task: Task) -> Loss:
    """The loss that an evaluation reports: the training loss if it is built in, else the default of the task."""
    known = NAMES.get(name or "")
    return find(known.name if known is not None and task.kind in known.kinds else "auto", task)


def smoothed(loss: Loss, smoothing: float) -> Loss:
    """A cross-entropy with label smoothing, y' = (1 - s) y + s / K, with K = 2 for a binary one; others unchanged."""
    if loss.name == "cross_entropy":
        return loss._replace(mean=partial(loss.mean, label_smoothing=smoothing))
    if loss.name != "binary_cross_entropy":
        return loss

    def mean(outputs: Tensor, targets: Tensor, **options: Any) -> Tensor:
        return loss.mean(outputs, targets.astype(outputs.dtype) * (1 - smoothing) + smoothing / 2, **options)

    return loss._replace(mean=mean)


def _own(function: LossFunction, who: str) -> LossFunction:
    """A custom loss whose return value is checked."""
    takes_two(function, who)

    def own(outputs: Any, targets: Any) -> Tensor:
        value: Any = function(outputs, targets)
        if not isinstance(value, Tensor):
            what = type(value).__name__
            raise TypeError(
                f"{who} returned {what}: return a tensor of one number, computed from outputs by pn.ops or methods"
            )
        if value.size != 1:
            raise ValueError(f"{who} returned a tensor {value.shape}: return one number, such as its .mean()")
        if _core.is_recording() and not value.requires_grad:
            raise ValueError(
                f"{who} returned a tensor without a gradient: compute it from outputs by pn.ops or methods, without "
                "numpy(), item() or detach()"
            )
        return value

    return own


def _of_labels(outputs: Tensor, targets: Tensor, row_weights: Tensor | None = None, reduction: str = "mean") -> Tensor:
    """The binary cross-entropy summed over the labels of a row; with weights (n, K), K Σ w loss / Σ w over all."""
    if row_weights is None or row_weights.ndim == 1:
        return ops.binary_cross_entropy(outputs, targets, row_weights, reduction)
    flat = outputs.reshape(-1), targets.reshape(-1), row_weights.reshape(-1)
    value = ops.binary_cross_entropy(*flat, reduction)
    return value * outputs.shape[1] if reduction == "mean" else value


def _against_one_hot(function: LossFunction, classes: int) -> LossFunction:
    def against_one_hot(outputs: Tensor, targets: Tensor, **options: Any) -> Tensor:
        rows = targets if targets.ndim == 2 else ops.one_hot(targets, classes, outputs.dtype)  # soft labels are rows
        return function(outputs, rows, **options)

    return against_one_hot


if not TYPE_CHECKING:  # type checkers report wrong names by themselves
    __getattr__ = names_of("pyneural.losses", ("NAMES", "Loss", "find", "spelled"), OF_LOSSES)
