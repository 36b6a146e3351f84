"""temperature.py -- the temperature of a model's probabilities, fitted on validation data."""

import math
from dataclasses import replace
from typing import Any

import numpy as np

from pyneural.arguments.arrays import Array
from pyneural.arguments.spelling import check_keywords
from pyneural.card.soft import joined
from pyneural.evaluation.chosen import opened, store
from pyneural.evaluation.heads import written
from pyneural.evaluation.lines import say
from pyneural.evaluation.measuring import measured, passes
from pyneural.evaluation.report import Report
from pyneural.models.ensemble import Ensemble
from pyneural.models.model import Model

_LEAST, _MOST = 0.01, 100.0  # the range of temperatures
_STEPS = 50  # of the bisection: 1e-14 of the range


@check_keywords(positional="give the model and the validation data, pn.calibrate(model, data)")
def calibrate(model: Model | Ensemble, validation: Any, *, verbose: int = 1) -> Any:
    """Fits the temperature that the logits are divided by, so that probabilities are shares of being right.

    The temperature T has the lowest cross-entropy of softmax(logits / T) on the validation data (Guo et al. 2017).  It
    is stored in the model, saved with it, and obeyed by pn.predict, pn.classify and pn.evaluate.  No answer changes: a
    threshold that was chosen before is converted.  A later pn.fit starts again at 1, and keeps the answers.

    Args:
        model: a trained model for classes, or a pn.Ensemble, whose logits are the logarithms of its probabilities.
        validation: a Dataset, arrays (x, y) or batches, which the model was not trained on.
        verbose: 0 prints nothing.

    Returns:
        T: above 1 for a model that is too sure of itself; for a model with heads a dict.

    Raises:
        ValueError, TypeError: the data does not fit the model, or does not determine a temperature.
        RuntimeError: the model is not trained yet.

    >>> import pyneural as pn
    >>> x = np.random.default_rng(0).normal(size=(200, 2)).astype(np.float32)
    >>> y = (x[:, 0] + np.random.default_rng(1).normal(size=200) > 0).astype(int)
    >>> model = pn.Sequential(pn.Dense(32, "relu"), pn.Dense(2))
    >>> history = pn.fit(model, (x[:100], y[:100]), epochs=50, learning_rate=0.1, verbose=0)
    >>> pn.calibrate(model, (x[100:], y[100:]), verbose=0) > 1
    True
    """
    who = "calibrate"
    heads, part = opened(model, validation, who)
    chosen = [head for head in heads if head.task.kind != "values" and not written(head)]
    if not chosen:
        raise ValueError(f"{who}: the model has no outputs that are probabilities, of a softmax or a sigmoid")
    plain = tuple(head._replace(task=replace(head.task, temperature=1.0)) for head in heads)
    before = measured(model, part, who) if verbose else {}
    logits: dict[str, list[Array]] = {head.name: [] for head in chosen}
    labels: dict[str, list[Array]] = {head.name: [] for head in chosen}
    for outputs, _, targets in passes(model, part, plain, who):
        for name, kept in logits.items():
            kept.append(np.array((outputs[name] if name else outputs).numpy(), np.float64))
            labels[name].append(np.array((targets[name] if name else targets).numpy()))
    found = {}
    for head in chosen:
        at = f"{who}: {head.name}" if head.name else who
        z, y = np.concatenate(logits[head.name]), joined(labels[head.name])
        if head.task.kind == "labels":  # one temperature for all, each of which is a logit by itself
            z, y = z.reshape(-1, 1), y.reshape(-1, 1)
        found[head.name] = _temperature(z, y, at)
    for head in chosen:
        store(model, head.name, head.task.at(found[head.name]))
    if verbose:
        after = measured(model, part, who)
        for name, T in found.items():
            say([f"{name} temperature {T:.4g}".strip(), *_compared(before[name], after[name])])
    return found.get("", found)


def _compared(before: Report, after: Report) -> list[str]:
    errors = [f"{100 * float(report.calibration_error or 0):.2f} %" for report in (before, after)]
    return [
        f"loss {before.loss:.4g} -> {after.loss:.4g}",
        f"calibration error {' -> '.join(errors)}",
        f"n = {after.n:,}, on which it was fitted",
        *([after.note] if after.note else []),
    ]


def _temperature(logits: Array, y: Array, who: str) -> float:
    """The T of the lowest cross-entropy, by bisection of its derivative by 1 / T, which grows with 1 / T.

    d/db mean(log Σ exp(b z) - b z_y) = mean(Σ p z - z_y), where p = softmax(b z) and b = 1 / T.

    Raises:
        ValueError: the derivative has no zero.
    """
    if logits.shape[1] == 1:
        logits = np.hstack([np.zeros_like(logits), logits])
    if np.isnan(logits).any():
        raise ValueError(f"{who}: outputs of the model are NaN: train it again")
    soft = y.ndim == 2 and y.shape[1] > 1
    of_label = (logits * y).sum(axis=1) if soft else logits[np.arange(len(y)), y.reshape(-1).astype(np.int64)]
    wanted = float(of_label.mean())
    z = logits - logits.max(axis=1, keepdims=True)

    def slope(b: float) -> float:
        p = np.exp(b * z)
        return float(((p * logits).sum(axis=1) / p.sum(axis=1)).mean()) - wanted

    low, high = 1 / _MOST, 1 / _LEAST
    if slope(low) >= 0:
        raise ValueError(
            f"{who}: on this data the model's probabilities are no better than equal ones: train it further"
        )
    if slope(high) <= 0:
        raise ValueError(
            f"{who}: all {len(y):,} answers are right, so the temperature is not determined: give more validation "
            "data, which the model was not trained on"
        )
    for _ in range(_STEPS):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if slope(middle) < 0 else (low, middle)
    return 1 / math.sqrt(low * high)
