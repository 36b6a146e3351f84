"""plots.py -- the plots of an evaluation as image files."""

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pyneural.arguments.paths import as_path, write_whole
from pyneural.datasets.dataset import Dataset
from pyneural.evaluation.report import Report
from pyneural.plot.answers import confusion, mistakes
from pyneural.plot.score_curves import calibration, precision_recall, roc


def plots_folder(path: str | Path) -> Path:
    """The folder for plots, made if it does not exist.

    Raises:
        OSError: it cannot be made.
        ImportError: matplotlib is not installed.
    """
    import matplotlib  # noqa: F401 -- an error here comes before the evaluation, not after it

    who = "evaluate: --plots"
    root = as_path(who, path)
    for place in (root, *root.parents):
        if place.exists() and not place.is_dir():
            raise NotADirectoryError(f"{who}: {place} is a file: give the path of a folder")
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise type(error)(f"{who}: the folder {root} cannot be made ({error.strerror}): give another") from None
    if not os.access(root, os.W_OK):
        raise PermissionError(f"{who}: the folder {root} is not writable: give another")
    return root


def write_plots(report: Report, part: Dataset, root: Path) -> list[str]:
    """Writes the plots that suit a report of classes, and returns their names.

    Raises:
        OSError: a file cannot be written.
    """
    import matplotlib.pyplot as plt

    one_class = len(set(report.labels.tolist())) == 1
    drawn: dict[str, Callable[[], Any]] = {"confusion": lambda: confusion(report)}
    drawn["calibration"] = lambda: calibration(report)
    if report.positive is not None and not one_class:
        drawn |= {"roc": lambda: roc(report), "precision_recall": lambda: precision_recall(report)}
    if part.x.ndim == 4 and part.x.shape[3] in (1, 3):
        drawn["mistakes"] = lambda: mistakes(report, part)
    names = []
    for name, draw in drawn.items():
        axes = draw()
        figure = (axes.flat[0] if hasattr(axes, "flat") else axes).figure
        image = io.BytesIO()
        figure.savefig(image, dpi=150)
        plt.close(figure)
        write_whole("evaluate: --plots", root / f"{name}.png", image.getvalue())
        names.append(f"{name}.png")
    return names
