"""Estimates: numbers with the intervals that SciPy gives them."""

import numpy as np
import pytest
from scipy import stats

import pyneural as pn


@pytest.mark.parametrize("n", [1, 2, 3, 7, 10, 100, 1000, 10000, 60000])
def test_the_interval_of_a_share_is_wilsons_as_scipy_has_it(n):
    for hits in sorted({0, 1, n // 100, n // 3, n // 2, n - n // 20, n - 1, n}):
        share = pn.Estimate.share(hits, n)
        expected = stats.binomtest(hits, n).proportion_ci(0.95, "wilson")
        assert (share.low, share.high) == pytest.approx((expected.low, expected.high), abs=1e-12), f"{hits} of {n}"
        assert share == hits / n
        assert 0 <= share.low <= share <= share.high <= 1
    assert pn.Estimate.share(0, n).low == 0
    assert pn.Estimate.share(n, n).high == 1


@pytest.mark.parametrize("n", [2, 3, 4, 10, 11, 101, 102, 400, 10000])
@pytest.mark.parametrize("draw", ["exponential", "standard_normal", "standard_cauchy"])
def test_the_interval_of_a_mean_is_students_as_scipy_has_it(n, draw):
    values = getattr(np.random.default_rng(n), draw)(size=n)
    mean = pn.Estimate.mean(values.tolist())
    low, high = stats.t.interval(0.95, n - 1, loc=values.mean(), scale=stats.sem(values))
    assert (mean, mean.low, mean.high) == pytest.approx((values.mean(), low, high), rel=1e-9, abs=1e-12)


def test_what_has_no_interval_says_so():
    alone = pn.Estimate.mean([3.0])
    assert (alone, alone.low, alone.high) == (3.0, -np.inf, np.inf)
    assert np.isnan([pn.Estimate.mean([]), pn.Estimate.share(0, 0).low]).all()
    assert pn.Estimate.mean([2.0, 2.0]).low == 2.0
