"""Bars with intervals: the importance of columns, and the scores of several labels."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb

import pyneural as pn
from pyneural.card.task import Task
from pyneural.datasets.dataset import Dataset
from pyneural.evaluation.importance import Importance, Importances
from pyneural.evaluation.labels_report import LabelsReport, report_of
from pyneural.metrics.estimate import Estimate
from pyneural.plot.saved_plots import score_plots, write_plots


def found(columns: int, metric: str = "accuracy") -> Importance:
    values = np.random.default_rng(0).random(columns)
    data = Dataset(np.zeros((10, columns), np.float32), np.zeros(10))
    known = {f"column {i}": Estimate(v, v - 0.1, v + 0.2) for i, v in enumerate(values.tolist())}
    return Importance(known, metric, 0.9, np.zeros((columns, 3)), data)


def labels(K: int = 4, n: int = 60) -> LabelsReport:
    generator = np.random.default_rng(1)
    y = (generator.random((n, K)) < 0.4).astype(np.int64)
    p = (1 / (1 + np.exp(-generator.normal(2 * y - 1, 1.5)))).astype(np.float32)
    made = report_of(Task("labels", K, tuple(f"label {k}" for k in range(K))), p, y, np.ones(n), "weather", "")
    assert isinstance(made, LabelsReport)
    return made


def test_the_most_important_columns_are_drawn_from_the_top_with_their_intervals():
    result = found(80)
    axis = pn.plot.importance(result)
    names = [text.get_text() for text in axis.get_yticklabels()]
    assert names == list(result)[:20]
    widths = [bar.get_width() for bar in axis.patches]
    assert widths == pytest.approx([100 * one for one in list(result.values())[:20]])
    (ends,) = axis.collections
    first = next(iter(result.values()))
    assert ends.get_segments()[0][:, 0] == pytest.approx([100 * first.low, 100 * first.high])
    assert axis.get_ylim()[0] > axis.get_ylim()[1]  # the first one is on top
    assert axis.get_xlabel() == "accuracy lost (points)"
    assert "20 of 80 columns" in axis.get_title()
    assert len(pn.plot.importance(result, count=80).patches) == 80
    assert pn.plot.importance(found(3, "mse"), ax=plt.subplots()[1]).get_xlabel() == "MSE gained"


def test_bars_are_legible_on_light_and_on_dark_ground():
    for style in ("default", "dark_background"):
        with plt.style.context(style):
            axis = pn.plot.importance(found(3))
            ground = np.array(to_rgb(axis.figure.get_facecolor()))
            for colour in (axis.patches[0].get_facecolor()[:3], axis.collections[0].get_color()[0][:3]):
                assert np.abs(np.array(colour) - ground).max() > 0.4, (style, colour)


def test_the_scores_of_labels_are_those_of_the_report_the_lowest_at_the_bottom():
    report = labels()
    for score in ("average_precision", "roc_auc", "f1", "precision", "recall"):
        axis = pn.plot.labels(report, score=score)
        shown = [text.get_text() for text in axis.get_yticklabels()]
        of = report.by_label if score in ("average_precision", "roc_auc") else None
        values = [float(getattr(of[name], score) if of else getattr(report, score)[name]) for name in shown]
        assert [bar.get_width() for bar in axis.patches] == pytest.approx(values)
        assert values == sorted(values, reverse=True)
    assert [t.get_text() for t in pn.plot.labels(report, score="recall", count=1).get_yticklabels()] == shown[-1:]


def test_what_is_neither_is_refused():
    result, report = found(2), labels()
    with pytest.raises(ValueError, match=r"plot.importance: the importance is of the heads 'a': give one, such as"):
        pn.plot.importance(Importances({"a": result}))
    with pytest.raises(TypeError, match=r"plot.importance: result is dict: give the result of pn.importance"):
        pn.plot.importance({})
    with pytest.raises(TypeError, match=r"plot.labels: report is Report, which is not of several labels"):
        pn.plot.labels(report.by_label["label 0"])
    with pytest.raises(ValueError, match=r"plot.labels: score"):
        pn.plot.labels(report, score="acuracy")
    for plot in (pn.plot.roc, pn.plot.precision_recall, pn.plot.calibration, pn.plot.confusion):
        with pytest.raises(
            ValueError, match=r"the report is of 4 labels, each yes or no: give the report of one, such"
        ):
            plot(report)
        assert plot(report.by_label["label 1"]) is not None


def test_the_plots_and_the_page_of_a_report_of_labels(tmp_path):
    report = labels(3)
    x = np.random.default_rng(2).random((60, 6, 6, 1)).astype(np.float32)
    data = pn.Dataset(x, report.labels)
    assert list(score_plots(report)) == ["labels_average_precision", "labels_f1"]
    written = write_plots("test", report, data, tmp_path)
    assert written == ["labels_average_precision.png", "labels_f1.png", "mistakes.png"]
    for part in (data, pn.Dataset(x.reshape(60, -1), report.labels), None):
        page = pn.plot.page(report, tmp_path / "page.html", data=part).read_text()
        for words in (
            "3 labels, each yes or no, for each of 60 examples", "Average precision of each label", "label 2",
            "The threshold of each label", "examples have a wrong answer", "exact match",
        ):  # fmt: skip
            assert words in page, words


def test_images_are_shown_with_the_labels_that_apply():
    x = np.random.default_rng(0).random((40, 5, 5, 1)).astype(np.float32)
    y = np.stack([x.mean(axis=(1, 2, 3)) > 0.5, x[:, 0, 0, 0] > 0.5], axis=1)
    model = pn.Sequential(pn.Flatten(), pn.Dense(2))
    data = pn.Dataset(x, y, classes=("bright", "corner"))
    pn.fit(model, data, epochs=2, verbose=0)
    axes = pn.plot.predictions(model, data, count=3)
    assert axes.shape == (2, 3)
    found = pn.classify(model, x[0])
    assert axes[0, 0].get_title().split("\n")[0] == (", ".join(found.labels) or "none")
    with pytest.raises(
        ValueError, match=r"the model answers 2 labels, each yes or no: give one, such as label='bright'"
    ):
        pn.heat_map(model, x[0], method="occlusion")
    assert pn.heat_map(model, x[0], method="occlusion", label="corner").shape == (5, 5)
