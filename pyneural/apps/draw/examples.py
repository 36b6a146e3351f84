"""examples.py -- the user's own digits: an .npz of x and y that pn.datasets.mnist(extra=) reads as well."""

import hashlib
import os
import threading
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from pyneural.apps.draw.pictures import packed
from pyneural.apps.draw.safety import RefusedError
from pyneural.arguments.arrays import Array
from pyneural.arguments.paths import writable, write_whole
from pyneural.datasets.mnist_files import own_digits

MOST = 1000
"""The most digits in the file."""


class Examples:
    """The digits in a file, which is read again for every use, and replaced as a whole.

    Args:
        path: the .npz, which need not exist yet.

    Raises:
        ValueError, OSError: it exists and does not hold digits, or it cannot be written.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = writable("draw: examples", path)
        if self.path.suffix != ".npz":
            raise ValueError(f"draw: examples: '{self.path.name}' must end in .npz")
        self._writing = threading.Lock()
        self._read()

    def arrays(self) -> tuple[Array, Array]:
        """x, uint8 (n, 28, 28, 1), and y, int64 (n,); the oldest first.

        Raises:
            RefusedError: the file no longer holds digits.
        """
        try:
            return self._read()
        except (ValueError, OSError):  # it was changed since the start
            raise RefusedError(503, f"{self.path.name} cannot be read any more: remove or mend it") from None

    def add(self, digit: Array, label: int) -> str:
        """Adds a digit, uint8 (28, 28, 1), unless the file has it; returns its name.

        Raises:
            RefusedError: the file is full.
        """
        with self._writing:
            x, y = self.arrays()
            name = name_of(digit, label)
            if name in self.names(x, y):
                return name
            if len(y) >= MOST:
                raise RefusedError(409, f"{self.path.name} has {MOST:,} digits, which is the most: delete some first")
            self._write(np.concatenate([x, digit[None]]), np.append(y, label))
            return name

    def remove(self, name: str) -> None:
        """Removes a digit by its name.

        Raises:
            RefusedError: there is no such digit.
        """
        with self._writing:
            x, y = self.arrays()
            names = self.names(x, y)
            if name not in names:
                raise RefusedError(404, f"{self.path.name} has no such digit: it was deleted already")
            kept = np.arange(len(y)) != names.index(name)
            self._write(x[kept], y[kept])

    def as_json(self) -> dict[str, Any]:
        """All digits, the newest first, and how many there may be."""
        x, y = self.arrays()
        rows = zip(self.names(x, y), x, y.tolist(), strict=True)
        digits = [{"id": name, "label": label, "input": packed(digit)} for name, digit, label in rows]
        return {"file": self.path.name, "most": MOST, "digits": digits[::-1]}

    @staticmethod
    def names(x: Array, y: Array) -> list[str]:
        """The name of each digit."""
        return [name_of(digit, label) for digit, label in zip(x, y.tolist(), strict=True)]

    def _read(self) -> tuple[Array, Array]:
        if not self.path.exists():
            return np.empty((0, 28, 28, 1), np.uint8), np.empty(0, np.int64)
        return own_digits(self.path)[1:]

    def _write(self, x: Array, y: Array) -> None:
        file = BytesIO()
        np.savez(file, x=x, y=y)
        try:
            if len(y):
                write_whole("draw", self.path, file.getvalue())
            else:
                self.path.unlink(missing_ok=True)
        except OSError as error:  # a full disk, or a folder that has become read-only
            why = os.strerror(error.errno).lower() if error.errno else "the disk refused it"
            raise RefusedError(507, f"{self.path.name} cannot be written ({why}); it is as it was") from None


def name_of(digit: Array, label: int) -> str:
    """The name of a digit, which follows from its pixels and its label."""
    return hashlib.sha256(digit.tobytes() + bytes([label])).hexdigest()[:16]
