"""What is shown beside the loss, by name, and estimates with their intervals."""

from pyneural.metrics.names import NAMES, Metric, find

__all__ = ["NAMES", "Metric", "find"]
