"""stream.py -- Stream: batches (x, y) from a user's re-iterable object, iterated over again each epoch.

A first pass, before training, collects what arrays would show at once: shapes, labels, moments, counts.
"""

import hashlib
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np

import pyneural._core as _core
from pyneural._core import Tensor
from pyneural.arguments.arrays import Array, as_labels, as_rows
from pyneural.arguments.tables import column_names
from pyneural.batching.augmentation import Augment, augmented_gather
from pyneural.batching.feed import Targets, Weights, batch_weights, each
from pyneural.batching.inputs import as_inputs, warn_of_scale
from pyneural.batching.moments import RunningMoments
from pyneural.card.classes import Names
from pyneural.card.columns import in_order_of
from pyneural.card.preprocessing import Moments, Preprocessing, kind_for
from pyneural.datasets.dataset import Dataset, Splits
from pyneural.models.model import Model

_ITERABLE = "give a list of batches, or a re-iterable object: its __iter__ must start over each time"


def labels(data: Any, who: str) -> Any:
    """All labels, as an array or a dict of them by head; the batches will be iterated over again.

    Raises:
        TypeError: the batches are not re-iterable.
    """
    refuse_iterator(data, who)
    return _joined([y for _, y, _ in pairs(data, who)], who)


def refuse_iterator(data: Any, who: str) -> None:
    """Rejects iterators, which can be used only once."""
    if isinstance(data, Iterator):
        raise TypeError(f"{who}: data is a {type(data).__name__}, which is exhausted after one epoch: {_ITERABLE}")


def is_stream(data: Any) -> bool:
    """Whether data is an iterable of batches, and not an array, a pair of arrays or a mapping."""
    if isinstance(data, Dataset | Splits | str | bytes | Mapping | Tensor) or hasattr(data, "shape"):
        return False
    if isinstance(data, tuple):  # ((x, y), (x, y)) is more often train and test than two batches
        return False
    if isinstance(data, list):
        return len(data) > 0 and all(_is_pair(item) for item in data)
    return hasattr(data, "__iter__") or (hasattr(data, "__getitem__") and hasattr(data, "__len__"))


def _one_pass(data: Any) -> Iterator[Any]:
    """The batches of one pass; an object without __iter__ is indexed from 0 to its length - 1."""
    if hasattr(data, "__iter__"):
        return iter(data)
    return (data[number] for number in range(len(data)))


def _is_pair(item: Any) -> bool:
    return (
        isinstance(item, tuple | list)
        and len(item) == 2
        and all(hasattr(p, "shape") or isinstance(p, dict) for p in item)
    )


class Stream:
    """Batches from a re-iterable object; the constructor makes the first pass.

    Args:
        model: the model.
        data: an iterable of pairs (x, y).
        preprocess: the argument of fit.
        who: the prefix of messages.
        learn: whether to compute moments and to warn; False for validation.
        columns: the column names of x, if known.

    Raises:
        ValueError, TypeError: it is not re-iterable, is empty, or a batch is invalid.
    """

    name = "data"
    note = ""
    prepare = ""
    classes: tuple[str, ...] = ()

    def __init__(
        self,
        model: Model,
        data: Any,
        preprocess: str | None,
        who: str,
        *,
        learn: bool = True,
        columns: Names = (),
    ) -> None:
        refuse_iterator(data, who)
        self.model = model
        self.data = data
        self.who = who
        self._moments = RunningMoments()
        self._hash = hashlib.sha256()
        ys = []
        self._count = 0
        self._batches = 0
        self._smallest = sys.maxsize
        self.columns = columns or model.card.columns
        for x, y, names in pairs(data, who, self.columns):
            if self._batches == 0:
                self.columns = self.columns or names
                kind = kind_for(model.card.preprocessing, preprocess, x.dtype.name)
            x = as_inputs(model, x, self._at, kind)
            if self._batches == 0:
                self.shape = x.shape[1:]
                self.dtype = x.dtype.name
                if learn:
                    warn_of_scale(model, x, preprocess)
            self._same(x)
            if learn and kind == "dataset":
                self._moments.add(x)
            self._hash.update(np.ascontiguousarray(x).data)
            ys.append(y)
            self._count += len(x)
            self._smallest = min(self._smallest, len(x))
            self._batches += 1
        if not ys:
            raise ValueError(f"{who}: data is empty: {_ITERABLE} and give pairs (x, y)")
        self.y = _joined(ys, who)
        if next(_one_pass(data), None) is None:
            raise ValueError(f"{who}: data returned batches once and then none: {_ITERABLE}")

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
        return StreamFeed(self, preprocessing, encode, dtype, weigh, augment)


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
    ) -> None:
        self._stream = stream
        self._preprocessing = preprocessing
        self._encode = encode
        self._dtype = dtype
        self._weigh = weigh
        self._augment = augment

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
        for x, y, _ in pairs(stream.data, stream.who, stream.columns):
            number += 1
            if number > stream._batches:
                break
            who = f"{stream.who}: batch {number}"
            x = as_inputs(model, x, who, self._preprocessing.kind)
            self._preprocessing.check(x.dtype.name, who)
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
                each(_core.borrow, y),
                None if weights is None else batch_weights(each(_core.borrow, weights)),
                rows,
            )
        if number != stream._batches:
            many = "more" if number > stream._batches else f"{number:,}"
            raise ValueError(
                f"{stream.who}: data returned {stream._batches:,} batches in the first pass and {many} in a later "
                f"one: {_ITERABLE}"
            )


def pairs(data: Any, who: str, columns: Names = ()) -> Iterator[tuple[Array, Any, Names]]:
    """The batches of one pass as arrays, and the column names of x, if it is a table.

    Table columns are reordered as in `columns`, or else as in the first batch.

    Raises:
        ValueError, TypeError: a batch is not a pair of inputs and labels; the message says which.
    """
    for number, item in enumerate(_one_pass(data), start=1):
        at = f"{who}: batch {number}"
        if not isinstance(item, tuple | list) or len(item) != 2:
            what = f"{len(item)} things" if isinstance(item, tuple | list) else type(item).__name__
            raise TypeError(f"{at} is {what}: give pairs (x, y), inputs (n, ...) and their labels")
        x = as_rows(f"{at}: x", item[0])
        names = column_names(item[0])
        x, columns = in_order_of(x, names, columns, at), columns or names
        if isinstance(item[1], dict):
            y: Any = {str(head): as_labels(f"{at}: y['{head}']", part) for head, part in item[1].items()}
        else:
            y = as_labels(f"{at}: y", item[1])
        lengths = [part.shape[:1] for part in (y.values() if isinstance(y, dict) else (y,))]
        if () in lengths:
            raise ValueError(
                f"{at} is a single example: give batches, x (n, ...) and y (n,), like a loader with a batch size"
            )
        if x.ndim < 2:
            raise ValueError(
                f"{at}: x is {x.shape}: give (n, ...), one row per example; for one feature x.reshape(-1, 1)"
            )
        if any(length != x.shape[:1] for length in lengths):
            raise ValueError(f"{at}: x has {len(x):,} examples, y has {lengths[0][0]:,}: give one label per example")
        if len(x) == 0:
            raise ValueError(f"{at} is empty, x is {x.shape}: skip empty batches")
        yield x, y, columns


def _joined(labels: list[Any], who: str) -> Any:
    """All labels of the first pass in one array, or one by head."""
    if isinstance(labels[0], dict):
        heads = labels[0].keys()
        for number, part in enumerate(labels, start=1):
            if not isinstance(part, dict) or part.keys() != heads:
                raise ValueError(f"{who}: batch {number} has other labels than the first, which has {', '.join(heads)}")
        return {head: _joined([part[head] for part in labels], who) for head in heads}
    for number, part in enumerate(labels, start=1):
        if isinstance(part, dict) or part.shape[1:] != labels[0].shape[1:]:
            given = "a dict" if isinstance(part, dict) else part.shape
            raise ValueError(
                f"{who}: batch {number} has labels {given}, the first batch {labels[0].shape}: use one shape for all"
            )
        if (part.dtype.kind in "UO") != (labels[0].dtype.kind in "UO"):  # NumPy would turn the numbers into text
            raise ValueError(
                f"{who}: batch {number}: y has {_kind(part)}, and the first batch has {_kind(labels[0])}: give labels "
                "of one kind"
            )
    return np.concatenate(labels)


def _kind(labels: Array) -> str:
    return f"{'text' if labels.dtype.kind in 'UO' else 'numbers'}, such as {labels.reshape(-1)[:1].tolist()[0]!r}"


def digest(x: bytes, y: Any) -> str:
    """The sha256 of a data set, from that of its inputs and its encoded labels (an array or a dict)."""
    labels = list(y.values()) if isinstance(y, dict) else [y]
    parts = [hashlib.sha256(np.ascontiguousarray(part).data).digest() for part in labels]
    return hashlib.sha256(b"".join([x, *parts])).hexdigest()
