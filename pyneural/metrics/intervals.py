"""intervals.py -- 95 % intervals of scores: DeLong's for the area under a curve, and the bootstrap.

The interval of the bootstrap goes from the 2.5 % to the 97.5 % quantile of the scores of its draws (bootstrap.py).
"""

import math
from typing import Any

import numpy as np

import pyneural.metrics.bootstrap as bootstrap
from pyneural.arguments.arrays import Array
from pyneural.metrics.estimate import Estimate, Z
from pyneural.metrics.scores import BINS, bin_numbers

FEW = 6  # examples or groups with another score than the rest: DeLong's variance and the bootstrap's need as many
ROUNDING = 1e-12  # of areas, which are sums
PIECES = 2048  # the most different scores in a draw of a curve: neighbours count as equal beyond


def bounds(draws: Array) -> tuple[float, float]:
    """The 2.5 % and the 97.5 % quantiles of the draws in which the score is defined; NaN if it is in none."""
    known = draws[~np.isnan(draws)]
    if not len(known):
        return math.nan, math.nan
    low, high = np.quantile(known, (0.025, 0.975))
    return float(low), float(high)


def area_bounds(draws: Array, value: float, n: int) -> tuple[float, float]:
    """Bounds of an area between 0 and 1: normal on the scale log(A / (1 - A)), with the deviation of the draws.

    Areas near 1 vary on one side only, where quantiles of the draws are too narrow.

    Args:
        draws: the areas of the draws, NaN where they are not defined.
        value: the area, neither 0 nor 1.
        n: the number of units that were drawn; an area of 0 or 1 counts as 1 / 2n, or 1 less that, and as a quarter of
            the distance of the value if that is less, or else all draws would count alike beside a value near 0 or 1.
    """
    edge = min(0.5 / n, value / 4, (1 - value) / 4)
    known = draws[~np.isnan(draws)].clip(edge, 1 - edge)
    if not len(known):
        return math.nan, math.nan
    return _by_log_odds(value, float(np.log(known / (1 - known)).std()))


def _by_log_odds(value: float, deviation: float) -> tuple[float, float]:
    """Normal bounds on the scale log(A / (1 - A))."""
    middle = math.log(value / (1 - value))
    low, high = ((1 + math.tanh((middle + z * deviation) / 2)) / 2 for z in (-Z, Z))
    return low, high


def area_of_influences(value: float, influences: Array, units: Array | None, fewest: int) -> Estimate:
    """An area between 0 and 1 with the variance of its influences: Σ S² m / (m - 1) / n², S the sums of the m units.

    Args:
        value: the area, or a mean of areas.
        influences: (n,), of the examples, as `influence.py` has them.
        units: (n,) the numbers of the groups, from `bootstrap.units_of`.
        fewest: the examples or groups of the smaller class: if the area is 0 or 1, the interval is Wilson's of them.
    """
    if math.isnan(value):
        return Estimate(value, value, value)
    if min(value, 1 - value) < ROUNDING:
        alone = Estimate.share(round(value) * fewest, fewest)
        return Estimate(round(value), alone.low, alone.high)
    sums = influences if units is None else np.bincount(units, influences)
    m = len(sums)
    if m < 2 or fewest < 2:
        return Estimate(value, 0.0, 1.0)
    deviation = math.sqrt(m / (m - 1) * float((sums**2).sum())) / len(influences)
    return Estimate(value, *_by_log_odds(value, deviation / (value * (1 - value))))


# ---- estimates -------------------------------------------------------------------------------------------------------


def wider(low: float, high: float, least: Estimate) -> tuple[float, float]:
    """Bounds by group that include those by example.

    Examples of a group are alike, which makes an interval wider.  Draws of a few groups, or of groups that happen to
    have about the same score, vary less than single examples do, or not at all.
    """
    return min(low, least.low), max(high, least.high)


def share(right: Array, units: Array | None = None, seed: int = 0) -> Estimate:
    """The share of True, with Wilson's interval; by group with the bootstrap's, which includes it.

    If all are equal, and so are all draws, the interval is Wilson's with as many examples as there are groups.
    """
    n = len(right)
    hits = int(np.sum(right))
    if units is None or n == 0:
        return Estimate.share(hits, n)
    found = np.unique(units, return_inverse=True)[1].reshape(-1)
    groups = int(found.max()) + 1
    if hits in (0, n):
        alone = Estimate.share(groups if hits else 0, groups)
        return Estimate(hits / n, alone.low, alone.high, percent=True)
    if groups == 1:
        return Estimate(hits / n, 0.0, 1.0, percent=True)
    sums = bootstrap.sum_draws(np.stack([right, np.ones(n)], axis=1), found, seed)
    low, high = wider(*bounds(sums[:, 0] / sums[:, 1]), Estimate.share(hits, n))
    return Estimate(hits / n, low, high, percent=True)


def mean(values: Array, units: Array | None = None, seed: int = 0) -> Estimate:
    """The mean, with Student's interval; by group with the bootstrap's, which includes it; one group has none."""
    values = np.asarray(values, np.float64)
    alone = Estimate.mean(values.tolist())
    if units is None or not len(values):
        return alone
    average = float(values.mean())
    if units.max() == 0:
        return Estimate(average, -math.inf, math.inf)
    sums = bootstrap.sum_draws(np.stack([values, np.ones(len(values))], axis=1), units, seed)
    return Estimate(average, *wider(*bounds(sums[:, 0] / sums[:, 1]), alone))


def mean_of_shares(hits: Array, of: Array) -> Estimate:
    """The mean of K independent shares hits / of, such as the recalls of classes.

    The interval is made of Wilson's of each share (MOVER: Zou and Donner 2008), mean - √Σ (p - low)² / K and
    mean + √Σ (high - p)² / K.  Shares of one or two examples are mostly 0 or 1, which hides how much they vary: so it
    is not narrower than mean ± z √Σ (q (1 - q) / of) / K, where q is the share drawn towards that of all examples, as
    by z² more of them.
    """
    if not len(hits):
        return Estimate(math.nan, math.nan, math.nan, percent=True)
    shares = [Estimate.share(*pair) for pair in zip(hits.tolist(), of.tolist(), strict=True)]
    p, low, high = (np.array(part) for part in zip(*((float(s), s.low, s.high) for s in shares), strict=True))
    middle = float(p.mean())
    q = (hits + Z**2 * hits.sum() / of.sum()) / (of + Z**2)
    least = Z * math.sqrt(float((q * (1 - q) / of).sum()))
    below, above = (max(least, math.sqrt(float(((p - end) ** 2).sum()))) / len(p) for end in (low, high))
    return Estimate(middle, max(0.0, middle - below), min(1.0, middle + above), percent=True)


def f1(right: int, actual: int, predicted: int) -> Estimate:
    """F1 = 2 J / (1 + J), J = right / (actual + predicted - right), with the interval from Wilson's of the share J."""
    j = Estimate.share(right, actual + predicted - right)
    value, low, high = (2 * x / (1 + x) for x in (float(j), j.low, j.high))
    return Estimate(value, low, high, percent=True)


def auc(labels: Array, scores: Array, value: float) -> Estimate:
    """An area under the ROC curve with DeLong's variance (DeLong et al. 1988), normal on the scale log(A / (1 - A)).

    var A = var V₁ / n₁ + var V₀ / n₀, where V₁ is, for each example of 1, the share of 0 with lower scores, and V₀, for
    each of 0, the share of 1 with higher ones.  If A is 0 or 1, the variance is 0: then the interval is Wilson's of the
    smaller class.  If fewer than FEW examples have another score than the rest, the variance says little or is 0: then
    the interval includes that of a random order.

    Args:
        labels: (n,) 0 and 1.
        scores: (n,).
        value: the area, from `roc_auc`.
    """
    if math.isnan(value):
        return Estimate(value, value, value)
    ones = np.sort(scores[labels == 1])
    zeros = np.sort(scores[labels == 0])
    fewer = min(len(ones), len(zeros))
    if value in (0.0, 1.0):
        alone = Estimate.share(int(value) * fewer, fewer)
        return Estimate(value, alone.low, alone.high)
    if fewer < 2:
        return Estimate(value, 0.0, 1.0)
    variance = float(
        _placements(zeros, ones).var(ddof=1) / len(ones) + _placements(ones, zeros).var(ddof=1) / len(zeros)
    )
    low, high = _by_log_odds(value, math.sqrt(variance) / (value * (1 - value)))
    if differing(scores) < FEW:
        low, high = wider(low, high, random_order(value, len(ones), len(zeros)))
    return Estimate(value, low, high)


def differing(scores: Array, units: Array | None = None) -> int:
    """The number of examples, or of groups, with another score than the commonest."""
    _, number, counts = np.unique(scores, return_inverse=True, return_counts=True)
    others = number.reshape(-1) != counts.argmax()
    return int(others.sum()) if units is None else len(np.unique(units[others]))


def random_order(value: float, ones: int, zeros: int) -> Estimate:
    """An area with the variance of a random order, (n₁ + n₀ + 1) / 12 n₁ n₀ (Mann and Whitney 1947)."""
    deviation = math.sqrt((ones + zeros + 1) / (12 * ones * zeros))
    return Estimate(value, *_by_log_odds(value, deviation / (value * (1 - value))))


def _placements(others: Array, scores: Array) -> Array:
    """For each score, the share of the others, which are sorted, that is lower; equal ones count half."""
    places = np.searchsorted(others, scores) + np.searchsorted(others, scores, side="right")
    return np.asarray(places / (2 * len(others)))


def curve_draws(labels: Array, scores: Array, units: Array | None = None, seed: int = 0) -> Array:
    """The area under the ROC curve, and the average precision, of each draw, (DRAWS, 2)."""
    pieces = _pieces(labels, scores)
    count = int(pieces.max()) + 1
    drawn = bootstrap.cell_draws(2 * pieces + labels, 2 * count, units, seed)
    return np.concatenate([_areas(counts) for counts in drawn])


def _pieces(labels: Array, scores: Array) -> Array:
    """(n,) the rank of each score, from the lowest; neighbours share one if there are more than PIECES.

    Each piece then has about the same share of 1 plus share of 0, so that rare classes are told apart.
    """
    distinct, rank = np.unique(scores, return_inverse=True)
    rank = rank.reshape(-1)
    if len(distinct) <= PIECES:
        return np.asarray(rank)
    ones = np.bincount(rank, labels)
    zeros = np.bincount(rank, 1 - labels)
    mass = ones / max(1.0, ones.sum()) + zeros / max(1.0, zeros.sum())
    upto = np.cumsum(mass)
    piece = ((upto - mass / 2) / upto[-1] * PIECES).astype(np.int64)
    return np.asarray(np.unique(piece, return_inverse=True)[1].reshape(-1)[rank])


def _areas(counts: Array) -> Array:
    """(draws, 2): the areas of counts (draws, 2 x pieces), of 0 and 1 in turn."""
    zeros = counts[:, ::2].astype(np.float64)
    ones = counts[:, 1::2].astype(np.float64)
    n_ones = ones.sum(axis=1)
    n_zeros = zeros.sum(axis=1)
    upto = zeros.cumsum(axis=1)
    with np.errstate(invalid="ignore"):  # NaN where a draw lacks a class
        area = (ones * (upto - zeros / 2)).sum(axis=1) / (n_ones * n_zeros)
    hits = n_ones[:, None] - ones.cumsum(axis=1) + ones
    above = hits + n_zeros[:, None] - upto + zeros
    with np.errstate(invalid="ignore"):
        precision = (ones * (hits / np.maximum(above, 1))).sum(axis=1) / n_ones
    return np.stack([area, precision], axis=1)


def calibration_draws(gaps: Array, bins: Array, count: int, units: Array | None = None, seed: int = 0) -> Array:
    """(DRAWS,) the expected calibration error Σ |Σ (y - p)| / n over bins, of gaps y - p (n,) in bins (n,)."""
    values = np.zeros((len(gaps), count + 1))
    values[np.arange(len(gaps)), bins] = gaps
    values[:, count] = 1
    sums = bootstrap.sum_draws(values, units, seed)
    return np.asarray(np.abs(sums[:, :count]).sum(axis=1) / sums[:, count])


def calibration(labels: Array, probabilities: Array, value: float, units: Array | None = None) -> Estimate:
    """An expected calibration error with its bootstrap interval.

    Draws have a larger error than the examples they are drawn from, as these have a larger one than all there could be:
    the basic interval, 2 value - quantile, takes the same amount off (Davison and Hinkley 1997).  This one includes it
    and the normal one, value ± z times the deviation of the draws; and it starts at 0 if a model without any error
    would have a value up to this one in 97.5 % of all samples (Bröcker and Smith 2007).

    Args:
        labels: (n,) 0 and 1.
        probabilities: (n,) of 1.
        value: the error, from `calibration_error`.
        units: the numbers of the groups, from `bootstrap.units_of`.
    """
    if math.isnan(value) or (units is not None and units.max() == 0) or len(labels) < 2:
        return Estimate(value, 0.0 * value, 1.0 + 0.0 * value, percent=True)
    gaps = labels - probabilities
    bins = bin_numbers(probabilities)
    drawn = calibration_draws(gaps, bins, BINS, units)
    low, high = bounds(drawn)
    half = Z * float(drawn.std())
    least = 0.0 if value <= _most_by_chance(gaps, bins, BINS, units) else max(0.0, min(value - half, 2 * value - high))
    most = min(1.0, max(value + half, 2 * value - low))
    if units is not None:
        least, most = wider(least, most, calibration(labels, probabilities, value))
    return Estimate(value, least, most, percent=True)


def _most_by_chance(gaps: Array, bins: Array, count: int, units: Array | None, seed: int = 0) -> float:
    """The 97.5 % quantile of the error without any error: Σ |N(0, v)| / n over bins, v = Σ (sum of gaps of a unit)²."""
    of = np.arange(len(gaps)) if units is None else units
    cells, inverse = np.unique(of * count + bins, return_inverse=True)
    squares = np.bincount(inverse.reshape(-1), gaps) ** 2
    deviations = np.sqrt(np.bincount(cells % count, squares, count))
    errors = np.abs(np.random.default_rng(seed).normal(size=(bootstrap.DRAWS, count)) * deviations).sum(axis=1) / len(
        gaps
    )
    return float(np.quantile(errors, 0.975))


def r2_draws(labels: Array, predictions: Array, units: Array | None = None, seed: int = 0) -> Array:
    """(DRAWS,) the share of variance explained, the mean over outputs, of labels and predictions (n, K)."""
    y = labels - labels.mean(axis=0)
    K = y.shape[1]
    sums = bootstrap.sum_draws(np.hstack([y, y**2, (labels - predictions) ** 2, np.ones((len(y), 1))]), units, seed)
    n = sums[:, -1:]
    squares = sums[:, K : 2 * K]
    there = squares - sums[:, :K] ** 2 / n
    varies = there > 1e-12 * squares  # below, the labels of a draw are equal but for rounding
    explained: Any = 1 - sums[:, 2 * K : 3 * K] / np.where(varies, there, math.nan)
    return np.asarray(explained.mean(axis=1))
