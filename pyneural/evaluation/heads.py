"""heads.py -- Head: one output of a model with its task, loss and metrics.

A model with one output has one head, whose name is "".  With several heads, the outputs and the labels are dicts.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import pyneural.losses as losses
import pyneural.metrics.names as metrics
from pyneural.arguments.objects import brief
from pyneural.arguments.spelling import exactly
from pyneural.card.classes import of_head
from pyneural.card.inference import check_varied, infer
from pyneural.card.soft import are_soft
from pyneural.card.target_scale import TargetScale
from pyneural.card.task import REGRESSION, Task
from pyneural.evaluation.units import in_units, is_standardized
from pyneural.models.ensemble import Ensemble
from pyneural.models.model import Model


class Head(NamedTuple):
    """One output.

    Attributes:
        name, task, loss, metrics: of the output.
        soft: whether the labels are rows of probabilities.
        scale: how the targets of a regression are standardized; None if they are not.
    """

    name: str
    task: Task
    loss: losses.Loss
    metrics: dict[str, metrics.Metric]
    soft: bool = False
    scale: TargetScale | None = None

    @property
    def is_standardized(self) -> bool:
        """Whether losses of training take standardized outputs and targets."""
        return is_standardized(self.scale, self.loss)


def names(model: Model | Ensemble) -> tuple[str, ...]:
    """The names of a built model's heads, in order; ("",) for a single output."""
    shape = model.output_shape
    return tuple(shape) if isinstance(shape, dict) else ("",)


def head_of(heads: tuple[Head, ...], name: str | None, who: str) -> Head:
    """The head with that name; None: the only one.

    Raises:
        ValueError, TypeError: there is no such head, or there are several; the message names them.
    """
    known = [head.name for head in heads]
    if name is None and len(heads) == 1:
        return heads[0]
    if known == [""]:
        raise ValueError(f"{who}: head is {brief(name)}, but the model has one output: leave it out")
    if name is None:
        raise ValueError(f"{who}: the model has the heads {', '.join(known)}: give one, such as head={known[0]!r}")
    return exactly(f"{who}: head", name, dict(zip(known, heads, strict=True)))


def pick(what: str, value: Any, heads: tuple[str, ...], who: str, absent: Any = None) -> dict[str, Any]:
    """A part of `value` for each head.

    Args:
        what: the name of the value in messages, such as "y".
        value: a dict by head, or one value, which is used for every head if `absent` is given.
        heads: the names of the heads.
        who: the prefix of messages.
        absent: the default for heads missing from the dict; None: the value must be a complete dict if heads have
            names.

    Raises:
        ValueError: the dict has other keys; the message says which.
    """
    if heads == ("",):
        if isinstance(value, dict):
            raise ValueError(
                f"{who}: {what} is a dict ({', '.join(map(str, value))}), the model has one output: give one {what}"
            )
        return {"": value}
    if not isinstance(value, Mapping):
        if absent is None:
            shown = ", ".join(f"{head!r}: ..." for head in heads)
            raise ValueError(f"{who}: the model has the heads {', '.join(heads)}: give {what} as a dict, {{{shown}}}")
        return dict.fromkeys(heads, value)
    extra = [str(key) for key in value if key not in heads]
    missing = [head for head in heads if head not in value] if absent is None else []
    if extra or missing:
        wrong = [f"no {', '.join(missing)}"] * bool(missing) + [f"{', '.join(extra)}, which is not a head"] * bool(
            extra
        )
        raise ValueError(f"{who}: {what} has {' and '.join(wrong)}: the model's heads are {', '.join(heads)}")
    return {head: value.get(head, absent) for head in heads}


def inferred(
    model: Model, y: Any, loss: Any = "auto", shown: Any = (), classes: Any = (), *, who: str
) -> tuple[Head, ...]:
    """The heads of a built model, inferred from labels and arguments; the model's existing tasks are kept.

    Args:
        model: a built model.
        y: labels, or a dict of them.
        loss: a name or a function, or a dict of them; "auto" chooses by the task.
        shown: the metrics, or a dict of them.
        classes: the class names, if the data has them; or a dict of them.
        who: the prefix of messages; "fit" rejects labels that are all equal.

    Raises:
        ValueError, TypeError: labels, losses, metrics and outputs do not fit together.
    """
    heads = names(model)
    labels = pick("y", y, heads, who)
    wanted = pick("loss", loss, heads, who, "auto")
    beside = pick("metrics", shown, heads, who, ())
    known = model.card.task if isinstance(model.card.task, dict) else {"": model.card.task}
    made = []
    for head in heads:
        at = f"{who}: {head}" if head else who
        named = of_head(classes, head)
        old = known.get(head)
        loss_name = losses.spelled(wanted[head])
        task = old or infer(labels[head], _outputs(model, head), loss_name, named, at, naming=who == "fit")
        if who == "fit":
            task = task.named(named).uncalibrated()  # the temperature was chosen for other weights
            if old is None:  # a model with known classes may go on with examples of one of them
                check_varied(labels[head], task, at)
        loss_of_head = losses.find(wanted[head], task, at)
        is_soft = task.kind == "classes" and are_soft(labels[head])
        scores = metrics.find(beside[head], task, at, logits=loss_of_head.name not in REGRESSION)
        made.append(Head(head, task, loss_of_head, scores, is_soft))
    return tuple(made)


def trained(model: Model | Ensemble) -> tuple[Head, ...]:
    """The heads of a trained model, in order, with the losses that an evaluation reports.

    Raises:
        ValueError: the models of an ensemble do not agree any more.
    """
    if isinstance(model, Ensemble):
        model.refresh()
    task = model.card.task
    loss = model.card.loss
    tasks = task if isinstance(task, dict) else {"": task}
    loss_names = loss if isinstance(loss, dict) else {"": loss}
    scales = scales_of(model)
    return tuple(
        _measured(Head(head, found, losses.rows(loss_names.get(head), found), {}, scale=scales.get(head)))
        for head in names(model)
        if (found := tasks.get(head)) is not None
    )


def scales_of(model: Model | Ensemble) -> dict[str, TargetScale]:
    """By head, how the targets of a trained model were standardized, if they were; of an ensemble, of its first one."""
    card = model[0].card if isinstance(model, Ensemble) else model.card
    scales = card.target_scale if isinstance(card.target_scale, dict) else {"": card.target_scale}
    return {name: scale for name, scale in scales.items() if scale is not None}


def _measured(head: Head) -> Head:
    """A head whose loss takes outputs and targets in their units."""
    if head.scale is None or head.loss.name not in REGRESSION:
        return head
    return head._replace(loss=head.loss._replace(mean=in_units(head.scale, head.loss)))


def record_on_card(model: Model, heads: tuple[Head, ...]) -> None:
    """Records the tasks, the losses and the scales of the heads on the model's card."""
    if heads[0].name:
        model.card.task = {head.name: head.task for head in heads}
        model.card.loss = {head.name: head.loss.name for head in heads}
        scales = {head.name: head.scale for head in heads}
        model.card.target_scale = scales if any(scales.values()) else None
    else:
        model.card.task = heads[0].task
        model.card.loss = heads[0].loss.name
        model.card.target_scale = heads[0].scale


def encode(heads: tuple[Head, ...], dtype: str, y: Any, who: str, classes: Any = (), *, training: bool = False) -> Any:
    """Encodes labels for the losses, as an array or a dict; `classes` names the data's class numbers.

    In training, targets to standardize are float64, until `as_targets` does so: float32 rounds timestamps of one minute
    to one value.
    """
    labels = pick("y", y, tuple(head.name for head in heads), who)
    found = {}
    for head in heads:
        at = f"{who}: {head.name}" if head.name else who
        y = labels[head.name]
        found[head.name] = head.task.encode(y, dtype, at, of_head(classes, head.name), as_rows=head.soft)
        if training and head.is_standardized:
            found[head.name] = head.task.encode(y, "float64", at)
    return found if heads[0].name else found[""]


def as_targets(heads: tuple[Head, ...], dtype: str, encoded: Any) -> Any:
    """Encoded labels as the losses of training take them: some are standardized."""
    by_name = encoded if isinstance(encoded, dict) else {"": encoded}
    for head in heads:
        if head.is_standardized:
            assert head.scale is not None
            by_name = by_name | {head.name: head.scale.standardized(by_name[head.name], dtype)}
    return by_name if heads[0].name else by_name[""]


def written(head: Head) -> bool:
    """Whether the loss takes the model's outputs unchanged; else it takes the logits."""
    return head.task.kind == "values" or head.loss.name in REGRESSION


def _outputs(model: Model, head: str) -> tuple[int, ...]:
    shape: Any = model.output_shape
    return tuple(shape[head] if head else shape)
