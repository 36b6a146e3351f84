"""table_sizes.py -- from how many rows on does a second hidden layer pay?  hidden=(128, 64) against (128,) on tables.

    python benchmarks/table_sizes.py [--rows 400 6000]

Two groups of sets, all made by table_sets.py: "curved", those of table_defaults.py with 1,500 rows and more, cut to so
many training rows; and "noisy", the kinds of its small sets (nearly linear, categories, wrong labels, few or rare
classes), made with more rows and other seeds.  Each row has the mean over a group of log(loss of (128, 64) / loss of
(128,)), cross-entropy or 1 - R² on 2,000 to 3,000 other rows (a quarter of the smallest sets), the highest of the set,
and the mean difference of the accuracy, in points.
"""

import argparse
import math
import zlib
from functools import partial
from typing import NamedTuple

import numpy as np
import table_sets
from sklearn import datasets
from sklearn.metrics import log_loss
from table_sets import CLASSES, ONE, VALUES, categories, classes, sparse_logits, weak

import pyneural as pn

TESTED = 3000
LAYERS = (128,), (128, 64)
NOISY_CLASSES = {
    "categories": partial(categories, seed=304),
    "sparse logits": partial(sparse_logits, features=10, seed=305),
    "sparse logits, 4 classes": partial(sparse_logits, features=20, seed=307, count=4),
    "wrong labels": partial(classes, features=40, count=2, seed=308, flip_y=0.2),
    "moons": partial(datasets.make_moons, noise=0.3, random_state=309),
    "blobs": partial(table_sets.blobs, features=4, count=3, spread=3.0, seed=310),
    "imbalanced, 1 in 20": partial(classes, features=10, count=2, seed=311, weights=[0.95], flip_y=0.01),
    "imbalanced, 1 in 10": partial(classes, features=8, count=2, seed=313, weights=[0.9], flip_y=0.02),
    "easy": partial(classes, features=30, count=2, seed=312, class_sep=2.0, flip_y=0.03, **ONE),
}
NOISY_VALUES = {
    "weak": partial(weak, features=8, seed=301),
    "weaker": partial(weak, features=12, seed=302, known=0.4),
    "weakest": partial(weak, features=20, seed=306, known=0.2),
    "categories, values": partial(categories, seed=303, values=True),
    "friedman3": partial(datasets.make_friedman3, noise=0.3, random_state=314),
    "linear": partial(table_sets.linear, features=10, informative=6, noise=100.0, seed=315),
}


class Change(NamedTuple):
    """What the second layer changes on a set: the log of the loss, and the accuracy in points, None of values."""

    loss: float
    points: float | None


def change(x: np.ndarray, y: np.ndarray, train: np.ndarray, test: np.ndarray, has_classes: bool) -> Change:
    losses, accuracies = [], []
    for hidden in LAYERS:
        kind = pn.Classifier if has_classes else pn.Regressor
        model = kind(hidden=hidden, random_state=0).fit(x[train], y[train])
        if has_classes:
            p = model.predict_proba(x[test])
            losses.append(float(log_loss(y[test], p, labels=model.classes_)))
            accuracies.append(100 * float((model.classes_[p.argmax(1)] == y[test]).mean()))
        else:
            losses.append(float(((model.predict(x[test]) - y[test]) ** 2).mean()))
    return Change(math.log(losses[1] / losses[0]), accuracies[1] - accuracies[0] if has_classes else None)


def curved(rows: int) -> dict[str, Change]:
    """The large sets of table_defaults.py that have a quarter of their rows left for the test."""
    found = {}
    for name, make in (CLASSES | VALUES).items():
        x, y = make()
        if len(x) >= 1500 and rows <= len(x) * 3 // 4:
            order = np.random.default_rng(zlib.crc32(name.encode())).permutation(len(x))
            test = order[-min(TESTED, len(x) // 4) :]
            found[name] = change(x, y, order[:rows], test, name in CLASSES)
    return found


def noisy(rows: int) -> dict[str, Change]:
    found = {}
    for name, make in (NOISY_CLASSES | NOISY_VALUES).items():
        x, y = make(rows + TESTED)
        order = np.random.default_rng(7).permutation(len(x))
        found[name] = change(x, y, order[:rows], order[rows:], name in NOISY_CLASSES)
    return found


def line(rows: int, group: str, changes: dict[str, Change]) -> str:
    losses = {name: one.loss for name, one in changes.items()}
    worst = max(losses, key=lambda name: losses[name])
    points = [one.points for one in changes.values() if one.points is not None]
    mean = np.mean(list(losses.values()))
    return (
        f"| {rows:,} | {group} | {len(changes)} | {mean:+.3f} | {np.mean(points):+.2f} | {worst} {losses[worst]:+.2f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", nargs="+", type=int, default=[400, 800, 1500, 3000, 6000, 12_000])
    options = parser.parse_args()
    print("| training rows | sets | number | loss | accuracy | worst set |")
    print("| ---: | --- | ---: | ---: | ---: | --- |")
    for rows in options.rows:
        print(line(rows, "curved", curved(rows)), flush=True)
        print(line(rows, "noisy", noisy(rows)), flush=True)


if __name__ == "__main__":
    main()
