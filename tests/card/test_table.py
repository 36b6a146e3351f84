"""A table: columns of numbers, booleans and categories, and the rows that are taken of it."""

import copy
import pickle

import numpy as np
import pytest

from pyneural.card.table import Column, Table


def _table():
    return Table(
        [
            Column("age", "number", np.array([31.0, np.nan, 5.0])),
            Column("ill", "boolean", np.array([1.0, 0.0, np.nan])),
            Column("town", "category", np.array([1, -1, 0]), ("Bonn", "Ulm")),
        ]
    )


def test_a_row_is_a_dict_of_python_values():
    table = _table()
    assert table[0] == {"age": 31.0, "ill": True, "town": "Ulm"}
    assert table[1] == {"age": None, "ill": False, "town": None}
    assert table[-1] == {"age": 5.0, "ill": None, "town": "Bonn"}
    assert [type(value) for value in table[0].values()] == [float, bool, str]


@pytest.mark.parametrize("rows", [[2, 0], np.array([2, 0]), np.array([True, False, True]), slice(0, 3, 2)])
def test_taking_rows_keeps_the_columns(rows):
    taken = _table()[rows]
    kept = np.arange(3)[rows]
    assert taken.shape == (2, 3)
    assert len(taken) == 2
    assert taken.names == ("age", "ill", "town")
    assert [taken[i] for i in range(2)] == [_table()[int(row)] for row in kept]
    assert taken.columns[2].names == ("Bonn", "Ulm")


def test_a_slice_shares_the_memory():
    table = _table()
    assert np.shares_memory(table[:2].columns[0].values, table.columns[0].values)


def test_missing_values_are_nan_or_minus_one():
    assert [column.missing.tolist() for column in _table().columns] == [
        [False, True, False],
        [False, False, True],
        [False, True, False],
    ]


def test_columns_are_found_by_name():
    assert _table().column("town").kind == "category"
    with pytest.raises(KeyError, match="no column 'city': the columns are age, ill, town"):
        _table().column("city")


def test_wrong_tables_raise():
    number = np.zeros(2)
    with pytest.raises(ValueError, match="data: x has two columns named 'a': rename or remove one"):
        Table([Column("a", "number", number), Column("a", "number", number)], "data: x")
    with pytest.raises(ValueError, match="'a' has 2 values, 'b' has 1: give columns of one length"):
        Table([Column("a", "number", number), Column("b", "number", number[:1])])
    with pytest.raises(ValueError, match="table has no columns"):
        Table([])


def test_a_table_is_not_an_array():
    with pytest.raises(TypeError, match=r"give it to pn\.fit"):
        np.asarray(_table())


def test_copies_and_pickles():
    for made in (copy.deepcopy(_table()), pickle.loads(pickle.dumps(_table()))):
        assert [made[i] for i in range(3)] == [_table()[i] for i in range(3)]
    assert repr(_table()) == "<Table: 3 rows, age (number), ill (boolean), town (category)>"
