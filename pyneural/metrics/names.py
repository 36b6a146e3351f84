"""names.py -- metrics by name, or custom functions of (outputs, targets) that return the mean over a batch.

A function takes tensors, and returns a tensor of one number, or a number.
"""

import math
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass
from typing import Any

import pyneural._core as _core
import pyneural.ops as ops
from pyneural._core import Tensor
from pyneural.arguments.checks import named, takes_two
from pyneural.arguments.objects import brief, refuse_as_function
from pyneural.arguments.spelling import check_keywords, choose
from pyneural.card.task import Task

Metric = Callable[[Tensor, Tensor], Tensor | float]
NAMES: dict[str, Metric] = {"accuracy": ops.accuracy, "mse": ops.mse, "mae": ops.mae}

_OF_REPORTS = {
    **dict.fromkeys(("auc", "roc_auc", "auroc"), "roc_auc"),
    **dict.fromkeys(("f1", "f1_score", "f1score"), "f1"),
    **dict.fromkeys(("average_precision", "pr_auc", "ap"), "average_precision"),
    **{
        name: name for name in ("precision", "recall", "sensitivity", "specificity", "balanced_accuracy", "brier", "r2")
    },
    **dict.fromkeys(("top_k", "top5", "top_5", "top_k_accuracy"), "top_k(5)"),
}  # what pn.evaluate computes, of all examples together


@check_keywords()
def find(
    metrics: Sequence[str | Metric] | None, task: Task, who: str = "fit", *, logits: bool = True
) -> dict[str, Metric]:
    """The metrics by name; accuracy is always included if the labels are classes.

    Args:
        metrics: names or functions, as in fit.
        task: what the outputs mean.
        who: the prefix of messages.
        logits: whether the metrics get logits; else the answers themselves, as after training with mse.

    Raises:
        ValueError: an unknown name, or accuracy for regression.
    """
    fix = f"give a name ({', '.join(NAMES)}), a function"
    refuse_as_function(f"{who}: metrics", metrics, f"{fix}, or a list of these")
    if metrics is None or isinstance(metrics, str) or callable(metrics):
        metrics = () if metrics is None else (metrics,)
    given: Any = metrics
    if not isinstance(given, Sequence | Set | Iterator) or isinstance(given, bytes):
        raise TypeError(f"{who}: metrics is {brief(metrics)}: {fix}, or a list of these")
    if not isinstance(task, Task):
        raise TypeError(f"{who}: task is {type(task).__name__}: give the Task on a model's card, model.card.task")
    found: dict[str, Metric] = {} if task.kind == "values" else {"accuracy": _accuracy(task, logits=logits)}
    for metric in metrics:
        refuse_as_function("metric", metric, f"give a name ({', '.join(NAMES)}), or a function of (outputs, targets)")
        if callable(metric):
            name = named(metric, "metric")
            if metric is ops.accuracy and task.kind in ("classes", "binary"):
                metric = accuracy
            found[_unused(name, found)] = metric if is_built_in(metric) else _own(metric, f"{who}: metric {name}")
            continue
        if isinstance(metric, str) and (score := _OF_REPORTS.get(metric.lower())):
            raise ValueError(
                f"{who}: metric '{metric}' is not known during training ({', '.join(NAMES)}): "
                f"pn.evaluate(model, data).{score} has it"
            )
        function = choose("metric", metric, NAMES)
        if (metric == "accuracy") == (task.kind == "values"):
            suits = "mse, mae" if task.kind == "values" else "accuracy, which is always shown"
            raise ValueError(f"{who}: metric '{metric}' does not suit {task.kind}: use {suits}, or a function")
        found.setdefault(metric, function)
    return found


def accuracy(outputs: Tensor, targets: Tensor) -> Tensor:
    """The proportion of correct answers, against class numbers, or the most probable class of soft labels."""
    return ops.accuracy(outputs, _class_numbers(targets))


def _class_numbers(targets: Tensor) -> Tensor:
    return targets if targets.dtype == "int64" else ops.argmax(targets)


@dataclass(frozen=True)
class AccuracyAt:
    """The accuracy on two classes, with one or two outputs per example, if the answer is 1 from another threshold."""

    threshold: float  # of the logit of 1, or of its difference to that of 0
    logits: bool = True  # else the threshold is one of the output of 1 itself

    def __call__(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The proportion of correct answers."""
        if outputs.shape[-1] == 2:
            outputs = outputs[:, 1] - outputs[:, 0] if self.logits else outputs[:, 1]
        return ops.accuracy(outputs, _class_numbers(targets), threshold=self.threshold)


@dataclass(frozen=True)
class LabelAccuracy:
    """The proportion of right answers, yes or no, over all labels of all examples; each label has a threshold."""

    thresholds: tuple[float, ...]  # of the logits

    def __call__(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The proportion of correct answers."""
        if any(self.thresholds):
            outputs = outputs - _core.tensor(list(self.thresholds), outputs.dtype)
        return ops.accuracy(outputs, targets)


def _accuracy(task: Task, *, logits: bool) -> Metric:
    """The accuracy as the task counts it."""
    if task.kind == "labels":
        return LabelAccuracy(tuple(map(_log_odds, task.by_label)))
    share = task.threshold
    if not task.is_two_class or share == 0.5:
        return accuracy
    if not logits:
        return AccuracyAt(share, logits=False)
    return AccuracyAt(_log_odds(share))


def _log_odds(share: float) -> float:
    return math.log(share / (1 - share)) if 0 < share < 1 else math.copysign(math.inf, share - 0.5)


def is_accuracy(metric: Metric) -> bool:
    """Whether a metric is the proportion of correct answers."""
    return metric in (ops.accuracy, accuracy) or isinstance(metric, AccuracyAt)


def is_built_in(metric: Metric) -> bool:
    """Whether a metric is not a custom function."""
    return metric in (*NAMES.values(), accuracy) or isinstance(metric, AccuracyAt | LabelAccuracy)


def _own(function: Metric, who: str) -> Metric:
    """A custom metric whose return value is checked."""
    takes_two(function, who)

    def own(outputs: Tensor, targets: Tensor) -> float:
        value: Any = function(outputs, targets)
        try:
            return float(value)
        except (TypeError, ValueError):
            what = " ".join(map(str, (type(value).__name__, *filter(None, [getattr(value, "shape", None)]))))
            raise TypeError(f"{who} returned {what}: return one number, the mean over the batch") from None

    return own


def _unused(name: str, found: dict[str, Metric]) -> str:
    """The name, with a number if another metric already has it."""
    number = 2
    unused = name
    while unused in found and name != "accuracy":  # a custom accuracy replaces the built-in one
        unused, number = f"{name}_{number}", number + 1
    return unused
