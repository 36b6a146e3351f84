"""image_folder.py -- a folder of images as a data set: one subfolder per class, with or without train, val and test."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pyneural.arguments.checks import flag, is_whole, warn
from pyneural.arguments.paths import as_path
from pyneural.arguments.spelling import check_keywords
from pyneural.card.classes import in_order
from pyneural.datasets.dataset import Dataset
from pyneural.datasets.decoded import Growing, Stored, cached_path, find
from pyneural.datasets.decoding import decoded
from pyneural.datasets.file_groups import Grouping, check_groups, group_of
from pyneural.datasets.folder_layout import files_by_class, listed, parts_of
from pyneural.datasets.splits import Splits
from pyneural.images.files import MOST_PIXELS
from pyneural.images.modes import TWELVE_BITS, WHITE, WHITE_OF_12_BITS, white_of

Parts = dict[str, dict[str, list[Path]]]  # the files by part and class
_NAMED = 5  # the most damaged files that a message lists
_REMEDY = "fetch them again, remove them, or leave them out: skip_bad=True (pyneural train: --skip-bad)"


@check_keywords(
    positional="give the rest by name, such as size=64",
    image_size="size",
    target_size="size",
    grayscale="channels=1",
    color_mode="channels=1 for greyscale, 3 for colour",
    validation_split="pn.fit(..., validation=0.1)",
    label_mode="not needed: the subfolders are the classes",
    **dict.fromkeys(("batch_size", "shuffle"), "not needed: pn.fit shuffles, and makes the batches"),
    **dict.fromkeys(("transform", "augment"), "pn.fit(..., augment=pn.Augment())"),
)
def folder(
    path: str | Path,
    *,
    size: int | tuple[int, int] | None = None,
    channels: int | None = None,
    groups: Grouping | None = None,
    skip_bad: bool = False,
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
        skip_bad: leave out images that cannot be read, with a warning that names them, instead of raising an error.

    Images are decoded on all threads, large JPEGs at a reduced size.  From 1 MiB of pixels on, the result is kept in
    the user's cache (~/.cache/pyneural/images on Linux, at most 20 GiB, where the oldest are replaced; delete that
    folder to clear it), and mapped into memory from there, read-only: the next start decodes nothing unless a path, a
    size or a time of change is another one, and a data set may be larger than the memory.

    Returns:
        Splits; missing parts are None, and `.files` has the paths.  Of an image with several frames, the first is read;
        transparent pixels are laid over white, and EXIF orientation is applied.  16-bit greyscale is converted to 8
        bits, where white is 65535, or 4095 if no image of the folder has a larger value, which a warning says.

    Raises:
        FileNotFoundError: there is no such folder, or no images in it.
        ValueError: the layout is different, images differ in size, or some cannot be read or have more than 67
            million pixels; the message counts them, and names the first five.

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
    if channels not in (None, 1, 3):
        raise ValueError(f"folder: channels is {channels!r}: give 1 for greyscale, 3 for colour, or None")
    check_groups(groups)
    _shape(size)  # before the folder is searched
    flag("folder", "skip_bad", skip_bad)
    with listed("folder"):
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
    return read_parts(root, parts, size=size, channels=channels, groups=groups, skip_bad=skip_bad)


def read_parts(
    root: Path,
    parts: Parts,
    *,
    size: int | tuple[int, int] | None,
    channels: int | None,
    groups: Grouping | None,
    skip_bad: bool,
) -> Splits:
    """The images of these files, by part and class, which are all in the folder `root`; the rest is as for `folder`."""
    made = _read(_Request(root, parts, _shape(size), channels, None, skip_bad), groups)
    return Splits(made["train"], made.get("test"), made.get("validation"), name=_name(root))


def folder_part(
    path: str | Path, part: str, *, size: Any = None, channels: int | None = None, prepare: str | None = None
) -> Dataset:
    """One part of a folder, or all of it if it has no parts, for evaluation: one class is enough.

    Args:
        path: the folder's path.
        part: "train", "validation" or "test".
        size: as for `folder`.
        channels: as for `folder`.
        prepare: how the images of the training were converted, Dataset.prepare; None if that is unknown.
    """
    root = as_path("folder", path, "a folder")
    white = None if prepare is None else white_of(prepare)
    with listed("folder"):
        places = parts_of(root)
        chosen = part if part in places else "train"
        found = {chosen: files_by_class(places[chosen])}
    return _read(_Request(root, found, _shape(size), channels, white, False), None)[chosen]


class _Request(NamedTuple):
    """What to read, and how; white is None to find out whether 16-bit images have 12 bits."""

    root: Path
    parts: Parts
    shape: tuple[int, int] | None
    channels: int | None
    white: int | None
    skip_bad: bool

    @property
    def files(self) -> list[Path]:
        """All files, by part and class."""
        return [file for found in self.parts.values() for images in found.values() for file in images]

    def relative(self, file: Path) -> str:
        """A file's path in the folder, for messages."""
        return str(file.relative_to(self.root))


def _read(request: _Request, groups: Grouping | None) -> dict[str, Dataset]:
    """The images of each part, all in the same shape."""
    parts, root = request.parts, request.root
    files = request.files
    names = None if groups is None else np.array([group_of(file, groups) for file in files])
    classes = in_order(name for found in parts.values() for name in found)
    x, facts = _stored(request, files)
    good = np.array([str(row) not in facts["bad"] for row in range(len(files))])
    y = np.array([classes.index(name) for found in parts.values() for name, images in found.items() for _ in images])
    part_of = np.array([part for part, found in parts.items() for images in found.values() for _ in images])
    _check_bad(request, files, facts["bad"], y[good & (part_of == max(parts, key="train".__eq__))], classes)
    known: dict[str, Any] = {"classes": classes, "name": _name(root)}
    if facts["white"] == WHITE_OF_12_BITS:
        known["prepare"] = TWELVE_BITS
    made, start = {}, 0
    for part in parts:
        rows = good & (part_of == part)
        images = x[start : start + int(rows.sum())]
        start += len(images)
        paths = [str(files[row]) for row in np.flatnonzero(rows)]
        of = None if names is None else names[rows]
        if paths:
            made[part] = Dataset(images, y[rows].astype(np.int64), groups=of, files=paths, **known)
    return made


def _stored(request: _Request, files: list[Path]) -> Stored:
    """The pixels of all good images, from the cache or decoded now."""
    import PIL

    asked = [PIL.__version__, str(request.root.resolve()), *request.parts, request.shape, request.channels]
    states = [(request.relative(file), *_state(file)) for file in files]
    path = cached_path(repr((*asked, request.white)), repr(states))
    stored = find(path)
    if stored is None:
        stored, largest = _decode(request, files, path, request.white or WHITE)
        if request.white is None and 255 < largest <= WHITE_OF_12_BITS:
            stored = _decode(request, files, path, WHITE_OF_12_BITS)[0]
    if request.white is None and stored.facts["white"] == WHITE_OF_12_BITS:
        warn(
            f"folder: no 16-bit image in '{request.root}' has a value above {WHITE_OF_12_BITS:,}, so they are taken as "
            f"12-bit images, in which {WHITE_OF_12_BITS:,} is white"
        )
    return stored


def _state(file: Path) -> tuple[int, ...]:
    """The size and the times of a file, whose change shows that it is another one.

    Archives and copies set the time of modification, to the same one for files of the same size; the system sets the
    time of the last change of any kind.
    """
    try:
        state = file.stat()
    except OSError:  # reading it will say why
        return ()
    return state.st_size, state.st_mtime_ns, state.st_ctime_ns


def _decode(request: _Request, files: list[Path], path: Path, white: int) -> tuple[Stored, int]:
    """The pixels of all good images, and the largest value in 16-bit ones."""
    images, first, bad, deepest = Growing(len(files), path), files[0], {}, 0
    try:
        for row, image in enumerate(decoded(files, request.shape, request.channels, white, _name(request.root))):
            deepest = max(deepest, image.largest)
            if image.pixels is None:
                bad[str(row)] = image.error
                continue
            if images.shape is None:
                first = image.file
            elif image.pixels.shape[:2] != images.shape[:2]:
                raise ValueError(
                    f"folder: '{request.relative(first)}' is {images.shape[1]} x {images.shape[0]} pixels, "
                    f"'{request.relative(image.file)}' is {image.pixels.shape[1]} x {image.pixels.shape[0]}: "
                    f"resize all of them: pn.datasets.folder(path, size={min(images.shape[:2])})"
                )
            images.add(image.pixels)
        if bad and (not request.skip_bad or len(bad) == len(files)):
            raise ValueError(_bad(request, files, bad, _REMEDY))
        return images.finish({"white": white, "bad": bad}), deepest
    finally:
        images.abandon()


def _check_bad(request: _Request, files: list[Path], bad: dict[str, str], y: Any, classes: tuple[str, ...]) -> None:
    """Says which images are left out.

    Raises:
        ValueError: they may not be, or a class has no others.
    """
    if not bad:
        return
    if not request.skip_bad:
        raise ValueError(_bad(request, files, bad, _REMEDY))
    empty = [name for number, name in enumerate(classes) if number not in y]
    if empty:
        raise ValueError(f"folder: no image of '{', '.join(empty)}' in '{request.root}' can be read: fetch them again")
    warn(_bad(request, files, bad, "they are left out"))


def _bad(request: _Request, files: list[Path], bad: dict[str, str], then: str) -> str:
    """The number of images that cannot be read, the first ones by name, and why."""
    named = [f"'{request.relative(files[int(row)])}' ({why})" for row, why in list(bad.items())[:_NAMED]]
    more = f" and {len(bad) - _NAMED:,} more" if len(bad) > _NAMED else ""
    return f"folder: {len(bad):,} of {len(files):,} images cannot be read: {', '.join(named)}{more}: {then}"


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
