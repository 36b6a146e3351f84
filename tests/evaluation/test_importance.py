"""Permutation importance: against scikit-learn's, by hand, by group, by head; and what it refuses."""

import math

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.inspection import permutation_importance

import pyneural as pn
import pyneural._core as _core

N = 240


def made(seed: int = 0, n: int = N) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(n, 4)).astype(np.float32)
    score = x[:, 0] - 0.5 * x[:, 1] + x[:, 0] * x[:, 2] + 0.3 * generator.normal(size=n)
    return x, score.astype(np.float32)


def trained(y: np.ndarray, outputs: int, x: np.ndarray | None = None) -> pn.Sequential:
    model = pn.Sequential(pn.Dense(16, "relu"), pn.Dense(outputs))
    pn.fit(model, (made()[0] if x is None else x, y), epochs=20, learning_rate=0.03, validation=None, verbose=0)
    return model


class Wrapped(BaseEstimator):
    """A model as scikit-learn's permutation_importance calls it."""

    _estimator_type = "classifier"

    def __init__(self, model=None) -> None:
        self.model = model
        self.classes_ = np.array([0, 1])

    def fit(self, x, y):
        return self

    def predict_proba(self, x):
        p = pn.predict(self.model, x)
        return np.hstack([1 - p, p])


def scorer(metric):
    def score(wrapped, x, y):
        found = pn.predict(wrapped.model, x)
        if metric == "r2":
            return 1 - ((found[:, 0] - y) ** 2).sum() / ((y - y.mean()) ** 2).sum()
        if metric == "accuracy":
            return ((found[:, 0] >= 0.5) == y).mean()
        return pn.metrics.roc_auc(y, found[:, 0])

    return score


@pytest.mark.parametrize("metric", ["r2", "accuracy", "roc_auc"])
def test_importances_are_those_of_scikit_learn_within_their_intervals(metric):
    x, score = made()
    y = score if metric == "r2" else (score > 0).astype(np.int64)
    model = trained(y, 1)
    ours = pn.importance(model, (x, y), metric=metric, repeats=20, verbose=0)
    theirs = permutation_importance(Wrapped(model), x, y, scoring=scorer(metric), n_repeats=20, random_state=0)
    for number, mean in enumerate(theirs.importances_mean):
        found = ours[f"column {number}"]
        assert found.low <= mean <= found.high, number
        noise = math.hypot(theirs.importances_std[number], ours.drops[number].std()) / math.sqrt(20)
        assert abs(found - mean) < 4 * noise + 1e-9, number  # of the permutations alone
    assert list(ours) == [f"column {number}" for number in np.argsort(-theirs.importances_mean)] or metric != "r2"


def test_an_importance_is_the_mean_over_the_permutations_that_its_seed_gives():
    x, y = made()
    model = trained(y, 1)
    found = pn.importance(model, (x, y), repeats=3, seed=5, verbose=0)
    before = pn.metrics.r2(y, pn.predict(model, x)[:, 0])
    for number in range(4):
        drops = []
        for repeat in range(3):
            order = _core.permutation(N, 5, f"importance/{number}", repeat).numpy()
            changed = x.copy()
            changed[:, number] = x[order, number]
            drops.append(before - pn.metrics.r2(y, pn.predict(model, changed)[:, 0]))
        np.testing.assert_allclose(found.drops[number], drops, atol=1e-6)
        assert found[f"column {number}"] == pytest.approx(np.mean(drops), abs=1e-6)
    assert found.score == pytest.approx(before)


def test_the_same_seed_gives_the_same_bits_for_any_number_of_threads():
    x, y = made()
    model = trained(y, 1)
    threads = pn.get_threads()
    found = []
    for count in (1, 2, 3):
        pn.set_threads(count)
        found.append(pn.importance(model, (x, y), repeats=2, verbose=0))
    pn.set_threads(threads)
    assert found[0] == found[1] == found[2]
    assert [one.low for one in found[0].values()] == [one.low for one in found[2].values()]
    assert found[0] != pn.importance(model, (x, y), repeats=2, seed=1, verbose=0)


def test_intervals_cover_the_importance_in_the_population():
    """Of 100 data sets, 95 % ± 2 deviations are 90; the intervals are somewhat wider than need be."""
    model = trained(made()[1], 1)
    truth = pn.importance(model, made(1, 40_000), repeats=2, verbose=0)
    inside = dict.fromkeys(truth, 0)
    for seed in range(100):
        for name, one in pn.importance(model, made(100 + seed, 120), repeats=5, seed=seed, verbose=0).items():
            inside[name] += one.low <= truth[name] <= one.high
    assert min(inside.values()) >= 90, inside


def test_a_column_that_changes_no_output_has_importance_0():
    x, y = made()
    model = trained(y, 1)
    weight = np.array(model["dense_1"].weight)
    weight[3] = 0
    model["dense_1"].weight = weight
    found = pn.importance(model, (x, y), verbose=0)["column 3"]
    assert (found, found.low, found.high) == (0, 0, 0)
    y = (y > 0).astype(np.int64)
    model = pn.Sequential(pn.Dense(1))
    pn.fit(model, (x, y), epochs=1, verbose=0)
    model["dense_1"].weight = np.float32([[50], [0], [0], [1e-3]])
    found = pn.importance(model, (x, y), metric="accuracy", verbose=0)["column 3"]
    assert found == 0
    assert found.low < 0 < found.high  # no answer changed here, but probabilities did


def test_a_column_with_one_value_in_each_group_is_permuted_among_groups():
    generator = np.random.default_rng(0)
    groups = np.repeat(np.arange(60), 4)
    age = generator.normal(size=60).astype(np.float32)[groups]
    own = generator.normal(size=N).astype(np.float32)
    x, y = np.stack([age, own], 1), (age + own).astype(np.float32)
    model = trained(y, 1, x)
    data = pn.Dataset(x, y, groups=groups)
    found = pn.importance(model, data, repeats=5, verbose=0)
    assert found.groups == 60
    order = _core.permutation(60, 0, "importance/0", 0).numpy()
    changed = x.copy()
    changed[:, 0] = age[::4][order][groups]
    before, after = (pn.metrics.r2(y, pn.predict(model, one)[:, 0]) for one in (x, changed))
    assert found.drops[0, 0] == pytest.approx(before - after, abs=1e-6)
    alone = pn.importance(model, (x, y), repeats=5, verbose=0)
    age_of = [one["column 0"] for one in (found, alone)]
    assert age_of[0].high - age_of[0].low > 1.15 * (age_of[1].high - age_of[1].low)  # 60 ages, not 240
    assert "n = 240 in 60 groups" in str(found)


def test_heads_have_importances_of_their_own():
    x, score = made()
    inputs = pn.Input((4,))
    hidden = pn.Dense(16, "relu")(inputs)
    model = pn.Model(inputs, {"price": pn.Dense(1)(hidden), "sold": pn.Dense(1)(hidden)})
    data = pn.Dataset(x, {"price": x[:, 3].copy(), "sold": (score > 0).astype(int)})
    pn.fit(model, data, epochs=20, learning_rate=0.03, verbose=0)
    found = pn.importance(model, data, repeats=3, verbose=0)
    assert (found["price"].metric, found["sold"].metric) == ("r2", "accuracy")
    assert next(iter(found["price"])) == "column 3"
    assert set(list(found["sold"])[:2]) == {"column 0", "column 1"}
    assert pn.importance(model, data, repeats=3, head="sold", verbose=0) == found["sold"]
    assert "price: R²" in str(found)


def test_columns_have_their_names_and_labels_their_mean_area(capsys):
    x, score = made()
    frame = pd.DataFrame(x, columns=["size", "rooms", "age", "noise"])
    y = np.stack([score > 0, x[:, 3] > 1.2], axis=1)
    data = pn.Dataset(frame, y)
    model = pn.Sequential(pn.Dense(16, "relu"), pn.Dense(2))
    pn.fit(model, data, epochs=30, learning_rate=0.03, verbose=0)
    found = pn.importance(model, data)
    out = capsys.readouterr().out
    assert found.metric == "roc_auc"
    assert set(found) == {"size", "rooms", "age", "noise"} == set(found.columns)
    assert out.splitlines()[0].startswith("ROC AUC 0.9")
    assert [line.split()[0] for line in out.splitlines()[3:]] == list(found)
    assert "10 permutations of each column" in out
    assert found["noise"].low > 0
    assert "<th" in found._repr_html_()


def test_a_column_of_a_table_is_permuted_before_it_is_encoded():
    generator = np.random.default_rng(0)
    city = generator.choice(["Bern", "Oslo", "Rome"], N)
    age = generator.normal(40, 10, N)
    age[::9] = np.nan
    frame = pd.DataFrame({"age": age, "ok": generator.random(N) < 0.5, "city": city})
    y = np.where(city == "Rome", 2.0, 0.0) + np.where(np.isnan(age), 1.0, age / 40)
    model = pn.Sequential(pn.Dense(16, "relu"), pn.Dense(1))
    pn.fit(model, pn.Dataset(frame, y), epochs=30, learning_rate=0.03, verbose=0)
    found = pn.importance(model, (frame, y), repeats=3, verbose=0)
    assert list(found) == ["city", "age", "ok"]
    order = _core.permutation(N, 0, "importance/2", 1).numpy()
    changed = frame.assign(city=city[order])
    before, after = (pn.evaluate(model, (one, y), verbose=0).r2 for one in (frame, changed))
    assert found.drops[2, 1] == pytest.approx(before - after, abs=1e-6)


def test_what_does_not_fit_is_refused_with_a_sentence():
    x, score = made()
    y = (score > 0).astype(np.int64)
    model = trained(y, 1)
    images = pn.Sequential(pn.Flatten(), pn.Dense(2))
    pixels = np.zeros((8, 4, 4, 1), np.float32)
    pixels[::2] = 1
    pn.fit(images, (pixels, np.arange(8) % 2), epochs=1, verbose=0)
    for one, data, options, error, words in (
        (images, (pixels, np.arange(8) % 2), {}, ValueError, r"pn.heat_map\(model, image\) shows which pixels"),
        (model, [(x, y), (x, y), (x, y)], {}, TypeError, "data comes in batches, and columns are permuted"),
        (model, (x[:1], y[:1]), {}, ValueError, "there is one example"),
        (model, (x, y), {"metric": "r2"}, ValueError, "metric 'r2' does not suit the model's binary: give accuracy or"),
        (model, (x, y), {"metric": "auc"}, ValueError, "importance: metric"),
        (model, (x, np.zeros(N, int)), {"metric": "roc_auc"}, ValueError, "all 240 labels are equal, so roc_auc is"),
        (model, (x, y), {"repeats": 1}, ValueError, "repeats is 1"),
        (model, (x, y), {"head": "a"}, ValueError, "the model has one output: leave it out"),
        (model, (x, y), {"n_repeats": 5}, TypeError, "repeats"),
        (pn.Sequential(pn.Dense(1)), (x, y), {}, RuntimeError, "importance: the model is not trained yet"),
    ):  # fmt: skip
        with pytest.raises(error, match=words):
            pn.importance(one, data, **{"verbose": 0} | options)
