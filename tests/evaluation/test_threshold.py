"""Thresholds and temperatures: chosen on validation data, kept in the model, obeyed by whatever answers with it."""

import copy
import re
from dataclasses import replace

import numpy as np
import pytest
from scipy import optimize
from sklearn import metrics as sk

import pyneural as pn
from pyneural.card.task import Task, rescaled
from pyneural.evaluation.report import Report


def noisy(n: int, seed: int) -> pn.Dataset:
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(n, 3)).astype(np.float32)
    y = (x[:, 0] + 0.5 * x[:, 1] + generator.normal(size=n) > 0.8).astype(int)
    return pn.Dataset(x, y, classes=("no", "yes"), name="noisy")


@pytest.fixture(scope="module", params=[1, 2], ids=["one output", "two outputs"])
def trained(request):
    model = pn.Sequential(pn.Dense(24, "tanh"), pn.Dense(request.param))
    pn.fit(model, noisy(200, 0), epochs=60, batch_size=64, learning_rate=0.05, validation=None, verbose=0)
    return model


HELD, TEST = noisy(400, 1), noisy(300, 2)


def rates(model: pn.Model, data: pn.Dataset) -> tuple[float, float]:
    report = pn.evaluate(model, data, verbose=0)
    return float(report.sensitivity), float(report.specificity)


def by_hand(model: pn.Model, data: pn.Dataset) -> np.ndarray:
    """(threshold, sensitivity, specificity) of every threshold that gives both answers."""
    p = pn.predict(model, data)[:, -1]
    found = []
    for threshold in np.unique(p)[1:]:
        predicted = p >= threshold
        found.append((threshold, predicted[data.y == 1].mean(), (~predicted)[data.y == 0].mean()))
    return np.array(found)


@pytest.mark.parametrize("least", [0.5, 0.9, 0.97])
def test_the_threshold_has_the_share_that_is_asked_for_and_the_best_other_one(trained, least):
    model = copy.deepcopy(trained)
    _, sensitivity, specificity = by_hand(model, HELD).T
    pn.choose_threshold(model, HELD, min_sensitivity=least, verbose=0)
    assert rates(model, HELD)[0] >= least
    assert rates(model, HELD)[1] == pytest.approx(specificity[sensitivity >= least].max())
    pn.choose_threshold(model, HELD, min_specificity=least, verbose=0)
    assert rates(model, HELD)[1] >= least
    assert rates(model, HELD)[0] == pytest.approx(sensitivity[specificity >= least].max())
    pn.choose_threshold(model, HELD, youden=True, verbose=0)
    assert sum(rates(model, HELD)) == pytest.approx((sensitivity + specificity).max())


def test_the_threshold_is_between_two_probabilities_and_obeyed_by_whatever_answers(trained, tmp_path, capsys):
    model = copy.deepcopy(trained)
    threshold = pn.choose_threshold(model, HELD, min_specificity=0.95)
    line = capsys.readouterr().out
    assert line.startswith(f"threshold {threshold:.4g} · sensitivity ")
    assert line.endswith("n = 400, on which it was chosen\n")
    p = pn.predict(model, HELD)[:, -1]
    assert threshold not in p
    loaded = pn.load(pn.save(model, tmp_path / "m.safetensors"))
    for one in (model, loaded, copy.deepcopy(model)):
        assert one.card.task.threshold == threshold
        report = pn.evaluate(one, TEST, verbose=0)
        p = pn.predict(one, TEST)[:, -1]
        assert np.array_equal(report.predictions, p >= threshold)
        for row in range(20):
            answer = pn.classify(one, TEST.x[row])
            assert answer.label == ("yes" if p[row] >= threshold else "no")
            assert answer.confidence == pytest.approx(p[row] if p[row] >= threshold else 1 - p[row], abs=1e-6)


def test_fit_keeps_a_threshold_counts_by_it_and_says_so(trained, capsys):
    model = copy.deepcopy(trained)
    pn.choose_threshold(model, HELD, min_sensitivity=0.95, verbose=0)
    before = model.card.task.threshold
    history = pn.fit(model, noisy(200, 0), epochs=1, validation=HELD)
    assert "the threshold was chosen for the earlier weights: afterwards call pn.choose_threshold again" in " ".join(
        capsys.readouterr().out.split()
    )
    assert model.card.task.threshold == before
    assert history["val_accuracy"][0] == pn.evaluate(model, HELD, verbose=0).accuracy


def test_the_temperature_has_the_lowest_loss_and_changes_no_answer(trained, capsys, tmp_path):
    model = copy.deepcopy(trained)
    pn.choose_threshold(model, HELD, min_sensitivity=0.9, verbose=0)
    plain = pn.evaluate(model, HELD, verbose=0)
    test = pn.evaluate(model, TEST, verbose=0)
    temperature = pn.calibrate(model, HELD)
    assert re.match(r"temperature [\d.]+ · loss [\d.]+ -> [\d.]+ · calibration error ", capsys.readouterr().out)
    after = pn.evaluate(model, HELD, verbose=0)
    p = plain.outputs[:, -1].astype(float)
    logits = np.log(p / (1 - p))

    def loss(T):
        return sk.log_loss(HELD.y, 1 / (1 + np.exp(-logits / T)))

    best = optimize.minimize_scalar(loss, bounds=(0.2, 10), method="bounded", options={"xatol": 1e-6})
    assert temperature == pytest.approx(best.x, rel=1e-3)  # p is float32
    assert temperature > 1  # it was trained for long on little
    assert after.loss == pytest.approx(best.fun, rel=1e-4)
    assert after.loss < plain.loss
    assert after.calibration_error < plain.calibration_error
    np.testing.assert_allclose(after.outputs[:, -1], 1 / (1 + np.exp(-logits / temperature)), atol=1e-5)
    assert np.array_equal(after.predictions, plain.predictions)
    assert np.array_equal(pn.evaluate(model, TEST, verbose=0).predictions, test.predictions)
    assert pn.calibrate(model, HELD, verbose=0) == pytest.approx(temperature, rel=1e-6)
    loaded = pn.load(pn.save(model, tmp_path / "m.safetensors"))
    assert loaded.card.task == model.card.task
    assert np.array_equal(pn.predict(loaded, TEST), pn.predict(model, TEST))
    assert pn.classify(loaded, TEST.x[0]).confidence == pn.classify(model, TEST.x[0]).confidence


def test_fit_starts_again_at_temperature_1_and_keeps_the_answers(trained, capsys):
    model = copy.deepcopy(trained)
    pn.choose_threshold(model, HELD, min_sensitivity=0.9, verbose=0)
    predicted = pn.evaluate(model, HELD, verbose=0).predictions
    pn.calibrate(model, HELD, verbose=0)
    pn.fit(model, noisy(200, 0), epochs=1, learning_rate=1e-9, optimizer="sgd", validation=HELD)
    words = " ".join(capsys.readouterr().out.split())
    assert "the temperature and the threshold were chosen for the earlier weights" in words
    assert model.card.task.temperature == 1
    assert np.array_equal(pn.evaluate(model, HELD, verbose=0).predictions, predicted)


def test_heads_have_thresholds_and_temperatures_of_their_own():
    x, y = HELD.x, HELD.y
    at = pn.Input((3,))
    h = pn.Dense(8, "tanh")(at)
    model = pn.Model(at, {"one": pn.Dense(1)(h), "three": pn.Dense(3)(h), "value": pn.Dense(1)(h)})
    labels = {"one": y, "three": y + (x[:, 0] > 1), "value": x[:, :1] + 0.5}
    pn.fit(model, (x, labels), epochs=5, learning_rate=0.05, verbose=0)
    before = pn.predict(model, x)
    found = pn.calibrate(model, (x, labels), verbose=0)
    assert set(found) == {"one", "three"}
    after = pn.predict(model, x)
    assert np.array_equal(before["value"], after["value"])
    np.testing.assert_allclose(
        np.log(after["three"][:, 1] / after["three"][:, 0]),
        np.log(before["three"][:, 1] / before["three"][:, 0]) / found["three"],
        atol=1e-4,
    )
    threshold = pn.choose_threshold(model, (x, labels), min_sensitivity=0.9, head="one", verbose=0)
    assert model.card.task["one"].threshold == threshold
    assert pn.evaluate(model, (x, labels), verbose=0)["one"].sensitivity >= 0.9
    for head, words in (
        (None, "the model has the heads one, three, value: give one, such as head='one'"),
        ("three", "3 classes"),
        ("value", "values"),
        ("two", "head 'two' is not known: one, three, value"),
    ):
        with pytest.raises(ValueError, match=words):
            pn.choose_threshold(model, (x, labels), youden=True, head=head)


def of_probabilities(p: list[float]) -> tuple[pn.Model, np.ndarray]:
    """A model whose probabilities of 1 are p."""
    x = np.log(np.array(p) / (1 - np.array(p))).astype(np.float32).reshape(-1, 1)
    model = pn.Sequential(pn.Dense(1))
    model.build((1,))
    model["dense_1"].weight = np.ones((1, 1), np.float32)
    pn.evaluate(model, (x, np.arange(len(p)) % 2), verbose=0)
    return model, x


def test_ties_are_kept_together():
    model, x = of_probabilities([0.2, 0.2, 0.2, 0.6, 0.6, 0.8])
    y = np.array([0, 1, 0, 0, 1, 1])
    assert pn.choose_threshold(model, (x, y), min_specificity=0.6, verbose=0) == pytest.approx(0.4)
    assert pn.choose_threshold(model, (x, y), min_specificity=0.9, verbose=0) == pytest.approx(0.7)
    assert pn.choose_threshold(model, (x, y), youden=True, verbose=0) == pytest.approx(0.4)  # 1/3 in both cases
    near = np.float32(0.5)
    model, x = of_probabilities([float(near), float(np.nextafter(near, np.float32(1))), 0.9, 0.1])
    threshold = pn.choose_threshold(model, (x[[0, 2, 3]], np.array([0, 1, 0])), min_specificity=1.0, verbose=0)
    assert 0.5 < threshold <= 0.9


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda m: pn.choose_threshold(m, HELD), ValueError, "give one of min_sensitivity=0.95"),
        (
            lambda m: pn.choose_threshold(m, HELD, youden=True, min_sensitivity=0.9),
            ValueError,
            "got min_sensitivity and",
        ),
        (lambda m: pn.choose_threshold(m, HELD, min_sensitivity=95), ValueError, "min_sensitivity is 95: give a share"),
        (lambda m: pn.choose_threshold(m, HELD, min_specificity="a"), ValueError, "min_specificity is 'a'"),
        (lambda m: pn.choose_threshold(m, HELD, sensitivity=0.9), TypeError, "min_sensitivity"),
        (lambda m: pn.choose_threshold(m, HELD, 0.9), TypeError, "give the rule by name"),
        (
            lambda m: pn.choose_threshold(m, HELD.take(HELD.y == 1), youden=True),
            ValueError,
            r"all 1\d\d labels are yes: give data with both classes",
        ),
        (lambda m: pn.choose_threshold(m, "folder", youden=True), TypeError, "validation is the path 'folder'"),
        (lambda m: pn.choose_threshold(m, pn.Splits(HELD), youden=True), TypeError, "choose_threshold: give one part"),
        (
            lambda m: pn.choose_threshold(m, HELD, youden=True, head="a"),
            ValueError,
            "the model has one output: leave it out",
        ),
        (lambda m: pn.choose_threshold(m, (HELD.x[:, :2], HELD.y), youden=True), ValueError, "^choose_threshold: "),
        (lambda m: pn.calibrate(m, (HELD.x[:, :2], HELD.y)), ValueError, "^calibrate: "),
        (lambda m: pn.choose_threshold(pn.Sequential(pn.Dense(1)), HELD, youden=True), RuntimeError, "not trained yet"),
        (lambda m: pn.calibrate(pn.Sequential(pn.Dense(1)), HELD), RuntimeError, "not trained yet"),
    ],
)
def test_what_cannot_be_chosen_is_said(trained, call, error, words):
    with pytest.raises(error, match=words):
        call(trained)


def test_rules_that_no_threshold_meets_are_said():
    model, x = of_probabilities([0.2, 0.4, 0.6, 0.8])
    with pytest.raises(ValueError, match=r"no threshold has a sensitivity of at least 0.9 unless all answers are 1"):
        pn.choose_threshold(model, (x, np.array([1, 0, 0, 0])), min_sensitivity=0.9)
    with pytest.raises(ValueError, match=r"highest specificity of any other is 0.6667 on these 4 examples"):
        pn.choose_threshold(model, (x, np.array([0, 0, 1, 0])), min_specificity=0.9)
    model, x = of_probabilities([0.5, 0.5, 0.5])
    with pytest.raises(ValueError, match=r"all 3 scores are 0.5"):
        pn.choose_threshold(model, (x, np.array([0, 1, 0])), youden=True)
    with pytest.raises(ValueError, match="no better than equal ones"):
        pn.calibrate(*reversed_labels())
    model, x = of_probabilities([0.1, 0.9])
    with pytest.raises(ValueError, match="all 2 answers are right, so the temperature is not determined"):
        pn.calibrate(model, (x, np.array([0, 1])))


def reversed_labels():
    model, x = of_probabilities([0.1, 0.9])
    return model, (x, np.array([1, 0]))


def test_models_for_values_have_neither():
    x = HELD.x
    model = pn.Sequential(pn.Dense(1))
    pn.fit(model, (x, x[:, 0]), epochs=1, verbose=0)
    with pytest.raises(ValueError, match="the model has values: a threshold is between two classes"):
        pn.choose_threshold(model, (x, x[:, 0]), youden=True)
    with pytest.raises(ValueError, match="has no outputs that are probabilities"):
        pn.calibrate(model, (x, x[:, 0]))
    squared = pn.Sequential(pn.Dense(2))
    pn.fit(squared, HELD, epochs=1, loss="mse", verbose=0)
    with pytest.raises(ValueError, match="trained with mse, so its outputs are not probabilities"):
        pn.choose_threshold(squared, HELD, youden=True)


@pytest.mark.parametrize("loss", ["auto", "mse", "huber"])
def test_fit_counts_the_accuracy_of_a_threshold_as_evaluate_does(loss):
    model = pn.Sequential(pn.Dense(8, "tanh"), pn.Dense(2))
    pn.fit(model, noisy(200, 0), epochs=10, validation=None, verbose=0)
    pn.choose_threshold(model, HELD, min_sensitivity=0.97, verbose=0)
    history = pn.fit(model, noisy(200, 3), epochs=1, validation=HELD, loss=loss, verbose=0)
    assert history["val_accuracy"][-1] == pn.evaluate(model, HELD, verbose=0).accuracy


def test_a_card_keeps_both_and_older_files_have_no_temperature():
    task = Task("binary", 1, ("no", "yes"), 0.3, 1.7)
    record = task.as_json()
    assert Task.from_json(record) == task
    del record["temperature"]
    assert Task.from_json(record) == replace(task, temperature=1.0)
    for wrong in ({"temperature": 0.0}, {"temperature": float("nan")}, {"threshold": 1.5}, {"threshold": float("nan")}):
        with pytest.raises(ValueError, match="is invalid"):
            Task.from_json(task.as_json() | wrong)
    assert rescaled(rescaled(0.2, 3.0), 1 / 3) == pytest.approx(0.2)
    assert Task("classes", 3, threshold=0.1).decide(np.array([[0.2, 0.5, 0.3]])).tolist() == [1]
    assert Report(task, np.array([[0.31]]), np.array([1]), np.ones(1), "", "").accuracy == 1
