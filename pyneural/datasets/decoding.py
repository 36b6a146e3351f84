"""decoding.py -- image files decoded on all threads, in order, with a progress bar in a terminal."""

import sys
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pyneural._core as _core
from pyneural.arguments.arrays import Array
from pyneural.images.files import pixels_and_depth
from pyneural.printing import encodable, is_terminal

_FEW = 32  # images up to which threads are not worth starting
_AHEAD = 4  # images per thread that wait for the ones before them
_BAR = "{desc} {percentage:3.0f} %|{bar}| {n_fmt}/{total_fmt} · {remaining} left"
_PATIENCE = 0.5  # seconds until the bar appears


class Image(NamedTuple):
    """A decoded file: its pixels and the largest value of 16 bits, or the error."""

    file: Path
    pixels: Array | None
    largest: int
    error: str


def decoded(
    files: list[Path], shape: tuple[int, int] | None, channels: int | None, white: int, name: str
) -> Iterator[Image]:
    """The images in order.

    Args:
        files: the files.
        shape: (height, width) to scale them to, or None.
        channels: 1, 3 or None, as for `pixels`.
        white: the value of white in 16-bit images.
        name: the name of the data, for the progress bar.
    """

    def decode(file: Path) -> Image:
        return _decoded(file, shape, channels, white)

    found = map(decode, files) if len(files) <= _FEW else _on_threads(decode, files)
    if not is_terminal(sys.stderr):
        return found
    from tqdm import tqdm

    shown: Iterator[Image] = iter(
        tqdm(
            found,
            total=len(files),
            desc=f"reading {name}",
            leave=False,
            delay=_PATIENCE,
            mininterval=0.25,
            dynamic_ncols=True,
            bar_format=encodable(_BAR, sys.stderr),
        )
    )
    return shown


def _decoded(file: Path, shape: tuple[int, int] | None, channels: int | None, white: int) -> Image:
    from PIL import UnidentifiedImageError

    try:
        return Image(file, *pixels_and_depth(file, shape, channels, white), "")
    except UnidentifiedImageError:
        return Image(file, None, 0, "not an image" if file.stat().st_size else "it is empty")
    except Exception as error:  # Pillow may raise any exception for damaged files
        return Image(file, None, 0, str(error) or type(error).__name__)


def _on_threads(function: Callable[[Path], Image], files: list[Path]) -> Iterator[Image]:
    """Applies the function on as many threads as the engine uses; Pillow decodes without the GIL."""
    from concurrent.futures import ThreadPoolExecutor

    threads = _core.get_threads()
    waiting: deque[Any] = deque()
    pool = ThreadPoolExecutor(threads, thread_name_prefix="pyneural-images")
    try:
        for file in files:
            waiting.append(pool.submit(function, file))
            if len(waiting) > _AHEAD * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
