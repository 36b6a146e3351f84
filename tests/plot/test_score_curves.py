"""Plots of a report's scores and of filters: what is drawn are the scores, legible on light and on dark ground."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb

import pyneural as pn
from pyneural.card.task import Task
from pyneural.evaluation.report import Report


def report(y: np.ndarray, p: np.ndarray, classes: tuple[str, ...] = (), threshold: float = 0.5) -> Report:
    kind, K = ("binary", 1) if p.ndim == 1 else ("classes", p.shape[1])
    return Report(Task(kind, K, classes, threshold), p.reshape(len(p), -1), y, np.ones(len(y)), "", "")


@pytest.fixture(scope="module")
def two() -> Report:
    generator = np.random.default_rng(0)
    y = (generator.random(300) < 0.3).astype(int)
    return report(y, 1 / (1 + np.exp(-generator.normal(2 * y - 1, 1.5))), ("no", "yes"), 0.3)


def lines(axis) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    return {line.get_label().split(":")[0]: line.get_data() for line in axis.lines}


def test_the_roc_curve_has_the_area_and_the_point_that_the_report_says(two):
    axis = pn.plot.roc(two)
    x, y = lines(axis)["model"]
    assert np.trapezoid(y, x) == pytest.approx(two.roc_auc)
    x, y = lines(axis)["threshold 0.3"]
    assert (x[0], y[0]) == pytest.approx((1 - two.specificity, two.sensitivity))
    assert axis.get_title() == f"ROC AUC {two.roc_auc}"


def test_the_curve_of_precision_and_recall_has_the_area_that_the_report_says(two):
    axis = pn.plot.precision_recall(two)
    recall, precision = lines(axis)["model"]
    assert (np.diff(recall) * precision[1:]).sum() == pytest.approx(two.average_precision)
    x, y = lines(axis)["threshold 0.3"]
    assert (x[0], y[0]) == pytest.approx((two.sensitivity, two.ppv))
    assert lines(axis)["guessing"][1][0] == pytest.approx(two.labels.mean())


def test_the_calibration_shows_the_shares_of_two_classes_and_of_right_answers_of_more(two):
    generator = np.random.default_rng(1)
    p = generator.dirichlet(np.ones(3), 200)
    many = report(generator.integers(0, 3, 200), p)
    for one, labels, shown in (
        (two, two.labels, two.positive),
        (many, many.predictions == many.labels, many.confidence),
    ):
        shares, numbers = pn.plot.calibration(one)
        bins = pn.metrics.calibration_curve(labels.astype(int), shown)
        x, y = np.asarray(shares.lines[1].get_data(), float)
        np.testing.assert_allclose((x, y), (bins.probability, bins.share))
        assert sum(bar.get_height() for bar in numbers.patches) == one.n
    assert numbers.get_xlabel() == "confidence"


def test_they_draw_into_given_axes(two):
    given = plt.subplots(2)[1]
    assert pn.plot.roc(two, ax=given[0]) is given[0]
    assert list(pn.plot.calibration(two, ax=given)) == list(given)


def test_filters_are_the_weights_on_one_scale():
    model = pn.Sequential(pn.Conv2D(6, 5), pn.Conv2D(2, 3), pn.Flatten(), pn.Dense(2))
    model.build((28, 28, 1))
    weight = np.asarray(model["conv2d_1"].weight)
    axes = pn.plot.filters(model)
    assert [axis.get_title() for axis in axes.flat if axis.axison] == list("012345")
    for number, axis in enumerate(axes.flat[:6]):
        np.testing.assert_array_equal(np.asarray(axis.images[0].get_array()).reshape(5, 5), weight[:, :, 0, number])
        low, high = axis.images[0].get_clim()
        assert -low == high == pytest.approx(np.abs(weight).max())
    axes = pn.plot.filters(model, "conv2d_2", count=5)
    assert [axis.get_title() for axis in axes.flat] == ["0, 0", "0, 1", "0, 2", "0, 3", "0, 4"]
    second = np.asarray(model["conv2d_2"].weight)
    np.testing.assert_array_equal(np.asarray(axes.flat[3].images[0].get_array()).reshape(3, 3), second[:, :, 3, 0])
    colour = pn.Sequential(pn.Conv2D(2, 3), pn.Flatten(), pn.Dense(2))
    colour.build((8, 8, 3))
    weight = np.asarray(colour["conv2d_1"].weight)
    shown = np.asarray(pn.plot.filters(colour).flat[1].images[0].get_array())
    np.testing.assert_allclose(shown, (weight[..., 1] / np.abs(weight).max() + 1) / 2, atol=1e-6)


@pytest.mark.parametrize("style", ["default", "dark_background"])
def test_every_text_and_line_stands_out_from_its_ground(style, two, sample):
    with plt.style.context(style):
        model = pn.Sequential(pn.Conv2D(2, 3), pn.Flatten(), pn.Dense(10))
        pn.fit(model, sample.test, epochs=1, verbose=0)
        found = pn.evaluate(model, sample.test, verbose=0)
        axes = [pn.plot.roc(two), pn.plot.precision_recall(two), *pn.plot.calibration(two)]
        axes += [*pn.plot.filters(model).flat, *pn.plot.mistakes(found, sample.test, count=2).flat]
        axes += pn.plot.predictions(model, sample.test, count=2)[0].tolist()
        for axis in axes:
            ground = np.array(to_rgb(axis.figure.get_facecolor()))
            colours = [line.get_color() for line in axis.lines]
            colours += [text.get_color() for text in (axis.title, axis.xaxis.label, axis.yaxis.label)]
            for colour in colours:
                assert np.abs(np.array(to_rgb(colour)) - ground).max() > 0.4, (style, axis.get_title(), colour)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: pn.plot.roc(report(np.array([0, 2]), np.eye(3)[:2])),
            "the report is of 3 classes, the curve is of two",
        ),
        (lambda: pn.plot.roc(report(np.ones(3, int), np.ones(3))), "all 3 labels are 1, so there is no curve"),
        (
            lambda: pn.plot.precision_recall(report(np.array([0, 1]), np.array([np.nan, 1]))),
            "outputs of the model are NaN",
        ),
        (lambda: pn.plot.calibration(report(np.array([0, 1]), np.array([np.nan, 1]))), "outputs of the model are NaN"),
        (lambda: pn.plot.filters(pn.Sequential(pn.Dense(1))), "has no Conv2D, so it has no filters"),
        (lambda: pn.plot.filters(pn.Sequential(pn.Conv2D(1, 3)), "dense_1"), "has no Conv2D 'dense_1': it has"),
    ],
)
def test_what_cannot_be_drawn_is_said(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_other_things_are_refused(two):
    with pytest.raises(TypeError, match=r"plot\.roc: report is float"):
        pn.plot.roc(0.5)
    with pytest.raises(ValueError, match=r"plot\.calibration: this is a regression"):
        pn.plot.calibration(Report(Task("values", 1), np.ones((1, 1)), np.ones((1, 1)), np.ones(1), "", ""))
    with pytest.raises(TypeError, match=r"plot\.filters: model is Report"):
        pn.plot.filters(two)
    with pytest.raises(RuntimeError, match="not built yet"):
        pn.plot.filters(pn.Sequential(pn.Conv2D(1, 3)))
