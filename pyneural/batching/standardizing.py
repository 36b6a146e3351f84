"""standardizing.py -- what preprocess="auto" means for the inputs of a training.

Of floats it standardizes tables, (n, F), whose scales are arbitrary.  Sequences and images of floats, rows that all lie
in 0..1, and the numbers that a pn.Embedding looks up stay as they are.
"""

import numpy as np

from pyneural.arguments.arrays import Array
from pyneural.batching.inputs import lookup, takes_numbers
from pyneural.card.preprocessing import decided
from pyneural.models.model import Model


def known_kind(model: Model, choice: str | None) -> str | None:
    """The kind of preprocessing that a model already has, if the user leaves the choice to it; else None."""
    if choice != "auto":
        return None
    if model.card.preprocessing is not None:
        return model.card.preprocessing.kind
    by_hand = model.card.task is not None and model.is_built  # it was trained by hand, and then evaluated
    return "none" if by_hand else None


def is_table(model: Model, x: Array, unscaled: tuple[int, ...] = ()) -> bool:
    """Whether inputs are floats (n, F), none of which is looked up, or only those in the columns `unscaled`."""
    return x.ndim == 2 and x.dtype != np.uint8 and (bool(unscaled) or not takes_numbers(model))


def within_one(x: Array, rows: Array, unscaled: tuple[int, ...] = ()) -> bool:
    """Whether the selected rows lie in 0..1, but for the columns `unscaled`."""
    if unscaled:
        x = np.delete(x, unscaled, axis=1)
    return lies_within_one(x) or (len(rows) < len(x) and lies_within_one(x[rows]))


def lies_within_one(x: Array) -> bool:
    """Whether all numbers lie in 0..1."""
    return not x.size or bool(x.min() >= 0 and x.max() <= 1)


def is_undecided(model: Model, choice: str | None, x: Array) -> bool:
    """Whether the kind depends on the range of all batches, of which x is one."""
    return choice == "auto" and known_kind(model, choice) is None and is_table(model, x)


def kind_for(
    model: Model, choice: str | None, x: Array, rows: Array | None = None, unscaled: tuple[int, ...] = ()
) -> str:
    """The kind of preprocessing that fit uses: that of the model, unless the user chooses another.

    Args:
        model: the model.
        choice: the argument of fit.
        x: inputs (n, ...).
        rows: the rows to train on; None: x is one of several batches, whose range is not known yet.
        unscaled: the columns that stay as they are.

    Raises:
        ValueError, TypeError: the choice is invalid.
    """
    found = known_kind(model, choice)
    if found is not None:
        return found
    found = decided(choice, x.dtype.name)
    if choice == "auto" and x.dtype == np.uint8 and lookup(model) is not None:
        return "none"
    if choice == "auto" and is_table(model, x, unscaled) and (rows is None or not within_one(x, rows, unscaled)):
        return "dataset"
    return found
