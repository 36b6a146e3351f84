"""Data frames as Tables: pandas, polars, pyarrow and the two protocols; columns that cannot be learned from."""

import datetime
import decimal
import fractions

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import pyneural as pn
from pyneural.card.frames import is_frame, row_of, rows_of_frame, table_of, table_of_row
from pyneural.card.table import Table

LONG = "a text of more than twelve bytes, äöü"
VALUES = {
    "number": [1.5, None, -3.0, 2.0],
    "whole": [1, 2, None, 2**40],
    "flag": [True, None, False, True],
    "town": ["Ulm", None, "Bonn", "Ulm"],
    "long": [LONG, "", None, LONG],
    "price": [decimal.Decimal("1.25"), None, decimal.Decimal("-3.50"), decimal.Decimal("10")],
    "empty": [None, None, None, None],
}
EXPECTED = [dict(zip(VALUES, row, strict=True)) for row in zip(*VALUES.values(), strict=True)]


def check(table: Table, names=tuple(VALUES)) -> None:
    assert table.names == tuple(names)
    kinds = {"flag": "boolean", "town": "category", "long": "category"}
    assert [column.kind for column in table.columns] == [kinds.get(name, "number") for name in names]
    for row, expected in enumerate(EXPECTED):
        assert table[row] == {name: expected[name] for name in names}


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame(VALUES),
        pd.DataFrame(VALUES).convert_dtypes(),
        pd.DataFrame(VALUES).convert_dtypes(dtype_backend="pyarrow"),
        pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in VALUES.items()}),
        pl.DataFrame(VALUES),
        pa.table(VALUES),
        pa.concat_tables([pa.table(VALUES)[:1], pa.table(VALUES)[1:3], pa.table(VALUES)[3:]]),
        pl.concat([pl.DataFrame(VALUES)[:3], pl.DataFrame(VALUES)[3:]], rechunk=False),
    ],
    ids=["pandas", "nullable", "arrow-backed", "objects", "polars", "pyarrow", "batches", "chunks"],
)
def test_frames_of_every_library_give_the_same_table(frame):
    assert is_frame(frame)
    check(table_of(frame, "data: x"))


@pytest.mark.parametrize("kind", [pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())])
def test_every_arrow_layout_of_text_is_read(kind):
    values = [*VALUES["town"], *VALUES["long"]]
    array = pa.array(values, pa.string())
    table = table_of(
        pa.table({"x": array.dictionary_encode().cast(kind) if "dict" in str(kind) else array.cast(kind)}), "x"
    )
    assert [table[row]["x"] for row in range(8)] == values


@pytest.mark.parametrize("kind", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32"])
def test_every_arrow_number_is_read(kind):
    frame = pa.table({"x": pa.array([1, None, 100], pa.type_for_alias(kind))})
    assert [row["x"] for row in map(table_of(frame, "x").__getitem__, range(3))] == [1, None, 100]


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())]
)
def test_pandas_may_hold_every_arrow_layout_of_text(kind):
    frame = pd.DataFrame({"x": pd.Series(["b", None, "a", "b"], dtype=pd.ArrowDtype(kind))})
    column = table_of(frame, "x").columns[0]
    assert (column.kind, column.names, column.values.tolist()) == ("category", ("a", "b"), [1, -1, 0, 1])


def test_slices_of_arrow_columns_begin_inside_their_buffers():
    frame = pa.table({"flag": [True, None, False] * 7, "town": ["a", "bb", None] * 7, "n": [*range(20), None]})
    table = table_of(frame[10:], "x")
    rows = [{name: values[row] for name, values in frame.to_pydict().items()} for row in range(10, 21)]
    assert [table[row] for row in range(11)] == rows


def test_categorical_columns_keep_the_order_of_their_categories():
    grades = ["low", "middle", "high"]
    frame = pd.DataFrame({"grade": pd.Categorical(["high", None, "low"], categories=grades, ordered=True)})
    column = table_of(frame, "x").columns[0]
    assert (column.kind, column.names, column.values.tolist()) == ("category", tuple(grades), [2, -1, 0])
    frame = pl.DataFrame({"grade": pl.Series(["high", None, "low"], dtype=pl.Enum(grades))})
    assert [row["grade"] for row in map(table_of(frame, "x").__getitem__, range(3))] == ["high", None, "low"]


def test_categories_that_are_numbers_are_named_as_whole_numbers():
    for values in ([3, 1], [3.0, 1.0]):
        table = table_of(pd.DataFrame({"zone": pd.Categorical(values)}), "x")
        assert [table[0]["zone"], table[1]["zone"]] == ["3", "1"]


@pytest.mark.filterwarnings("ignore:The Dataframe Interchange Protocol is deprecated")
def test_the_interchange_protocol_is_enough():
    frame = pd.DataFrame(
        {
            "number": VALUES["number"],
            "town": VALUES["town"],
            "long": VALUES["long"],
            "whole": pd.array(VALUES["whole"], "Int64"),
            "flag": pd.array(VALUES["flag"], "boolean"),
        }
    )

    class Only:
        def __dataframe__(self):
            return frame.__dataframe__()

    assert is_frame(Only())
    check(table_of(Only(), "x"), frame.columns)
    towns = frame[["town"]].astype("category")
    frame = towns
    check(table_of(Only(), "x"), ["town"])


def test_only_frames_are_frames():
    for other in (np.zeros((2, 2)), [1], ([1], [2]), pd.Series([1]), pl.Series([1]), {"a": 1}, None, "text", 3):
        assert not is_frame(other)


def test_columns_of_python_numbers_of_any_kind():
    frame = pd.DataFrame({"x": pd.Series([fractions.Fraction(1, 2), np.int8(3), True, 2.5, None], dtype=object)})
    column = table_of(frame, "x").columns[0]
    assert column.kind == "number"
    np.testing.assert_array_equal(column.values, [0.5, 3, 1, 2.5, np.nan])


@pytest.mark.parametrize(
    ("values", "error", "words"),
    [
        (pd.date_range("2026-01-01", periods=2), TypeError, r"dates or times in the column 'c' \(datetime64\[us\]\)"),
        (pd.to_timedelta([1, 2], unit="s"), TypeError, "dates or times in the column 'c'"),
        (pd.period_range("2026", periods=2, freq="M"), TypeError, r"dates or times in the column 'c' \(period\[M\]\)"),
        ([datetime.date(2026, 1, 1), None], TypeError, "dates or times in the column 'c': make numbers of them"),
        ([datetime.time(1), None], TypeError, "dates or times in the column 'c'"),
        ([3, "x"], ValueError, r"numbers \(3 in row 0\) and text \('x' in row 1\) in the column 'c': give one kind"),
        (["x", 2.5], ValueError, r"text \('x' in row 0\) and numbers \(2.5 in row 1\)"),
        ([True, "x"], ValueError, r"booleans \(True in row 0\) and text \('x' in row 1\)"),
        ([[1, 2], [3]], TypeError, "a list in each row of the column 'c': give one value per row"),
        ([np.zeros(2), None], TypeError, "a ndarray in each row of the column 'c'"),
        ([1j, 2j], TypeError, "1j in the column 'c': give numbers, booleans or text"),
        ([1.0, np.inf], ValueError, "1 infinite values in the column 'c', the first in row 1: correct them, or make"),
        ([-np.inf, "x"], ValueError, "numbers"),
        ([10**400, 1], ValueError, "whole numbers in the column 'c' that float64 cannot hold"),
    ],
    ids=str,
)  # fmt: skip
def test_columns_that_cannot_be_learned_from_are_named(values, error, words):
    with pytest.raises(error, match=words):
        table_of(pd.DataFrame({"a": [1.0, 2.0], "c": values}), "data: x")


@pytest.mark.parametrize(
    ("values", "error", "words"),
    [
        ([datetime.date(2026, 1, 1)], TypeError, "data: x has dates or times in the column 'c'"),
        ([datetime.timedelta(1)], TypeError, "dates or times in the column 'c'"),
        ([[1, 2]], TypeError, "lists or structs in each row of the column 'c'"),
        ([{"a": 1}], TypeError, "lists or structs in each row of the column 'c'"),
        ([b"ab"], TypeError, "the Arrow type [vz]+ in the column 'c'"),
        ([np.inf], ValueError, "1 infinite values in the column 'c', the first in row 0"),
    ],
    ids=str,
)
def test_columns_of_other_libraries_are_named_too(values, error, words):
    for frame in (pl.DataFrame({"c": values}), pa.table({"c": values})):
        with pytest.raises(error, match=words):
            table_of(frame, "data: x")


def test_names_must_differ():
    with pytest.raises(ValueError, match="x has two columns named 'a': rename or remove one"):
        table_of(pd.DataFrame([[1, 2]], columns=["a", "a"]), "x")
    with pytest.raises(ValueError, match="x has two columns named '1'"):
        table_of(pd.DataFrame([["u", 2]], columns=["1", 1]), "x")
    with pytest.raises(ValueError, match="x has two columns named 'a'"):
        table_of(pa.Table.from_arrays([pa.array([1]), pa.array([2])], ["a", "a"]), "x")
    with pytest.raises(ValueError, match="without columns"):
        table_of(pd.DataFrame(index=[0, 1]), "x")


def test_frames_of_finite_numbers_stay_arrays_of_the_same_dtype():
    for frame, dtype in (
        (pd.DataFrame({"a": [1, 2], "b": [0.5, 2.5]}), "float32"),
        (pd.DataFrame({"a": [0.1, 2.0]}), "float64"),
        (pd.DataFrame({"a": np.uint8([1, 2]), "b": np.uint8([3, 4])}), "uint8"),
        (pl.DataFrame({"a": [1, 2], "b": [True, False]}), "float32"),
        (pd.DataFrame({"a": pd.array([1, 2], "Int64"), "b": pd.array([True, False], "boolean")}), "float32"),
        (pa.table({"a": [0.1, 2.0]}), "float64"),
    ):
        x, names = rows_of_frame("x", frame)
        assert x.dtype == dtype
        assert names == ("a", "b")[: x.shape[1]]
    assert isinstance(rows_of_frame("x", pd.DataFrame({"a": [1, None]}))[0], Table)
    assert isinstance(rows_of_frame("x", pd.DataFrame({"a": ["u", "v"]}))[0], Table)


def test_one_row_is_a_dict_or_a_series():
    row = pd.DataFrame(VALUES).iloc[2]
    for given in (row, row.to_dict()):
        found = row_of(given)
        assert table_of_row(found, "x")[0] == EXPECTED[2]
    assert row_of(np.zeros(3)) is None
    assert row_of(pd.DataFrame(VALUES)) is None
    assert row_of(pd.Series([1, 2])) is None


@pytest.mark.filterwarnings("ignore:The Dataframe Interchange Protocol is deprecated")
def test_categories_of_booleans_have_the_same_names_in_every_library():
    values = pd.Categorical([True, None, False, True])

    class Other:
        columns = ("c",)

        def __dataframe__(self):
            return pd.DataFrame({"c": values}).__dataframe__()

    for frame in (
        pd.DataFrame({"c": values}),
        pa.table({"c": pa.array([True, None, False, True]).dictionary_encode()}),
    ):
        table = table_of(frame, "x")
        assert [row["c"] for row in map(table.__getitem__, range(4))] == ["True", None, "False", "True"]
    assert table_of(Other(), "x")[2] == {"c": "False"}


def test_a_table_keeps_its_values_when_the_frame_changes():
    frame = pd.DataFrame({"a": [1.5, None], "town": ["u", "v"]})
    table = table_of(frame, "x")
    frame.loc[:, "a"] = 7.0
    assert table[0] == {"a": 1.5, "town": "u"}
    assert table[1]["a"] is None


def test_arrow_text_that_is_not_utf_8_is_escaped():
    buffers = [None, pa.py_buffer(np.int32([0, 1, 3]).tobytes()), pa.py_buffer(b"\xffa\xfe")]
    text = pa.Array.from_buffers(pa.string(), 2, buffers)
    assert [row["x"] for row in map(table_of(pa.table({"x": text}), "x").__getitem__, range(2))] == ["\\xff", "a\\xfe"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"a": [1, 2]}, r"data: x is a dict: give an array, or a data frame, pandas\.DataFrame\(x\)"),
        ([{"a": 1}, {"a": 2}], "data: x is rows of the type dict: give an array, or a data frame"),
        ((row for row in range(2)), "data: x is a generator: give an array"),
        (pl.LazyFrame({"a": [1, 2]}), r"data: x is a LazyFrame: give an array, or a data frame, x\.collect\(\)"),
        (pl.DataFrame({"a": pl.Series([1, 2], dtype=pl.Int128)}), "data: x has the Arrow type .* in the column 'a'"),
        (pa.table({"a": pa.RunEndEncodedArray.from_arrays([1, 2], [1, 2])}), r"the Arrow type \+r in the column"),
    ],
    ids=["dict", "dicts", "generator", "lazy", "int128", "runs"],
)  # fmt: skip
def test_what_is_no_frame_is_refused_with_a_sentence(given, words):
    with pytest.raises(TypeError, match=words):
        pn.Dataset(given, [0, 1])


def test_targets_of_every_library_bring_their_names():
    values = {"p": [1.0, 2.0], "q": [3.0, 4.0]}
    for y in (pd.DataFrame(values), pl.DataFrame(values), pa.table(values)):
        data = pn.Dataset([[0.0], [1.0]], y)
        assert data.classes == ("p", "q")
        assert data.y.tolist() == [[1.0, 3.0], [2.0, 4.0]]
