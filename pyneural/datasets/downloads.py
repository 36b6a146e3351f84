"""downloads.py -- downloads files from mirrors into the user's cache, and checks them."""

import hashlib
import io
from pathlib import Path

from pyneural.arguments.paths import write_whole
from pyneural.datasets.cache_folder import cache_folder
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


def _reason(error: Exception) -> str:
    """The error in one short line; that of requests is long if a host cannot be reached."""
    return "the host cannot be reached" if "Max retries exceeded" in str(error) else str(error)


def _fetch(mirrors: tuple[str, ...], name: str, md5: str, folder: Path) -> None:
    import pooch

    pooch.get_logger().setLevel("WARNING")
    troubles = []
    for mirror in mirrors:
        try:
            packed = io.BytesIO()
            pooch.HTTPDownloader(timeout=_PATIENCE)(f"{mirror}{name}.gz", packed, None)
            array = parse_idx(packed.getvalue(), f"{name}.gz")
            header = bytes((0, 0, 8, array.ndim)) + b"".join(size.to_bytes(4, "big") for size in array.shape)
            unpacked = header + array.tobytes()
            found = hashlib.md5(unpacked, usedforsecurity=False).hexdigest()
            if found != md5:
                raise ValueError(f"{name} has MD5 {found}, expected {md5}: another file")
            write_whole("download", folder / name, unpacked)
            return
        except (OSError, ValueError) as error:  # the errors of requests are OSErrors
            troubles.append(f"{mirror}: {_reason(error)}")
    raise OSError(f"{name}: " + "; ".join(troubles))
