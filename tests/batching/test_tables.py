"""Tables: DataFrames of pandas and the like, in fit, evaluate, predict and classify; their columns go by name."""

import copy

import numpy as np
import pandas as pd
import pytest

import pyneural as pn


def people(n: int = 90, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """Columns of every kind that holds numbers, on scales of their own; the class is told by the first two."""
    generator = np.random.default_rng(seed)
    y = np.arange(n) % 3
    frame = pd.DataFrame(
        {
            "height": 1.0 + 0.2 * y + generator.normal(0, 0.02, n),
            "visits": pd.array(y * 2 + generator.integers(0, 2, n), dtype="Int64"),
            "smokes": generator.random(n) < 0.5,
            "member": pd.array(generator.random(n) < 0.5, dtype="boolean"),
            "grade": generator.integers(1, 4, n),
            "weight": generator.normal(70, 5, n).astype(np.float32),
        }
    )
    return frame, y


@pytest.fixture(scope="module")
def trained() -> pn.Sequential:
    model = pn.Sequential(pn.Dense(16, "tanh"), pn.Dense(3))
    pn.fit(model, people(), epochs=60, learning_rate=0.02, preprocess="dataset", verbose=0)
    return model


def test_all_four_take_the_same_table(trained):
    x, y = people(seed=1)
    report = pn.evaluate(trained, (x, y), verbose=0)
    assert report.accuracy > 0.95
    found = pn.predict(trained, x)
    np.testing.assert_allclose(found, report.outputs, atol=1e-6)
    np.testing.assert_allclose(pn.predict(trained, pn.Dataset(x, y)), report.outputs, atol=1e-6)
    assert pn.classify(trained, x.iloc[:1]).label == str(found[0].argmax())
    np.testing.assert_allclose(pn.predict(trained, x.iloc[4]), found[4:5], atol=1e-6)
    batches = [(x.iloc[:40], y[:40]), (x.iloc[40:], y[40:])]
    np.testing.assert_allclose(pn.evaluate(trained, batches, verbose=0).outputs, report.outputs, atol=1e-6)


def test_columns_go_by_name(trained, tmp_path):
    x, y = people(seed=1)
    assert trained.card.columns == tuple(x.columns)
    turned = x[x.columns[::-1]]
    pn.save(trained, tmp_path / "model.safetensors")
    for model in (trained, pn.load(tmp_path / "model.safetensors")):
        expected = pn.predict(model, x)
        assert np.array_equal(pn.predict(model, turned), expected)
        assert np.array_equal(pn.predict(model, pn.Dataset(turned, y)), expected)
        assert np.array_equal(pn.predict(model, turned.iloc[3]), expected[3:4])
        assert pn.evaluate(model, (turned, y), verbose=0).accuracy > 0.95
        assert pn.evaluate(model, [(turned, y), (x, y)], verbose=0).accuracy > 0.95
    assert np.array_equal(pn.predict(trained, x.astype(float).to_numpy()), pn.predict(trained, x)), (
        "arrays have no names"
    )
    history = pn.fit(
        trained, [(x, y), (turned, y)], epochs=1, learning_rate=1e-9, validation=(turned, y), verbose=0, seed=1
    )
    assert history["accuracy"][0] > 0.95
    assert history["val_accuracy"][0] > 0.95


@pytest.mark.parametrize("how", ["predict", "classify", "evaluate", "dataset", "fit", "validation", "batches", "row"])
def test_columns_that_are_missing_or_too_many_are_named(trained, how):
    x, y = people(seed=1)
    other = x.rename(columns={"height": "size", "visits": "calls"})
    fresh = pn.Sequential(pn.Dense(3))
    run = {
        "predict": lambda: pn.predict(trained, other),
        "classify": lambda: pn.classify(trained, other.iloc[:1]),
        "row": lambda: pn.predict(trained, other.iloc[0]),
        "evaluate": lambda: pn.evaluate(trained, (other, y), verbose=0),
        "dataset": lambda: pn.predict(trained, pn.Dataset(other, y)),
        "fit": lambda: pn.fit(trained, (other, y), epochs=1, verbose=0),
        "validation": lambda: pn.fit(fresh, (x, y), validation=(other, y), preprocess="dataset"),
        "batches": lambda: pn.fit(fresh, [(x, y), (other, y)], preprocess="dataset"),
    }[how]
    with pytest.raises(
        ValueError, match="x has no columns height, visits, and the columns size, calls, which"
    ) as caught:
        run()
    assert "give the columns height, visits, smokes, member, grade, weight" in str(caught.value)
    with pytest.raises(ValueError, match="x has the column label, which"):
        pn.predict(trained, x.assign(label=y))


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (["red", "blue", 3.0, "red"], r"text \('red' in row 0\) and numbers \(3.0 in row 2\) in the column 'c'"),
        ([1.0, 2.0, np.inf, 3.0], r"1 infinite values in the column 'c', the first in row 2"),
        (pd.date_range("2026-01-01", periods=4), r"dates or times in the column 'c' .*: make numbers"),
    ],
)
def test_a_column_that_cannot_be_learned_from_is_named_with_its_content(trained, column, words):
    frame = pd.DataFrame({"a": [1.0, 2, 3, 4], "c": column})
    for run in (
        lambda: pn.fit(pn.Sequential(pn.Dense(2)), (frame, [0, 1, 0, 1]), epochs=1),
        lambda: pn.predict(trained, frame),
    ):
        with pytest.raises((TypeError, ValueError), match=words):
            run()


def test_two_columns_of_one_name_are_refused():
    with pytest.raises(ValueError, match="x has two columns named 'a'"):
        pn.Dataset(pd.DataFrame([[1, 2], [3, 4]], columns=["a", "a"]), [0, 1])


def test_columns_stay_with_a_dataset():
    x, y = people()
    data = pn.Dataset(x, y)
    assert data.columns == tuple(x.columns)
    assert data.take([3, 1]).columns == data.columns
    assert pn.Dataset(x.to_numpy(float), y).columns == ()
    assert data.x.dtype == np.float64


def test_a_model_trained_on_arrays_learns_the_columns_in_its_second_fit():
    x, y = people()
    model = pn.Sequential(pn.Dense(3))
    pn.fit(model, (x.astype(float).to_numpy(), y), epochs=1, preprocess="dataset", verbose=0)
    assert model.card.columns == ()
    pn.predict(model, x)
    pn.fit(model, (x, y), epochs=1, verbose=0)
    assert model.card.columns == tuple(x.columns)
    pn.fit(model, (x.astype(float).to_numpy(), y), epochs=1, verbose=0)
    assert model.card.columns == tuple(x.columns), "arrays are taken in the order that is known"


class Polar:
    """A frame as polars has them: names in a list, columns that become arrays, no index."""

    def __init__(self, **columns: list) -> None:
        self._columns = {name: np.array(values) for name, values in columns.items()}
        self.columns = list(columns)

    def __getitem__(self, name: str) -> np.ndarray:
        return self._columns[name]

    def to_numpy(self) -> np.ndarray:
        return np.column_stack(list(self._columns.values()))

    def __len__(self) -> int:
        return len(next(iter(self._columns.values())))

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        return self.to_numpy().astype(dtype)


def test_other_libraries_frames_are_tables_too():
    x = {"a": np.linspace(0, 1, 20), "b": np.arange(20) < 10}
    model = pn.Sequential(pn.Dense(2))
    pn.fit(model, (Polar(**x), x["b"].astype(int)), epochs=1, verbose=0)
    assert model.card.columns == ("a", "b")
    assert np.array_equal(pn.predict(model, Polar(b=x["b"], a=x["a"])), pn.predict(model, Polar(**x)))


def test_a_model_file_without_columns_loads(trained):
    record = trained.card.as_json()
    del record["table"], record["columns"]
    assert type(trained.card).from_json(record).columns == ()


def test_a_model_file_with_names_of_columns_alone_orders_columns_and_refuses_missing_values(trained):
    x, _ = people(seed=1)
    record = trained.card.as_json()
    del record["table"]
    model = copy.deepcopy(trained)
    model.card = type(trained.card).from_json(record)
    assert np.array_equal(pn.predict(model, x[x.columns[::-1]]), pn.predict(trained, x))
    x.loc[3, "height"] = None
    with pytest.raises(ValueError, match="x has 1 missing values in the column 'height', the first in row 3"):
        pn.predict(model, x)


def test_rows_of_x_and_y_in_different_orders_get_a_warning():
    x, y = people()
    labels = pd.Series(y)
    shuffled = x.sample(frac=1, random_state=0)
    words = (
        r"data: x and y have the same row labels in different orders \(\d+ and 0 come first\), .* y\.loc\[x\.index\]"
    )
    for run in (
        lambda: pn.Dataset(shuffled, labels),
        lambda: pn.fit(pn.Sequential(pn.Dense(3)), (shuffled, labels), epochs=1, preprocess="dataset", verbose=0),
    ):
        with pytest.warns(UserWarning, match=words):
            run()
    with pytest.warns(UserWarning, match=r"x and y\['top'\] have the same row labels"):
        pn.Dataset(shuffled, {"top": labels, "bottom": y})
    for fine in (labels.loc[shuffled.index], y, labels.set_axis(range(100, 190)), list(y)):
        pn.Dataset(shuffled, fine)
    pn.Dataset(x, labels)


@pytest.mark.parametrize("kind", ["float32", "uint8", "int16", "bool"])
def test_a_row_has_the_same_bits_however_it_is_given(kind, tmp_path):
    generator = np.random.default_rng(3)
    x = pd.DataFrame(
        (generator.uniform(0, 200, (40, 3)) * generator.integers(0, 2, (40, 3))).astype(kind), columns=["a", "b", "c"]
    )
    model = pn.Sequential(pn.Dense(8, "tanh"), pn.Dense(1))
    pn.fit(model, (x, generator.normal(size=40)), epochs=2, verbose=0)
    pn.save(model, tmp_path / "model.safetensors")
    model = pn.load(tmp_path / "model.safetensors")
    expected = pn.predict(model, x)
    rows = [dict(row) for _, row in x.iterrows()]
    assert np.array_equal(np.concatenate([pn.predict(model, row) for row in rows]), expected)
    assert np.array_equal(pn.predict(model, x.astype("float64")), expected)
    assert np.array_equal(pn.predict(model, x.astype("object")), expected)
    assert np.array_equal(pn.predict(model, pn.Dataset(x, np.zeros(40))), expected)
    assert np.array_equal(pn.predict(model, pd.concat([x, x.astype("float64") + 0.1]))[:40], expected)


def test_models_of_tables_of_uint8_from_earlier_versions_take_rows():
    x = pd.DataFrame(np.random.default_rng(3).integers(0, 200, (40, 2), np.uint8), columns=["a", "b"])
    model = pn.Sequential(pn.Dense(1))
    pn.fit(model, (x, np.linspace(0, 1, 40)), epochs=1, verbose=0)
    record = model.card.as_json()
    record["preprocessing"]["dtype"] = "uint8"  # as earlier versions wrote it
    del record["table"]
    before = pn.predict(model, x)
    model.card = type(model.card).from_json(record)
    assert np.array_equal(pn.predict(model, x), before)
    assert np.array_equal(pn.predict(model, dict(x.iloc[0])), before[:1])


def test_text_that_is_not_unicode_is_a_category(tmp_path):
    x = pd.DataFrame({"a": pd.Series(["\ud800", "b"] * 20, dtype=object)})
    model = pn.Sequential(pn.Dense(1))
    pn.fit(model, (x, np.arange(40) % 2), epochs=1, verbose=0)
    pn.save(model, tmp_path / "model.safetensors")
    assert np.array_equal(pn.predict(pn.load(tmp_path / "model.safetensors"), x), pn.predict(model, x))


def test_an_array_for_a_table_with_categories_asks_for_a_frame():
    x = pd.DataFrame({"a": ["u", "v"] * 20})
    model = pn.Sequential(pn.Dense(1))
    pn.fit(model, (x, np.arange(40) % 2), epochs=1, verbose=0)
    for given in (x.to_numpy(), [{"a": "u"}]):
        with pytest.raises(TypeError, match="was trained on a table: give a data frame, or a dict for one row"):
            pn.predict(model, given)
