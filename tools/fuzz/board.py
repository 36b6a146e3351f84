"""board.py -- what a fuzzer is currently doing, in shared memory, for the runner to read after a crash."""

from __future__ import annotations

import mmap
import struct
import time
from pathlib import Path
from typing import NamedTuple

_HEAD = struct.Struct("<qqqdq")  # case, calls, refused, when the case began, bytes of text
_SIZE = 1 << 16


class Progress(NamedTuple):
    """A look at the board: the case under way, what was done so far, when the case began, and what it does."""

    index: int
    calls: int
    refused: int
    since: float
    text: str


class Board:
    """A small shared file: the child writes, the runner reads."""

    def __init__(self, path: Path) -> None:
        new = not path.exists()
        if new:
            path.write_bytes(bytes(_SIZE))
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), _SIZE)
        self.calls = 0
        self.refused = 0
        self._index = -1
        self._since = 0.0
        if new:
            self._write(0)

    def begin(self, index: int) -> None:
        """A case starts now."""
        self._index, self._since = index, time.monotonic()
        self._write(0)

    def say(self, text: str) -> None:
        """What the case is about to do."""
        data = text.encode("utf-8", "replace")[: _SIZE - _HEAD.size]
        self._memory[_HEAD.size : _HEAD.size + len(data)] = data
        self._write(len(data))

    def rest(self) -> None:
        """Between cases: no clock runs."""
        self._since = 0.0
        self._write(0)

    def read(self) -> Progress:
        """What stands there."""
        index, calls, refused, since, length = _HEAD.unpack_from(self._memory)
        text = self._memory[_HEAD.size : _HEAD.size + length].decode("utf-8", "replace")
        return Progress(index, calls, refused, since, text)

    def _write(self, length: int) -> None:
        _HEAD.pack_into(self._memory, 0, self._index, self.calls, self.refused, self._since, length)
