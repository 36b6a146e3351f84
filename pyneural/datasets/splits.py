"""splits.py -- Splits: the training, validation and test parts of a data set; as_dataset takes one part or arrays."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from pyneural.arguments.checks import text
from pyneural.arguments.familiar import OF_SPLITS
from pyneural.arguments.spelling import no_attribute
from pyneural.datasets.dataset import Dataset


@dataclass(frozen=True)
class Splits:
    """A data set in parts: `.train`, and `.test` and `.validation`, which may be None.

    `name` is shown in progress lines.
    """

    train: Dataset
    test: Dataset | None = None
    validation: Dataset | None = None
    name: str = ""

    def __post_init__(self) -> None:
        text("Splits", "name", self.name)
        for part in ("train", "test", "validation"):
            given = getattr(self, part)
            if not isinstance(given, Dataset) and (given is not None or part == "train"):
                kind = type(given).__name__
                raise TypeError(f"Splits: {part} is {kind}: give a pn.Dataset, such as pn.Dataset(x, y)")

    def __array__(self, *_: Any, **__: Any) -> NoReturn:
        who = self.name or "data"
        raise TypeError(f"{who}: data in parts is not an array: give the inputs or labels of a part, data.train.x")

    if not TYPE_CHECKING:  # type checkers report wrong names by themselves

        def __getattr__(self, name):
            raise no_attribute("data in parts", self, name, OF_SPLITS)

        def __getitem__(self, part):  # for data["train"], and for `train, test = data`
            known = {"train": "data.train", "test": "data.test", "validation": "data.validation"}
            ours = (known | OF_SPLITS).get(part) if isinstance(part, str) else None
            raise TypeError(
                f"data in parts is neither a dict nor a sequence: use {ours or 'data.train, .test and .validation'}"
            )


def as_dataset(data: Any, who: str) -> Dataset:
    """The data as a Dataset, from a Dataset or (x, y)."""
    if isinstance(data, Dataset):
        return data.settle()
    if isinstance(data, Splits):
        raise TypeError(f"{who}: give one part of the data: data.train, data.validation or data.test")
    if isinstance(data, tuple | list) and len(data) == 2:
        if isinstance(data[0], tuple) and all(hasattr(part, "shape") for part in data[0]):
            raise TypeError(f"{who}: data is a pair of pairs: give one pair (x, y); give batches as a list")
        return Dataset(data[0], data[1])
    if isinstance(data, tuple) and len(data) > 2:
        raise TypeError(
            f"{who}: data is a tuple of {len(data)}: give one pair (x, y), and another part by itself, as "
            "validation=(x, y) or to pn.evaluate"
        )
    raise TypeError(f"{who}: data is {type(data).__name__}: give a pn.Dataset or a pair of arrays, (x, y)")
