"""plan.py -- the plan of a training: data split, checked and preprocessed; heads and losses."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import pyneural._core as _core
import pyneural.losses as losses
import pyneural.metrics.names as metrics
from pyneural.arguments.checks import is_number, warn
from pyneural.batching.augmentation import Augment, check_augment, check_images
from pyneural.batching.feed import Batches
from pyneural.batching.sources import Encode, Rows, Source, sources
from pyneural.batching.stream import Stream
from pyneural.card.classes import are_numbers, listed
from pyneural.card.preprocessing import Preprocessing, decided
from pyneural.datasets.dataset import Dataset
from pyneural.evaluation.heads import Head, as_targets, encode, inferred, record_on_card
from pyneural.evaluation.objective import Objective, objective
from pyneural.evaluation.weighting import Weighting, classes_to_draw, factors, smoothed, weighting
from pyneural.layers.context import Building, building
from pyneural.layers.layer import tree, undone_on_error, walk
from pyneural.layers.operation import record
from pyneural.models.entrances import check_entrances, inherit, remember
from pyneural.models.model import Model
from pyneural.models.test_time import IN_WORDS, set_test_time, spelled
from pyneural.training.automatic_batches import batch_size_for
from pyneural.training.embedding import embedded
from pyneural.training.identity import identity
from pyneural.training.inspection import inspect
from pyneural.training.target_scaling import with_scales

Losses = str | losses.LossFunction | Mapping[str, str | losses.LossFunction]
Accept = Callable[[Callable[[], dict[str, str]], bool], None]
Metrics = Sequence[str | metrics.Metric] | Mapping[str, Sequence[str | metrics.Metric]]


class Plan(NamedTuple):
    """The batches and the objective of a training.

    Args:
        feed: the training batches.
        held: the validation batches, or None.
        objective: the loss and the metrics of training.
        judge: those of validation, without label smoothing.
        words: the parts of the first progress line: data, split, inputs, task, loss.
        batches: the batch size in words.
        batch_size: the number of examples per step; without meaning for batches that users give.
        note: shown with every result, if the data is a small sample.
        is_table: whether an input is a row of numbers, (F,).
    """

    feed: Batches
    held: Batches | None
    objective: Objective
    judge: Objective
    words: list[str]
    batches: str
    batch_size: int
    note: str
    is_table: bool

    @property
    def names(self) -> tuple[str, ...]:
        """The names of an epoch's values in a history."""
        trained = ("loss", *self.objective.metrics)
        tested = () if self.held is None else tuple(f"val_{name}" for name in trained)
        return (*trained, *tested, "learning_rate", "seconds")


class Request(NamedTuple):
    """The arguments of fit that determine a Plan; batch_size is 0 for "auto"."""

    validation: float | Dataset | tuple[Any, Any] | Any = None
    preprocess: str | None = "auto"
    scale_targets: bool = True
    augment: Augment | None = None
    loss: Losses = "auto"
    metrics: Metrics | None = ()
    class_weight: Any = None
    sample_weight: Any = None
    balance: bool | str = False
    loss_weights: Any = None
    label_smoothing: float = 0.0
    test_time: str | None = None
    seed: int = 0
    batch_size: int = 64


def _accept_all(identity: Callable[[], dict[str, str]], has_validation: bool) -> None:
    """Accepts any data."""


def plan(model: Model, data: Any, request: Request, accept: Accept = _accept_all) -> Plan:
    """Checks and preprocesses everything, builds the model if necessary, and fills in its card.

    Args:
        model: the model.
        data: as in fit.
        request: the arguments of fit.
        accept: raises an error if fit cannot train on the data: is given its identity, and whether some is held out.

    Raises:
        ValueError, TypeError: model, data and arguments do not fit together; the model is left unchanged.
    """
    _check_request(model, request)
    train, held, split = sources(
        model, data, request.validation, request.preprocess, request.seed, request.sample_weight
    )
    check_images(request.augment, train.shape)
    if not request.batch_size:
        request = request._replace(batch_size=batch_size_for(len(train), is_table=len(train.shape) == 1))
    with untouched(model), embedded(model, train.table) as in_front:
        model.infer_shapes(train.shape, min(request.batch_size, len(train)))
        set_test_time("fit: test_time", model, request.test_time)
        heads = inferred(model, train.y, request.loss, request.metrics, train.classes, who="fit")
        heads = with_scales(model, heads, train, request.scale_targets)
        preprocessing = _preprocessing(model, train, held, request.preprocess)

        def encoded(y: Any, who: str, classes: Any = ()) -> Any:
            return encode(heads, model.dtype, y, who, classes, training=True)

        made = _made(model, (train, held, split), heads, preprocessing, encoded, request)
        made.words[2:2] = in_front
        digest = train.digest(encoded)
        batches = f"{made.feed.steps(request.batch_size)} {made.feed.smallest(request.batch_size)}"
        accept(partial(identity, digest, batches, train, held, heads, preprocessing, encoded), held is not None)
        share = _held_out(train, held, request.validation)
        _warn_of_another_split(model, digest, share, request.seed)
        _rehearse(model, (made.feed.smallest(request.batch_size), *train.shape))
        inspect(model, train, held, heads, encoded, request)
    model.build(train.shape, seed=request.seed)
    record_on_card(model, heads)
    _record_data(model, train, preprocessing, (digest, request.seed, share))
    model.card.augment = str(request.augment) if request.augment else ""
    remember(model)
    return made


def _check_request(model: Model, request: Request) -> None:
    """Checks what can be checked without the data."""
    for loss in request.loss.values() if isinstance(request.loss, Mapping) else (request.loss,):
        losses.spelled(loss)
    decided(request.preprocess, "uint8")
    check_augment("fit", request.augment)
    if not isinstance(request.scale_targets, bool):
        raise TypeError(f"fit: scale_targets is {request.scale_targets!r}: give True or False")
    spelled("fit: test_time", request.test_time)
    inherit(model)
    if request.preprocess == "auto":
        check_entrances(model)


def _made(
    model: Model,
    data: tuple[Source, Source | None, str],
    heads: tuple[Head, ...],
    preprocessing: Preprocessing,
    encoded: Encode,
    request: Request,
) -> Plan:
    """The Plan; `data` is what `sources` returned."""
    train, held, split = data
    dtype = model.dtype
    weigh = weighting(heads, request.class_weight, partial(train.targets, encoded), _sampled(train, held), dtype)
    classes_of = classes_to_draw(heads, request.balance, request.class_weight)
    shares = factors(heads, request.loss_weights)
    judge = objective(model, heads, shares)
    smooth = smoothed(heads, request.label_smoothing)
    targets = partial(as_targets, heads, dtype)
    samples = weigh.of_samples().of_rows
    return Plan(
        train.feed(preprocessing, encoded, dtype, weigh.of_rows, classes_of, request.augment, targets),
        None if held is None else held.feed(preprocessing, encoded, dtype, samples, as_targets=targets),
        judge if smooth is heads else objective(model, smooth, shares),
        judge,
        [
            f"{train.name}: {split}",
            f"{_inputs(train)} -> {preprocessing}{_as_inside(model, preprocessing)}",
            *(_head(head, weigh, shares) for head in heads),
            *_changes(request, _sampled(train)),
        ],
        "batches as they come" if isinstance(train, Stream) else f"batch {request.batch_size}",
        request.batch_size,
        train.note,
        len(train.shape) == 1,
    )


def _record_data(model: Model, train: Source, preprocessing: Preprocessing, split: tuple[str, int, float]) -> None:
    """Records the training data and its preparation on the model's card."""
    card = model.card
    card.preprocessing = preprocessing
    model.inherited = ""
    card.data = train.name
    if card.data_hash != split[0]:  # of other images
        card.pixels = None
    card.data_hash, card.seed, card.held_out = split
    card.splits = tuple(dict.fromkeys((*card.splits, split)))
    card.prepare = train.prepare
    card.table = train.table
    card.target = train.y_names


def _changes(request: Request, sampled: bool) -> list[str]:
    """What makes the training data differ from the examples as they are, for the first line."""
    return [
        *([f"augmented: {request.augment}"] if request.augment else []),
        *(["sample weights"] if sampled else []),
        *(["classes drawn evenly"] if request.balance else []),
        *([f"label smoothing {request.label_smoothing:g}"] if request.label_smoothing else []),
        *([f"validated on the {IN_WORDS}"] if request.test_time else []),
    ]


def _inputs(train: Source) -> str:
    """The inputs, for the first line: the columns of a table that are more than plain numbers, or dtype and shape."""
    table = train.table
    return f"{train.dtype} {train.shape}" if table is None or table.is_plain else str(table)


def _as_inside(model: Model, preprocessing: Preprocessing) -> str:
    """Where the preprocessing comes from, for the first line, if it is that of a trained model inside."""
    taken = model.inherited and preprocessing is model.card.preprocessing and preprocessing.kind != "none"
    return f", as {model.inherited} was trained" if taken else ""


def _sampled(*parts: Source | None) -> bool:
    """Whether examples have weights."""
    return any(isinstance(part, Rows) and part.weights is not None for part in parts)


def _held_out(train: Source, held: Source | None, validation: Any) -> float:
    """The share of the training data that fit itself holds out for validation."""
    split = isinstance(train, Rows) and isinstance(held, Rows) and held.x is train.x
    return float(validation) if split and is_number(validation) else 0.0


def _warn_of_another_split(model: Model, digest: str, share: float, seed: int) -> None:
    """Warns if an earlier fit has trained on examples that this one holds out."""
    for data, before, held in model.card.splits if share and model.card.epochs else ():
        if data == digest and not (seed == before and share <= held):
            how = f"seed={before} and validation={held:g}" if held else "no examples held out"
            warn(
                f"fit: an earlier fit on this data had {how}, so the model has trained on examples that seed={seed} "
                f"and validation={share:g} hold out, and the validation results are too good: keep the seed and the "
                "share, or give validation data that is new to the model"
            )
            return


@contextmanager
def untouched(model: Model) -> Iterator[None]:
    """On an error inside, restores the model's card, and unbuilds it if it was not built."""
    card = replace(model.card)
    try:
        with undone_on_error(tree(model)):
            yield
    except BaseException:
        model.card = card
        raise


def _rehearse(model: Model, shape: tuple[int, ...]) -> None:
    """Runs a shape-only batch as in training, so that errors surface before training starts."""
    learning = [layer for _, layer in walk(model) if layer.trainable]
    if not any(spec.group != "state" for layer in learning for spec in record(layer).specs.values()):
        raise ValueError(
            "fit: no layer of the model can learn: they are frozen, or have no parameters: set layer.trainable = True, "
            "or add a pn.Dense"
        )
    with building(Building(model.dtype, shape[0])):
        model.call(_core.shape_only(shape, model.dtype), training=True)


def _preprocessing(model: Model, train: Source, held: Source | None, choice: str | None) -> Preprocessing:
    found = model.card.preprocessing
    if found is None or choice != "auto":
        found = Preprocessing.learn(train.kind, train.dtype, train.shape, train.moments, train.unscaled)
    found.check(train.dtype, "fit", train.given)
    if held is not None:
        found.check(held.dtype, "fit: validation", held.given)
    return found


def _head(head: Head, weigh: Weighting, shares: Mapping[str, float]) -> str:
    loss = f"{shares[head.name]:g} x {head.loss.name}" if head.name in shares else head.loss.name
    scaled = "" if head.scale is None else str(head.scale)
    description = " · ".join(filter(None, (_task(head), loss, scaled, weigh.words(head))))
    return f"{head.name}: {description.replace(' · ', ', ')}" if head.name else description


def _task(head: Head) -> str:
    task = head.task
    many = f"{task.outputs} value{'s' * (task.outputs > 1)}"
    known = f" (the labels {listed(task.classes)})" if task.classes and are_numbers(task.classes) else ""
    if head.soft:
        known += ", soft labels"
    return {
        "classes": f"{task.outputs} classes{known}",
        "binary": f"binary{known}",
        "values": many,
        "labels": f"{task.outputs} labels, each yes or no",
    }[task.kind]
