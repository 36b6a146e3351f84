"""stream.py -- Stream: batches (x, y) from a user's re-iterable object, iterated over again each epoch.

A first pass, before training, collects what arrays would show at once: shapes, labels, moments, counts.
"""

import hashlib
import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

import pyneural._core as _core
from pyneural._core import Tensor
from pyneural.arguments.arrays import Array
from pyneural.batching.augmentation import Augment, augmented_gather
from pyneural.batching.feed import AsTargets, Targets, Weights, batch_weights, each, unchanged
from pyneural.batching.inputs import as_inputs, trouble_with_scale
from pyneural.batching.moments import RunningMoments
from pyneural.batching.pairs import ITERABLE, joined, one_pass, pairs, refuse_iterator
from pyneural.batching.standardizing import is_undecided, kind_for, lies_within_one
from pyneural.card.columns import Columns
from pyneural.card.preprocessing import NOT_UINT8, Moments, Preprocessing
from pyneural.models.model import Model


class Stream:
    """Batches from a re-iterable object; the constructor makes the first pass.

    Args:
        model: the model.
        data: an iterable of pairs (x, y).
        preprocess: the argument of fit; for validation the kind of preprocessing.
        who: the prefix of messages.
        learn: whether to find out the kind and the moments, and to look at the scale of x; False for validation.
        table: the columns of x, if known.

    Raises:
        ValueError, TypeError: it is not re-iterable, is empty, or a batch is invalid.
    """

    name = "data"
    note = ""
    prepare = ""
    y_names: tuple[str, ...] = ()
    scale = ""
    given = NOT_UINT8
    classes: tuple[str, ...] = ()

    def __init__(
        self,
        model: Model,
        data: Any,
        preprocess: str | None,
        who: str,
        *,
        learn: bool = True,
        table: Columns | None = None,
    ) -> None:
        refuse_iterator(data, who)
        self.model = model
        self.data = data
        self.who = who
        self._moments = RunningMoments()
        self._hash = hashlib.sha256()
        as_they_are = hashlib.sha256()  # of inputs without a mean: float64 becomes the model's dtype
        ys = []
        self._count = 0
        self._batches = 0
        self._smallest = sys.maxsize
        self.table = table or model.card.table
        for x, y, found in pairs(data, who, self.table):
            if self._batches == 0:
                self.table = found
                self.kind = kind_for(model, preprocess, x, unscaled=self.unscaled) if learn else preprocess or "none"
                undecided = learn and is_undecided(model, preprocess, x)
            x = as_inputs(model, x, self._at, self.kind)
            if self._batches == 0:
                self.shape = x.shape[1:]
                self.dtype = x.dtype.name
                if learn:
                    self.scale = trouble_with_scale(model, x, self.kind)
            self._same(x)
            if learn and self.kind != "none":
                self._moments.add(x)
            self._hash.update(np.ascontiguousarray(x).data)
            undecided = undecided and lies_within_one(x)
            if undecided:
                as_they_are.update(np.ascontiguousarray(x, model.dtype).data)
            ys.append(y)
            self._count += len(x)
            self._smallest = min(self._smallest, len(x))
            self._batches += 1
        if not ys:
            raise ValueError(f"{who}: data is empty: {ITERABLE} and give pairs (x, y)")
        if undecided:  # every batch lies within 0..1
            self.kind, self._hash = "none", as_they_are
        self.y = joined(ys, who)
        if next(one_pass(data), None) is None:
            raise ValueError(f"{who}: data returned batches once and then none: {ITERABLE}")

    @property
    def _at(self) -> str:
        return f"{self.who}: batch {self._batches + 1}"

    def _same(self, x: Array) -> None:
        if x.shape[1:] != self.shape:
            raise ValueError(
                f"{self._at} has inputs {x.shape[1:]}, the first batch {self.shape}: use one shape for all"
            )
        if (x.dtype == np.uint8) != (self.dtype == "uint8"):
            raise ValueError(f"{self._at} has x of {x.dtype}, the first batch {self.dtype}: use one dtype for all")

    def __len__(self) -> int:
        return self._count

    @property
    def unscaled(self) -> tuple[int, ...]:
        """The columns that preprocessing leaves as they are."""
        return self.table.unscaled if self.table else ()

    def moments(self) -> Moments:
        """The mean and the standard deviation of each channel, from the first pass."""
        return self._moments.mean, self._moments.deviation

    def digest(self, encode: Callable[[Any, str], Any]) -> str:
        """The sha256 of inputs and labels, the same as for arrays."""
        return digest(self._hash.digest(), encode(self.y, self.who))

    def targets(self, encode: Callable[[Any, str], Any]) -> Any:
        """The labels of all examples, encoded for the losses."""
        return encode(self.y, self.who)

    def feed(
        self,
        preprocessing: Preprocessing,
        encode: Callable[[Any, str], Any],
        dtype: str,
        weigh: Callable[..., Any],
        classes_of: Callable[[Any], Array] | None = None,
        augment: Augment | None = None,
        as_targets: AsTargets = unchanged,
    ) -> "StreamFeed":
        """The batches, prepared; in training with random changes of the images.

        Raises:
            ValueError: every class is to be drawn equally often, but batches come as they are.
        """
        if classes_of is not None:
            raise ValueError(
                "fit: balance needs arrays, but data is batches: let the loader draw the classes evenly, or give "
                "class_weight='balanced'"
            )
        encode(self.y, self.who)  # wrong labels raise an error here, before training starts
        return StreamFeed(self, preprocessing, encode, dtype, weigh, augment, as_targets)


class StreamFeed:
    """The preprocessed batches of a Stream."""

    def __init__(
        self,
        stream: Stream,
        preprocessing: Preprocessing,
        encode: Callable[[Any, str], Any],
        dtype: str,
        weigh: Callable[..., Any],
        augment: Augment | None,
        as_targets: AsTargets,
    ) -> None:
        self._stream = stream
        self._preprocessing = preprocessing
        self._encode = encode
        self._dtype = dtype
        self._weigh = weigh
        self._augment = augment
        self._as_targets = as_targets

    def __len__(self) -> int:
        return len(self._stream)

    def steps(self, size: int) -> int:
        """The number of batches per epoch; the data determines their size."""
        return self._stream._batches

    def smallest(self, size: int) -> int:
        """The number of examples in the smallest batch of the first pass."""
        return self._stream._smallest

    def epoch(self, size: int, seed: int, epoch: int) -> Iterator[tuple[Tensor, Targets, Weights, Tensor]]:
        """The batches of one pass, in the order of the data.

        Raises:
            ValueError: their number or kind differs from the first pass.
        """
        return self._pass(self._augment, seed, epoch)

    def batches(self, size: int) -> Iterator[tuple[Tensor, Targets, Weights]]:
        """The same, without random changes and sample numbers."""
        for x, y, weights, _ in self._pass(None, 0, 0):
            yield x, y, weights

    def _pass(
        self, augment: Augment | None, seed: int, epoch: int
    ) -> Iterator[tuple[Tensor, Targets, Weights, Tensor]]:
        stream, model, start, number = self._stream, self._stream.model, 0, 0
        for x, y, _ in pairs(stream.data, stream.who, stream.table):
            number += 1
            if number > stream._batches:
                break
            who = f"{stream.who}: batch {number}"
            x = as_inputs(model, x, who, self._preprocessing.kind)
            self._preprocessing.check(x.dtype.name, who, NOT_UINT8)
            self._preprocessing.check_range(x, self._dtype, who)
            rows = _core.borrow(np.arange(start, start + len(x)))
            start += len(x)
            batch: Callable[..., Tensor]
            if augment is None:
                batch = self._preprocessing.gather(x.dtype, self._dtype)
            else:
                batch = partial(
                    augmented_gather(augment, self._preprocessing, x.dtype, self._dtype, seed, epoch), samples=rows
                )
            y = self._encode(y, who)
            weights = self._weigh(y, None)
            yield (
                batch(_core.borrow(x), _core.borrow(np.arange(len(x)))),
                each(_core.borrow, self._as_targets(y)),
                None if weights is None else batch_weights(each(_core.borrow, weights)),
                rows,
            )
        if number != stream._batches:
            many = "more" if number > stream._batches else f"{number:,}"
            raise ValueError(
                f"{stream.who}: data returned {stream._batches:,} batches in the first pass and {many} in a later "
                f"one: {ITERABLE}"
            )


def digest(x: bytes, y: Any) -> str:
    """The sha256 of a data set, from that of its inputs and its encoded labels (an array or a dict)."""
    labels = list(y.values()) if isinstance(y, dict) else [y]
    parts = [hashlib.sha256(np.ascontiguousarray(part).data).digest() for part in labels]
    return hashlib.sha256(b"".join([x, *parts])).hexdigest()
