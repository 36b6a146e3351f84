"""card.py -- what is saved with a model besides its weights: task, preprocessing, training record."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Self

from pyneural.card.classes import Names
from pyneural.card.columns import Columns
from pyneural.card.pixels import Pixels
from pyneural.card.preprocessing import Preprocessing
from pyneural.card.target_scale import TargetScale
from pyneural.card.task import Task
from pyneural.images.modes import TWELVE_BITS

Tasks = Any  # Task, or dict[str, Task] for a model with heads
TargetScales = Any  # TargetScale or None, or dict[str, TargetScale | None] for a model with heads
Split = tuple[str, int, float]
PREPARATIONS = ("", "digit", TWELVE_BITS)
FLIP = "flip"
TEST_TIMES = (None, FLIP)
KEPT = ("", "best", "last")  # why the weights of an epoch were kept


@dataclass
class Card:
    """How a model was trained.

    Args:
        task: what its outputs mean; for a model with heads a dict; None before fit.
        preprocessing: the preprocessing of its inputs; None before fit.
        loss: the name of the loss; for a model with heads a dict.
        seed: the seed of the last fit.
        epochs: the total number of training epochs.
        data: the name of the training data, with a note if it is a sample.
        data_hash: the sha256 of the training data.
        metrics: the metrics of the epoch whose weights were kept.
        best_epoch: the number of that epoch, over all fits; 0 if unknown.
        kept: why that epoch: "best" by its validation, "last", or "" if unknown.
        prepare: how image files are converted to inputs: "digit" (pn.prepare_digit), "12-bit" (in 16-bit images,
            4095 is white), or "" for no conversion.
        table: how the columns of a table become inputs; None if the inputs were arrays.
        target: the names of the columns that were the labels, if those came from a CSV file.
        held_out: the share of the training data that the last fit held out for validation; None if unknown.
        splits: of every fit, the sha256 of its data, its seed and that share.
        augment: the random changes of the training images in the last fit, in words; "" for none.
        test_time: what predictions are averaged over: "flip" (the image and its mirror image), or None.
        pixels: statistics of the pixels of training images, by pn.record_pixels; None if there are none.
        target_scale: how the targets of a regression were standardized; for a model with heads a dict; None if they
            were not.
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
    kept: str = ""
    prepare: str = ""
    table: Columns | None = None
    target: tuple[str, ...] = ()
    held_out: float | None = None
    splits: tuple[Split, ...] = ()
    augment: str = ""
    test_time: str | None = None
    pixels: Pixels | None = None
    target_scale: TargetScales = None

    @property
    def columns(self) -> Names:
        """The names of the columns of the training data, if it was a table; else ()."""
        return self.table.names if self.table else ()

    def as_json(self) -> dict[str, Any]:
        """All fields as JSON values."""
        record = dict(vars(self))
        record["table"] = self.table.as_json() if self.table else None
        record["target"] = list(self.target)
        record["columns"] = list(self.columns)  # which earlier versions read
        record["splits"] = list(map(list, self.splits))
        record["task"] = _record(self.task)
        record["preprocessing"] = self.preprocessing.as_json() if self.preprocessing else None
        record["pixels"] = self.pixels.as_json() if self.pixels else None
        record["target_scale"] = _record(self.target_scale)
        return record

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Self:
        """The inverse of as_json.

        Raises:
            ValueError, KeyError, TypeError: the record is invalid.
        """
        prepare = record.get("prepare", "")
        if prepare not in PREPARATIONS:
            raise ValueError(f"prepare is {prepare!r}")
        test_time = record.get("test_time")
        if test_time not in TEST_TIMES:
            raise ValueError(f"test_time is {test_time!r}")
        kept = record.get("kept", "")
        if kept not in KEPT:
            raise ValueError(f"kept is {kept!r}")
        return cls(
            task=_by_head(record["task"], Task.from_json),
            preprocessing=_preprocessing(record),
            loss=_loss(record["loss"]),
            seed=int(record["seed"]),
            epochs=int(record["epochs"]),
            data=str(record["data"]),
            data_hash=str(record["data_hash"]),
            metrics={str(name): float(value) for name, value in record["metrics"].items()},
            best_epoch=int(record.get("best_epoch", 0)),
            kept=kept,
            prepare=prepare,
            table=_table(record),
            target=tuple(map(str, record.get("target", ()))),
            held_out=None if record.get("held_out") is None else float(record["held_out"]),
            splits=tuple((str(data), int(seed), float(share)) for data, seed, share in _splits(record)),
            augment=str(record.get("augment", "")),
            test_time=test_time,
            pixels=None if record.get("pixels") is None else Pixels.from_json(record["pixels"]),
            target_scale=_by_head(record.get("target_scale"), TargetScale.from_json),
        )


def _preprocessing(record: dict[str, Any]) -> Preprocessing | None:
    """The preprocessing of a record; older files of models that were trained on tables of uint8 call these pixels."""
    if record["preprocessing"] is None:
        return None
    found = Preprocessing.from_json(record["preprocessing"])
    return replace(found, dtype="float") if _table(record) else found


def _table(record: dict[str, Any]) -> Columns | None:
    """The columns of a record; older files have their names only."""
    if record.get("table") is not None:
        return Columns.from_json(record["table"])
    names = tuple(map(str, record.get("columns", ())))
    return Columns.of_numbers(names) if names else None


def _splits(record: dict[str, Any]) -> Any:
    """The splits of a record; older files have that of the last fit only."""
    if "splits" in record:
        return record["splits"]
    known = record["epochs"] and record.get("held_out") is not None
    return [(record["data_hash"], record["seed"], record["held_out"])] if known else []


def _record(value: Any) -> dict[str, Any] | None:
    """A task or a scale as JSON; for heads a list of names and values, because JSON objects are sorted when written."""
    if isinstance(value, dict):
        return {"heads": [[name, _record(of_head)] for name, of_head in value.items()]}
    record: dict[str, Any] | None = None if value is None else value.as_json()
    return record


def _by_head(record: dict[str, Any] | None, read: Callable[[dict[str, Any]], Any]) -> Any:
    """The inverse of _record; `read` reads one value."""
    if record is None:
        return None
    if "heads" in record:
        return {str(name): None if value is None else read(value) for name, value in record["heads"]}
    return read(record)


def _loss(record: Any) -> str | dict[str, str] | None:
    if isinstance(record, dict):
        return {str(name): str(loss) for name, loss in record.items()}
    return None if record is None else str(record)
