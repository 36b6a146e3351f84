"""scores.py -- scores of pn.metrics, thresholds and intervals against their definitions, and data sets against NumPy.

Labels and scores have ties, infinities, one class, one example; an index of a data set selects what it selects of its
arrays.
"""

from __future__ import annotations

import itertools
import math
import warnings
from typing import Any

import numpy as np
from case import Case, Finding

import pyneural as pn
from pyneural.metrics import bootstrap, intervals, scores

CLOSE = 1e-9  # relative: sums of at most 40 numbers in another order
MOST = 40  # examples


def run(case: Case) -> None:
    """One data set, or one set of labels and scores."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        case.pick((_of_two_classes, _of_two_classes, _of_classes, _indexed))(case)


def _same(what: str, found: float, wanted: float, *arrays: Any) -> None:
    if not (math.isclose(found, wanted, rel_tol=CLOSE, abs_tol=CLOSE) or (found != found and wanted != wanted)):
        raise Finding(f"{what} is {found!r}, by its definition {wanted!r}, of {[a.tolist() for a in arrays]}")


def _labels(case: Case, n: int) -> Any:
    y = case.numbers.integers(0, 2, n)
    return np.full(n, y[0]) if case.chance(0.1) else y


def _scores(case: Case, n: int) -> Any:
    generator = case.numbers
    s = case.pick(
        (
            generator.random(n),
            generator.integers(0, 4, n) / 3,
            generator.random(n).astype(np.float32),
            0.5 + generator.integers(0, 3, n).astype(np.float32) * np.float32(2**-24),
            np.full(n, 0.5),
            generator.normal(size=n) * 1e300,
        )
    )
    if case.chance(0.2):
        s = np.where(generator.random(n) < 0.3, case.pick((np.inf, -np.inf)), s).astype(s.dtype)
    return s


def _of_two_classes(case: Case) -> None:
    n = case.random.randint(1, MOST)
    y, s = _labels(case, n), _scores(case, n)
    case.say(f"scores of {y.tolist()} and {s.dtype} {s.tolist()}")
    ones, zeros = s[y == 1], s[y == 0]
    pairs = [(a > b) + (a == b) / 2 for a, b in itertools.product(ones.tolist(), zeros.tolist())]
    area = case.attempt(scores.roc_auc, y, s)
    _same("roc_auc", float(area or 0), float(np.mean(pairs)) if pairs else math.nan, y, s)
    cuts = sorted(set(s.tolist()), reverse=True)
    above = [s >= cut for cut in cuts]
    recalls = [0.0, *(float(y[over].sum()) / max(1, len(ones)) for over in above)]
    steps = zip(itertools.pairwise(recalls), above, strict=True)
    average = sum((after - before) * float(y[over].mean()) for (before, after), over in steps)
    found = case.attempt(scores.average_precision, y, s)
    _same("average_precision", float(found or 0), average if len(ones) else math.nan, y, s)
    if len(ones) and len(zeros):
        _threshold(case, y, s, above)
        estimate = intervals.auc(y, s.astype(np.float64), float(area or 0))
        if not estimate.low <= estimate <= estimate.high:
            raise Finding(f"the interval of the area {float(estimate)} is {estimate.low} to {estimate.high}")


def _threshold(case: Case, y: Any, s: Any, above: list[Any]) -> None:
    """No other threshold that gives both answers is better by the rule."""
    points = [(float(over[y == 1].mean()), float(1 - over[y == 0].mean())) for over in above[:-1]]
    least = case.pick((0.5, 0.9, 1.0, case.random.uniform(0.01, 1)))
    rule, score = case.pick(
        (
            ({"youden": True}, lambda a, b: a + b),
            ({"min_sensitivity": least}, lambda a, b: b if a >= least - 1e-12 else -1),
            ({"min_specificity": least}, lambda a, b: a if b >= least - 1e-12 else -1),
        )
    )
    best = max((score(*point) for point in points), default=-1)
    found = case.attempt(pn.metrics.threshold, y, s, **rule)
    if found is None:
        if best >= 0:
            raise Finding(f"no threshold by {rule}, but one has {best}, of {y.tolist()} and {s.tolist()}")
        return
    over = s >= found
    _same(f"the best by {rule}", score(float(over[y == 1].mean()), float(1 - over[y == 0].mean())), best, y, s)


def _of_classes(case: Case) -> None:
    n, K = case.random.randint(1, MOST), case.random.randint(2, 5)
    y, p = case.numbers.integers(0, K, n), case.numbers.integers(0, 4, (n, K)) / 3
    k = case.random.randint(1, K + 1)
    case.say(f"scores of {y.tolist()} and {p.tolist()}, k={k}")
    order = np.argsort(-p, axis=1, kind="stable")
    found = case.attempt(scores.top_k, y, p, k)
    _same("top_k", float(found or 0), float(np.mean((order[:, :k] == y[:, None]).any(axis=1))), y, p)
    recalls = [float(np.mean(order[y == c, 0] == c)) for c in set(y.tolist())]
    found = case.attempt(scores.balanced_accuracy, y, order[:, 0])
    _same("balanced_accuracy", float(found or 0), float(np.mean(recalls)), y, p)
    units = bootstrap.units_of(case.numbers.integers(0, case.pick((1, 3, n)), n))
    share = intervals.share(order[:, 0] == y, units)
    if not 0 <= share.low <= share <= share.high <= 1:
        raise Finding(f"the interval of the share {float(share)} is {share.low} to {share.high}")


def _index(case: Case, n: int) -> Any:
    def end() -> int | None:
        return None if case.chance(0.3) else case.random.randint(-n - 3, n + 3)

    generator = case.numbers
    return case.pick(
        (
            lambda: slice(end(), end(), case.pick((None, 1, 2, 3, -1, -2))),
            lambda: generator.integers(-n - case.chance(0.1), n, generator.integers(0, 6)),
            lambda: generator.random(n) < 0.5,
            lambda: generator.integers(-n, n, 3).tolist(),
            lambda: generator.integers(0, n, 4).astype(case.pick(("u1", "i2", "u8"))),
            lambda: case.random.randint(-n - 1, n),
        )
    )()


def _indexed(case: Case) -> None:
    n = case.random.randint(1, 12)
    generator = case.numbers
    arrays = {
        "x": generator.integers(0, 256, (n, 2), dtype=np.uint8),
        "y": generator.integers(0, 3, n),
        "groups": generator.integers(0, 3, n),
        "sample_weight": generator.random(n) + 0.1,
        "files": np.array([f"f{row}" for row in range(n)]),
    }
    data = pn.Dataset(**(arrays | {"files": arrays["files"].tolist()}))
    index = _index(case, n)
    case.say(f"data[{index!r}] of {n} rows")
    case.allowed = (IndexError,)
    found = case.attempt(data.__getitem__, index)
    try:
        wanted = {name: array[index] for name, array in arrays.items()}
    except IndexError:
        wanted = None
    if wanted is None or not np.size(wanted["y"]):
        if found is not None:
            raise Finding("an index of no rows, or of missing ones, is accepted")
        return
    if found is None:
        raise Finding("an index that NumPy takes is refused")
    names = ("x", "y") if isinstance(found, tuple) else tuple(arrays)
    parts = found if isinstance(found, tuple) else [getattr(found, name) for name in names]
    for name, part in zip(names, parts, strict=True):
        if not np.array_equal(part, wanted[name]):
            raise Finding(f"{name} is {np.asarray(part).tolist()}, NumPy's {wanted[name].tolist()}")
