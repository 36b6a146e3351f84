"""progress.py -- the lines a training prints: what, a line an epoch, the best one; and a bar in a terminal."""

import shutil
import sys
from typing import Any

from pyneural.estimate import Estimate

_WIDE = 110  # columns from which an epoch's line is one


def number(value: float) -> str:
    """A loss: three decimals, or two digits where that would show none."""
    return f"{value:.3f}" if not 0 < abs(value) < 0.0995 else f"{value:.3g}"


def shown(name: str, value: float) -> str:
    """`accuracy 93.40 %`, `val_accuracy 97.85 % [97.45, 98.19]`, `loss 0.214`."""
    if isinstance(value, Estimate):
        return f"{name} {value}"
    return f"{name} {100 * value:.2f} %" if name.endswith("accuracy") else f"{name} {number(value)}"


class Progress:
    """Prints what fit does.

    Args:
        verbose: 0 nothing, 1 lines and a bar, 2 each step.
        epochs: how many there will be.
        steps: of one epoch.
    """

    def __init__(self, verbose: int, epochs: int, steps: int) -> None:
        self.verbose, self.epochs, self.steps = verbose, epochs, steps
        self.bar: Any = None

    def say(self, text: str) -> None:
        """One permanent line."""
        if self.verbose:
            print(text, flush=True)

    def open(self, epoch: int) -> None:
        """An epoch begins."""
        if self.verbose == 1 and sys.stderr is not None and sys.stderr.isatty():
            from tqdm import tqdm

            self.bar = tqdm(total=self.steps, desc=f"epoch {epoch}/{self.epochs}", leave=False, mininterval=0.25)

    def step(self, step: int, loss: float) -> None:
        """A step is done; only called where there is something to show."""
        if self.bar is not None:
            self.bar.update()
        else:
            print(f"step {step}/{self.steps} · loss {number(loss)}")

    @property
    def steps_shown(self) -> bool:
        """Whether step() is to be called."""
        return self.bar is not None or self.verbose >= 2

    def close(self) -> None:
        """An epoch ends."""
        if self.bar is not None:
            self.bar.close()
            self.bar = None

    def epoch(self, epoch: int, seconds: float, values: dict[str, float]) -> None:
        """The epoch's line; below 110 columns of a terminal, two."""
        trained = [shown(name, value) for name, value in values.items() if not name.startswith("val_")]
        tested = [shown(name, value) for name, value in values.items() if name.startswith("val_")]
        head = [f"epoch {epoch}/{self.epochs}", f"{seconds:.1f} s", *trained]
        narrow = sys.stdout.isatty() and shutil.get_terminal_size().columns < _WIDE
        if narrow and tested:
            self.say(" · ".join(head))
            self.say("    " + " · ".join(tested))
        else:
            self.say(" · ".join(head + tested))
