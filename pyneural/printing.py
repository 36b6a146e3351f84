"""printing.py -- all that is printed: text as the stream can encode it, so that no terminal ends a training."""

import sys
from typing import Any

_PLAIN = {"·": "|", "…": "...", "–": "-", "—": "-", "²": "^2", "×": "x", "±": "+/-", "Σ": "sum", "√": "sqrt"}


def encodable(text: str, stream: Any = None) -> str:
    """The text, with what the stream cannot encode in ASCII: `·` as `|`, other characters as Python writes them.

    Args:
        text: any.
        stream: that it goes to; None for sys.stdout.
    """
    encoding = getattr(sys.stdout if stream is None else stream, "encoding", None)
    if not encoding or _fits(text, encoding):
        return text
    return "".join(character if _fits(character, encoding) else _plain(character) for character in text)


def put(text: object = "", *, end: str = "\n", stream: Any = None) -> None:
    """Prints a line at once, to sys.stdout or to the stream."""
    print(encodable(str(text), stream), end=end, file=stream, flush=True)


def _fits(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _plain(character: str) -> str:
    return _PLAIN.get(character) or character.encode("ascii", "backslashreplace").decode()
