"""paths.py -- paths that users give to write to."""

import os
from pathlib import Path


def writable(path: str | Path) -> Path:
    """The path, if a model can be written there.

    Raises:
        ValueError, OSError: it cannot; says why.
    """
    target = Path(path)
    if target.suffix != ".safetensors":
        raise ValueError(
            f"save: {target.name}: models are .safetensors files: give '{target.with_suffix('.safetensors').name}'"
        )
    if not target.parent.is_dir():
        raise FileNotFoundError(f"save: there is no folder {target.parent}: make it first")
    if target.is_dir():
        raise IsADirectoryError(f"save: {target} is a folder")
    if not os.access(target.parent, os.W_OK):
        raise PermissionError(f"save: the folder {target.parent} is not writable")
    return target
