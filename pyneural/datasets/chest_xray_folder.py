"""chest_xray_folder.py -- the chest X-ray images of Kermany et al. in Kaggle's layout, with their patients as groups.

The patient is the start of a file's name, with its prefix, since bare numbers are reused for other people.  Patients
that share an identical image are one group: an interval by group must not count them as two.
"""

import os
import re
from pathlib import Path

import numpy as np

from pyneural.arguments.arrays import Array
from pyneural.arguments.checks import flag, verbosity, warn
from pyneural.arguments.familiar_keywords import OF_CHEST_XRAY
from pyneural.arguments.spelling import check_keywords
from pyneural.datasets.cache_folder import cache_folder
from pyneural.datasets.data_path import named_by_user
from pyneural.datasets.dataset import Dataset
from pyneural.datasets.folder_layout import files_by_class, listed, parts_of
from pyneural.datasets.identical import Hashed, common, copies, joined, keys
from pyneural.datasets.image_folder import read_parts
from pyneural.datasets.splits import Splits
from pyneural.printing import put

CLASSES = ("NORMAL", "PNEUMONIA")
_NAME = "chest_xray"
_PATIENT = re.compile(r"^(person\d+_[a-z]+|(?:NORMAL2-)?IM-\d+)")
_LAYOUT = "train and test, each with the folders NORMAL and PNEUMONIA"
_SOURCE = "https://www.kaggle.com/datasets/paultimothymooney/chest-xray-pneumonia"
_NAMED = 3  # the most pairs of images that a warning lists


@check_keywords(**OF_CHEST_XRAY)
def chest_xray(
    path: str | Path | None = None,
    size: int | tuple[int, int] | None = 144,
    *,
    skip_bad: bool = False,
    verbose: int = 1,
) -> Splits:
    """Chest X-rays of children: 5,216 images to train on and 624 to test on, uint8 (n, size, size, 1).

    The classes are NORMAL and PNEUMONIA; their folders may be spelt in another case.  `.groups` are the patients, who
    are found by the file names: person123_bacteria_456.jpeg is of person123_bacteria, NORMAL2-IM-0115-0001.jpeg of
    NORMAL2-IM-0115; patients who share an identical image are one group, with the name of the first.  No patient is
    in both parts.  The 16 images of the folder val belong to the training part.

    Args:
        path: the folder with train and test, or the one that has it as chest_xray.  None uses $PYNEURAL_DATA, or if
            that is not set, the folder chest_xray in the user's cache (~/.cache/pyneural on Linux).
        size: as for `folder`: the images are resized to size x size, or to (height, width).
        skip_bad: leave out images that cannot be read, with a warning that names them, instead of raising an error.
        verbose: 0 prints nothing; 1 one line with the numbers of images, patients and groups.

    Returns:
        Splits without a validation part: `train.split(0.1)` and pn.fit split it by patient.

    Raises:
        FileNotFoundError: the folder is not there, or has no train or test; the message says where to get it.
        ValueError: a class is missing, or an image cannot be read.

    Source: D. Kermany et al., "Identifying Medical Diagnoses and Treatable Diseases by Image-Based Deep Learning",
    Cell 172 (2018); CC BY 4.0.

    >>> import tempfile
    >>> from PIL import Image
    >>> with tempfile.TemporaryDirectory() as root:
    ...     for number, file in enumerate((
    ...         "train/NORMAL/IM-0115-0001", "train/PNEUMONIA/person1_virus_6", "train/PNEUMONIA/person1_virus_7",
    ...         "test/NORMAL/NORMAL2-IM-0115-0001", "test/PNEUMONIA/person1_bacteria_2",
    ...     )):
    ...         (Path(root) / file).parent.mkdir(parents=True, exist_ok=True)
    ...         Image.new("L", (40, 30), number).save(Path(root) / f"{file}.png")
    ...     data = chest_xray(root, size=28)
    chest_xray: 3 train, 2 test · patients: 2 and 2, none in both · 2 and 2 groups, by identical images
    >>> data.train.groups.tolist()
    ['IM-0115', 'person1_virus', 'person1_virus']
    """
    verbosity(_NAME, verbose, "1 (one line)")
    flag(_NAME, "skip_bad", skip_bad)
    with listed(_NAME):
        root = _root(path)
        parts = _files(root)
    nameless = [file for part in parts.values() for files in part.values() for file in files if not patient(file)]
    read = read_parts(root, parts, size=size, channels=1, groups=_patient_or_file, skip_bad=skip_bad)
    if read.test is None:
        raise ValueError(f"{_NAME}: no image for test in '{root}' can be read: fetch them again, from {_SOURCE}")
    train, test = _by_patient(read.train), _by_patient(read.test)
    if nameless:
        warn(
            f"{_NAME}: {_count(len(nameless), 'file name does', 'file names do')} not start with a patient "
            f"(person1_virus, IM-0115 or NORMAL2-IM-0115), such as '{nameless[0].name}': each such image counts as a "
            "patient of its own"
        )
    _warn_of_shared(root, train, test)
    if len(test) > len(train):
        warn(
            f"{_NAME}: '{root}' has more images in test, {len(test):,}, than in train, {len(train):,}: rename the "
            "folders if they are swapped"
        )
    if verbose:
        put(in_words(train, test))
    return Splits(train, test, name=_NAME)


def patient(file: str | Path) -> str:
    """The patient of an image by its file name, or "".

    >>> [patient(name) for name in ("person123_bacteria_456.jpeg", "a/NORMAL2-IM-0115-0001-0002.jpeg", "scan.png")]
    ['person123_bacteria', 'NORMAL2-IM-0115', '']
    """
    match = _PATIENT.search(Path(file).name)
    return "" if match is None else match[1]


def patients(data: Dataset) -> Array:
    """The patient of each image, (n,) names, before those with identical images are joined."""
    return np.array([_patient_or_file(file) for file in _paths(data)])


def joined_patients(names: Array, same: list[Array]) -> Array:
    """The groups (n,): patients, or the first of those that share an identical image.

    Args:
        names: the patient of each image, (n,).
        same: the row numbers of each image that appears more than once, as `copies` returns them.

    >>> joined_patients(np.array(["b", "a", "c"]), [np.array([0, 1])]).tolist()
    ['b', 'b', 'c']
    """
    numbers, first = joined(names, same), dict[int, int]()
    for row, number in enumerate(numbers.tolist()):
        first.setdefault(number, row)
    chosen: Array = names[[first[number] for number in numbers.tolist()]]
    return chosen


def in_words(train: Dataset, test: Dataset) -> str:
    """The split in one line: images, patients and groups of both parts, and how many images were in the folder val.

    Args:
        train: the training part, as chest_xray returns it.
        test: the test part.
    """
    names = [set(patients(part).tolist()) for part in (train, test)]
    groups = [len(set(part.groups.tolist())) for part in (train, test) if part.groups is not None]
    both = len(set.intersection(*names))
    root = os.path.commonpath(_paths(train) + _paths(test)) if _paths(train) else ""
    moved = sum(file.relative_to(root).parts[0].lower().startswith("val") for file in _paths(train))
    val = f" (with {moved:,} from val)" if moved else ""
    return (
        f"{_NAME}: {len(train):,} train{val}, {len(test):,} test · patients: {len(names[0]):,} and "
        f"{len(names[1]):,}, {f'{both:,}' if both else 'none'} in both · {groups[0]:,} and {groups[1]:,} groups, "
        "by identical images"
    )


def folder_exists(path: str | Path | None = None) -> bool:
    """Whether the folder exists: at the path, or in $PYNEURAL_DATA, or if that is not set, in the user's cache."""
    return _found(_places(path)[0]) is not None


def _root(path: str | Path | None) -> Path:
    """The folder that has the parts."""
    places, named, given = _places(path)
    if found := _found(places):
        return found
    root = named or cache_folder(_NAME)
    if named and root.is_file():
        raise NotADirectoryError(f"{_NAME}: {given} is {root}, a file: {_instead(root)}")
    if named and root.is_dir() and any(entry.name.upper() in CLASSES for entry in root.iterdir()):
        raise FileNotFoundError(
            f"{_NAME}: {given} is {root}, which has classes but no train and test: give the folder that has {_LAYOUT}"
        )
    start = f"{given} is {root}, but" if named else "no path was given, PYNEURAL_DATA is not set, and"
    raise FileNotFoundError(
        f"{_NAME}: {start} there is no folder train (tried {' and '.join(map(str, places))}): the folder needs "
        f"{_LAYOUT}; download it from {_SOURCE} and give its path: pn.datasets.{_NAME}(path)"
    )


def _instead(file: Path) -> str:
    """What to give instead of a file."""
    if file.suffix.lower() == ".npz":
        return "pn.datasets.pneumonia_mnist(path) reads PneumoniaMNIST, and pn.datasets.npz(path) any other .npz"
    unpack = "unpack it, and " if file.suffix.lower() in (".zip", ".gz", ".tar", ".tgz", ".rar", ".7z") else ""
    return f"{unpack}give the folder that has {_LAYOUT}"


def _places(path: str | Path | None) -> tuple[tuple[Path, ...], Path | None, str]:
    """Where the folder may be; the place that the user named, or None, and how."""
    named, _, given, _ = named_by_user(_NAME, path, "a folder")
    root = named or cache_folder(_NAME)
    return ((root / _NAME, root / _NAME / _NAME, root) if named else (root, root / _NAME)), named, given


def _found(places: tuple[Path, ...]) -> Path | None:
    """The first of the places that has a training part."""
    for place in places:
        if place.is_dir() and any(entry.name.lower() in ("train", "training") for entry in place.iterdir()):
            return place
    return None


def _files(root: Path) -> dict[str, dict[str, list[Path]]]:
    """The files by part and class, where those of val are added to train."""
    found = {part: _by_class(place) for part, place in parts_of(root, copy=_NAME).items()}  # in Kaggle's archive
    if "test" not in found:
        raise FileNotFoundError(
            f"{_NAME}: '{root}' has no folder test with images: it needs {_LAYOUT}; pn.datasets.folder(path) reads "
            "other folders"
        )
    for name, files in found.pop("validation", {}).items():
        found["train"][name] = found["train"][name] + files
    return found


def _by_class(place: Path) -> dict[str, list[Path]]:
    """The files of both classes of a part; a class folder may be spelt in another case.

    Raises:
        ValueError: a class is missing, is there twice, or is another one.
    """
    found = files_by_class(place)
    named = {name: [folder for folder in found if folder.upper() == name] for name in CLASSES}
    if any(len(spellings) != 1 for spellings in named.values()) or len(found) != len(CLASSES):
        raise ValueError(
            f"{_NAME}: '{place}' has the class folders {', '.join(found)}: it needs NORMAL and PNEUMONIA, once each, "
            "and no other; pn.datasets.folder(path) reads other classes"
        )
    return {name: found[spelling] for name, (spelling,) in named.items()}


def _patient_or_file(file: Path) -> str:
    """The patient of an image, or its path if its name does not tell."""
    return patient(file) or str(file)


def _by_patient(data: Dataset) -> Dataset:
    """The data with its name, and with the groups of patients who share an identical image joined."""
    data.name = _NAME
    data.groups = joined_patients(patients(data), copies(data.x))
    return data


def _paths(data: Dataset) -> list[Path]:
    return [] if data.files is None else [Path(file) for file in data.files.tolist()]


def _warn_of_shared(root: Path, train: Dataset, test: Dataset) -> None:
    """Warns of images and of patients that are in both parts."""
    ours, theirs = (Hashed(part.x, None, keys(part.x), np.arange(len(part))) for part in (train, test))
    rows = common(ours, theirs).tolist()
    if rows:
        twins = [int(np.argmax(ours.keys == theirs.keys[row])) for row in rows[:_NAMED]]
        pairs = zip(_shown(root, train, twins), _shown(root, test, rows[:_NAMED]), strict=True)
        warn(
            f"{_NAME}: {_count(len(rows), 'image of test is', 'images of test are')} also in train, such as "
            f"{', '.join(map(' and '.join, pairs))}: results on test are too good; remove one of each pair"
        )
    both = sorted(set(patients(train).tolist()) & set(patients(test).tolist()))
    if both:
        warn(
            f"{_NAME}: {_count(len(both), 'patient is', 'patients are')} in both train and test, such as '{both[0]}': "
            "results on test are too good; move all images of a patient into one of them"
        )


def _shown(root: Path, data: Dataset, rows: list[int]) -> list[str]:
    """The files of these rows, for messages."""
    files = _paths(data)
    return [f"'{files[row].relative_to(root)}'" for row in rows]


def _count(number: int, one: str, many: str) -> str:
    """A number with its noun."""
    return f"{number:,} {one if number == 1 else many}"
