"""archives.py -- NumPy's .npz archives: their arrays, or an error that says how to make a right one."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from pyneural.arguments.arrays import Array


def read_archive(path: Path, who: str, wanted: Iterable[str], fix: str) -> tuple[dict[str, Array], list[str]]:
    """The wanted arrays of an .npz, and the names of all that it has; pickled objects are refused.

    Args:
        path: the file.
        who: the prefix of messages.
        wanted: the names of the arrays to read, of which some may be missing.
        fix: how to make such a file, for messages.

    Raises:
        OSError: it cannot be opened.
        ValueError: it is not an .npz, or damaged.
    """
    import zipfile

    with path.open("rb") as file:
        try:
            if not zipfile.is_zipfile(file):
                raise ValueError("it is not an .npz, or incomplete")
            file.seek(0)
            with np.load(file, allow_pickle=False) as opened:
                names = sorted(opened.files)
                return {name: opened[name] for name in wanted if name in names}, names
        except Exception as error:  # zipfile and NumPy may raise any exception for damaged files
            why = "it contains pickled objects" if "allow_pickle" in str(error) else str(error) or type(error).__name__
            raise ValueError(f"{who} cannot be read ({why}): {fix}") from None
