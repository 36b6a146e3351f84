"""drift.py -- record_pixels, and the check whether images are like the training images, by statistics of their pixels.

Each image is described by a few numbers: those of pyneural/images/statistics.py about its tones, and two about its maps
of light and dark and of fine detail, m.  The directions in which the maps of training images vary are their principal
components u_k with variances v_k, and r is the mean variance of the other directions (Tipping and Bishop 1999)::

    pattern = log(|m - c|^2 - sum over k of (1 - r / v_k) <u_k, m - c>^2),   c the mean of the training maps
    upright = pattern, less the pattern of the image upside down

An image is unlike the training images if one of its numbers is out of their range.  That is the range of 99.9 % of them
for tones and of 99 % for pattern and upright, which have an upper limit only; its sides are then moved away from the
median, by 50 % of their distance from it for tones, which differ between hospitals and cameras, by 30 % for the others,
and by more if there are few training images.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from pyneural.arguments.arrays import Array
from pyneural.arguments.checks import warn
from pyneural.arguments.spelling import check_keywords
from pyneural.batching.image_input import reads_images
from pyneural.batching.inputs import check_model, fitted
from pyneural.card.pixels import Pixels, whole
from pyneural.datasets.dataset import Dataset
from pyneural.images.statistics import described, grid_of
from pyneural.models.ensemble import Ensemble
from pyneural.models.model import Model

_OF_TONES, _OF_MAPS = (0.999, 0.5), (0.99, 0.3)  # the share of images in a range, and how far its sides are moved
_FEW = 100  # with so many images, the limits are moved twice as far; with half as many, three times as far
_FEWEST = 20  # images, at least, for a meaningful range
_MOST = 20_000  # images that are used, evenly spread over all
_DIRECTIONS = 32
_PER_DIRECTION = 8  # images that one more direction needs
_BATCH = 64
_LEAST = 1e-3  # of squared distances: an image is not closer to the training images than this
_LARGEST = 700.0  # its exponential is still finite
_MARGINS = {"mean": 1.0, "deviation": 1.0, "detail": 0.05, "black": 0.01, "white": 0.01, "colour": 1.0}  # at the least
_UPSIDE_DOWN = "it seems to be upside down"
_WORDS = {
    "mean": ("it is darker", "it is brighter"),
    "deviation": ("it has less contrast", "it has more contrast"),
    "detail": ("it has less fine detail", "it has more fine detail or noise"),
    "black": ("less of it is black", "more of it is black"),
    "white": ("less of it is white", "more of it is white"),
    "colour": ("it has less colour", "it has more colour"),
    "pattern": ("", "its light and dark parts lie elsewhere"),
}


@check_keywords(x="images", data="images")
def record_pixels(model: Model | Ensemble, images: Any) -> None:
    """Records statistics of the training images in a model, so that other images get a warning.

    Afterwards pn.predict, pn.classify, pn.evaluate and `pyneural predict` warn of images that are unlike the training
    images, such as a photograph given to a model of X-rays, since the answers for them should not be trusted.  A model
    does not detect such images: it assigns a class to each one, often with high confidence.  An image without a warning
    may still be unlike them in ways that these statistics do not see.

    Args:
        model: a model trained on images of uint8 pixels.
        images: the images that it was trained on, (n, height, width, channels), or a pn.Dataset of them.  Of more than
            20,000 images, 20,000 are used, evenly spread; with fewer than 20, nothing is recorded.

    Raises:
        ValueError, TypeError: the model does not take images, or the images do not fit it.

    >>> import numpy as np, pyneural as pn
    >>> data = pn.datasets.mnist("sample")
    >>> model = pn.Sequential(pn.Flatten(), pn.Dense(10))
    >>> history = pn.fit(model, data, epochs=1, verbose=0)
    >>> pn.record_pixels(model, data.train)
    >>> [one is None for one in unlike_training(model, np.stack([data.test.x[0], 255 - data.test.x[0]]))]
    [True, False]
    """
    x = _images(model, images, "record_pixels")
    model.card.pixels = _learnt(x[:: -(-len(x) // _MOST)]) if len(x) >= _FEWEST else None


def unlike_training(model: Model | Ensemble, images: Any) -> list[str | None]:
    """Why images are unlike those that a model was trained on.

    Args:
        model: a model; if record_pixels was not called, no image is unlike.
        images: as in record_pixels.

    Returns:
        For each image None, or one sentence.
    """
    x = _images(model, images, "unlike_training")
    pixels = model.card.pixels
    return [None] * len(x) if pixels is None else list(_reasons(pixels, x))


class Watch:
    """Looks at the images that a model is given, and warns of those that are unlike its training images.

    Args:
        model: a model with statistics of its training images; without them, no image is unlike.
        who: the prefix of the warning.
    """

    def __init__(self, model: Model | Ensemble, who: str) -> None:
        self._pixels = model.card.pixels
        self._who = who
        self._count = self._unlike = 0
        self._first: tuple[int, str] | None = None

    def see(self, x: Array) -> None:
        """Looks at a batch (n, height, width, channels)."""
        if self._pixels is None:
            return
        for reason in _reasons(self._pixels, x):
            if reason is not None:
                self._unlike += 1
                self._first = self._first or (self._count, reason)
            self._count += 1

    def warn(self) -> None:
        """Warns, once, of all images that were seen."""
        if self._first is None:
            return
        place, reason = self._first
        if self._count == 1:
            found = f"the image is unlike the training images: {reason}: do not trust the answer"
        else:
            are = "is" if self._unlike == 1 else "are"
            found = (
                f"{self._unlike:,} of {self._count:,} images {are} unlike the training images, the first at index "
                f"{place}: {reason}: do not trust the answers for them"
            )
        warn(f"{self._who}: {found}")


def _images(model: Model | Ensemble, images: Any, who: str) -> Array:
    """Checked images (n, height, width, channels)."""
    check_model(model, who)
    if not reads_images(model):
        raise ValueError(f"{who}: the model was not trained on images of uint8 pixels, (height, width, 1 or 3)")
    x = images.x if isinstance(images, Dataset) else images
    if not isinstance(x, np.ndarray) or x.dtype != np.uint8:
        given = x.dtype.name if isinstance(x, np.ndarray) else type(x).__name__
        raise TypeError(f"{who}: images is {given}: give uint8 pixels (n, height, width, channels), or a pn.Dataset")
    shape = model.input_shape or ()
    return fitted(model, x[None] if x.shape in (shape, shape[:2]) else x, who)


def _learnt(x: Array) -> Pixels:
    """The statistics of training images.

    The ranges of pattern and upright are those of each half with the directions of the other one.
    """
    grid = grid_of(x.shape[1:])
    parts = [described(batch, grid) for batch in _batches(x)]
    flat = np.concatenate([part.maps for part in parts]).reshape(len(x), -1)
    even, odd = flat[0::2], flat[1::2]
    distances = [_distances(even, grid, *_directions(odd)), _distances(odd, grid, *_directions(even))]
    numbers = _joined([part.tones for part in parts]) | _joined(distances)
    centre, directions = _directions(flat)
    ranges = {name: _range(name, values) for name, values in numbers.items()}
    return Pixels(len(x), grid, whole(centre), whole(directions), ranges)


def _directions(flat: Array) -> tuple[Array, Array]:
    """The mean of maps (n, cells), and their principal components, each times the root of 1 - r / v."""
    centre = flat.mean(axis=0)
    apart = (flat - centre).astype(np.float64)
    variances, components = np.linalg.eigh(apart.T @ apart / len(flat))
    count = min(_DIRECTIONS, len(flat) // _PER_DIRECTION, len(variances) - 1)
    rest = max(0.0, variances[: len(variances) - count].mean())
    kept = slice(len(variances) - count, None)
    shares = 1 - rest / np.maximum(variances[kept], max(rest, np.finfo(float).tiny))
    return centre, components.T[kept] * np.sqrt(shares)[:, None]


def _distances(flat: Array, grid: tuple[int, int], centre: Array, directions: Array) -> dict[str, Array]:
    """The numbers pattern and upright of images, by their maps (n, cells)."""
    turned = flat.reshape(-1, 2, *grid)[:, :, ::-1].reshape(flat.shape)
    pattern = _distance(flat - centre, directions)
    return {"pattern": pattern, "upright": pattern - _distance(turned - centre, directions)}


def _distance(apart: Array, directions: Array) -> Array:
    explained = apart @ directions.T
    squared = np.square(apart).sum(axis=1) - np.square(explained).sum(axis=1)
    found: Array = np.log(np.maximum(squared, _LEAST))
    return found


def _range(name: str, values: Array) -> tuple[float, float]:
    """The range of a number that is expected of images like these."""
    share, wider = _OF_TONES if name in _MARGINS else _OF_MAPS
    low, middle, high = np.quantile(values, [(1 - share) / 2, 0.5, (1 + share) / 2])
    wider, least = wider * (1 + _FEW / len(values)), _MARGINS.get(name, 0.0)
    return float(low - max(wider * (middle - low), least)), float(high + max(wider * (high - middle), least))


def _reasons(pixels: Pixels, x: Array) -> Iterator[str | None]:
    """For each image, None or how it is unlike."""
    for batch in _batches(x):
        tones, maps = described(batch, pixels.grid)
        numbers = tones | _distances(maps.reshape(len(batch), -1), pixels.grid, *pixels.arrays)
        for row in range(len(batch)):
            yield _in_words({name: float(values[row]) for name, values in numbers.items()}, pixels.ranges)


def _in_words(numbers: dict[str, float], ranges: dict[str, tuple[float, float]]) -> str | None:
    """How an image is unlike: each number that is out of its range, with the limit, or None."""
    found = {}
    for name, (below, above) in _WORDS.items():
        low, high = ranges.get(name, (-np.inf, np.inf))
        value = numbers.get(name, low)
        if value > high:
            found[name] = f"{above} ({_shown(name, value)}, theirs at most {_shown(name, high)})"
        elif value < low and below:
            found[name] = f"{below} ({_shown(name, value)}, theirs at least {_shown(name, low)})"
    most, least_turned = (ranges.get(name, (0, np.inf))[1] for name in ("pattern", "upright"))
    if numbers["upright"] > least_turned and numbers["pattern"] - numbers["upright"] <= most:  # like them if turned
        found["pattern"] = _UPSIDE_DOWN
    return ", ".join(found.values()) or None


def _shown(name: str, value: float) -> str:
    """A number of an image as text: shares in percent, logarithms undone, others in grey levels."""
    if name in ("black", "white"):
        return f"{100 * value:.1f} %"
    return f"{np.exp(min(value, _LARGEST)) if name in ('detail', 'pattern') else value:.3g}"


def _batches(x: Array) -> Iterator[Array]:
    for start in range(0, len(x), _BATCH):
        yield x[start : start + _BATCH]


def _joined(parts: list[dict[str, Array]]) -> dict[str, Array]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
