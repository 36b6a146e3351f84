"""csv_path.py -- which paths are those of CSV files.

A module of its own, because every training asks it of its data, and only those on CSV files load the rest of csv_*.
"""

import os
from pathlib import Path

_SUFFIXES = (".csv", ".tsv", ".tab")


def is_csv(path: object) -> bool:
    """Whether the name of a file says that it is CSV, perhaps packed with gzip."""
    return isinstance(path, str | os.PathLike) and str(path).lower().removesuffix(".gz").endswith(_SUFFIXES)


def stem(path: str | Path) -> str:
    """The name of a file, without .csv or .csv.gz."""
    name = Path(path).name
    return name.removesuffix(".gz").rpartition(".")[0] or name
