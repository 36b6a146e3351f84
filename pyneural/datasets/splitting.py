"""splitting.py -- which examples are held out for validation, in one split or in folds."""

from typing import Any, Protocol

import numpy as np

import pyneural._core as _core
from pyneural.arguments.arrays import Array
from pyneural.arguments.checks import warn
from pyneural.card.table import Table
from pyneural.datasets.identical import copies, joined

_MANY = 0.1  # the share of rows with copies from which they are split as groups


class Labelled(Protocol):
    """What is split: a Dataset."""

    x: Array | Table
    y: Any
    groups: Array | None

    def __len__(self) -> int:
        """The number of examples."""


def split_rows(
    data: Labelled,
    share: float,
    seed: int,
    *,
    together: bool | None = None,
    keys: Array | None = None,
    what: str = "fit: validation",
) -> tuple[Array, Array]:
    """Training rows and validation rows: shuffled and stratified by label, reproducible by the seed.

    If the data has groups, each goes to one part as a whole, and the parts get approximately the given share.

    Args:
        data: the data to split.
        share: the share of examples for validation, 0 < share < 1.
        seed: the seed of the shuffle.
        together: whether identical examples go to the same part; None: images do, rows of a table, which may be equal
            by chance, do not.
        keys: identical.keys(data.x), if they are known.
        what: the argument that is the share, for messages.

    Returns:
        Two int64 arrays of row numbers, both ascending.

    Raises:
        ValueError: a part would be empty; there is one group.
    """
    n = len(data)
    wanted = round(share * n)
    fit = what.startswith("fit")
    if not 0 < wanted < n:
        fix = "use validation=None" if fit else "give another share, or more examples"
        raise ValueError(f"{what}={share:g} of {n:,} examples leaves a part empty: {fix}")
    groups, same = _kept_together(data, together, keys)
    if groups is not None:
        if np.all(groups == groups[0]):
            where = "identical" if data.groups is None else f"in the group {data.groups[0].item()!r}"
            fix = "use validation=None, or give the validation data" if fit else "give examples of other groups"
            raise ValueError(
                f"{what}={share:g} cannot be held out: all {n:,} examples are {where}, which is not split: {fix}"
            )
        held = _by_group(_label(data.y), groups, share, seed)
    else:
        order = _core.permutation(n, seed, "split", 0).numpy()
        held = np.sort(_with_copies(order[_stratified(_label(data.y), order, wanted)], same, n))
    kept = np.ones(n, bool)
    kept[held] = False
    return np.flatnonzero(kept), held


def fold_rows(data: Labelled, count: int, seed: int, what: str) -> list[Array]:
    """The rows of each fold, ascending: a partition of the data, stratified by label, in which groups are not split.

    Identical examples are in one fold.

    Args:
        data: the data to split.
        count: the number of folds, at least 2.
        seed: the seed of the shuffle.
        what: who asks, for messages.

    Raises:
        ValueError: there are fewer groups, or examples, than folds.
    """
    groups, same = _kept_together(data, True, None)
    if groups is None and same:
        groups = joined(np.arange(len(data)), same)
    units = len(data) if groups is None else len(np.unique(groups))
    if units < count:
        kind = "examples" if groups is None else "groups, which are not split"
        if units < 2:
            raise ValueError(
                f"{what}: all {len(data):,} examples are one group, which is not split: give examples of other groups"
            )
        raise ValueError(f"{what}: count is {count}, and there are {units:,} {kind}: give {units} or fewer")
    label = _label(data.y)
    if label is None or label.max() >= len(label) // 2:
        label = np.zeros(len(data), np.int64)
    fold = _dealt(label, count, seed) if groups is None else _dealt_groups(label, groups, count, seed)
    return [np.flatnonzero(fold == number) for number in range(count)]


def groups_in_words(groups: Array, held: Array) -> str:
    """A description of the groups in training and validation; warns if some are in both."""
    train = set(groups.tolist())
    second = set(held.tolist())
    common = sorted(train & second)
    if common:
        warn(
            f"fit: {len(common):,} groups are in both the training and the validation data, such as {common[0]!r}: the "
            "validation results are too good; remove them from one, or let fit split: validation=0.1"
        )
    shared = f"{len(common):,} in both" if common else "none in both"
    return f", by group: {len(train):,} and {len(second):,} groups, {shared}"


def _kept_together(data: Labelled, together: bool | None, keys: Array | None) -> tuple[Array | None, list[Array]]:
    """The groups, and the copies to put together where there are no groups.

    Many copies are split as groups; that is for those who ask for it, since a table of a few distinct rows, such as
    XOR's four, would lose some of them.
    """
    images = data.x.dtype == np.uint8 and data.x.ndim > 2
    same = copies(data.x, keys) if together or (together is None and images) else []
    many = sum(map(len, same)) > _MANY * len(data)
    if not same or (many and not together):
        return data.groups, []
    if data.groups is None and not many:
        return None, same
    return joined(np.arange(len(data)) if data.groups is None else data.groups, same), []


def _with_copies(held: Array, same: list[Array], n: int) -> Array:
    """The held rows, after all copies of an example were put where the first one is."""
    chosen = np.zeros(n, bool)
    chosen[held] = True
    for rows in same:
        chosen[rows] = chosen[rows[0]]
    return np.flatnonzero(chosen) if 0 < chosen.sum() < n else held


def _label(y: Any) -> Array | None:
    """(n,) numbers, equal for examples with the same labels in all heads; None for regression."""
    found = []
    for part in y.values() if isinstance(y, dict) else (y,):
        labels = _numbered(part)
        if labels is not None and (labels.dtype.kind != "f" or np.all(labels == np.floor(labels))):
            found.append(np.unique(labels.astype(str) if labels.dtype.kind == "O" else labels, return_inverse=True)[1])
    if not found:
        return None
    return found[0] if len(found) == 1 else np.unique(np.stack(found, 1), axis=0, return_inverse=True)[1].reshape(-1)


def _numbered(part: Array) -> Array | None:
    """(n,) the labels of one head: of rows the largest one, of rows of 0 and 1 the set of ones; None for others."""
    if part.size == len(part):
        return part.reshape(-1)
    if part.ndim != 2:
        return None
    if part.dtype.kind in "iubf" and bool(np.all((part == 0) | (part == 1)) and np.any(part.sum(axis=1) != 1)):
        return np.asarray(np.unique(part, axis=0, return_inverse=True)[1].reshape(-1))
    return np.asarray(part.argmax(axis=1))


def _stratified(label: Array | None, order: Array, wanted: int) -> Array:
    """Positions in `order` with the label distribution of the whole; the first ones for regression."""
    if label is None or label.max() >= len(order) // 2:
        return np.arange(wanted)
    counts = np.bincount(label)
    exact = counts * (wanted / len(order))
    quota = np.floor(exact).astype(int)
    for place in np.argsort(quota - exact, kind="stable")[: wanted - int(quota.sum())]:  # the largest remainders
        quota[place] += 1
    shuffled = label[order]
    return np.concatenate([np.flatnonzero(shuffled == name)[: quota[name]] for name in range(len(counts))])


def _by_group(label: Array | None, groups: Array, share: float, seed: int) -> Array:
    """Rows to hold out, group by group.

    Groups are assigned greedily, large ones first, to keep Σ excess² / n small, summed over each label and over all
    examples; `excess` is the number of held-out examples minus their share of those assigned so far, and n is the
    label's total.  The last groups are small, so the shares end up close.
    """
    group = np.unique(groups, return_inverse=True)[1]
    if label is None or label.max() >= len(label) // 2:
        label = np.zeros(len(groups), np.int64)
    counts = _counts(group, label)
    totals = [*np.bincount(label).tolist(), len(label)]
    return np.flatnonzero(_held_groups(counts, totals, _large_first(np.bincount(group), seed), share)[group])


def _counts(group: Array, label: Array) -> list[dict[int, int]]:
    """Per group, the number of examples per label; the key after the last label holds the total."""
    labels = int(label.max()) + 1
    found: list[dict[int, int]] = [{labels: size} for size in np.bincount(group).tolist()]
    pairs, counts = np.unique(group * labels + label, return_counts=True)
    for pair, count in zip(pairs.tolist(), counts.tolist(), strict=True):
        found[pair // labels][pair % labels] = count
    return found


def _large_first(sizes: Array, seed: int) -> list[int]:
    """The groups by size class (powers of two), largest first, shuffled within a class."""
    order = _core.permutation(len(sizes), seed, "split", 0).numpy()
    return [int(place) for place in order[np.argsort(-np.frexp(sizes[order])[1], kind="stable")]]


def _held_groups(counts: list[dict[int, int]], totals: list[int], order: list[int], share: float) -> Array:
    """Which groups are held out, bool (groups,): at least one, but not all."""
    excess, held = [0.0] * len(totals), np.zeros(len(counts), bool)

    def worse(place: int, gain: float, other: float) -> float:
        """The change of the sum of squares if `gain` times the group is added to the excess instead of `other`."""
        return sum(
            ((excess[label] + gain * count) ** 2 - (excess[label] + other * count) ** 2) / totals[label]
            for label, count in counts[place].items()
        )

    for place in order:
        held[place] = worse(place, 1 - share, -share) < 0
        for label, count in counts[place].items():
            excess[label] += (float(held[place]) - share) * count
    if held.all() or not held.any():  # move the group to the other side that changes the sum least
        move = -1.0 if held.all() else 1.0
        best = min(order, key=lambda place: worse(place, move, 0.0))
        held[best] = not held[best]
    return held


def _dealt(label: Array, count: int, seed: int) -> Array:
    """The fold of each example, where each may go anywhere: shuffled, then dealt out label by label."""
    order = _core.permutation(len(label), seed, "split", 0).numpy()
    fold = np.empty(len(label), np.int64)
    fold[order[np.argsort(label[order], kind="stable")]] = np.arange(len(label)) % count
    return fold


def _dealt_groups(label: Array, groups: Array, count: int, seed: int) -> Array:
    """The fold of each example, group by group, large ones first.

    A group of c_l examples of label l goes to the fold with the lowest Σ n_l c_l / N_l, where the fold has n_l examples
    of label l so far and the data N_l, and l is also "any label".  This adds least to Σ n_l² / N_l over all folds, so
    every label ends up evenly spread.
    """
    group = np.unique(groups, return_inverse=True)[1]
    totals = [*np.bincount(label).tolist(), len(label)]
    counts = _counts(group, label)
    held = np.zeros((count, len(totals)))
    fold = np.empty(len(counts), np.int64)
    for place in _large_first(np.bincount(group), seed):
        load = sum(held[:, of] * (added / totals[of]) for of, added in counts[place].items())
        fold[place] = np.argmin(load)
        for of, added in counts[place].items():
            held[fold[place], of] += added
    return np.asarray(fold[group])
