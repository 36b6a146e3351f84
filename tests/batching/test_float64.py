"""float64 inputs keep their digits until the mean is subtracted; float32 and uint8 go the way they went."""

import numpy as np
import pytest

import pyneural as pn

START = 1_700_000_000.0  # seconds: float32 has steps of 128 there


def minute(n: int = 200, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Timestamps within a minute, and whether they are in its second half."""
    seconds = np.random.default_rng(seed).uniform(0, 60, n)
    return (START + seconds)[:, None], (seconds > 30).astype(np.int64)


def model() -> pn.Sequential:
    return pn.Sequential(pn.Dense(8, "tanh"), pn.Dense(2))


def given(form: str, x: np.ndarray, y: np.ndarray):
    """The same data in a form that fit and evaluate take."""
    if form == "list":
        return x.tolist(), y
    if form == "integers":  # whole microseconds
        return np.round(x * 1e6).astype(np.int64), y
    return [(x[:90], y[:90]), (x[90:], y[90:])] if form == "batches" else (x, y)


@pytest.mark.parametrize("form", ["array", "list", "integers", "batches"])
def test_timestamps_within_a_minute_can_be_told_apart(form):
    x, y = minute()
    network = model()
    data = given(form, x, y)
    history = pn.fit(
        network, data, epochs=60, batch_size=20, learning_rate=0.05, preprocess="dataset", verbose=0,
        validation=given(form, *minute(seed=1)),
    )  # fmt: skip
    scale = 1e6 if form == "integers" else 1
    assert network.card.preprocessing.mean[0] == pytest.approx(scale * x.mean(), rel=1e-12)
    assert network.card.preprocessing.deviation[0] == pytest.approx(scale * x.std(), rel=1e-6)
    assert history["val_accuracy"][-1] > 0.95
    report = pn.evaluate(network, data, verbose=0)
    assert report.accuracy > 0.95
    inputs = data[0] if form != "batches" else x
    found = pn.predict(network, inputs)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, report.outputs, atol=1e-6)
    np.testing.assert_allclose(pn.predict(network, inputs[3]), found[3:4], atol=1e-6)
    assert pn.classify(network, inputs[3]).label == str(found[3].argmax())


def test_timestamps_in_a_table_with_other_columns_keep_their_digits():
    x, y = minute()
    table = [[round(when, 6), number % 7] for number, when in enumerate(x[:, 0].tolist())]
    network = model()
    pn.fit(network, (table, y), epochs=60, batch_size=20, learning_rate=0.05, preprocess="dataset", verbose=0)
    assert pn.evaluate(network, (table, y), verbose=0).accuracy > 0.95


def test_each_image_loses_its_own_mean_in_float64():
    generator = np.random.default_rng(0)
    pattern = generator.normal(size=(2, 6, 6, 1))
    y = np.arange(100) % 2
    x = pattern[y] + generator.uniform(1e8, 2e8, (100, 1, 1, 1))
    network = pn.Sequential(pn.Flatten(), pn.Dense(2))
    pn.fit(network, (x, y), epochs=30, learning_rate=0.05, preprocess="image", verbose=0)
    assert pn.evaluate(network, (x, y), verbose=0).accuracy == 1
    assert pn.predict(network, x).argmax(1).tolist() == y.tolist()
    assert pn.predict(network, x[0]).dtype == np.float32


@pytest.mark.parametrize("preprocess", ["dataset", "image", None])
def test_float32_and_float64_of_the_same_numbers_train_alike(preprocess):
    x = np.random.default_rng(0).normal(size=(60, 4, 4, 1)).astype(np.float32)
    y = np.arange(60) % 2
    weights = []
    for values in (x, x.astype(np.float64)):
        network = pn.Sequential(pn.Flatten(), pn.Dense(2))
        pn.fit(network, (values, y), epochs=2, preprocess=preprocess, verbose=0)
        weights.append(network["dense_1"].weight.numpy().copy())
        assert pn.predict(network, values).dtype == np.float32
    np.testing.assert_allclose(*weights, atol=1e-5)


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([[0.5], [1.0]], "float32"),
        ([[0.1], [1.0]], "float64"),
        ([[True], [False]], "float32"),
        (np.array([[1], [2]]), "float32"),
        (np.array([[16777217], [2]]), "float64"),
        (np.array([[0.5], [1.0]]), "float64"),
        (np.array([[0.1], [1.0]], np.float32), "float32"),
        (np.array([[0.1], [1.0]], np.float16), "float32"),
        (np.array([[1], [2]], np.uint8), "uint8"),
    ],
)
def test_what_float32_cannot_hold_exactly_stays_float64(values, dtype):
    assert pn.Dataset(values, [0, 1]).x.dtype == dtype
