"""score_curves.py -- plots of a report's scores: ROC, precision and recall, calibration."""

from typing import Any

import numpy as np

import pyneural.metrics.scores as scores
import pyneural.plot.drawing as drawing
from pyneural.arguments.arrays import Array
from pyneural.arguments.familiar_keywords import OF_PLOTS
from pyneural.arguments.spelling import check_keywords
from pyneural.evaluation.report import Report
from pyneural.metrics.estimate import Estimate
from pyneural.plot.answers import check_classes
from pyneural.plot.drawing import BLUE, GREY, ORANGE

_SIDE = 4.2  # inches


@check_keywords(**OF_PLOTS)
def roc(report: Report, *, ax: Any = None) -> Any:
    """The ROC curve of two classes: sensitivity against 1 - specificity, over all thresholds.

    The point is at the model's threshold; the dashed line is what guessing gets.

    Args:
        report: the result of pn.evaluate.
        ax: Axes to draw into.

    Returns:
        The Axes.

    Raises:
        ValueError: the report is not of two classes, or only one of them occurs.

    >>> x = np.linspace(-1, 1, 60, dtype=np.float32).reshape(-1, 1)
    >>> model = pn.Sequential(pn.Dense(1))
    >>> history = pn.fit(model, (x, (x[:, 0] > 0).astype(int)), epochs=1, verbose=0)
    >>> pn.plot.roc(pn.evaluate(model, (x, (x[:, 0] > 0.2).astype(int)), verbose=0)).get_ylabel()
    'sensitivity'
    """
    y, p = _two_classes(report, "roc")
    curve = scores.roc_curve(y, p)
    axis = _square(ax, "roc", f"ROC AUC {report.roc_auc}", "1 - specificity", "sensitivity")
    axis.plot([0, 1], [0, 1], "--", color=GREY, label="guessing")
    axis.plot(curve.x, curve.y, color=drawing.on_ground(BLUE, axis), label="model")
    assert report.sensitivity is not None
    assert report.specificity is not None
    at = f"threshold {report.task.threshold:.3g}:\nsensitivity {_share(report.sensitivity)}"
    at += f"\nspecificity {_share(report.specificity)}"
    axis.plot(1 - report.specificity, report.sensitivity, "o", ms=8, color=ORANGE, label=at)
    axis.legend(frameon=False, loc="lower right")
    return axis


@check_keywords(**OF_PLOTS)
def precision_recall(report: Report, *, ax: Any = None) -> Any:
    """Precision against recall of the positive class, over all thresholds.

    The point is at the model's threshold; the dashed line, the share of the positive class, is what guessing gets.

    Args:
        report: the result of pn.evaluate.
        ax: Axes to draw into.

    Returns:
        The Axes.

    Raises:
        ValueError: the report is not of two classes, or only one of them occurs.

    >>> x = np.linspace(-1, 1, 60, dtype=np.float32).reshape(-1, 1)
    >>> model = pn.Sequential(pn.Dense(1))
    >>> history = pn.fit(model, (x, (x[:, 0] > 0).astype(int)), epochs=1, verbose=0)
    >>> pn.plot.precision_recall(pn.evaluate(model, (x, (x[:, 0] > 0.2).astype(int)), verbose=0)).get_xlabel()
    'recall (sensitivity)'
    """
    y, p = _two_classes(report, "precision_recall")
    curve = scores.precision_recall_curve(y, p)
    title = f"average precision {report.average_precision}"
    axis = _square(ax, "precision_recall", title, "recall (sensitivity)", "precision (PPV)")
    share = float(y.mean())
    axis.plot([0, 1], [share, share], "--", color=GREY, label=f"guessing: {_share(share)}")
    axis.plot(
        [0, *curve.x], [curve.y[0], *curve.y], color=drawing.on_ground(BLUE, axis), drawstyle="steps-pre", label="model"
    )
    assert report.sensitivity is not None
    assert report.ppv is not None
    at = f"threshold {report.task.threshold:.3g}:\nrecall {_share(report.sensitivity)}\nprecision {_share(report.ppv)}"
    axis.plot(report.sensitivity, report.ppv, "o", ms=8, color=ORANGE, label=at)
    axis.legend(frameon=False, loc="best")
    return axis


@check_keywords(**OF_PLOTS)
def calibration(report: Report, *, ax: Any = None) -> Any:
    """How often predictions of a probability come true: the shares in 15 bins, with their intervals, and their numbers.

    Of two classes, it is the probability of the positive one; of more, the confidence, and the share of right answers.
    The points of a model whose probabilities are right lie on the dashed line; pn.calibrate brings them near.

    Args:
        report: the result of pn.evaluate.
        ax: two Axes to draw into: the shares, and the numbers.

    Returns:
        The array of the two Axes.

    Raises:
        ValueError: the report is of a regression, or outputs are NaN.

    >>> data = pn.datasets.mnist("sample").test
    >>> model = pn.Sequential(pn.Flatten(), pn.Dense(10))
    >>> history = pn.fit(model, data, epochs=1, verbose=0)
    >>> pn.plot.calibration(pn.evaluate(model, data, verbose=0)).shape
    (2,)
    """
    check_classes(report, "calibration")
    _check_finite(report, "calibration")
    positive = report.positive
    y = (report.predictions == report.labels).astype(np.int64) if positive is None else report.labels
    p = (report.confidence if positive is None else positive).astype(np.float64)
    axes = drawing.panels(ax, [_SIDE, 1.3], [_SIDE], "calibration")[:, 0]
    shares, numbers = axes
    name = report.task.label(1) if positive is not None else ""
    what = f"probability of {name}" if name else "confidence"
    _frame(
        shares,
        f"calibration error {report.calibration_error}",
        "",
        f"share of {name}" if name else "share of right answers",
    )
    shares.plot([0, 1], [0, 1], "--", color=GREY, label="calibrated")
    bins = scores.calibration_curve(y, p)
    found = [Estimate.share(round(share * n), int(n)) for share, n in zip(bins.share, bins.n, strict=True)]
    ends = np.array([[one - one.low, one.high - one] for one in found]).T
    colour = drawing.on_ground(BLUE, shares)
    shares.errorbar(
        bins.probability, found, np.maximum(ends, 0), fmt="o", color=colour, capsize=3, label="model, 95 % interval"
    )
    shares.legend(frameon=False, loc="upper left")
    numbers.hist(p.clip(0, 1), np.linspace(0, 1, scores.BINS + 1), color=colour)
    numbers.set(xlim=(-0.02, 1.02), xlabel=what, ylabel="examples")
    numbers.spines[["top", "right"]].set_visible(False)
    drawing.whole_ticks(numbers.yaxis)
    return axes


def _square(ax: Any, who: str, title: str, x: str, y: str) -> Any:
    """One square Axes from 0 to 1."""
    axis = drawing.panels(ax, [_SIDE], [_SIDE], who)[0, 0]
    _frame(axis, title, x, y)
    return axis


def _frame(axis: Any, title: str, x: str, y: str) -> None:
    axis.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel=x, ylabel=y, aspect="equal")
    axis.set_title(title, fontsize=10)
    axis.grid(alpha=0.3)
    axis.spines[["top", "right"]].set_visible(False)


def _two_classes(report: Any, who: str) -> tuple[Array, Array]:
    """The labels, and the probabilities of the positive class.

    Raises:
        ValueError, TypeError: there are not two classes; the message says what there is.
    """
    check_classes(report, who)
    if report.positive is None:
        raise ValueError(
            f"plot.{who}: the report is of {report.task.outputs} classes, the curve is of two: use "
            "pn.plot.confusion(report), or pn.metrics on report.outputs[:, number] and report.labels == number"
        )
    _check_finite(report, who)
    if np.all(report.labels == report.labels[0]):
        raise ValueError(
            f"plot.{who}: all {report.n:,} labels are {report.commonest}, so there is no curve: evaluate on data with "
            "both classes"
        )
    return report.labels, report.positive


def _check_finite(report: Report, who: str) -> None:
    if np.isnan(report.outputs).any():
        raise ValueError(f"plot.{who}: outputs of the model are NaN, so there is nothing to draw")


def _share(value: float) -> str:
    return f"{100 * value:.1f} %"
