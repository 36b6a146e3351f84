"""history.py -- History: what a training did, epoch by epoch."""

from collections.abc import Iterator
from pathlib import Path


class History:
    """What pn.fit returns.

    Attributes:
        values: a list by name, an entry an epoch: loss, accuracy, val_loss, val_accuracy (with its interval),
            learning_rate, seconds.
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
        """The values as CSV text, a line an epoch; also written to `path` where one is given."""
        lines = [",".join(("epoch", *self.values))]
        for epoch, row in enumerate(zip(*self.values.values(), strict=True), start=1):
            lines.append(",".join((str(epoch), *(f"{value:.9g}" for value in row))))
        text = "\n".join(lines) + "\n"
        if path is not None:
            Path(path).write_text(text, encoding="utf-8")
        return text

    def __repr__(self) -> str:
        state = ", interrupted" if self.interrupted else ""
        return f"<History: {self.epochs} epochs, best {self.best_epoch}, {self.seconds:.1f} s{state}>"
