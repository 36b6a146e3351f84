"""lines.py -- lines of results, folded at the width of a terminal.

A module of its own, though small: printing.py is below warnings and estimates, and progress and reports both use it.
"""

import sys
from collections.abc import Sequence

from pyneural.arguments.checks import warn
from pyneural.metrics.estimate import Estimate
from pyneural.printing import put_parts


def number(value: float) -> str:
    """A number: three decimals, or three significant digits if it is very small or large."""
    return f"{value:.3f}" if value == 0 or 0.0995 <= abs(value) < 1e5 else f"{value:.3g}"


def shown(name: str, value: float) -> str:
    """`accuracy 93.40 %`, `val_accuracy 97.85 % [97.45, 98.19]`, `loss 0.214`."""
    if isinstance(value, Estimate):
        return f"{name} {value}"
    return f"{name} {100 * value:.2f} %" if name.endswith("accuracy") else f"{name} {number(value)}"


def say(parts: Sequence[str], indent: str = "    ", first: str = "") -> None:
    """Prints a line of parts, folded at the width of a terminal; the arguments are those of `folded`.

    If it cannot be written (the terminal is gone, the disk is full, the stream is closed), a warning says so instead.
    A reader that has gone away, as in `| head`, ends the program as usual.
    """
    try:
        put_parts(parts, indent, first)
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as error:
        if isinstance(error, ValueError) and not getattr(sys.stdout, "closed", False):
            raise
        warn(f"the output cannot be written ({getattr(error, 'strerror', '') or error}); continuing without it")
