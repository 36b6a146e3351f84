"""mnist_files.py -- MNIST and Fashion-MNIST, from a path, $PYNEURAL_DATA, the cache, a download, or a sample."""

import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pyneural.arguments.arrays import Array
from pyneural.arguments.checks import warn
from pyneural.arguments.familiar_keywords import OF_DATA_FILES
from pyneural.arguments.paths import readable
from pyneural.arguments.spelling import check_keywords
from pyneural.datasets.archives import read_archive
from pyneural.datasets.data_path import named_by_user
from pyneural.datasets.dataset import Dataset
from pyneural.datasets.downloads import fetched
from pyneural.datasets.idx import read_idx
from pyneural.datasets.splits import Splits

MNIST_MD5 = {  # of the unpacked bytes
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}
MNIST_MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
FASHION_MD5 = {  # of the unpacked bytes
    "train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
    "train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9",
    "t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a",
    "t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965",
}
FASHION_MIRRORS = (
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
)
CLOTHES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"
)  # fmt: skip
SAMPLE = Path(__file__).parent / "sample"
SAMPLE_NOTE = "EMBEDDED SAMPLE"


class _Kind(NamedTuple):
    """One of the sets that come as four IDX files of 28 x 28 images."""

    name: str
    holds: str
    md5: dict[str, str]
    mirrors: tuple[str, ...]
    classes: tuple[str, ...]
    prepare: str


def _mnist_kind() -> _Kind:
    return _Kind("mnist", "digits", MNIST_MD5, MNIST_MIRRORS, (), "digit")


def _fashion_kind() -> _Kind:
    return _Kind("fashion_mnist", "clothes", FASHION_MD5, FASHION_MIRRORS, CLOTHES, "")


@check_keywords(**OF_DATA_FILES)
def mnist(path: str | Path | None = None, *, extra: str | Path | None = None) -> Splits:
    """MNIST: 60,000 handwritten digits to train on and 10,000 to test on, uint8 (n, 28, 28, 1).

    `np.savez("mine.npz", x=x, y=y)` saves your own digits, and `extra="mine.npz"` adds them to the training part.

    Args:
        path: a folder with the four IDX files, plain or .gz, or with a subfolder mnist that has them; or "sample" for
            the sample of MNIST in the package, 6,000 and 1,000 digits.  None uses $PYNEURAL_DATA (a folder, or
            "sample"); if that is not set, the user's cache or a download; if that fails, the sample, with a warning.
        extra: an .npz of your own digits, added to the training part only: x, uint8 (n, 28, 28) or (n, 28, 28, 1),
            light on dark as pn.prepare_digit returns them, and y, whole numbers (n,) from 0 to 9.

    Returns:
        Splits without a validation part; `.train.note` mentions extra digits, and the sample.

    Raises:
        FileNotFoundError: the path or $PYNEURAL_DATA does not contain the files; the message lists each place tried.
        ValueError: a file is damaged, or not of MNIST.

    Source: Y. LeCun, C. Cortes, C. Burges; CC BY-SA 3.0.

    >>> mnist("sample").test
    <mnist (EMBEDDED SAMPLE: 1,000 of 10,000): 1,000 x uint8 (28, 28, 1), y int64 ()>
    """
    own = None
    if extra is not None:  # before any download
        own = own_digits(readable("mnist: extra", extra, "an .npz made by np.savez(path, x=x, y=y)"))
    found = _found(_mnist_kind(), path)
    return found if own is None else _with_own(found, *own)


@check_keywords(**OF_DATA_FILES)
def fashion_mnist(path: str | Path | None = None) -> Splits:
    """Fashion-MNIST: 60,000 pictures of clothes to train on and 10,000 to test on, uint8 (n, 28, 28, 1).

    The files and shapes are those of MNIST, and the task is harder; the classes are "T-shirt/top", "Trouser",
    "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag" and "Ankle boot".

    Args:
        path: a folder with the four IDX files, plain or .gz, or with a subfolder fashion_mnist that has them.  None
            uses $PYNEURAL_DATA, or if that is not set, the user's cache or a download.

    Returns:
        Splits without a validation part.

    Raises:
        FileNotFoundError: the path or $PYNEURAL_DATA does not contain the files; the message lists each place tried.
        OSError: the download failed; the message says why, for each mirror.
        ValueError: a file is damaged, or not of Fashion-MNIST.

    Source: H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning
    Algorithms", 2017; MIT licence.
    """
    return _found(_fashion_kind(), path)


def _found(kind: _Kind, path: str | Path | None) -> Splits:
    place, is_sample, given, undo = named_by_user(kind.name, path, "a folder")
    if is_sample:
        if kind.name != "mnist":
            raise FileNotFoundError(
                f"{kind.name}: {given} is sample, but pyneural comes with samples of mnist and pneumonia_mnist only: "
                f"give a folder with the four files, or {undo} to download them"
            )
        return _splits(kind, SAMPLE / "mnist")
    if place:
        return _splits(kind, _folder(kind, place, given))
    try:
        return _splits(kind, fetched(kind.mirrors, kind.md5, kind.name))
    except OSError as error:
        if kind.name != "mnist":
            raise OSError(
                f"{kind.name}: the download failed ({error}): put the four files into a folder and name it: "
                f"pn.datasets.{kind.name}(path)"
            ) from None
        warn(
            f"mnist: the download failed ({error}), so this is the {SAMPLE_NOTE}: 6,000 + 1,000 digits instead of "
            "60,000 + 10,000; put the four files into a folder and name it: pn.datasets.mnist(path)"
        )
        return _splits(kind, SAMPLE / "mnist")


def _find(folder: Path, name: str) -> Path | None:
    """The file with that name in a folder, in either spelling (-idx3, .idx3), plain or gzipped."""
    for spelling in (name, name.replace("-idx", ".idx")):
        for ending in ("", ".gz"):
            if (folder / (spelling + ending)).is_file():
                return folder / (spelling + ending)
    return None


def _folder(kind: _Kind, root: Path, given: str) -> Path:
    places = (root / kind.name, root)
    for place in places:
        if any(_find(place, name) for name in kind.md5):
            return place
    raise FileNotFoundError(_nowhere(kind, root, places, given))


def _nowhere(kind: _Kind, root: Path, places: tuple[Path, Path], given: str) -> str:
    name = next(iter(kind.md5))
    tried = " and ".join(str(place / name) for place in places)
    sample = "path='sample'" if given == "path" else "PYNEURAL_DATA=sample"
    other = f", or use {sample} for the digits that come with pyneural" if kind.name == "mnist" else ""
    return (
        f"{kind.name}: {given} is {root}, but the data is not there (tried {tried}, plain and .gz): "
        f"put the four files into {places[0]}{other}"
    )


def _splits(kind: _Kind, folder: Path) -> Splits:
    parts = {}
    for part, prefix in (("train", "train"), ("test", "t10k")):
        arrays: list[Array] = []
        for name, axes in ((f"{prefix}-images-idx3-ubyte", 3), (f"{prefix}-labels-idx1-ubyte", 1)):
            source = _find(folder, name)
            if source is None:
                raise FileNotFoundError(
                    f"{kind.name}: {folder} has no {name} (plain or .gz); all four files are needed"
                )
            arrays.append(read_idx(source, axes=axes))
        parts[part] = _part(kind, part, folder, *arrays)
    return Splits(parts["train"], parts["test"], name=kind.name)


def _part(kind: _Kind, part: str, folder: Path, images: Array, labels: Array) -> Dataset:
    if len(images) != len(labels):
        raise ValueError(
            f"{kind.name}: {folder} has {len(images):,} {part} images but {len(labels):,} labels: the files do not "
            "match"
        )
    if images.dtype != np.uint8 or not len(labels) or labels.min() < 0 or labels.max() > 9:
        raise ValueError(
            f"{kind.name}: {folder}: the {part} files are not {kind.holds}: images {images.dtype}, "
            f"{len(labels):,} labels"
        )
    _check_kind(kind, folder, labels)
    total = 60_000 if part == "train" else 10_000
    sample = folder == SAMPLE / "mnist"
    note = f"{SAMPLE_NOTE}: {len(labels):,} of {total:,}" if sample else ""
    facts = {"name": kind.name, "note": note, "prepare": kind.prepare}
    return Dataset(images[..., None], labels.astype(np.int64), classes=kind.classes, **facts)


def _check_kind(kind: _Kind, folder: Path, labels: Array) -> None:
    """Refuses the files of the other set, which have the same names and shapes."""
    header = bytes((0, 0, 8, 1)) + len(labels).to_bytes(4, "big")
    found = hashlib.md5(header + labels.tobytes(), usedforsecurity=False).hexdigest()
    for other in (_mnist_kind(), _fashion_kind()):
        if other.name != kind.name and found in other.md5.values():
            raise ValueError(f"{kind.name}: {folder} has the files of {other.name}: give another folder")


def own_digits(path: Path) -> tuple[str, Array, Array]:
    """The name of an .npz of your own digits, and its checked x (n, 28, 28, 1) and y.

    Raises:
        ValueError: it is not one, or not of digits.
    """
    who = f"mnist: extra '{path.name}'"
    arrays, names = read_archive(path, who, ("x", "y"), "make it with np.savez(path, x=x, y=y)")
    if len(arrays) < 2:
        raise ValueError(
            f"{who} contains {', '.join(names) or 'no arrays'}: it must contain x and y: np.savez(path, x=x, y=y)"
        )
    return path.name, *_digits(arrays["x"], arrays["y"], who)


def _digits(x: Array, y: Array, who: str) -> tuple[Array, Array]:
    if x.dtype != np.uint8 or x.shape[1:] not in ((28, 28), (28, 28, 1)) or not len(x):
        raise ValueError(
            f"{who}: x is {x.dtype} {x.shape}: give uint8 (n, 28, 28); pn.prepare_digit converts any image"
        )
    if y.shape != (len(x),):
        raise ValueError(f"{who}: x has {len(x):,} digits, y is {y.shape}: give one label per digit, ({len(x)},)")
    if y.dtype.kind not in "iu" or y.min() < 0 or y.max() > 9:
        got = f"run {y.min()}..{y.max()}" if y.dtype.kind in "iu" else f"are {y.dtype}"
        raise ValueError(f"{who}: the labels {got}: give whole numbers from 0 to 9")
    return x.reshape(-1, 28, 28, 1), y.astype(np.int64)


def _with_own(found: Splits, name: str, x: Array, y: Array) -> Splits:
    train = found.train
    note = " · ".join(filter(None, (train.note, f"with {len(x):,} extra from {name}")))
    facts = {"name": train.name, "note": note, "prepare": train.prepare}
    both = Dataset(np.concatenate([train.x, x]), np.concatenate([train.y, y]), **facts)
    return Splits(both, found.test, found.validation, name=found.name)
