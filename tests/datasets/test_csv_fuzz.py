"""CSV files of random text: a Dataset or an error with a sentence, and the types that pandas finds."""

import csv
import io
import warnings

import numpy as np
import pandas
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pyneural as pn

FAST = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
CELL = st.one_of(
    st.sampled_from(["", "NA", "1", "2", "0.5", "1,5", "1.234,5", "inf", "nan", "yes", "no", "true", "a", "b", "x y"]),
    st.floats().map(repr),
    st.integers(-(10**20), 10**20).map(str),
    st.text(max_size=4),
)
PIECES = st.lists(
    st.one_of(st.sampled_from([*',;|\t"\n\r', "\n", "\r\n", '""', ",,", "y", "a", "\ufeff"]), CELL), max_size=40
).map("".join)


def outcome(path, text: bytes, **options) -> pn.Dataset | None:
    """The data set in a file, None if it is refused with a sentence; warnings are checked, too."""
    path.write_bytes(text)
    data, said = None, ""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        try:
            data = pn.datasets.csv(path, **{"target": "y", "verbose": 0} | options)
        except ValueError as error:
            said = str(error)
    if data is None:
        assert said.startswith("csv: 't.csv'")
        assert len(said) < 3000
        return None
    assert all("and are left out, the first in line" in str(one.message) for one in found)
    assert len(data) == len(data.y) == len(data.x) > 0
    assert all(np.all(column.values < max(1, len(column.names))) for column in data.x.columns if column.names)
    return data


@FAST
@given(text=PIECES, start=st.sampled_from(["", "a,y\n", "a;y\n", "a\ty\n1\t2\n", "id|a|y\n"]))
def test_any_text_is_a_data_set_or_refused_with_a_sentence(tmp_path, text, start):
    outcome(tmp_path / "t.csv", (start + text).encode("utf-8", "surrogatepass"))


@FAST
@given(data=st.binary(max_size=200), start=st.sampled_from([b"", b"a,y\n", b"\xff\xfe", b"\x1f\x8b\x08"]))
def test_any_bytes_are_a_data_set_or_refused_with_a_sentence(tmp_path, data, start):
    outcome(tmp_path / "t.csv", start + data)


@FAST
@given(
    rows=st.lists(st.tuples(CELL, CELL, st.sampled_from(["0", "1", "", "2.5"])), min_size=1, max_size=30),
    delimiter=st.sampled_from(",;\t|"),
    header=st.sampled_from([None, True, False]),
)
def test_any_table_is_a_data_set_or_refused_with_a_sentence(tmp_path, rows, delimiter, header):
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows([("a", "b", "y"), *rows])
    options = {"target": "column_3"} if header is False else {}
    outcome(tmp_path / "t.csv", text.getvalue().encode("utf-8", "surrogatepass"), header=header, **options)


COLUMNS = {
    "number": st.one_of(st.floats(allow_infinity=False), st.integers(-(10**6), 10**6).map(float)),
    "boolean": st.sampled_from([True, False, None]),
    "category": st.sampled_from(["Rome", "Ulm", "a, b", 'the "best"', "two\nlines", None]),
}


@FAST
@given(kinds=st.lists(st.sampled_from(list(COLUMNS)), min_size=1, max_size=4), draw=st.data())
def test_what_pandas_writes_is_read_with_its_values_and_types(tmp_path, kinds, draw):
    count = 24
    cells = {
        f"c{i}": draw.draw(st.lists(COLUMNS[kind], min_size=count, max_size=count)) for i, kind in enumerate(kinds)
    }
    cells["c"] = [0.5] * count
    pandas.DataFrame(cells | {"y": [i % 2 for i in range(count)]}).to_csv(
        tmp_path / "t.csv", index=draw.draw(st.booleans())
    )
    data = pn.datasets.csv(tmp_path / "t.csv", target="y", verbose=0)
    again = pandas.read_csv(tmp_path / "t.csv")
    for column in data.x.columns:
        wanted = [None if value is None or value != value else value for value in cells[column.name]]
        assert [column.value(row) for row in range(count)] == wanted
        values = again[column.name].dropna().infer_objects()
        assert column.kind == {"f": "number", "i": "number", "b": "boolean"}.get(values.dtype.kind, "category")
    assert {name for name in cells if name not in data.x.names} == set(again.columns[again.isna().all()])
