"""best.py -- Finished: the results of the finished epochs, and the best of them.

The best epoch has the lowest smoothed validation loss, m_n / (1 - k^n) with m_n = k m_(n-1) + (1 - k) loss_n and
k = 0.8, an exponential mean whose start is corrected as in Adam (Kingma & Ba 2015).  The loss on a few examples jumps
from epoch to epoch, and its lowest value is often one lucky jump: benchmarks/best_epoch.py compares rules.
"""

import math
from typing import NamedTuple

KEEP = 0.8  # the share of the mean that is kept each epoch
KEPT = {"best": "best", "last": "last"}  # the epochs whose weights fit can keep


class Finished(NamedTuple):
    """The results of the finished epochs, replaced atomically: Ctrl-C never leaves half an epoch here.

    Attributes:
        epochs: the number of finished epochs.
        values: as in History.  Each epoch is appended to the same lists, which thus may hold a part of one epoch more,
            if Ctrl-C came just then: `cut` removes it.
        best: the number of the best epoch, from 1; 0 for none.
        since: the number of epochs since the validation loss was lowest, without smoothing.
        mean: the exponential mean of the validation losses, before its correction.
        lowest: the lowest smoothed validation loss.
        weights: the model's weights after the best epoch.
    """

    epochs: int
    values: dict[str, list[float]]
    best: int
    since: int
    mean: float
    lowest: float
    weights: list[bytes]

    @classmethod
    def none(cls, weights: list[bytes]) -> "Finished":
        """Before the first epoch, with the weights at that time."""
        return cls(0, {}, 0, 0, 0.0, math.inf, weights)

    def of_best(self) -> dict[str, float]:
        """The values of the best epoch."""
        return {name: values[self.best - 1] for name, values in self.values.items()}

    def improved_by(self, values: dict[str, float]) -> bool:
        """Whether an epoch with these values is the best so far; without validation the last one always is."""
        return "val_loss" not in values or self._smoothed(values) < self.lowest

    def then(self, values: dict[str, float], weights: list[bytes] | None) -> "Finished":
        """With one epoch more; its weights if it is the best so far, else None."""
        since = self._since(values)
        mean = self._mean(values)
        epochs = self.epochs + 1
        for name, value in values.items():
            self.values.setdefault(name, []).append(value)
        if weights is None:
            return self._replace(epochs=epochs, since=since, mean=mean)
        return Finished(epochs, self.values, epochs, since, mean, self._smoothed(values), weights)

    def cut(self) -> None:
        """Removes what `values` has of an epoch that was not finished."""
        for name, values in list(self.values.items()):
            del values[self.epochs :]
            if not values:
                del self.values[name]

    def _since(self, values: dict[str, float]) -> int:
        losses = self.values.get("val_loss")
        if not losses or values["val_loss"] < losses[self.epochs - 1 - self.since]:
            return 0
        return self.since + 1

    def _mean(self, values: dict[str, float]) -> float:
        return KEEP * self.mean + (1 - KEEP) * values.get("val_loss", 0.0)

    def _smoothed(self, values: dict[str, float]) -> float:
        return self._mean(values) / (1 - KEEP ** (self.epochs + 1))
