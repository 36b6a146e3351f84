"""measuring.py -- a model run on labelled data: its outputs, batch by batch, and the reports on them."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import pyneural._core as _core
from pyneural.arguments.arrays import Array, hash_of
from pyneural.batching.feed import Feed
from pyneural.batching.inputs import as_inputs
from pyneural.batching.pairs import is_stream, labels, pairs
from pyneural.card.columns import Columns, as_array
from pyneural.card.preprocessing import NOT_UINT8, Preprocessing
from pyneural.card.soft import as_numbers
from pyneural.datasets.identical import as_bits
from pyneural.evaluation.heads import Head, encode, inferred, names, trained
from pyneural.evaluation.labels_report import report_of
from pyneural.evaluation.report import Report
from pyneural.evaluation.rounding import warn_of_targets
from pyneural.evaluation.running import answering, rows_at_once
from pyneural.models.ensemble import Ensemble
from pyneural.models.model import Model

_MARKED = 1000  # examples that tell two data sets apart
Parts = tuple[list[Array], list[Array], list[Array]]
Seen = Callable[[Array], None]


def measured(model: Model | Ensemble, part: Any, who: str, seen: Seen | None = None) -> dict[str, Report]:
    """The reports by head, of a Dataset or of batches; the task of a model trained by hand is recorded on its card.

    `seen` is called with the inputs, a batch at a time if they come in batches.

    Raises:
        ValueError, TypeError: the data does not fit the model; messages start with `who`.
        RuntimeError: the model is neither trained nor built.
    """
    heads = _heads(model, part, who)
    found = _found(model, part, heads, who, seen)
    name, note = ("data", "") if is_stream(part) else (part.name, part.note)
    known: dict[str, Any] = {}
    if not is_stream(part):
        known = {"groups": part.groups, "files": part.files, "mark": _mark(as_bits(part.x))}
    return {
        head.name: report_of(head.task, *_whole(found[head.name]), name, note, _loss_name(model, head), **known)
        for head in heads
    }


def _loss_name(model: Model | Ensemble, head: Head) -> str:
    """The name of the reported loss: "loss" if it is the one that fit minimized, for classes."""
    trained_with = model.card.loss.get(head.name) if isinstance(model.card.loss, dict) else model.card.loss
    return "loss" if head.task.kind != "values" and trained_with == head.loss.name else head.loss.name


def _whole(parts: Parts) -> tuple[Array, Array, Array]:
    outputs, y, errors = map(np.concatenate, parts)
    return outputs, y, errors


def _found(
    model: Model | Ensemble, part: Any, heads: tuple[Head, ...], who: str, seen: Seen | None
) -> dict[str, Parts]:
    """By head: the predictions, the labels, and the loss of each example, batch by batch."""
    found: dict[str, Parts] = {head.name: ([], [], []) for head in heads}
    for outputs, answered, targets in passes(model, part, heads, who, seen):
        for head in heads:
            output, target, answer = (each[head.name] if head.name else each for each in (outputs, targets, answered))
            with _core.no_grad():
                errors = head.loss.mean(output, target, reduction="none").numpy().reshape(-1)
            for kept, values in zip(found[head.name], (answer, _labels(head, target), errors), strict=True):
                kept.append(np.array(values))
    return found


def _labels(head: Head, targets: Any) -> Array:
    """The true classes of a batch, the most probable ones of soft labels; or the values, or rows of several labels."""
    found: Array = targets.numpy()
    return found if head.task.kind in ("values", "labels") else as_numbers(found)


def passes(
    model: Model | Ensemble, part: Any, heads: tuple[Head, ...], who: str, seen: Seen | None = None
) -> Iterator[tuple[Any, Any, Any]]:
    """The outputs, as the losses take them, the answers, and the targets, batch by batch; `seen` gets the inputs."""
    preprocessing = model.card.preprocessing or Preprocessing("none", "float")
    run = answering(model, heads)
    classes = () if is_stream(part) else part.classes
    warned = False
    for at, x, y in _batches(part, model.card.table, who):
        x = as_inputs(model, x, at, preprocessing.kind)
        preprocessing.check(x.dtype.name, at, NOT_UINT8 if is_stream(part) else part.given)
        preprocessing.check_range(x, model.dtype, at)
        if seen is not None:
            seen(x)
        encoded = encode(heads, model.dtype, y, at, classes)
        warned = warned or warn_of_targets(heads, model.dtype, y, at)
        feed = Feed(x, encoded, np.arange(len(x)), preprocessing, model.dtype)
        for batch, targets, _ in feed.batches(rows_at_once(model)):
            with _core.no_grad():
                outputs, answered = run(batch)
            yield outputs, answered, targets


def _mark(x: Array) -> str:
    """The number of examples, and the hash of a thousand of them, evenly spread."""
    return f"{len(x)} {hash_of(x[:: -(-len(x) // _MARKED)])}"


def _batches(part: Any, table: Columns | None, who: str) -> Iterator[tuple[str, Array, Any]]:
    """The prefix of messages, inputs with ordered columns, and labels: of each batch, or of all examples at once."""
    if not is_stream(part):
        yield who, as_array(table, part.x, part.columns, who), part.y
        return
    for number, (x, y, _) in enumerate(pairs(part, who, table), start=1):
        yield f"{who}: batch {number}", x, y


def _heads(model: Model | Ensemble, part: Any, who: str) -> tuple[Head, ...]:
    """The heads of a model; for a model trained by hand, inferred from the labels."""
    if isinstance(model, Ensemble) or model.card.task is not None:
        return trained(model)
    if not model.is_built:
        raise RuntimeError(f"{who}: the model is not trained yet: pn.fit(model, data) first")
    y, classes = (labels(part, who), ()) if is_stream(part) else (part.y, part.classes)
    heads = inferred(model, y, classes=classes, who=who)
    tasks = {head.name: head.task for head in heads}
    model.card.task = tasks if names(model) != ("",) else tasks[""]
    return heads
