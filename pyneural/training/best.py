"""best.py -- Finished: the results of the finished epochs, and the best of them.

The best epoch has the lowest smoothed validation loss, m_n / (1 - k^n) with m_n = k m_(n-1) + (1 - k) loss_n and
k = 0.8, an exponential mean whose start is corrected as in Adam (Kingma & Ba 2015).  The loss on a few examples jumps
from epoch to epoch, and its lowest value is often one lucky jump: benchmarks/best_epoch.py compares rules.
"""

import math
from typing import NamedTuple

KEEP = 0.8  # the share of the mean that is kept each epoch


class Finished(NamedTuple):
    """The results of the finished epochs, replaced atomically: Ctrl-C never leaves half an epoch here.

    Attributes:
        values: as in History.
        best: the number of the best epoch, from 1; 0 for none.
        mean: the exponential mean of the validation losses, before its correction.
        lowest: the lowest smoothed validation loss.
        weights: the model's weights after the best epoch.
    """

    values: dict[str, list[float]]
    best: int
    mean: float
    lowest: float
    weights: list[bytes]

    @classmethod
    def none(cls, weights: list[bytes]) -> "Finished":
        """Before the first epoch, with the weights at that time."""
        return cls({}, 0, 0.0, math.inf, weights)

    @property
    def epochs(self) -> int:
        """The number of finished epochs."""
        return len(self.values.get("loss", ()))

    @property
    def since(self) -> int:
        """The number of epochs since the validation loss was lowest, without smoothing."""
        losses = self.values["val_loss"]
        return len(losses) - 1 - losses.index(min(losses))

    def of_best(self) -> dict[str, float]:
        """The values of the best epoch."""
        return {name: values[self.best - 1] for name, values in self.values.items()}

    def improved_by(self, values: dict[str, float]) -> bool:
        """Whether an epoch with these values is the best so far; without validation the last one always is."""
        return "val_loss" not in values or self._smoothed(values) < self.lowest

    def then(self, values: dict[str, float], weights: list[bytes] | None) -> "Finished":
        """With one epoch more; its weights if it is the best so far, else None."""
        lists = {name: [*self.values.get(name, ()), value] for name, value in values.items()}
        mean = self._mean(values)
        if weights is None:
            return self._replace(values=lists, mean=mean)
        return Finished(lists, self.epochs + 1, mean, self._smoothed(values), weights)

    def _mean(self, values: dict[str, float]) -> float:
        return KEEP * self.mean + (1 - KEEP) * values.get("val_loss", 0.0)

    def _smoothed(self, values: dict[str, float]) -> float:
        return self._mean(values) / (1 - KEEP ** (self.epochs + 1))
