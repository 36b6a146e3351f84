"""xray_result.py -- XrayRun: what a run of the chest X-ray detector gives."""

from typing import NamedTuple

from pyneural.datasets.splits import Splits
from pyneural.evaluation.report import Report
from pyneural.models.ensemble import Ensemble
from pyneural.models.model import Model
from pyneural.training.history import History


class XrayRun(NamedTuple):
    """The result of pn.apps.xray.

    Attributes:
        model: a Model, or an Ensemble of several, with its threshold and temperature set.
        history: the training of the (first) network.
        report: the evaluation of the test part; None if training was interrupted.
        data: the images, `.train` and `.test`, with the names of their files and their patients as groups.
        lines: the lines that were printed: patients, recipe, threshold and its source, results, warnings.
    """

    model: Model | Ensemble
    history: History
    report: Report | None
    data: Splits
    lines: tuple[str, ...]
