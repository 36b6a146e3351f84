"""compare: two reports on the same data, paired."""

import numpy as np
import pytest
from scipy import stats

import pyneural as pn
from pyneural.card.task import Task
from pyneural.evaluation.comparison import sign_flip_test
from pyneural.evaluation.report import Report


def report(right: np.ndarray, **known: object) -> Report:
    """A report of two classes whose predictions are right or wrong."""
    y = np.arange(len(right)) % 2
    p = np.where(right, y, 1 - y).astype(np.float32)
    return Report(Task("binary", 1), p.reshape(-1, 1), y, np.ones(len(y)), "", "", **known)


@pytest.mark.parametrize("seed", range(5))
def test_the_test_is_mcnemars_exact_one(seed):
    generator = np.random.default_rng(seed)
    a, b = generator.random(300) < 0.8, generator.random(300) < 0.85
    found = pn.compare(report(a), report(b))
    only_a, only_b = int((a & ~b).sum()), int((b & ~a).sum())
    assert (found.only_a, found.only_b) == (only_a, only_b)
    assert found.p_value == pytest.approx(stats.binomtest(only_a, only_a + only_b).pvalue, rel=1e-9)
    assert found.difference == pytest.approx(b.mean() - a.mean())
    expected = stats.norm.interval(0.95, b.mean() - a.mean(), np.std(b * 1.0 - a) / np.sqrt(300))
    assert (found.difference.low, found.difference.high) == pytest.approx(expected, abs=0.006)


def test_many_discordant_examples_have_the_normal_distribution():
    differences = np.repeat([1, -1], [2600, 2400])
    expected = stats.binomtest(2600, 5000).pvalue
    assert sign_flip_test(differences) == pytest.approx(expected, rel=0.01)
    assert sign_flip_test(differences[:-1000]) == pytest.approx(stats.binomtest(2600, 4000).pvalue, rel=1e-6)


def test_groups_are_tested_and_drawn_as_wholes():
    generator = np.random.default_rng(1)
    a = np.repeat(generator.random(40) < 0.6, 10)
    b = np.repeat(generator.random(40) < 0.95, 10)
    groups = np.repeat(np.arange(40), 10)
    alone, grouped = pn.compare(report(a), report(b)), pn.compare(report(a, groups=groups), report(b, groups=groups))
    one = pn.compare(report(a[::10]), report(b[::10]))
    assert grouped.p_value == pytest.approx(one.p_value)
    assert grouped.p_value > 10 * alone.p_value
    width = one.difference.high - one.difference.low
    assert grouped.difference.high - grouped.difference.low == pytest.approx(width, rel=0.1)
    assert str(grouped).endswith("n = 400 in 40 groups")


def test_p_values_are_uniform_or_higher_where_nothing_differs():
    generator = np.random.default_rng(2)
    p = [
        pn.compare(report(generator.random(120) < 0.7), report(generator.random(120) < 0.7)).p_value for _ in range(200)
    ]
    assert np.mean(np.array(p) < 0.05) < 0.08


def test_a_comparison_is_a_line_to_quote():
    a = np.arange(1000) >= 50
    b = (np.arange(1000) >= 32) | (np.arange(1000) < 4)
    found = pn.compare(report(a), report(b))
    assert str(found).startswith("accuracy from 95.00 % to 97.20 %: +2.20 points [+1.3")
    assert str(found).endswith(
        f"· McNemar p < 0.0001 ({found.only_b} right only after, {found.only_a} only before) · n = 1,000"
    )
    same = pn.compare(report(a), report(a))
    assert (same.p_value, same.difference) == (1, 0)
    assert same.difference.low == -same.difference.high < 0
    assert pn.compare(report(a[:1]), report(b[:1])).n == 1
    group = np.zeros(1000, int)
    assert pn.compare(report(a, groups=group), report(b, groups=group)).difference.high == 1


def test_values_are_compared_by_their_squared_errors():
    generator = np.random.default_rng(3)
    y = generator.normal(size=(200, 2))
    task = Task("values", 2)
    a, b = (
        Report(task, y + generator.normal(0, s, (200, 2)), y, np.ones(200), "", "", groups=g)
        for s, g in ((1.0, None), (0.5, None))
    )
    found = pn.compare(a, b)
    assert found.difference == pytest.approx(b.mse - a.mse)
    assert found.difference.high < 0
    assert found.p_value is None
    assert str(found).startswith("mse from ")


def test_reports_of_different_data_are_refused(rings):
    x, y = rings
    model = pn.Sequential(pn.Dense(3))
    pn.fit(model, rings, epochs=1, verbose=0)

    def of(data, one=model):
        return pn.evaluate(one, data, verbose=0)

    whole = of(rings)
    again = pn.Sequential(pn.Dense(3))
    pn.fit(again, rings, epochs=1, seed=1, verbose=0)
    assert pn.compare(whole, of(rings, again)).n == 300
    files = np.arange(300).astype(str)
    named = of(pn.Dataset(x, y, files=files))
    assert pn.compare(named, of(pn.Dataset(x + 1, y, files=files))).n == 300  # the same examples in another form
    for other, words in (
        (of((x[:150], y[:150])), "300 and of 150 examples"),
        (of((x, (y + 1) % 3)), "labels differ"),
        (of((x + 1, y)), "equal labels, but are of different inputs"),
        (of(pn.Dataset(x, y, groups=y)), "groups differ"),
        (named, "files differ"),
        (report(np.ones(300, bool)), "the classes are 0, 1, 2 and 0, 1"),
        (Report(Task("values", 1), x, x, np.ones(300), "", ""), "one report is of classes"),
    ):
        with pytest.raises(ValueError, match=words):
            pn.compare(whole, other)
    with pytest.raises(TypeError, match=r"got float: give two results of pn.evaluate"):
        pn.compare(whole, 0.5)
    with pytest.raises(TypeError, match=r"has the heads a: give one, report\['a'\]"):
        pn.compare({"a": whole}, whole)
