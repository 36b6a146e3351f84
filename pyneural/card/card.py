"""card.py -- what a model knows about itself besides its weights, and takes along in its file."""

from dataclasses import dataclass, field
from typing import Any, Self

from pyneural.card.preprocessing import Preprocessing
from pyneural.card.task import Task

Tasks = Any  # Task, or dict[str, Task] for a model with heads: what the model has, its users know
PREPARATIONS = ("", "digit")


@dataclass
class Card:
    """How a model was trained.

    Args:
        task: what its outputs mean, for a model with heads a dict by their names; None before fit.
        preprocessing: what happens to its inputs; None before fit.
        loss: the loss's name; by head, likewise.
        seed: of the last fit.
        epochs: all that it was trained for.
        data: the name of the training data, with a note where that is a sample.
        data_hash: sha256 of the training data.
        metrics: of its best epoch.
        best_epoch: which of them all that was; 0 where it is not known.
        prepare: what an image file needs before it is an input: "digit" (pn.prepare_digit), or "" for nothing.
        columns: the names of the inputs' columns, where they came in a table.
    """

    task: Tasks = None
    preprocessing: Preprocessing | None = None
    loss: str | dict[str, str] | None = None
    seed: int = 0
    epochs: int = 0
    data: str = ""
    data_hash: str = ""
    metrics: dict[str, float] = field(default_factory=dict)
    best_epoch: int = 0
    prepare: str = ""
    columns: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Everything, as JSON takes it."""
        record = dict(vars(self))
        record["columns"] = list(self.columns)
        record["task"] = _task_record(self.task)
        record["preprocessing"] = self.preprocessing.as_json() if self.preprocessing else None
        return record

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Self:
        """The reverse of as_json.

        Raises:
            ValueError, KeyError, TypeError: it is none.
        """
        preprocessing, prepare = record["preprocessing"], record.get("prepare", "")
        if prepare not in PREPARATIONS:
            raise ValueError(f"prepare is {prepare!r}")
        return cls(
            task=_task(record["task"]),
            preprocessing=Preprocessing.from_json(preprocessing) if preprocessing is not None else None,
            loss=_loss(record["loss"]),
            seed=int(record["seed"]),
            epochs=int(record["epochs"]),
            data=str(record["data"]),
            data_hash=str(record["data_hash"]),
            metrics={str(name): float(value) for name, value in record["metrics"].items()},
            best_epoch=int(record.get("best_epoch", 0)),
            prepare=prepare,
            columns=tuple(map(str, record.get("columns", ()))),
        )


def _task_record(task: Tasks) -> dict[str, Any] | None:
    """A task as it is; several as a list of names and tasks, since JSON's objects are sorted when written."""
    if isinstance(task, dict):
        return {"heads": [[name, head.as_json()] for name, head in task.items()]}
    record: dict[str, Any] | None = None if task is None else task.as_json()
    return record


def _task(record: dict[str, Any] | None) -> Tasks:
    if record is None:
        return None
    if "heads" in record:
        return {str(name): Task.from_json(head) for name, head in record["heads"]}
    return Task.from_json(record)


def _loss(record: Any) -> str | dict[str, str] | None:
    if isinstance(record, dict):
        return {str(name): str(loss) for name, loss in record.items()}
    return None if record is None else str(record)
