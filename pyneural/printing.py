"""printing.py -- text as a stream can encode it, so that no terminal aborts a training, and folded at its width."""

import re
import sys
from collections.abc import Iterator, Sequence
from typing import Any

SEPARATOR = " · "
_CELL = 110  # columns of a notebook's cell: browsers break longer lines anywhere
# an interval, a shape, a percentage, or any other word, with the dot after it
_UNIT = re.compile(r"(?:\[[^\]]*\]\S*|\(\d[\d, ]*\)\S*|\S+ %\S*|\S+)(?: ·(?!\S))?")
_PLAIN = {"·": "|", "…": "...", "–": "-", "—": "-", "²": "^2", "×": "x", "±": "+/-", "Σ": "sum", "√": "sqrt"}


def encodable(text: str, stream: Any = None) -> str:
    """Replaces characters that the stream cannot encode by ASCII: `·` by `|`, others by Python escapes.

    Args:
        text: any text.
        stream: the stream it is written to; None for sys.stdout.
    """
    encoding = getattr(sys.stdout if stream is None else stream, "encoding", None)
    if not encoding or _fits(text, encoding):
        return text
    return "".join(character if _fits(character, encoding) else _plain(character) for character in text)


def put(text: object = "", *, end: str = "\n", stream: Any = None) -> None:
    """Prints a line to the stream (None: sys.stdout) and flushes."""
    flush = hasattr(sys.stdout if stream is None else stream, "flush")
    print(encodable(str(text), stream), end=end, file=stream, flush=flush)


def put_parts(parts: Sequence[str], indent: str = "    ", first: str = "") -> None:
    """Prints parts joined by dots, folded at the width of a terminal or cell; the arguments are those of `folded`."""
    put("\n".join(folded(parts, line_columns(), indent, first)))


def is_terminal(stream: Any) -> bool:
    """Whether a stream is a terminal; an object with `write` alone, such as a tee in place of sys.stdout, is not."""
    ask = getattr(stream, "isatty", None)
    return ask is not None and not getattr(stream, "closed", False) and bool(ask())


def terminal_columns(stream: Any = None) -> int | None:
    """The width of the terminal; None if the stream (None: sys.stdout) is not a terminal."""
    if not is_terminal(sys.stdout if stream is None else stream):
        return None
    import shutil  # which takes 1.5 ms to import

    return shutil.get_terminal_size().columns


def ipython_shell() -> Any:
    """IPython's shell, of a notebook's kernel or in a terminal; None outside of IPython."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython else None


def kernel_shell() -> Any:
    """IPython's shell if this runs in a notebook's kernel; None elsewhere, in IPython's terminal too."""
    shell = ipython_shell()
    return shell if hasattr(shell, "kernel") else None


def line_columns() -> int | None:
    """The width at which lines are folded: of the terminal, or of a notebook's cell; None in a log."""
    return _CELL if kernel_shell() else terminal_columns()


def folded(parts: Sequence[str], columns: int | None, indent: str = "    ", first: str = "") -> list[str]:
    """The parts joined by dots, in lines of at most `columns` characters (None: one line).

    A part that fits a line is not broken; a longer one is broken between words, but not within an interval or a shape.

    Args:
        parts: the parts.
        columns: the width of the terminal.
        indent: the start of each line but the first.
        first: the start of the first line.

    >>> folded(["some data", "10 classes", "adam"], 24)
    ['some data · 10 classes ·', '    adam']
    """
    if columns is None:
        return [first + SEPARATOR.join(parts)]
    lines = []
    line = first
    empty = True
    for unit in _units(parts, columns - len(indent)):
        joined = line + unit if empty else f"{line} {unit}"
        if len(joined) > columns and not empty:
            lines.append(line)
            joined = indent + unit
        line = joined
        empty = False
    return [*lines, line]


def shortened(name: str, length: int) -> str:
    """A name of at most `length` characters, which ends in an ellipsis if it was cut.

    >>> shortened("Staphylococcus", 8)
    'Staphyl…'
    """
    return name if len(name) <= length else f"{name[: length - 1]}…"


def _units(parts: Sequence[str], columns: int) -> Iterator[str]:
    """The texts that are not broken; all but the last part end in a dot."""
    for number, part in enumerate(parts, start=1):
        text = part if number == len(parts) else f"{part} ·"
        yield from [text] if len(text) <= columns else _UNIT.findall(text)


def _fits(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    except LookupError:  # no such encoding: the stream knows better
        return True
    return True


def _plain(character: str) -> str:
    return _PLAIN.get(character) or character.encode("ascii", "backslashreplace").decode()
