"""cache_folder.py -- the user's cache, which downloads and decoded images share: so a module of its own."""

import warnings
from pathlib import Path
from typing import Any


def cache_folder(kind: str) -> Path:
    """A folder in the user's cache, which may not exist: ~/.cache/pyneural/<kind> on Linux."""
    return Path(imported_pooch().os_cache("pyneural")) / kind


def imported_pooch() -> Any:
    """The module pooch; in a notebook its progress bars, which are not used, would warn that ipywidgets is missing."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "IProgress not found")
        import pooch
    return pooch
