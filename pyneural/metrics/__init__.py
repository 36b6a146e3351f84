"""Metrics by name for pn.fit, and scores as plain functions on arrays: pn.metrics.roc_auc(labels, probabilities)."""

from typing import TYPE_CHECKING

from pyneural.arguments.familiar_modules import OF_METRICS
from pyneural.arguments.spelling import names_of
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

if not TYPE_CHECKING:  # type checkers report wrong names by themselves
    __getattr__ = names_of("pyneural.metrics", __all__, OF_METRICS)
