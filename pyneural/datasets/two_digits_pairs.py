"""two_digits_pairs.py -- pairs of overlapping MNIST digits, each with two labels."""

from pathlib import Path

import numpy as np

import pyneural._core as _core
from pyneural.arguments.arrays import Array
from pyneural.arguments.checks import checked_seed, whole
from pyneural.arguments.familiar_keywords import OF_DATA_FILES
from pyneural.arguments.spelling import check_keywords
from pyneural.datasets.dataset import Dataset
from pyneural.datasets.mnist_files import mnist
from pyneural.datasets.splits import Splits
from pyneural.datasets.splitting import split_rows

_SIDE = 28  # of a digit, in pixels
_DOWN = 14  # the first row of the bottom digit
_HELD = 0.1  # the share of the training digits of which the validation pairs are made
_NAME = "two_digits"


@check_keywords(n="pairs", count="pairs", samples="pairs", **OF_DATA_FILES)
def two_digits(path: str | Path | None = None, *, seed: int = 0, pairs: int | None = None) -> Splits:
    """Pairs of MNIST digits that overlap, one above the other, uint8 (n, 42, 28, 1), with a label for each.

    The top digit has the rows 0 to 27, the bottom digit the rows 14 to 41, and a pixel has the greater of both values.
    Both digits are drawn uniformly and independently, so a digit is in several pairs.  A tenth of the training digits,
    stratified, is in validation pairs only, and test pairs have test digits; so no digit is in two parts.

    Args:
        path: where MNIST is, as pn.datasets.mnist takes it; "sample" for its sample in the package.
        seed: of the pairs: the same seed gives the same pairs.
        pairs: the number of training pairs; None is one per training digit of MNIST, 60,000, or 6,000 of the sample.
            It changes neither the first pairs nor the other parts: there is one validation pair per validation digit,
            6,000, and one test pair per test digit, 10,000; of the sample 600 and 1,000.

    Returns:
        Splits: `.y` of a part is {"top": int64 (n,), "bottom": int64 (n,)}; `.note` mentions the sample.

    Raises:
        FileNotFoundError: MNIST is not at the path; the message lists each place tried.
        ValueError: a file is damaged; or seed or pairs is not such a number.

    >>> data = two_digits("sample")
    >>> len(data.train), len(data.validation), data.test.x.shape
    (6000, 600, (1000, 42, 28, 1))
    >>> {head: labels[:4].tolist() for head, labels in data.test.y.items()}
    {'top': [6, 2, 9, 3], 'bottom': [2, 9, 4, 9]}
    """
    seed = checked_seed(_NAME, seed)
    count = None if pairs is None else whole(_NAME, "pairs", pairs)
    digits = mnist(path)
    train, test = digits.train, digits.test
    assert test is not None
    rest, held = split_rows(train, _HELD, seed)
    return Splits(
        _pairs(train, rest, count or len(train), seed, "train"),
        _pairs(test, np.arange(len(test)), len(test), seed, "test"),
        _pairs(train, held, len(held), seed, "validation"),
        name=_NAME,
    )


def _pairs(digits: Dataset, rows: Array, count: int, seed: int, part: str) -> Dataset:
    """So many pairs of the digits in those rows."""
    top, bottom = (rows[_drawn(len(rows), count, seed, f"{_NAME} {part} {place}")] for place in ("top", "bottom"))
    x = np.zeros((count, _DOWN + _SIDE, _SIDE, 1), np.uint8)
    x[:, :_SIDE] = digits.x[top]
    np.maximum(x[:, _DOWN:], digits.x[bottom], out=x[:, _DOWN:])
    note = f"{digits.note} digits" if digits.note else ""
    return Dataset(x, {"top": digits.y[top], "bottom": digits.y[bottom]}, name=_NAME, note=note)


def _drawn(n: int, count: int, seed: int, stream: str) -> Array:
    """Row numbers below n, drawn uniformly; the i-th is a function of n, seed, stream and i."""
    values = _core.zeros((count,), dtype="float64")
    _core.random_fill(values, "uniform", 0, n, seed, stream)
    rows: Array = values.numpy().astype(np.int64)
    return rows
