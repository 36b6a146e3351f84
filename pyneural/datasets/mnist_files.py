"""mnist_files.py -- MNIST, from a path, $PYNEURAL_DATA, the cache, a download, or the embedded sample."""

import os
import warnings
import zipfile
from pathlib import Path

import numpy as np

from pyneural.arguments.arrays import Array
from pyneural.arguments.paths import as_path, readable
from pyneural.datasets.dataset import Dataset, Splits
from pyneural.datasets.downloads import fetched
from pyneural.datasets.idx import read_idx
from pyneural.datasets.image_folder import folder

__all__ = ["folder", "mnist"]
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
SAMPLE = Path(__file__).parent / "sample"
SAMPLE_NOTE = "EMBEDDED SAMPLE"


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
    own = (
        None if extra is None else _own(readable("mnist: extra", extra, "an .npz made by np.savez(path, x=x, y=y)"))
    )  # before any download
    found = _found(path)
    return found if own is None else _with_own(found, *own)


def _found(path: str | Path | None) -> Splits:
    said = os.environ.get("PYNEURAL_DATA") if path is None else str(as_path("mnist", path, "a folder"))
    if said == "sample":
        return _splits(SAMPLE / "mnist")
    if said:
        given = "path" if path is not None else "PYNEURAL_DATA"
        return _splits(_folder(Path(said).expanduser(), given))
    try:
        return _splits(fetched(MNIST_MIRRORS, MNIST_MD5))
    except OSError as error:
        warnings.warn(
            f"mnist: the download failed ({error}), so this is the {SAMPLE_NOTE}: 6,000 + 1,000 digits instead of "
            "60,000 + 10,000; put the four files into a folder and name it: pn.datasets.mnist(path)",
            UserWarning,
            stacklevel=3,
        )
        return _splits(SAMPLE / "mnist")


def _find(folder: Path, name: str) -> Path | None:
    """The file with that name in a folder, in either spelling (-idx3, .idx3), plain or gzipped."""
    for spelling in (name, name.replace("-idx", ".idx")):
        for ending in ("", ".gz"):
            if (folder / (spelling + ending)).is_file():
                return folder / (spelling + ending)
    return None


def _folder(root: Path, given: str) -> Path:
    places = (root / "mnist", root)
    for place in places:
        if any(_find(place, name) for name in MNIST_MD5):
            return place
    raise FileNotFoundError(_nowhere(root, places, given))


def _nowhere(root: Path, places: tuple[Path, Path], given: str) -> str:
    name = next(iter(MNIST_MD5))
    tried = " and ".join(str(place / name) for place in places)
    sample = "path='sample'" if given == "path" else "PYNEURAL_DATA=sample"
    return (
        f"mnist: {given} is {root}, but the data is not there (tried {tried}, plain and .gz): "
        f"put the four files into {places[0]}, or use {sample} for the digits that come with pyneural"
    )


def _splits(folder: Path) -> Splits:
    parts = {}
    for part, prefix in (("train", "train"), ("test", "t10k")):
        arrays: list[Array] = []
        for name, axes in ((f"{prefix}-images-idx3-ubyte", 3), (f"{prefix}-labels-idx1-ubyte", 1)):
            source = _find(folder, name)
            if source is None:
                raise FileNotFoundError(f"mnist: {folder} has no {name} (plain or .gz); all four files are needed")
            arrays.append(read_idx(source, axes=axes))
        parts[part] = _part(part, folder, *arrays)
    return Splits(parts["train"], parts["test"], name="mnist")


def _part(part: str, folder: Path, images: Array, labels: Array) -> Dataset:
    if len(images) != len(labels):
        raise ValueError(
            f"mnist: {folder} has {len(images):,} {part} images but {len(labels):,} labels: the files do not match"
        )
    if images.dtype != np.uint8 or not len(labels) or labels.min() < 0 or labels.max() > 9:
        raise ValueError(
            f"mnist: {folder}: the {part} files are not digits: images {images.dtype}, {len(labels):,} labels"
        )
    total = 60_000 if part == "train" else 10_000
    sample = folder == SAMPLE / "mnist"
    note = f"{SAMPLE_NOTE}: {len(labels):,} of {total:,}" if sample else ""
    return Dataset(images[..., None], labels.astype(np.int64), name="mnist", note=note, prepare="digit")


def _own(path: Path) -> tuple[str, Array, Array]:
    """The name of an .npz of digits, and its checked x (n, 28, 28, 1) and y."""
    who = f"mnist: extra '{path.name}'"
    try:
        with path.open("rb") as file:
            if not zipfile.is_zipfile(file):
                raise ValueError("it is not an .npz, or incomplete")
            file.seek(0)
            with np.load(file, allow_pickle=False) as opened:
                names = sorted(opened.files)
                arrays = {name: opened[name] for name in ("x", "y") if name in names}
    except Exception as error:  # zipfile and NumPy may raise any exception for damaged files
        why = "it contains pickled objects" if "allow_pickle" in str(error) else str(error) or type(error).__name__
        raise ValueError(f"{who} cannot be read ({why}): make it with np.savez(path, x=x, y=y)") from None
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
    said = {"name": train.name, "note": note, "prepare": train.prepare}
    both = Dataset(np.concatenate([train.x, x]), np.concatenate([train.y, y]), **said)
    return Splits(both, found.test, found.validation, name=found.name)
