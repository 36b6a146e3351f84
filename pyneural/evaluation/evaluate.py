"""evaluate.py -- evaluation of a trained model."""

import hashlib
from collections.abc import Iterator
from typing import Any, overload

import numpy as np

import pyneural._core as _core
from pyneural.arguments.arrays import Array
from pyneural.arguments.spelling import check_keywords
from pyneural.batching.feed import Feed
from pyneural.batching.inputs import as_inputs, check_model
from pyneural.batching.sources import open_data
from pyneural.batching.stream import is_stream, labels, pairs
from pyneural.card.columns import in_order_of
from pyneural.card.preprocessing import Preprocessing
from pyneural.evaluation.heads import BATCH, Head, answers, encode, forward, inferred, names, trained
from pyneural.evaluation.lines import say
from pyneural.evaluation.report import Report, Reports, this_cell
from pyneural.models.entrances import inherit
from pyneural.models.model import Model, Sequential

_MARKED = 1000  # examples that tell two data sets apart
Parts = tuple[list[Array], list[Array], list[Array]]


@overload
def evaluate(model: Sequential, data: Any, *, verbose: int = 1) -> Report: ...


@overload
def evaluate(model: Model, data: Any, *, verbose: int = 1) -> Any: ...


@check_keywords(
    positional="give x and y as one pair, pn.evaluate(model, (x, y))",
    x="the second argument: pn.evaluate(model, (x, y))",
    y="the second argument: pn.evaluate(model, (x, y))",
    batch_size="not needed: it has no effect on the result",
    metrics="not needed: the report has all metrics",
)
def evaluate(model: Model, data: Any, *, verbose: int = 1) -> Any:
    """Evaluates a trained model on data it has not seen, and prints one line.

    For a model trained by hand, with pn.Adam(model) in a loop, the task is inferred from y as in pn.fit, and recorded
    on the model, so that predict and classify work afterwards.

    Args:
        model: a trained model.
        data: a pn.Dataset, such as data.test, arrays (x, y), the path of a folder of images or of an .npz, whose `test`
            part is used if it has one, or batches of (x, y).
        verbose: 0 prints nothing.

    Returns:
        The Report: all scores with their 95 % intervals, confusion matrix, mistakes; `print(report)` shows them.  For a
        model with heads a dict of Reports, with one line per head.

    Raises:
        ValueError, TypeError: the data does not fit the model.
        RuntimeError: the model is neither trained nor built.
    """
    who = "evaluate"
    check_model(model, who)
    inherit(model)
    part = open_data(data, who, model, part="test")
    heads = _heads(model, part)
    preprocessing = model.card.preprocessing or Preprocessing("none", "float")
    found = _found(model, part, heads, preprocessing)
    name, note = ("data", "") if is_stream(part) else (part.name, part.note)
    known: dict[str, Any] = {}
    if not is_stream(part):
        known = {"groups": part.groups, "files": part.files, "mark": _mark(part.x)}
    reports = {
        head.name: Report(head.task, *_whole(found[head.name]), name, note, _loss_name(model, head), **known)
        for head in heads
    }
    if verbose:
        for head, report in reports.items():
            first, *others = report.parts
            say([f"{head}: {first}" if head else first, *others])
            report.printed_in = this_cell()
    return reports.get("", Reports(reports))


def _loss_name(model: Model, head: Head) -> str:
    """The name of the reported loss: "loss" if it is the one that fit minimized, for classes."""
    trained_with = model.card.loss.get(head.name) if isinstance(model.card.loss, dict) else model.card.loss
    return "loss" if head.task.kind != "values" and trained_with == head.loss.name else head.loss.name


def _whole(parts: Parts) -> tuple[Array, Array, Array]:
    outputs, y, errors = map(np.concatenate, parts)
    return outputs, y, errors


def _found(model: Model, part: Any, heads: tuple[Head, ...], preprocessing: Preprocessing) -> dict[str, Parts]:
    """By head: the predictions, the labels, and the loss of each example, batch by batch."""
    found: dict[str, Parts] = {head.name: ([], [], []) for head in heads}
    run = forward(model, heads)
    classes = () if is_stream(part) else part.classes
    with _core.no_grad():
        for who, x, y in _batches(part, model.card.columns):
            x = as_inputs(model, x, who, preprocessing.kind)
            preprocessing.check(x.dtype.name, who)
            preprocessing.check_range(x, model.dtype, who)
            y = encode(heads, model.dtype, y, who, classes)
            for batch, targets, _ in Feed(x, y, np.arange(len(x)), preprocessing, model.dtype).batches(BATCH):
                outputs = run(batch, training=False)
                answered = answers(outputs, heads)
                for head in heads:
                    output, target, answer = (
                        each[head.name] if head.name else each for each in (outputs, targets, answered)
                    )
                    errors = head.loss.mean(output, target, reduction="none").numpy().reshape(-1)
                    for kept, values in zip(found[head.name], (answer, target.numpy(), errors), strict=True):
                        kept.append(np.array(values))
    return found


def _mark(x: Array) -> str:
    """A hash of the shape and of a thousand examples, evenly spread."""
    some = np.ascontiguousarray(x[:: -(-len(x) // _MARKED)])
    return hashlib.blake2b(f"{x.dtype} {x.shape}".encode() + some.tobytes(), digest_size=16).hexdigest()


def _batches(part: Any, columns: tuple[str, ...]) -> Iterator[tuple[str, Array, Any]]:
    """The prefix of messages, inputs with ordered columns, and labels: of each batch, or of all examples at once."""
    if not is_stream(part):
        yield "evaluate", in_order_of(part.x, part.columns, columns, "evaluate"), part.y
        return
    for number, (x, y, _) in enumerate(pairs(part, "evaluate", columns), start=1):
        yield f"evaluate: batch {number}", x, y


def _heads(model: Model, part: Any) -> tuple[Head, ...]:
    """The heads of a model; for a model trained by hand, inferred from the labels."""
    if model.card.task is not None:
        return trained(model)
    if not model.is_built:
        raise RuntimeError("evaluate: the model is not trained yet: pn.fit(model, data) first")
    y, classes = (labels(part, "evaluate"), ()) if is_stream(part) else (part.y, part.classes)
    heads = inferred(model, y, classes=classes, who="evaluate")
    tasks = {head.name: head.task for head in heads}
    model.card.task = tasks if names(model) != ("",) else tasks[""]
    return heads
