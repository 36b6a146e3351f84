"""labels_text.py -- what the report of several labels says: its line, its tables and its notes."""

from typing import Any

import numpy as np

from pyneural.arguments.arrays import Array
from pyneural.evaluation.report_cells import cell, in_groups, of_nan, scores_table
from pyneural.evaluation.tables import Table
from pyneural.metrics.estimate import Estimate

_LABELS = 20  # the most labels of a table


def line(report: Any) -> list[str]:
    """The parts of the line: accuracy and what the baseline gets, exact match, loss, examples."""
    return [
        f"accuracy {report.accuracy} per label",
        f"baseline {100 * report.baseline['accuracy']:.2f} % (each label's commoner answer)",
        f"exact match {report.exact_match}",
        f"{report.loss_name} {report.loss:.4g}",
        f"n = {report.n:,}{in_groups(report)}",
        *of_nan(report),
    ]


def tables(report: Any) -> list[Table]:
    """The scores, beside those of the baseline; and those of each label."""
    chosen = shown_labels(report)
    support, precision, recall, f1 = report.support, report.precision, report.recall, report.f1
    answers = [
        (report.task.label(k), f"{support[k]:,}", cell(precision[k]), cell(recall[k]), cell(f1[k]))
        for k in chosen.tolist()
    ]
    curves = []
    for k in chosen.tolist():
        one = report.by_label[report.task.label(k)]
        threshold = f"{report.task.by_label[k]:.4g}"
        curves.append((report.task.label(k), threshold, _area(one.roc_auc), _area(one.average_precision)))
    return [
        scores_table(report, "commoner answers"),
        Table(("label", "n", "precision (%)", "recall (%)", "F1 (%)"), answers),
        Table(("label", "threshold", "ROC AUC", "average precision"), curves),
    ]


def notes(report: Any) -> list[str]:
    """What a reader has to know of the numbers."""
    found = []
    if report.task.outputs > _LABELS:
        found.append(f"Of {report.task.outputs:,} labels, these {_LABELS} have the lowest F1.")
    for value, whom in ((0, "no"), (report.n, "every")):
        names = [report.task.label(k) for k in np.flatnonzero(report.support == value).tolist()]
        if names:
            found.append(
                f"Means of scores leave out labels that apply to {whom} example: {', '.join(names[:_LABELS])}."
            )
    by = "by group" if in_groups(report) else "by example"
    return [*found, *(f"{text[0].upper()}{text[1:]}." for text in of_nan(report)), f"Intervals are {by}."]


def shown_labels(report: Any) -> Array:
    """The numbers of the labels of tables and plots: all, or those with the lowest F1."""
    f1 = np.nan_to_num(np.array(report.f1, np.float64))
    return np.sort(np.argsort(f1, kind="stable")[:_LABELS])


def _area(area: Estimate) -> str:
    return "" if np.isnan(area) else f"{area:.3f} [{area.low:.3f}, {area.high:.3f}]"
