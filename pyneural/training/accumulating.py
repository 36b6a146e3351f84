"""accumulating.py -- several batches for one step of the optimizer: the gradient of all of them together.

The loss of the whole group is Σ_b W_b loss_b / Σ_b W_b, where W_b is the number of rows of batch b, or their total
weight.
"""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from pyneural._core import Tensor
from pyneural.batching.feed import Targets, Weights
from pyneural.evaluation.objective import Objective

Batch = tuple[Tensor, Targets, Weights, Tensor]  # inputs, targets, weights, sample numbers


class Groups:
    """The batches of an epoch, in groups of `size`, of which the last one may be smaller; iterable once.

    Attributes:
        first: whether the current batch is the first of its group.
        last: whether it is the last, after which the optimizer makes its step.
        backward: adds the gradient of the share W_b / Σ_b W_b of the current batch's loss to that of the batches before
            it in the group.
    """

    def __init__(self, batches: Iterator[Batch], size: int, objective: Objective) -> None:
        self.first = self.last = True
        self.backward: Callable[[Tensor], None] = Tensor.backward if size == 1 else self._backward
        self._objective = objective
        self._share: Any = 1.0
        self._batches = batches if size == 1 else self._in_groups(batches, size)

    def __iter__(self) -> Iterator[Batch]:
        return self._batches

    def _in_groups(self, batches: Iterator[Batch], size: int) -> Iterator[Batch]:
        while group := list(islice(batches, size)):
            shares = _shares(group)
            for self._share in shares:
                self.first = len(group) == len(shares)
                self.last = len(group) == 1
                yield group.pop(0)  # keeps no reference, so that its memory can be reused

    def _backward(self, error: Tensor) -> None:
        if isinstance(self._share, dict):
            self._objective.total(self._share).backward(accumulate=not self.first)
        else:
            error.backward(self._share, accumulate=not self.first)


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
