"""explanations.py -- heat maps of some right and some wrong answers of a report, which pages and saved plots show."""

from typing import Any, NamedTuple

import numpy as np

from pyneural.arguments.arrays import Array
from pyneural.datasets.dataset import Dataset
from pyneural.evaluation.heat_maps import METHODS, heat_map
from pyneural.evaluation.report import Report

_COUNT = 8  # half of them right, as far as there are so many


class Explanation(NamedTuple):
    """An example and the maps (height, width), 0..1, that explain its answer, by the words for their method."""

    row: int
    maps: dict[str, Array]


class Explanations(NamedTuple):
    """Some examples of a report with their maps, and why a method has no map."""

    shown: list[Explanation]
    missing: list[str]


def are_images(part: Dataset | None) -> bool:
    """Whether the examples are grey or colour images."""
    return part is not None and part.x.ndim == 4 and part.x.shape[3] in (1, 3)


def explained_rows(report: Report, count: int = _COUNT) -> Array:
    """The examples that are shown: the most confident right ones, from each class in turn, then the worst mistakes."""
    finite = np.asarray(np.isfinite(report.outputs).all(axis=1))
    right = np.flatnonzero((report.predictions == report.labels) & finite)
    right = right[np.argsort(-report.confidence[right], kind="stable")]
    rank = np.zeros(len(right), np.int64)  # of each among the right ones of its class
    for number in np.unique(report.labels[right]).tolist():
        of_class = report.labels[right] == number
        rank[of_class] = np.arange(of_class.sum())
    wrong = report.mistakes[finite[report.mistakes]][: count - min(len(right), count // 2)]
    chosen = right[np.argsort(rank, kind="stable")][: count - len(wrong)]
    return np.concatenate([chosen[np.argsort(report.labels[chosen], kind="stable")], wrong])


def explanations(model: Any, report: Report, part: Dataset) -> Explanations:
    """The maps of Grad-CAM and of occlusion for the answers to some of the images.

    Args:
        model: the model, with one output, or an Ensemble of such.
        report: its report on `part`.
        part: the images.
    """
    rows = explained_rows(report).tolist()
    found: dict[int, dict[str, Array]] = {row: {} for row in rows}
    missing = []
    for method, words in METHODS.items():
        try:
            for row in rows:
                label = report.task.label(int(report.predictions[row]))
                values = heat_map(model, part.x[row], method=method, label=label, normalize=False)
                found[row][words] = np.maximum(values, 0) / (float(values.max()) if values.max() > 0 else 1.0)
        except ValueError as error:  # such as a network without a convolution, of which there is no map
            missing.append(f"{words} is not shown: {str(error).removeprefix('heat_map: ')}")
    return Explanations([Explanation(row, maps) for row, maps in found.items()], missing)
