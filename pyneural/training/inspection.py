"""inspection.py -- looks at the data before a training, and warns once of all that is strange about it.

What is found costs accuracy, or makes a result look better than it is; each finding has its count and what to do.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from pyneural.arguments.arrays import Array
from pyneural.arguments.checks import warn
from pyneural.batching.inputs import takes_numbers, trouble_with_scale, trouble_with_values
from pyneural.batching.sources import Rows, Source
from pyneural.batching.stream import Stream
from pyneural.card.classes import listed, of_head
from pyneural.datasets.dataset import Dataset, by_head
from pyneural.datasets.identical import Hashed, as_bits, common, keys
from pyneural.evaluation.heads import Head
from pyneural.models.model import Model

Encode = Callable[..., Any]
_MANY = 50  # examples from which a class of a few of them is worth a word, if
_TIMES = 10  # a class has as many on average
_FEW = 5  # examples of a class that are too few
_COUNTED = 20  # examples from which the order of the labels, or a constant column, is not chance
_SHARE = 0.05  # the share of rows of a table that may be equal by chance


_silent: ContextVar[bool] = ContextVar("pyneural_uninspected", default=False)


@contextmanager
def uninspected(silent: bool = True) -> Iterator[None]:
    """Inside, no data is inspected: a part of some data may well lack a class, and a fold have a constant column."""
    token = _silent.set(silent)
    try:
        yield
    finally:
        _silent.reset(token)


def inspect(
    model: Model, train: Source, held: Source | None, heads: tuple[Head, ...], encoded: Encode, request: Any
) -> None:
    """Warns once of what is strange about the data, if anything is.

    Args:
        model: the model.
        train: the training data.
        held: the validation data, or None.
        heads: the heads, whose tasks are known.
        encoded: encodes labels as the losses take them.
        request: the arguments of fit, of which it reads `loss` and `scale_targets`.
    """
    if _silent.get():
        return
    scale = train.scale if isinstance(train, Stream) else ""
    found = [
        _of(head, text)
        for head in heads
        if head.task.kind == "values" and request.loss == "auto" and model.card.task is None
        if (text := trouble_with_values(by_head(train.y)[head.name], _unscaled(head, request.scale_targets)))
    ]
    if isinstance(train, Rows):
        scale = trouble_with_scale(model, _scalable(train), train.kind)
        rows = held if isinstance(held, Rows) else None
        found += [*_copies(train, rows), *_constant(model, train)]
        found += [_of(head, text) for head in heads for text in _labels(head, train, rows, encoded)]
    found = [*([scale] if scale else []), *found]
    if len(found) == 1:
        warn(f"fit: {found[0]}")
    elif found:
        warn("\n".join(["fit: look at the data:", *(f"  {n}. {text}" for n, text in enumerate(found, start=1))]))


def _unscaled(head: Head, scale_targets: bool) -> str:
    """What to do so that targets are standardized; "" if they are."""
    if head.scale is not None:
        return ""
    if not scale_targets:
        return "scale_targets=True standardizes them, and pn.predict undoes that"
    end = f"pn.Dense({head.task.outputs})"
    return f"fit standardizes them if the last layer has no activation, so end the model in {end}"


def _scalable(train: Rows) -> Array:
    """The inputs without the columns of a table that stay as they are, such as the numbers of categories."""
    return np.delete(train.x, train.unscaled, axis=1) if train.unscaled and train.kind == "none" else train.x


def _of(head: Head, text: str) -> str:
    return f"{head.name}: {text}" if head.name else text


# ---- identical examples --------------------------------------------------------------------------------------------


def _copies(train: Rows, held: Rows | None) -> Iterator[str]:
    """Examples that are in the training part and in another one."""
    parts: list[tuple[str, Dataset, Array, Array | None]] = []
    if held is not None:
        parts.append(("validation", held.data, held.rows, held.hashes))
    if train.tested is not None:
        parts.append(("test", train.tested, np.arange(len(train.tested)), None))
    images = train.x.dtype == np.uint8 and train.x.ndim > 2
    ours = _hashed(train.data, train.rows, train.hashes, images)
    for name, data, rows, hashes in parts:
        same = common(ours, _hashed(data, rows, hashes, images))
        if len(same) >= (1 if images else max(_FEW, _SHARE * len(rows))):
            fix = "data.split(0.1) keeps them together" if data is train.data else "remove them from one of the two"
            yield (
                f"{len(same):,} of {len(rows):,} {name} examples are identical to training examples, such as "
                f"{_place(data, same[0])}, so the {name} results are too good: {fix}"
            )


def _hashed(data: Dataset, rows: Array, hashes: Array | None, images: bool) -> Hashed:
    """The selected rows; equal images are one image, whatever their labels."""
    return Hashed(as_bits(data.x), None if images else data.y, keys(data.x) if hashes is None else hashes, rows)


def _place(data: Dataset, row: int) -> str:
    return f"row {row}" if data.files is None else f"'{data.files[row]}'"


# ---- labels --------------------------------------------------------------------------------------------------------


def _labels(head: Head, train: Rows, held: Rows | None, encoded: Encode) -> Iterator[str]:
    """Classes that are missing in one part, or rare; labels that apply to no training example, or to all."""
    if head.task.kind == "labels":
        shares = by_head(train.targets(encoded))[head.name].mean(axis=0)
        for value, whom in ((0, "none"), (1, "all")):
            if len(which := np.flatnonzero(shares == value)):
                names = listed([head.task.label(number) for number in which.tolist()])
                yield f"labels apply to {whom} of the training examples, {names}: a model cannot learn them from this"
        return
    ours = _classes(head, train, encoded)
    if ours is None:
        return
    theirs = None if held is None else _classes(head, held, encoded)
    own = held is not None and held.data is train.data
    classes = max(2, head.task.outputs)
    counts = np.bincount(ours, minlength=classes)
    others = np.zeros(classes, np.int64) if theirs is None else np.bincount(theirs, minlength=classes)
    in_order = len(ours) >= _COUNTED and bool(np.all(np.diff(ours) >= 0))
    yield from _strange(train, head)
    if theirs is not None and not own:
        yield from _missing(head, counts, others, in_order or bool(np.all(np.diff(theirs) >= 0)))
    elif in_order and not counts.all():
        yield (
            f"y is sorted, and {int((counts == 0).sum())} of {classes} classes have no examples: a slice of sorted "
            "data has its first classes only; data.split(share) takes a share of every class"
        )
    total = counts + others if own else counts
    rare = [number for number in range(classes) if 0 < total[number] < _FEW]
    if rare and int(total.sum()) >= max(_MANY, _TIMES * int(np.count_nonzero(total))):
        names = listed([f"{head.task.label(number)} ({total[number]})" for number in rare])
        yield f"classes have fewer than {_FEW} examples, {names}: add examples, or leave these classes out"


def _strange(train: Rows, head: Head) -> Iterator[str]:
    """Classes of the test part that the training part lacks, as the labels are given."""
    if train.tested is None or train.tested.classes != train.data.classes:
        return
    ours, theirs = by_head(train.data.y).get(head.name), by_head(train.tested.y).get(head.name)
    if ours is None or theirs is None or ours.ndim != 1 or theirs.ndim != 1 or ours.dtype.kind != theirs.dtype.kind:
        return
    if ours.dtype.kind == "O":
        ours, theirs = ours.astype(str), theirs.astype(str)
    strange = np.setdiff1d(theirs, ours)
    if len(strange):
        names = of_head(train.data.classes, head.name)
        numbers = ours.dtype.kind in "iu" and int(strange.min()) >= 0 and int(strange.max()) < len(names)
        shown = [names[label] if numbers else str(label) for label in strange.tolist()]
        yield f"the test data has classes that the training data lacks, {listed(shown)}: add training examples of them"


def _missing(head: Head, counts: Array, others: Array, in_order: bool) -> Iterator[str]:
    """Classes of the given validation data that training lacks, or the other way round, if labels are sorted."""
    strange = [head.task.label(int(number)) for number in np.flatnonzero((others > 0) & (counts == 0))]
    fix = "y is sorted, so shuffle before splitting, as data.split(share) does" if in_order else "add training examples"
    if strange:
        yield (
            f"{int(others[counts == 0].sum()):,} of {int(others.sum()):,} validation examples are of classes that the "
            f"training data lacks, {listed(strange)}: {fix}"
        )
    elif in_order and 2 * np.count_nonzero(others) <= np.count_nonzero(counts) and others.sum() >= _COUNTED:
        yield f"the validation data has {np.count_nonzero(others)} of {np.count_nonzero(counts)} classes: {fix}"


def _classes(head: Head, part: Rows, encoded: Encode) -> Array | None:
    """The class numbers of the selected rows; None for values, and for probabilities."""
    if head.task.kind in ("values", "labels"):
        return None
    labels = by_head(part.targets(encoded))[head.name]
    if labels.size != len(labels) or (labels.dtype.kind == "f" and np.any(labels != np.floor(labels))):
        return None
    numbers: Array = labels.reshape(-1).astype(np.int64)
    return numbers


# ---- columns -------------------------------------------------------------------------------------------------------


def _constant(model: Model, train: Rows) -> Iterator[str]:
    """Columns of a table with the same value in all rows; without column names, zeros may be the border of an image."""
    x = train.x
    if x.ndim != 2 or x.dtype == np.uint8 or len(x) < _COUNTED or takes_numbers(model):
        return
    columns = np.flatnonzero(np.all(x[:_COUNTED] == x[0], axis=0) & (bool(train.columns) | (x[0] != 0)))
    columns = columns[np.all(x[:, columns] == x[0, columns], axis=0)]
    if len(columns):
        names = listed([train.columns[column] if train.columns else str(column) for column in columns])
        yield f"columns of x have the same value in all rows, {names}: they say nothing about y, so remove them"
