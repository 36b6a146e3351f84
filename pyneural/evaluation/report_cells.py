"""report_cells.py -- parts of what reports say: numbers, shares with their intervals, and the table of all scores."""

import math

import numpy as np

from pyneural.evaluation.scored import Scored
from pyneural.evaluation.tables import Table
from pyneural.metrics.estimate import Estimate

_NAMES = {
    "balanced_accuracy": "balanced accuracy",
    "roc_auc": "ROC AUC",
    "average_precision": "average precision",
    "calibration_error": "calibration error",
    "brier": "Brier score",
    "ppv": "PPV",
    "npv": "NPV",
    "mse": "MSE",
    "mae": "MAE",
    "r2": "R²",
    "top_5": "top-5 accuracy",
    "exact_match": "exact match",
    "f1_macro": "F1, mean of labels",
    "f1_micro": "F1, of all answers",
}


def scores_table(report: Scored, always: str) -> Table:
    """All scores with their intervals, beside those of the baseline, whose column is named `always`."""
    names = _NAMES if report.accuracy is None else _NAMES | {"mae": "MAE of class numbers"}
    rows = []
    for name, value in report.estimates.items():
        baseline = report.baseline.get(name, math.nan)
        rows.append(
            (
                report.loss_name if name == "loss" else names.get(name, name),
                number(value, value.percent),
                ""
                if math.isnan(value.low)
                else f"{bare(value.low, value.percent)} to {bare(value.high, value.percent)}",
                "" if math.isnan(value + baseline) else number(baseline, value.percent),
            )
        )
    return Table(("", "value", "95 % interval", always), rows)


def in_groups(report: Scored) -> str:
    """The number of groups, if there are any."""
    return "" if report.units is None else f" in {int(report.units.max()) + 1:,} groups"


def of_nan(report: Scored) -> list[str]:
    """What is said of outputs that are NaN."""
    rows = int(np.isnan(report.outputs).any(axis=1).sum())
    return [f"the outputs of {rows:,} examples are NaN"] if rows else []


def number(value: float, percent: bool) -> str:
    """A score: in per cent if it is a share."""
    if math.isnan(value):
        return "undefined"
    return f"{bare(value, percent)} %" if percent else bare(value, percent)


def bare(value: float, percent: bool) -> str:
    """The same without its sign."""
    return f"{100 * value:.2f}" if percent else f"{value:.4g}"


def cell(share: Estimate) -> str:
    """A share in per cent, with its interval: `99.1 [98.3, 99.5]`."""
    if math.isnan(share):
        return ""
    value, low, high = (f"{100 * x:.1f}" if x < 0.9995 else "100" for x in (float(share), share.low, share.high))
    return f"{value} [{low}, {high}]"
