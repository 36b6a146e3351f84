"""progress.py -- the lines a training prints: what, a line an epoch, the best one; and a bar in a terminal.

In a terminal the lines are folded at its width, and a bar runs below them on stderr while an epoch does.  Elsewhere (a
notebook, a log, a pipe) each line is whole, and there is no bar.
"""

import shutil
import sys
from collections.abc import Sequence
from typing import Any

from pyneural.estimate import Estimate

_WIDE = 110  # columns from which an epoch's line is one
_BAR = "{desc} {percentage:3.0f} %|{bar}| {n_fmt}/{total_fmt} · {remaining} left{postfix}"
_APART = " · "


def number(value: float) -> str:
    """A loss: three decimals, or as many digits where those would show nothing, or too much."""
    return f"{value:.3f}" if value == 0 or 0.0995 <= abs(value) < 1e5 else f"{value:.3g}"


def shown(name: str, value: float) -> str:
    """`accuracy 93.40 %`, `val_accuracy 97.85 % [97.45, 98.19]`, `loss 0.214`."""
    if isinstance(value, Estimate):
        return f"{name} {value}"
    return f"{name} {100 * value:.2f} %" if name.endswith("accuracy") else f"{name} {number(value)}"


def folded(parts: Sequence[str], columns: int | None, indent: str = "    ") -> list[str]:
    """The parts joined by dots, in lines of at most so many columns; a part is broken where it alone is longer.

    >>> folded(["some data", "10 classes", "adam"], 24)
    ['some data · 10 classes ·', '    adam']
    """
    if columns is None:
        return [_APART.join(parts)]
    lines, line = [], ""
    words = [word for part in parts for word in (*part.split(" "), "·")][:-1]
    for word in _unbroken(words, columns - len(indent) - 2):
        joined = f"{line} {word}" if line.strip() else line + word
        if len(joined) > columns and line.strip():
            lines.append(line)
            joined = indent + word
        line = joined
    return [*lines, line]


def _unbroken(words: list[str], columns: int) -> list[str]:
    """What stays on one line: a part and the dot after it, where that is short enough; else its words."""
    runs, run = [], []
    for word in words:
        run.append(word)
        if word == "·":
            runs.append(run)
            run = []
    found: list[str] = []
    for each in [*runs, run]:
        text = " ".join(each)
        found += [text] if len(text) <= columns else each
    return found


def say(parts: Sequence[str]) -> None:
    """Prints a permanent line of parts, folded at the width of a terminal."""
    print("\n".join(folded(parts, _columns())), flush=True)


class Progress:
    """Prints what fit does.

    Args:
        verbose: 0 nothing, 1 lines and a bar, 2 each step.
        epochs: how many there will be.
        steps: of one epoch.
        note: goes with every result.
    """

    def __init__(self, verbose: int, epochs: int, steps: int, note: str = "") -> None:
        self.verbose, self.epochs, self.steps = verbose, epochs, steps
        self.note = [note] if note else []
        self.bar: Any = None

    def say(self, text: str) -> None:
        """A permanent line."""
        self.parts([text])

    def parts(self, parts: Sequence[str]) -> None:
        """A permanent line of parts, between which it may be folded."""
        if self.verbose:
            say(parts)

    def open(self, epoch: int) -> None:
        """An epoch begins."""
        if self.verbose == 1 and sys.stderr is not None and sys.stderr.isatty():
            from tqdm import tqdm

            self.bar = tqdm(
                total=self.steps,
                desc=f"epoch {epoch}/{self.epochs}",
                leave=False,
                mininterval=0.25,
                dynamic_ncols=True,
                bar_format=_BAR,
            )

    def step(self, step: int, loss: float) -> None:
        """A step is done; only called where there is something to show."""
        if self.bar is not None:
            if self.bar.update():  # it was drawn, which it is at most 4 times a second
                self.bar.set_postfix_str(f"loss {number(loss)}", refresh=False)
        else:
            print(f"step {step}/{self.steps} · loss {number(loss)}", flush=True)

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
        """The epoch's line; in a terminal too narrow for it, one for training and one for validation."""
        trained = [shown(name, value) for name, value in values.items() if not name.startswith("val_")]
        tested = [shown(name, value) for name, value in values.items() if name.startswith("val_")]
        head = [f"epoch {epoch}/{self.epochs}", f"{seconds:.1f} s", *trained]
        (tested or head).extend(self.note)
        columns = _columns()
        if columns is not None and tested and columns < max(_WIDE, len(_APART.join(head + tested))):
            self.parts(head)
            if self.verbose:
                print("\n".join(f"    {line}" for line in folded(tested, columns - 4, "")), flush=True)
        else:
            self.parts(head + tested)


def _columns() -> int | None:
    """The width of the terminal that lines go to; None where they go elsewhere."""
    return shutil.get_terminal_size().columns if sys.stdout is not None and sys.stdout.isatty() else None
