"""Validation splits: stratified by label, and no group on both sides."""

import numpy as np
import pytest

import pyneural as pn
from pyneural.datasets.splitting import fold_rows, split_rows


def patients(n_groups: int = 400, seed: int = 0, classes: int = 3) -> pn.Dataset:
    """Groups of 1 to 30 examples, most of one class, some of several; rare classes, too."""
    generator = np.random.default_rng(seed)
    sizes = np.minimum(30, generator.geometric(0.3, n_groups))
    groups = np.repeat(np.arange(n_groups), sizes)
    y = np.repeat(generator.choice(classes, n_groups, p=[0.1, 0.6, 0.3][:classes]), sizes)
    y = np.where(generator.random(len(y)) < 0.1, generator.integers(0, classes, len(y)), y)
    order = generator.permutation(len(y))
    x = generator.normal(size=(len(y), 2)).astype(np.float32)
    return pn.Dataset(x, y[order], groups=[f"patient {group}" for group in groups[order]])


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5, 0.8])
@pytest.mark.parametrize("seed", range(5))
def test_no_group_is_on_both_sides_and_shares_are_kept(share, seed):
    data = patients()
    kept, held = split_rows(data, share, seed)
    assert np.array_equal(np.sort(np.concatenate([kept, held])), np.arange(len(data)))
    assert not set(data.groups[kept]) & set(data.groups[held])
    assert abs(len(held) / len(data) - share) < 0.01, f"seed {seed}"
    whole, part = (np.bincount(y, minlength=3) / len(y) for y in (data.y, data.y[held]))
    assert np.abs(whole - part).max() < 0.02, f"seed {seed}"
    sizes = [np.unique(data.groups[rows], return_counts=True)[1].mean() for rows in (kept, held)]
    assert abs(sizes[0] / sizes[1] - 1) < 0.25, f"large groups go to both sides, seed {seed}"


def test_a_split_by_group_is_a_function_of_the_seed():
    data = patients()
    splits = [split_rows(data, 0.1, seed)[1] for seed in (0, 0, 1, 2)]
    assert np.array_equal(splits[0], splits[1])
    assert not np.array_equal(splits[0], splits[2])
    assert not np.array_equal(splits[2], splits[3])


def test_groups_of_one_example_split_as_well_as_none():
    x, y = np.zeros((1000, 1), np.float32), np.repeat([0, 1, 2], [100, 300, 600])
    _, held = split_rows(pn.Dataset(x, y, groups=np.arange(1000)), 0.1, 0)
    assert np.abs(np.bincount(y[held]) - [10, 30, 60]).max() <= 1


@pytest.mark.parametrize("labels", ["heads", "values", "names", "one label each"])
def test_groups_are_kept_whatever_the_labels(labels):
    data = patients()
    y = {
        "heads": {"a": data.y, "b": (data.y + np.arange(len(data.y))) % 2},
        "values": np.random.default_rng(0).normal(size=len(data.y)),
        "names": np.array(["ant", "bee", "cat"])[data.y],
        "one label each": np.arange(len(data.y)),
    }[labels]
    kept, held = split_rows(pn.Dataset(data.x, y, groups=data.groups), 0.2, 0)
    assert not set(data.groups[kept]) & set(data.groups[held])
    assert abs(len(held) / len(data) - 0.2) < 0.01


@pytest.mark.parametrize("sizes", [(50, 50), (99, 1), (1, 99), (1, 1, 98), (5, 5, 5), (90, 2, 2, 2)])
@pytest.mark.parametrize("share", [0.05, 0.1, 0.5, 0.9])
def test_few_groups_leave_no_part_empty(sizes, share):
    groups = np.repeat(np.arange(len(sizes)), sizes)
    kept, held = split_rows(pn.Dataset(np.zeros((len(groups), 1)), np.arange(len(groups)) % 2, groups=groups), share, 0)
    assert len(kept)
    assert len(held)
    assert not set(groups[kept]) & set(groups[held])


def test_one_group_cannot_be_split(capsys):
    x, y = np.random.default_rng(0).normal(size=(60, 2)), np.arange(60) % 2
    data = pn.Dataset(x, y, groups=["anna"] * 60)
    with pytest.raises(ValueError, match=r"fit: validation=0\.2 .* all 60 examples are in the group 'anna'"):
        pn.fit(pn.Sequential(pn.Dense(2)), data, validation=0.2, epochs=1)
    history = pn.fit(pn.Sequential(pn.Dense(2)), data, epochs=1)
    assert "val_loss" not in history
    assert "60 train, no validation (all examples are in one group)" in capsys.readouterr().out


def test_fit_says_how_many_groups_each_part_has(capsys):
    data = patients()
    kept, held = (len(set(data.groups[rows])) for rows in split_rows(data, 0.1, 0))
    pn.fit(pn.Sequential(pn.Dense(3)), data, epochs=1)
    line = " ".join(capsys.readouterr().out.split())
    assert f"validation (shuffled, stratified, by group: {kept:,} and {held:,} groups, none in both)" in line


def test_given_validation_data_that_shares_groups_is_reported(capsys):
    data = patients()
    rows = np.arange(len(data))
    with pytest.warns(
        UserWarning, match=r"fit: \d+ groups are in both the training and the validation data, such as 'patient"
    ) as found:
        pn.fit(pn.Sequential(pn.Dense(3)), data.take(rows[:500]), validation=data.take(rows[500:]), epochs=1)
    assert found[0].filename == __file__
    kept, held = split_rows(data, 0.3, 0)
    pn.fit(pn.Sequential(pn.Dense(3)), pn.Splits(data.take(kept), validation=data.take(held)), epochs=1)
    assert "groups, none in both)" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("groups", [["a", None, "b", "a"], [1.0, np.nan, 2.0, 1.0]])
def test_missing_groups_are_refused(groups):
    with pytest.raises(ValueError, match=r"groups has 1 missing values .* the first at 1"):
        pn.Dataset(np.zeros((4, 1)), [0, 1, 0, 1], groups=groups)


# ---- folds


@pytest.mark.parametrize("count", [2, 5, 8])
@pytest.mark.parametrize("seed", range(3))
def test_folds_cover_the_data_once_split_no_group_and_are_stratified(count, seed):
    data = patients()
    folds = list(data.folds(count, seed=seed))
    rows = fold_rows(data, count, seed, "test")
    assert np.array_equal(np.sort(np.concatenate(rows)), np.arange(len(data)))
    whole = np.bincount(data.y, minlength=3) / count
    for number, ((train, held), fold) in enumerate(zip(folds, rows, strict=True)):
        where = f"seed {seed}, fold {number}"
        assert not set(train.groups) & set(held.groups), where
        assert len(train) + len(held) == len(data), where
        assert np.array_equal(held.x, data.x[fold]), where
        assert np.all(np.diff(fold) > 0), where
        assert np.abs(np.bincount(held.y, minlength=3) - whole).max() <= 6, where  # groups have 3 examples, at most 30


def test_folds_without_groups_differ_by_one_example_of_each_class_at_most():
    y = np.repeat([0, 1, 2], [101, 300, 602])
    data = pn.Dataset(np.arange(1003.0).reshape(-1, 1), y)
    held = [np.bincount(fold.y) for _, fold in data.folds(8)]
    assert np.ptp(held, axis=0).max() <= 1
    assert np.ptp(np.sum(held, axis=1)) <= 1


def test_folds_are_a_function_of_the_seed():
    data = patients()
    one, same, other = ([fold.groups.tolist() for _, fold in data.folds(4, seed=seed)] for seed in (0, 0, 1))
    assert one == same != other


def test_identical_examples_are_in_one_fold():
    x = np.repeat(np.arange(30.0), 2).reshape(-1, 1)
    for _, fold in pn.Dataset(x, np.arange(60) % 3).folds(5):
        values, times = np.unique(fold.x, return_counts=True)
        assert set(times.tolist()) == {2}, values


@pytest.mark.parametrize("labels", ["values", "one label each", "names"])
def test_folds_take_any_labels(labels):
    y = {
        "values": np.linspace(0, 1, 40),
        "one label each": np.arange(40),
        "names": np.array(["a", "b"])[np.arange(40) % 2],
    }
    sizes = [len(fold) for _, fold in pn.Dataset(np.arange(40.0).reshape(-1, 1), y[labels]).folds(4)]
    assert sizes == [10] * 4


@pytest.mark.parametrize(
    ("count", "options", "words"),
    [
        (1, {}, "count is 1: give a whole number of at least 2"),
        (2.5, {}, "count is 2.5"),
        (9, {}, "data: folds: count is 9, and there are 3 groups, which are not split: give 3 or fewer"),
        (3, {"seed": -1}, "seed is -1"),
    ],
)
def test_folds_that_cannot_be_made_are_refused_at_once(count, options, words):
    data = pn.Dataset(np.arange(12.0).reshape(-1, 1), [0, 1] * 6, groups=list("aaaabbbbcccc"))
    with pytest.raises(ValueError, match=words):
        data.folds(count, **options)


@pytest.mark.parametrize(
    "data",
    [
        pn.Dataset(np.arange(4.0).reshape(-1, 1), [0, 1, 0, 1], groups=["anna"] * 4),
        pn.Dataset(np.zeros((4, 1)), [0, 1, 0, 1]),
    ],
)
def test_folds_of_a_single_group_ask_for_others_not_for_one_fold(data):
    with pytest.raises(ValueError, match="folds: all 4 examples are one group, which is not split: give examples of"):
        data.folds(3)
