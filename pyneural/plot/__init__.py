"""Pictures of data, trainings and answers, drawn by matplotlib, which is imported when one is asked for.

Every function returns the Axes that it drew into and shows nothing: a notebook shows the figure by itself, a program
calls `matplotlib.pyplot.show()`, or `savefig` of the Axes' figure.  `ax=` takes Axes that are there already, as many as
the picture has.
"""

from typing import TYPE_CHECKING

from pyneural.arguments.familiar_names import OF_PLOT
from pyneural.arguments.spelling import names_of
from pyneural.plot.answers import confusion, mistakes, predictions
from pyneural.plot.curves import history
from pyneural.plot.pictures import images

__all__ = ["confusion", "history", "images", "mistakes", "predictions"]

if not TYPE_CHECKING:  # type checkers know for themselves that other names are wrong
    __getattr__ = names_of("pyneural.plot", __all__, OF_PLOT)
