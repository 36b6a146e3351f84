"""What preprocess="auto" does with floats: one test per case of the rule in docs/data.md."""

import numpy as np
import pytest

import pyneural as pn

RNG = np.random.default_rng(0)
X = RNG.normal([5.0, -3e4, 0.0], [1.0, 2e3, 1e-4], (200, 3))
Y = (X[:, 0] > 5).astype(np.int64)


def fitted(x: np.ndarray, *layers: pn.Layer, y: np.ndarray = Y, **options) -> pn.Sequential:
    model = pn.Sequential(*(layers or (pn.Flatten(), pn.Dense(2))))
    pn.fit(model, (x, y), epochs=1, **{"verbose": 0} | options)
    return model


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_table_is_standardized_by_its_training_rows_alone(dtype, capsys):
    x = X.astype(dtype)
    held = x[150:] + 1e6
    model = fitted(x[:150], y=Y[:150], validation=(held, Y[150:]), verbose=1)
    rule = model.card.preprocessing
    assert rule.kind == "dataset"
    np.testing.assert_allclose(rule.mean, x[:150].mean(axis=0, dtype=np.float64), rtol=1e-12)
    np.testing.assert_allclose(rule.deviation, x[:150].std(axis=0, dtype=np.float64), rtol=1e-12)
    assert f"{dtype} (3,) -> dataset mean, std" in capsys.readouterr().out
    model.summary()
    assert "float (3,) -> dataset mean, std" in capsys.readouterr().out


def test_it_is_saved_and_obeyed(tmp_path):
    model = fitted(X, pn.Dense(2))
    pn.save(model, tmp_path / "model.safetensors")
    found = pn.load(tmp_path / "model.safetensors")
    assert found.card.preprocessing == model.card.preprocessing
    rule = model.card.preprocessing
    prepared = ((X - rule.mean) / rule.deviation).astype(np.float32)
    np.testing.assert_allclose(pn.predict(found, X), pn.ops.softmax(model(prepared)).numpy(), rtol=2e-6)


@pytest.mark.filterwarnings("ignore:fit. columns of x have the same value")
def test_a_constant_column_becomes_0():
    x = np.column_stack([X, np.full(200, 0.1)])
    model = fitted(x, pn.Dense(2))
    assert model.card.preprocessing.deviation[3] == 1.0
    before = pn.predict(model, x)
    model["dense_1"].weight = model["dense_1"].weight.numpy() * np.array([[1], [1], [1], [1000]])
    assert np.array_equal(pn.predict(model, x), before)


def test_floats_of_three_or_more_axes_stay_as_they_are():
    assert fitted(X.reshape(200, 3, 1) / 1e4).card.preprocessing.kind == "none"
    assert fitted(X.reshape(200, 1, 3, 1) / 1e4).card.preprocessing.kind == "none"


def test_flat_rows_within_one_stay_as_they_are():
    x = RNG.random((200, 3))
    x[0], x[1] = 0, 1
    assert fitted(x).card.preprocessing.kind == "none"
    assert fitted((x > 0.5).astype(np.int64)).card.preprocessing.kind == "none"
    x[2, 2] = 1.0001
    assert fitted(x).card.preprocessing.kind == "dataset"
    assert fitted(x - 0.5).card.preprocessing.kind == "dataset"


def test_only_the_training_rows_count_for_the_range():
    x = RNG.random((200, 3))
    assert fitted(x, validation=(x + 1, Y)).card.preprocessing.kind == "none"


def test_numbers_of_an_embedding_stay_as_they_are():
    words = np.arange(600).reshape(200, 3) % 7
    for dtype in ("int64", "float64", "uint8"):
        model = fitted(words.astype(dtype), pn.Embedding(7, 4), pn.Flatten(), pn.Dense(2))
        assert model.card.preprocessing.kind == "none"


def test_uint8_is_standardized_as_before():
    assert fitted(RNG.integers(0, 256, (200, 3)).astype(np.uint8)).card.preprocessing.kind == "dataset"


def test_none_and_dataset_overrule_it():
    assert fitted(X[:, :1], preprocess=None).card.preprocessing.kind == "none"
    assert fitted(RNG.random((200, 3)), preprocess="dataset").card.preprocessing.kind == "dataset"


@pytest.mark.parametrize(
    ("x", "kind"), [(X, "dataset"), (RNG.random((200, 3)), "none"), ((X / 1e4).reshape(200, 3, 1), "none")]
)
def test_batches_are_treated_like_arrays(x, kind):
    made = []
    for data in ((x, Y), [(x[:120], Y[:120]), (x[120:], Y[120:])]):
        model = pn.Sequential(pn.Flatten(), pn.Dense(2))
        pn.fit(model, data, epochs=1, validation=None, verbose=0)
        made.append(model.card)
    one, other = made
    assert one.preprocessing.kind == other.preprocessing.kind == kind
    np.testing.assert_allclose(one.preprocessing.mean, other.preprocessing.mean, rtol=1e-12)
    np.testing.assert_allclose(one.preprocessing.deviation, other.preprocessing.deviation, rtol=1e-12)
    assert one.data_hash == other.data_hash


def test_a_range_that_only_a_later_batch_leaves_counts():
    x = RNG.random((200, 3))
    x[199, 0] = 7
    model = pn.Sequential(pn.Dense(2))
    pn.fit(model, [(x[:120], Y[:120]), (x[120:], Y[120:])], epochs=1, verbose=0)
    assert model.card.preprocessing.kind == "dataset"


def test_a_trained_model_keeps_its_own():
    model = fitted(RNG.random((200, 3)))
    pn.fit(model, (X / 1e4, Y), epochs=1, verbose=0)
    assert model.card.preprocessing.kind == "none"


def test_a_model_that_was_trained_by_hand_and_evaluated_keeps_its_inputs():
    model = pn.Sequential(pn.Dense(2))
    model.build((3,), seed=0)
    pn.evaluate(model, (X, Y), verbose=0)
    pn.fit(model, (X / 1e4, Y), epochs=1, verbose=0)
    assert model.card.preprocessing.kind == "none"
