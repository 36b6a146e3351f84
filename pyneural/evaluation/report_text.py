"""report_text.py -- what a report says: its line, and its title, tables and notes."""

import numpy as np

import pyneural.evaluation.labels_text as labels_text
import pyneural.evaluation.values_text as values_text
import pyneural.metrics.scores as scores
from pyneural.evaluation.report_cells import cell, in_groups, of_nan, scores_table
from pyneural.evaluation.scored import Scored
from pyneural.evaluation.tables import Table
from pyneural.metrics.influence import is_imbalanced
from pyneural.printing import shortened

_CLASSES = 20  # the most classes of a table
_LONGEST = 16  # the most characters of a class name in the head of a column


def line(report: Scored) -> list[str]:
    """The parts of the line: accuracy and what the baseline gets, or R²; loss; examples.

    Where a class has more than four times the examples of another one, balanced accuracy is beside the accuracy, and of
    two classes average precision, too.
    """
    if report.task.kind == "labels":
        return labels_text.line(report)
    parts = []
    if report.accuracy is not None:
        baseline = f"{100 * report.baseline['accuracy']:.2f} % (always {report.commonest})"
        beside = _beside_baseline(report)
        parts = [
            f"accuracy {report.accuracy}",
            f"{beside} the baseline, {baseline}" if beside else f"baseline {baseline}",
            *_of_imbalance(report),
        ]
    parts.append(f"{report.loss_name} {report.loss:.4g}")
    if report.accuracy is None:
        parts.append(f"R² {scores.r2(report.labels, report.predictions):.4f}")
    return [*parts, f"n = {report.n:,}{in_groups(report)}", *of_nan(report)]


def title(report: Scored, name: str) -> str:
    """The data, the number of examples, and what the model answers."""
    task = report.task
    words = [name or "data", f"n = {report.n:,}{in_groups(report)}"]
    if task.kind == "labels":
        words.append(f"{task.outputs} labels, each yes or no")
    elif report.accuracy is None:
        words.append(f"{task.outputs} value{'s' * (task.outputs > 1)}")
    elif task.is_two_class:
        words.append(f"positive: {task.label(1)}, from a probability of {task.threshold:.4g}")
    else:
        words.append(f"{task.outputs} classes")
    return " · ".join(words)


def tables(report: Scored) -> list[Table]:
    """The scores, beside those of the baseline; for classes, the confusion of two, and the scores of each."""
    if report.task.kind == "labels":
        return labels_text.tables(report)
    always = (
        shortened(report.commonest, _LONGEST)
        if report.accuracy is None
        else f"always {shortened(report.commonest, _LONGEST)}"
    )
    found = [scores_table(report, always)]
    if report.accuracy is None:
        return [*found, *values_text.tables(report)]
    return [*found, *([_confusion(report)] if report.task.is_two_class else []), _by_class(report)]


def notes(report: Scored) -> list[str]:
    """What a reader has to know of the numbers."""
    if report.task.kind == "labels":
        return labels_text.notes(report)
    found = []
    if beside := _beside_baseline(report):
        found.append(f"The accuracy is {beside} that of always answering {report.commonest}.")
    if _is_imbalanced(report):
        assert report.support is not None
        most, least = int(report.support.max()), int(report.support[report.support > 0].min())
        both = " and average precision say" if report.task.is_two_class else " says"
        found.append(
            f"The classes are imbalanced, {most:,} to {least:,} examples: balanced accuracy{both} more than accuracy."
        )
    if report.accuracy is not None and np.all(report.labels == report.labels[0]):
        found.append(f"All labels are {report.commonest}, so scores that compare classes are not defined.")
    if report.support is not None and len(report.support) > _CLASSES:
        found.append(f"Of {len(report.support):,} classes, these {_CLASSES} that occur have the lowest F1.")
    by = "by group" if in_groups(report) else "by example"
    return [*found, *(f"{text[0].upper()}{text[1:]}." for text in of_nan(report)), f"Intervals are {by}."]


def _by_class(report: Scored) -> Table:
    support, f1, precision, recall = report.support, report.f1, report.precision, report.recall
    assert support is not None
    assert f1 is not None
    assert precision is not None
    assert recall is not None
    chosen = np.arange(len(support))
    if len(support) > _CLASSES:
        occur = np.flatnonzero(support)
        chosen = np.sort(occur[np.argsort(np.nan_to_num(np.array(f1)[occur]), kind="stable")[:_CLASSES]])
    rows = [
        (report.task.label(i), f"{support[i]:,}", cell(precision[i]), cell(recall[i]), cell(f1[i]))
        for i in chosen.tolist()
    ]
    return Table(("class", "n", "precision (%)", "recall (%)", "F1 (%)"), rows)


def _confusion(report: Scored) -> Table:
    assert report.confusion is not None
    names = [report.task.label(0), report.task.label(1)]
    rows = [
        (name, *(f"{count:,}" for count in counts))
        for name, counts in zip(names, report.confusion.tolist(), strict=True)
    ]
    return Table(("actual", *(f"predicted {shortened(name, _LONGEST)}" for name in names)), rows)


def _is_imbalanced(report: Scored) -> bool:
    return report.support is not None and is_imbalanced(report.support)


def _of_imbalance(report: Scored) -> list[str]:
    """The scores that say more than accuracy where classes are imbalanced."""
    if not _is_imbalanced(report):
        return []
    found = [f"balanced accuracy {report.balanced_accuracy}"]
    if report.positive is not None:
        value = scores.average_precision(report.labels, report.positive)
        found += [f"average precision {value:.4g}"] if value == value else []
    return found


def _beside_baseline(report: Scored) -> str:
    """How the accuracy compares with the baseline's, unless it is clearly higher."""
    if report.accuracy is None or report.accuracy.low > report.baseline["accuracy"]:
        return ""
    return "below" if report.accuracy.high < report.baseline["accuracy"] else "not clearly above"
