"""resume.py -- CheckpointFile: the file from which an interrupted training is resumed.

Order, dropout and augmentation are functions of the seed, the epoch and the sample, so the file holds none of their
state but the position.  It belongs to one process at a time: a lock file next to it is released by the system when the
process ends, however it ends.
"""

import contextlib
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import numpy as np

import pyneural.files.checkpoint as checkpoint
from pyneural.arguments.arrays import hash_of
from pyneural.arguments.checks import named, warn
from pyneural.arguments.paths import writable
from pyneural.datasets.dataset import Dataset
from pyneural.datasets.splits import Splits
from pyneural.files.architecture import describe
from pyneural.models.model import Model

EVERY = 30.0  # seconds between two writes within an epoch
MANY, APART = 40, 1.0  # of more epochs than MANY, writes are APART seconds apart
State = dict[str, Any]
_locks: set[int] = set()  # open files with a lock


def _leave_locks() -> None:
    """Closes a forked child's copies of the locks, with which they would last until the child ends, too."""
    for handle in _locks:
        os.close(handle)
    _locks.clear()


os.register_at_fork(after_in_child=_leave_locks)


class CheckpointFile:
    """The checkpoint of a training; without a path it does nothing.

    Args:
        path: the argument of fit, or None.
        model: the model.
        recipe: the arguments of fit that determine the result, by name.

    Attributes:
        state: the state in the file; None if there is no file.

    Raises:
        RuntimeError: another process trains with the file.
        ValueError: the file belongs to another model or other arguments; the message names what differs.
        TypeError, OSError: it cannot be read or written.
    """

    def __init__(self, path: Any, model: Model, recipe: dict[str, Any]) -> None:
        self.path = None if path is None else writable("fit: checkpoint", path).absolute()  # whatever folder we go to
        self.model = model
        self.state: State | None = None
        self._handle: int | None = None
        self._failed = False
        self._written = time.perf_counter()
        if self.path is None:
            return
        self.recipe = {name: described(value) for name, value in recipe.items()}
        self.architecture = describe(model)
        self._handle = _lock(self.path)
        _locks.add(self._handle)
        try:
            if self.path.exists():
                self.state = checkpoint.read(self.path)
                self._compare()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Releases the lock."""
        if self._handle in _locks and self.path is not None:
            with contextlib.suppress(OSError):
                _lock_of(self.path).unlink()
            os.close(self._handle)
            _locks.discard(self._handle)
        self._handle = None

    @property
    def name(self) -> str:
        """The file's name in messages."""
        return "" if self.path is None else self.path.name

    def _compare(self) -> None:
        assert self.state is not None
        if self.state["architecture"] != self.architecture:
            raise self._of_another("another model", "its layers differ")
        before = self.state["recipe"]
        for name in dict.fromkeys((*self.recipe, *before)):
            if before.get(name) != self.recipe.get(name):
                raise self._of_another(
                    "another recipe", f"{name} is {before.get(name)!r} there and {self.recipe.get(name)!r} here"
                )

    def check_data(self, identity: Callable[[], dict[str, str]]) -> None:
        """Compares the data of the training, by its hashes.

        Raises:
            ValueError: it is not that of the checkpoint; the message names what differs.
        """
        if self.path is None:
            return
        self.data = identity()
        before = self.data if self.state is None else self.state["data"]
        differing = [name for name, found in self.data.items() if before[name] != found]
        if differing:
            raise self._of_another("other data", f"{' and '.join(differing)} differ")

    def _of_another(self, what: str, how: str) -> ValueError:
        return ValueError(
            f"fit: checkpoint {self.name} is of {what} ({how}): make the same call as before to go on, give another "
            "path, or delete the file to start over"
        )

    def is_due(self) -> bool:
        """Whether the last write was at least EVERY seconds ago."""
        return time.perf_counter() - self._written >= EVERY

    def is_due_after_epoch(self, epochs: int) -> bool:
        """Whether to write after an epoch: always, but if there are many epochs, not again within a second."""
        return epochs <= MANY or time.perf_counter() - self._written >= APART

    def save(self, weights: dict[str, Any], state: State) -> None:
        """Writes the file; if that fails, a warning says so, and the training goes on.

        Args:
            weights: the best weights so far, by path.
            state: everything else.
        """
        assert self.path is not None
        whole = {"architecture": self.architecture, "recipe": self.recipe, "data": self.data, **state}
        try:
            checkpoint.write(self.path, self.model, weights, whole)
        except OSError as error:
            if not self._failed:
                reason = os.strerror(error.errno) if error.errno else str(error)
                kept = "the one before remains" if self.path.exists() else "there is none yet"
                warn(f"fit: the checkpoint {self.path} cannot be written ({reason}): {kept}, and the training goes on")
            self._failed = True
        else:
            self._failed = False
        self._written = time.perf_counter()


def described(value: Any) -> Any:
    """An argument of fit, in a form that can be stored and compared."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return [described(one) for one in value]
    if isinstance(value, dict):
        return {str(key): described(one) for key, one in value.items()}
    if isinstance(value, Dataset):
        return [value.name, described(value.x), described(value.y)]
    if isinstance(value, Splits):
        return [described(value.train), described(value.validation)]
    if hasattr(value, "__array__"):
        array = np.asarray(value)
        if array.dtype != object:
            return f"{array.dtype} {array.shape} {hash_of(array)[:16]}"
    if isinstance(value, Path):
        return str(value)
    if callable(value) and hasattr(value, "__name__"):
        return named(value, "lambda")
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))


def _lock_of(path: Path) -> Path:
    """The lock file beside the file itself, which links may lead to from elsewhere."""
    real = Path(os.path.realpath(path))
    return real.with_name(f".{real.name}.lock")


def _lock(path: Path) -> int:
    """Opens the lock file, and locks it.

    Raises:
        RuntimeError: another process, or another fit of this one, has it.
    """
    place = _lock_of(path)
    while True:
        handle = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            import fcntl  # not on Windows

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            who = os.read(handle, 20).decode(errors="replace").strip()
            os.close(handle)
            raise RuntimeError(
                f"fit: checkpoint {path} is in use by process {who or 'unknown'}, which is training with it: wait for "
                "it, or give another path"
            ) from None
        except (OSError, ImportError) as error:  # such as a network file system without locks
            warn(f"fit: {path} cannot be locked ({error}): let no other process train with it")
            return handle
        if _is_still(place, handle):
            os.truncate(handle, 0)
            os.write(handle, str(os.getpid()).encode())
            return handle
        os.close(handle)  # the process that had it has just deleted it


def _is_still(place: Path, handle: int) -> bool:
    try:
        return os.path.samestat(place.stat(), os.fstat(handle))
    except FileNotFoundError:
        return False
