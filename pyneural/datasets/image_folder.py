"""image_folder.py -- a folder of images as a data set: one subfolder per class, with or without train, val and test."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from pyneural.arguments.arrays import Array
from pyneural.arguments.checks import is_whole
from pyneural.arguments.paths import as_path
from pyneural.arguments.spelling import check_keywords
from pyneural.card.classes import in_order
from pyneural.datasets.dataset import Dataset, Splits
from pyneural.datasets.folder_layout import files_by_class, parts_of
from pyneural.images.files import MOST_PIXELS, pixels

Grouping = str | re.Pattern[str] | Callable[[Path], object]
_NAMED = 3  # the most damaged files that a message lists


@check_keywords(
    positional="give the rest by name, such as size=64",
    image_size="size",
    target_size="size",
    grayscale="channels=1",
    color_mode="channels=1 for greyscale, 3 for colour",
)
def folder(
    path: str | Path,
    *,
    size: int | tuple[int, int] | None = None,
    channels: int | None = None,
    groups: Grouping | None = None,
) -> Splits:
    r"""The images in a folder, uint8 (n, height, width, channels), with their subfolders as classes.

    Two layouts: `path/class/image.png`, which is all for training, and `path/part/class/image.png`, where the parts are
    train, and optionally val (or validation) and test; other folders beside train are skipped with a warning.  A
    folder called train or test that contains images directly is a class.  Images in subfolders of a class folder
    belong to the class; links to a parent folder or to another class are not followed.  A folder that is alone in
    `path` and has parts is read in its place, as in data/data/train.
    Classes and images are sorted by name; class names that are all whole numbers sort as numbers.  Hidden files, and
    files with extensions other than png, jpg, bmp, gif, tif, webp, pgm and ppm, are skipped; images beside the class
    folders are skipped with a warning.

    Args:
        path: the folder's path.
        size: the images are resized to size x size, or to (height, width), without keeping the aspect ratio; None
            keeps their size, which must be the same for all.
        channels: 1 for greyscale, 3 for colour; None: greyscale unless an image has colours.
        groups: the group of each image, such as a patient: a regular expression that is searched for in the file name,
            whose first group, or else the whole match, is the name; or a function of the file's path.

    Returns:
        Splits; missing parts are None.  Of an image with several frames, the first is read; transparent pixels are laid
        over white, 16-bit greyscale is converted to 8 bits, and EXIF orientation is applied.

    Raises:
        FileNotFoundError: there is no such folder, or no images in it.
        ValueError: the layout is different, images differ in size, or some cannot be read or have more than 67
            million pixels; the message names them.

    >>> import tempfile
    >>> from PIL import Image
    >>> with tempfile.TemporaryDirectory() as root:
    ...     for name in ("cat", "dog"):
    ...         (Path(root) / name).mkdir()
    ...         Image.new("L", (40, 30)).save(Path(root) / name / "anna_1.png")
    ...     data = folder(root, size=(28, 32), groups=r"^([a-z]+)_")
    >>> data.train.x.shape, data.train.classes, data.train.groups.tolist()
    ((2, 28, 32, 1), ('cat', 'dog'), ['anna', 'anna'])
    """
    root = as_path("folder", path, "a folder")
    shape = _shape(size)
    if channels not in (None, 1, 3):
        raise ValueError(f"folder: channels is {channels!r}: give 1 for greyscale, 3 for colour, or None")
    _check_groups(groups)
    parts = {part: files_by_class(place) for part, place in parts_of(root).items()}
    classes = tuple(parts["train"])
    if len(classes) < 2:
        raise ValueError(f"folder: '{root}' has one class, '{classes[0]}': give at least two classes")
    for part, found in parts.items():
        strange = [name for name in found if name not in classes]
        if strange:
            raise ValueError(
                f"folder: '{root}' has the class{'es' * (len(strange) > 1)} '{', '.join(strange)}' for {part} but not "
                "for training"
            )
    made = _read(root, parts, shape, channels, groups)
    return Splits(made["train"], made.get("test"), made.get("validation"), name=_name(root))


def folder_part(path: str | Path, part: str, *, size: Any = None, channels: int | None = None) -> Dataset:
    """One part of a folder, or all of it if it has no parts, for evaluation: one class is enough."""
    root = as_path("folder", path, "a folder")
    places = parts_of(root)
    chosen = part if part in places else "train"
    return _read(root, {chosen: files_by_class(places[chosen])}, _shape(size), channels, None)[chosen]


def _read(
    root: Path,
    parts: dict[str, dict[str, list[Path]]],
    shape: tuple[int, int] | None,
    channels: int | None,
    groups: Grouping | None,
) -> dict[str, Dataset]:
    """The images of each part, all in the same shape."""
    classes = in_order(name for found in parts.values() for name in found)
    files = [file for found in parts.values() for images in found.values() for file in images]
    x = _load(files, shape, channels, root)
    names = None if groups is None else np.array([_group(file, groups) for file in files])
    y = [classes.index(name) for found in parts.values() for name, images in found.items() for _ in images]
    made, start = {}, 0
    for part, found in parts.items():
        rows = slice(start, start := start + sum(map(len, found.values())))
        of = None if names is None else names[rows]
        made[part] = Dataset(x[rows], np.array(y[rows], np.int64), classes=classes, groups=of, name=_name(root))
    return made


def _name(root: Path) -> str:
    return root.resolve().name or "folder"


def _shape(size: object) -> tuple[int, int] | None:
    """(height, width), or None."""
    if size is None:
        return None
    pair = size if isinstance(size, tuple | list) else (size, size)
    if len(pair) != 2 or not all(is_whole(side) and side > 0 for side in pair):
        raise ValueError(f"folder: size is {size!r}: give pixels, such as 64 or (height, width)")
    if pair[0] * pair[1] > MOST_PIXELS:
        raise ValueError(f"folder: size is {size!r}: give at most {MOST_PIXELS:,} pixels in total, such as 64")
    return int(pair[0]), int(pair[1])


def _check_groups(groups: object) -> None:
    if groups is None or callable(groups) or isinstance(groups, re.Pattern):
        return
    if not isinstance(groups, str):
        raise TypeError(
            f"folder: groups is {type(groups).__name__}: give a regular expression or a function of the path"
        )
    try:
        re.compile(groups)
    except re.error as error:
        raise ValueError(f"folder: groups is {groups!r}, which is not a regular expression: {error}") from None


def _group(file: Path, groups: Grouping) -> str:
    if callable(groups):
        found = groups(file)
        if found is None:
            raise ValueError(f"folder: groups returned None for '{file.name}': return the name of its group")
        return str(found)
    match = re.search(groups, file.name)
    if match is None:
        raise ValueError(f"folder: the pattern for groups, {groups!r}, does not match the file name '{file.name}'")
    return str(match[1] if match.re.groups else match[0])


def _load(files: list[Path], shape: tuple[int, int] | None, channels: int | None, root: Path) -> Array:
    """All images in one array: greyscale until the first colour image."""
    x, first, damaged = np.empty((0, 0, 0, 0), np.uint8), files[0], []
    for row, (file, image) in enumerate(_images(files, shape, channels)):
        if isinstance(image, Exception):
            damaged.append(f"'{file.relative_to(root)}' ({image})")
            continue
        if not x.size:
            x, first = np.empty((len(files), *image.shape), np.uint8), file
        elif image.shape[:2] != x.shape[1:3]:
            raise ValueError(
                f"folder: '{first.relative_to(root)}' is {x.shape[2]} x {x.shape[1]} pixels, "
                f"'{file.relative_to(root)}' is {image.shape[1]} x {image.shape[0]}: "
                f"resize all of them: pn.datasets.folder(path, size={min(x.shape[1:3])})"
            )
        elif image.shape[2] > x.shape[3]:
            x = np.repeat(x, 3, axis=3)
        x[row] = image
    if damaged:
        more = f" and {len(damaged) - _NAMED:,} more" if len(damaged) > _NAMED else ""
        raise ValueError(
            f"folder: {len(damaged):,} of {len(files):,} images cannot be read: {', '.join(damaged[:_NAMED])}{more}: "
            "fetch them again, or remove them"
        )
    return x


def _images(
    files: list[Path], shape: tuple[int, int] | None, channels: int | None
) -> Iterator[tuple[Path, Array | Exception]]:
    """Each file's pixels (height, width, 1 or 3), or the error."""
    from PIL import UnidentifiedImageError

    for file in files:
        try:
            yield file, pixels(file, shape, channels)
        except UnidentifiedImageError:
            yield file, ValueError("not an image")
        except Exception as error:  # Pillow may raise any exception for damaged files
            yield file, error
