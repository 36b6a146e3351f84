"""threshold.py -- the threshold of a model with two classes, or of each label, chosen on validation data."""

from dataclasses import replace
from typing import Any

import numpy as np

from pyneural.arguments.spelling import check_keywords
from pyneural.card.task import Task
from pyneural.evaluation.chosen import opened, store
from pyneural.evaluation.heads import head_of, written
from pyneural.evaluation.labels_report import LabelsReport
from pyneural.evaluation.lines import say
from pyneural.evaluation.measuring import measured
from pyneural.evaluation.report import Report
from pyneural.metrics.thresholds import Rule, best_threshold, rule_of
from pyneural.models.ensemble import Ensemble
from pyneural.models.model import Model


@check_keywords(
    positional="give the rule by name, such as min_specificity=0.99",
    sensitivity="min_sensitivity",
    specificity="min_specificity",
    recall="min_sensitivity",
    min_recall="min_sensitivity",
    metric="min_sensitivity=0.95, min_specificity=0.95 or youden=True",
)
def choose_threshold(
    model: Model | Ensemble,
    validation: Any,
    *,
    min_sensitivity: float | None = None,
    min_specificity: float | None = None,
    youden: bool = False,
    head: str | None = None,
    verbose: int = 1,
) -> Any:
    """Chooses the probability from which a model with two classes answers the positive one, class 1.

    A model of several labels gets a threshold for each label, all by the same rule.

    The threshold is stored in the model, saved with it, and obeyed by pn.classify and pn.evaluate.  Choose it on
    validation data, never on test data.  It is half way between two probabilities that occur there, so that it does not
    depend on the last digit of either.

    Args:
        model: a trained model with one output, with two classes, or with several labels; or a pn.Ensemble of such.
        validation: a Dataset, arrays (x, y) or batches, with both classes; with examples that have each label, and
            examples that do not.
        min_sensitivity: the threshold of the highest specificity, with at least this sensitivity.
        min_specificity: the threshold of the highest sensitivity, with at least this specificity.
        youden: the threshold with the highest sensitivity + specificity - 1 (Youden 1950).
        head: the name of the head, of a model with several.
        verbose: 0 prints nothing.

    Returns:
        The threshold; of several labels a dict of them by name.  Sensitivity and specificity on the validation data,
        which are printed, are better than they will be on new data, since the threshold was chosen on it.

    Raises:
        ValueError, TypeError: not exactly one rule is given, the data does not fit the model, or no threshold does what
            the rule asks for.
        RuntimeError: the model is not trained yet.

    >>> import pyneural as pn
    >>> x = np.linspace(-1, 1, 40, dtype=np.float32).reshape(-1, 1)
    >>> model = pn.Sequential(pn.Dense(1))
    >>> history = pn.fit(model, (x, (x[:, 0] > 0.2).astype(int)), verbose=0)
    >>> threshold = pn.choose_threshold(model, (x, (x[:, 0] > 0.3).astype(int)), min_sensitivity=0.9, verbose=0)
    >>> model.card.task.threshold == threshold
    True
    """
    who = "choose_threshold"
    rule = rule_of(who, min_sensitivity, min_specificity, youden)
    head, report = _of_head(model, validation, head, who)
    if isinstance(report, LabelsReport):
        return _of_labels(model, head, report, rule, verbose)
    y = report.labels
    threshold = best_threshold(y, report.outputs[:, -1], rule, who, report.task.names)
    task = replace(report.task, threshold=threshold)
    store(model, head, task)
    if verbose:
        _say(head, task, report)
    return threshold


def _of_labels(model: Any, head: str, report: LabelsReport, rule: Rule, verbose: int) -> dict[str, float]:
    """Chooses and stores the threshold of each label."""
    found = {}
    for name, one in report.by_label.items():
        at = f"choose_threshold: {head}: {name}" if head else f"choose_threshold: {name}"
        found[name] = best_threshold(one.labels, one.outputs[:, -1], rule, at, one.task.names)
    task = replace(report.task, thresholds=tuple(found.values()))
    store(model, head, task)
    if verbose:
        for number, (name, one) in enumerate(report.by_label.items()):
            _say(f"{head}: {name}" if head else f"{name}:", task.of_label(number), one)
    return found


def _say(name: str, task: Task, report: Report) -> None:
    """Prints the threshold of a task, and what it does on the data of a report."""
    found = Report(task, report.outputs, report.labels, np.zeros(report.n), report.name, "", groups=report.groups)
    say(
        [
            f"{name} threshold {task.threshold:.4g}".strip(),
            f"sensitivity {found.sensitivity}",
            f"specificity {found.specificity}",
            f"n = {report.n:,}, on which it was chosen",
            *([report.note] if report.note else []),
        ]
    )


def _of_head(model: Any, validation: Any, head: str | None, who: str) -> tuple[str, Report]:
    """The name of a head with two classes, and its report on the validation data."""
    heads, part = opened(model, validation, who)
    chosen = head_of(heads, head, who)
    if not chosen.task.is_two_class and chosen.task.kind != "labels":
        what = {"classes": f"{chosen.task.outputs} classes", "values": "values"}[chosen.task.kind]
        raise ValueError(f"{who}: the model has {what}: a threshold is between two classes")
    if written(chosen):
        raise ValueError(f"{who}: the model was trained with {chosen.loss.name}, so its outputs are not probabilities")
    return chosen.name, measured(model, part, who)[chosen.name]
