"""folder_layout.py -- the layout of a folder of images: its parts, their classes, and the images of each class.

The contents decide: a folder called train or test that contains folders of images is a part; one that contains images
is a class, as in data of cars, planes and trains.  Each image belongs to one class: a link to a folder is followed,
unless it leads to one of its parents, or into the folder of another class.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyneural.arguments.checks import warn
from pyneural.card.classes import in_order

_ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm")
_PARTS = {  # the accepted folder names of each part
    "train": ("train", "training"),
    "validation": ("val", "valid", "validation"),
    "test": ("test", "testing"),
}
_REMAINS = ("__MACOSX", "@eaDir", "$RECYCLE.BIN", "System Volume Information")  # of archives and systems


@contextmanager
def listed(who: str) -> Iterator[None]:
    """Gives the error of a folder that may not be listed the prefix of messages, and what to do."""
    try:
        yield
    except PermissionError as error:
        words = f"{who}: {error.strerror}; make the folder readable: chmod -R u+rX"
        raise PermissionError(error.errno, words, error.filename) from None


def parts_of(root: Path, copy: str = "") -> dict[str, Path]:
    """The folder of each part; only `train`, the folder itself, if it is not divided.

    An archive may hold its folder twice, as chest_xray/chest_xray/train: the inner one is read where it is alone.

    Args:
        root: the folder.
        copy: the name of a folder beside the parts that is skipped without a warning.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: a part appears twice, or there is no train part.
    """
    if not root.is_dir():
        raise FileNotFoundError(f"folder: '{root}' is {'a file' if root.exists() else 'not there'}: give a folder")
    root = _innermost(root)
    folders = _folders(root)
    named = [(part, entry) for entry in folders if (part := _part(entry))]
    if not any(_holds_classes(entry) for _, entry in named) and len(folders) > 1:
        if named and len(named) == len(folders):
            names = ", ".join(f"'{entry.name}'" for entry in folders)
            warn(
                f"folder: {names} in '{root}' are taken as classes, because they contain images directly: for parts, "
                "put each image into the folder of its class, such as train/cat/1.png"
            )
        return {"train": root}
    found: dict[str, Path] = {}
    for part, entry in named:
        if part in found:
            raise ValueError(f"folder: '{root}' has both '{found[part].name}' and '{entry.name}': keep one")
        found[part] = entry
    if found and "train" not in found:
        raise ValueError(f"folder: '{root}' has {' and '.join(found)} but no train: put the training images there")
    beside = [entry for entry in folders if not _part(entry) and entry.name != copy and any(_images_below(entry))]
    if found and beside:
        names = ", ".join(f"'{entry.name}'" for entry in beside)
        warn(
            f"folder: {names} beside '{found['train'].name}' in '{root}' {'is' if len(beside) == 1 else 'are'} not "
            "read: the parts are train, val and test; remove what does not belong there"
        )
    return dict(sorted(found.items())) or {"train": root}


def files_by_class(place: Path) -> dict[str, list[Path]]:
    """The images of each class in a part, including subfolders; classes are sorted by name, or as numbers.

    Raises:
        FileNotFoundError: there are no images in subfolders.
        ValueError: there are only images outside class folders, or a class has none.
    """
    entries = _visible(place)
    homes = _homes(place)
    found = {name: list(_images_below(place / name, homes[name])) for name in homes}
    loose = list(filter(_is_image, entries))
    if loose and not any(found.values()):
        raise ValueError(
            f"folder: '{place}' has images outside of class folders, such as '{loose[0].name}': "
            "put each into the folder of its class, such as cat/1.png"
        )
    inner = [place / name for name in found if _holds_classes(place / name)] if len(found) == 1 else []
    if inner or not any(found.values()):
        hint = f"did you mean '{inner[0]}'?" if inner else f"it reads {', '.join(_ENDINGS)}"
        raise FileNotFoundError(f"folder: '{place}' has no images in class folders, such as cat/1.png; {hint}")
    empty = [name for name, images in found.items() if not images]
    if empty:
        raise ValueError(f"folder: '{place / empty[0]}' has no images: add some, or remove it")
    if loose:
        warn(
            f"folder: {len(loose):,} of the images in '{place}' are outside of class folders, such as "
            f"'{loose[0].name}', and are skipped: put each into the folder of its class"
        )
    return {name: found[name] for name in in_order(found)}


def _innermost(root: Path) -> Path:
    """The folder itself, or the one that it holds alone, if that has its name, or has parts."""
    folders = _folders(root)
    if len(folders) != 1 or any(map(_is_image, _visible(root))) or not _holds_classes(folders[0]):
        return root
    inner = _innermost(folders[0])
    parts = any(_part(entry) == "train" and _holds_classes(entry) for entry in _folders(inner))
    return inner if parts or folders[0].name.lower() == root.resolve().name.lower() else root


def _homes(place: Path) -> dict[str, frozenset[Path]]:
    """The class folders, each with the folders of the other classes.

    Raises:
        ValueError: two of them are the same folder.
    """
    real = {entry.name: entry.resolve() for entry in _folders(place)}
    for name, home in real.items():
        twin = next((other for other in real if real[other] == home and other != name), None)
        if twin is not None:
            raise ValueError(f"folder: '{name}' and '{twin}' in '{place}' are links to one folder: remove one")
    return {
        name: frozenset(other for other in real.values() if not home.is_relative_to(other))
        for name, home in real.items()
    }


def _visible(place: Path) -> list[Path]:
    """The entries of a folder by name, without hidden ones and the remains of archives."""
    return sorted(entry for entry in place.iterdir() if not entry.name.startswith((".", *_REMAINS)))


def _folders(place: Path) -> list[Path]:
    """The folders in a folder by name, without links to itself or to its parents."""
    here = place.resolve()
    return [entry for entry in _visible(place) if entry.is_dir() and not here.is_relative_to(entry.resolve())]


def _is_image(file: Path) -> bool:
    return file.suffix.lower() in _ENDINGS and file.is_file()


def _images_below(
    place: Path, foreign: frozenset[Path] = frozenset(), above: frozenset[Path] | None = None
) -> Iterator[Path]:
    """The images in a folder, by name, then those in its subfolders.

    Args:
        place: the folder.
        foreign: folders whose images belong elsewhere.
        above: the folders on the way here, which links lead back to; None at the start.
    """
    here = place.resolve()
    if above is None:
        above = frozenset((*here.parents, *(parent.resolve() for parent in place.absolute().parents)))
    if here in above or any(here.is_relative_to(other) for other in foreign):
        return
    entries = _visible(place)
    yield from filter(_is_image, entries)
    for entry in entries:
        if entry.is_dir():
            yield from _images_below(entry, foreign, above | {here})


def _part(entry: Path) -> str:
    """The part that a folder's name stands for, or ""."""
    return next((part for part, spellings in _PARTS.items() if entry.name.lower() in spellings), "")


def _holds_classes(place: Path) -> bool:
    """Whether most of a folder's images are in its subfolders."""
    direct = sum(map(_is_image, _visible(place)))
    return sum(1 for _ in _images_below(place)) > 2 * direct
