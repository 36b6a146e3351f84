"""classes.py -- class names: their order, and matching labels to a model's classes by name."""

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from functools import lru_cache
from typing import Any

import numpy as np

from pyneural.arguments.arrays import Array

Names = tuple[str, ...]
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
_SHOWN = 20  # the most names that a message lists


def in_order(names: Iterable[str]) -> Names:
    """The distinct names, sorted as numbers if all are whole numbers, else as text.

    >>> in_order(["10", "9", "2"]), in_order(["b", "a", "10"])
    (('2', '9', '10'), ('10', 'a', 'b'))
    """
    distinct = sorted(set(names))
    return tuple(sorted(distinct, key=int) if are_numbers(tuple(distinct)) else distinct)


@lru_cache(maxsize=8)
def are_numbers(names: Names) -> bool:
    """Whether all names are whole numbers."""
    return all(map(_WHOLE.fullmatch, names))


def of_head(classes: Any, head: str) -> Names:
    """The class names of a head, from a dict by head, or from one tuple for all heads."""
    found: Names = classes.get(head, ()) if isinstance(classes, Mapping) else classes
    return found


def listed(names: Sequence[str]) -> str:
    """A list of names for messages.

    >>> listed(["ant", "bee"])
    'ant, bee'
    """
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def checked_names(who: str, classes: Any) -> Any:
    """Checks the class names of a Dataset: a tuple of text or a dict of these by head.

    Raises:
        TypeError, ValueError: they are not names, or a name appears twice.
    """
    if isinstance(classes, Mapping):
        return {str(head): checked_names(f"{who}: {head}", names) for head, names in classes.items()}
    if isinstance(classes, str):
        raise TypeError(f"{who}: classes is {classes!r}: give a list of names, such as ['cat', 'dog']")
    if not isinstance(classes, Iterable):
        raise TypeError(f"{who}: classes is {type(classes).__name__}: give a list of names, such as ['cat', 'dog']")
    if isinstance(classes, Set):
        raise TypeError(f"{who}: classes is a {type(classes).__name__}, which has no order: give a list, label 0 first")
    names = tuple(name.decode() if isinstance(name, bytes) else str(name) for name in classes)
    twice = next((name for name in names if names.count(name) > 1), None) if len(set(names)) < len(names) else None
    if twice is not None:
        raise ValueError(f"{who}: classes has '{twice}' twice: give each class a different name")
    return names


def by_name(labels: Array, names: Names, known: str, who: str) -> Array:
    """Class numbers from labels that are names.

    Args:
        labels: names, of any shape.
        names: the class names, in order.
        known: introduces the names in the message, such as "the model's classes are".
        who: the prefix of the message.

    Raises:
        ValueError: some labels are not class names; the message lists them.
    """
    table = {name: number for number, name in enumerate(names)}
    words = [str(label) for label in labels.reshape(-1)]
    strange = in_order(word for word in words if word not in table)
    if strange:
        raise ValueError(
            f"{who}: y has labels that are not among the classes: {listed(strange)}; {known} {listed(names)}: correct "
            "the labels, or remove those examples"
        )
    return np.array([table[word] for word in words], np.int64)


def by_number(labels: Array, names: Names, known: str, who: str) -> Array:
    """Class numbers from whole-number labels (n,), if the class names are whole numbers; otherwise like `by_name`."""
    values, order = _as_numbers(names)
    places: Array = order[np.searchsorted(values[order], labels).clip(0, len(values) - 1)]
    if np.array_equal(values[places], labels):
        return places
    return by_name(labels, tuple(map(str, values.tolist())), known, who)


@lru_cache(maxsize=8)  # called for every batch
def _as_numbers(names: Names) -> tuple[Array, Array]:
    """Names that are whole numbers, and the order that sorts them."""
    values = np.array(list(map(int, names)), np.int64)
    return values, np.argsort(values, kind="stable")


def renumbered(numbers: Array, given: Names, names: Names, known: str, who: str) -> Array:
    """Maps class numbers of data whose classes are `given` to the numbers of the same names in `names`.

    Raises:
        ValueError: a number has no name, or a name in use is not in `names`; the message lists them.
    """
    low, high = int(numbers.min()), int(numbers.max())
    if low < 0 or high >= len(given):
        raise ValueError(
            f"{who}: labels run {low}..{high}, the data names {len(given)} classes, {listed(given)}: give labels "
            f"0..{len(given) - 1}, or a name for every class"
        )
    if given == names[: len(given)]:
        return numbers
    places = {name: place for place, name in enumerate(names)}
    table = np.array([places.get(name, -1) for name in given], np.int64)
    found = table[numbers]
    if found.min() < 0:
        strange = listed([given[number] for number in np.unique(numbers[found < 0])])
        raise ValueError(
            f"{who}: the data has the classes {strange}; {known} {listed(names)}: remove those examples, or train a "
            "new model on all classes"
        )
    return found
