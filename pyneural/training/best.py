"""best.py -- Finished: the results of the finished epochs, and the best of them."""

import math
from typing import NamedTuple


class Finished(NamedTuple):
    """The results of the finished epochs, replaced atomically: Ctrl-C never leaves half an epoch here.

    Attributes:
        values: as in History.
        best: the number of the best epoch, from 1; 0 for none.
        lowest: its validation loss.
        weights: the model's weights after it.
    """

    values: dict[str, list[float]]
    best: int
    lowest: float
    weights: list[bytes]

    @classmethod
    def none(cls, weights: list[bytes]) -> "Finished":
        """Before the first epoch, with the weights at that time."""
        return cls({}, 0, math.inf, weights)

    @property
    def epochs(self) -> int:
        """The number of finished epochs."""
        return len(self.values.get("loss", ()))

    @property
    def since(self) -> int:
        """The number of epochs after the best one."""
        return self.epochs - self.best

    def of_best(self) -> dict[str, float]:
        """The values of the best epoch."""
        return {name: values[self.best - 1] for name, values in self.values.items()}

    def improved_by(self, values: dict[str, float]) -> bool:
        """Whether an epoch with these values is the best so far; without validation the last one always is."""
        return "val_loss" not in values or values["val_loss"] < self.lowest

    def then(self, values: dict[str, float], weights: list[bytes] | None) -> "Finished":
        """With one epoch more; its weights if it is the best so far, else None."""
        lists = {name: [*self.values.get(name, ()), value] for name, value in values.items()}
        if weights is None:
            return self._replace(values=lists)
        return Finished(lists, self.epochs + 1, values.get("val_loss", math.inf), weights)
