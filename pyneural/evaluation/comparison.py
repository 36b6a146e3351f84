"""comparison.py -- compare: two reports on the same data, paired example by example."""

import math
from typing import Any, NamedTuple

import numpy as np

import pyneural.metrics.bootstrap as bootstrap
import pyneural.metrics.intervals as intervals
from pyneural.arguments.arrays import Array
from pyneural.arguments.spelling import check_keywords
from pyneural.evaluation.report import Report
from pyneural.metrics.estimate import Estimate
from pyneural.printing import encodable

_EXACT = 4096  # the largest sum of discordant examples for which the exact distribution is computed


class Comparison(NamedTuple):
    """How much better or worse the second of two reports is; prints as a line that can be quoted.

    Attributes:
        name: what is compared: "accuracy" (of several labels that of all answers), or the mean squared error, "mse",
            of values.
        a: the first report's.
        b: the second report's.
        difference: b - a, with its 95 % bootstrap interval.
        p_value: the probability of a difference at least as large, in either direction, if both were equally good
            (McNemar's exact test); None for values.
        only_a: the number of examples, or of answers to several labels, that only the first one has right; None for
            values.
        only_b: the same for the second one.
        n: examples.
        groups: the number of their groups, or None.
        note: the note of the data, such as that it is a small sample; "" for none.
    """

    name: str
    a: Estimate
    b: Estimate
    difference: Estimate
    p_value: float | None
    only_a: int | None
    only_b: int | None
    n: int
    groups: int | None
    note: str = ""

    def __str__(self) -> str:
        by = ("" if self.groups is None else f" in {self.groups:,} groups") + (f" · {self.note}" if self.note else "")
        if self.p_value is None:
            change, values = f"{self.difference:+.4g}", f"from {self.a:.4g} to {self.b:.4g}"
            interval = f"[{self.difference.low:+.4g}, {self.difference.high:+.4g}]"
            return encodable(f"{self.name} {values}: {change} {interval} · n = {self.n:,}{by}")
        values = f"from {100 * self.a:.2f} % to {100 * self.b:.2f} %"
        ends = f"[{100 * self.difference.low:+.2f}, {100 * self.difference.high:+.2f}]"
        test = f"McNemar p {_shown(self.p_value)} ({self.only_b:,} right only after, {self.only_a:,} only before)"
        change = f"{100 * self.difference:+.2f} points {ends}"
        return encodable(f"{self.name} {values}: {change} · {test} · n = {self.n:,}{by}")

    def __repr__(self) -> str:
        return str(self)


@check_keywords(
    positional="give two results of pn.evaluate",
    data="not needed: a report has its data",
    model_a="report_a",
    model_b="report_b",
    before="report_a",
    after="report_b",
)
def compare(report_a: Report, report_b: Report) -> Comparison:
    """Compares two reports on the same data, such as of a model before and after a change.

    The examples are paired, which shows smaller differences than two separate intervals do.  McNemar's test (1947) asks
    whether the examples that only one model has right are evenly divided between the two; the distribution is the exact
    binomial one.  Where the data has groups, such as patients, whole groups are drawn by the bootstrap, and the test
    changes the sign of each group's difference as a whole, which is the same test if each example is its own group.
    The answers to several labels of an example are such a group.

    Args:
        report_a: the first report, from pn.evaluate.
        report_b: the second one.

    Returns:
        The Comparison: the difference in accuracy, report_b's less report_a's, or in the mean squared error of values.

    Raises:
        ValueError: the reports are of different data or tasks.
        TypeError: they are not reports.

    >>> import pyneural as pn
    >>> x = np.random.default_rng(0).normal(size=(200, 2)).astype(np.float32)
    >>> y = (x[:, 0] > x[:, 1]).astype(int)
    >>> model = pn.Sequential(pn.Dense(1))
    >>> history = pn.fit(model, (x, (x[:, 0] > 0).astype(int)), epochs=20, learning_rate=0.1, verbose=0)
    >>> before = pn.evaluate(model, (x, y), verbose=0)
    >>> history = pn.fit(model, (x, y), epochs=20, learning_rate=0.1, verbose=0)
    >>> pn.compare(before, pn.evaluate(model, (x, y), verbose=0)).difference.low > 0
    True
    """
    _check_same(report_a, report_b)
    units, n = report_a.units, report_a.n
    groups = None if units is None else int(units.max()) + 1
    if report_a.accuracy is None or report_b.accuracy is None:
        off = [((one.predictions.astype(np.float64) - one.labels) ** 2).mean(axis=1) for one in (report_a, report_b)]
        difference = intervals.mean(off[1] - off[0], units)
        if units is None and n > 1:
            draws = bootstrap.sum_draws(np.stack([off[1] - off[0], np.ones(n)], axis=1))
            difference = Estimate(difference, *intervals.bounds(draws[:, 0] / draws[:, 1]))
        assert report_a.mse is not None
        assert report_b.mse is not None
        return Comparison("mse", report_a.mse, report_b.mse, difference, None, None, None, n, groups, report_a.note)
    right = [(one.predictions == one.labels).astype(np.int64) for one in (report_a, report_b)]
    gained = right[1] - right[0]
    only_a, only_b = int((gained < 0).sum()), int((gained > 0).sum())
    if gained.ndim == 2:
        units = np.repeat(np.arange(n) if units is None else units, gained.shape[1])
        gained = gained.reshape(-1)
    by_unit = gained if units is None else np.bincount(units, gained).astype(np.int64)
    p_value = sign_flip_test(by_unit)
    difference = _difference(gained, units)
    counts = only_a, only_b, n, groups
    return Comparison("accuracy", report_a.accuracy, report_b.accuracy, difference, p_value, *counts, report_a.note)


def sign_flip_test(differences: Array) -> float:
    """The probability of a sum of whole numbers at least as far from 0, if each sign were as likely as the other.

    Of ones and minus ones this is McNemar's exact test, a binomial one.  The distribution of the sum is computed
    exactly up to 4,096, by adding one number after another; beyond, it is nearly normal, with variance Σ d² and a
    correction for continuity.

    >>> round(sign_flip_test(np.array([1, 1, 1, 1, -1, 0])), 4)
    0.375
    """
    sizes = np.abs(differences[differences != 0])
    total, observed = int(sizes.sum()), abs(int(differences.sum()))
    if total == 0:
        return 1.0
    if total > _EXACT:
        z = max(0, observed - 1) / math.sqrt(float((sizes**2).sum()))  # sums are 2 apart
        return math.erfc(z / math.sqrt(2))
    chances = np.zeros(total + 1)  # of the sum of the positive ones
    chances[0] = 1.0
    for size in sizes.tolist():
        chances *= 0.5
        chances[size:] = chances[size:] + chances[:-size]
    sums = np.abs(2 * np.arange(total + 1) - total)
    return min(1.0, float(chances[sums >= observed].sum()))


def _difference(gained: Array, units: Array | None) -> Estimate:
    """The mean of gains -1, 0 and 1; if none differ from 0, the interval is Wilson's of the share that do."""
    mean = float(gained.mean())
    if not gained.any():
        most = intervals.share(np.zeros(len(gained), bool), units).high
        return Estimate(mean, -most, most, percent=True)
    if units is not None and units.max() == 0:
        return Estimate(mean, -1.0, 1.0, percent=True)
    drawn = np.concatenate(list(bootstrap.cell_draws(gained + 1, 3, units)))
    low, high = intervals.bounds((drawn[:, 2] - drawn[:, 0]) / drawn.sum(axis=1))
    if units is not None:
        low, high = intervals.wider(low, high, _difference(gained, None))
    return Estimate(mean, low, high, percent=True)


def _check_same(a: Any, b: Any) -> None:
    """Refuses what is not two reports on the same data.

    Raises:
        TypeError, ValueError: the message says what differs.
    """
    for report in (a, b):
        if isinstance(report, dict) and report:
            raise TypeError(
                f"compare: a report has the heads {', '.join(report)}: give one, report[{next(iter(report))!r}]"
            )
        if not isinstance(report, Report):
            raise TypeError(f"compare: got {type(report).__name__}: give two results of pn.evaluate")
    if (a.task.kind == "values") != (b.task.kind == "values"):
        raise ValueError("compare: one report is of classes, the other of values: give two of the same task")
    fix = "evaluate both models on the same data, in the same order"
    if a.n != b.n:
        raise ValueError(f"compare: the reports are of {a.n:,} and of {b.n:,} examples: {fix}")
    if a.task.kind != "values" and a.task.names != b.task.names:
        raise ValueError(f"compare: the classes are {_few(a.task.names)} and {_few(b.task.names)}: {fix}")
    if a.labels.shape != b.labels.shape or not np.array_equal(a.labels, b.labels):
        raise ValueError(f"compare: the reports are of different data, as their labels differ: {fix}")
    for what in ("files", "groups"):
        one, other = getattr(a, what), getattr(b, what)
        if (one is None) != (other is None) or (one is not None and not np.array_equal(one, other)):
            raise ValueError(f"compare: the reports are of different data, as their {what} differ: {fix}")
    if a.files is None and a.mark and b.mark and a.mark != b.mark:
        raise ValueError(
            f"compare: the reports have equal labels, but are of different inputs: {fix}; if they are the same "
            "examples in another form, name them in both: pn.Dataset(x, y, files=names)"
        )


def _few(names: tuple[str, ...]) -> str:
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")


def _shown(p: float) -> str:
    return "< 0.0001" if p < 0.0001 else f"= {p:.2g}" if p < 0.1 else f"= {p:.2f}"
