"""pictures.py -- plots of data."""

from collections.abc import Sequence
from typing import Any

import numpy as np

import pyneural.plot.drawing as drawing
from pyneural.arguments.arrays import Array
from pyneural.arguments.familiar_keywords import OF_PLOTS
from pyneural.arguments.spelling import check_keywords
from pyneural.batching.augmentation import Augment, augmented_gather, check_augment
from pyneural.card.classes import checked_names, of_head
from pyneural.card.preprocessing import Preprocessing
from pyneural.datasets.dataset import Dataset, by_head
from pyneural.plot.drawing import INK


@check_keywords(**OF_PLOTS)
def images(
    x: Any,
    y: Any = None,
    *,
    classes: Sequence[str] = (),
    count: int = 50,
    columns: int | None = None,
    augment: Augment | None = None,
    ax: Any = None,
) -> Any:
    """Images in a grid, with their labels; or one array as a heat map with its scale.

    Args:
        x: a Dataset or pair (x, y), with labels; images (n, height, width) or (n, height, width, 1 or 3 channels);
            one image (height, width, 1 or 3); or one array (rows, columns) of numbers, such as weights: if some are
            negative, 0 is white, positive numbers are red, negative ones blue.
        y: (n,) labels, shown above the images; a dict of them if there are heads.
        classes: the names of the classes; empty: their numbers.
        count: the number of images to draw.
        columns: images per row; None chooses by their size.
        augment: as in pn.fit: behind each image, the rest of its row shows it in epochs 1, 2, ... of
            pn.fit(augment=augment, seed=0).
        ax: Axes to draw into, one per image.

    Returns:
        The Axes of one image or heat map, or else the array of Axes (rows, columns).

    Raises:
        ValueError: x is not images, or there is not one label per image.
        ImportError: matplotlib is not installed (the same for every function here).

    >>> data = pn.datasets.mnist("sample").test
    >>> pn.plot.images(data, count=20).shape
    (2, 10)
    >>> pn.plot.images(data, count=20, augment=pn.Augment(rotate=15)).shape
    (2, 10)
    """
    check_augment("plot.images", augment)
    x = drawing.as_pair(x, "images")
    classes = checked_names("plot.images", classes)
    if isinstance(x, Dataset):
        x, y, classes = x.x, x.y if y is None else y, classes or x.classes
    x = drawing.as_array("x", x, "images")
    if x.ndim == 2 and x.size and x.dtype.kind in "biuf":
        return drawing.heat_map(x, ax)
    one = x.ndim == 3 and x.shape[2] in (1, 3)
    x = x[None] if one else x
    pixels = drawing.pixels(x, count, "images")
    titles = [""] * len(pixels)
    for head, labels in ({} if y is None else by_head(y)).items():
        labels = np.atleast_1d(drawing.as_array("y", labels, "images"))
        if len(labels) != len(x):
            raise ValueError(f"plot.images: x has {len(x):,} images, y is {labels.shape}: give one label per image")
        names = [f"{head} {drawing.label_text(label, of_head(classes, head))}".strip() for label in labels[:count]]
        titles = [f"{title}\n{name}".strip() for title, name in zip(titles, names, strict=True)]
    if augment is not None:
        rows, columns = drawing.rows_of_versions(pixels, titles, count, columns, ax, "images")
        pixels = _with_epochs(pixels[:rows], augment, columns - 1)
        titles = [title for name in titles[:rows] for title in (name, *[""] * (columns - 1))]
        titles[1:columns] = [f"epoch {number}" for number in range(1, columns)]
    axes = drawing.grid(pixels, titles, [INK] * len(titles), columns, ax, "images")
    return axes[0, 0] if one and augment is None else axes


def _with_epochs(pixels: Array, augment: Augment, epochs: int) -> Array:
    """Each image, followed by what it is in the first epochs of a training with seed 0."""
    x = pixels if pixels.dtype == np.uint8 else pixels.astype("float32")
    rows = np.arange(len(x))
    plain = Preprocessing("none", "uint8" if x.dtype == np.uint8 else "float")
    made = [x]
    for epoch in range(epochs):
        changed = augmented_gather(augment, plain, x.dtype, "float32", 0, epoch)(x, rows, rows).numpy()
        made.append(np.rint(changed).astype("uint8") if x.dtype == np.uint8 else changed)
    return np.stack(made, axis=1).reshape(-1, *x.shape[1:])
