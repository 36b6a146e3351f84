"""table_defaults.py -- which defaults suit tables?  Settings of pn.Classifier and pn.Regressor against MLP's defaults.

    python benchmarks/table_defaults.py [--settings "the defaults" "256 units"] [--sets moons weak] [--splits 4]

Each set of table_sets.py is split at random several times; a quarter is tested on.  MLPClassifier and MLPRegressor
follow a StandardScaler.  A row has, relative to them: the mean of log(our test loss / theirs), which are cross-entropy
or 1 - R²; on the sets of classes the mean difference of the accuracy, in points, and the number of sets where it is
worse than theirs by more than 1 point; the set with the worst accuracy; the median and the highest ratio of times.
"""

import argparse
import math
import time
import warnings
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from table_sets import CLASSES, VALUES, Pairs

import pyneural as pn

SETS = CLASSES | VALUES
Setting = Callable[[int, int], dict[str, Any]]  # of the numbers of rows and features


def passes(factor: float, rows: int) -> int:
    """Epochs for factor √n steps of 32 rows."""
    return max(5, round(32 * factor / math.sqrt(rows)))


HELD_OUT = {"validation": 0.1, "keep": "best"}
ADAM = {"optimizer": "adam", "weight_decay": None, "learning_rate": 0.003, "batch_size": 64} | HELD_OUT
BASE = {"hidden": (128,)}  # of all settings but the defaults, whose second layer table_sizes.py chose
SETTINGS: dict[str, Setting] = {
    "the defaults": lambda n, d: {"hidden": "auto"},
    "128 units": lambda n, d: {},
    "adam at 0.003, 500 steps": lambda n, d: ADAM | {"epochs": max(5, math.ceil(500 / (n / 64)))},
    "adam at 0.003, 780 steps": lambda n, d: ADAM | {"epochs": min(1000, max(5, math.ceil(50_000 / n)))},
    "adam, no decay": lambda n, d: {"optimizer": "adam", "weight_decay": None, "learning_rate": 0.01},
    "decay 0.1": lambda n, d: {"weight_decay": 0.1},
    "decay 0.3": lambda n, d: {"weight_decay": 0.3},
    "decay 12 / sqrt(n)": lambda n, d: {"weight_decay": min(1.0, 12 / math.sqrt(n))},
    "decay 2 sqrt(d / n)": lambda n, d: {"weight_decay": min(1.0, 2 * math.sqrt(d / n))},
    "decay 4 sqrt(d / n)": lambda n, d: {"weight_decay": min(1.0, 4 * math.sqrt(d / n))},
    "half the steps": lambda n, d: {"epochs": passes(40, n)},
    "rate 0.003": lambda n, d: {"learning_rate": 0.003},
    "rate 0.02": lambda n, d: {"learning_rate": 0.02},
    "batches of 64": lambda n, d: {"batch_size": 64, "epochs": passes(160, n)},
    "256 units": lambda n, d: {"hidden": (256,)},
    "128 and 64 units": lambda n, d: {"hidden": (128, 64)},
    "tanh": lambda n, d: {"activation": "tanh"},
    "gelu": lambda n, d: {"activation": "gelu"},
    "dropout 0.1": lambda n, d: {"dropout": 0.1},
    "batch norm": lambda n, d: {"batch_norm": True},
    "validation, best epoch": lambda n, d: HELD_OUT,
}


@cache
def table(name: str) -> Pairs:
    x, y = SETS[name]()
    return x, np.unique(y, return_inverse=True)[1] if name in CLASSES else y


def result(name: str, model: Any, split: int) -> tuple[float, float, float]:
    """Loss, accuracy (0 of values) and seconds of training."""
    x, y = table(name)
    known = name in CLASSES
    x_train, x_test, y_train, y_test = train_test_split(
        x, y, test_size=0.25, random_state=1000 + split, stratify=y if known else None
    )
    began = time.perf_counter()
    model.fit(x_train, y_train)
    seconds = time.perf_counter() - began
    if known:
        p = model.predict_proba(x_test)
        return float(log_loss(y_test, p, labels=range(p.shape[1]))), float((p.argmax(1) == y_test).mean()), seconds
    return float(((model.predict(x_test) - y_test) ** 2).mean() / y_test.var()), 0.0, seconds


@cache
def peers(name: str, split: int) -> tuple[float, float, float]:
    kind = MLPClassifier if name in CLASSES else MLPRegressor
    return result(name, make_pipeline(StandardScaler(), kind(random_state=split)), split)


def compared(setting: Setting, names: list[str], splits: int) -> str:
    """A row of the table."""
    losses, points, ratios = [], {}, []
    for name in names:
        rows, features = table(name)[0].shape
        kind = pn.Classifier if name in CLASSES else pn.Regressor
        chosen = BASE | setting(rows * 3 // 4, features)
        ours = np.array([result(name, kind(random_state=split, **chosen), split) for split in range(splits)])
        theirs = np.array([peers(name, split) for split in range(splits)])
        losses.append(math.log(ours[:, 0].mean() / theirs[:, 0].mean()))
        ratios.append(float(np.median(ours[:, 2] / theirs[:, 2])))
        if name in CLASSES:
            points[name] = 100 * float((ours[:, 1] - theirs[:, 1]).mean())
    row = f"{np.mean(losses):7.3f}"
    if points:
        worst = min(points, key=lambda name: points[name])
        lower = sum(value < -1 for value in points.values())
        row += f"{np.mean(list(points.values())):+9.2f}{lower:6}  {worst + f' {points[worst]:+.1f}':40}"
    return row + f"{np.median(ratios):7.2f}{max(ratios):6.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--settings", nargs="+", choices=SETTINGS, default=list(SETTINGS), metavar="NAME")
    parser.add_argument("--sets", nargs="+", default=[""], metavar="PART", help="parts of their names")
    parser.add_argument("--splits", type=int, default=4)
    options = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    names = [name for name in SETS if any(part in name for part in options.sets)]
    print(f"{len(names)} sets, {options.splits} splits of each")
    print(f"{'setting':25}{'loss':>7}{'accuracy':>9}{'lower':>6}  {'worst':40}{'time':>7}{'most':>6}")
    for setting in options.settings:
        print(f"{setting:25}{compared(SETTINGS[setting], names, options.splits)}", flush=True)


if __name__ == "__main__":
    main()
