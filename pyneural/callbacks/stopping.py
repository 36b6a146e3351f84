"""stopping.py -- EarlyStopping and ReduceLROnPlateau, which act when a value no longer improves."""

import inspect
import math
from typing import Any

from pyneural.arguments.checks import is_number, whole
from pyneural.arguments.familiar_keywords import OF_MONITORS
from pyneural.arguments.spelling import check_keywords, closest
from pyneural.callbacks.callback import Callback, Logs

_RISING = ("accuracy", "auc", "r2", "precision", "recall", "f1")  # metrics that are better when they are larger


class _Watching(Callback):
    """Watches one value, and counts the epochs since it was best."""

    def __init__(self, monitor: str, patience: int, min_delta: float, mode: str) -> None:
        who = type(self).__name__
        if not isinstance(monitor, str):
            raise TypeError(f"{who}: monitor is {monitor!r}: give a name in the history, such as 'val_loss'")
        if not is_number(min_delta) or not 0 <= min_delta < math.inf:
            raise ValueError(f"{who}: min_delta is {min_delta!r}: give the smallest change that counts, at least 0")
        if mode not in ("auto", "min", "max"):
            raise ValueError(f"{who}: mode is {mode!r}: give 'min' (lower is better), 'max' or 'auto'")
        self.monitor = monitor
        self.patience = whole(who, "patience", patience)
        self.min_delta = float(min_delta)
        self.mode = mode
        self.best = math.nan
        self.waited = 0

    def on_train_begin(self) -> None:
        """Checks the name, and starts to watch."""
        names = self.run.names
        if self.monitor not in names:
            near = closest(self.monitor, names)
            why = "; there is no validation data" if self.monitor.startswith("val_") and "val_loss" not in names else ""
            hint = f"did you mean '{near}'" if near else f"give one of {', '.join(names)}"
            raise ValueError(f"{self!r}: the history has no '{self.monitor}'{why}: {hint}")
        self.best = math.nan
        self.waited = 0

    def has_waited(self, logs: Logs) -> bool:
        """Whether the value has not improved for `patience` epochs; to be called once per epoch."""
        rises = self.mode == "max" or (self.mode == "auto" and self.monitor.endswith(_RISING))
        value = float(logs[self.monitor])
        gain = value - self.best if rises else self.best - value
        if math.isnan(self.best) or gain > self.min_delta:
            self.best = value
            self.waited = 0
        else:
            self.waited += 1
        return self.waited >= self.patience

    def __repr__(self) -> str:
        others = {name: kind.default for name, kind in inspect.signature(type(self)).parameters.items()}
        changed = [
            f", {name}={getattr(self, name)!r}"
            for name, usual in others.items()
            if name not in ("monitor", "patience") and getattr(self, name, usual) != usual
        ]
        return f"{type(self).__name__}('{self.monitor}', patience={self.patience}{''.join(changed)})"


class EarlyStopping(_Watching):
    """Stops when a value has not improved for `patience` epochs.

    pn.fit(patience=5) does the same for the validation loss.  The weights of the best epoch are restored in any case.

    Args:
        monitor: a name in the history, such as "val_loss" or "accuracy".
        patience: the number of epochs without improvement.
        min_delta: a smaller change is not an improvement.
        mode: "min", "max", or "auto": accuracies and the like are better when larger, losses when smaller.

    >>> x = np.linspace(-1, 1, 64, dtype=np.float32).reshape(-1, 1)
    >>> stop = pn.callbacks.EarlyStopping("val_loss", patience=2, min_delta=9.0)
    >>> pn.fit(pn.Sequential(pn.Dense(1)), (x, x), epochs=9, callbacks=[stop], verbose=0).epochs
    3
    """

    @check_keywords(**OF_MONITORS)
    def __init__(
        self, monitor: str = "val_loss", *, patience: int = 5, min_delta: float = 0.0, mode: str = "auto"
    ) -> None:
        super().__init__(monitor, patience, min_delta, mode)

    def on_epoch_end(self, epoch: int, logs: Logs) -> Any:
        """Stops after `patience` epochs without improvement."""
        return "stop" if self.has_waited(logs) else None


class ReduceLROnPlateau(_Watching):
    """Multiplies the learning rate by `factor` when a value has not improved for `patience` epochs.

    It multiplies the value of the schedule, so use it with schedule="constant".

    Args:
        monitor: a name in the history.
        factor: between 0 and 1.
        patience: the number of epochs without improvement; counted again after each reduction.
        min_delta: a smaller change is not an improvement.
        min_factor: the product of all reductions does not fall below this.
        mode: "min", "max" or "auto", as in EarlyStopping.

    >>> x = np.linspace(-1, 1, 64, dtype=np.float32).reshape(-1, 1)
    >>> slow = pn.callbacks.ReduceLROnPlateau("loss", factor=0.1, patience=1, min_delta=9.0)
    >>> history = pn.fit(
    ...     pn.Sequential(pn.Dense(1)), (x, x), epochs=3, schedule="constant", learning_rate=0.01, callbacks=[slow],
    ...     verbose=0)
    >>> [round(rate, 5) for rate in history["learning_rate"]]
    [0.01, 0.01, 0.001]
    """

    @check_keywords(**OF_MONITORS)
    def __init__(
        self,
        monitor: str = "val_loss",
        *,
        factor: float = 0.5,
        patience: int = 3,
        min_delta: float = 0.0,
        min_factor: float = 0.001,
        mode: str = "auto",
    ) -> None:
        super().__init__(monitor, patience, min_delta, mode)
        for name, value in (("factor", factor), ("min_factor", min_factor)):
            if not is_number(value) or not 0 < value < 1:
                raise ValueError(f"ReduceLROnPlateau: {name} is {value!r}: give a number between 0 and 1")
        self.factor = float(factor)
        self.min_factor = float(min_factor)

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Reduces the learning rate after `patience` epochs without improvement."""
        if self.has_waited(logs):
            now = self.run.learning_rate_factor
            self.run.learning_rate_factor = min(now, max(now * self.factor, self.min_factor))
            self.waited = 0
