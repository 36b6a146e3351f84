"""Synthetic tables that the defaults of pn.Classifier and pn.Regressor were chosen on."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from sklearn import datasets

Pairs = tuple[np.ndarray, np.ndarray]


def classes(n: int, features: int, count: int, seed: int, **more: Any) -> Pairs:
    """make_classification with about half of the features informative."""
    informative = more.pop("informative", max(3, features // 2))
    more["n_redundant"] = min(features - informative, features // 4)
    return datasets.make_classification(
        n, features, n_informative=informative, n_classes=count, random_state=seed, **more
    )


def sparse_logits(n: int, features: int, seed: int, count: int = 2) -> Pairs:
    """Linear logits of five features, with labels drawn from them."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, features))
    weights = np.zeros((features, count))
    weights[:5] = 1.5 * rng.normal(size=(5, count))
    return x, (x @ weights + rng.gumbel(size=(n, count))).argmax(1)


def categories(n: int, seed: int, values: bool = False) -> Pairs:
    """Effects of one-hot columns, one interaction and one number."""
    rng = np.random.default_rng(seed)
    columns, effect = [], np.zeros(n)
    for count in (3, 5, 8, 4):
        codes = rng.integers(0, count, n)
        columns.append(np.eye(count)[codes])
        effect += rng.normal(size=count)[codes]
    a, b = rng.integers(0, 3, n), rng.integers(0, 3, n)
    effect += 1.5 * rng.normal(size=(3, 3))[a, b]
    numbers = rng.normal(size=(n, 3))
    effect += numbers[:, 0]
    x = np.concatenate([*columns, np.eye(3)[a], np.eye(3)[b], numbers], 1)
    noise = 0.5 * (rng.normal(size=n) if values else rng.logistic(size=n))
    return x, effect + noise if values else (effect + noise > 0).astype(np.int64)


def parity(n: int, seed: int) -> Pairs:
    """Exclusive or of the signs of two of six features."""
    x = np.random.default_rng(seed).normal(size=(n, 6))
    return x, (x[:, :2] > 0).sum(1) % 2


def pictures(n: int, seed: int, count: int = 10, side: int = 8) -> Pairs:
    """Shifted and noisy copies of three smooth prototypes of each class, as numbers from 0 to 16."""
    rng = np.random.default_rng(seed)
    low = rng.normal(size=(count, 3, 5, 5))
    at = np.linspace(0, 3.999, side + 2)
    cell, part = at.astype(int), at % 1
    rows = low[:, :, cell] * (1 - part)[:, None] + low[:, :, cell + 1] * part[:, None]
    smooth = rows[..., cell] * (1 - part) + rows[..., cell + 1] * part
    y, style = rng.integers(0, count, n), rng.integers(0, 3, n)
    down, right = rng.integers(0, 3, n), rng.integers(0, 3, n)
    cut = [smooth[c, s, i : i + side, j : j + side] for c, s, i, j in zip(y, style, down, right, strict=True)]
    x = np.array(cut) / smooth.std() + 0.7 * rng.normal(size=(n, side, side))
    return np.clip(np.round(4 * (x + 2)), 0, 16).reshape(n, -1), y


def sines(n: int, features: int, seed: int, noise: float) -> Pairs:
    rng = np.random.default_rng(seed)
    x = rng.uniform(-2, 2, (n, features))
    y = np.sin(1.5 * x) @ rng.normal(size=features) + 0.5 * np.cos(2 * x[:, 0])
    return x, 1000 * (y + noise * rng.normal(size=n))


def interactions(n: int, features: int, seed: int) -> Pairs:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, features))
    return x, x[:, 0] * x[:, 1] + x[:, 2] * np.abs(x[:, 3]) + x[:, 4] + 0.3 * rng.normal(size=n)


def steps(n: int, features: int, seed: int) -> Pairs:
    """A function that is constant in boxes."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(size=(n, features))
    y = 2.0 * (x[:, 0] > 0.3) + 3.0 * (x[:, 1] > 0.6) * (x[:, 2] > 0.5) + np.floor(4 * x[:, 3])
    return x, y + 0.3 * rng.normal(size=n)


def weak(n: int, features: int, seed: int, known: float = 0.5) -> Pairs:
    """Almost linear in correlated features, which explain `known` of the variance; the mean is far from 0."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, features)) @ (0.4 * rng.normal(size=(features, features)) + np.eye(features))
    signal = x @ (rng.normal(size=features) * (rng.uniform(size=features) < 0.6))
    signal /= signal.std()
    signal += 0.3 * np.maximum(signal, 0) ** 2
    return x, 150 + 70 * (np.sqrt(known) * signal + np.sqrt(1 - known) * rng.normal(size=n))


def linear(n: int, features: int, informative: int, noise: float, seed: int) -> Pairs:
    return datasets.make_regression(n, features, n_informative=informative, noise=noise, random_state=seed)


def blobs(n: int, features: int, count: int, spread: float, seed: int) -> Pairs:
    return datasets.make_blobs(n, features, centers=count, cluster_std=spread, random_state=seed)


def quantiles(n: int, features: int, count: int, seed: int) -> Pairs:
    return datasets.make_gaussian_quantiles(n_samples=n, n_features=features, n_classes=count, random_state=seed)


ONE = {"n_clusters_per_class": 1}
CLASSES: dict[str, Callable[[], Pairs]] = {
    "classes 110 x 4": partial(classes, 110, 4, 3, 201, informative=3, class_sep=1.2, **ONE),
    "classes 130 x 5": partial(classes, 130, 5, 3, 101, informative=4, class_sep=1.5, **ONE),
    "classes 160 x 12, easy": partial(classes, 160, 12, 3, 202, class_sep=2.0, **ONE),
    "classes 200 x 15": partial(classes, 200, 15, 3, 102, class_sep=1.2, **ONE),
    "classes 300 x 30": partial(classes, 300, 30, 2, 203, class_sep=1.2, **ONE),
    "classes 400 x 25": partial(classes, 400, 25, 2, 103),
    "classes 450 x 30, easy": partial(classes, 450, 30, 2, 204, class_sep=2.5, flip_y=0.03, **ONE),
    "classes 500 x 40, wrong labels": partial(classes, 500, 40, 2, 105, flip_y=0.2),
    "classes 700 x 30, easy": partial(classes, 700, 30, 2, 104, class_sep=2.0, **ONE),
    "classes 1500 x 20": partial(classes, 1500, 20, 5, 106),
    "classes 4000 x 30": partial(classes, 4000, 30, 3, 107),
    "classes 12000 x 20": partial(classes, 12000, 20, 2, 108, n_clusters_per_class=4),
    "classes 20000 x 40": partial(classes, 20000, 40, 6, 109),
    "imbalanced 400 x 8": partial(classes, 400, 8, 2, 213, weights=[0.9], flip_y=0.02),
    "imbalanced 2000 x 10": partial(classes, 2000, 10, 2, 110, weights=[0.95], flip_y=0.01),
    "imbalanced 9000 x 20": partial(classes, 9000, 20, 2, 111, weights=[0.98], flip_y=0.005),
    "moons 120": partial(datasets.make_moons, 120, noise=0.25, random_state=207),
    "moons 200": partial(datasets.make_moons, 200, noise=0.3, random_state=112),
    "blobs 140 x 5": partial(blobs, 140, 5, 3, 4.0, 205),
    "blobs 150 x 4": partial(blobs, 150, 4, 3, 3.0, 114),
    "blobs 180 x 13": partial(blobs, 180, 13, 3, 8.0, 206),
    "blobs 600 x 20": partial(blobs, 600, 20, 8, 6.0, 113),
    "quantiles 200 x 3": partial(quantiles, 200, 3, 3, 212),
    "quantiles 600 x 5": partial(quantiles, 600, 5, 3, 115),
    "quantiles 6000 x 10": partial(quantiles, 6000, 10, 4, 116),
    "hastie 1000": partial(datasets.make_hastie_10_2, 1000, random_state=117),
    "hastie 12000": partial(datasets.make_hastie_10_2, 12000, random_state=118),
    "sparse logits 200 x 10": partial(sparse_logits, 200, 10, 208),
    "sparse logits 250 x 50": partial(sparse_logits, 250, 50, 119),
    "sparse logits 400 x 20": partial(sparse_logits, 400, 20, 209, 4),
    "categories 300": partial(categories, 300, 210),
    "categories 800": partial(categories, 800, 120),
    "parity 500": partial(parity, 500, 121),
    "pictures 300": partial(pictures, 300, 211, 5),
    "pictures 1200": partial(pictures, 1200, 122),
}
VALUES: dict[str, Callable[[], Pairs]] = {
    "linear 150 x 10": partial(linear, 150, 10, 6, 20.0, 131),
    "linear 200 x 8": partial(linear, 200, 8, 5, 30.0, 227),
    "linear 3000 x 30": partial(linear, 3000, 30, 12, 10.0, 132),
    "weak 150 x 6": partial(weak, 150, 6, 221),
    "weak 300 x 8": partial(weak, 300, 8, 133),
    "weak 450 x 10": partial(weak, 450, 10, 222),
    "weak 500 x 12": partial(weak, 500, 12, 134, 0.4),
    "friedman2 120": partial(datasets.make_friedman2, 120, noise=50, random_state=223),
    "friedman2 300": partial(datasets.make_friedman2, 300, noise=50, random_state=135),
    "friedman2 4000": partial(datasets.make_friedman2, 4000, noise=20, random_state=136),
    "friedman3 600": partial(datasets.make_friedman3, 600, noise=0.05, random_state=137),
    "friedman3 9000": partial(datasets.make_friedman3, 9000, noise=0.02, random_state=138),
    "sines 250 x 2": partial(sines, 250, 2, 139, 0.2),
    "sines 12000 x 6": partial(sines, 12000, 6, 140, 0.1),
    "interactions 400 x 6": partial(interactions, 400, 6, 224),
    "interactions 1000 x 8": partial(interactions, 1000, 8, 141),
    "interactions 20000 x 10": partial(interactions, 20000, 10, 142),
    "steps 300 x 5": partial(steps, 300, 5, 225),
    "steps 2000 x 6": partial(steps, 2000, 6, 143),
    "categories 250": partial(categories, 250, 226, True),
    "categories 600": partial(categories, 600, 144, True),
}
