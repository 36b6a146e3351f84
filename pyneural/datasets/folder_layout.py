"""folder_layout.py -- the layout of a folder of images: its parts, their classes, and the images of each class.

The contents decide: a folder called train or test that contains folders of images is a part; one that contains images
is a class, as in data of cars, planes and trains.
"""

from collections.abc import Iterator
from pathlib import Path

from pyneural.arguments.checks import warn
from pyneural.card.classes import in_order

_ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm")
_PARTS = {  # the accepted folder names of each part
    "train": ("train", "training"),
    "validation": ("val", "valid", "validation"),
    "test": ("test", "testing"),
}


def parts_of(root: Path) -> dict[str, Path]:
    """The folder of each part; only `train`, the folder itself, if it is not divided.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: a part appears twice, or there is no train part.
    """
    if not root.is_dir():
        raise FileNotFoundError(f"folder: '{root}' is {'a file' if root.exists() else 'not there'}: give a folder")
    folders = [entry for entry in _visible(root) if entry.is_dir()]
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
    return dict(sorted(found.items())) or {"train": root}


def files_by_class(place: Path) -> dict[str, list[Path]]:
    """The images of each class in a part, including subfolders; classes are sorted by name, or as numbers.

    Raises:
        FileNotFoundError: there are no images in subfolders.
        ValueError: there are only images outside class folders, or a class has none.
    """
    entries = _visible(place)
    found = {entry.name: list(_images_below(entry)) for entry in entries if entry.is_dir()}
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


def _visible(place: Path) -> list[Path]:
    """The entries of a folder by name, without hidden ones and the remains of archives."""
    return sorted(entry for entry in place.iterdir() if not entry.name.startswith((".", "__MACOSX")))


def _is_image(file: Path) -> bool:
    return file.suffix.lower() in _ENDINGS and file.is_file()


def _images_below(place: Path, above: tuple[Path, ...] = ()) -> Iterator[Path]:
    """The images in a folder, by name, then those in its subfolders; links to a parent are not followed."""
    here = place.resolve()
    if here in above:
        return
    entries = _visible(place)
    yield from filter(_is_image, entries)
    for entry in entries:
        if entry.is_dir():
            yield from _images_below(entry, (*above, here))


def _part(entry: Path) -> str:
    """The part that a folder's name stands for, or ""."""
    return next((part for part, spellings in _PARTS.items() if entry.name.lower() in spellings), "")


def _holds_classes(place: Path) -> bool:
    """Whether most of a folder's images are in its subfolders."""
    direct = sum(map(_is_image, _visible(place)))
    return sum(1 for _ in _images_below(place)) > 2 * direct
