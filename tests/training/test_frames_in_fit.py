"""Data frames with categories, booleans and missing values, from fit to predictions of a loaded model."""

import copy
import json
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import pyneural as pn
from pyneural.card.table import Table

WORDS = np.array([f"w{i:02d}" for i in range(20)])


def people(n: int = 300, seed: int = 0, words: bool = False) -> tuple[pd.DataFrame, np.ndarray]:
    """Whether someone is older than 40, but in Ulm the other way round; with words, odd ones turn it again."""
    generator = np.random.default_rng(seed)
    town = generator.choice(["Bonn", "Jena", "Ulm"], n)
    age = generator.normal(40, 10, n)
    number = generator.integers(0, 20, n)
    frame = pd.DataFrame(
        {
            "age": np.where(generator.random(n) < 0.05, np.nan, age),
            "town": town,
            "member": pd.array(generator.random(n) < 0.5, dtype="boolean"),
            "visits": pd.array(generator.integers(0, 9, n), dtype="Int64"),
        }
    )
    y = (age > 40) ^ (town == "Ulm")
    if words:
        frame.insert(1, "word", WORDS[number])
        y = y ^ (number % 2 == 1)
    return frame, y.astype(int)


def network() -> pn.Sequential:
    return pn.Sequential(pn.Dense(32, "relu"), pn.Dense(2))


@pytest.fixture(scope="module")
def trained() -> pn.Sequential:
    model = network()
    pn.fit(model, people(), epochs=60, learning_rate=0.02, verbose=0)
    return model


@pytest.fixture(scope="module")
def with_words() -> pn.Sequential:
    model = network()
    pn.fit(model, people(1200, words=True), epochs=20, learning_rate=0.02, verbose=0)
    return model


def test_a_frame_is_learned_and_its_first_line_and_summary_say_how(capsys):
    model = network()
    pn.fit(model, people(), epochs=1)
    words = "4 columns -> 7 numbers (1 category, 1 with missing values) -> dataset mean, std"
    assert words in " ".join(capsys.readouterr().out.split())
    model.summary()
    assert words in " ".join(capsys.readouterr().out.split())
    assert model.card.columns == ("age", "town", "member", "visits")


def test_all_functions_take_frames_of_any_library(trained):
    x, y = people(seed=1)
    report = pn.evaluate(trained, (x, y), verbose=0)
    assert report.accuracy > 0.85
    expected = pn.predict(trained, x)
    assert np.array_equal(report.outputs, expected)
    others = (pl.from_pandas(x), x.convert_dtypes(dtype_backend="pyarrow"), pn.Dataset(x, y), x[x.columns[::-1]])
    for other in others:
        assert np.array_equal(pn.predict(trained, other), expected)
    batches = [(x[:100], y[:100]), (x[100:], y[100:])]
    np.testing.assert_allclose(pn.evaluate(trained, batches, verbose=0).outputs, expected, atol=1e-6)
    model = copy.deepcopy(trained)
    assert 0 < pn.choose_threshold(model, (x, y), youden=True, verbose=0) < 1
    assert pn.calibrate(model, (x, y), verbose=0) > 0
    found = pn.find_learning_rate(network(), (x, y), verbose=0)
    assert found.suggestion > 0


def test_one_row_is_a_dict_or_a_series(trained):
    x, y = people(seed=1)
    expected = pn.predict(trained, x.iloc[3:4])
    for row in (x.iloc[3], x.iloc[3].to_dict(), pn.Dataset(x, y)[3][0], pl.from_pandas(x).row(3, named=True)):
        np.testing.assert_allclose(pn.predict(trained, row), expected, atol=1e-6)
        assert pn.classify(trained, row).label == str(expected.argmax())
    with pytest.raises(
        ValueError, match=r"classify: x has no column visits: give the columns age, town, member, visits"
    ):
        pn.classify(trained, {"age": 3, "town": "Ulm", "member": True})
    with pytest.raises(
        ValueError, match="predict: x has no columns age, town, member, visits, and the column size, wh"
    ):
        pn.predict(trained, {"size": 5})
    with pytest.raises(TypeError, match="a list in each row of the column 'age'"):
        pn.predict(trained, {"age": [3, 4], "town": "Ulm", "member": True, "visits": 1})


@pytest.mark.parametrize("words", [False, True])
def test_a_loaded_model_needs_nothing_else(trained, with_words, words, tmp_path):
    model = with_words if words else trained
    x, _ = people(seed=1, words=words)
    pn.save(model, tmp_path / "model.safetensors")
    again = pn.load(tmp_path / "model.safetensors")
    assert again.card.table == model.card.table
    assert np.array_equal(pn.predict(again, x), pn.predict(model, x))


def described(data: bytes) -> tuple[dict, dict]:
    """The header of a file, and its description of the model."""
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    return header, json.loads(header["__metadata__"]["pyneural"])


def test_files_that_earlier_versions_would_misread_have_a_newer_format(trained):
    x, y = people(60)
    plain = network()
    pn.fit(plain, (x[["age", "visits"]].fillna(40).astype(float), y), epochs=1, verbose=0)
    found = [described(pn.files.dumps(model))[1] for model in (trained, plain)]
    assert [one["format"] for one in found] == [2, 1]
    assert found[1]["columns"] == ["age", "visits"]


@pytest.mark.parametrize(
    "table",
    [5, "abc", [5], [{}], [{"name": "a", "kind": "category", "names": 3, "fill": None, "missing": False}],
     [{"name": "a", "kind": "number", "names": [], "fill": 10**400, "missing": False}]],
)  # fmt: skip
def test_files_with_damaged_columns_are_refused(trained, table):
    data = pn.files.dumps(trained)
    header, record = described(data)
    header["__metadata__"]["pyneural"] = json.dumps(record | {"table": table})
    text = json.dumps(header).encode()
    rest = data[8 + int.from_bytes(data[:8], "little") :]
    with pytest.raises(ValueError, match="its description of the model is damaged"):
        pn.files.loads(len(text).to_bytes(8, "little") + text + rest)


def test_new_categories_and_missing_values_are_counted_once(trained):
    x, _ = people(seed=1)
    x.loc[:4, "town"] = ["Rom", "Rom", "Oslo", None, "Bonn"]
    x.loc[7, "visits"] = pd.NA
    with pytest.warns(UserWarning, match="predict: 4 values of the column 'town' not in the training data") as caught:
        found = pn.predict(trained, x)
    assert len(caught) == 1
    assert "('Rom', 'Oslo'), taken as unknown; 1 value of the column 'visits' missing" in str(caught[0].message)
    assert np.isfinite(found).all()
    assert caught[0].filename == __file__


def test_statistics_come_from_training_rows_only():
    x, y = people()
    model, other = network(), network()
    pn.fit(model, (x, y), epochs=1, validation=(x[:50], y[:50]), verbose=0)
    assert model.card.table.rules[0].fill == x["age"].median()
    pn.fit(other, (x, y), epochs=1, verbose=0)
    held = other.card.table.rules[0].fill
    assert held != x["age"].median()
    x.loc[x["age"] > 60, "age"] = np.nan


def test_inputs_are_those_of_scikit_learns_transformers():
    x, y = people(200)
    x = x.assign(member=x["member"].astype(bool), visits=x["visits"].astype(int))
    model = network()
    pn.fit(model, (x, y), epochs=1, validation=None, verbose=0)
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    theirs = ColumnTransformer(
        [
            ("age", numbers, ["age"]),
            ("missing", MissingIndicator(), ["age"]),
            ("town", OneHotEncoder(sparse_output=False), ["town"]),
            ("member", "passthrough", ["member"]),
            ("visits", numbers, ["visits"]),
        ]
    )
    found = pn.ops.softmax(model(theirs.fit_transform(x).astype(float))).numpy()
    np.testing.assert_allclose(pn.predict(model, x), found, atol=1e-6)


def test_validation_rows_with_new_categories_are_reported_in_the_first_line(capsys):
    x, y = people(40)
    x["town"] = [f"town {i}" if i < 9 else "Ulm" for i in range(40)]
    pn.fit(network(), (x, y), epochs=1, validation=0.5)
    assert "of the column 'town' not in the training data" in " ".join(capsys.readouterr().out.split())


def test_a_second_fit_keeps_the_columns_and_says_what_they_lack(trained):
    x, y = people(60, seed=3)
    model = copy.deepcopy(trained)
    with pytest.warns(UserWarning, match="fit: 1 value of the column 'town' not in the training data"):
        pn.fit(model, (x.assign(town=["Rom", *x["town"][1:]]), y), epochs=1, validation=None, verbose=0)
    assert model.card.table == trained.card.table


def test_many_categories_are_embedded_in_front_of_the_model(with_words, capsys):
    x, y = people(400, seed=1, words=True)
    assert pn.evaluate(with_words, (x, y), verbose=0).accuracy > 0.85
    assert [layer.kind for layer in with_words.layers] == ["embed_columns", "dense", "dense"]
    assert with_words[0].columns == (2,)
    assert with_words[0].sizes == (21,)
    pn.fit(network(), (x, y), epochs=1)
    assert "embed_columns_1 in front: word -> 9 numbers" in " ".join(capsys.readouterr().out.split())
    with pytest.warns(UserWarning, match="not in the training data"):
        assert np.isfinite(pn.predict(with_words, x.assign(word="new"))).all()
    pn.fit(with_words, (x, y), epochs=1, learning_rate=1e-9, verbose=0)
    assert len(with_words) == 3


def test_numbers_of_categories_are_not_taken_for_unscaled_inputs(capsys):
    x, y = people(300, words=True)
    words = np.array([f"w{i}" for i in range(90)])
    for frame in (
        x[["word"]].assign(word=words[np.arange(300) % 90]),
        x[["town"]].assign(word=words[np.arange(300) % 90]),
    ):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            pn.fit(network(), (frame, y), epochs=1)
        assert not [one for one in caught if "large numbers" in str(one.message)]
    assert "1 column -> 1 number (1 category, 1 of them embedded) -> unchanged" in " ".join(
        capsys.readouterr().out.split()
    )


def test_models_that_cannot_get_an_embedding_are_told_the_lines_to_write():
    x, y = people(400, words=True)
    start = pn.Input((8,))
    model = pn.Model(start, pn.Dense(2)(start))
    with pytest.raises(
        ValueError, match=r"the column 'word' has more than 12 values, .*: begin the graph with x = "
    ) as e:
        pn.fit(model, (x, y), epochs=1, verbose=0)
    assert str(e.value).endswith("x = pn.Input((8,)); h = pn.EmbedColumns([2], [21])(x)")
    h = pn.EmbedColumns([2], [21])(start)
    assert pn.fit(pn.Model(start, pn.Dense(2)(h)), (x, y), epochs=1, verbose=0).epochs == 1
    built = network()
    built.build((8,))
    with pytest.raises(
        ValueError, match=r"begins with it, pn\.Sequential\(pn\.EmbedColumns\(\[2\], \[21\]\), \.\.\.\)"
    ):
        pn.fit(built, (x, y), epochs=1, verbose=0)
    wrong = pn.Sequential(pn.EmbedColumns([1], [21]), pn.Dense(2))
    with pytest.raises(
        ValueError, match=r"embeds the columns \[1\] of sizes \[21\], and this table needs pn\.EmbedCol"
    ):
        pn.fit(wrong, (x, y), epochs=1, verbose=0)


def test_a_failed_fit_leaves_the_model_as_it_was():
    model = network()
    with pytest.raises(ValueError, match="label_smoothing"):
        pn.fit(model, people(400, words=True), loss="mse", label_smoothing=0.1, verbose=0)
    assert [layer.kind for layer in model.layers] == ["dense", "dense"]
    assert model.card.table is None
    assert not model.is_built


def test_training_twice_gives_the_same_bits_and_resumes(tmp_path):
    data = people(400, words=True)
    prints = [pn.fit(network(), data, epochs=4, verbose=0).fingerprint for _ in range(2)]

    raised: list[int] = []

    def stop(epoch, logs):
        if epoch == 2 and not raised:
            raised.append(epoch)
            raise RuntimeError("stopped")

    assert prints[0] == prints[1]
    more = {"epochs": 4, "verbose": 0, "callbacks": stop, "checkpoint": tmp_path / "run.ckpt"}
    with pytest.raises(RuntimeError, match="stopped"):
        pn.fit(network(), data, **more)
    assert pn.fit(network(), data, **more).fingerprint == prints[0]


def test_data_sets_of_tables_are_split_by_rows():
    x, y = people(120)
    x = pd.concat([x, x.iloc[:20]])
    data = pn.Dataset(x, np.r_[y, y[:20]], groups=np.arange(140) // 2)
    assert isinstance(data.x, Table)
    assert data.columns == tuple(x.columns)
    assert repr(data[:7]) == "<dataset: 7 x 4 columns, y int64 ()>"
    train, test = data.split(0.2, verbose=0)
    assert len(train) + len(test) == 140
    assert not {str(train[i][0]) for i in range(len(train))} & {str(test[i][0]) for i in range(len(test))}
    folds = [fold for _, fold in data.folds(4)]
    assert sum(map(len, folds)) == 140
    assert data.take([3, 1]).x[0] == data.x[3]
    assert [x for x, _ in data[:2]] == [data.x[0], data.x[1]]
    assert data.counts() == {"0": int((data.y == 0).sum()), "1": int((data.y == 1).sum())}
    with pytest.raises(TypeError, match="arrays: x is a table with categories or missing values"):
        data.arrays()


def test_equal_rows_are_found_whatever_the_codes_of_their_categories():
    x, y = people(60)
    splits = pn.Splits(pn.Dataset(x, y), pn.Dataset(x[x["town"] == "Ulm"], y[x["town"] == "Ulm"]))
    with pytest.warns(UserWarning, match="test examples are identical to training examples"):
        pn.fit(network(), splits, epochs=1, verbose=0)


def test_an_ensemble_encodes_a_table_by_the_columns_of_each_model(tmp_path):
    x, y = people(400, words=True)
    models = [network() for _ in range(3)]
    for seed, model in enumerate(models):
        rows = np.flatnonzero(np.arange(400) % 3 != seed) if seed else np.flatnonzero(x["word"] != "w03")
        pn.fit(model, pn.Dataset(x, y).take(rows), epochs=2, seed=seed, verbose=0)
    assert models[0].card.table != models[1].card.table
    ensemble = pn.Ensemble(models)
    with pytest.warns(UserWarning, match="not in the training data"):
        expected = np.mean([pn.predict(model, x) for model in models], axis=0)
    with pytest.warns(UserWarning, match="not in the training data"):
        np.testing.assert_allclose(pn.predict(ensemble, x), expected, atol=1e-6)
    with pytest.warns(UserWarning, match="not in the training data"):
        np.testing.assert_allclose(pn.evaluate(ensemble, (x, y), verbose=0).outputs, expected, atol=1e-6)
    pn.save(ensemble, tmp_path / "ensemble.safetensors")
    row = x.iloc[3]
    assert pn.classify(pn.load(tmp_path / "ensemble.safetensors"), row).label == pn.classify(ensemble, row).label


def test_an_ensemble_of_plain_tables_fills_missing_values_with_the_medians_of_each_model():
    x, y = people(90)
    x = x[["visits"]].assign(age=np.arange(90.0)).astype(float)
    models = [network(), network()]
    for seed, model in enumerate(models):
        pn.fit(model, (x[30 * seed :], y[30 * seed :]), epochs=1, verbose=0)
    ensemble = pn.Ensemble(models)
    assert models[0].card.table != models[1].card.table
    expected = np.mean([pn.predict(model, x) for model in models], axis=0)
    for given in (x, x[["age", "visits"]], x.to_numpy()):
        np.testing.assert_allclose(pn.predict(ensemble, given), expected, atol=1e-6)
    x.loc[5, "age"] = np.nan
    with pytest.warns(UserWarning, match="1 value of the column 'age' missing"):
        expected = np.mean([pn.predict(model, x) for model in models], axis=0)
    with pytest.warns(UserWarning, match="1 value of the column 'age' missing") as caught:
        np.testing.assert_allclose(pn.predict(ensemble, x), expected, atol=1e-6)
    assert len(caught) == 1


def test_a_column_that_identifies_rows_is_refused_before_work_starts():
    x, y = people(300)
    with pytest.raises(
        ValueError, match=r"'name' has 270 different texts in 270 rows, .*it probably identifies the rows"
    ):
        pn.fit(network(), (x.assign(name=[f"person {i}" for i in range(300)]), y), verbose=0)
    with pytest.raises(ValueError, match="the column 'gone' has no values in the training rows: drop it"):
        pn.fit(network(), (x.assign(gone=None), y), verbose=0)


def test_batches_of_a_table_are_for_trained_models():
    x, y = people(60)
    with pytest.raises(TypeError, match="fit: batch 1: x has categories or missing values, which are learned from all"):
        pn.fit(network(), [(x[:30], y[:30]), (x[30:], y[30:])], verbose=0)


def test_a_frame_without_labels_is_told_to_be_given_with_them():
    x, y = people(60)
    for run in (pn.fit, pn.evaluate):
        with pytest.raises(TypeError, match=r"data is a DataFrame: give the inputs .*such as \(frame\.drop"):
            run(network(), x.assign(label=y))


def test_arrays_are_not_tables(trained):
    with pytest.raises(
        TypeError, match=r"predict: x is an array \(2, 4\), and the model was trained on a table: give a"
    ):
        pn.predict(trained, np.zeros((2, 4)))
    plain = network()
    pn.fit(plain, (np.zeros((9, 4)) + np.arange(9)[:, None], np.arange(9) % 2), epochs=1, verbose=0)
    with pytest.raises(TypeError, match="x has categories or missing values, and the model was trained on arrays"):
        pn.predict(plain, people()[0])


def test_layers_of_a_trained_model_take_its_columns_along(with_words):
    x, y = people(50, seed=2, words=True)
    outer = pn.Sequential(*copy.deepcopy(with_words).layers[:-1], pn.Dense(2))
    assert outer.card.table == with_words.card.table
    pn.fit(outer, (x, y), epochs=1, verbose=0)
    assert pn.predict(outer, x).shape == (50, 2)


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (pd.Series(["no", "yes"] * 20), ("no", "yes")),
        (pd.Series(["no", "yes"] * 20, dtype="string"), ("no", "yes")),
        (pd.Series(["no", "yes"] * 20, dtype="category"), ("no", "yes")),
        (pd.Series(["no", "yes"] * 20, dtype="string[pyarrow]"), ("no", "yes")),
        (pl.Series(["no", "yes"] * 20), ("no", "yes")),
        (pd.Series([0, 1] * 20, dtype="Int64"), ("0", "1")),
        (pd.Series([False, True] * 20, dtype="boolean"), ("0", "1")),
        (pl.Series([3, 5] * 20), ("3", "5")),
    ],
    ids=str,
)
def test_a_series_is_labels(labels, names):
    x, _ = people(40)
    model = network()
    pn.fit(model, (x, labels), epochs=1, verbose=0)
    assert model.classes == names


@pytest.mark.parametrize("kind", ["object", "string", "category", "string[pyarrow]"])
def test_missing_labels_are_refused_by_row(kind):
    x, _ = people(4)
    with pytest.raises(ValueError, match=r"data: y has 1 labels that are missing .*, the first at 2: remove those"):
        pn.Dataset(x, pd.Series(["no", "yes", None, "no"], dtype=kind))
    with pytest.raises(ValueError, match=r"data: y has 1 labels that are missing .*, the first at 2"):
        pn.Dataset(x, pl.Series(["a", "b", None, "a"]))
    with pytest.raises(ValueError, match=r"fit: y has 1 values that are NaN or infinite, the first at \(2,\)"):
        pn.fit(network(), (x, pd.Series([1, 2, None, 1], dtype="Int64")), verbose=0)
