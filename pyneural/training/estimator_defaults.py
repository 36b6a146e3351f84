"""estimator_defaults.py -- the defaults of pn.Classifier and pn.Regressor, and what "auto" means in them.

They were chosen on synthetic sets of 110 to 20,000 rows (benchmarks/table_defaults.py): about 80 √n steps of 32 rows,
a weight decay that grows with the features per row, and a second hidden layer for many rows.
"""

import math
from dataclasses import dataclass
from typing import Any

from pyneural.arguments.checks import is_number


@dataclass(frozen=True)
class Defaults:
    """The defaults of an estimator's arguments that decide how well and how fast it learns."""

    hidden: int | tuple[int, ...] | str = "auto"
    activation: str = "relu"
    dropout: float = 0.0
    batch_norm: bool = False
    epochs: int | str = "auto"
    batch_size: int = 32
    optimizer: str = "adamw"
    learning_rate: float | None = None
    schedule: str = "one-cycle"
    weight_decay: float | str | None = "auto"
    validation: float | str | None = "auto"
    patience: int | None = None
    keep: str = "best"


CLASSIFIER = Defaults()
REGRESSOR = Defaults()
_SHALLOW, _DEEP = (128,), (128, 64)
_ROWS_FOR_DEEP = 6000  # below, a second layer costs noisy tables 14 % and more (benchmarks/table_sizes.py)
SHARE = 0.1  # held out for validation, if that is needed
_PEAK = 0.01  # the learning rate of adam and adamw at the peak of one-cycle
_PASSES = 2560.0  # epochs of n rows are this / √n
_FEWEST_EPOCHS = 5
_FEWEST_STEPS = 500
_DECAY = 3.0  # the weight decay of n rows with d features is this times √(d / n), at most 1


def hidden_for(hidden: Any, rows: int | None) -> Any:
    """The hidden layers for a number of rows, None if it is not known: of "auto" (128, 64) from 6000 on, else (128,).

    >>> hidden_for("auto", 5999), hidden_for("auto", 6000), hidden_for("auto", None), hidden_for(8, 10_000)
    ((128,), (128, 64), (128,), 8)
    """
    if not isinstance(hidden, str) or hidden != "auto":
        return hidden
    return _DEEP if rows is not None and rows >= _ROWS_FOR_DEEP else _SHALLOW


def epochs_for(epochs: Any, rows: int, batch_size: Any) -> Any:
    """The epochs for a number of rows: of "auto" max(5, 2560 / √n), and at least 500 steps.

    >>> [epochs_for("auto", n, 32) for n in (100, 1000, 10_000, 100_000)]
    [256, 81, 26, 8]
    """
    if not isinstance(epochs, str) or epochs != "auto":
        return epochs
    steps = max(1, rows // batch_size) if is_number(batch_size) and batch_size >= 1 else 1
    return max(_FEWEST_EPOCHS, round(_PASSES / math.sqrt(rows)), math.ceil(_FEWEST_STEPS / steps))


def weight_decay_for(weight_decay: Any, rows: int, features: int, optimizer: Any) -> Any:
    """The weight decay for tables (rows, features): of "auto" min(1, 3 √(features / rows)) for adamw, else its own.

    >>> weight_decay_for("auto", 900, 25, "adamw"), weight_decay_for("auto", 900, 25, "sgd")
    (0.5, None)
    """
    if not isinstance(weight_decay, str) or weight_decay != "auto":
        return weight_decay
    return min(1.0, _DECAY * math.sqrt(features / rows)) if optimizer == "adamw" else None


def learning_rate_for(learning_rate: Any, optimizer: Any, schedule: Any) -> Any:
    """The learning rate at the peak: of None 0.01 for adam and adamw with one-cycle, else what pn.fit chooses."""
    by_name = isinstance(optimizer, str) and optimizer in ("adam", "adamw")
    return _PEAK if learning_rate is None and by_name and schedule == "one-cycle" else learning_rate


def validation_for(validation: Any, is_needed: bool) -> Any:
    """The validation data: of "auto" a tenth, if patience or a scorer needs it, else none."""
    if not isinstance(validation, str) or validation != "auto":
        return validation
    return SHARE if is_needed else None
