"""pneumonia_mnist_file.py -- PneumoniaMNIST, from a path, $PYNEURAL_DATA, the cache, a download, or a sample."""

import hashlib
from pathlib import Path

import numpy as np

from pyneural.arguments.arrays import Array
from pyneural.arguments.checks import warn
from pyneural.arguments.familiar_keywords import OF_DATA_FILES
from pyneural.arguments.paths import readable
from pyneural.arguments.spelling import check_keywords
from pyneural.datasets.archives import read_archive
from pyneural.datasets.data_path import named_by_user
from pyneural.datasets.dataset import Dataset
from pyneural.datasets.downloads import fetched_file
from pyneural.datasets.mnist_files import SAMPLE_NOTE
from pyneural.datasets.pneumonia_mnist_sample import CLASSES, sample_splits
from pyneural.datasets.splits import Splits

FILE = "pneumoniamnist.npz"
ADDRESSES = (
    "https://zenodo.org/records/10519652/files/pneumoniamnist.npz?download=1",
)  # of the package medmnist 3.0.2
MD5 = "28209eda62fecd6e6a2d98b1501bb15f"  # of the file, also from medmnist
PARTS = {  # the name in the file, the number of images, and their rows_md5
    "train": ("train", 4708, "07fc7bcef4785b488b735c0cec1a79e1"),
    "validation": ("val", 524, "aebd7a983e784f9cce1c4e98d3652d2f"),
    "test": ("test", 624, "a14435e2df7ce861877e9cb791c14f21"),
}
_FIX = f"download {FILE} again, from {ADDRESSES[0]}"
_MOST = 1 << 26  # bytes of all its arrays: 4.6 million as they are, ten times as many in a wrong dtype
_NAME = "pneumonia_mnist"
_FOLDERS = ("pneumoniamnist", _NAME, "")  # below the folder given


@check_keywords(**OF_DATA_FILES)
def pneumonia_mnist(path: str | Path | None = None) -> Splits:
    """PneumoniaMNIST of MedMNIST v2: chest X-rays of children, uint8 (n, 28, 28, 1); classes NORMAL and PNEUMONIA.

    4,708 images to train on, 524 for validation and 624 to test on: those of `chest_xray`, reduced.  MedMNIST drew the
    validation part from the training images at random and does not say which patient an image is of, so images of a
    patient may be in both: results on the validation part are too good.

    Args:
        path: the file pneumoniamnist.npz, or a folder that has it, or has it in a subfolder pneumoniamnist; or "sample"
            for the sample in the package, 600 and 200 images.  None uses $PYNEURAL_DATA (a folder, or "sample"); if
            that is not set, the user's cache or a download; if that fails, the sample, with a warning.

    Returns:
        Splits with all three parts; the sample has no validation part, and `.train.note` mentions it.

    Raises:
        FileNotFoundError: the path or $PYNEURAL_DATA does not contain the file; the message lists each place tried.
        ValueError: the file is damaged, or has other images or labels; the order of the images may be another one.

    Source: J. Yang et al., "MedMNIST v2", Scientific Data 10 (2023); D. Kermany et al., Cell 172 (2018); CC BY 4.0.

    >>> pneumonia_mnist("sample").test
    <pneumonia_mnist (EMBEDDED SAMPLE: 200 of 624): 200 x uint8 (28, 28, 1), y int64 ()>
    """
    source = _source(path)
    return sample_splits(_NAME) if source is None else _splits(source)


def _splits(source: Path) -> Splits:
    """The three parts that a file has."""
    who = f"{_NAME}: '{source}'"
    wanted = [f"{part}_{kind}" for part, _, _ in PARTS.values() for kind in ("images", "labels")]
    arrays, names = read_archive(source, who, wanted, _FIX, _MOST)
    missing = [name for name in wanted if name not in arrays]
    if missing:
        raise ValueError(f"{who} has no {missing[0]}, but {', '.join(names) or 'no arrays'}: {_FIX}")
    with source.open("rb") as file:
        intact = hashlib.file_digest(file, "md5").hexdigest() == MD5
    made = {}
    for part, (short, count, rows) in PARTS.items():
        images, labels = arrays[f"{short}_images"], arrays[f"{short}_labels"]
        _check(f"{who}: the {part} part", images, labels, count, "" if intact else rows)
        y = labels[:, 0].astype(np.int64)
        made[part] = Dataset(images[..., None], y, classes=CLASSES, name=_NAME)
    return Splits(**made, name=_NAME)


def rows_md5(images: Array, labels: Array) -> str:
    """The MD5 of the sorted MD5s of all rows, each an image and its label as a byte: the same in any order.

    >>> images, labels = np.arange(8, dtype=np.uint8).reshape(2, 2, 2), np.array([0, 1])
    >>> rows_md5(images, labels) == rows_md5(images[::-1], labels[::-1]) != rows_md5(images, labels[::-1])
    True
    """
    rows = zip(images, labels.reshape(-1).tolist(), strict=True)
    digests = sorted(
        hashlib.md5(image.tobytes() + str(label).encode(), usedforsecurity=False).digest() for image, label in rows
    )
    return hashlib.md5(b"".join(digests), usedforsecurity=False).hexdigest()


def _check(who: str, images: Array, labels: Array, count: int, rows: str) -> None:
    """Refuses a part of another shape, or with other rows; an empty `rows` is not compared."""
    if images.shape != (count, 28, 28) or labels.shape != (count, 1) or images.dtype != np.uint8:
        raise ValueError(
            f"{who} has images {images.dtype} {images.shape} and labels {labels.shape}; PneumoniaMNIST has uint8 "
            f"({count}, 28, 28) and ({count}, 1): pn.datasets.npz(path) reads other files"
        )
    if rows and rows_md5(images, labels) != rows:
        raise ValueError(
            f"{who} has other images or labels than PneumoniaMNIST: {_FIX}, or read it with pn.datasets.npz(path)"
        )


def _source(path: str | Path | None) -> Path | None:
    """The path of the file, after a download if nothing was named; None for the sample in the package."""
    root, is_sample, given, undo = named_by_user(_NAME, path, f"{FILE} or its folder")
    if is_sample:
        return None
    if root is None:
        try:
            return fetched_file(ADDRESSES, _NAME, FILE, MD5)
        except OSError as error:
            warn(
                f"{_NAME}: the download failed ({error}), so this is the {SAMPLE_NOTE}: 600 + 200 images instead of "
                f"4,708 + 624; fetch {FILE} elsewhere, and name it: pn.datasets.{_NAME}(path)"
            )
            return None
    if not root.is_dir() and (root.suffix.lower() == ".npz" or root.exists()):
        return readable(_NAME, root, FILE)
    places = [root / folder / FILE for folder in _FOLDERS]
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        sample = "path='sample'" if given == "path" else "PYNEURAL_DATA=sample"
        raise FileNotFoundError(
            f"{_NAME}: {given} is {root}, but the data is not there (tried {', '.join(map(str, places))}): put {FILE} "
            f"there, {undo} to download it, or use {sample} for the images that come with pyneural"
        )
    return readable(_NAME, found, FILE)
