"""losses.py -- what training makes small: names for the loss ops, or a function of (outputs, targets)."""

from collections.abc import Callable
from typing import NamedTuple

from pyneural import ops
from pyneural._core import Tensor
from pyneural.spelling import choose
from pyneural.task import Task

LossFunction = Callable[[Tensor, Tensor], Tensor]


class Loss(NamedTuple):
    """A loss, its name, and the kinds of task it suits."""

    name: str
    mean: LossFunction
    kinds: tuple[str, ...]


NAMES: dict[str, Loss] = {
    "cross_entropy": Loss("cross_entropy", ops.cross_entropy, ("classes",)),
    "binary_cross_entropy": Loss("binary_cross_entropy", ops.binary_cross_entropy, ("binary",)),
    "mse": Loss("mse", ops.mse, ("values",)),
    "mae": Loss("mae", ops.mae, ("values",)),
}
_AUTO = {"classes": "cross_entropy", "binary": "binary_cross_entropy", "values": "mse"}


def spelled(loss: str | LossFunction) -> str:
    """The loss's one name, for "cross-entropy" and the like; "auto" and functions keep theirs."""
    if callable(loss):
        return getattr(loss, "__name__", "own loss")
    return "auto" if loss == "auto" else choose("loss", loss, NAMES).name


def find(loss: str | LossFunction, task: Task) -> Loss:
    """The loss for a task.

    Raises:
        ValueError: they do not go together.
    """
    if callable(loss):
        return Loss(spelled(loss), loss, (task.kind,))
    found = NAMES[_AUTO[task.kind]] if loss == "auto" else choose("loss", loss, NAMES)
    if task.kind not in found.kinds:
        raise ValueError(
            f"fit: loss '{found.name}' is for {found.kinds[0]}, the labels are {task.kind} with {task.outputs} "
            f"output{'s' * (task.outputs > 1)}: use loss='{_AUTO[task.kind]}'"
        )
    return found
