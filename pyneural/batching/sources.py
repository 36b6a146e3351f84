"""sources.py -- user data (splits, arrays, a folder, batches) as sources of training and validation examples.

A Source knows the input shape and the labels, and creates the feed once the plan knows task and preprocessing.
"""

import hashlib
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from pyneural.arguments.arrays import Array, as_weights
from pyneural.arguments.checks import is_number
from pyneural.batching.augmentation import Augment
from pyneural.batching.feed import AsTargets, Batches, Feed, each, unchanged
from pyneural.batching.inputs import as_inputs
from pyneural.batching.moments import moments_of
from pyneural.batching.opening import open_data
from pyneural.batching.pairs import is_stream
from pyneural.batching.standardizing import kind_for
from pyneural.batching.stream import Stream, digest
from pyneural.batching.table_rows import encoded
from pyneural.card.classes import Names
from pyneural.card.columns import Columns, as_array
from pyneural.card.preprocessing import Moments, Preprocessing
from pyneural.datasets.dataset import Dataset
from pyneural.datasets.identical import keys
from pyneural.datasets.splits import Splits
from pyneural.datasets.splitting import groups_in_words, split_rows
from pyneural.models.model import Model

Encode = Callable[..., Any]  # (y, who, names of the data's classes) -> y as the losses take it
Weigh = Callable[..., Any]  # (encoded y, sample weights or None) -> weights of the rows in the losses, or None
ClassesOf = Callable[[Any], Array]  # encoded y -> (n,) numbers of classes
DEFAULT_SHARE = 0.1  # fit's default for validation
_NONE = np.empty(0, np.int64)


class Source(Protocol):
    """Examples for training or validation.

    Attributes:
        kind: the kind of their preprocessing, "dataset", "image" or "none".
        unscaled: the columns that it leaves as they are, such as numbers that an embedding looks up.
    """

    name: str
    note: str
    prepare: str
    y_names: Names
    shape: tuple[int, ...]
    dtype: str
    given: str
    y: Any
    classes: Any
    table: Columns | None
    kind: str

    def __len__(self) -> int:
        """The number of selected examples."""

    @property
    def unscaled(self) -> tuple[int, ...]:
        """The columns of x that preprocessing leaves as they are."""

    def moments(self) -> Moments:
        """The mean and the standard deviation of each channel."""

    def targets(self, encode: Encode) -> Any:
        """The labels of the selected examples, encoded for the losses."""

    def feed(
        self,
        preprocessing: Preprocessing,
        encode: Encode,
        dtype: str,
        weigh: Weigh,
        classes_of: ClassesOf | None = None,
        augment: Augment | None = None,
        as_targets: AsTargets = unchanged,
    ) -> Batches:
        """The preprocessed batches.

        With `classes_of`, an epoch draws every class equally often; `as_targets` makes targets of encoded labels.
        """

    def digest(self, encode: Encode) -> str:
        """The sha256 of inputs and labels."""


class Rows:
    """A Source in memory: selected rows of a Dataset.

    Args:
        data: the examples.
        x: their inputs, checked for the model.
        rows: the selected rows.
        who: the prefix of messages.
        table: the columns that x was made of, if it was a table.
        kind: the kind of preprocessing.
        weights: (n,), the weights of all examples; those with weight 0 are left out.
        tested: the test part of the same data, or None.
        hashes: the keys of all examples, if they are known, to find identical ones.

    Raises:
        ValueError: all selected rows have weight 0.
    """

    def __init__(
        self,
        data: Dataset,
        x: Array,
        rows: Array,
        who: str,
        table: Columns | None,
        kind: str,
        weights: Array | None = None,
        tested: Dataset | None = None,
        hashes: Array | None = None,
    ) -> None:
        self.data = data
        self.tested = tested
        self.hashes = hashes
        self.x = x
        self.rows = rows if weights is None else _weighted(rows, weights, who)
        self.weights = weights
        self.who = who
        self.table = table
        self.kind = kind
        self.y = data.y
        self.classes = data.classes
        self.prepare = data.prepare
        self.y_names = data.y_names
        self.shape = x.shape[1:]
        self.dtype = x.dtype.name
        self.given = data.given
        self.name = " ".join(filter(None, (data.name or "data", f"({data.note})" if data.note else "")))
        self.note = data.note.split(":")[0]
        self._encoded: Any = None

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def columns(self) -> Names:
        """The names of the columns of x; () if they have none."""
        return self.table.features if self.table else ()

    @property
    def unscaled(self) -> tuple[int, ...]:
        """The columns of x that preprocessing leaves as they are."""
        return self.table.unscaled if self.table else ()

    def moments(self) -> Moments:
        """The mean and the standard deviation of each channel, over the selected rows."""
        return moments_of(self.x, self.rows)

    def _all_targets(self, encode: Encode) -> Any:
        """The encoded labels of every row of the data."""
        if self._encoded is None:
            self._encoded = encode(self.y, self.who, self.classes)
        return self._encoded

    def targets(self, encode: Encode) -> Any:
        """The labels of the selected rows, encoded for the losses."""
        return each(lambda y: y[self.rows], self._all_targets(encode))

    def feed(
        self,
        preprocessing: Preprocessing,
        encode: Encode,
        dtype: str,
        weigh: Weigh,
        classes_of: ClassesOf | None = None,
        augment: Augment | None = None,
        as_targets: AsTargets = unchanged,
    ) -> Feed:
        """The preprocessed batches; rows whose weight is 0 in every loss are left out.

        With `classes_of`, an epoch draws every class equally often.
        """
        preprocessing.check_range(self.x, dtype, self.who)
        targets = self._all_targets(encode)
        weights = weigh(targets, self.weights)
        rows = self.rows
        if weights is not None:
            parts = weights.values() if isinstance(weights, dict) else (weights,)
            rows = _weighted(
                rows, np.max(np.stack([part.reshape(len(part), -1).max(axis=1) for part in parts]), axis=0), self.who
            )
        classes = None if classes_of is None else classes_of(targets)[rows]
        return Feed(self.x, as_targets(targets), rows, preprocessing, dtype, weights, classes, augment)

    def digest(self, encode: Encode) -> str:
        """The sha256 of inputs and labels, of every row of the data."""
        return digest(hashlib.sha256(self.x.data).digest(), self._all_targets(encode))


def _weighted(rows: Array, weights: Array, who: str) -> Array:
    """The rows whose weight is above 0."""
    found = rows[weights[rows] > 0]
    if not len(found):
        raise ValueError(f"{who}: all {len(rows):,} examples have weight 0: give a weight above 0 to some of them")
    return found


def sources(
    model: Model, data: Any, validation: Any, preprocess: str | None, seed: int, sample_weight: Any = None
) -> tuple[Source, Source | None, str]:
    """The training data, the validation data, and a description of the split; the arguments are those of fit.

    Raises:
        ValueError, TypeError: fit cannot train on the data; the message says what to give.
    """
    given = open_data(data, "fit", model)
    share = _share(validation)
    held = given.validation if isinstance(given, Splits) else None
    if validation is not None and not is_number(validation):
        held = open_data(validation, "fit: validation", model, part="validation")
    elif not share:
        held = None
    if is_stream(given):
        if sample_weight is not None:
            raise ValueError(
                "fit: sample_weight needs arrays, but data is batches: give pn.Dataset(x, y, sample_weight=...), or "
                "class_weight"
            )
        train: Source = Stream(model, given, preprocess, "fit")
        return train, *_beside_stream(model, train, held, share)
    part, tested = (given.train, given.test) if isinstance(given, Splits) else (given, None)
    weights = _weights(part, sample_weight)
    why = _indivisible(part) if share == DEFAULT_SHARE else ""
    hashes = keys(part.x) if held is not None or tested is not None or (share and not why) else None
    splits = held is None and share and not why
    rows, held_rows = split_rows(part, share, seed, keys=hashes) if splits else (np.arange(len(part)), _NONE)
    x, table, odd = encoded(model, part, rows if weights is None else _weighted(rows, weights, "fit"))
    kind = kind_for(model, preprocess, x, rows, table.unscaled if table else ())
    x = as_inputs(model, x, "fit", kind)
    train = Rows(part, x, rows, "fit", table, kind, weights, tested, hashes)
    if splits:
        by = "" if part.groups is None else groups_in_words(part.groups[rows], part.groups[held_rows])
        second: Source = Rows(part, x, held_rows, "fit: validation", table, kind, weights, hashes=hashes)
        return train, second, f"{len(train):,} train, {len(second):,} validation (shuffled, stratified{by}){odd}"
    words = f"{len(train):,} train"
    if held is None:
        return train, None, f"{words}, no validation{f' ({why})' if why and share else ''}"
    second = _held(model, held, train)
    groups = held.groups if isinstance(held, Dataset) else None
    by = "" if part.groups is None or groups is None else groups_in_words(part.groups, groups)
    return train, second, f"{words}, {len(second):,} validation (given{by})"


def _weights(part: Dataset, sample_weight: Any) -> Array | None:
    """The weights of the training data, from the argument of fit or from the Dataset."""
    if sample_weight is None:
        return _own_weights(part)
    if part.sample_weight is not None:
        raise ValueError("fit: sample_weight is given twice, to fit and to the Dataset: give it once")
    return as_weights("fit: sample_weight", sample_weight, len(part))


def _own_weights(part: Dataset) -> Array | None:
    """The weights of a Dataset, which its owner may have assigned."""
    given = part.sample_weight
    return None if given is None else as_weights(f"{part.name or 'data'}: sample_weight", given, len(part))


def _indivisible(part: Dataset) -> str:
    """The reason why no examples can be held out by default; "" if they can."""
    if round(DEFAULT_SHARE * len(part)) == 0:
        return "too few examples to hold any out"
    return "all examples are in one group" if part.groups is not None and np.all(part.groups == part.groups[0]) else ""


def _beside_stream(model: Model, train: Source, held: Any, share: float) -> tuple[Source | None, str]:
    words = f"{len(train):,} train"
    if held is not None:
        second = _held(model, held, train)
        return second, f"{words}, {len(second):,} validation (given)"
    if share == DEFAULT_SHARE:
        return None, f"{words}, no validation (batches cannot be split: give validation=)"
    if share:
        raise ValueError(
            f"fit: validation={share:g} needs arrays, but data is batches: give the validation examples separately, as "
            "validation=(x, y) or as batches, or None"
        )
    return None, f"{words}, no validation"


def _held(model: Model, held: Any, train: Source) -> Source:
    who = "fit: validation"
    second: Source
    if is_stream(held):
        second = Stream(model, held, train.kind, who, learn=False, table=train.table)
    else:
        x = as_inputs(model, as_array(train.table, held.x, held.columns, who), who, train.kind)
        second = Rows(held, x, np.arange(len(held)), who, train.table, train.kind, _own_weights(held))
    if second.shape != train.shape:
        raise ValueError(f"{who} has inputs {second.shape}, the training data {train.shape}: give both the same shape")
    return second


def _share(validation: Any) -> float:
    if isinstance(validation, bool) or (is_number(validation) and not 0 <= validation < 1):
        raise ValueError(f"fit: validation is {validation!r}: give a share between 0 and 1, a Dataset, (x, y) or None")
    return float(validation) if is_number(validation) else 0.0
