"""The names of the package.  Made from HOMES in __init__.py by tools/make_stubs.py."""

from pyneural.plot.answers import confusion, mistakes, predictions
from pyneural.plot.curves import history, learning_rate
from pyneural.plot.heat_maps import heat_map
from pyneural.plot.interval_bars import importance, labels
from pyneural.plot.pictures import images
from pyneural.plot.report_page import page
from pyneural.plot.score_curves import calibration, precision_recall, roc
from pyneural.plot.weights import filters

__all__ = [
    "calibration",
    "confusion",
    "filters",
    "heat_map",
    "history",
    "images",
    "importance",
    "labels",
    "learning_rate",
    "mistakes",
    "page",
    "precision_recall",
    "predictions",
    "roc",
]
