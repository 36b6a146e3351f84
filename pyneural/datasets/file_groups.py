"""file_groups.py -- the group of an image by its file, such as its patient."""

import re
from collections.abc import Callable
from pathlib import Path

Grouping = str | re.Pattern[str] | Callable[[Path], object]


def check_groups(groups: object) -> None:
    """Rejects what cannot find the groups of files.

    Raises:
        TypeError, ValueError: it is not a function, or not a regular expression.
    """
    if groups is None or callable(groups) or isinstance(groups, re.Pattern):
        return
    if not isinstance(groups, str):
        raise TypeError(
            f"folder: groups is {type(groups).__name__}: give a regular expression or a function of the path"
        )
    try:
        re.compile(groups)
    except re.error as error:
        raise ValueError(f"folder: groups is {groups!r}, which is not a regular expression: {error}") from None


def group_of(file: Path, groups: Grouping) -> str:
    """The group of a file, such as its patient.

    Raises:
        ValueError: the pattern does not match its name, or the function returned None.
    """
    if callable(groups):
        found = groups(file)
        if found is None:
            raise ValueError(f"folder: groups returned None for '{file.name}': return the name of its group")
        return str(found)
    match = re.search(groups, file.name)
    if match is None:
        raise ValueError(f"folder: the pattern for groups, {groups!r}, does not match the file name '{file.name}'")
    return str(match[1] if match.re.groups else match[0])
