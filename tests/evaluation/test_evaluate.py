"""evaluate, predict, classify: what a model is worth, and what it says."""

import re
import threading

import numpy as np
import pytest
from scipy import stats

import pyneural as pn
import pyneural.evaluation.running as running
from pyneural.card.task import Task
from pyneural.evaluation.report import Report


@pytest.fixture(scope="module")
def trained(sample):
    model = pn.Sequential(pn.Flatten(), pn.Dense(32, "relu"), pn.Dense(10))
    pn.fit(model, sample, epochs=2, verbose=0)
    return model


def test_evaluate_prints_one_line_and_returns_what_it_says(trained, sample, capsys):
    report = pn.evaluate(trained, sample.test)
    line = capsys.readouterr().out.strip()
    assert line == repr(report)
    assert line.startswith(f"accuracy {100 * report.accuracy:.2f} % [")
    assert line.endswith("n = 1,000 · EMBEDDED SAMPLE: 1,000 of 10,000")
    assert report.confusion.sum() == 1000
    assert np.trace(report.confusion) == round(report.accuracy * 1000) == 1000 - len(report.mistakes)
    assert np.array_equal(report.predictions != report.labels, np.isin(np.arange(1000), report.mistakes))
    assert np.all(np.diff(report.confidence[report.mistakes]) <= 0)
    p = report.outputs[np.arange(1000), report.labels].astype(float)
    assert report.loss == pytest.approx(-np.log(p).mean(), rel=1e-3)  # probabilities are float32
    report.samples(5)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 6
    assert lines[0].startswith(f"#0 actual {report.labels[0]} predicted {report.predictions[0]} ")


def test_a_loss_that_is_not_the_training_loss_is_named(sample, capsys):
    """The report showed cross_entropy as "loss", whatever fit had minimized."""

    def focal(outputs, targets):
        error = pn.ops.cross_entropy(outputs, targets, reduction="none")
        return ((1 - (-error).exp()) ** 2 * error).mean()

    x, y = sample.test.x[:200], sample.test.y[:200]
    for loss, name in ((focal, "cross_entropy"), ("auto", "loss"), ("cross_entropy", "loss"), ("mse", "loss")):
        model = pn.Sequential(pn.Flatten(), pn.Dense(10))
        pn.fit(model, (x, y), epochs=1, loss=loss, verbose=0)
        report = pn.evaluate(model, (x, y))
        assert report.loss_name == name
        assert f"· {name} {report.loss:.4g} ·" in repr(report)
        assert re.search(rf"^{name} +{report.loss:.4g}", str(report), re.M) or name == "loss"
        assert f"· {name} {report.loss:.4g} ·" in capsys.readouterr().out
    x, y = np.arange(8, dtype=np.float32)[:, None], np.arange(8) % 2
    binary = pn.Sequential(pn.Dense(1))
    pn.fit(binary, (x, y), epochs=1, loss=lambda outputs, targets: (outputs * outputs).mean(), verbose=0)
    assert pn.evaluate(binary, (x, y), verbose=0).loss_name == "binary_cross_entropy"
    by_hand = pn.Sequential(pn.Dense(2))
    by_hand.build((1,))
    assert pn.evaluate(by_hand, (x, y), verbose=0).loss_name == "cross_entropy"


def test_predict_gives_probabilities_in_the_order_of_the_inputs(trained, sample):
    found = pn.predict(trained, sample.test.x)
    assert found.shape == (1000, 10)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(pn.predict(trained, sample.test.x[700:703]), found[700:703], rtol=1e-4, atol=1e-7)
    assert np.array_equal(pn.predict(trained, sample.test), found)
    assert pn.predict(trained, sample.test.x[:0]).shape == (0, 10)


def test_one_input_may_come_without_a_batch(trained, sample):
    image = sample.test.x[3]
    expected = pn.predict(trained, image[None])
    assert np.array_equal(pn.predict(trained, image), expected)
    assert np.array_equal(pn.predict(trained, image[..., 0]), expected)
    said = pn.classify(trained, image[..., 0])
    assert said.label == str(expected.argmax())
    assert str(said) == f"{said.label} ({100 * expected.max():.1f} %)"


def test_four_threads_predict_at_once(trained, sample):
    expected, wrong = pn.predict(trained, sample.test.x), []

    def work():
        wrong.append(any(np.any(pn.predict(trained, sample.test.x) != expected) for _ in range(5)))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == [False] * 4


def test_values_are_reported_with_their_error():
    x = np.linspace(0, 1, 50, dtype=np.float32).reshape(-1, 1)
    model = pn.Sequential(pn.Dense(2))
    pn.fit(model, (x, np.hstack([x, -x])), epochs=1, verbose=0)
    report = pn.evaluate(model, (x, np.hstack([x, -x])), verbose=0)
    assert report.accuracy is None
    assert report.loss == pytest.approx(((report.outputs - np.hstack([x, -x])) ** 2).mean(), rel=1e-5)
    assert repr(report).startswith("mse ")
    with pytest.raises(ValueError, match="is for regression"):
        pn.classify(model, x[0])


def reported(outputs, y) -> Report:
    outputs, y = np.asarray(outputs, np.float32), np.asarray(y, np.float32)
    errors = ((outputs - y) ** 2).mean(axis=1)
    return Report(Task("values", y.shape[1]), outputs, y, errors, "data", "")


def test_r2_is_the_share_of_the_variance_that_a_line_explains():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(200, 2))
    y = x * [2.0, -1.0] + rng.normal(size=(200, 2))
    lines = [stats.linregress(x[:, i], y[:, i]) for i in range(2)]  # of a least-squares line it is r squared
    report = reported(np.stack([line.intercept + line.slope * x[:, i] for i, line in enumerate(lines)], axis=1), y)
    assert report.r2 == pytest.approx(np.mean([line.rvalue**2 for line in lines]), rel=1e-5)
    assert f" · R² {report.r2:.4f} · n = 200" in repr(report)


def test_r2_of_the_mean_is_0_of_worse_below_and_of_labels_without_variance_nan():
    y = np.arange(5.0).reshape(5, 1)
    assert reported(np.full((5, 1), 2.0), y).r2 == pytest.approx(0)
    assert reported(y[::-1], y).r2 == pytest.approx(-3)
    assert np.isnan(reported(y, np.ones((5, 1))).r2)


def test_samples_of_values_show_how_far_off_they_are(capsys):
    reported([[1.0, 2.0], [3.0, 4.5]], [[1.0, 2.5], [3.0, 4.5]]).samples(5)
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["#0 actual 1, 2.5 predicted 1, 2 off 0.25", "#1 actual 3, 4.5 predicted 3, 4.5 off 0"]
    assert lines[2].startswith("mean absolute error of 2: 0.125 [")
    reported(np.zeros((1, 9)), np.ones((1, 9))).samples()
    assert capsys.readouterr().out.startswith("#0 actual 1, 1, 1, 1, ... predicted 0, 0, 0, 0, ... off 1\n")


def untrained() -> pn.Sequential:
    return pn.Sequential(pn.Flatten(), pn.Dense(3))


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda m, d: pn.predict(untrained(), d.x), RuntimeError, "not trained yet: call pn.fit(model, data) first"),
        (lambda m, d: pn.evaluate(untrained(), d), RuntimeError, "not trained yet"),
        (
            lambda m, d: pn.predict(m, d.x / 255),
            ValueError,
            "predict: the model was trained on uint8 pixels 0..255, x is float",
        ),
        (
            lambda m, d: pn.predict(m, d.x[:, :20]),
            ValueError,
            "predict: the model was built for images (28, 28, 1), this data has (20, 28, 1)",
        ),
        (lambda m, d: pn.evaluate(m, d.x, d.y), TypeError, "takes 2 positional arguments"),
        (lambda m, d: pn.evaluate(m, (d.x, d.y + 5)), ValueError, "labels run 5..14"),
        (lambda m, d: pn.evaluate(m, pn.Splits(d, d)), TypeError, "data.test"),
        (lambda m, d: pn.predict(d, m), TypeError, "give a pn.Sequential"),
        (lambda m, d: pn.predict(m, [["a"]]), TypeError, "give numbers"),
        (lambda m, d: pn.classify(m, d.x[:2]), ValueError, "takes one input, got 2"),
    ],
)
def test_bad_input_raises_a_clear_error(trained, sample, call, error, words):
    with pytest.raises(error) as caught:
        call(trained, sample.test)
    assert words in str(caught.value)


def test_a_model_trained_on_floats_refuses_pixels(rings):
    model = pn.Sequential(pn.Dense(3))
    pn.fit(model, rings, epochs=1, verbose=0)
    with pytest.raises(ValueError, match=r"trained on floats, x is uint8: .*astype"):
        pn.predict(model, np.zeros((3, 2), np.uint8))
    with pytest.raises(ValueError, match="NaN or infinite"):
        pn.predict(model, np.full((3, 2), np.nan))


def test_a_confusion_of_very_many_classes_is_refused_and_only_when_it_is_read():
    n, many = 20, 30_000
    outputs = np.zeros((n, many), np.float32)
    outputs[np.arange(n), np.arange(n)] = 1
    y = np.arange(n)
    y[3] = many - 1
    report = Report(Task("classes", many), outputs, y, np.ones(n, np.float32), "data", "")
    assert report.accuracy == 0.95
    assert report.mistakes.tolist() == [3]
    assert "95.00 %" in repr(report)
    words = r"report\.confusion: a table of 30,000 x 30,000 classes takes 6\.7 GiB: count"
    with pytest.raises(ValueError, match=words):
        _ = report.confusion
    pairs, counts = np.unique(np.stack([report.labels, report.predictions]), axis=1, return_counts=True)
    assert counts.sum() == n
    assert (many - 1, 3) in zip(*pairs.tolist(), strict=True)


def test_a_confusion_is_counted_once(trained, sample):
    report = pn.evaluate(trained, sample.test, verbose=0)
    assert report.confusion is report.confusion
    values = Report(Task("values", 1), np.zeros((3, 1)), np.ones((3, 1)), np.ones(3), "data", "")
    assert values.confusion is None


@pytest.mark.parametrize(
    "image",
    ["cat.png", np.zeros((1, 3), np.float32), np.full((1, 2), np.nan), [["a", "b"]], np.zeros((1, 2), np.uint8)],
)
def test_predict_and_classify_each_open_their_own_messages(rings, image):
    model = pn.Sequential(pn.Dense(3))
    pn.fit(model, rings, epochs=1, verbose=0)
    for who in (pn.predict, pn.classify):
        with pytest.raises((TypeError, ValueError), match=f"^{who.__name__}: "):
            who(model, image)


@pytest.mark.parametrize("threshold", [0.0, 0.2, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("metrics", [(), ["accuracy"]])
def test_fit_counts_the_answers_of_a_binary_model_by_its_threshold_as_evaluate_does(threshold, metrics):
    generator = np.random.default_rng(0)
    x = generator.normal(size=(300, 3)).astype(np.float32)
    y = (x[:, 0] + generator.normal(size=300) > 0).astype(int)
    model = pn.Sequential(pn.Dense(1))
    pn.fit(model, (x, y), epochs=3, learning_rate=0.1, verbose=0)
    model.card.task = Task("binary", 1, threshold=threshold)
    held = (x[:150] + 1, y[:150])
    history = pn.fit(model, (x, y), epochs=1, validation=held, metrics=metrics, verbose=0)
    report = pn.evaluate(model, held, verbose=0)
    assert history["val_accuracy"][0] == report.accuracy
    assert history["val_accuracy"][0].low == report.accuracy.low


def test_wide_layers_are_evaluated_in_smaller_batches_with_the_same_result(monkeypatch):
    narrow, wide = pn.Sequential(pn.Flatten(), pn.Dense(2)), pn.apps.xray_cnn(64)
    x = np.random.default_rng(0).integers(0, 256, (70, 64, 64, 1)).astype(np.uint8)
    for model in (narrow, wide):
        pn.fit(model, (x, np.arange(70) % 2), epochs=1, validation=None, verbose=0)
    assert running.rows_at_once(narrow) == running.BATCH
    assert 16 < running.rows_at_once(wide) == (1 << 21) // (32 * 32 * 16)
    whole = pn.predict(wide, x)
    monkeypatch.setattr(running, "_WIDEST", 32 * 32 * 16 * 16)
    assert running.rows_at_once(wide) == 16
    assert np.array_equal(pn.predict(wide, x), whole)
    assert pn.evaluate(wide, (x, np.arange(70) % 2), verbose=0).n == 70
