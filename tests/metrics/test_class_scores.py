"""Scores by class, and of two classes, with their intervals."""

import math
import tracemalloc

import numpy as np
import pytest
from sklearn import metrics as sk

from pyneural.metrics import intervals
from pyneural.metrics.class_scores import ClassScores
from pyneural.metrics.estimate import Estimate
from pyneural.metrics.two_classes import TwoClasses


@pytest.mark.parametrize("groups", [None, 40])
@pytest.mark.parametrize("seed", range(3))
def test_scores_by_class_are_those_of_scikit_learn(seed, groups):
    generator = np.random.default_rng(seed)
    y = generator.integers(0, 5, 300)
    predicted = np.where(generator.random(300) < 0.7, y, generator.integers(0, 6, 300))
    units = None if groups is None else generator.integers(0, groups, 300)
    found = ClassScores(y, predicted, 7, units)
    precision, recall, f1, support = sk.precision_recall_fscore_support(
        y, predicted, labels=range(7), zero_division=np.nan
    )
    assert found.support.tolist() == support.tolist()
    np.testing.assert_allclose(found.recall, recall, atol=1e-9)
    np.testing.assert_allclose(found.precision, precision, atol=1e-9)
    np.testing.assert_allclose(found.f1[:5], f1[:5], atol=1e-9)
    balanced = recall[:5].mean()
    assert found.balanced_accuracy == pytest.approx(balanced, abs=1e-9)
    for one in (*found.recall[:5], *found.precision[:5], *found.f1[:5], found.balanced_accuracy):
        assert 0 <= one.low < one < one.high <= 1


@pytest.mark.parametrize("grouped", [False, True])
def test_scores_of_two_classes_are_those_of_scikit_learn(grouped):
    generator = np.random.default_rng(5)
    y = (generator.random(400) < 0.3).astype(int)
    p = 1 / (1 + np.exp(-generator.normal(2 * y - 1, 1.5)))
    predicted = (p >= 0.4).astype(int)
    found = TwoClasses(y, p, predicted, np.arange(400) // 4 if grouped else None)
    true_negative, false_positive, false_negative, true_positive = sk.confusion_matrix(y, predicted).ravel()
    expected = {
        "sensitivity": sk.recall_score(y, predicted),
        "specificity": true_negative / (true_negative + false_positive),
        "ppv": sk.precision_score(y, predicted),
        "npv": true_negative / (true_negative + false_negative),
        "roc_auc": sk.roc_auc_score(y, p),
        "average_precision": sk.average_precision_score(y, p),
        "brier": sk.brier_score_loss(y, p),
    }
    assert true_positive > 0
    for name, value in expected.items():
        one = getattr(found, name)
        assert one == pytest.approx(value, abs=1e-9), name
        assert 0 <= one.low < one < one.high <= 1, name
    assert found.calibration_error.low <= found.calibration_error <= found.calibration_error.high


def test_groups_whose_examples_are_copies_have_the_intervals_of_one_of_each():
    generator = np.random.default_rng(6)
    y = (generator.random(150) < 0.4).astype(int)
    p = 1 / (1 + np.exp(-generator.normal(2 * y - 1, 1.5)))
    alone = TwoClasses(y, p, (p > 0.5).astype(int), None)
    y, p = np.repeat(y, 5), np.repeat(p, 5)
    copies = TwoClasses(y, p, (p > 0.5).astype(int), np.repeat(np.arange(150), 5))
    for name in ("sensitivity", "specificity", "ppv", "npv", "roc_auc", "average_precision", "brier"):
        one, other = getattr(alone, name), getattr(copies, name)
        assert other.high - other.low == pytest.approx(one.high - one.low, rel=0.15), name


def test_labels_of_one_class_define_no_area_and_one_example_is_enough_for_the_rest():
    one = TwoClasses(np.ones(1, int), np.array([0.7]), np.ones(1, int), None)
    assert [math.isnan(x) for x in (one.roc_auc, one.specificity, one.npv)] == [True] * 3
    assert (one.sensitivity, one.sensitivity.low) == (1, pytest.approx(0.2065, abs=1e-4))
    assert one.average_precision == 1
    assert one.brier == pytest.approx(0.09)
    assert (one.calibration_error, one.calibration_error.high) == (pytest.approx(0.3), 1)
    nan = TwoClasses(np.array([0, 1]), np.array([0.5, np.nan]), np.array([1, 0]), None)
    assert [math.isnan(getattr(nan, name)) for name in ("roc_auc", "average_precision", "brier")] == [True] * 3
    assert math.isnan(nan.calibration_error)
    assert math.isnan(nan.calibration_error.low)


def test_one_group_gives_no_information_and_groups_without_mistakes_count_once():
    y = np.array([0, 1, 0, 1])
    alone = TwoClasses(y, np.array([0.1, 0.9, 0.8, 0.7]), np.array([0, 1, 1, 1]), np.zeros(4, int))
    assert [(x.low, x.high) for x in (alone.specificity, alone.roc_auc, alone.average_precision)] == [(0, 1)] * 3
    assert ClassScores(y, np.array([0, 1, 1, 1]), 2, np.zeros(4, int)).balanced_accuracy.high == 1
    pairs = TwoClasses(y, np.array([0.1, 0.9, 0.2, 0.7]), y, np.array([0, 0, 1, 1]))
    two = intervals.share(np.ones(2, bool))
    assert pairs.sensitivity.low == pairs.roc_auc.low == pairs.average_precision.low == two.low
    right = ClassScores(y, y, 2, np.array([0, 0, 1, 1]))
    assert right.recall[0].low == two.low
    assert right.balanced_accuracy.low == intervals.mean_of_shares(np.full(2, 2), np.full(2, 2)).low


def test_thirty_thousand_classes_and_ten_thousand_examples_in_groups_take_little_memory():
    generator = np.random.default_rng(7)
    tracemalloc.start()
    y = generator.integers(0, 30_000, 20_000)
    many = ClassScores(y, np.where(generator.random(20_000) < 0.5, y, 0), 30_000, None)
    assert len(many.f1) == 30_000
    assert 0.4 < many.balanced_accuracy.low < 0.5 < many.balanced_accuracy.high < 0.6
    y = (generator.random(10_000) < 0.3).astype(int)
    p = 1 / (1 + np.exp(-generator.normal(2 * y - 1, 1.5)))
    two = TwoClasses(y, p, (p > 0.5).astype(int), np.arange(10_000) // 3)
    assert two.roc_auc.low < two.roc_auc
    assert two.average_precision.low < two.average_precision
    assert tracemalloc.get_traced_memory()[1] < 60e6
    tracemalloc.stop()


def test_balanced_accuracy_by_group_is_uncertain_where_a_class_is_always_or_never_recognized() -> None:
    y = np.repeat([0, 1], [60, 20])
    groups = np.arange(80) // 2
    same = ClassScores(y, np.zeros(80, int), 2, groups).balanced_accuracy  # always class 0
    alone = ClassScores(y[::2], np.zeros(40, int), 2, None)
    assert same == 0.5
    assert (same.low, same.high) == pytest.approx(
        (alone.balanced_accuracy.low, alone.balanced_accuracy.high)
    )  # 40 groups that do not vary are 40 examples
    half = ClassScores(y, np.where(np.arange(80) % 4, 0, 1) * (y == 0), 2, groups)  # class 1: never
    common, rare = half.recall
    assert (float(common), float(rare)) == (0.75, 0)
    above = math.hypot(common.high - common, rare.high) / 2
    assert half.balanced_accuracy.high - half.balanced_accuracy == pytest.approx(above, rel=0.15)  # MOVER's
    below = (common - common.low) / 2
    assert half.balanced_accuracy - half.balanced_accuracy.low == pytest.approx(below, rel=0.35)  # 0 - low is 0


@pytest.mark.parametrize("groups", [False, True])
def test_areas_of_perfect_scores_have_wilsons_interval_whatever_the_rounding_of_their_sum(groups: bool) -> None:
    for n in range(2, 120):
        y = np.repeat([0, 1], n)
        units = np.arange(2 * n) // 2 if groups and n % 2 == 0 else None
        found = TwoClasses(y, np.linspace(0, 1, 2 * n), y, units)
        counted = n if units is None else n // 2
        for area in (found.average_precision, found.roc_auc):
            assert (area, area.high) == (1, 1), (n, area)
        assert found.average_precision.low == pytest.approx(Estimate.share(counted, counted).low), n
