"""interval_bars.py -- plots of numbers by name, as bars with their 95 % intervals: importance, scores of labels."""

from collections.abc import Mapping
from typing import Any

import numpy as np

import pyneural.plot.drawing as drawing
from pyneural.arguments.checks import whole
from pyneural.arguments.familiar_keywords import OF_PLOTS
from pyneural.arguments.spelling import check_keywords, choose
from pyneural.evaluation.importance import Importance, Importances
from pyneural.evaluation.labels_report import LabelsReport
from pyneural.metrics.estimate import Estimate
from pyneural.metrics.influence import METRICS
from pyneural.plot.drawing import BLUE, GREY, INK
from pyneural.printing import shortened

_WIDTH, _BAR, _AROUND = 5.2, 0.24, 1.1  # inches: of the figure, of a bar, and above and below all bars
_LONGEST = 34  # the most characters of a name
_SCORES = {
    "average_precision": "average precision",
    "roc_auc": "ROC AUC",
    "f1": "F1",
    "precision": "precision",
    "recall": "recall",
}


@check_keywords(importance="result", importances="result", **OF_PLOTS)
def importance(result: Any, *, count: int = 20, ax: Any = None) -> Any:
    """The most important columns, as bars with their 95 % intervals.

    Args:
        result: that of pn.importance.
        count: the most columns that are drawn, those of the highest importance.
        ax: Axes to draw into.

    Returns:
        The Axes.

    Raises:
        ValueError, TypeError: it is not the importance of one head.

    >>> x = np.random.default_rng(0).normal(size=(100, 3)).astype(np.float32)
    >>> model = pn.Sequential(pn.Dense(1))
    >>> history = pn.fit(model, (x, x[:, 0]), epochs=5, verbose=0)
    >>> pn.plot.importance(pn.importance(model, (x, x[:, 0]), verbose=0)).get_xlabel()
    'R² lost'
    """
    count = whole("plot.importance", "count", count)
    if isinstance(result, Importances):
        heads = ", ".join(map(repr, result))
        raise ValueError(
            f"plot.importance: the importance is of the heads {heads}: give one, such as result[{next(iter(result))!r}]"
        )
    if not isinstance(result, Importance):
        kind = type(result).__name__
        raise TypeError(f"plot.importance: result is {kind}: give the result of pn.importance(model, data)")
    metric = METRICS[result.metric]
    shown = dict(list(result.items())[:count])
    scale = 100.0 if metric.percent else 1.0
    axis = _bars(shown, scale, metric.change, ax, "importance")
    more = f", {count} of {len(result):,} columns" if len(result) > count else ""
    score = f"{100 * result.score:.1f} %" if metric.percent else f"{result.score:.3g}"
    axis.set_title(f"{metric.words} {score}, n = {result.n:,}{more}", fontsize=10)
    return axis


@check_keywords(metric="score", **OF_PLOTS)
def labels(report: Any, *, score: str = "average_precision", count: int = 20, ax: Any = None) -> Any:
    """A score of each of several labels, as bars with their 95 % intervals, the lowest at the bottom.

    Args:
        report: the result of pn.evaluate, of a model of several labels.
        score: "average_precision", "roc_auc", "f1", "precision" or "recall".
        count: the most labels that are drawn, those of the lowest score.
        ax: Axes to draw into.

    Returns:
        The Axes.

    Raises:
        ValueError, TypeError: the report is not of several labels, or the score is not one of these.

    >>> x = np.random.default_rng(0).normal(size=(100, 3)).astype(np.float32)
    >>> model = pn.Sequential(pn.Dense(3))
    >>> history = pn.fit(model, (x, (x > 0.5).astype(int)), epochs=5, verbose=0)
    >>> pn.plot.labels(pn.evaluate(model, (x, (x > 0.5).astype(int)), verbose=0)).get_xlabel()
    'average precision'
    """
    count = whole("plot.labels", "count", count)
    name = choose("plot.labels: score", score, {known: known for known in _SCORES})
    if not isinstance(report, LabelsReport):
        raise TypeError(
            f"plot.labels: report is {type(report).__name__}, which is not of several labels: give the result of "
            "pn.evaluate of a model that was trained on rows of 0 and 1"
        )
    if name in ("f1", "precision", "recall"):
        found = dict(zip(report.task.names, getattr(report, name), strict=True))
    else:
        found = {label: getattr(one, name) for label, one in report.by_label.items()}
    known = {label: one for label, one in found.items() if one == one}
    lowest = dict(sorted(known.items(), key=lambda pair: -pair[1])[-count:])
    axis = _bars(lowest, 1.0, _SCORES[name], ax, "labels")
    axis.set_xlim(0, 1.02)
    more = f", {count} of {len(found):,} labels" if len(found) > count else ""
    axis.set_title(f"n = {report.n:,}{more}", fontsize=10)
    return axis


def _bars(found: Mapping[str, Estimate], scale: float, words: str, ax: Any, who: str) -> Any:
    """Bars from the top down, each with its interval."""
    axis = drawing.panels(ax, [_AROUND + _BAR * len(found)], [_WIDTH], who)[0, 0]
    names = [shortened(name, _LONGEST) for name in found]
    values, low, high = (
        scale * np.array([part(one) for one in found.values()], float) for part in (float, _low, _high)
    )
    places = np.arange(len(found))
    axis.barh(places, values, height=0.62, color=drawing.on_ground(BLUE, axis))
    known = np.isfinite(low) & np.isfinite(high)
    ends = np.maximum(np.stack([values - low, high - values])[:, known], 0)
    ink = drawing.on_ground(INK, axis)
    axis.errorbar(values[known], places[known], xerr=ends, fmt="none", ecolor=ink, elinewidth=1.2, capsize=2.5)
    axis.axvline(0, color=GREY, lw=0.8)
    axis.set_yticks(places, names, fontsize=9)
    axis.set(ylim=(len(found) - 0.4, -0.6), xlabel=words)
    axis.grid(axis="x", alpha=0.3)
    axis.set_axisbelow(True)
    axis.spines[["top", "right", "left"]].set_visible(False)
    axis.tick_params(axis="y", length=0)
    return axis


def _low(one: Estimate) -> float:
    return one.low


def _high(one: Estimate) -> float:
    return one.high
