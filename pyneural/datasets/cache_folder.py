"""cache_folder.py -- the user's cache, which downloads and decoded images share: so a module of its own."""

from pathlib import Path


def cache_folder(kind: str) -> Path:
    """A folder in the user's cache, which may not exist: ~/.cache/pyneural/<kind> on Linux."""
    import pooch

    return Path(pooch.os_cache("pyneural")) / kind
