"""progress.py -- the output of a training: a first line, one line per epoch, the best epoch; a bar in a terminal.

In a terminal the lines are folded at its width, and stderr shows a progress bar during an epoch.  Elsewhere (a
notebook, a log, a pipe) lines are not folded, and there is no bar.
"""

import sys
from collections.abc import Sequence
from typing import Any

from pyneural.evaluation.lines import number, say, shown
from pyneural.printing import SEPARATOR, encodable, is_terminal, terminal_columns

_WIDE = 110  # terminals of at least this width show an epoch on one line
_BAR = "{desc} {percentage:3.0f} %|{bar}| {n_fmt}/{total_fmt} · {remaining} left{postfix}"


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

    def say(self, text: str) -> None:
        """Prints a line."""
        self.parts([text])

    def parts(self, parts: Sequence[str]) -> None:
        """Prints a line of parts, which may be folded between them."""
        if self.verbose:
            say(parts)

    def open(self, epoch: int, done: int = 0) -> None:
        """Starts an epoch, of which `done` steps are finished already."""
        if self.verbose == 1 and is_terminal(sys.stderr):
            from tqdm import tqdm

            self.bar = tqdm(
                total=self.steps,
                initial=done,
                desc=f"epoch {epoch}/{self.epochs}",
                leave=False,
                mininterval=0.25,
                dynamic_ncols=True,
                bar_format=encodable(_BAR, sys.stderr),
            )

    def step(self, step: int, loss: float) -> None:
        """Shows a finished step; called only if steps_shown."""
        if self.bar is not None:
            if self.bar.update():  # True if it was redrawn, at most 4 times per second
                self.bar.set_postfix_str(f"loss {number(loss)}", refresh=False)
        else:
            say([f"step {step}/{self.steps}", f"loss {number(loss)}"])

    @property
    def steps_shown(self) -> bool:
        """Whether step() is to be called."""
        return self.bar is not None or self.verbose >= 2

    def close(self) -> None:
        """Ends an epoch."""
        if self.bar is not None:
            self.bar.close()
            self.bar = None

    def epoch(self, epoch: int, seconds: float, values: dict[str, float]) -> None:
        """Prints the line of the epoch; in a narrow terminal, one for training and one for validation."""
        trained = [shown(name, value) for name, value in values.items() if not name.startswith("val_")]
        tested = [shown(name, value) for name, value in values.items() if name.startswith("val_")]
        head = [f"epoch {epoch}/{self.epochs}", f"{seconds:.1f} s", *trained]
        (tested or head).extend(self.note)
        columns = terminal_columns()
        if columns is not None and tested and columns < max(_WIDE, len(SEPARATOR.join(head + tested))):
            self.parts(head)
            if self.verbose:
                say(tested, first="    ")
        else:
            self.parts(head + tested)
