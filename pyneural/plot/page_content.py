"""page_content.py -- Content: what a report's page is made of."""

from typing import NamedTuple

from pyneural.datasets.dataset import Dataset
from pyneural.datasets.splits import Splits
from pyneural.evaluation.report import Report
from pyneural.models.ensemble import Ensemble
from pyneural.models.model import Model
from pyneural.plot.explanations import Explanations
from pyneural.training.history import History


class Content(NamedTuple):
    """What a page is made of; what is None or empty has no section.

    Attributes:
        report: the evaluation.
        data: the data in parts, whose test part the report is of.
        part: the data that the report is of.
        model: the model, or the Ensemble.
        history: its training, of an Ensemble that of the first model.
        explained: examples with their heat maps.
        title: the page's title.
        notes: what a reader has to know about the run.
        caveats: what the figures do not say, besides what is always said.
        command: the command line that gave the result, or "".
        date: any text, or "".
    """

    report: Report
    data: Splits | None = None
    part: Dataset | None = None
    model: Model | Ensemble | None = None
    history: History | None = None
    explained: Explanations | None = None
    title: str = ""
    notes: tuple[str, ...] = ()
    caveats: tuple[str, ...] = ()
    command: str = ""
    date: str = ""
