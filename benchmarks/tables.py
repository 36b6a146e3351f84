"""tables.py -- pn.Classifier and pn.Regressor against scikit-learn's networks on tables, with the defaults of both.

    python benchmarks/tables.py [--sets iris digits] [--quick] [--write]

Five times five folds (with --quick one time, and fewer rows of the large sets).  MLPClassifier and MLPRegressor follow
a StandardScaler, as do LogisticRegression and Ridge, which stand beside with HistGradientBoosting; so does MLPRegressor
on standardized targets, which is not its default.  The score is the accuracy, the average precision of the rare class,
or R².  Before anything is timed, two fits of ours must give the same
bits.  The fits of ours and of MLP are timed in turn; the ratio is the median over the folds.

The interval of a difference d over J folds is that of Nadeau & Bengio (Inference for the Generalization Error, 2003),
since the training parts overlap:  mean(d) ± t(J - 1, .975) √((1 / J + n_test / n_train) var(d)).

Exits with 1 if a score is worse than that of MLP by more than the interval, a fit is slower, or the mean rank is not
better.  --write replaces the table in docs/tables.md.
"""

import argparse
import math
import re
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import table_sets
from judge import Target, table, verdict
from scipy import stats
from sklearn import datasets
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, average_precision_score, r2_score
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import pyneural as pn

Pairs = tuple[np.ndarray, np.ndarray]
PAGE = Path(__file__).resolve().parent.parent / "docs" / "tables.md"
OURS, PEER, LINEAR, TREES = "pyneural", "MLP", "linear", "boosted trees"
SCALED = "MLP, scaled y"
RANKED = OURS, PEER, LINEAR, TREES
RARE = 1  # the class whose average precision is the score of the imbalanced set


class Table(NamedTuple):
    """A data set: its score, and a function of `quick` that returns x and y."""

    score: str
    make: Callable[[bool], Pairs]

    @property
    def has_classes(self) -> bool:
        return self.score != "R²"


def bundled(load: Callable[..., Pairs]) -> Callable[[bool], Pairs]:
    return lambda quick: load(return_X_y=True)


def classification(quick: bool) -> Pairs:
    """Five classes in 20 features, 10 of them informative."""
    n = 1000 if quick else 10_000
    return datasets.make_classification(n, 20, n_informative=10, n_classes=5, random_state=0)


def friedman(quick: bool) -> Pairs:
    """Friedman's first function, with targets times 1000."""
    x, y = datasets.make_friedman1(1000 if quick else 10_000, noise=1.0, random_state=0)
    return x, 1000 * y


def imbalanced(quick: bool) -> Pairs:
    """One row in twenty has the rare class."""
    n = 1000 if quick else 5000
    return datasets.make_classification(n, 15, n_informative=8, weights=[0.95], flip_y=0.01, random_state=0)


def steps(quick: bool) -> Pairs:
    """A function that is constant in boxes, which suits trees."""
    return table_sets.steps(1000 if quick else 5000, 10, seed=900)


SETS = {
    "iris": Table("accuracy", bundled(datasets.load_iris)),
    "wine": Table("accuracy", bundled(datasets.load_wine)),
    "breast cancer": Table("accuracy", bundled(datasets.load_breast_cancer)),
    "digits": Table("accuracy", bundled(datasets.load_digits)),
    "diabetes": Table("R²", bundled(datasets.load_diabetes)),
    "classification": Table("accuracy", classification),
    "friedman1 x 1000": Table("R²", friedman),
    "imbalanced": Table("average precision", imbalanced),
    "steps": Table("R²", steps),
}


class Result(NamedTuple):
    """The results of all models on one set, by fold."""

    name: str
    score: str
    shape: tuple[int, ...]
    scores: dict[str, list[float]]
    seconds: dict[str, list[float]]
    share: float  # n_test / n_train

    def difference(self) -> tuple[float, float]:
        """The mean of our score minus that of MLP, and half the width of its interval."""
        d = np.subtract(self.scores[OURS], self.scores[PEER])
        spread = math.sqrt((1 / len(d) + self.share) * float(d.var(ddof=1)))
        return float(d.mean()), float(stats.t.ppf(0.975, len(d) - 1)) * spread

    def ratio(self) -> float:
        """Our time over that of MLP: the median over the folds."""
        pairs = zip(self.seconds[OURS], self.seconds[PEER], strict=True)
        return statistics.median(ours / peer for ours, peer in pairs)

    def ranks(self) -> dict[str, float]:
        """The rank of each model with its defaults by its mean score; equal ones share theirs."""
        means = [-float(np.mean(self.scores[kind])) for kind in RANKED]
        return dict(zip(RANKED, map(float, stats.rankdata(means)), strict=True))


def models(classes: bool, seed: int) -> dict[str, Any]:
    """Fresh models with their defaults, and for values one on standardized targets."""
    pick = (lambda first, second: first) if classes else (lambda first, second: second)
    scaled = TransformedTargetRegressor(MLPRegressor(random_state=seed), transformer=StandardScaler())
    return {
        OURS: pick(pn.Classifier, pn.Regressor)(random_state=seed),
        PEER: make_pipeline(StandardScaler(), pick(MLPClassifier, MLPRegressor)(random_state=seed)),
        LINEAR: make_pipeline(StandardScaler(), pick(LogisticRegression, Ridge)()),
        TREES: pick(HistGradientBoostingClassifier, HistGradientBoostingRegressor)(random_state=seed),
    } | ({} if classes else {SCALED: make_pipeline(StandardScaler(), scaled)})


def scored(model: Any, score: str, x: np.ndarray, y: np.ndarray) -> float:
    """The score of a trained model on held-out rows."""
    if score == "R²":
        return float(r2_score(y, model.predict(x)))
    if score == "accuracy":
        return float(accuracy_score(y, model.predict(x)))
    return float(average_precision_score(y == RARE, model.predict_proba(x)[:, RARE]))


def check(one: Table, x: np.ndarray, y: np.ndarray) -> None:
    """Raises an error if two fits of ours differ, or what they predict is not of the right kind."""
    first, second = (models(one.has_classes, 0)[OURS].fit(x, y) for _ in range(2))
    name = "predict_proba" if one.has_classes else "predict"
    found = getattr(first, name)(x)
    if not np.array_equal(found, getattr(second, name)(x)):
        raise AssertionError("two fits with the same random_state gave different predictions")
    shape = (len(x), len(np.unique(y))) if one.has_classes else (len(x),)
    if found.shape != shape or not np.isfinite(found).all():
        raise AssertionError(f"the predictions are {found.shape}, and were to be finite and {shape}")
    if one.has_classes and np.abs(found.sum(axis=1) - 1).max() > 1e-6:  # float32 probabilities
        raise AssertionError("probabilities do not sum to 1")


def measured(name: str, quick: bool) -> Result:
    """Trains every model on every fold of a set."""
    one = SETS[name]
    x, y = one.make(quick)
    check(one, x, y)
    fold_kind = StratifiedKFold if one.has_classes else KFold
    scores: dict[str, list[float]] = {}
    seconds: dict[str, list[float]] = {}
    share = 0.0
    for seed in range(1 if quick else 5):
        for train, test in fold_kind(5, shuffle=True, random_state=seed).split(x, y):
            share = len(test) / len(train)
            for kind, model in models(one.has_classes, seed).items():
                began = time.perf_counter()
                model.fit(x[train], y[train])
                seconds.setdefault(kind, []).append(time.perf_counter() - began)
                scores.setdefault(kind, []).append(scored(model, one.score, x[test], y[test]))
    return Result(name, one.score, x.shape, scores, seconds, share)


def rendered(results: Sequence[Result]) -> str:
    """The table of all sets, in Markdown."""
    kinds = [*RANKED, SCALED]
    head = ["set", "rows x columns", "score", *kinds, "pyneural - MLP", "seconds", "MLP", "ratio"]
    rows = []
    for result in results:
        means = [f"{np.mean(result.scores[kind]):.3f}" if kind in result.scores else "" for kind in kinds]
        mean, half = result.difference()
        times = [f"{statistics.median(result.seconds[kind]):.3f}" for kind in (OURS, PEER)]
        size = f"{result.shape[0]:,} x {result.shape[1]}"
        rows.append([result.name, size, result.score, *means, f"{mean:+.3f} ± {half:.3f}", *times])
        rows[-1].append(f"{result.ratio():.2f}")
    ranks = mean_ranks(results)
    rows.append(["mean rank", "", "", *(f"{ranks[kind]:.2f}" for kind in RANKED), "", "", "", "", ""])
    return table(head, rows)


def mean_ranks(results: Sequence[Result]) -> dict[str, float]:
    return {kind: float(np.mean([result.ranks()[kind] for result in results])) for kind in RANKED}


def targets(results: Sequence[Result]) -> list[Target]:
    """What must hold."""
    found = []
    for result in results:
        mean, half = result.difference()
        found.append(Target(f"{result.name}: upper end of the difference", mean + half, 0.0, least=True))
        found.append(Target(f"{result.name}: time over that of MLP", result.ratio(), 1.0))
    ranks = mean_ranks(results)
    found.append(Target("mean rank minus that of MLP", ranks[OURS] - ranks[PEER], -1e-9))
    return found


def write(text: str) -> None:
    """Replaces the table in docs/tables.md."""
    page = PAGE.read_text(encoding="utf-8")
    marks = "<!-- table -->", "<!-- end of table -->"
    pattern = re.escape(marks[0]) + ".*?" + re.escape(marks[1])
    new, count = re.subn(pattern, lambda _: f"{marks[0]}\n{text}{marks[1]}", page, flags=re.DOTALL)
    if count != 1:
        raise SystemExit(f"{PAGE}: it must have one table between {marks[0]} and {marks[1]}, and has {count}")
    PAGE.write_text(new, encoding="utf-8")


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS), metavar="NAME")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args(arguments)
    if options.write and (options.quick or options.sets != list(SETS)):
        parser.error("--write needs the results of all sets, without --quick")
    warnings.simplefilter("ignore", ConvergenceWarning)
    results = []
    for name in options.sets:
        results.append(measured(name, options.quick))
        print(f"{name}: {len(results[-1].scores[OURS])} fits of each model", file=sys.stderr, flush=True)
    text = rendered(results)
    if options.write:
        write(text)
    return verdict(text, targets(results))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
