"""card.py -- what a model knows about itself besides its weights, and takes along in its file."""

from dataclasses import dataclass, field
from typing import Any, Self

from pyneural.preprocessing import Preprocessing
from pyneural.task import Task


@dataclass
class Card:
    """How a model was trained.

    Args:
        task: what its outputs mean; None before fit.
        preprocessing: what happens to its inputs; None before fit.
        loss: the loss's name.
        seed: of the last fit.
        epochs: all that it was trained for.
        data: the name of the training data, with a note where that is a sample.
        data_hash: sha256 of the training data.
        metrics: of its best epoch.
    """

    task: Task | None = None
    preprocessing: Preprocessing | None = None
    loss: str | None = None
    seed: int = 0
    epochs: int = 0
    data: str = ""
    data_hash: str = ""
    metrics: dict[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Everything, as JSON takes it."""
        record = dict(vars(self))
        record["task"] = self.task.as_json() if self.task else None
        record["preprocessing"] = self.preprocessing.as_json() if self.preprocessing else None
        return record

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Self:
        """The reverse of as_json.

        Raises:
            ValueError, KeyError, TypeError: it is none.
        """
        task, preprocessing = record["task"], record["preprocessing"]
        return cls(
            task=Task.from_json(task) if task is not None else None,
            preprocessing=Preprocessing.from_json(preprocessing) if preprocessing is not None else None,
            loss=None if record["loss"] is None else str(record["loss"]),
            seed=int(record["seed"]),
            epochs=int(record["epochs"]),
            data=str(record["data"]),
            data_hash=str(record["data_hash"]),
            metrics={str(name): float(value) for name, value in record["metrics"].items()},
        )
