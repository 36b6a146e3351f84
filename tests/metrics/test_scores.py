"""Scores of predictions: what scikit-learn says of the same arrays, and what it leaves open."""

import math
import re

import numpy as np
import pytest
from sklearn import calibration as sk_calibration
from sklearn import metrics as sk

import pyneural as pn
from pyneural.metrics import scores
from pyneural.metrics.scores import bin_numbers, ranks

CLOSE = 1e-9  # the same float64 sums in another order


def two_classes(seed: int, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Labels 0 and 1, and probabilities: some tied, some float32, some exactly 0 and 1."""
    generator = np.random.default_rng(seed)
    n = int(generator.integers(2, 400))
    y = (generator.random(n) < generator.uniform(0.05, 0.9)).astype(int)
    y[:2] = 0, 1
    p = 1 / (1 + np.exp(-generator.normal(2 * y - 1, 2, n)))
    if kind == "tied":
        p = np.round(p, 1)
    return y, p.astype(np.float32) if kind == "float32" else p


@pytest.mark.parametrize("kind", ["distinct", "tied", "float32"])
@pytest.mark.parametrize("seed", range(8))
def test_scores_of_two_classes_are_those_of_scikit_learn(seed, kind):
    y, p = two_classes(seed, kind)
    assert pn.metrics.roc_auc(y, p) == pytest.approx(sk.roc_auc_score(y, p), abs=CLOSE)
    assert pn.metrics.average_precision(y, p) == pytest.approx(sk.average_precision_score(y, p), abs=CLOSE)
    assert pn.metrics.brier(y, p) == pytest.approx(sk.brier_score_loss(y, p.astype(float)), abs=CLOSE)
    curve = pn.metrics.roc_curve(y, p)
    false, true, thresholds = sk.roc_curve(y, p, drop_intermediate=False)
    np.testing.assert_allclose(curve, (false, true, thresholds), atol=CLOSE)
    curve = pn.metrics.precision_recall_curve(y, p)
    precision, recall, thresholds = sk.precision_recall_curve(y, p)  # which ends in the point (0, 1)
    np.testing.assert_allclose(curve, (recall[-2::-1], precision[-2::-1], thresholds[::-1]), atol=CLOSE)
    share, mean = sk_calibration.calibration_curve(y, p, n_bins=15)
    found = pn.metrics.calibration_curve(y, p)
    np.testing.assert_allclose((found.share, found.probability), (share, mean), atol=CLOSE)
    assert pn.metrics.calibration_error(y, p) == pytest.approx(
        np.average(np.abs(share - mean), weights=found.n), abs=CLOSE
    )


@pytest.mark.parametrize("seed", range(6))
def test_scores_of_classes_and_values_are_those_of_scikit_learn(seed):
    generator = np.random.default_rng(seed)
    n, classes = int(generator.integers(5, 300)), int(generator.integers(3, 12))
    p = generator.dirichlet(np.ones(classes), n)
    y = generator.integers(0, classes, n)
    predicted = p.argmax(axis=1)
    occur = np.isin(predicted, y)  # scikit-learn warns of classes that are predicted and never occur
    assert pn.metrics.balanced_accuracy(y, np.where(occur, predicted, y)) == pytest.approx(
        sk.balanced_accuracy_score(y, np.where(occur, predicted, y)), abs=CLOSE
    )
    for k in (1, 2, classes - 1):
        expected = sk.top_k_accuracy_score(y, p, k=k, labels=range(classes))
        assert pn.metrics.top_k(y, p, k) == pytest.approx(expected, abs=CLOSE)
    values, guess = generator.normal(size=(2, n, 3))
    assert pn.metrics.mse(values, guess) == pytest.approx(sk.mean_squared_error(values, guess), abs=CLOSE)
    assert pn.metrics.mae(values, guess) == pytest.approx(sk.mean_absolute_error(values, guess), abs=CLOSE)
    assert pn.metrics.r2(values, guess) == pytest.approx(sk.r2_score(values, guess), abs=CLOSE)
    assert pn.metrics.r2(values[:, 0], guess[:, 0]) == pytest.approx(sk.r2_score(values[:, 0], guess[:, 0]), abs=CLOSE)


def test_top_1_is_the_accuracy_of_argmax_with_ties_and_nan_is_never_right():
    p = np.random.default_rng(0).integers(0, 3, (500, 4)) / 4
    y = np.random.default_rng(1).integers(0, 4, 500)
    assert pn.metrics.top_k(y, p, 1) == np.mean(p.argmax(axis=1) == y)
    assert pn.metrics.top_k(y, p, 4) == 1
    assert ranks(np.array([0, 1]), np.array([[np.nan, 0.5], [np.nan, 0.5]])).tolist() == [2, 0]
    p[:, 0] = np.nan
    assert pn.metrics.top_k(np.zeros(500, int), p, 3) == 0


def test_scores_without_an_answer_are_nan():
    for labels in ([1, 1, 1], [0, 0, 0]):
        assert math.isnan(pn.metrics.roc_auc(labels, [0.1, 0.2, 0.3]))
    assert math.isnan(pn.metrics.average_precision([0, 0], [0.1, 0.2]))
    assert pn.metrics.average_precision([1, 1], [0.1, 0.2]) == 1
    assert math.isnan(pn.metrics.roc_auc([0, 1], [0.1, np.nan]))
    assert math.isnan(pn.metrics.r2([1.0, 1.0], [1.0, 2.0]))
    for score in (pn.metrics.roc_auc, pn.metrics.average_precision, pn.metrics.brier, pn.metrics.calibration_error):
        assert math.isnan(score(np.empty(0, int), np.empty(0)))
    for score in (pn.metrics.mse, pn.metrics.mae, pn.metrics.r2):
        assert math.isnan(score(np.empty(0), np.empty(0)))


def test_infinite_scores_are_ordered_like_others():
    """Logarithms of probabilities are -inf where these are 0."""
    y = [0, 1, 0, 1, 1, 0]
    for s in ([-np.inf, -np.inf, -np.inf, 1.0, np.inf, np.inf], [-9, -9, -9, 1, 9, 9]):
        assert scores.roc_auc(y, s) == pytest.approx(5.5 / 9)
        assert scores.average_precision(y, s) == pytest.approx(1 / 3 * (1 / 2 + 2 / 3 + 3 / 6))
        assert scores.roc_curve(y, s).x.tolist() == pytest.approx([0, 1 / 3, 1 / 3, 1])


@pytest.mark.parametrize("value", [0.1, 1e9 + 0.1, -3.0])
def test_equal_labels_leave_no_variance_to_explain_whatever_the_rounding(value):
    labels = np.full(3, value)
    assert math.isnan(scores.r2(labels, labels + np.arange(3)))
    assert math.isnan(scores.r2(np.stack([labels, [1, 2, 3]], axis=1), np.zeros((3, 2))))
    assert scores.r2([0.1, 0.1, 0.2], [0.1, 0.1, 0.2]) == 1


def test_class_numbers_may_be_large():
    assert scores.balanced_accuracy([3, 10**15, 10**15], [3, 10**15, 3]) == 0.75


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_threshold_tells_neighbouring_scores_apart_in_their_own_dtype(dtype):
    for low in np.random.default_rng(0).random(200).astype(dtype):
        s = np.array([0, low, np.nextafter(low, dtype(2)), 1], dtype)
        threshold = pn.metrics.threshold([0, 0, 1, 1], s, youden=True)
        assert (s >= threshold).tolist() == [False, False, True, True], (low, threshold)


def test_probabilities_of_exactly_0_and_1_have_a_bin():
    assert bin_numbers(np.array([0.0, 1e-9, 1 / 15, 0.5, 1.0, 1.5, -0.5])).tolist() == [0, 0, 0, 7, 14, 14, 0]
    assert pn.metrics.calibration_error([0, 1], [0.0, 1.0]) == 0
    assert pn.metrics.calibration_error([1, 0], [0.0, 1.0]) == 1


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: pn.metrics.roc_auc([0, 2], [0.1, 0.2]), "labels are 0 and 1"),
        (lambda: pn.metrics.roc_auc([0, 1], [0.1]), "there are 2 labels, scores are float64 (1,)"),
        (lambda: pn.metrics.brier([[0], [1]], [0.1, 0.2]), "labels are 0 and 1, (n,)"),
        (lambda: pn.metrics.balanced_accuracy([0, 1], [0]), "2 labels and 1 predictions"),
        (lambda: pn.metrics.top_k([0, 2], [[0.5, 0.5], [0.5, 0.5]]), "a label is 2, and there are probabilities of 2"),
        (lambda: pn.metrics.top_k([0, 1], [0.5, 0.5]), "there are 2 labels, probabilities are float64 (2,)"),
        (lambda: pn.metrics.top_k([0, 1, 1], [[0.5, 0.5], [0.5, 0.5]]), "there are 3 labels, probabilities are"),
        (lambda: pn.metrics.balanced_accuracy([0.5], [0]), "class numbers (n,), got float64"),
        (lambda: pn.metrics.top_k([0], [[0.5, 0.5]], k=0), "k is 0: give a whole number of at least 1"),
        (lambda: pn.metrics.mse([1.0], [[1.0]]), "labels are (1,), predictions (1, 1)"),
        (lambda: pn.metrics.calibration_curve([0], [0.5], bins=0), "bins is 0"),
    ],
)
def test_wrong_arrays_are_reported(call, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        call()


def test_a_threshold_of_pooled_scores_needs_no_model():
    y, p = two_classes(3, "distinct")
    for least in (0.8, 0.95):
        predicted = p >= pn.metrics.threshold(y, p, min_specificity=least)
        assert np.mean(~predicted[y == 0]) >= least
        others = [t for t in p if np.mean(p[y == 0] < t) >= least]
        assert np.mean(predicted[y == 1]) == max(np.mean(p[y == 1] >= t) for t in others)
    assert 0.25 < pn.metrics.threshold([0, 0, 1, 1], [1, 2, 3, 4], youden=True) == 2.5
    with pytest.raises(ValueError, match="threshold: all 2 labels are 1: give data with both classes"):
        pn.metrics.threshold([1, 1], [0.1, 0.2], youden=True)
    with pytest.raises(ValueError, match="threshold: labels are 0 and 1"):
        pn.metrics.threshold([0, 2], [0.1, 0.2], youden=True)
    with pytest.raises(ValueError, match="threshold: 1 scores are NaN"):
        pn.metrics.threshold([0, 1], [0.1, np.nan], youden=True)
    with pytest.raises(ValueError, match=r"threshold: give one of min_sensitivity=0\.95"):
        pn.metrics.threshold([0, 1], [0.1, 0.2])
