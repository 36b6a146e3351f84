"""paths.py -- checks of paths to read and to write, and atomic writes of files."""

import errno
import os
import stat
from pathlib import Path


def as_path(who: str, path: str | os.PathLike[str], of: str = "a file") -> Path:
    """Checks a path, which need not exist, and expands `~`.

    Args:
        who: the prefix of messages.
        path: the path.
        of: what it is the path of, in words.

    Raises:
        TypeError: it is not a path.
        ValueError: it is empty or has a NUL in it.
        OSError: a name is too long, or a parent folder is not accessible.
    """
    text = os.fspath(path) if isinstance(path, str | os.PathLike) else None
    if not isinstance(text, str):
        raise TypeError(f"{who}: path is {path!r}: give the path of {of}, a str or a pathlib.Path")
    if not text or "\0" in text:
        raise ValueError(f"{who}: path is {text!r}: give the path of {of}")
    try:
        found = Path(text).expanduser()
    except RuntimeError:  # ~ with an unknown user
        found = Path(text)
    try:
        found.stat()
    except OSError as error:
        if error.errno in (errno.ENAMETOOLONG, errno.EACCES):
            raise type(error)(error.errno, f"{who}: {error.strerror}", str(found)) from None
    return found  # a missing file is reported when it is opened


def readable(who: str, path: str | os.PathLike[str], of: str = "a file") -> Path:
    """Checks that a path leads to a regular file, itself or through links, without opening it.

    Opening a pipe may block for ever, and reading a device may never end.

    Args:
        who: the prefix of messages.
        path: the path of an existing file.
        of: what the file must be, for messages, such as "a PNG or JPEG".

    Raises:
        TypeError, ValueError: it is not a path.
        OSError: there is no such file, it is a folder or a special file, or it is not readable.
    """
    source = as_path(who, path)
    try:
        mode = source.stat().st_mode
    except OSError:  # also a link to itself, or a name below a file
        raise FileNotFoundError(f"{who}: there is no file '{source}': give {of}") from None
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(f"{who}: '{source}' is a folder: give {of}")
    if not stat.S_ISREG(mode):
        kind = "a pipe" if stat.S_ISFIFO(mode) else "a socket" if stat.S_ISSOCK(mode) else "a device"
        raise OSError(f"{who}: '{source}' is {kind}, which may have no end: give {of}, copied to a regular file")
    if not os.access(source, os.R_OK):
        raise PermissionError(f"{who}: the file '{source}' is not readable: change its permissions")
    return source


def writable(who: str, path: str | Path) -> Path:
    """Checks that a file can be written to the path.

    Args:
        who: the prefix of messages.
        path: the path of a file, which may exist; for a symbolic link, its target is checked.

    Raises:
        TypeError, OSError: it cannot be written; the message says why.
    """
    path = as_path(who, path)
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{who}: there is no folder {target.parent}: create it first")
    if target.is_dir():
        raise IsADirectoryError(f"{who}: {target} is a folder: give the path of a file")
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(f"{who}: the file {target} is not writable: give another path, or change its permissions")
    if _is_replaced(target) and not os.access(target.parent, os.W_OK):
        raise PermissionError(f"{who}: the folder {target.parent} is not writable: give another")
    return path


def model_path(who: str, path: str | Path) -> Path:
    """Checks that a model can be written to the path.

    Raises:
        ValueError: it does not end in .safetensors.
        TypeError, OSError: it cannot be written; the message says why.
    """
    path = as_path(who, path)
    if path.suffix != ".safetensors":
        name = path.name
        ours = Path(name or "model").with_suffix(".safetensors").name
        raise ValueError(f"{who}: {name}: models are .safetensors files: give '{ours}'")
    return writable(who, path)


def write_whole(who: str, path: str | Path, data: bytes, *, alone: bool = False) -> None:
    """Writes a file atomically: writes a temporary file in the same folder, flushes it to disk, and renames it.

    A symbolic link stays a link, and its target is replaced; an existing file keeps its permissions, a new one gets
    those of the umask.  Any number of threads and processes may write to one path: the last one wins.

    Args:
        who: the prefix of messages.
        path: the file's path; a special file, such as /dev/stdout, is written to directly.
        data: the file's bytes.
        alone: nobody else writes to the path, so that the temporary file can always have the same name, and one that a
            killed process has left is overwritten.

    Raises:
        OSError: it cannot be written; the message says why, and no temporary file remains.
    """
    target = Path(os.path.realpath(writable(who, path)))
    try:
        if _is_replaced(target):
            _replace(target, data, alone)
        else:
            target.write_bytes(data)
    except OSError as error:
        reason = error.strerror or str(error)
        trouble = type(error)(f"{who}: {target} cannot be written ({reason}); no file was changed")
        trouble.errno = error.errno
        raise trouble from error


def _is_replaced(target: Path) -> bool:
    """Whether a new file replaces the path; not so for a device or a pipe.

    One look decides: between two, another process may have made the file.
    """
    mode = _mode(target)
    return mode is None or stat.S_ISREG(mode)


def _mode(target: Path) -> int | None:
    """The kind and the permissions of a file, or None if there is none."""
    try:
        return target.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None


def _replace(target: Path, data: bytes, alone: bool) -> None:
    known = _mode(target)
    mode = None if known is None else stat.S_IMODE(known)
    name = f".{target.name}.part" if alone else f".pyneural-{os.urandom(8).hex()}.part"  # of any length, or a fixed one
    part = target.with_name(name)
    new = os.O_TRUNC | os.O_NOFOLLOW if alone else os.O_EXCL
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | new, 0o666)  # less the umask
    try:
        with os.fdopen(handle, "wb") as file:
            if mode is not None and mode != stat.S_IMODE(os.fstat(handle).st_mode):
                os.fchmod(handle, mode)
            file.write(data)
            file.flush()
            os.fsync(handle)
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
