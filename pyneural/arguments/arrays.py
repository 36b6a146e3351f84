"""arrays.py -- conversion of user input to arrays of rows and labels."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import pyneural._core as _core
from pyneural.arguments.objects import are_numbers, missing_rows, refuse_masked
from pyneural.arguments.tables import is_table, table_numbers

Array = npt.NDArray[Any]
_PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")


def hash_of(*arrays: Array) -> str:
    """The sha256 of dtypes, shapes and values, by which the same data is recognized.

    >>> hash_of(np.zeros(2)) == hash_of(np.zeros(4)[::2]), hash_of(np.zeros(2)) == hash_of(np.zeros((2, 1)))
    (True, False)
    """
    found = hashlib.sha256()
    for array in arrays:
        found.update(f"{array.dtype} {array.shape}".encode())
        found.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return found.hexdigest()


def as_rows(what: str, values: Any) -> Array:
    """Like `as_numbers`, but greyscale uint8 images (n, height, width) get a channel axis."""
    array = as_numbers(what, values)
    return array[..., None] if array.dtype == np.uint8 and array.ndim == 3 else array


def as_numbers(what: str, values: Any) -> Array:
    """Converts to uint8, float32 or float64, native and C-contiguous; other numbers become float32 if that is exact.

    Raises:
        TypeError: they are not numbers; the message says where.
        ValueError: rows have different lengths.
    """
    array = table_numbers(values) if is_table(values) else _array(what, values)
    words = array.dtype.kind != "O" or any(isinstance(value, str) for value in array.flat)
    missing = [] if words else missing_rows(array)
    if missing:
        place = tuple(int(i) for i in np.unravel_index(missing[0], array.shape))
        raise ValueError(
            f"{what} has {len(missing):,} missing values (None, NaN or NA), the first at {place}: fill them, or remove "
            "those examples"
        )
    if array.dtype.kind not in "iubf":
        raise TypeError(f"{what} {_no_numbers(array)}")
    return np.ascontiguousarray(array, _dtype(values, array))


def as_labels(what: str, values: Any) -> Array:
    """Converts labels to an array of numbers or names.

    Raises:
        ValueError: some are missing, they mix numbers and text, or rows have different lengths.
    """
    array = _array(what, values)
    given = array
    if array.dtype.kind in "SU" and isinstance(values, list | tuple):  # NumPy turns NaN and numbers into text, too
        given = np.asarray(values, object)
    missing = missing_rows(given) if given.dtype.kind == "O" else []
    if missing:
        raise ValueError(
            f"{what} has {len(missing):,} labels that are missing (None, NaN or NA), the first at {missing[0]}: remove "
            "those examples"
        )
    if given.dtype.kind == "O":
        _check_one_kind(what, given)
    return _as_text(what, array)


def _check_one_kind(what: str, labels: Array) -> None:
    """Rejects labels of which some are text and some are not: as text, 1 and "1" would be one class."""
    kinds = sorted({_kind_of(kind) for kind in set(map(type, labels.flat))})
    if len(kinds) > 1:
        first, second = (next(y for y in labels.flat if _kind_of(type(y)) == kind) for kind in kinds[:2])
        text = "label.decode() if isinstance(label, bytes) else str(label)" if "bytes" in kinds else "str(label)"
        raise ValueError(
            f"{what} has {kinds[0]} and {kinds[1]}, such as {_plain(first)!r} and {_plain(second)!r}: give labels of "
            f"one kind, such as [{text} for label in y]"
        )


def _plain(label: Any) -> Any:
    return label.item() if isinstance(label, np.generic) else label


def _kind_of(kind: type) -> str:
    return "text" if issubclass(kind, str) else "bytes" if issubclass(kind, bytes) else "numbers"


def _as_text(what: str, array: Array) -> Array:
    """Decodes bytes as UTF-8, and converts variable-width text to objects; leaves all else unchanged."""
    if array.dtype.kind == "T":
        return array.astype(object)
    if array.dtype.kind not in "SO" or not any(isinstance(value, bytes) for value in array.flat):
        return array
    text = array.astype(object)
    for place, value in np.ndenumerate(text):
        if isinstance(value, bytes):
            try:
                text[place] = value.decode()
            except UnicodeDecodeError:
                raise ValueError(
                    f"{what} has bytes that are not UTF-8 text, such as {value!r}: decode them, y.astype(str) or "
                    "[label.decode(encoding) for label in y]"
                ) from None
    return text


def as_groups(what: str, values: Any) -> Array:
    """Converts groups to an array of numbers or names.

    Raises:
        ValueError: some are missing.
    """
    array = _as_text(what, _array(what, values))
    missing = missing_rows(array)
    if missing:
        raise ValueError(
            f"{what} has {len(missing):,} missing values (None, NaN or NA), the first at {missing[0]}: give each of "
            "those examples its own group"
        )
    return array.astype(str) if array.dtype.kind == "O" else array


def as_weights(what: str, values: Any, count: int) -> Array:
    """Converts the weights of `count` examples to float64 (count,).

    Raises:
        TypeError: they are not numbers.
        ValueError: their number differs, or some are missing, NaN, infinite or negative; the message says where.
    """
    if isinstance(values, str):
        also = "; class_weight='balanced' weights the classes" if values == "balanced" else ""
        raise TypeError(f"{what} is {values!r}: give one weight per example, ({count},){also}")
    array = as_numbers(what, values)
    if array.shape != (count,):
        raise ValueError(f"{what} is {array.shape}: give one weight per example, ({count},)")
    weights = array.astype(np.float64)
    wrong = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
    if len(wrong):
        raise ValueError(
            f"{what} has {len(wrong):,} weights that are negative, NaN or infinite, such as {weights[wrong[0]]:g} at "
            f"{wrong[0]}: give numbers of at least 0"
        )
    return weights


def _array(what: str, values: Any) -> Array:
    """An array of the values; an object array that holds only numbers becomes numeric."""
    name = what.split()[-1]
    refuse_masked(what, values)
    if hasattr(values, "toarray") and hasattr(values, "nnz"):  # a sparse matrix, as SciPy has them
        raise TypeError(
            f"{what} is a sparse {type(values).__name__} {values.shape}: give a dense array, {name}.toarray(), or "
            "batches of it"
        )
    try:
        array = values.numpy() if isinstance(values, _core.Tensor) else np.asarray(values)
        if array.dtype.kind == "O" and are_numbers(array):
            numbers = np.array(array.tolist())
            return numbers.astype(np.float64) if numbers.dtype.kind == "O" else numbers  # beyond int64
    except OverflowError:
        raise ValueError(f"{what} has whole numbers that float64 cannot hold: divide them by a constant") from None
    except ValueError as error:
        if "inhomogeneous" not in str(error):
            raise
        raise ValueError(
            f"{what} has rows of different lengths: give all the same length, or one number per row"
        ) from None
    return array


def _no_numbers(array: Array) -> str:
    """The error for inputs that are not numbers, with the fix."""
    if array.dtype.names:
        return "is a table with named columns: give rows of numbers, np.column_stack([table[name] for name in names])"
    if array.dtype.kind == "O" and array.size and (isinstance(array.flat[0], Mapping) or not array.ndim):
        one = array.flat[0]
        fix = "x.collect()" if hasattr(one, "collect") else "pandas.DataFrame(x)"
        what = "a" if not array.ndim else "rows of the type"
        return f"is {what} {type(one).__name__}: give an array, or a data frame, {fix}"
    if array.dtype.kind in "USO" and array.size:
        place, word = next(
            ((place, value) for place, value in np.ndenumerate(array) if not _is_number(value)), ((), array.flat[0])
        )
        if Path(str(word)).suffix.lower() in _PICTURES:
            return (
                f"contains file names, such as '{word}': read the images, such as with PIL.Image.open(path), "
                "and stack their arrays, or sort them into folders by class for pn.datasets.folder"
            )
        if place:
            where = f"in column {place[-1]} " if len(place) > 1 else ""
            return f"contains '{word}' {where}at row {place[0]}: give numbers: drop such columns, or encode the words"
        return f"contains numbers as text ({array.dtype}): convert them, x.astype('float32')"
    return f"has dtype {array.dtype}: give numbers: uint8 pixels or floats"


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _dtype(values: Any, array: Array) -> str:
    """uint8 and float64 arrays keep their dtype; numbers that float32 would round become float64, others float32."""
    if array.dtype == np.uint8:
        return "uint8"
    if array.dtype.kind == "b" or array.dtype.itemsize <= 2 or array.dtype == np.float32:
        return "float32"
    if array.dtype == np.float64 and isinstance(values, np.ndarray | _core.Tensor):
        return "float64"
    return narrowed(array).dtype.name


def narrowed(array: Array) -> Array:
    """Numbers as float32 if that is exact, else as float64."""
    with np.errstate(over="ignore"):
        short = array.astype(np.float32)
    exact = np.array_equal(short, array, equal_nan=array.dtype.kind == "f")
    return short if exact else array.astype(np.float64)
