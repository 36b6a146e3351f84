"""The benchmarks of tables: the corrected interval, ranks and targets by hand, and the sets that defaults came from."""

import importlib
import math
import sys
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"


@pytest.fixture(scope="module")
def tables():
    sys.path.insert(0, str(BENCHMARKS))
    try:
        yield importlib.import_module("tables")
    finally:
        sys.path.remove(str(BENCHMARKS))


def result(tables, ours, peer, seconds=(1.0, 2.0)):
    scores = {tables.OURS: ours, tables.PEER: peer, tables.LINEAR: [0.1] * 4, tables.TREES: [0.2] * 4}
    times = dict(zip((tables.OURS, tables.PEER), ([one] * 4 for one in seconds), strict=True))
    return tables.Result("made up", "accuracy", (20, 3), scores, times, 0.25)


def test_the_interval_counts_the_overlap_of_training_parts(tables):
    d = np.array([0.0, 0.1, 0.2, 0.1])
    mean, half = result(tables, [0.5 + one for one in d], [0.5] * 4).difference()
    t = 3.182446305284263  # the .975 quantile of Student's t with 3 degrees of freedom
    assert mean == pytest.approx(0.1)
    assert half == pytest.approx(t * math.sqrt((1 / 4 + 0.25) * d.var(ddof=1)))


def test_a_worse_score_a_slower_fit_and_a_lower_rank_miss(tables):
    good = result(tables, [0.9] * 4, [0.8] * 4)
    assert good.ranks()[tables.OURS] == 1.0
    assert good.ratio() == 0.5
    assert not any(target.missed for target in tables.targets([good]))
    bad = result(tables, [0.7] * 4, [0.8] * 4, seconds=(3.0, 2.0))
    assert all(target.missed for target in tables.targets([bad]))


def test_the_table_has_a_row_for_each_set_and_the_mean_rank(tables):
    lines = tables.rendered([result(tables, [0.9] * 4, [0.8] * 4)]).splitlines()
    assert [line.split("|")[1].strip() for line in lines] == ["set", "---", "made up", "mean rank"]
    assert len({line.count("|") for line in lines}) == 1


def test_the_benchmark_checks_what_a_fit_of_ours_predicts(tables):
    x = np.random.default_rng(0).normal(size=(60, 3))
    tables.check(tables.SETS["iris"], x, np.arange(60) % 3)
    tables.check(tables.SETS["diabetes"], x, x[:, 0])


def test_defaults_were_chosen_on_other_sets_than_the_tested_ones(tables):
    sets = importlib.import_module("table_sets")
    tested = {tables.SETS[name].make(quick)[0].tobytes() for name in tables.SETS for quick in (True, False)}
    chosen_on = [make() for make in (sets.CLASSES | sets.VALUES).values()]
    assert not tested & {x.tobytes() for x, _ in chosen_on}
    assert all(len(x) == len(y) and np.isfinite(x).all() for x, y in chosen_on)
