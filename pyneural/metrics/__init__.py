"""Metrics by name for pn.fit, and scores as plain functions on arrays: pn.metrics.roc_auc(labels, probabilities)."""

from pyneural.arguments.familiar_modules import OF_METRICS
from pyneural.arguments.spelling import names_of
from pyneural.first_use import load_name

HOMES = {  # each name with its module, as in the package's own __init__.py
    "Calibration": "scores",
    "Curve": "scores",
    "Metric": "names",
    "NAMES": "names",
    "average_precision": "scores",
    "balanced_accuracy": "scores",
    "brier": "scores",
    "calibration_curve": "scores",
    "calibration_error": "scores",
    "find": "names",
    "mae": "scores",
    "mse": "scores",
    "precision_recall_curve": "scores",
    "r2": "scores",
    "roc_auc": "scores",
    "roc_curve": "scores",
    "threshold": "thresholds",
    "top_k": "scores",
}

__all__ = sorted(HOMES)


def __getattr__(name: str) -> object:
    if name in HOMES:
        return load_name(globals(), HOMES, name)
    return names_of("pyneural.metrics", HOMES, OF_METRICS)(name)


def __dir__() -> list[str]:
    return __all__
