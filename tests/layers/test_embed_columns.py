"""EmbedColumns: columns of a table that are numbers of categories, replaced by trained vectors."""

import copy

import numpy as np
import pytest

import pyneural as pn
from pyneural.models import summary

X = np.array([[0.5, 2, -1.0, 0], [1.5, 0, 3.0, 4], [2.5, 2, 0.0, 1]])


def built(*arguments, dtype: str = "float64", shape: tuple[int, ...] = (4,), **more) -> pn.Sequential:
    model = pn.Sequential(pn.EmbedColumns(*arguments, **more), dtype=dtype)
    model.build(shape, seed=3)
    return model


@pytest.mark.parametrize("columns", [(1, 3), (3, 1)])
def test_other_columns_come_first_then_the_vectors_of_each_column(columns):
    sizes = {1: 3, 3: 5}
    model = built(columns, [sizes[one] for one in columns], [2, 4])
    layer = model[0]
    expected = [X[:, [0, 2]], *(getattr(layer, f"weight_{c}").numpy()[X[:, c].astype(int)] for c in columns)]
    assert np.array_equal(model(X).numpy(), np.concatenate(expected, axis=1))
    assert model.output_shape == (8,)


def test_all_columns_may_be_numbers():
    model = built([0, 1], [4, 4], [2, 3], shape=(2,))
    assert model(np.array([[1, 3], [0, 2]])).shape == (2, 5)
    assert built([0], [4], [2], shape=(1,))(np.array([[1]])).shape == (1, 2)


def test_the_width_follows_the_rule_of_fastai():
    assert pn.EmbedColumns([0, 1, 2, 3], [14, 100, 1000, 10**6]).units == (7, 21, 77, 600)


def test_unknown_categories_start_and_stay_at_zero():
    generator = np.random.default_rng(0)
    x = np.column_stack([generator.normal(size=200), generator.integers(1, 20, 200)])
    model = pn.Sequential(pn.EmbedColumns([1], [20]), pn.Dense(1))
    pn.fit(model, (x, (x[:, 1] % 2).astype(int)), epochs=3, optimizer="adamw", preprocess=None, verbose=0)
    weight = model[0].weight_1.numpy()
    assert not weight[0].any()
    assert weight[1:].all()


def test_gradients_are_right_in_float64():
    model = pn.Sequential(pn.EmbedColumns([1, 3], [3, 5], [2, 2]), pn.Dense(2), dtype="float64")
    errors = pn.check_gradients(model, X, [0, 1, 1], verbose=0)
    assert list(errors) == ["embed_columns_1/weight_1", "embed_columns_1/weight_3", "dense_1/weight", "dense_1/bias"]


def test_files_and_copies_keep_it():
    model = built([3, 1], [5, 3])
    for again in (pn.files.loads(pn.files.dumps(model)), copy.deepcopy(model)):
        assert (again[0].columns, again[0].sizes, again[0].units) == ((3, 1), (5, 3), (4, 3))
        assert np.array_equal(again(X).numpy(), model(X).numpy())


def test_what_a_summary_shows():
    model = pn.Sequential(pn.EmbedColumns([1, 3], [3, 5], [2, 4]), pn.Dense(2))
    model.build((4,))
    assert str(model) == "4-8e6-2 | linear"
    node = pn.EmbedColumns([1], [3])(pn.Input((4,)))
    assert summary.flops(node.layer, ((4,),), node.shape) == 0


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: pn.EmbedColumns([], []), ValueError, "columns is .*: give at least one column, and each once"),
        (lambda: pn.EmbedColumns([1, 1], [3, 3]), ValueError, "each once"),
        (lambda: pn.EmbedColumns([-1], [3]), ValueError, "columns is -1"),
        (lambda: pn.EmbedColumns([1], [3, 4]), ValueError, "1 columns, 2 sizes and 2 units: give one size, and one"),
        (lambda: pn.EmbedColumns([1], [0]), ValueError, "sizes is 0"),
        (lambda: pn.EmbedColumns(1, [3]), TypeError, "columns is 1: give a list of whole numbers"),
        (lambda: pn.EmbedColumns([1], [2**24 + 1]), ValueError, "at most 16,777,216 are exact in float32"),
        (lambda: built([4], [3]), ValueError, "columns has 4, but x has 4 columns, numbered from 0"),
        (lambda: built([1], [3], shape=(4, 4)), ValueError, r"it takes the rows of a table, \(n, columns\)"),
    ],
)
def test_wrong_arguments_are_refused(make, error, words):
    with pytest.raises(error, match=words):
        make()


@pytest.mark.parametrize("number", [0.5, 3, -1, np.nan, np.inf, 1e20])
def test_other_numbers_are_refused(number):
    x = X.copy()
    x[1, 1] = number
    with pytest.raises(ValueError, match=r"embed_columns_1: column 1 of x must be whole numbers in 0\.\.2, unscaled"):
        built([1], [3])(x)
