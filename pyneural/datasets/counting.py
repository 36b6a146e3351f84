"""counting.py -- the number of examples of each class."""

import numpy as np

from pyneural.arguments.arrays import Array
from pyneural.card.classes import Names, in_order
from pyneural.card.labels import is_one_hot
from pyneural.card.several import are_rows
from pyneural.card.soft import are_soft


def class_counts(who: str, y: Array, classes: Names) -> dict[str, int]:
    """The number of examples by class name, in the order of the classes.

    Args:
        who: the prefix of messages.
        y: class numbers or names, (n,) or (n, 1), one-hot rows (n, K), or soft labels (n, K), of which the most
            probable class counts; or rows of 0 and 1, in which an example counts for each of its labels.
        classes: the names of the classes, or () for those in y.

    Raises:
        TypeError: y has values, not classes.
    """
    if are_rows(y) and not is_one_hot(y):
        of = classes if len(classes) == y.shape[1] else tuple(map(str, range(y.shape[1])))
        return dict(zip(of, y.sum(axis=0, dtype=np.int64).tolist(), strict=True))
    labels = y.reshape(-1) if y.size == len(y) else y.argmax(axis=1) if are_rows(y) or are_soft(y) else None
    if labels is None or (labels.dtype.kind == "f" and np.any(labels != np.floor(labels))):
        raise TypeError(f"{who}: counts: y has values ({y.dtype} {y.shape}), not classes, which can be counted")
    if labels.dtype.kind in "fb":
        labels = labels.astype(np.int64)
    values, counts = np.unique(labels.astype(str) if labels.dtype.kind == "O" else labels, return_counts=True)
    numbered = bool(classes) and labels.dtype.kind in "iu" and values.min() >= 0 and values.max() < len(classes)
    names = [classes[value] for value in values.tolist()] if numbered else [str(value) for value in values.tolist()]
    found = dict(zip(names, counts.tolist(), strict=True))
    return {name: found.get(name, 0) for name in (*classes, *(name for name in in_order(names) if name not in classes))}
