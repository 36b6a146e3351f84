"""history.py -- History: what a training did, epoch by epoch."""

import math
from collections.abc import ItemsView, Iterator, KeysView
from pathlib import Path
from typing import TYPE_CHECKING

from pyneural.arguments.familiar import OF_HISTORY
from pyneural.arguments.paths import write_whole
from pyneural.arguments.spelling import no_attribute
from pyneural.metrics.estimate import Estimate


class History:
    """What pn.fit returns.

    Attributes:
        values: a list by name, an entry an epoch: loss, accuracy, val_loss, val_accuracy (with its interval),
            learning_rate, seconds; of heads `top_loss`, `val_top_accuracy` and the like, too.
        best_epoch: the epoch, from 1, whose weights the model has; 0 when none was finished.
        seconds: the whole training.
        steps: optimizer steps made.
        interrupted: by Ctrl-C.
        fingerprint: sha256 of the model's parameters and state at the end: equal for equal trainings.
    """

    def __init__(self) -> None:
        self.values: dict[str, list[float]] = {}
        self.best_epoch = 0
        self.seconds = 0.0
        self.steps = 0
        self.interrupted = False
        self.fingerprint = ""

    @property
    def epochs(self) -> int:
        """The epochs finished."""
        return len(self.values.get("loss", ()))

    def append(self, **values: float) -> None:
        """Adds an epoch."""
        for name, value in values.items():
            self.values.setdefault(name, []).append(value)

    def __getitem__(self, name: str) -> list[float]:
        """The values of one name, one an epoch.

        Raises:
            KeyError: nothing of that name was kept; says what was.
        """
        if name not in self.values:
            raise KeyError(f"the history has no '{name}': {', '.join(self.values)}")
        return self.values[name]

    def __contains__(self, name: object) -> bool:
        return name in self.values

    def __iter__(self) -> Iterator[str]:
        return iter(self.values)

    def to_csv(self, path: str | Path | None = None) -> str:
        """The values as CSV text, a line an epoch; also written to `path` where one is given.

        An estimate has its interval beside it: `val_accuracy`, `val_accuracy_low`, `val_accuracy_high`.  The file
        appears whole or not at all, as that of pn.save.

        Raises:
            OSError: it cannot be written (the folder is missing or not writable, the disk is full).
        """
        columns: dict[str, list[float]] = {}
        for name, values in self.values.items():
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

    def keys(self) -> KeysView[str]:
        """The names of the values, so that `dict(history)` is a dict of the lists."""
        return self.values.keys()

    def items(self) -> ItemsView[str, list[float]]:
        """The names and the lists."""
        return self.values.items()

    def __len__(self) -> int:
        return len(self.values)

    if not TYPE_CHECKING:  # type checkers know for themselves that other names are wrong

        def __getattr__(self, name):
            if name in vars(self).get("values", ()):
                raise AttributeError(f"a history has no attribute '{name}'; use history['{name}']")
            raise no_attribute("a history", self, name, OF_HISTORY)

    def __repr__(self) -> str:
        state = ", interrupted" if self.interrupted else ""
        return f"<History: {self.epochs} epochs, best {self.best_epoch}, {self.seconds:.1f} s{state}>"
