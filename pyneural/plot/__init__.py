"""Pictures of data, trainings and answers, drawn by matplotlib, which is imported when one is asked for.

Every function returns the Axes that it drew into and shows nothing: a notebook shows the figure by itself, a program
calls `matplotlib.pyplot.show()`, or `savefig` of the Axes' figure.  `ax=` takes Axes that are there already, as many as
the picture has.
"""

from pyneural.plot.answers import confusion, mistakes, predictions
from pyneural.plot.curves import history
from pyneural.plot.pictures import images

__all__ = ["confusion", "history", "images", "mistakes", "predictions"]
