"""Plots of data, training histories and predictions, with matplotlib, which is imported on first use.

Every function returns the Axes that it drew into, and does not show the figure: a notebook does so by itself, a program
calls `matplotlib.pyplot.show()`, or `savefig` of the Axes' figure.  `ax=` takes existing Axes, as many as the plot has.
"""

from pyneural.arguments.familiar_modules import OF_PLOT
from pyneural.arguments.spelling import names_of
from pyneural.first_use import load_name

HOMES = {  # each name with its module, as in the package's own __init__.py
    "calibration": "score_curves",
    "confusion": "answers",
    "filters": "weights",
    "heat_map": "heat_maps",
    "history": "curves",
    "images": "pictures",
    "importance": "interval_bars",
    "labels": "interval_bars",
    "learning_rate": "curves",
    "mistakes": "answers",
    "page": "report_page",
    "precision_recall": "score_curves",
    "predictions": "answers",
    "roc": "score_curves",
}

__all__ = sorted(HOMES)


def __getattr__(name: str) -> object:
    if name in HOMES:
        return load_name(globals(), HOMES, name)
    return names_of("pyneural.plot", HOMES, OF_PLOT)(name)


def __dir__() -> list[str]:
    return __all__
