"""Plots of data, training histories and predictions, with matplotlib, which is imported on first use.

Every function returns the Axes that it drew into, and does not show the figure: a notebook does so by itself, a program
calls `matplotlib.pyplot.show()`, or `savefig` of the Axes' figure.  `ax=` takes existing Axes, as many as the plot has.
"""

from typing import TYPE_CHECKING

from pyneural.arguments.familiar_modules import OF_PLOT
from pyneural.arguments.spelling import names_of
from pyneural.plot.answers import confusion, mistakes, predictions
from pyneural.plot.curves import history, learning_rate
from pyneural.plot.heat_maps import heat_map
from pyneural.plot.pictures import images
from pyneural.plot.score_curves import calibration, precision_recall, roc
from pyneural.plot.weights import filters

__all__ = [
    "calibration",
    "confusion",
    "filters",
    "heat_map",
    "history",
    "images",
    "learning_rate",
    "mistakes",
    "precision_recall",
    "predictions",
    "roc",
]

if not TYPE_CHECKING:  # type checkers report wrong names by themselves
    __getattr__ = names_of("pyneural.plot", __all__, OF_PLOT)
