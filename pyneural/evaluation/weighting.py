"""weighting.py -- the weights of examples, classes and heads in the loss, and label smoothing.

The loss of a head is Σ wᵢ lossᵢ / Σ wᵢ over the rows of a batch, with wᵢ = sample_weightᵢ · Σ_c class_weight_c yᵢc: for
class numbers the weight of the class, for soft labels the expected one.  Several labels have a weight for each answer,
w_ik = sample_weightᵢ · (class_weight_k where label k applies, else 1), and the loss is K Σ w_ik loss_ik / Σ w_ik.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Self

import numpy as np

import pyneural.losses as losses
from pyneural.arguments.arrays import Array
from pyneural.arguments.checks import is_number, is_whole
from pyneural.batching.sources import ClassesOf
from pyneural.card.classes import are_numbers, listed
from pyneural.card.soft import as_numbers
from pyneural.card.task import Task
from pyneural.evaluation.heads import Head, pick

_SHOWN = 5  # the most classes whose weights are shown


class Weighting(NamedTuple):
    """The weights of rows in the losses of the heads.

    Args:
        heads: the heads of the model.
        classes: the weights of the classes by head, (K,), or of the answers no and yes of each label, (2, K); heads
            without them are missing.
        dtype: the model's dtype.
    """

    heads: tuple[Head, ...]
    classes: dict[str, Array]
    dtype: str

    def of_rows(self, targets: Any, sample_weight: Array | None) -> Any:
        """The weights of rows with these encoded targets, (n,), or a dict of them by head; None if all are 1.

        Those of the answers to several labels are (n, K).

        They are scaled by a power of two, which changes no weighted mean, so that float32 can hold them.
        """
        if not self.classes and sample_weight is None:
            return None
        found = {}
        for head in self.heads:
            y = targets[head.name] if head.name else targets
            weights = np.ones(len(y))
            if head.name in self.classes:
                weights = _expected(_scaled(self.classes[head.name]), y)
            if sample_weight is not None:
                weights = _scaled((_scaled(sample_weight) * weights.T).T)
            found[head.name] = np.ascontiguousarray(weights, self.dtype)
        return found if self.heads[0].name else found[""]

    def of_samples(self) -> Self:
        """The same without the weights of the classes, for validation."""
        return self._replace(classes={})

    def words(self, head: Head) -> str:
        """The weights of a head's classes for the first line of fit; "" if it has none."""
        if head.name not in self.classes:
            return ""
        table = self.classes[head.name]
        if table.ndim == 2:  # yes beside no
            table = np.divide(table[1], table[0], out=np.ones(table.shape[1]), where=table[0] > 0)
        pairs = zip(head.task.names, table.tolist(), strict=True)
        shown = ", ".join(f"{name} {weight:.3g}" for name, weight in pairs) if len(head.task.names) <= _SHOWN else ""
        return f"class weights {shown}".rstrip()


def _scaled(weights: Array) -> Array:
    """The weights times the power of two that brings the largest to between 1/2 and 1."""
    return np.asarray(np.ldexp(weights, -math.frexp(float(weights.max()))[1]))


def _expected(table: Array, y: Array) -> Array:
    """The weight of each row's class, or for soft labels Σ_c table_c y_c; of each answer, where it has two rows."""
    if table.ndim == 2:
        return np.asarray(np.where(y == 1, table[1], table[0]))
    if y.ndim == 2 and y.shape[1] > 1:
        return np.asarray(y.astype(np.float64) @ table)
    return np.asarray(table[y.reshape(-1)])


def weighting(
    heads: tuple[Head, ...], class_weight: Any, targets: Callable[[], Any], sampled: bool, dtype: str
) -> Weighting:
    """The Weighting of a training.

    Args:
        heads: the heads of the model.
        class_weight: the argument of fit.
        targets: returns the encoded labels of the training examples, from which "balanced" is computed.
        sampled: whether the training data has weights of its own.
        dtype: the model's dtype.

    Raises:
        ValueError, TypeError: a weight or a class is wrong, or a loss cannot be weighted; the message says which.
    """
    wanted = _by_head(heads, class_weight)
    found = {}
    for head in heads:
        if sampled or wanted[head.name] is not None:
            _check_loss(head, "sample_weight" if sampled else "class_weight")
        if wanted[head.name] is not None:
            encoded = targets()
            y = encoded[head.name] if head.name else encoded
            found[head.name] = _table(wanted[head.name], head.task, y, _who(head))
    return Weighting(heads, found, dtype)


def _who(head: Head) -> str:
    return f"fit: {head.name}: class_weight" if head.name else "fit: class_weight"


def _by_head(heads: tuple[Head, ...], class_weight: Any) -> dict[str, Any]:
    """The argument by head; "balanced" applies to all heads of classes."""
    names = tuple(head.name for head in heads)
    if class_weight is None:
        return dict.fromkeys(names)
    if names == ("",):
        return {"": class_weight}
    if isinstance(class_weight, str):
        found = {head.name: None if head.task.kind == "values" else class_weight for head in heads}
        if not any(found.values()):
            raise ValueError("fit: class_weight needs classes, and no head has any: give sample_weight")
        return found
    found = pick("class_weight", class_weight, names, "fit", "")
    return {name: None if isinstance(weights, str) and not weights else weights for name, weights in found.items()}


def _table(given: Any, task: Task, y: Array, who: str) -> Array:
    """The weight of each class, (K,)."""
    if task.kind == "values":
        raise ValueError(f"{who} needs classes, and the labels are values: give sample_weight, one weight per example")
    if isinstance(given, str):
        if given != "balanced":
            raise ValueError(f"{who} is {given!r}: give 'balanced', or a dict such as {{'{task.label(1)}': 2.0}}")
        return _balanced_labels(y) if task.kind == "labels" else _balanced(y, max(2, task.outputs))
    if not isinstance(given, Mapping):
        raise TypeError(
            f"{who} is {type(given).__name__}: give 'balanced', or a dict by class such as {{'{task.label(1)}': 2.0}}"
        )
    numbers = {_number(key, task): weight for key, weight in given.items()}
    strange = [str(key) for key in given if _number(key, task) is None]
    if strange:
        raise ValueError(f"{who} has {listed(strange)}: the classes are {listed(task.names)}")
    table = np.ones(max(2, task.outputs))
    for key, weight in given.items():
        if not is_number(weight):
            raise TypeError(f"{who}: the weight of class {key} is {weight!r}: give a number of at least 0")
        if not 0 <= weight < math.inf:
            raise ValueError(f"{who}: the weight of class {key} is {weight!r}: give a number of at least 0")
        table[_number(key, task)] = weight
    if len(numbers) < len(given):
        raise ValueError(f"{who} has a class twice, by name and by number: give each class once")
    if not table.any():
        raise ValueError(f"{who} is 0 for every class: give a weight above 0 to some of them")
    return np.stack([np.ones(task.outputs), table]) if task.kind == "labels" else table


def _balanced(y: Array, classes: int) -> Array:
    """The weights n / (K count), K being the number of classes that occur; soft labels are counted by their sums."""
    if y.ndim == 2 and y.shape[1] > 1:
        counts = y.sum(axis=0, dtype=np.float64)
    else:
        counts = np.bincount(y.reshape(-1), minlength=classes).astype(np.float64)
    there = counts > 0
    return np.asarray(np.divide(len(y), np.sum(there) * counts, out=np.zeros(classes), where=there))


def _balanced_labels(y: Array) -> Array:
    """(2, K): of each label, n / (2 count) for its answers no and yes; 1 for a label with one answer only."""
    yes = y.sum(axis=0, dtype=np.float64)
    counts = np.stack([len(y) - yes, yes])
    return np.asarray(np.divide(len(y), 2 * counts, out=np.ones_like(counts), where=counts.min(axis=0) > 0))


def _number(key: Any, task: Task) -> int | None:
    """The number of a class given by its name or number; None if there is no such class."""
    names = task.names
    if isinstance(key, bool | np.bool_) or (is_number(key) and float(key).is_integer()):  # from float or bool labels
        key = int(key)
    if str(key) in names:
        return names.index(str(key))
    return key if is_whole(key) and 0 <= key < len(names) and not are_numbers(names) else None


def smoothed(heads: tuple[Head, ...], smoothing: Any) -> tuple[Head, ...]:
    """The heads with label smoothing in their cross-entropy losses; others keep their losses.

    Raises:
        ValueError: smoothing is not in [0, 1), or no loss is a cross-entropy.
    """
    if not is_number(smoothing) or not 0 <= smoothing < 1:
        raise ValueError(f"fit: label_smoothing is {smoothing!r}: give a number of at least 0 and below 1, such as 0.1")
    if not smoothing:
        return heads
    found = tuple(head._replace(loss=losses.smoothed(head.loss, float(smoothing))) for head in heads)
    if found == heads:
        names = ", ".join(sorted({head.loss.name for head in heads}))
        raise ValueError(
            f"fit: label_smoothing={smoothing:g} is for cross-entropy of classes, the loss is {names}: omit it, or "
            "use a loss by name"
        )
    return found


def classes_to_draw(heads: tuple[Head, ...], balance: Any, class_weight: Any) -> ClassesOf | None:
    """A function of the encoded labels to the class of each row, for drawing them evenly; None if that is not wanted.

    Raises:
        ValueError: balance is not True, False or a head of classes, or the classes are weighted evenly as well.
    """
    balance = bool(balance) if isinstance(balance, np.bool_) else balance
    if balance is False:
        return None
    able = [head.name for head in heads if head.task.kind in ("classes", "binary")]
    if not able and any(head.task.kind == "labels" for head in heads):
        raise ValueError(
            "fit: balance draws classes evenly, and an example may have several labels: omit it, or give "
            "class_weight='balanced', which makes yes and no count alike for each label"
        )
    if not able:
        raise ValueError("fit: balance draws classes evenly, and the labels are values: omit it, or give sample_weight")
    if balance is not True and (not isinstance(balance, str) or balance not in able or heads[0].name == ""):
        either = f" or the name of a head ({', '.join(able)})" if heads[0].name else ""
        raise ValueError(f"fit: balance is {balance!r}: give True, False{either}")
    if balance is True and len(able) > 1:
        raise ValueError(
            f"fit: balance=True is for one head of classes, and the model has {', '.join(able)}: name the head whose "
            f"classes are drawn evenly, balance='{able[0]}'"
        )
    if class_weight == "balanced":
        raise ValueError("fit: balance and class_weight='balanced' both make the classes even: give one of them")
    name = able[0] if balance is True else balance

    def classes_of(targets: Any) -> Array:
        y = targets[name] if name else targets
        return as_numbers(y)

    return classes_of


def factors(heads: tuple[Head, ...], loss_weights: Any) -> dict[str, float]:
    """The factors of the heads' losses in their sum, from the argument of fit; heads without one are missing.

    Raises:
        ValueError, TypeError: it is not a dict by head, or a weight is wrong.
    """
    if loss_weights is None:
        return {}
    if not heads[0].name:
        raise ValueError("fit: loss_weights is for models with several heads, and this one has one output: omit it")
    if not isinstance(loss_weights, Mapping):
        shown = ", ".join(f"'{head.name}': ..." for head in heads)
        raise TypeError(f"fit: loss_weights is {type(loss_weights).__name__}: give a dict by head, {{{shown}}}")
    found = pick("loss_weights", loss_weights, tuple(head.name for head in heads), "fit", 1.0)
    for name, weight in found.items():
        if not is_number(weight) or not 0 <= weight < math.inf:
            raise ValueError(f"fit: the loss weight of {name} is {weight!r}: give a number of at least 0")
    if not any(found.values()):
        raise ValueError("fit: every loss weight is 0: give a weight above 0 to some head")
    return {name: float(weight) for name, weight in found.items() if weight != 1}


def _check_loss(head: Head, what: str) -> None:
    """Rejects weights for a custom loss."""
    if head.loss.name not in losses.NAMES:
        raise ValueError(
            f"fit: {what} cannot weight the custom loss '{head.loss.name}', which returns one number per batch: weight "
            f"inside that function, or use a loss by name ({', '.join(losses.NAMES)})"
        )
