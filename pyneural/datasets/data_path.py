"""data_path.py -- where a user said that data is: a path, or $PYNEURAL_DATA."""

import os
from pathlib import Path
from typing import NamedTuple

from pyneural.arguments.paths import as_path


class Named(NamedTuple):
    """A place, None if none was named, and whether it is the word sample.

    For messages: what named it, and how not to name it.
    """

    place: Path | None
    is_sample: bool
    by: str
    undo: str


def named_by_user(who: str, path: str | Path | None, of: str) -> Named:
    """The path, or if that is None, $PYNEURAL_DATA.

    Args:
        who: the prefix of messages.
        path: the path that was given.
        of: what it must be, for messages, such as "a folder".

    Raises:
        TypeError, ValueError: it is not a path.
    """
    if path is not None:
        place = as_path(who, path, of)
        return Named(place, str(place) == "sample", "path", "give no path")
    word = os.environ.get("PYNEURAL_DATA")
    return Named(Path(word).expanduser() if word else None, word == "sample", "PYNEURAL_DATA", "unset it")
