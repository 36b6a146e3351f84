"""lines.py -- lines of results, wrapped at the width of a terminal."""

import shutil
import sys
from collections.abc import Sequence

from pyneural.arguments.checks import warn
from pyneural.metrics.estimate import Estimate
from pyneural.printing import is_terminal, put

SEPARATOR = " · "


def number(value: float) -> str:
    """A number: three decimals, or three significant digits if it is very small or large."""
    return f"{value:.3f}" if value == 0 or 0.0995 <= abs(value) < 1e5 else f"{value:.3g}"


def shown(name: str, value: float) -> str:
    """`accuracy 93.40 %`, `val_accuracy 97.85 % [97.45, 98.19]`, `loss 0.214`."""
    if isinstance(value, Estimate):
        return f"{name} {value}"
    return f"{name} {100 * value:.2f} %" if name.endswith("accuracy") else f"{name} {number(value)}"


def folded(parts: Sequence[str], columns: int | None, indent: str = "    ") -> list[str]:
    """The parts joined by dots, in lines of at most `columns` characters; only longer parts are broken.

    >>> folded(["some data", "10 classes", "adam"], 24)
    ['some data · 10 classes ·', '    adam']
    """
    if columns is None:
        return [SEPARATOR.join(parts)]
    lines = []
    line = ""
    words = [word for part in parts for word in (*part.split(" "), "·")][:-1]
    for word in _unbroken(words, columns - len(indent) - 2):
        joined = f"{line} {word}" if line.strip() else line + word
        if len(joined) > columns and line.strip():
            lines.append(line)
            joined = indent + word
        line = joined
    return [*lines, line]


def _unbroken(words: list[str], columns: int) -> list[str]:
    """The units that are not broken: a part with the dot after it if it is short enough, else its words."""
    runs = []
    run = []
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
    """Prints a line of parts, wrapped at the width of a terminal."""
    try_put("\n".join(folded(parts, terminal_columns())))


def try_put(text: str) -> None:
    """Prints a text; if it cannot be written (the terminal is gone, the disk is full), a warning says so instead.

    A reader that has gone away, as in `| head`, ends the program as usual.
    """
    try:
        put(text)
    except BrokenPipeError:
        raise
    except OSError as error:
        warn(f"the output cannot be written ({error.strerror or error}); continuing without it")


def terminal_columns() -> int | None:
    """The width of the terminal; None if stdout is not a terminal."""
    return shutil.get_terminal_size().columns if is_terminal(sys.stdout) else None
