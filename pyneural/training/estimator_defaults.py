"""estimator_defaults.py -- the defaults of pn.Classifier and pn.Regressor, in one place."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Defaults:
    """The defaults of an estimator's arguments that decide how well and how fast it learns."""

    hidden: int | tuple[int, ...] = (128,)
    activation: str = "relu"
    dropout: float = 0.0
    batch_norm: bool = False
    epochs: Any = 100
    batch_size: int = 64
    optimizer: str = "adam"
    learning_rate: float | None = None
    schedule: str = "one-cycle"
    weight_decay: float | None = None
    validation: float | None = 0.1
    patience: int | None = None
    keep: str = "best"


CLASSIFIER = Defaults()
REGRESSOR = Defaults()
