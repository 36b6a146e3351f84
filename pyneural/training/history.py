"""history.py -- History: the record of a training, epoch by epoch."""

import math
from pathlib import Path
from typing import TYPE_CHECKING

from pyneural.arguments.familiar_training import OF_HISTORY
from pyneural.arguments.paths import write_whole
from pyneural.arguments.spelling import no_attribute
from pyneural.metrics.estimate import Estimate


class History(dict[str, list[float]]):
    """The result of pn.fit: a dict of lists with one entry per epoch, and attributes of the whole training.

    The names are loss, accuracy, val_loss, val_accuracy (with its interval), learning_rate, seconds; with heads also
    `top_loss`, `val_top_accuracy` and so on.  As a dict it is also a table: `pandas.DataFrame(history)`.

    Attributes:
        best_epoch: the epoch, from 1, whose weights the model has: that of the lowest smoothed validation loss, which
            may be the last one where patience, which counts from the lowest loss itself, ended the training; 0 if no
            epoch was finished.
        seconds: the duration of the training.
        steps: the number of optimizer steps.
        interrupted: whether Ctrl-C stopped the training.
        stopped: what ended it before its last epoch, such as "patience=5", a callback or "seconds=60"; else "".
        fingerprint: the sha256 of the model's parameters and state at the end: equal for equal trainings.

    >>> x = np.linspace(-1, 1, 64, dtype=np.float32).reshape(-1, 1)
    >>> history = pn.fit(pn.Sequential(pn.Dense(1)), (x, x), epochs=3, verbose=0)
    >>> list(history), len(history["val_loss"])
    (['loss', 'val_loss', 'learning_rate', 'seconds'], 3)
    """

    def __init__(self) -> None:
        super().__init__()
        self.best_epoch = 0
        self.seconds = 0.0
        self.steps = 0
        self.interrupted = False
        self.stopped = ""
        self.fingerprint = ""

    @property
    def epochs(self) -> int:
        """The number of finished epochs."""
        return len(self.get("loss", ()))

    def append(self, **values: float) -> None:
        """Adds an epoch."""
        for name, value in values.items():
            self.setdefault(name, []).append(value)

    def __missing__(self, name: object) -> list[float]:
        raise KeyError(f"the history has no {name!r}: {', '.join(self) or 'no epoch was finished'}")

    def to_csv(self, path: str | Path | None = None) -> str:
        """The values as CSV text, one line per epoch; also written to `path` if it is given.

        An estimate has its interval beside it: `val_accuracy`, `val_accuracy_low`, `val_accuracy_high`.  The file is
        written atomically, as by pn.save.

        Raises:
            OSError: it cannot be written (the folder is missing or not writable, the disk is full).
        """
        columns: dict[str, list[float]] = {}
        for name, values in self.items():
            columns[name] = values
            if any(isinstance(value, Estimate) for value in values):
                columns[f"{name}_low"] = [getattr(value, "low", math.nan) for value in values]
                columns[f"{name}_high"] = [getattr(value, "high", math.nan) for value in values]
        lines = [",".join(("epoch", *columns))]
        for epoch, row in enumerate(zip(*columns.values(), strict=True), start=1):
            lines.append(",".join((str(epoch), *(f"{float(value):.9g}" for value in row))))
        text = "\n".join(lines) + "\n"
        if path is not None:
            write_whole("to_csv", path, text.encode())
        return text

    if not TYPE_CHECKING:  # type checkers report wrong names by themselves

        def __getattr__(self, name):
            if name in self:
                raise AttributeError(f"a history has no attribute '{name}'; use history['{name}']")
            raise no_attribute("a history", self, name, OF_HISTORY)

    def __repr__(self) -> str:
        state = ", interrupted" if self.interrupted else ""
        plural = "s" * (self.epochs != 1)
        return f"<History: {self.epochs} epoch{plural}, best {self.best_epoch}, {self.seconds:.1f} s{state}>"
