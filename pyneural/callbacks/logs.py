"""logs.py -- LogFile and TensorBoard: the values of each epoch in a file, for other programs to read."""

import json
import math
from pathlib import Path
from typing import Any

from pyneural.arguments.checks import warn
from pyneural.arguments.familiar_keywords import OF_SAVING
from pyneural.arguments.paths import as_path, writable
from pyneural.arguments.spelling import check_keywords
from pyneural.callbacks.callback import Callback, Logs
from pyneural.metrics.estimate import Estimate


def row(epoch: int, logs: Logs) -> dict[str, float]:
    """The values of an epoch as plain numbers; an estimate has its interval beside it."""
    found: dict[str, float] = {"epoch": epoch}
    for name, value in logs.items():
        found[name] = float(value)
        if isinstance(value, Estimate):
            found |= {f"{name}_low": float(value.low), f"{name}_high": float(value.high)}
    return found


def _as_json(values: dict[str, float]) -> str:
    """The values as JSON, which has no numbers that are not finite."""
    return json.dumps({name: value if math.isfinite(value) else None for name, value in values.items()})


class LogFile(Callback):
    """Writes the values of each epoch to a file, one line per epoch, as the training proceeds.

    Each training overwrites the file; a resumed one (pn.fit(checkpoint=...)) appends to it, each epoch once.  If the
    file cannot be written, a warning says so, and the training continues.

    Args:
        path: ends in .csv (a header, then numbers) or .jsonl (a JSON object per line, with null for NaN).

    Raises:
        ValueError, TypeError, OSError: the path cannot be written.

    >>> import tempfile, pathlib
    >>> x = np.linspace(-1, 1, 64, dtype=np.float32).reshape(-1, 1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     log = pn.callbacks.LogFile(folder + "/run.csv")
    ...     history = pn.fit(pn.Sequential(pn.Dense(1)), (x, x), epochs=2, callbacks=[log], verbose=0)
    ...     print(pathlib.Path(folder, "run.csv").read_text().splitlines()[0])
    epoch,loss,val_loss,learning_rate,seconds
    """

    @check_keywords(**OF_SAVING)
    def __init__(self, path: str | Path) -> None:
        self.path = as_path("LogFile", path)
        if self.path.suffix not in (".csv", ".jsonl"):
            raise ValueError(f"LogFile: {self.path.name}: give a path that ends in .csv or .jsonl")
        self._place = writable("LogFile", self.path).absolute()  # the program may change its folder
        self._warned = False

    def on_train_begin(self) -> None:
        """Starts the file, with the epochs that a resumed training has finished."""
        values = self.run.values
        count = len(values.get("loss", ()))
        self._write("w", [row(n + 1, {name: values[name][n] for name in values}) for n in range(count)])

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Adds the line of the epoch."""
        self._write("a", [row(epoch, logs)])

    def _write(self, mode: str, rows: list[dict[str, float]]) -> None:
        import csv  # only here, so that importing pyneural does not take longer

        try:
            with self._place.open(mode, encoding="utf-8", newline="") as file:
                if self.path.suffix == ".jsonl":
                    file.writelines(_as_json(one) + "\n" for one in rows)
                    return
                table = csv.writer(file, lineterminator="\n")
                for one in rows:
                    if file.tell() == 0:
                        table.writerow(one)
                    table.writerow([f"{value:.9g}" for value in one.values()])
        except OSError as error:
            if not self._warned:
                warn(f"fit: {self!r} cannot be written ({error.strerror or error}); the training goes on")
            self._warned = True

    def state(self) -> dict[str, Any]:
        """Nothing: the lines are those of the history."""
        return {}

    def __repr__(self) -> str:
        return f"LogFile({str(self.path)!r})"


class TensorBoard(Callback):
    """Writes the values of each epoch for TensorBoard (`tensorboard --logdir FOLDER`).

    It needs the package tensorboardX, which writes TensorBoard's files without PyTorch or TensorFlow:
    `pip install tensorboardX`.

    Args:
        folder: where the event files go; created if it is missing.

    Raises:
        ImportError: tensorboardX is not installed.
    """

    @check_keywords(**{**OF_SAVING, **dict.fromkeys(("log_dir", "logdir", "path", "directory"), "folder")})
    def __init__(self, folder: str | Path) -> None:
        try:
            import tensorboardX  # noqa: F401 -- found out before training starts
        except ImportError:
            raise ImportError(
                "TensorBoard: it needs the package tensorboardX (no PyTorch, no TensorFlow): pip install tensorboardX; "
                "without it, pn.callbacks.LogFile('run.csv') writes the same values"
            ) from None
        self.folder = as_path("TensorBoard", folder, of="a folder")
        self._place = self.folder.absolute()
        self._writer: Any = None

    def on_train_begin(self) -> None:
        """Opens an event file."""
        from tensorboardX import SummaryWriter

        self._writer = SummaryWriter(str(self._place))

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Adds the values of the epoch."""
        for name, value in row(epoch, logs).items():
            if name != "epoch":
                self._writer.add_scalar(name, value, epoch)
        self._writer.flush()

    def on_train_end(self) -> None:
        """Closes the event file."""
        if self._writer is not None:
            self._writer.close()

    def state(self) -> dict[str, Any]:
        """Nothing: a resumed training writes a further event file."""
        return {}

    def __repr__(self) -> str:
        return f"TensorBoard({str(self.folder)!r})"
