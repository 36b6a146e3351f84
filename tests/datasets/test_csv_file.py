"""Tables in CSV files: kinds, delimiters, encodings, missing values, and files that are refused with the fix."""

import gzip
import io
import os
import tracemalloc

import numpy as np
import pandas
import pytest

import pyneural as pn
from pyneural.card.columns import Columns
from pyneural.datasets.csv_known import known_table
from pyneural.datasets.csv_text import examined_bytes

SMALL = "age,city,paid,price\n31,Rome,yes,9.5\n?,Paris,no,7.25\n45,Rome,yes,8\n22,,no,6.5\n"


@pytest.fixture
def read(tmp_path):
    """Writes a CSV file and reads it."""

    def reading(text: str | bytes, name: str = "t.csv", **options) -> pn.Dataset:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return pn.datasets.csv(path, **{"target": "y", "verbose": 0} | options)

    return reading


def rows(data: pn.Dataset) -> list[tuple]:
    """The values of the inputs, row by row."""
    return [tuple(data.x[number].values()) for number in range(len(data))]


def kinds(data: pn.Dataset) -> dict[str, str]:
    return {column.name: column.kind for column in data.x.columns}


# ---- what is read


def test_the_columns_are_printed_with_kind_missing_and_distinct_values(read, capsys):
    data = read(SMALL, target="price", verbose=1)
    assert capsys.readouterr().out.splitlines() == [
        "t.csv: 4 rows, 4 columns",
        "  column  kind                missing  distinct",
        "  age     number                    1         3",
        "  city    category                  1         2",
        "  paid    boolean                   0         2",
        "  price   number, the target        0         4",
    ]
    assert rows(data) == [(31.0, "Rome", True), (None, "Paris", False), (45.0, "Rome", True), (22.0, None, False)]
    assert (data.y.tolist(), data.y.dtype, data.name) == ([9.5, 7.25, 8.0, 6.5], np.float64, "t")
    read(SMALL, target="price")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a;b;y\n1,5;2;0\n-0,5;3;1\n1.234,5;4;0\n", [(1.5, 2.0), (-0.5, 3.0), (1234.5, 4.0)]),
        ("a\tb\ty\n1.5\t2\t0\n1,234.5\t3\t1\n2\t4\t0\n", [(1.5, 2.0), (1234.5, 3.0), (2.0, 4.0)]),
        ("a|b|y\n1e3|2|0\n+4|3|1\n.5|4|0\n", [(1000.0, 2.0), (4.0, 3.0), (0.5, 4.0)]),
        ('a,b,y\n"1,5",2,0\n"2,25",3,1\n"1","4",0\n', [(1.5, 2.0), (2.25, 3.0), (1.0, 4.0)]),
        ('"a","b","y"\r\n"1","2","0"\r\n"3","4","1"\r\n', [(1.0, 2.0), (3.0, 4.0)]),
        ('a, b, y\n1, "x, z", 0\n\n2, w, 1\n', [(1.0, "x, z"), (2.0, "w")]),
        ("a,b,y\r1,2,0\r3,4,1\r", [(1.0, 2.0), (3.0, 4.0)]),
        ('a,b,y\n1,"two\nlines",0\n2,"a ""word""",1\n', [(1.0, "two\nlines"), (2.0, 'a "word"')]),
        ("a;b;y\n1.234;x;0\n7;z;1\n", [(1234.0, "x"), (7.0, "z")]),  # with semicolons, a point groups thousands
        ("a;b;y\n1.23;x;0\n7;z;1\n", [(1.23, "x"), (7.0, "z")]),
        ("a,b,y\n1 234 567,1'000,0\n7,2,1\n", [(1234567.0, 1000.0), (7.0, 2.0)]),
    ],
)
def test_delimiters_decimal_marks_and_quotes_are_found(read, text, wanted):
    assert rows(read(text)) == wanted


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252"])
def test_encodings_are_found(read, encoding, capsys):
    text = "größe,stadt,y\n1,Köln,a\n2,Nîmes,b\n3,Köln,a\n"
    data = read(text.encode(encoding), verbose=1)
    assert data.x.names == ("größe", "stadt")
    assert data.x[1] == {"größe": 2.0, "stadt": "Nîmes"}
    assert ("read as Windows-1252" in capsys.readouterr().out) == (encoding in ("latin-1", "cp1252"))


def test_a_gzip_file_is_unpacked(read):
    assert rows(read(gzip.compress(b"a,y\n1,0\n2,1\n"), "t.csv.gz")) == [(1.0,), (2.0,)]


@pytest.mark.parametrize("missing", ["", " ", "NA", "n/a", "NaN", "null", "None", "?", "-", "<NA>", "#N/A", "nan"])
def test_missing_values_are_recognized_in_every_kind(read, missing):
    data = read(f"a,b,c,y\n1,x,true,0\n{missing},{missing},{missing},1\n2,z,FALSE,0\n")
    assert rows(data) == [(1.0, "x", True), (None, None, None), (2.0, "z", False)]
    assert kinds(data) == {"a": "number", "b": "category", "c": "boolean"}


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (",a,y\n0,1,0\n1,2,1\n2,4,0\n", {"a": "number"}),
        (",a,y\nMazda,1,0\nFiat,2,1\nFord,4,0\n", {"a": "number"}),
        ("id,a,y\n17,1,0\n12,2,1\n14,4,0\n", {"a": "number"}),
        ("PassengerId,a,y\n1,1,0\n2,2,1\n3,4,0\n", {"a": "number"}),
        ("id,a,y\n1,1,0\n1,2,1\n2,4,0\n", {"id": "number", "a": "number"}),  # of several rows
        ("grid,a,y\n1,1,0\n2,2,1\n3,4,0\n", {"grid": "number", "a": "number"}),
        ("a,b,y,\n1,,0,\n2,,1,\n3,,0,\n", {"a": "number"}),
    ],
)
def test_columns_without_use_are_left_out(read, text, kept):
    assert kinds(read(text)) == kept


@pytest.mark.parametrize("more", [";;;\n" * 5, ";;;\n" * 40_000, "; ;;\n;;;"])
def test_empty_rows_at_the_end_are_left_out_and_ids_stay_ids(read, more):
    data = read("id;a;b;y\n17;1;2;0\n12;2;;1\n14;4;1;0\n" + more)
    assert rows(data) == [(1.0, 2.0), (2.0, None), (4.0, 1.0)]
    assert kinds(data) == {"a": "number", "b": "number"}


def test_empty_rows_between_others_and_empty_cells_of_one_column_are_kept(read):
    lines = ["1,2"] + [","] * 3_000 + ["3,4"]
    with pytest.warns(
        UserWarning, match="3,000 of 3,002 rows have no value of 'y' and are left out, the first in line 3"
    ):
        assert rows(read("\n".join(["a,y", *lines]))) == [(1.0,), (3.0,)]
    table = known_table(examined_bytes("t", b'a\n1\n""\n'), {"a": "number"})
    assert np.isnan(table.columns[0].values).tolist() == [False, True]


def test_values_that_differ_in_capitals_only_are_reported(read):
    with pytest.warns(UserWarning, match="capitals") as caught:
        read("town,code,y\nUlm,a,Yes\nULM,A,yes\nBern,b,no\n")
    assert [str(one.message) for one in caught] == [
        "csv: 't.csv': values differ in capitals only, and count as different: 'ULM' and 'Ulm' in the column 'town', "
        "'Yes' and 'yes' in the column 'y': write them in one way if they mean the same"
    ]


def test_columns_that_are_left_out_are_shown(read, capsys):
    read("id,a,b,y,\n17,1,,0,\n12,2,,1,\n14,4,,0,\n", verbose=1)
    out = capsys.readouterr().out
    assert "id          names the rows, left out\n" in out
    assert "b           empty, left out\n" in out
    assert "Unnamed: 4  empty, left out\n" in out


def test_wide_tables_are_shown_in_part(read, capsys):
    names = [f"c{i}" for i in range(100)]
    read("\n".join([",".join([*names, "y"]), ",".join(["1"] * 100 + ["0"]), ",".join(["2"] * 100 + ["1"])]), verbose=1)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 43
    assert lines[-1] == "  and 61 more columns"


def test_columns_of_text_with_some_numbers_and_numbers_that_are_named_so_are_categories(read):
    text = "a,plz,y\n" + "\n".join(f"{'AB7'[i % 3]},0{1 + i % 4}9,{i % 2}" for i in range(30))
    data = read(text, categories="plz")
    assert kinds(data) == {"a": "category", "plz": "category"}
    assert data.x.column("plz").names == ("019", "029", "039", "049")
    assert data.x[2] == {"a": "7", "plz": "039"}


def test_a_column_that_begins_with_numbers_can_be_of_text(read):
    """Text from the second block of rows on: the file is read once more, since numbers were read before."""
    cells = ["007"] * 1100 + ["x"] * 2000
    data = read("a,y\n" + "\n".join(f"{cell},{i % 2}" for i, cell in enumerate(cells)))
    column = data.x.column("a")
    assert (column.kind, column.names) == ("category", ("007", "x"))
    assert np.array_equal(column.values, [0] * 1100 + [1] * 2000)


def test_groups_and_dropped_columns_are_kept_out_of_x(read):
    text = "patient,a,note,y\n" + "\n".join(f"p{i // 2},{i},any {i},{i % 2}" for i in range(40))
    data = read(text, groups="patient", drop=["note"])
    assert data.x.names == ("a",)
    assert data.groups.tolist() == [f"p{i // 2}" for i in range(40)]
    train, test = data.split(0.25, verbose=0)
    assert not set(train.groups) & set(test.groups)


def test_a_file_without_names_gets_numbered_ones(read):
    text = "5.1,3.5,setosa\n5.0,3.0,virginica\n4.9,3,setosa\n"
    data = read(text, header=False, target="column_3")
    assert (data.x.names, len(data), data.y.tolist()) == (
        ("column_1", "column_2"), 3, ["setosa", "virginica", "setosa"]
    )  # fmt: skip
    with pytest.raises(ValueError, match=r"the first line has values, such as 5\.1, where names of columns belong"):
        read(text)
    data = read("2019,2020,y\n1,2,0\n3,4,1\n5,6,0\n", header=True)
    assert data.x.names == ("2019", "2020")


def test_a_table_of_plain_numbers_gives_arrays_and_goes_with_models_of_arrays(read):
    data = read("a,b,y\n" + "\n".join(f"{i % 7},{'yes' if i % 3 else 'no'},{i % 2}" for i in range(20)))
    x, y = data.arrays()
    np.testing.assert_array_equal(x, [[i % 7, i % 3 > 0] for i in range(20)])
    assert y is data.y
    model = pn.Sequential(pn.Dense(2))
    pn.fit(model, (x, y), epochs=1, verbose=0)
    np.testing.assert_array_equal(pn.predict(model, data), pn.predict(model, x))
    assert pn.evaluate(model, data, verbose=0).n == 20


def test_a_file_and_a_frame_become_the_same_numbers(read):
    text = "a,b,c,y\n" + "\n".join(
        f"{i % 7 or ''},{'yes' if i % 3 else 'no'},{'pqr '[i % 4]},{i % 2}" for i in range(40)
    )
    frame = pandas.read_csv(io.StringIO(text)).replace({"b": {"yes": True, "no": False}})
    frame["b"], frame["c"] = frame["b"].astype(bool), frame["c"].where(frame["c"] != " ")
    found = [Columns.learn(x, None, "fit") for x in (read(text).x, pn.Dataset(frame[["a", "b", "c"]], frame["y"]).x)]
    assert found[0] == found[1]


# ---- the target


@pytest.mark.parametrize(
    ("cells", "y", "dtype", "classes"),
    [
        (["no", "yes", "no"], ["no", "yes", "no"], "U", ("no", "yes")),
        (["True", "False", "True"], ["True", "False", "True"], "U", ("False", "True")),
        (["0", "1", "0"], [0, 1, 0], "i", ()),
        (["1", "2", "3"] * 3, [1, 2, 3] * 3, "i", ()),
        (["1", "2", "3"], [1, 2, 3], "f", ()),  # each once: values
        ([str(i) for i in range(21)] * 3, list(range(21)) * 3, "f", ()),
        (["1.5", "2", "3"] * 3, [1.5, 2, 3] * 3, "f", ()),
        (["10", "9", "x1"] * 3, ["10", "9", "x1"] * 3, "U", ("10", "9", "x1")),
    ],
)
def test_text_and_few_whole_numbers_are_classes_and_other_numbers_are_values(read, cells, y, dtype, classes):
    options = {"categories": "y"} if "x1" in cells else {}
    data = read("a,y\n" + "".join(f"{i / 7},{cell}\n" for i, cell in enumerate(cells)), **options)
    assert (data.y.tolist(), data.y.dtype.kind, data.classes) == (y, dtype, classes)


def test_several_targets_are_columns_of_y(read):
    data = read("a,u,v\n1,0.5,3\n2,1.5,4\n3,2.5,5\n", target=["v", "u"])
    assert (data.y.tolist(), data.x.names, data.y_names) == ([[3, 0.5], [4, 1.5], [5, 2.5]], ("a",), ("v", "u"))
    data = read("a,u,v\n1,0,yes\n2,1,no\n3,1,yes\n", target=("u", "v"))
    assert (data.y.tolist(), data.y.dtype) == ([[0, 1], [1, 0], [1, 1]], np.int64)
    with pytest.raises(ValueError, match="the target 'v' has text, such as 'p': several targets must have numbers"):
        read("a,u,v\n1,0,p\n2,1,q\n3,1,q\n", target=("u", "v"))


def test_rows_without_a_target_are_left_out_with_a_warning(read):
    with pytest.warns(UserWarning, match="2 of 5 rows have no value of 'y' and are left out, the first in line 3"):
        data = read("a,g,y\n1,p,0\n2,q,\n3,r,1\n4,s,NA\n5,t,0\n", groups="g")
    assert (rows(data), data.y.tolist(), data.groups.tolist()) == ([(1.0,), (3.0,), (5.0,)], [0, 1, 0], ["p", "r", "t"])


# ---- what is refused

MANY = "\n".join(f"{i},name {i},{i % 2}" for i in range(30))
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
FAULTS = [
    ("", "is empty: a CSV file has a line of column names"),
    ("\n \n", "is empty"),
    ("a,y\n", "has column names but no rows"),
    ("a,y\n\n\n", "has column names but no rows"),
    (PNG, "is a PNG image, not text: export the table as CSV"),
    (b"PK\x03\x04rest", r"is a zip archive or a spreadsheet \(.xlsx, .ods\), not text: export"),
    (b"a,y\n1,\x002\n", "is not text, since it has bytes that are 0"),
    (b"a,y\n\xff\x01,2\n", "is not text in UTF-8, UTF-16 or Windows-1252: save it as CSV in UTF-8"),
    (gzip.compress(b"a,y\n1,2\n" * 99)[:-9], "is a damaged gzip file"),
    ("<!DOCTYPE html><html>", "is a web page or XML, not CSV: download the file itself"),
    ('[{"a": 1}]', "is JSON, not CSV"),
    ("sep=;\na;y\n1;2\n", "begins with 'sep=;', a line for spreadsheets: remove it"),
    ("a,y\n1,0\nx,1\n3,0\n", "the column 'a' has numbers in 2 rows and text in 1: 'x' in line 3: correct these cells"),
    ('a,y\n"1\n",0\n\nx,1\n3,0\n', "text in 1: 'x' in line 5"),
    ("a,y\n1,0\n2,1\nx,0\n3,1\n4,0\nz,1\n", r"'x' in line 4, 'z' in line 7.*or leave it out: drop=\['a'\] \(pyneural"),
    ("a,y\n1,0\ninf,1\n3,0\n", "the column 'a' has 1 infinite value, the first in line 3"),
    ("a,y\n1,0\n1e999,1\n3,0\n", "infinite value"),
    ("d,y\n2024-01-31,0\n2024-02-28,1\n2024-03-31,0\n", "the column 'd' has dates, such as '2024-01-31': give numbers"),
    ("p,y\n$1,0\n$2.50,1\n$4,0\n", "the column 'p' has numbers with signs, such as '\\$1': write the numbers without"),
    ("p,y\n12 %,0\n9%,1\n?,0\n", "has numbers with signs, such as '12 %'"),
    (f"a,name,y\n{MANY}", "the column 'name' has 30 different texts in 30 rows, such as 'name 0': leave it out: drop"),
    (f"name,d,y\n{MANY.replace(',name ', 'q,2024-01-')}", "2 columns cannot be used: 'name' has .*; 'd' has dates"),
    ("a,a,y\n1,2,0\n", "has two columns named 'a': rename or remove one"),
    ("a,,y\n1,2,0\n2,2,1\n3,1,0\n", "column 2 has no name: add one to the first line"),
    ("a,b,y\n1,2,0\n1,2,0,5\n", "line 3 has 4 cells, and the first line has 3"),
    ("a,b,y\n1,2,0\n1,2\n", "line 3 has 2 cells, and the first line has 3"),
    ("a,b\n1,2,0\n1,2,1\n", "has 2 column names, and rows of 3 cells: give a name to each column"),
    ('a,y\n"1,0\n2,1\n', "ends within quotes: close the quote"),
    ('a,y\n"1"x,0\n2,1\n', "line 2 cannot be read .*: double a quote"),
    ('a,y\n1,"' + "x" * 140_000 + '"\n', "a cell that ends in line 2 is longer than 131,072 characters"),
    ("a,y\n1,0\n2,0\n", "the target 'y' is 0 in all 2 rows: give examples of at least two values"),
    ("a,y\n1,b\n2,b\n", "the target 'y' is 'b' in all 2 rows"),
    ("a,y\n1,\n2,NA\n", "no row has a value of 'y'"),
    ("y\n1\n2\n", "has no column but y: give a file with inputs"),
    ("a b y\n1 2 0\n2 3 1\n", "has no column 'y'"),
    ("x" * 1_200_000, "the first line has more than 1,000,000 characters"),
    (
        "Sales 2024,,\n,,\na,b,y\n1,2,0\n",
        "the columns are Sales .*; if the first line is a title, remove the lines above",
    ),
    ("Sales\na,b,y\n1,2,0\n", "line 2 has 3 cells, and the first line has 1: if it is a title, remove the lines above"),
    ("a,y\n1,$2\n2,$3\n", r"the column 'y' has numbers with signs, such as '\$2': write the numbers without .* like$"),
    (
        "a,y\n" + "".join(f"{i},name {i}\n" for i in range(30)),
        "'y' has 30 different texts in 30 rows, such as 'name 0': choose another column as target, whose values",
    ),
    ("a,x\n1,0\n2,1\n", r"has no column 'y' \(target\); the columns are a, x"),
]


@pytest.mark.parametrize(("text", "words"), FAULTS, ids=[words[:40] for _, words in FAULTS])
def test_files_that_cannot_be_used_are_refused_with_the_fix(read, text, words):
    with pytest.raises(ValueError, match=words) as error:
        read(text)
    assert str(error.value).startswith("csv: 't.csv'")


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ({"target": "prise"}, ValueError, r"has no column 'prise' \(target\); did you mean 'price'"),
        ({"target": 3}, TypeError, "target is 3: give the name of a column"),
        ({"target": []}, ValueError, "target is empty"),
        ({"target": "price", "drop": ["Age"]}, ValueError, r"no column 'Age' \(drop\); did you mean 'age'"),
        ({"target": "price", "drop": "price"}, ValueError, "the column 'price' is in target and in drop"),
        ({"target": "price", "groups": "price"}, ValueError, "in target and in groups"),
        ({"target": "price", "groups": ["city"]}, TypeError, "groups"),
        ({"target": "price", "header": "no"}, TypeError, "header is 'no': give True or False"),
        ({"target": "price", "sep": ";"}, TypeError, "has no 'sep'; not needed: it is found in the file"),
        ({"y": "price"}, TypeError, r"has no 'y'; did you mean|has no 'y'; use target"),
        ({"target": "price", "groups": "city"}, ValueError, "1 rows have no value of 'city'.* in line 5"),
    ],
)
def test_wrong_arguments_are_refused_with_the_fix(tmp_path, options, kind, words):
    (tmp_path / "t.csv").write_text(SMALL)
    with pytest.raises(kind, match=words):
        pn.datasets.csv(tmp_path / "t.csv", verbose=0, **options)


def test_folders_pipes_and_missing_files_are_refused(tmp_path):
    with pytest.raises(IsADirectoryError, match="is a folder: give a CSV file"):
        pn.datasets.csv(tmp_path, target="y")
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(OSError, match="is a pipe, which may have no end"):
        pn.datasets.csv(tmp_path / "pipe.csv", target="y")
    with pytest.raises(FileNotFoundError, match="there is no file"):
        pn.datasets.csv(tmp_path / "none.csv", target="y")


def test_a_column_of_100000_texts_is_refused_and_may_hold_groups(read):
    text = "a,name,y\n" + "\n".join(f"{i % 7},name {i % 100_000},{i % 2}" for i in range(120_000))
    with pytest.raises(ValueError, match="the column 'name' has more than 10,000 different texts, such as 'name 0'"):
        read(text)
    assert len(set(read(text, groups="name").groups)) == 100_000


def test_memory_stays_below_ten_times_the_file(tmp_path):
    generator = np.random.default_rng(0)
    numbers = generator.normal(size=(20_000, 8))
    text = "a,b,c,d,e,f,g,h,city,y\n" + "".join(
        ",".join(f"{x:.4g}" for x in row) + f",{'Rome' if row[0] > 0 else 'Ulm'},{int(row[1] > 0)}\n" for row in numbers
    )
    (tmp_path / "t.csv").write_text(text)
    pn.datasets.csv(tmp_path / "t.csv", target="y", verbose=0)  # imports
    tracemalloc.start()
    data = pn.datasets.csv(tmp_path / "t.csv", target="y", verbose=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert data.x.shape == (20_000, 9)
    assert peak < 10 * len(text)
