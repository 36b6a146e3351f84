"""xray_choices.py -- what the chest X-ray detector chooses on validation data: temperatures and thresholds.

Each network has a temperature and a threshold from its own validation part.  Several networks, as one ensemble, have a
threshold from all of their validation probabilities.  It is a stricter one: a network's probabilities are scattered
more than the means of several, and the many images of all folds determine a higher specificity than those of one.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np

from pyneural.apps.xray_words import Lines, say_chosen, say_networks
from pyneural.arguments.arrays import Array
from pyneural.card.task import Task
from pyneural.datasets.dataset import Dataset
from pyneural.evaluation.evaluate import evaluate
from pyneural.evaluation.report import Report
from pyneural.evaluation.temperature import calibrate
from pyneural.evaluation.threshold import choose_threshold
from pyneural.metrics.thresholds import threshold
from pyneural.models.ensemble import Ensemble
from pyneural.models.model import Model

_SPECIFICITY = 0.99  # the least on the validation part of a network
_OF_SMALL = 0.995  # and of one for images of fewer pixels than _SMALL a side: docs/xray.md says why
_TOGETHER = 0.995  # and on those of several
_SMALL = 64


class Network(NamedTuple):
    """A trained network.

    Attributes:
        model: the network.
        rows: the numbers of the images of its validation part.
        report: that on this part; None if training was interrupted, and nothing was chosen.
    """

    model: Model
    rows: Array
    report: Report | None


def chosen(model: Model, held: Dataset, lines: Lines) -> Report:
    """Chooses the temperature and the threshold of a network, and reports on the data that they were chosen on.

    If the data does not determine one, that is printed, and it stays as it is.
    """
    least = _OF_SMALL if held.x.shape[1] < _SMALL else _SPECIFICITY
    rule = f"at least {100 * least:g} % specificity on the validation images"
    for choose in (calibrate, partial(choose_threshold, min_specificity=least)):
        try:
            choose(model, held, verbose=0)
        except ValueError as error:
            lines.say(f"not chosen: {error}")
            rule = rule if choose is calibrate else "not chosen"
    report: Report = evaluate(model, held, verbose=0)
    say_chosen(report, rule, lines)
    return report


def chosen_together(networks: Sequence[Network], lines: Lines) -> tuple[Ensemble, Report]:
    """The ensemble of networks with its threshold, and the report on the pooled validation images with it."""
    ensemble = Ensemble([network.model for network in networks])
    pooled = _pooled(networks, ensemble.card.task)
    rule = f"at least {100 * _TOGETHER:g} % specificity on the pooled validation images of {len(networks)} networks"
    try:
        found = threshold(pooled.labels, pooled.outputs[:, 1], min_specificity=_TOGETHER)
        ensemble.card.task = replace(ensemble.card.task, threshold=found)
        pooled = _pooled(networks, ensemble.card.task)
    except ValueError as error:
        lines.say(f"not chosen: {error}")
        rule = "not chosen"
    say_networks([network.report for network in networks if network.report is not None], lines)
    say_chosen(pooled, rule, lines)
    return ensemble, pooled


def _pooled(networks: Sequence[Network], task: Task) -> Report:
    """The report on the validation images of all networks, each with the probabilities of its own network.

    An image that validated several networks counts once for each; the intervals are by image, or by group.
    """
    found = [(network.rows, network.report) for network in networks if network.report is not None]
    labels, outputs, units = (
        np.concatenate(parts)
        for parts in zip(
            *((one.labels, one.outputs, rows if one.groups is None else one.groups) for rows, one in found), strict=True
        )
    )
    first = found[0][1]
    return Report(task, outputs, labels, np.zeros(len(labels)), first.name, first.note, groups=units)
