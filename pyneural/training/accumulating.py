"""accumulating.py -- several batches for one step of the optimizer: the gradient of all of them together.

The loss of the whole group is Σ_b W_b loss_b / Σ_b W_b, where W_b is the number of rows of batch b, or their total
weight.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple

from pyneural._core import Tensor
from pyneural.batching.feed import Targets, Weights
from pyneural.evaluation.objective import Objective

Batch = tuple[Tensor, Targets, Weights, Tensor]  # inputs, targets, weights, sample numbers


class Part(NamedTuple):
    """The place of a batch in its group.

    Attributes:
        share: W_b / Σ_b W_b, or a dict of it by head.
        first: whether it is the first of its group.
        last: whether it is the last, after which the optimizer makes its step.
    """

    share: Any
    first: bool
    last: bool


_WHOLE = Part(1.0, True, True)


def grouped(batches: Iterable[Batch], size: int) -> Iterator[tuple[Tensor, Targets, Weights, Tensor, Part]]:
    """The batches with their places in groups of `size`; the last group may be smaller."""
    if size == 1:
        for x, y, weights, samples in batches:
            yield x, y, weights, samples, _WHOLE
        return
    rest = iter(batches)
    while group := list(islice(rest, size)):
        shares = _shares(group)
        count = len(group)
        for place, share in enumerate(shares):
            x, y, weights, samples = group.pop(0)
            yield x, y, weights, samples, Part(share, place == 0, place == count - 1)
            del x  # so that its memory can be reused


def backward(objective: Objective, error: Tensor, part: Part) -> None:
    """Adds the gradient of a batch's share in the loss of its group to that of the batches before it."""
    if part is _WHOLE:
        error.backward()
    elif isinstance(part.share, dict):
        objective.total(part.share).backward(accumulate=not part.first)
    else:
        error.backward(part.share, accumulate=not part.first)


def _shares(group: list[Batch]) -> list[Any]:
    """The share of each batch in the weight of the group."""
    first = group[0][2]
    if first is None:
        return _divided([len(samples) for _, _, _, samples in group])
    if not isinstance(first, dict):
        return _divided([weights.total for _, _, weights, _ in group])
    by_head = {head: _divided([weights[head].total for _, _, weights, _ in group]) for head in first}
    return [{head: shares[place] for head, shares in by_head.items()} for place in range(len(group))]


def _divided(parts: list[float]) -> list[float]:
    total = sum(parts)
    return [part / total if total else 0.0 for part in parts]
