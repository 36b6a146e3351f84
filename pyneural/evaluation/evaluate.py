"""evaluate.py -- evaluation of a trained model."""

from typing import Any, overload

from pyneural.arguments.checks import verbosity
from pyneural.arguments.familiar_keywords import AVERAGES, CHOOSES
from pyneural.arguments.spelling import check_keywords
from pyneural.batching.inputs import check_model
from pyneural.batching.opening import open_data
from pyneural.evaluation.drift import Watch
from pyneural.evaluation.lines import say
from pyneural.evaluation.measuring import measured
from pyneural.evaluation.report import Report, Reports, this_cell
from pyneural.models.ensemble import Ensemble
from pyneural.models.entrances import inherit
from pyneural.models.model import Model
from pyneural.models.sequential import Sequential


@overload
def evaluate(model: Sequential | Ensemble, data: Any, *, verbose: int = 1) -> Report: ...


@overload
def evaluate(model: Model, data: Any, *, verbose: int = 1) -> Any: ...


@check_keywords(
    positional="give x and y as one pair, pn.evaluate(model, (x, y))",
    x="the second argument: pn.evaluate(model, (x, y))",
    y="the second argument: pn.evaluate(model, (x, y))",
    batch_size="not needed: it has no effect on the result",
    metrics="not needed: the report has all metrics",
    threshold=CHOOSES,
    **AVERAGES,
)
def evaluate(model: Model | Ensemble, data: Any, *, verbose: int = 1) -> Any:
    """Evaluates a trained model on data it has not seen, and prints one line.

    For a model trained by hand, with pn.Adam(model) in a loop, the task is inferred from y as in pn.fit, and recorded
    on the model, so that predict and classify work afterwards.

    Args:
        model: a trained model, or a pn.Ensemble.
        data: a pn.Dataset, such as data.test, arrays (x, y), the path of a folder of images or of an .npz, whose `test`
            part is used if it has one, or batches of (x, y).
        verbose: 0 prints nothing.

    Returns:
        The Report: all scores with their 95 % intervals, confusion matrix, mistakes; `print(report)` shows them.  For a
        model with heads a dict of Reports, with one line per head, and one with the share of examples that all heads
        predict correctly, `all_right`.

    Raises:
        ValueError, TypeError: the data does not fit the model.
        RuntimeError: the model is neither trained nor built.
    """
    check_model(model, "evaluate")
    verbose = verbosity("evaluate", verbose, "1 (one line)")
    if isinstance(model, Model):
        inherit(model)
    part = open_data(data, "evaluate", model, part="test")
    watch = Watch(model, "evaluate")
    reports = Reports(measured(model, part, "evaluate", watch.see))
    watch.warn()
    alone = reports.get("")
    if verbose:
        for parts in reports.lines if alone is None else [alone.parts]:
            say(parts)
        for report in reports.values():
            report.printed_in = this_cell()
    return reports if alone is None else alone
