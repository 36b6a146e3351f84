"""The names of the package.  Made from HOMES in __init__.py by tools/make_stubs.py."""

from pyneural.metrics.names import NAMES, Metric, find
from pyneural.metrics.scores import (
    Calibration,
    Curve,
    average_precision,
    balanced_accuracy,
    brier,
    calibration_curve,
    calibration_error,
    mae,
    mse,
    precision_recall_curve,
    r2,
    roc_auc,
    roc_curve,
    top_k,
)
from pyneural.metrics.thresholds import threshold

__all__ = [
    "NAMES",
    "Calibration",
    "Curve",
    "Metric",
    "average_precision",
    "balanced_accuracy",
    "brier",
    "calibration_curve",
    "calibration_error",
    "find",
    "mae",
    "mse",
    "precision_recall_curve",
    "r2",
    "roc_auc",
    "roc_curve",
    "threshold",
    "top_k",
]
