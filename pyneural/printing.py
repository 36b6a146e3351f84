"""printing.py -- printing text as the stream can encode it, so that a limited terminal never aborts training."""

import sys
from typing import Any

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


def is_terminal(stream: Any) -> bool:
    """Whether a stream is a terminal; an object with `write` alone, such as a tee in place of sys.stdout, is not."""
    ask = getattr(stream, "isatty", None)
    return ask is not None and bool(ask())


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
