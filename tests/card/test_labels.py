"""Labels in all the forms they come in: bytes, missing ones, whole numbers that do not count from 0."""

import re

import numpy as np
import pandas as pd
import pytest

import pyneural as pn


def rows(n: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Three clusters that are easy to tell apart, and their number."""
    number = np.arange(n) % 3
    x = np.eye(3, dtype=np.float32)[number] + np.random.default_rng(0).normal(0, 0.05, (n, 3))
    return x.astype(np.float32), number


def trained(y, outputs: int = 3, **options):
    x, _ = rows()
    model = pn.Sequential(pn.Dense(outputs))
    pn.fit(model, (x, y), epochs=60, learning_rate=0.1, **({"verbose": 0} | options))
    return model, x


@pytest.mark.parametrize(
    "names",
    [
        np.array([b"ant", b"bee", b"cat"]),
        np.array([b"ant", b"bee", b"cat"], object),
        np.array(["bée".encode(), b"ant", b"cat"]),
        np.array(["ant", "bee", "cat"], np.dtypes.StringDType()),
    ],
    ids=["bytes", "objects", "utf-8", "variable width"],
)
def test_names_may_be_bytes_or_of_any_width(names):
    _, number = rows()
    model, x = trained(names[number])
    text = [name.decode() if isinstance(name, bytes) else str(name) for name in names]
    assert model.card.task.classes == tuple(sorted(text))
    assert pn.evaluate(model, (x, names[number]), verbose=0).accuracy == 1
    assert pn.evaluate(model, (x, np.array(text)[number]), verbose=0).accuracy == 1
    assert pn.classify(model, x[0]).label == text[0]


def test_bytes_that_are_not_text_are_refused():
    with pytest.raises(ValueError, match=r"data: y has bytes that are not UTF-8 text, such as b'\\xff'.*: decode them"):
        pn.Dataset(np.zeros((2, 1)), np.array([b"\xff", b"a"]))


@pytest.mark.parametrize(
    "y",
    [
        pd.array([1, None, 0, 1], dtype="Int64"),
        pd.array([1.0, None, 0.0, 1.0], dtype="Float64"),
        pd.array([True, None, False, True], dtype="boolean"),
        pd.array(["a", None, "b", "a"], dtype="string"),
        pd.Categorical(["a", None, "b", "a"]),
        pd.Categorical([1, None, 2, 1]),
        pd.Series([1, pd.NA, 2, 1], dtype=object),
        pd.Series(["a", np.nan, "b", "a"]),
        pd.Series(pd.array([1, None, 0, 1], dtype="UInt8")),
        pd.DataFrame({"y": pd.array([1, None, 0, 1], dtype="Int32")}),
        [1, None, 0, 1],
        ["a", float("nan"), "b", "a"],
    ],
    ids=lambda y: f"{type(y).__name__} {getattr(y, 'dtype', '')}",
)
def test_missing_labels_are_counted_and_placed(y):
    x = np.zeros((4, 2), np.float32)
    for data in ((x, y), [(x, y)] if hasattr(y, "shape") else (x, y)):
        with pytest.raises(
            ValueError, match=r"y has 1 (labels that are missing|values that are NaN).*the first at \(?1"
        ):
            pn.fit(pn.Sequential(pn.Dense(2)), data, epochs=1)


@pytest.mark.parametrize("labels", [(10, 20, 30), (1, 2, 3), (-1, 0, 1), (0, 1, 3), (7, 1_000_000, 2**40)])
@pytest.mark.parametrize("kind", ["int64", "float64", "list"])
def test_whole_numbers_that_do_not_count_from_0_are_names(labels, kind, capsys):
    _, number = rows()
    y = np.array(labels, kind if kind != "list" else None)[number]
    y = y.tolist() if kind == "list" else y
    model, x = trained(y, verbose=1)
    said = ", ".join(map(str, labels))
    assert f"3 classes (the labels {said})" in " ".join(capsys.readouterr().out.split())
    assert model.card.task.classes == tuple(map(str, labels))
    assert pn.classify(model, x[1]).label == str(labels[1])
    assert pn.evaluate(model, (x, y), verbose=0).accuracy == 1
    two = number > 0
    assert pn.evaluate(model, (x[two], np.array(labels)[number[two]]), verbose=0).accuracy == 1
    with pytest.raises(ValueError, match=f"evaluate: y has labels .*: 99; the model's classes are {said}"):
        pn.evaluate(model, (x, np.where(two, y, 99)), verbose=0)
    again = pn.fit(model, (x, y), epochs=1, learning_rate=1e-9, verbose=0)
    assert again["accuracy"][0] == 1


def test_two_numbers_are_the_classes_of_one_output():
    _, number = rows()
    for labels in ((-1, 1), (1, 2), (5, 9)):
        y = np.array(labels)[(number > 0).astype(int)]
        model, x = trained(y, outputs=1)
        assert model.card.task.kind == "binary"
        assert pn.classify(model, x[0]).label == str(labels[0])
        assert pn.evaluate(model, (x, y), verbose=0).accuracy == 1


def test_numbers_of_classes_that_are_not_all_in_the_data_stay_numbers():
    _, number = rows()
    for y in (2 * (number > 0), 1 + (number > 0)):
        model, _ = trained(y)
        assert model.card.task.classes == ()


def test_a_regression_table_gets_a_hint_to_mse():
    x, y = np.random.default_rng(0).normal(size=(442, 10)), np.arange(442) % 347
    with pytest.raises(
        ValueError, match=r"fit: .*347 different whole numbers from 0 to 346.*loss='mse'.*pn\.Dense\(347\)"
    ):
        pn.fit(pn.Sequential(pn.Dense(1)), (x, y), epochs=1)
    pn.fit(pn.Sequential(pn.Dense(1)), (x, y), loss="mse", epochs=1, verbose=0)


def test_gaps_and_another_number_of_outputs_name_the_labels():
    x, number = rows()
    with pytest.raises(
        ValueError, match=r"fit: y has 3 classes, the labels 10, 20, 30, .* 10 outputs.* pn\.Dense\(3\)"
    ):
        pn.fit(pn.Sequential(pn.Dense(10)), (x, np.array([10, 20, 30])[number]), epochs=1)


def test_a_model_trained_by_hand_has_learned_numbers():
    x, number = rows()
    model = pn.Sequential(pn.Dense(3))
    model.build((3,))
    with pytest.raises(ValueError, match=r"evaluate: .*labels run 10\.\.30"):
        pn.evaluate(model, (x, np.array([10, 20, 30])[number]), verbose=0)


MIXED = {
    "numbers and text, such as 1 and '1'": [1, "1", 0, "0"],
    "numbers and text, such as 1.0 and '1.0'": [1.0, 1.0, "1.0", "x"],
    "numbers and text, such as True and 'True'": [True, "True", False, "False"],
    "bytes and text, such as b'a' and 'a'": [b"a", "a", b"b", "b"],
    "bytes and numbers, such as b'1' and 1": [b"1", 1, b"0", 0],
    "numbers and text, such as 1 and 'a'": [np.int64(1), "a", True, 0.5],
}


@pytest.mark.parametrize("words", MIXED)
@pytest.mark.parametrize("kind", [list, tuple, lambda y: pd.Series(y, dtype=object), lambda y: np.array(y, object)])
def test_labels_of_two_kinds_are_refused(words, kind):
    """NumPy turns them into text, in which 1 and '1' are one class; and True, 1 and 1.0, which are equal, are three."""
    y = kind(MIXED[words])
    with pytest.raises(ValueError, match=rf"y has {re.escape(words)}: give labels of one kind, such as \["):
        pn.Dataset(np.zeros((4, 2)), y)
    with pytest.raises(ValueError, match=rf"y\['a'\] has {re.escape(words)}"):
        pn.Dataset(np.zeros((4, 2)), {"a": y})


@pytest.mark.parametrize("second", [np.array(["1", "0"]), np.array(["1", "0"], object), np.array([b"1", b"0"])])
def test_batches_with_labels_of_two_kinds_are_refused(second):
    x = np.zeros((2, 2), np.float32)
    with pytest.raises(ValueError, match=r"fit: batch 2: y has text, such as '1', .*the first batch.*numbers, such as"):
        pn.fit(pn.Sequential(pn.Dense(2)), [(x, np.array([1, 0])), (x, second)], epochs=1)


def test_numbers_of_several_kinds_are_labels():
    assert pn.Dataset(np.zeros((4, 1)), [True, 1, 0.0, np.int8(0)]).y.tolist() == [1, 1, 0, 0]
    assert pn.Dataset(np.zeros((2, 1)), ["1", np.str_("0")]).y.tolist() == ["1", "0"]
