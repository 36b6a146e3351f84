"""saved_plots.py -- the plots of an evaluation as image files in a folder."""

import io
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from pyneural.arguments.paths import as_path, writable, write_whole
from pyneural.datasets.dataset import Dataset
from pyneural.evaluation.labels_report import LabelsReport
from pyneural.evaluation.report import Report
from pyneural.plot.answers import confusion, mistakes
from pyneural.plot.curves import history as curves
from pyneural.plot.explanations import Explanations, are_images
from pyneural.plot.heat_maps import explained_grid
from pyneural.plot.interval_bars import labels
from pyneural.plot.score_curves import calibration, precision_recall, roc
from pyneural.training.history import History

_DPI = 150


def check_matplotlib(who: str) -> None:
    """Raises an error before the work starts if matplotlib is missing.

    Raises:
        ImportError: matplotlib is not installed.
    """
    try:
        import matplotlib.pyplot as _  # noqa: F401
    except ImportError as error:
        raise ImportError(f"{who} needs matplotlib: run pip install '.[plot]' in the checkout") from error


def check_outputs(
    who: str,
    plots: str | Path | None,
    csv: str | Path | None,
    html: str | Path | None,
    *,
    model: str | Path | None = None,
) -> Path | None:
    """Checks, before any work, that what a command is asked to write can be written; makes the folder for plots.

    Args:
        who: the prefix of messages, the command.
        plots: a folder for plots, or None.
        csv: a file for answers, or None.
        html: a file for a page, or None.
        model: the file of the model, which the others must not replace, or None.

    Returns:
        The folder for plots.

    Raises:
        TypeError, ValueError, OSError: a path cannot be written to, or is given twice.
        ImportError: plots or a page are asked for, and matplotlib is not installed.
    """
    for name, path in (("csv", csv), ("html", html)):
        if path is not None:
            target = os.path.realpath(writable(f"{who}: --{name}", path))
            if model is not None and target == os.path.realpath(as_path(who, model)):
                raise ValueError(f"{who}: --{name} is {path}, the file of the model: give another file")
    if csv is not None and html is not None and os.path.realpath(csv) == os.path.realpath(html):
        raise ValueError(f"{who}: --csv and --html are both {csv}: give two files")
    if html is not None:
        check_matplotlib(f"{who}: --html")
    return None if plots is None else plots_folder(f"{who}: --plots", plots)


def plots_folder(who: str, path: str | Path) -> Path:
    """The folder for plots, made if it does not exist.

    Args:
        who: the prefix of messages, such as "evaluate: --plots".
        path: the path of the folder.

    Raises:
        OSError: it cannot be made, or is not writable.
        ImportError: matplotlib is not installed.
    """
    check_matplotlib(who)
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


def score_plots(report: Report) -> dict[str, Callable[[], Any]]:
    """By name, the functions that draw the plots that suit a report of classes, or of several labels."""
    if isinstance(report, LabelsReport):
        return {f"labels_{score}": partial(labels, report, score=score) for score in ("average_precision", "f1")}
    drawn: dict[str, Callable[[], Any]] = {"confusion": lambda: confusion(report)}
    drawn["calibration"] = lambda: calibration(report)
    if report.positive is not None and len(set(report.labels.tolist())) > 1:
        drawn |= {"roc": lambda: roc(report), "precision_recall": lambda: precision_recall(report)}
    return drawn


def write_plots(
    who: str,
    report: Report,
    part: Dataset,
    root: Path,
    *,
    history: History | None = None,
    explained: Explanations | None = None,
) -> list[str]:
    """Writes the plots that suit a report of classes, and returns their names.

    Args:
        who: the prefix of messages.
        report: the report.
        part: the data that it is of.
        root: the folder.
        history: the training of the model, whose curves are drawn as well.
        explained: examples with their heat maps, which are drawn as well.

    Raises:
        OSError: a file cannot be written.
    """
    drawn = score_plots(report)
    if are_images(part):
        drawn["mistakes"] = lambda: mistakes(report, part)
    if history is not None and history.epochs:
        drawn["history"] = lambda: curves(history)
    if explained is not None and any(one.maps for one in explained.shown):
        drawn["heat_maps"] = lambda: explained_grid(explained, report, part)
    for name, draw in drawn.items():
        write_whole(who, root / f"{name}.png", as_png(draw()))
    return [f"{name}.png" for name in drawn]


def as_png(axes: Any) -> bytes:
    """The figure of one Axes or an array of them as the bytes of a PNG; the figure is closed."""
    import matplotlib.pyplot as plt

    figure = (axes.flat[0] if hasattr(axes, "flat") else axes).figure
    image = io.BytesIO()
    figure.savefig(image, dpi=_DPI, metadata={"Software": None})
    plt.close(figure)
    return image.getvalue()
