"""progress.py -- the output of a training: a first line, one line per epoch, the best epoch; progress within an epoch.

In a terminal the lines are folded at its width, and stderr shows a progress bar during an epoch.  In a notebook they
are folded, too, and the bar is a line of the output that is updated.  Elsewhere (a log, a pipe) lines are not folded,
and there is a line every ten seconds instead of a bar.  Of more than 40 epochs about 20 have a line, and more if they
take long.
"""

import sys
import time
from collections.abc import Sequence
from typing import Any

from pyneural.evaluation.lines import number, say, shown
from pyneural.printing import SEPARATOR, encodable, kernel_shell, line_columns, terminal_columns
from pyneural.training.cell_line import CellLine

_WIDE = 110  # terminals of at least this width show an epoch on one line
_BAR = "{desc} {percentage:3.0f} %|{bar}| {n_fmt}/{total_fmt} · {remaining} left{postfix}"
_NARROW = 60  # narrower terminals have no room for a bar
_SHORT = "{desc} · {n_fmt}/{total_fmt}{postfix}"
_NOTEBOOK = 80  # columns of the bar in a notebook
_SILENCE = 10.0  # seconds between two lines within an epoch
_MANY, _LINES = 40, 20  # of more epochs than _MANY, about _LINES have a line
_DELAY = 0.5  # seconds before one of these epochs has a bar


class Progress:
    """Prints the progress of fit.

    Args:
        verbose: 0 silent, 1 lines and a bar, 2 each step.
        epochs: the number of epochs.
        steps: the number of steps per epoch.
        note: shown with every result.
    """

    def __init__(self, verbose: int, epochs: int, steps: int, note: str = "") -> None:
        self.verbose = verbose
        self.epochs = epochs
        self.steps = steps
        self.note = [note] if note else []
        self.bar: Any = None
        self._cell: CellLine | None = None
        self._epoch = self._done = self._rows = self._validated = 0
        self._begun = self._printed = self._shown = 0.0
        self._every = 1 if epochs <= _MANY or verbose == 2 else -(-epochs // _LINES)

    def say(self, text: str) -> None:
        """Prints a line."""
        self.parts([text])

    def parts(self, parts: Sequence[str]) -> None:
        """Prints a line of parts, which may be folded between them."""
        if self.verbose:
            say(parts)

    def open(self, epoch: int, done: int = 0) -> None:
        """Starts an epoch, of which `done` steps are finished already."""
        self._epoch = epoch
        self._done = done
        self._begun = self._printed = time.perf_counter()
        self._open_bar(f"epoch {epoch}/{self.epochs}", self.steps, done, 0.0 if self._every == 1 else _DELAY)

    def open_validation(self, rows: int) -> None:
        """Starts the validation of the epoch, on that many examples; a short one is not shown."""
        self._rows = rows
        self._validated = 0
        self._open_bar(f"epoch {self._epoch}/{self.epochs} validation", rows, 0, 1.0)

    def _open_bar(self, what: str, total: int, done: int, delay: float) -> None:
        """Opens a bar in a terminal or a notebook."""
        options: dict[str, Any]
        often: dict[str, Any]
        columns = terminal_columns(sys.stderr) if self.verbose else None
        if columns is not None:
            look = _BAR if columns >= _NARROW else _SHORT
            options = {"file": sys.stderr, "dynamic_ncols": True, "mininterval": 0.25, "delay": delay}
            often = {"mininterval": 0, "miniters": 1}
        elif self.verbose and (shell := kernel_shell()):
            look = _BAR
            self._cell = self._cell or CellLine(shell)
            options = {"file": self._cell, "ncols": _NOTEBOOK, "mininterval": 0.5, "delay": 1.0}
            often = {"mininterval": 0.1, "miniters": 1, "delay": 0.0}  # each state is a message to the browser
        else:
            return
        from tqdm import tqdm

        if self.verbose == 2:
            options |= often
        look = encodable(look, options["file"])
        self.bar = tqdm(total=total, initial=done, desc=what, leave=False, bar_format=look, **options)

    def step(self, step: int, loss: float) -> None:
        """Shows a finished step; called only if steps_shown."""
        if self.bar is not None:
            self.bar.set_postfix_str(f"loss {number(loss)}", refresh=False)
            self.bar.update()  # drawn now and then, or each time in verbose 2
        elif self.verbose == 2:
            say([f"step {step}/{self.steps}", f"loss {number(loss)}"])
        elif time.perf_counter() - self._printed >= _SILENCE:
            self._say_step(step, loss)

    def validated(self, rows: int) -> None:
        """Shows that so many more examples are validated."""
        self._validated += rows
        if self.bar is not None:
            self.bar.update(rows)
        elif self.verbose and time.perf_counter() - self._printed >= _SILENCE:
            self._printed = time.perf_counter()
            share = 100 * self._validated / max(1, self._rows)
            say([f"epoch {self._epoch}/{self.epochs}", f"validation {share:.0f} %"])

    def _say_step(self, step: int, loss: float) -> None:
        self._printed = time.perf_counter()
        left = (self._printed - self._begun) * (self.steps - step) / max(1, step - self._done)
        say(
            [
                f"epoch {self._epoch}/{self.epochs}",
                f"step {step}/{self.steps}",
                f"{100 * step / self.steps:.0f} %",
                f"{left:.0f} s left",
                f"loss {number(loss)}",
            ]
        )

    @property
    def steps_shown(self) -> bool:
        """Whether step() is to be called."""
        return self.verbose > 0

    def close(self) -> None:
        """Ends an epoch."""
        if self.bar is not None:
            self.bar.close()
            self.bar = None

    def end(self) -> None:
        """Ends the training."""
        if self._cell is not None:
            self._cell.end()

    def epoch(self, epoch: int, seconds: float, values: dict[str, float]) -> None:
        """Prints the line of the epoch, if it has one; where that is narrow, two: of training and of validation."""
        now = time.perf_counter()
        if epoch > 1 and epoch % self._every and epoch < self.epochs and now - self._shown < _SILENCE:
            return
        self._shown = now
        trained = [shown(name, value) for name, value in values.items() if not name.startswith("val_")]
        tested = [shown(name, value) for name, value in values.items() if name.startswith("val_")]
        head = [f"epoch {epoch}/{self.epochs}", f"{seconds:.1f} s", *trained]
        (tested or head).extend(self.note)
        columns = line_columns()
        if columns is not None and tested and columns < max(_WIDE, len(SEPARATOR.join(head + tested))):
            self.parts(head)
            if self.verbose:
                say(tested, first="    ")
        else:
            self.parts(head + tested)
