"""Intervals of scores: formulas written out, and how often they cover what is true."""

import math
import tracemalloc

import numpy as np
import pytest

import pyneural as pn
from pyneural.metrics import bootstrap, intervals, scores
from pyneural.metrics.class_scores import ClassScores
from pyneural.metrics.two_classes import TwoClasses

SEED = 20  # of every simulation


def normal_scores(generator: np.random.Generator, n: int, share: float = 0.3) -> tuple[np.ndarray, np.ndarray]:
    """Labels, and scores whose mean differs by 1.5: their area under the curve is Φ(1.5 / √2) = 0.8556."""
    y = (generator.random(n) < share).astype(int)
    y[:4] = 0, 1, 0, 1
    return y, generator.normal(1.5 * y, 1)


def delong_by_hand(y: np.ndarray, s: np.ndarray) -> tuple[float, float]:
    """The area and its variance by DeLong et al. 1988, over all pairs."""
    ones, zeros = s[y == 1], s[y == 0]
    pairs = np.array([[1.0 if a > b else 0.5 if a == b else 0.0 for b in zeros] for a in ones])
    area = pairs.mean()
    first = sum((pairs.mean(axis=1)[i] - area) ** 2 for i in range(len(ones))) / (len(ones) - 1)
    second = sum((pairs.mean(axis=0)[j] - area) ** 2 for j in range(len(zeros))) / (len(zeros) - 1)
    return area, first / len(ones) + second / len(zeros)


@pytest.mark.parametrize("decimals", [6, 0])
def test_the_variance_of_an_area_is_delongs(decimals):
    y, s = normal_scores(np.random.default_rng(SEED), 120)
    s = s.round(decimals)
    area, variance = delong_by_hand(y, s)
    found = intervals.auc(y, s, scores.roc_auc(y, s))
    assert found == pytest.approx(area, abs=1e-12)
    half = (math.log(found.high / (1 - found.high)) - math.log(found.low / (1 - found.low))) / 2
    assert half == pytest.approx(1.959964 * math.sqrt(variance) / (area * (1 - area)), rel=1e-6)


def covered(true: float, found: list[tuple[float, float]]) -> float:
    return float(np.mean([low <= true <= high for low, high in found]))


def test_delongs_interval_covers_the_true_area():
    generator = np.random.default_rng(SEED)
    found = []
    for _ in range(400):
        y, s = normal_scores(generator, 80)
        area = intervals.auc(y, s, scores.roc_auc(y, s))
        found.append((area.low, area.high))
    assert 0.93 <= covered(0.85558, found) <= 0.985  # 95 % ± 2 deviations of 400 trials


def test_the_bootstrap_covers_the_true_average_precision():
    generator = np.random.default_rng(SEED)
    y, s = normal_scores(generator, 400_000)
    true = scores.average_precision(y, s)
    found = []
    for _ in range(80):
        y, s = normal_scores(generator, 150)
        drawn = intervals.curve_draws(y, s)[:, 1]
        value = scores.average_precision(y, s)
        assert drawn.mean() == pytest.approx(value, abs=0.03)  # their deviation is 0.05
        found.append(intervals.area_bounds(drawn, value, 150))
    assert 0.9 <= covered(true, found) <= 0.99


def test_intervals_by_group_cover_where_examples_of_a_group_are_alike_and_others_do_not():
    generator = np.random.default_rng(SEED)
    by_group, alone, areas = [], [], []
    groups = np.repeat(np.arange(50), 8)
    for _ in range(200):
        right = generator.random(400) < np.repeat(generator.beta(2, 1, 50), 8)  # the mean of beta(2, 1) is 2/3
        share = intervals.share(right, bootstrap.units_of(groups))
        by_group.append((share.low, share.high))
        alone.append((pn.Estimate.share(right.sum(), 400).low, pn.Estimate.share(right.sum(), 400).high))
    for _ in range(30):
        y = np.repeat(np.arange(50) % 2, 8)
        s = 1.5 * y + np.repeat(generator.normal(0, np.sqrt(0.5), 50), 8) + generator.normal(0, np.sqrt(0.5), 400)
        areas.append(intervals.area_bounds(intervals.curve_draws(y, s, groups)[:, 0], scores.roc_auc(y, s), 50))
    assert covered(2 / 3, by_group) >= 0.91
    assert covered(2 / 3, alone) < 0.8
    assert covered(0.85558, areas) >= 0.86


@pytest.mark.parametrize("distance", [2.5, 3.5, 4.0])
@pytest.mark.parametrize(("groups", "each"), [(30, 2), (60, 1), (100, 3)])
def test_intervals_of_areas_near_1_cover_the_truth(monkeypatch, distance, groups, each):
    """Of one unit per group, too; a good model is where an interval that is too narrow misleads most."""
    monkeypatch.setattr(bootstrap, "DRAWS", 300)
    generator = np.random.default_rng(SEED)
    truth = (1 + math.erf(distance / 2)) / 2
    hits, tries = 0, 0
    for _ in range(100):
        y = np.repeat(generator.random(groups) < 0.45, each).astype(int)
        s = distance * y + 0.6 * np.repeat(generator.normal(size=groups), each) + 0.8 * generator.normal(size=len(y))
        value = scores.roc_auc(y, s)
        if value < 1:
            units = np.repeat(np.arange(groups), each) if each > 1 else None
            low, high = intervals.area_bounds(intervals.curve_draws(y, s, units)[:, 0], value, groups)
            hits += low <= truth <= high
            tries += 1
    assert hits / tries > 0.87, hits / tries  # 95 %, less three deviations of 100 tries; it was 2 to 92 %


@pytest.mark.parametrize("share", [0.003, 0.02, 0.1])
@pytest.mark.parametrize("each", [None, 1, 4])
def test_intervals_of_areas_of_almost_equal_scores_cover_the_truth(monkeypatch, share, each):
    """All scores are equal but a share of those of examples, or of groups, which are right."""
    monkeypatch.setattr(bootstrap, "DRAWS", 200)
    generator = np.random.default_rng(SEED)
    truth = 1 - (1 - share) ** 2 / 2
    precision = share + (1 - share) * 0.4 / (0.4 + 0.6 * (1 - share))
    areas, precisions = [], []
    groups = np.repeat(np.arange(40), each or 1)
    for _ in range(60):
        y = np.repeat(generator.permutation(np.arange(40) < 16), each or 1).astype(int)
        s = 0.5 + np.where(np.repeat(generator.random(40) < share, each or 1), 2 * y - 1, 0) / 4
        both = TwoClasses(y, s, (s > 0.5).astype(int), None if each is None else bootstrap.units_of(groups))
        for found, one in ((areas, both.roc_auc), (precisions, both.average_precision)):
            found.append((one.low, one.high))
    assert covered(truth, areas) >= 0.88, (
        "95 %, less two deviations of 60 trials; it was 5 and 47 % of the two smaller shares"
    )
    assert covered(precision, precisions) >= 0.88


@pytest.mark.parametrize("groups", [None, 20])
def test_equal_scores_have_the_interval_of_a_random_order(groups):
    y = np.arange(60) % 2
    units = None if groups is None else np.repeat(np.arange(20), 3)
    y = y if groups is None else np.repeat(np.arange(20) % 2, 3)
    area = TwoClasses(y, np.full(60, 0.3), np.zeros(60, int), units).roc_auc
    n = 30 if groups is None else 10
    half = 1.96 * math.sqrt((2 * n + 1) / (12 * n * n)) / 0.25
    assert (area, area.low, area.high) == pytest.approx(
        (0.5, 1 / (1 + math.exp(half)), 1 / (1 + math.exp(-half))), rel=1e-4
    )


def test_intervals_of_f1_balanced_accuracy_and_r2_cover_the_truth():
    generator = np.random.default_rng(SEED)
    p = np.array([[0.42, 0.08], [0.1, 0.4]])  # of (actual, predicted)
    f1, balanced, explained = [], [], []
    for _ in range(400):
        counts = generator.multinomial(150, p.reshape(-1)).reshape(2, 2)
        one = intervals.f1(counts[1, 1], counts[1].sum(), counts[:, 1].sum())
        both = intervals.mean_of_shares(counts.diagonal(), counts.sum(axis=1))
        f1.append((one.low, one.high))
        balanced.append((both.low, both.high))
    for _ in range(100):
        x = generator.normal(size=(100, 1))
        explained.append(intervals.bounds(intervals.r2_draws(x + generator.normal(size=(100, 1)), x)))
    assert 0.93 <= covered(2 * 0.4 / (2 * 0.4 + 0.18), f1) <= 0.985
    assert 0.93 <= covered((0.84 + 0.8) / 2, balanced) <= 0.99
    assert covered(0.5, explained) >= 0.89


def test_draws_of_few_cells_of_many_and_of_groups_of_one_are_alike():
    generator = np.random.default_rng(SEED)
    cells = generator.integers(0, 4, 300)
    moments = []
    for repeat, units in ((1, None), (1, np.arange(300)), (16, None)):
        drawn = np.concatenate(list(bootstrap.cell_draws(np.repeat(cells, repeat), 4, units, seed=3)))
        assert drawn.shape == (bootstrap.DRAWS, 4)
        assert np.all(drawn.sum(axis=1) == 300 * repeat)
        moments.append(drawn[:, 0].std() / math.sqrt(repeat))
    expected = math.sqrt(300 * np.mean(cells == 0) * np.mean(cells != 0))
    np.testing.assert_allclose(moments, expected, rtol=0.06)  # a deviation of 2,000 draws is known to 1.6 %


def test_few_groups_of_many_examples_take_little_memory(monkeypatch):
    """And the draws do not depend on how many are made at once."""
    generator = np.random.default_rng(SEED)
    n = 30_000
    y, s, units = generator.integers(0, 2, n), generator.random(n), np.arange(n) % 5
    tracemalloc.start()
    intervals.curve_draws(y, s, units)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64 << 20  # (2000, n) numbers are 480 MB
    few = slice(0, 500)
    wanted = intervals.curve_draws(y[few], s[few], units[few])
    monkeypatch.setattr(bootstrap, "_AT_ONCE", 4000)
    assert np.array_equal(intervals.curve_draws(y[few], s[few], units[few]), wanted)
    picked = np.random.default_rng(0).integers(0, 5, (bootstrap.DRAWS, 5))  # by its definition
    for row in (0, 7, 1999):
        rows = np.concatenate([np.flatnonzero(units[few] == unit) for unit in picked[row]])
        assert wanted[row, 0] == pytest.approx(scores.roc_auc(y[rows], s[rows]))


def test_draws_of_equal_labels_do_not_count_in_the_interval_of_r2():
    """Of two or three examples many draws are equal but for rounding."""
    for labels in ([[0.3], [0.1], [0.7]], [[0.1], [0.2]], [[1e6 + 0.1], [1e6 + 0.7], [1e6 + 0.2]]):
        y = np.array(labels)
        low, high = intervals.bounds(intervals.r2_draws(y, y + 0.05))
        assert -1e6 < low <= high <= 1


def test_a_seed_gives_the_same_draws_and_pieces_stand_for_many_scores():
    y, s = normal_scores(np.random.default_rng(SEED), 20_000, share=0.01)
    drawn = intervals.curve_draws(y, s, seed=1)
    assert np.array_equal(drawn, intervals.curve_draws(y, s, seed=1))
    assert not np.array_equal(drawn, intervals.curve_draws(y, s, seed=2))
    expected = scores.roc_auc(y, s), scores.average_precision(y, s)
    assert np.abs(drawn.mean(axis=0) - expected).max() < 0.2 * drawn.std(axis=0).max()
    area = intervals.auc(y, s, scores.roc_auc(y, s))
    assert np.diff(intervals.bounds(drawn[:, 0]))[0] == pytest.approx(area.high - area.low, rel=0.08)


def test_what_does_not_vary_still_has_an_interval():
    perfect = intervals.auc(np.array([0, 0, 1, 1, 1]), np.arange(5.0), 1.0)
    assert perfect.high == 1
    assert perfect.low == pn.Estimate.share(2, 2).low
    assert intervals.auc(np.array([0, 0, 1]), np.array([0.0, 2.0, 1.0]), 0.5).low == 0  # one example of 1
    groups = bootstrap.units_of(np.array(["a", "a", "b", "b"]))
    assert intervals.share(np.ones(4, bool), groups).low == pn.Estimate.share(2, 2).low
    one = intervals.share(np.array([True, False]), np.zeros(2, int))
    assert (one, one.low, one.high) == (0.5, 0, 1)
    assert intervals.mean(np.array([1.0, 2.0]), np.zeros(2, int)).high == math.inf
    assert bootstrap.units_of(np.array([3, 1, 2])) is None
    assert math.isnan(intervals.mean_of_shares(np.empty(0), np.empty(0)))


def test_no_interval_by_group_is_narrower_than_by_example():
    """Groups that are equal by chance, or a few of them, do not vary between draws."""
    y, s = np.tile([0, 1], 20), np.tile(np.random.default_rng(SEED).normal(size=10), 4) + 0.2
    units, alone = np.repeat(np.arange(4), 10), np.arange(40)
    right = (s > 0) == y
    p = 1 / (1 + np.exp(-s))
    found = [intervals.share(right, units), intervals.mean(s, units), intervals.calibration(y, p, 0.3, units)]
    wanted = [intervals.share(right), intervals.mean(s), intervals.calibration(y, p, 0.3)]
    for kind, names in (
        (lambda of: TwoClasses(y, p, (p > 0.5).astype(int), of), ("roc_auc", "average_precision", "ppv", "npv")),
        (lambda of: ClassScores(y, (p > 0.5).astype(int), 2, of), ("balanced_accuracy",)),
    ):
        found += [getattr(kind(units), name) for name in names]
        wanted += [getattr(kind(bootstrap.units_of(alone)), name) for name in names]
    for name in ("precision", "recall", "f1"):
        found += getattr(ClassScores(y, (p > 0.5).astype(int), 2, units), name)
        wanted += getattr(ClassScores(y, (p > 0.5).astype(int), 2, None), name)
    for by_group, by_example in zip(found, wanted, strict=True):
        assert by_group == pytest.approx(by_example)
        assert by_group.low <= by_example.low < by_example.high <= by_group.high


def test_an_area_of_one_group_for_a_class_says_nothing_of_other_groups():
    y = np.repeat([0, 1], 20)
    p = np.random.default_rng(SEED).random(40)
    area = TwoClasses(y, p, (p > 0.5).astype(int), y).roc_auc
    assert (area.low, area.high) == (0, 1)


def test_the_interval_of_balanced_accuracy_covers_the_truth_for_many_classes_of_few_examples():
    generator = np.random.default_rng(SEED)
    found = []
    for _ in range(300):
        of = generator.integers(1, 4, 200)
        mean = intervals.mean_of_shares(generator.binomial(of, 0.7), of)
        found.append((mean.low, mean.high))
    assert 0.92 <= covered(0.7, found) <= 0.985


@pytest.mark.parametrize("sure", [1.0, 2.0])
def test_the_interval_of_a_calibration_error_covers_that_of_all_examples(sure):
    """A model without any error has one on every sample, of 0.07 here: its interval has to include 0."""
    generator = np.random.default_rng(SEED)

    def sample(n: int) -> tuple[np.ndarray, np.ndarray]:
        logits = generator.normal(0, 1.5, n)
        return (generator.random(n) < 1 / (1 + np.exp(-logits))).astype(int), 1 / (1 + np.exp(-sure * logits))

    true = scores.calibration_error(*sample(1_000_000))
    found = []
    for _ in range(60):
        y, p = sample(300)
        error = intervals.calibration(y, p, scores.calibration_error(y, p))
        assert error.low <= error <= error.high
        found.append((error.low, error.high))
    assert true < 0.002 or sure == 2
    assert covered(true, found) >= 0.88
