"""decoded.py -- decoded images in files of the user's cache, which are memory-mapped when they are used again.

A file holds the pixels, facts about them in JSON, and at the end the facts' checksum and length, and a mark.  Its name
is made of two hashes: of what was asked for (the folder, the options), and of what was there (path, size and times of
each image).  So a changed, added or removed image gives another name, and the new file replaces
those with the same first half.

The files take at most LIMIT bytes together, or one of them more: those that were not used for longest are deleted.
Nothing else depends on them, so that the folder may be deleted at any time.
"""

import hashlib
import json
import math
import os
import struct
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from pyneural.arguments.arrays import Array
from pyneural.arguments.checks import warn
from pyneural.datasets.cache_folder import cache_folder
from pyneural.datasets.mapped import mapped

LIMIT = 20 << 30
_SMALL = 1 << 20  # bytes up to which pixels are not cached
_SPARE = 1 << 30  # bytes that stay free on the disk
_CHUNK = 1 << 24  # bytes that are copied at a time
_BLOCKS, _BLOCK = 1024, 1 << 16  # the blocks that are checked, and their bytes
_MARK = b"pyneural"
_LAST = struct.Struct("<IQ8s")
_STALE = 24 * 3600  # seconds after which an unfinished file was left by a process that was killed
_ENDING, _UNFINISHED = ".pixels", ".part"


class Stored(NamedTuple):
    """Images of one shape, uint8 (n, height, width, channels), and what is known about them, as JSON values."""

    x: Array
    facts: dict[str, Any]


def cached_path(asked: str, found: str) -> Path:
    """The file for what was asked for, and what was there."""
    halves = (hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24] for text in (asked, found))
    return cache_folder("images") / f"{'-'.join(halves)}{_ENDING}"


def find(path: Path) -> Stored | None:
    """The images in a file of the cache; None if it does not exist, or is damaged."""
    try:
        with path.open("rb") as file:
            file.seek(-_LAST.size, os.SEEK_END)
            checksum, size, mark = _LAST.unpack(file.read())
            end = file.seek(-_LAST.size - size, os.SEEK_END)
            text = file.read(size)
        if mark != _MARK or zlib.crc32(text) != checksum:
            return None
        facts = json.loads(text)
        shape = tuple(map(int, facts["shape"]))
        if end != math.prod(shape):
            return None
        x = mapped(path, shape)
        if _checksum(x) != facts["checksum"]:
            return None
    except (OSError, ValueError, KeyError, TypeError, OverflowError, struct.error):
        return None
    with suppress(OSError):
        os.utime(path)  # it was used now
    return Stored(x, facts)


def _checksum(x: Array) -> int:
    """The CRC-32 of all pixels, or of evenly spread blocks of more than 64 MiB."""
    flat = x.reshape(-1)
    if flat.size <= _BLOCKS * _BLOCK:
        return zlib.crc32(flat.data)
    found = 0
    for number in range(_BLOCKS):
        start = (flat.size - _BLOCK) * number // (_BLOCKS - 1)
        found = zlib.crc32(flat[start : start + _BLOCK].data, found)
    return found


@cache
def _say_once(folder: Path, reason: str) -> None:
    warn(
        f"folder: decoded images cannot be kept in {folder} ({reason}), so they stay in memory, and are decoded again "
        "at the next start: make that folder writable, or free space there"
    )


class Growing:
    """Images of one shape that are added one by one: in a file of the cache, or in memory.

    Args:
        count: the most images that will be added.
        path: the file.
    """

    def __init__(self, count: int, path: Path) -> None:
        self.count = count
        self.path = path
        self.rows = 0
        self.shape: tuple[int, ...] | None = None
        self._file: IO[bytes] | None = None
        self._part = path
        self._memory = np.empty(0, np.uint8)

    def add(self, image: Array) -> None:
        """Adds an image (height, width, 1 or 3); from the first one in colour, all are."""
        if self.shape is None:
            self._start(image.shape)
        elif image.shape[2] > self.shape[2]:
            self._colour()
        elif image.shape[2] < self.shape[2]:
            image = np.repeat(image, 3, axis=2)
        if self._file is not None:
            try:
                _write(self._file, np.ascontiguousarray(image))
            except OSError as error:
                self._to_memory(error)
        if self._file is None:
            self._memory[self.rows] = image
        self.rows += 1

    def finish(self, facts: dict[str, Any]) -> Stored:
        """All images; the file gets its name."""
        assert self.shape is not None
        shape = (self.rows, *self.shape)
        if self._file is not None:
            try:
                x = mapped(self._part, shape)
                text = json.dumps({**facts, "shape": shape, "checksum": _checksum(x)}).encode()
                _write(self._file, text + _LAST.pack(zlib.crc32(text), len(text), _MARK))
                self._file.close()
                self._part.replace(self.path)
                for old in self.path.parent.glob(f"{self.path.name.split('-')[0]}-*{_ENDING}"):
                    if old != self.path:
                        old.unlink(missing_ok=True)
                return Stored(x, facts)
            except OSError as error:
                self._to_memory(error)
        return Stored(self._memory[: self.rows], facts)

    def abandon(self) -> None:
        """Deletes the file, if it has no name yet."""
        if self._file is not None:
            self._file.close()
            self._part.unlink(missing_ok=True)

    def _start(self, shape: tuple[int, ...]) -> None:
        self.shape = shape
        size = self.count * math.prod(shape)
        if size >= _SMALL:
            try:
                self._open(size)
                return
            except OSError as error:
                _say_once(self.path.parent, error.strerror or str(error))
        self._allocate()

    def _open(self, size: int) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        _make_room(self.path.parent, size)
        self._part = self.path.with_name(f".{os.urandom(8).hex()}{_UNFINISHED}")
        self._file = self._part.open("xb+", buffering=0)

    def _allocate(self) -> None:
        assert self.shape is not None
        try:
            self._memory = np.empty((self.count, *self.shape), np.uint8)
        except MemoryError:
            size = self.count * math.prod(self.shape) / 2**30
            raise MemoryError(
                f"folder: {self.count:,} images {self.shape} take {size:.1f} GiB, more than the memory, and "
                f"{self.path.parent} cannot be used instead: make it writable, or give a smaller size"
            ) from None

    def _colour(self) -> None:
        """Repeats the grey images so far in three channels."""
        assert self.shape is not None
        before, grey, part = self._file, self.shape, self._part
        self.shape = (*grey[:2], 3)
        if before is None:
            self._memory = np.repeat(self._memory, 3, axis=3)
            return
        old = mapped(part, (self.rows, *grey))
        try:
            self._open(self.count * math.prod(self.shape))
            assert self._file is not None
            step = max(1, _CHUNK // (3 * math.prod(grey)))
            for start in range(0, self.rows, step):
                _write(self._file, np.repeat(old[start : start + step], 3, axis=3))
        except OSError as error:
            if self._file is not before:
                self.abandon()
            self._file = None
            _say_once(self.path.parent, error.strerror or str(error))
            self._allocate()
            self._memory[: self.rows] = old
        before.close()
        part.unlink(missing_ok=True)

    def _to_memory(self, error: OSError) -> None:
        """Reads the images of a file that cannot be written to its end."""
        assert self.shape is not None
        _say_once(self.path.parent, error.strerror or str(error))
        self._allocate()
        if self.rows:
            self._memory[: self.rows] = mapped(self._part, (self.rows, *self.shape))
        self.abandon()
        self._file = None


def _write(file: IO[bytes], data: Array | bytes) -> None:
    """Writes all of it; an unbuffered file may take less at a time."""
    view = memoryview(data.data if isinstance(data, np.ndarray) else data).cast("B")
    while view:
        view = view[file.write(view) :]


def _make_room(folder: Path, size: int) -> None:
    """Deletes the files that were not used for longest, until there is room for one of a size.

    Raises:
        OSError: the disk is too full.
    """
    import shutil

    for changed, _, part in _entries(folder, f".*{_UNFINISHED}"):
        if time.time() - changed > _STALE:
            part.unlink(missing_ok=True)
    files = sorted(_entries(folder, f"*{_ENDING}"))
    total = sum(used for _, used, _ in files)
    free = shutil.disk_usage(folder).free
    if free + total < size + _SPARE:
        raise OSError(f"{free / 2**30:.1f} GiB are free, {(size + _SPARE) / 2**30:.1f} are needed")
    while files and (total + size > LIMIT or shutil.disk_usage(folder).free < size + _SPARE):
        _, used, oldest = files.pop(0)
        oldest.unlink(missing_ok=True)
        total -= used


def _entries(folder: Path, pattern: str) -> Iterator[tuple[float, int, Path]]:
    """The time of modification, the size and the path of files, of which other processes may delete some meanwhile."""
    for entry in folder.glob(pattern):
        with suppress(FileNotFoundError):
            state = entry.stat()
            yield state.st_mtime, state.st_size, entry
