"""Dataset: what an index selects, what parts keep, how a data set is split and counted."""

import copy
import pickle
import re

import numpy as np
import pandas as pd
import pytest

import pyneural as pn
from pyneural.datasets.identical import Hashed, common, copies, joined, keys


def letters(n: int = 10) -> pn.Dataset:
    x = np.arange(2 * n, dtype=np.float32).reshape(n, 2)
    return pn.Dataset(
        x,
        np.arange(n) % 2,
        classes=("a", "b"),
        groups=[f"g{row // 2}" for row in range(n)],
        files=[f"{row}.png" for row in range(n)],
        name="letters",
    )


def test_a_number_gives_one_example_as_a_pair_of_arrays():
    data = letters()
    for index in (3, np.int64(3), np.array(3), -7):
        x, y = data[index]
        assert x.tolist() == [6, 7]
        assert y == 1
    x, y = pn.Dataset([[0.0], [1.0]], {"top": [0, 1], "bottom": ["p", "q"]})[1]
    assert y == {"top": 1, "bottom": "q"}


ROWS = [
    (slice(2, 4), [2, 3]),
    (slice(None, None, -3), [9, 6, 3, 0]),
    ([1, -1, 1], [1, 9, 1]),
    (np.array([5], np.uint8), [5]),
    (np.arange(10) > 7, [8, 9]),
    ([False] * 9 + [True], [9]),
    (range(2), [0, 1]),
]


@pytest.mark.parametrize(("index", "rows"), ROWS)
def test_other_indices_give_a_data_set_that_keeps_everything(index, rows):
    data = letters()
    for part in (data[index], data.take(index)):
        assert np.array_equal(part.x, data.x[rows])
        assert part.y.tolist() == [row % 2 for row in rows]
        assert part.groups.tolist() == [f"g{row // 2}" for row in rows]
        assert part.files.tolist() == [f"{row}.png" for row in rows]
        assert (part.classes, part.name) == (("a", "b"), "letters")


def test_slices_share_memory_and_leave_the_whole_as_it_was():
    data = letters()
    assert np.shares_memory(data[:4].x, data.x)
    assert len(data) == 10


@pytest.mark.parametrize(
    ("index", "error", "words"),
    [
        (10, IndexError, "letters: there is no row 10: rows are 0 to 9"),
        (-11, IndexError, "letters: there is no row -11"),
        ([0, 10], IndexError, "letters: there is no row 10"),
        ([-11], IndexError, "letters: there is no row -11"),
        ([True, False], IndexError, "letters: the mask has 2 values, the data 10 rows: give one for each row"),
        (slice(5, 5), IndexError, "letters: the slice 5:5 selects none of 10 rows"),
        ([], IndexError, "letters: no rows are selected"),
        (np.zeros(10, bool), IndexError, "letters: no rows are selected"),
        ("x", TypeError, "letters: rows is 'x': give a row number, a slice such as data[:100]"),
        (None, TypeError, "letters: rows is None"),
        ((0, 1), TypeError, "letters: rows is (0, 1)"),
        (0.5, TypeError, "letters: rows is 0.5: give a row number"),
        (True, TypeError, "letters: rows is bool of bool ()"),
        ([0.0, 1.0], TypeError, "letters: rows is list of float64 (2,)"),
        ([[0, 1]], TypeError, "letters: rows is list of int64 (1, 2)"),
        (slice("a", None), TypeError, "letters: the slice slice('a', None, None) has bounds that are not whole"),
    ],
)
def test_an_index_that_selects_nothing_names_the_reason(index, error, words):
    with pytest.raises(error, match=f"^{re.escape(words)}"):
        letters()[index]


def test_a_loop_goes_over_the_examples_once():
    pairs = list(letters())
    assert len(pairs) == 10
    assert [(x.tolist(), int(y)) for x, y in pairs[:2]] == [([0, 1], 0), ([2, 3], 1)]


def test_a_data_set_is_not_an_array():
    for call in (np.asarray, np.array, pn.tensor, lambda data: pn.Dataset(data, [0] * 10)):
        with pytest.raises(TypeError, match=r"^letters: a data set is not an array: give its inputs, data\.x, or"):
            call(letters())


def test_a_data_set_is_copied_and_pickled_with_everything():
    data = letters()
    for other in (pickle.loads(pickle.dumps(data)), copy.deepcopy(data)):
        assert repr(other) == repr(data)
        for name in ("x", "y", "groups", "files"):
            assert np.array_equal(getattr(other, name), getattr(data, name))


def test_files_are_one_per_example():
    with pytest.raises(ValueError, match=re.escape("data: files is (1,): give one per example, (2,)")):
        pn.Dataset([[0.0], [1.0]], [0, 1], files=["a"])


# ---- counts


@pytest.mark.parametrize(
    ("y", "classes", "expected"),
    [
        ([0, 2, 2], ("cat", "dog", "eel"), {"cat": 1, "dog": 0, "eel": 2}),
        ([10, 9, 9], (), {"9": 2, "10": 1}),
        ([0, 7], ("a", "b"), {"a": 0, "b": 0, "0": 1, "7": 1}),
        (["b", "a", "b"], (), {"a": 1, "b": 2}),
        ([1.0, 0.0, 1.0], (), {"0": 1, "1": 2}),
        ([True, False, True], (), {"0": 1, "1": 2}),
        (np.eye(3)[[1, 1, 0]], ("x", "y", "z"), {"x": 1, "y": 2, "z": 0}),
        (np.array([["p"], ["q"], ["p"]], object), (), {"p": 2, "q": 1}),
        ({"top": [0, 1], "bottom": [1, 1]}, (), {"top": {"0": 1, "1": 1}, "bottom": {"1": 2}}),
    ],
)
def test_counts_are_by_class_name(y, classes, expected):
    n = 2 if isinstance(y, dict) else len(y)
    found = pn.Dataset(np.zeros((n, 1)), y, classes=classes).counts()
    assert found == expected
    assert list(found) == list(expected)


@pytest.mark.parametrize("y", [[0.5, 1.0], [[0.2, 0.9], [0.5, 0.5]]])
def test_values_are_not_counted(y):
    with pytest.raises(TypeError, match=r"^data: counts: y has values \(float64 "):
        pn.Dataset([[0.0], [1.0]], y).counts()


# ---- split


def test_a_split_is_shuffled_stratified_and_says_the_counts(capsys):
    x, y = np.arange(1000.0).reshape(-1, 1), np.repeat([0, 1], [900, 100])
    train, test = pn.Dataset(x, y).split(0.2)
    assert capsys.readouterr().out == "data: 800 train, 200 held out (shuffled, stratified)\n"
    assert test.counts() == {"0": 180, "1": 20}
    assert sorted([*train.x[:, 0], *test.x[:, 0]]) == x[:, 0].tolist()
    again, other = (pn.Dataset(x, y).split(0.2, seed=seed, verbose=0)[1] for seed in (0, 1))
    assert np.array_equal(again.x, test.x)
    assert not np.array_equal(other.x, test.x)
    assert capsys.readouterr().out == ""


def test_a_split_keeps_groups_together_and_says_so(capsys):
    train, test = letters(40).split(0.25)
    assert not set(train.groups) & set(test.groups)
    line = capsys.readouterr().out
    assert f"letters: {len(train)} train, {len(test)} held out (shuffled, stratified, by group: 15 and 5 groups" in line
    assert "none in both" in line


@pytest.mark.parametrize("n_copies", [2, 50])
@pytest.mark.parametrize("grouped", [False, True])
def test_identical_rows_are_one_group(n_copies, grouped):
    generator = np.random.default_rng(0)
    x = generator.normal(size=(400, 3)).astype(np.float32)
    for first in range(0, 400, 100):
        x[first : first + n_copies] = x[first]
    groups = generator.permutation(400) // 2 if grouped else None
    for seed in range(5):
        train, test = pn.Dataset(x, np.arange(400) % 2, groups=groups).split(0.3, seed=seed, verbose=0)
        both = np.concatenate([train.x, test.x])
        assert all(same.max() < len(train) or same.min() >= len(train) for same in copies(both)), f"seed {seed}"
        assert 60 < len(test) < 180
        if grouped:
            assert not set(train.groups) & set(test.groups)


def test_fit_holds_out_both_copies_of_an_image(capsys):
    x = np.random.default_rng(0).integers(0, 256, (100, 4, 4, 1)).astype(np.uint8)
    x[50:55] = x[:5]
    y = np.arange(100) % 2
    model = pn.Sequential(pn.Flatten(), pn.Dense(2))
    pn.fit(model, (x, y), epochs=1, validation=0.5)
    first = capsys.readouterr().out
    rest, held = pn.Dataset(x, y).split(0.5, verbose=0)
    assert f"{len(rest)} train, {len(held)} validation" in first


def test_a_table_of_few_distinct_rows_still_trains_on_all_of_them():
    """XOR's four rows, repeated: a split by identical rows would never show one of them."""
    x, y = np.tile([[0, 0], [0, 1], [1, 0], [1, 1]], (50, 1)).astype(np.float32), np.tile([0, 1, 1, 0], 50)
    with pytest.raises(ValueError, match="all 4 examples are identical"):
        pn.Dataset(x[::4][:4], y[::4][:4]).split(0.5)
    rest, held = pn.Dataset(x, y).split(0.25, verbose=0)
    assert (len(np.unique(rest.x, axis=0)), len(np.unique(held.x, axis=0))) == (3, 1)


@pytest.mark.parametrize("share", [0, 1, -0.1, 1.5, True, "half", None, float("nan")])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(ValueError, match="letters: split: share is "):
        letters().split(share)


def test_a_split_without_examples_is_refused():
    with pytest.raises(ValueError, match=r"^letters: split: share=0.01 of 10 examples leaves a part empty: give"):
        letters().split(0.01)
    with pytest.raises(ValueError, match=r"all 2 examples are in the group 'g0', which is not split"):
        letters()[:2].split(0.5)
    with pytest.raises(ValueError, match=r"^letters: split: seed is -1"):
        letters().split(0.5, seed=-1)


def test_one_example_of_a_class_is_split_too():
    y = np.array([0] * 9 + [1])
    parts = pn.Dataset(np.arange(10.0).reshape(-1, 1), y).split(0.3, verbose=0)
    assert sorted(len(part) for part in parts) == [3, 7]


# ---- identical rows


def test_copies_are_found_in_the_order_of_their_first():
    x = np.array([[3, 1], [2, 2], [3, 1], [0, 0], [2, 2], [3, 1]], np.uint8)
    assert [same.tolist() for same in copies(x)] == [[0, 2, 5], [1, 4]]
    assert copies(x[:2]) == []
    assert copies(np.zeros((0, 3))) == []
    assert [same.tolist() for same in copies(np.zeros((3, 0)))] == [[0, 1, 2]]


def test_long_rows_that_differ_in_one_byte_are_not_copies():
    x = np.zeros((300, 28, 28, 1), np.uint8)
    x[np.arange(300), np.arange(300) // 28, np.arange(300) % 28] = 1
    assert copies(x) == []
    x[200] = x[100]
    assert [same.tolist() for same in copies(x)] == [[100, 200]]
    assert np.array_equal(keys(x)[100], keys(x)[200])
    halves = [Hashed(x, None, keys(x), rows) for rows in (np.arange(150), np.arange(150, 300))]
    assert common(*halves).tolist() == [200]


def test_rows_whose_keys_are_equal_are_compared_whole():
    x = np.zeros((4, 64, 64), np.uint8)
    x[:, 0, 1] = (1, 2, 1, 2)  # not among the bytes of the key
    assert len(set(keys(x).tolist())) == 1
    assert [same.tolist() for same in copies(x)] == [[0, 2], [1, 3]]


def test_groups_that_share_an_example_are_joined_over_several_steps():
    groups = np.array(["a", "b", "c", "d", "a", "e"])
    found = joined(groups, [np.array([0, 1]), np.array([2, 3]), np.array([1, 2])])
    assert len(set(found[:5].tolist())) == 1
    assert found[5] != found[0]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("y", np.zeros(3, int), "x has 60 examples, y is"),
        ("y", np.zeros(120, int), "x has 60 examples, y is"),
        ("x", np.zeros((5, 2)), "x has 5 examples, y is"),
        ("groups", np.arange(3), "groups is"),
        ("files", ["a"], "files is"),
        ("x", "pixels", "x"),
        ("name", 3, "name"),
    ],
)
def test_assigned_attributes_are_checked_where_they_are_used(name, value, message):
    def data():
        return pn.Dataset(np.random.default_rng(0).normal(size=(60, 2)), np.arange(60) % 2)

    one, parts = data(), pn.Splits(data(), validation=data())
    setattr(one, name, value)
    setattr(parts.validation, name, value)
    for use in (
        lambda: one.split(0.5), lambda: one.counts(), lambda: pn.fit(pn.Sequential(pn.Dense(2)), one, verbose=0),
        lambda: pn.fit(pn.Sequential(pn.Dense(2)), parts, verbose=0),
    ):  # fmt: skip
        with pytest.raises((TypeError, ValueError), match=message):
            use()


def test_assigned_attributes_may_be_lists_and_tables():
    data = pn.Dataset(np.random.default_rng(0).normal(size=(60, 2)), np.arange(60) % 2)
    data.x, data.y, data.groups, data.classes = data.x / 2, [1, 0] * 30, [3, 3] * 30, ["a", "b"]
    assert data.counts() == {"a": 30, "b": 30}
    assert data.y.dtype == np.int64
    assert data.groups.shape == (60,)
    data.x = pd.DataFrame({"one": np.arange(60.0) / 60, "two": -np.arange(60.0) / 60})
    model = pn.Sequential(pn.Dense(2))
    pn.fit(model, data, epochs=1, validation=None, verbose=0)
    assert model.card.columns == ("one", "two")
