"""How columns become numbers: against scikit-learn's transformers, and what training rows did not have."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import OneHotEncoder

from pyneural.card.cells import column, of_numbers, of_text
from pyneural.card.columns import Columns, as_array
from pyneural.card.frames import table_of
from pyneural.card.table import Column, Table


def people(n: int = 200, seed: int = 0) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "age": np.where(generator.random(n) < 0.1, np.nan, generator.normal(40, 10, n)),
            "town": generator.choice(["Bonn", "Jena", "Kiel", "Ulm"], n),
            "height": generator.normal(1.7, 0.1, n),
            "member": generator.random(n) < 0.5,
            "grade": np.where(generator.random(n) < 0.1, None, generator.choice(["a", "b"], n)),
        }
    )


def table(**columns) -> Table:
    return Table([column("x", name, values) for name, values in columns.items()])


def learned(**columns) -> Columns:
    return Columns.learn(table(**columns), None, "fit")


def test_numbers_and_categories_are_those_of_scikit_learn():
    frame, rows = people(), np.arange(0, 200, 2)
    known = Columns.learn(table_of(frame, "x"), rows, "fit")
    theirs = ColumnTransformer(
        [
            ("age", SimpleImputer(strategy="median", add_indicator=True), ["age"]),
            ("town", OneHotEncoder(sparse_output=False), ["town"]),
            ("height", SimpleImputer(strategy="median"), ["height"]),
            ("member", "passthrough", ["member"]),
            ("grade", OneHotEncoder(sparse_output=False), ["grade"]),
        ]
    ).fit(frame.iloc[rows])
    x = known.encode(table_of(frame, "x"), "fit")
    np.testing.assert_array_equal(x, theirs.transform(frame).astype(float))
    assert known.features == (
        *("age", "age is missing", "town=Bonn", "town=Jena", "town=Kiel", "town=Ulm", "height", "member"),
        *("grade=a", "grade=b", "grade is missing"),
    )
    assert str(known) == "5 columns -> 11 numbers (2 categories, 2 with missing values)"
    assert known.unscaled == (1, 2, 3, 4, 5, 7, 8, 9, 10)


def test_rules_come_from_the_training_rows_alone():
    frame = table(age=[1.0, 3.0, 100.0, None], town=["a", "b", "c", "a"])
    known = Columns.learn(frame, np.array([0, 1]), "fit")
    assert known.rules[0].fill == 2
    assert not known.rules[0].missing
    assert known.rules[1].names == ("a", "b")
    x, odd = known.encoded(frame, "fit")
    assert x.tolist() == [[1, 1, 0], [3, 0, 1], [100, 0, 0], [2, 1, 0]]
    assert odd == (
        "1 value of the column 'age' missing, as in no training row, taken as the median, 2; 1 value of the column "
        "'town' not in the training data ('c'), taken as unknown"
    )


def test_unknown_categories_are_counted_in_one_warning():
    known = learned(town=["a", "b"] * 3, zone=["u", "v", "w"] * 2)
    given = table(town=["a", "q", "r", "s", "t", "q"], zone=["u", None, "v", "w", "x", "u"])
    with pytest.warns(UserWarning, match="predict: 5 values") as caught:
        x = known.encode(given, "predict")
    assert len(caught) == 1
    assert str(caught[0].message) == (
        "predict: 5 values of the column 'town' not in the training data ('q', 'r', 's', ...), taken as unknown; 2 "
        "values of the column 'zone' not in the training data ('x'), taken as unknown"
    )
    assert x[1:, :2].sum() == 0
    assert x[:, 2:].sum(axis=1).tolist() == [1, 0, 1, 1, 0, 1]


def test_many_categories_become_their_numbers_with_0_for_unknown_ones():
    words = [f"w{i:02d}" for i in range(13)]
    known = learned(word=[*words, *words, None], size=[1.0] * 27)
    assert known.features == ("word", "size")
    assert known.embedded == {0: 15}
    assert known.unscaled == (0,)
    with pytest.warns(UserWarning, match="1 value of the column 'word' not in the training data"):
        x = known.encode(table(word=["w00", "w12", None, "other"], size=[1.0] * 4), "predict")
    assert x[:, 0].tolist() == [1, 13, 14, 0]
    assert learned(word=words[:12] * 2).embedded == {}


def test_the_order_of_columns_is_free_and_names_are_checked():
    known = learned(height=[1.0, 2.0], town=["a", "b"])
    turned = known.encode(table(town=["b"], height=[5.0]), "predict")
    assert turned.tolist() == [[5, 0, 1]]
    with pytest.raises(ValueError, match=r"x has no column height, and the column heigth, which the training data did"):
        known.encode(table(town=["b"], heigth=[5.0]), "predict")
    with pytest.raises(ValueError, match=r"\(perhaps 'heigth' for 'height'\): give the columns height, town"):
        known.encode(table(town=["b"], heigth=[5.0]), "predict")
    with pytest.raises(ValueError, match="x has the column label, which the training data did not have"):
        known.encode(table(town=["b"], height=[5.0], label=[1]), "predict")


def test_kinds_are_converted_where_that_is_exact():
    known = learned(zone=["1", "2", "2"], flag=[True, False, True], size=[1.0, 2.0, 3.0])
    for zone in ([2, 1], [2.0, 1.0], ["2", "1"]):
        x = known.encode(table(zone=zone, flag=[1, 0], size=[True, False]), "predict")
        assert x.tolist() == [[0, 1, 1, 1], [1, 0, 0, 0]]
    with pytest.raises(TypeError, match=r"predict: x has 'big' in the column 'size', row 1, which held numbers in the"):
        known.encode(table(zone=[1, 1], flag=[1, 0], size=[None, "big"]), "predict")
    with pytest.raises(
        TypeError, match=r"x has 3.0 in the column 'flag', row 1, which held booleans .*: give True or False"
    ):
        known.encode(table(zone=[1, 1], flag=[1, 3], size=[1, 2]), "predict")
    with pytest.raises(
        TypeError, match=r"x has 'maybe' in the column 'flag', row 1, which held booleans .* 'yes' or 'no'"
    ):
        known.encode(table(zone=[1, 1], flag=["yes", "maybe"], size=[1, 2]), "predict")
    with pytest.raises(TypeError, match=r"x has 'yes' in the column 'size', row 0, which held numbers"):
        known.encode(table(zone=[1], flag=[1], size=["yes"]), "predict")
    flags = learned(flag=["False", "True"])
    assert flags.encode(table(flag=[True, False]), "predict").tolist() == [[0, 1], [1, 0]]


def test_words_of_csv_files_are_booleans():
    known = learned(flag=[True, True, False, None])
    words = table(flag=["yes", "No", "TRUE", "false", " 1 ", "0", "1.0", None])
    assert known.encode(words, "predict").tolist() == [[1, 0], [0, 0], [1, 0], [0, 0], [1, 0], [0, 0], [1, 0], [1, 1]]


def test_a_column_without_values_fits_any_kind_at_prediction():
    known = learned(zone=["a", None], flag=[True, None], size=[1.0, None])
    x = known.encode(table(zone=[None], flag=[None], size=[None]), "predict")
    assert x.tolist() == [[0, 1, 1, 1, 1, 1]]


def test_missing_booleans_become_the_more_frequent_value():
    known = learned(flag=[True, True, False])
    with pytest.warns(
        UserWarning, match="1 value of the column 'flag' missing, as in no training row, taken as the more"
    ):
        assert known.encode(table(flag=[None]), "predict").tolist() == [[1]]


def test_columns_that_teach_nothing_are_refused_before_work_starts():
    with pytest.raises(ValueError, match="fit: the column 'a' has no values in the training rows: drop it"):
        learned(a=[None, None], b=[1, 2])
    names = of_text("name", [f"person {i}" for i in range(100_000)])
    with pytest.raises(ValueError, match=r"'name' has 100,000 different texts in 100,000 rows, such as 'person 0', "):
        Columns.learn(Table([names]), None, "fit")
    many = of_text("page", [f"page {i % 20_000}" for i in range(100_000)])
    with pytest.raises(
        ValueError, match=r"20,000 different texts, such as .*, and a category may have 10,000: replace"
    ):
        Columns.learn(Table([many]), None, "fit")
    assert learned(town=[*"abcdefghijkl"]).embedded == {}, "up to 12 may occur once"
    with pytest.raises(
        ValueError, match="it probably identifies the rows, and nothing can be learned from it: drop it"
    ):
        learned(town=[*"abcdefghijklm"])


def test_json_holds_everything():
    known = learned(age=[1.5, None, 2.0], flag=[True, False, None], town=["ä", "b", None], words=["only"] * 3)
    again = Columns.from_json(json.loads(json.dumps(known.as_json())))
    assert again == known
    assert hash(again) == hash(known)


@pytest.mark.parametrize(
    "change", [{"kind": "date"}, {"names": ["a"]}, {"fill": float("nan")}, {"fill": "x"}, {"missing": 1, "name": "b"}]
)
def test_wrong_json_is_refused(change):
    record = learned(a=[1.0, 2.0], b=["u", "v"]).as_json()
    record[0] |= change
    with pytest.raises((ValueError, TypeError)):
        Columns.from_json(record)
    with pytest.raises((KeyError, TypeError)):
        Columns.from_json([{}])


def test_numbers_without_names_stand_for_plain_columns_only():
    x = np.array([[1.0, 2.0], [3.0, 4.0]])
    plain = Columns.of_numbers(("a", "b"), x)
    assert as_array(plain, x, (), "predict") is x
    assert as_array(plain, x, ("b", "a"), "predict").tolist() == [[2, 1], [4, 3]]
    assert as_array(None, x, ("a", "b"), "predict") is x
    with pytest.warns(UserWarning, match="taken as the median, 2"):
        assert as_array(plain, table(a=[None], b=[7]), ("a", "b"), "predict").tolist() == [[2, 7]]
    other = learned(a=["u", "v"], b=[1.0, 2.0])
    with pytest.raises(
        TypeError, match=r"predict: x is an array \(2, 2\), and the model was trained on a table: give a"
    ):
        as_array(other, x, (), "predict")
    with pytest.raises(TypeError, match="the model was trained on arrays without column names"):
        as_array(None, table(a=["u"]), ("a",), "predict")
    holes = learned(a=[1.0, None], b=[1.0, 2.0])
    assert as_array(holes, x, ("b", "a"), "predict").tolist() == [[2, 0, 1], [4, 0, 3]]


def test_missing_values_are_refused_where_no_median_is_known():
    known = Columns.of_numbers(("a",))
    with pytest.raises(ValueError, match="x has 1 missing values in the column 'a', the first in row 1: fill them"):
        known.encode(Table([of_numbers("x", "a", np.array([1.0, np.nan]))]), "predict")


def test_equal_names_of_different_codes_are_one_category():
    known = learned(town=["a", "b"])
    given = Table([Column("town", "category", np.array([1, 0]), ("b", "a"))])
    assert known.encode(given, "predict").tolist() == [[1, 0], [0, 1]]
