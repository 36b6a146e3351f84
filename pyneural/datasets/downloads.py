"""downloads.py -- downloads files from mirrors into the user's cache, and checks them."""

import hashlib
import io
from collections.abc import Callable
from pathlib import Path

from pyneural.arguments.paths import write_whole
from pyneural.datasets.cache_folder import cache_folder, imported_pooch
from pyneural.datasets.idx import parse_idx

_PATIENCE = 10  # seconds without data until a download is aborted


def fetched(mirrors: tuple[str, ...], wanted: dict[str, str], name: str) -> Path:
    """The folder of a data set in the user's cache, after downloading missing files.

    Args:
        mirrors: the addresses that end before the files' names.
        wanted: the MD5 of each unpacked file, by its name.
        name: the folder's name.

    Raises:
        OSError: no mirror provided one of the files; the message says why, for each mirror.
    """
    folder = cache_folder(name)
    for file, md5 in wanted.items():
        if not (folder / file).is_file():
            folder.mkdir(parents=True, exist_ok=True)
            _fetch(mirrors, file, md5, folder)
    return folder


def fetched_file(addresses: tuple[str, ...], name: str, file: str, md5: str) -> Path:
    """The path of a data set's only file in the user's cache, after downloading it if it is missing.

    Args:
        addresses: where it is, each the whole address of the file.
        name: the folder's name.
        file: the file's name.
        md5: its MD5.

    Raises:
        OSError: no address provided it; the message says why, for each.
    """
    target = cache_folder(name) / file
    if not target.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        _download({address: address for address in addresses}, target, md5, bytes)
    return target


def _reason(error: Exception) -> str:
    """The error in one short line; that of requests is long if a host cannot be reached."""
    return "the host cannot be reached" if "Max retries exceeded" in str(error) else str(error)


def _fetch(mirrors: tuple[str, ...], name: str, md5: str, folder: Path) -> None:
    def unpacked(packed: bytes) -> bytes:
        array = parse_idx(packed, f"{name}.gz")
        return (
            bytes((0, 0, 8, array.ndim)) + b"".join(size.to_bytes(4, "big") for size in array.shape) + array.tobytes()
        )

    _download({mirror: f"{mirror}{name}.gz" for mirror in mirrors}, folder / name, md5, unpacked)


def _download(addresses: dict[str, str], target: Path, md5: str, unpacked: Callable[[bytes], bytes]) -> None:
    """Writes what the first of the addresses provides that has this MD5 when unpacked; messages use their keys."""
    pooch = imported_pooch()
    pooch.get_logger().setLevel("WARNING")
    troubles = []
    for shown, address in addresses.items():
        try:
            packed = io.BytesIO()
            pooch.HTTPDownloader(timeout=_PATIENCE)(address, packed, None)
            data = unpacked(packed.getvalue())
            found = hashlib.md5(data, usedforsecurity=False).hexdigest()
            if found != md5:
                raise ValueError(f"{target.name} has MD5 {found}, expected {md5}: another file")
            write_whole("download", target, data)
            return
        except (OSError, ValueError) as error:  # the errors of requests are OSErrors
            troubles.append(f"{shown}: {_reason(error)}")
    raise OSError(f"{target.name}: " + "; ".join(troubles))
