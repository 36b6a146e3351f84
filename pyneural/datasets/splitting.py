"""splitting.py -- which examples are held back for validation."""

from typing import Any

import numpy as np

import pyneural._core as _core
from pyneural.arguments.arrays import Array
from pyneural.datasets.dataset import Dataset, by_head


def split_rows(data: Dataset, share: float, seed: int) -> tuple[Array, Array]:
    """Rows to train on and rows to validate on: shuffled, stratified by label, a function of the seed.

    Args:
        data: what is split.
        share: of the examples that go to validation, 0 < share < 1.
        seed: of the shuffle.

    Returns:
        Two int64 arrays of row numbers, both ascending.

    Raises:
        ValueError: a part would be empty.
    """
    n = len(data)
    wanted = round(share * n)
    if not 0 < wanted < n:
        raise ValueError(f"fit: validation={share:g} of {n:,} examples leaves a part empty: use validation=None")
    order = _core.permutation(n, seed, "split", 0).numpy()
    held = np.sort(order[_stratified(_label(data.y), order, wanted)])
    kept = np.ones(n, bool)
    kept[held] = False
    return np.flatnonzero(kept), held


def _label(y: Any) -> Array | None:
    """(n,) numbers, equal where all that y says of two examples is; None where y is values."""
    found = []
    for part in by_head(y).values():
        labels = part.reshape(-1) if part.size == len(part) else part.argmax(axis=1) if part.ndim == 2 else None
        if labels is not None and (labels.dtype.kind != "f" or np.all(labels == np.floor(labels))):
            found.append(np.unique(labels.astype(str) if labels.dtype.kind == "O" else labels, return_inverse=True)[1])
    if not found:
        return None
    return found[0] if len(found) == 1 else np.unique(np.stack(found, 1), axis=0, return_inverse=True)[1].reshape(-1)


def _stratified(label: Array | None, order: Array, wanted: int) -> Array:
    """Positions in `order` whose labels have the shares of the whole; plain first ones where labels are values."""
    if label is None or label.max() >= len(order) // 2:
        return np.arange(wanted)
    counts = np.bincount(label)
    exact = counts * (wanted / len(order))
    quota = np.floor(exact).astype(int)
    for place in np.argsort(quota - exact, kind="stable")[: wanted - int(quota.sum())]:  # the largest remainders
        quota[place] += 1
    shuffled = label[order]
    return np.concatenate([np.flatnonzero(shuffled == name)[: quota[name]] for name in range(len(counts))])
