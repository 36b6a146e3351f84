"""Metrics by name, and estimates with confidence intervals."""

from typing import TYPE_CHECKING

from pyneural.arguments.familiar_modules import OF_METRICS
from pyneural.arguments.spelling import names_of
from pyneural.metrics.names import NAMES, Metric, find

__all__ = ["NAMES", "Metric", "find"]

if not TYPE_CHECKING:  # type checkers report wrong names by themselves
    __getattr__ = names_of("pyneural.metrics", __all__, OF_METRICS)
