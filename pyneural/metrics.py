"""metrics.py -- what is shown beside the loss: names, or functions of (outputs, targets) that give a mean."""

from collections.abc import Callable, Sequence

from pyneural import ops
from pyneural._core import Tensor
from pyneural.spelling import choose
from pyneural.task import Task

Metric = Callable[[Tensor, Tensor], Tensor]

NAMES: dict[str, Metric] = {"accuracy": ops.accuracy, "mse": ops.mse, "mae": ops.mae}


def find(metrics: Sequence[str | Metric], task: Task, who: str = "fit") -> dict[str, Metric]:
    """The metrics by name; accuracy is always there where labels are classes.

    Raises:
        ValueError: an unknown name, or accuracy for values.
    """
    if isinstance(metrics, str) or callable(metrics):
        metrics = (metrics,)
    found: dict[str, Metric] = {} if task.kind == "values" else {"accuracy": ops.accuracy}
    for metric in metrics:
        if callable(metric):
            found[getattr(metric, "__name__", "metric")] = metric
            continue
        function = choose("metric", metric, NAMES)
        if (metric == "accuracy") == (task.kind == "values"):
            suits = "mse, mae" if task.kind == "values" else "accuracy, which is shown by itself"
            raise ValueError(f"{who}: metric '{metric}' does not suit {task.kind}: use {suits}, or a function")
        found[metric] = function
    return found
