"""values_text.py -- what the report of several values says of each."""

from typing import Any

import numpy as np

from pyneural.evaluation.tables import Table
from pyneural.metrics.estimate import Estimate

_VALUES = 20  # the most values of a table: those with the lowest R²


def tables(report: Any) -> list[Table]:
    """R² and mean absolute error of each of several values; none for one value."""
    parts = list(report.by_target.items())
    if len(parts) < 2:
        return []
    if len(parts) > _VALUES:
        lowest = np.argsort([np.nan_to_num(one.r2, nan=-np.inf) for _, one in parts], kind="stable")[:_VALUES]
        parts = [parts[number] for number in sorted(lowest.tolist())]
    rows = [(name, _cell(one.r2), _cell(one.mae)) for name, one in parts]
    return [Table(("value", "R²", "MAE"), rows)]


def _cell(one: Estimate) -> str:
    """A number with its interval: `0.991 [0.983, 0.995]`."""
    return "undefined" if np.isnan(one) else f"{one:.4g} [{one.low:.4g}, {one.high:.4g}]"
