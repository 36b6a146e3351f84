"""Models of several labels, each yes or no: from rows of 0 and 1 to reports, thresholds, files and the command line."""

import csv
import io

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

import pyneural as pn
from pyneural.card.inference import infer
from pyneural.card.task import Task
from pyneural.evaluation.labels_report import report_of
from pyneural.metrics.label_scores import LabelScores, baseline

NAMES = ("fog", "rain", "hail")


def made(n: int = 300, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(n, 5)).astype(np.float32)
    weights = np.random.default_rng(7).normal(size=(5, 3))
    return x, (x @ weights + generator.normal(size=(n, 3)) > [0.0, 1.0, 2.0]).astype(np.int64)


def trained(y: np.ndarray | None = None, **options) -> tuple[pn.Sequential, pn.Dataset]:
    x, labels = made()
    data = pn.Dataset(x, labels if y is None else y, classes=NAMES)
    model = pn.Sequential(pn.Dense(16, "relu"), pn.Dense(3))
    pn.fit(model, data, **{"epochs": 20, "learning_rate": 0.03, "verbose": 0} | options)
    return model, data


@pytest.fixture(scope="module")
def file_and_data(tmp_path_factory):
    """The file of a trained model, and its data."""
    model, data = trained()
    path = tmp_path_factory.mktemp("labels") / "labels.safetensors"
    pn.save(model, path)
    return path, data


@pytest.fixture
def model_and_data(file_and_data):
    """A function that returns a trained model and its data; pytest keeps a model that it is given too long."""
    path, data = file_and_data
    return lambda: (pn.load(path), data)


def noisy(n: int = 200, K: int = 4, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    y = (generator.random((n, K)) < np.linspace(0.1, 0.7, K)).astype(np.int64)
    return y, (1 / (1 + np.exp(-generator.normal(2 * y - 1, 1.5)))).astype(np.float32)


def of_labels(y: np.ndarray, p: np.ndarray, classes: tuple[str, ...] = (), thresholds=(), **known):
    task = Task("labels", y.shape[1], classes, thresholds=thresholds)
    return report_of(task, p, y, np.ones(len(y)), "test", "", "", **known)


# ---- the task


@pytest.mark.parametrize("dtype", ["int64", "uint8", "bool", "float32", "float64"])
def test_rows_of_0_and_1_are_several_labels_unless_all_are_one_hot(dtype):
    y = np.array([[0, 0, 0], [1, 1, 0], [0, 0, 1]], dtype)
    assert infer(y, (3,), "auto", (), "fit").kind == "labels"
    one_hot = np.eye(3, dtype=dtype)
    assert infer(one_hot, (3,), "auto", (), "fit").kind == "classes"
    assert infer(one_hot, (3,), "binary_cross_entropy", (), "fit").kind == "labels"
    assert infer(y, (3,), "mse", (), "fit").kind == "values"
    assert infer(np.array([[0.0, 0.5, 1.0], [1, 1, 0]]), (3,), "auto", (), "fit").kind == "values"


@pytest.mark.parametrize(
    ("y", "outputs", "classes", "words"),
    [
        ([[0, 1, 1], [1, 0, 0]], 2, (), "rows of 0 and 1: 3 labels, each yes or no, and the model has 2 outputs: end"),
        ([[0, 1, 1], [1, 0, 0]], 1, (), "the model has 1 output: end it in pn.Dense(3)"),
        ([[0, 1, 1], [1, 0, 0]], 3, ("a", "b"), "y has 3 labels, and the data names 2 classes: give a name for each"),
        ([[0, 1, 1]] * 6, 3, (), "all 6 rows of y are equal: give examples with different labels"),
    ],
)
def test_labels_that_do_not_fit_the_model_get_an_error_that_says_how(y, outputs, classes, words):
    data = pn.Dataset(np.zeros((len(y), 2), np.float32), np.array(y), classes=classes)
    with pytest.raises(ValueError, match="fit: ") as error:
        pn.fit(pn.Sequential(pn.Dense(outputs)), data, epochs=1, verbose=0)
    assert words in str(error.value)


def test_what_a_trained_model_cannot_take_as_labels_is_refused(model_and_data):
    model, data = model_and_data()
    for y, words in (
        (data.y[:, :2], r"y is int64 \(300, 2\), and the model answers 3 labels: give rows of 0 and 1, \(n, 3\)"),
        (data.y * 2, r"y has 2 in row \d+, and each label is 0 or 1: correct it"),
        (data.y[:, 0], r"y is int64 \(300,\), and the model answers 3 labels"),
    ):
        with pytest.raises(ValueError, match=words):
            pn.evaluate(model, (data.x, y), verbose=0)
    with pytest.raises(ValueError, match=r"the data has the classes snow; the model's classes are fog, rain, hail"):
        pn.evaluate(model, pn.Dataset(data.x, data.y, classes=("fog", "rain", "snow")), verbose=0)


def test_the_first_line_says_what_the_labels_are_taken_for(capsys):
    trained(epochs=1, verbose=1)
    assert "3 labels, each yes or no · binary_cross_entropy" in capsys.readouterr().out


def test_a_label_that_never_applies_gets_a_warning():
    _, y = made()
    y[:, 1] = 0
    with pytest.warns(UserWarning, match=r"labels apply to none of the training examples, rain"):
        trained(y, epochs=1)


def test_labels_are_matched_by_name_and_columns_of_a_frame_are_names(model_and_data):
    model, data = model_and_data()
    report = pn.evaluate(model, data, verbose=0)
    frame = pd.DataFrame(data.y, columns=NAMES)[["hail", "fog", "rain"]]
    named = pn.Dataset(data.x, frame)
    assert named.classes == ("hail", "fog", "rain")
    again = pn.evaluate(model, named, verbose=0)
    assert np.array_equal(again.labels, report.labels)
    assert again.accuracy == report.accuracy > 0.8
    assert named.counts() == {name: int(data.y[:, NAMES.index(name)].sum()) for name in named.classes}


def test_a_split_keeps_the_shares_of_sets_of_labels():
    x, y = made(400)
    rest, held = pn.Dataset(x, y).split(0.25, verbose=0)
    for part in (rest, held):
        np.testing.assert_allclose(part.y.mean(axis=0), y.mean(axis=0), atol=0.02)


# ---- the loss: against PyTorch's formulas, which are those of scikit-learn's log_loss


def reference(z: np.ndarray, y: np.ndarray, weights: np.ndarray) -> float:
    """K Σ w loss / Σ w, the sum over rows of BCEWithLogitsLoss(weight=w) in float64."""
    loss = np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z)))
    return float((weights * loss).sum() / weights.sum() * z.shape[1])


@pytest.mark.parametrize("weight", [None, "balanced", {"fog": 3.0, "hail": 0.5}])
@pytest.mark.parametrize("sampled", [False, True])
def test_the_loss_is_the_weighted_binary_cross_entropy_over_all_answers(weight, sampled):
    x, y = made(64)
    model = pn.Sequential(pn.Dense(3), dtype="float64")
    w = np.linspace(0.5, 2, 64) if sampled else None
    history = pn.fit(
        model, pn.Dataset(x, y, classes=NAMES), epochs=1, batch_size=64, learning_rate=1e-12, validation=None,
        class_weight=weight, sample_weight=w, verbose=0, schedule="constant", preprocess=None,
    )  # fmt: skip
    answers = np.ones((64, 3))
    if weight == "balanced":
        answers = np.where(y == 1, 64 / (2 * y.sum(axis=0)), 64 / (2 * (64 - y.sum(axis=0))))
    elif weight is not None:
        answers = np.where(y == 1, [3.0, 1.0, 0.5], 1.0)
    answers = answers * (1 if w is None else w[:, None])
    z = model(x).numpy()
    assert history["loss"][0] == pytest.approx(reference(z, y, answers), rel=1e-6)  # a step of 1e-12 lies between


def test_the_loss_of_a_report_is_the_sum_of_scikit_learns_log_losses(model_and_data):
    model, data = model_and_data()
    report = pn.evaluate(model, data, verbose=0)
    losses = [sk.log_loss(data.y[:, k], report.outputs[:, k].astype(np.float64)) for k in range(3)]
    assert report.loss == pytest.approx(sum(losses), rel=1e-5)  # probabilities are float32
    for one, loss in zip(report.by_label.values(), losses, strict=True):
        assert one.loss == pytest.approx(loss, rel=1e-6)


def test_a_balanced_weight_finds_rare_labels_more_often():
    plain, data = trained()
    weighted, _ = trained(class_weight="balanced")
    hail = [pn.evaluate(model, data, verbose=0).recall["hail"] for model in (plain, weighted)]
    assert hail[1] > hail[0] + 0.05


def test_label_smoothing_is_of_the_answers_yes_and_no():
    x, y = made(64)
    model = pn.Sequential(pn.Dense(3), dtype="float64")
    options = {
        "epochs": 1,
        "batch_size": 64,
        "learning_rate": 1e-12,
        "validation": None,
        "verbose": 0,
        "preprocess": None,
    }
    history = pn.fit(model, (x, y), label_smoothing=0.2, schedule="constant", **options)
    assert history["loss"][0] == pytest.approx(reference(model(x).numpy(), 0.8 * y + 0.1, np.ones((64, 3))), rel=1e-6)


def test_what_makes_no_sense_for_labels_is_refused():
    x, y = made(60)
    model = pn.Sequential(pn.Dense(3))
    for options, words in (
        ({"balance": True}, "balance draws classes evenly, and an example may have several labels: omit it, or give"),
        ({"loss": "cross_entropy"}, "loss 'cross_entropy' is for classes, the labels are labels with 3 outputs: use"),
        ({"class_weight": {"snow": 2.0}}, "class_weight has snow: the classes are 0, 1, 2"),
        ({"metrics": "f1"}, "metric 'f1' is not known during training"),
    ):
        with pytest.raises(ValueError, match=words):
            pn.fit(model, (x, y), epochs=1, verbose=0, **options)


def test_binary_cross_entropy_of_rows_takes_0_and_1_only():
    x, y = made(60)
    for given, words in (
        (
            0.7 * y + 0.1,
            r"y is \(60, 3\) of float64, and binary_cross_entropy of 3 labels takes 0 and 1: .*label_smoothing",
        ),
        (2 * y - 1, r"y is \(60, 3\) of int64, and binary_cross_entropy of 3 labels takes 0 and 1"),
    ):
        with pytest.raises(ValueError, match=words):
            pn.fit(pn.Sequential(pn.Dense(3)), (x, given), loss="binary_cross_entropy", epochs=1, verbose=0)


def test_a_custom_loss_gets_the_logits_and_the_rows():
    def focal(outputs, targets):
        p = pn.ops.sigmoid(outputs)
        y = targets.astype(outputs.dtype)
        return -(y * (1 - p) * pn.ops.log(p + 1e-7) + (1 - y) * p * pn.ops.log(1 - p + 1e-7)).mean()

    model, data = trained(loss=focal, epochs=10)
    assert pn.evaluate(model, data, verbose=0).accuracy > 0.8


def test_heads_of_labels_and_of_classes_train_together():
    x, y = made()
    inputs = pn.Input((5,))
    hidden = pn.Dense(16, "relu")(inputs)
    model = pn.Model(inputs, {"weather": pn.Dense(3)(hidden), "day": pn.Dense(1)(hidden)})
    data = pn.Dataset(x, {"weather": y, "day": (x[:, 0] > 0).astype(int)}, classes={"weather": NAMES})
    pn.fit(model, data, epochs=10, learning_rate=0.03, class_weight="balanced", verbose=0)
    report = pn.evaluate(model, data, verbose=0)
    assert report["weather"].exact_match > 0.4
    assert report["day"].accuracy > 0.9
    assert pn.predict(model, x[:4])["weather"].shape == (4, 3)
    assert set(pn.classify(model, x[0])["weather"].labels) <= set(NAMES)
    thresholds = pn.choose_threshold(model, data, youden=True, head="weather", verbose=0)
    assert model.card.task["weather"].thresholds == tuple(thresholds.values())


# ---- predictions


def test_predict_and_classify_give_the_probability_of_each_label(model_and_data):
    model, data = model_and_data()
    p = pn.predict(model, data)
    rule = model.card.preprocessing
    z = model((data.x - np.float32(rule.mean)) / np.float32(rule.deviation)).numpy()
    np.testing.assert_allclose(p, 1 / (1 + np.exp(-z)), atol=1e-5)
    assert np.abs(p.sum(axis=1) - 1).max() > 0.2
    row = int(np.argmax(data.y.sum(axis=1)))
    found = pn.classify(model, data.x[row])
    assert found.labels == tuple(np.array(NAMES)[p[row] >= 0.5])
    assert found.confidences == tuple(p[row][p[row] >= 0.5].tolist())
    assert str(found) == ", ".join(f"{name} ({100 * p[row][NAMES.index(name)]:.1f} %)" for name in found.labels)
    none = int(np.argmin(p.max(axis=1)))
    assert (pn.classify(model, data.x[none]).labels, str(pn.classify(model, data.x[none]))) == ((), "none of 3 labels")


def test_thresholds_are_by_label_and_are_obeyed_everywhere(model_and_data, tmp_path, capsys):
    model, data = model_and_data()
    found = pn.choose_threshold(model, data, min_sensitivity=0.95)
    assert "rain: threshold" in capsys.readouterr().out
    assert list(found) == list(NAMES)
    report = pn.evaluate(model, data, verbose=0)
    assert min(report.recall) >= 0.95
    assert np.array_equal(report.predictions, report.outputs >= np.float32(list(found.values())))
    pn.save(model, tmp_path / "model.safetensors")
    again = pn.load(tmp_path / "model.safetensors")
    assert again.card.task == model.card.task
    assert again.card.task.thresholds == tuple(found.values())
    predicted = [again.classes[k] for k in np.flatnonzero(report.predictions[3])]
    assert list(pn.classify(again, data.x[3]).labels) == predicted
    history = pn.fit(model, data, epochs=1, learning_rate=1e-12, validation=data, verbose=0)
    assert history["val_accuracy"][-1] == pytest.approx(report.accuracy, abs=1e-6)


def test_a_threshold_needs_examples_with_and_without_each_label(model_and_data):
    model, data = model_and_data()
    y = data.y.copy()
    y[:, 1] = 0
    with pytest.raises(ValueError, match=r"choose_threshold: rain: all 300 labels are not rain: give data with both"):
        pn.choose_threshold(model, (data.x, y), youden=True)


def test_a_temperature_changes_no_answer(model_and_data):
    model, data = model_and_data()
    pn.choose_threshold(model, data, min_specificity=0.9, verbose=0)
    before = pn.evaluate(model, data, verbose=0)
    temperature = pn.calibrate(model, data, verbose=0)
    after = pn.evaluate(model, data, verbose=0)
    assert model.card.task.temperature == temperature
    assert np.array_equal(before.predictions, after.predictions)
    assert after.loss <= before.loss
    z = np.log(before.outputs / (1 - before.outputs)).astype(float)
    losses = [reference(z / t, data.y, np.ones_like(z)) for t in (0.98 * temperature, temperature, 1.02 * temperature)]
    assert losses[1] == min(losses)


# ---- reports


@pytest.mark.parametrize("thresholds", [(), (0.3, 0.5, 0.4, 0.6)])
def test_scores_are_those_of_scikit_learn(thresholds):
    y, p = noisy()
    report = of_labels(y, p, thresholds=thresholds)
    predicted = (p >= np.float32(thresholds or 0.5)).astype(int)
    assert np.array_equal(report.predictions, predicted)
    expected = {
        "accuracy": 1 - sk.hamming_loss(y, predicted),
        "exact_match": sk.accuracy_score(y, predicted),
        "f1_macro": sk.f1_score(y, predicted, average="macro"),
        "f1_micro": sk.f1_score(y, predicted, average="micro"),
        "roc_auc": sk.roc_auc_score(y, p, average="macro"),
        "average_precision": sk.average_precision_score(y, p, average="macro"),
    }
    for name, value in expected.items():
        found = report.estimates[name]
        assert found == pytest.approx(value, abs=1e-9), name
        assert found.low < found < found.high, name
    for found, value in (
        (report.precision, sk.precision_score(y, predicted, average=None)),
        (report.recall, sk.recall_score(y, predicted, average=None)),
        (report.f1, sk.f1_score(y, predicted, average=None)),
        ([one.roc_auc for one in report.by_label.values()], sk.roc_auc_score(y, p, average=None)),
        ([one.average_precision for one in report.by_label.values()], sk.average_precision_score(y, p, average=None)),
    ):
        np.testing.assert_allclose(np.array(found, float), value, atol=1e-9)
    assert np.array_equal(report.confusion, sk.multilabel_confusion_matrix(y, predicted))
    assert np.array_equal(report.support, y.sum(axis=0))
    assert all(one.accuracy.low < one.accuracy for one in report.by_label.values())


def test_scores_of_the_baseline_are_those_of_its_answers():
    y, _ = noisy()
    answers = np.tile((y.mean(axis=0) > 0.5).astype(np.float32), (len(y), 1))
    report = of_labels(y, answers)
    for name, value in report.baseline.items():
        assert report.estimates[name] == pytest.approx(value, nan_ok=True), name


def test_intervals_hold_95_percent_of_samples():
    """The means of many samples of dependent labels; 200 samples have ±3 % (two deviations)."""
    truth, found = [], {name: [] for name in baseline(np.eye(2, dtype=np.int64)) if name != "calibration_error"}
    for seed in range(200):
        generator = np.random.default_rng(seed)
        common = generator.normal(size=(150, 1))
        score = common + generator.normal(size=(150, 3))
        y = (score + generator.normal(size=(150, 3)) > 0).astype(np.int64)
        scores = LabelScores(y, 1 / (1 + np.exp(-score)), (score > 0).astype(np.int64), None)
        truth.append([float(getattr(scores, name)) for name in found])
        for name, kept in found.items():
            kept.append(getattr(scores, name))
    for number, (name, kept) in enumerate(found.items()):
        middle = np.mean([row[number] for row in truth])
        inside = np.mean([one.low <= middle <= one.high for one in kept])
        assert inside >= 0.91, f"{name}: {inside}"


def test_groups_make_intervals_wider():
    y, p = noisy(100)
    alone = of_labels(np.repeat(y, 5, axis=0), np.repeat(p, 5, axis=0))
    grouped = of_labels(np.repeat(y, 5, axis=0), np.repeat(p, 5, axis=0), groups=np.repeat(np.arange(100), 5))
    for name in ("accuracy", "exact_match", "f1_macro", "f1_micro", "roc_auc"):
        one, other = alone.estimates[name], grouped.estimates[name]
        assert one == pytest.approx(other)
        assert other.high - other.low > 1.5 * (one.high - one.low), name


def test_a_report_is_printed_sampled_and_written(capsys):
    y, p = noisy(50)
    report = of_labels(y, p, ("fog", "rain", "hail", "sun"))
    assert repr(report).startswith(f"accuracy {report.accuracy} per label · baseline ")
    assert f"exact match {report.exact_match}" in repr(report)
    for words in ("4 labels, each yes or no", "F1, mean of labels", "exact match", "average precision", "threshold"):
        assert words in str(report)
        assert words in report._repr_html_()
    report.samples(2)
    assert "#1 actual" in capsys.readouterr().out
    rows = list(csv.reader(io.StringIO(report.to_csv())))
    assert rows[0][:4] == ["row", "actual fog", "predicted fog", "probability of fog"]
    assert len(rows) == 51
    assert rows[1][1:4] == [str(y[0, 0]), str(report.predictions[0, 0]), f"{p[0, 0]:.9g}"]
    wrong = (report.predictions != y).sum(axis=1)
    assert wrong[report.mistakes].tolist() == sorted(wrong[wrong > 0].tolist(), reverse=True)
    assert report.by_label["rain"].task.threshold == 0.5
    assert "positive: rain" in str(report.by_label["rain"])


def test_labels_that_do_not_occur_are_left_out_of_means_and_named():
    y, p = noisy(40)
    y[:, 0] = 0
    y[:, 3] = 1
    report = of_labels(y, p, ("fog", "rain", "hail", "sun"))
    assert report.roc_auc == pytest.approx(sk.roc_auc_score(y[:, 1:3], p[:, 1:3], average="macro"))
    assert report.average_precision == pytest.approx(sk.average_precision_score(y[:, 1:], p[:, 1:], average="macro"))
    assert "leave out labels that apply to no example: fog." in " ".join(str(report).split())
    perfect = of_labels(y, y.astype(np.float32))
    assert perfect.accuracy == perfect.exact_match == perfect.f1_micro == perfect.f1_macro == 1
    assert perfect.accuracy.low < 1
    assert perfect.f1_macro.low < 1
    assert baseline(y)["accuracy"] == report.baseline["accuracy"]


def test_two_models_are_compared_by_their_answers(model_and_data):
    model, data = model_and_data()
    before = pn.evaluate(model, data, verbose=0)
    worse = pn.Sequential(pn.Dense(3))
    pn.fit(worse, data, epochs=1, verbose=0)
    found = pn.compare(pn.evaluate(worse, data, verbose=0), before)
    assert found.difference == pytest.approx(found.b - found.a)
    assert found.difference.low > 0
    assert found.p_value is not None
    assert found.p_value < 1e-3
    wrong = [one.predictions == one.labels for one in (pn.evaluate(worse, data, verbose=0), before)]
    assert (found.only_a, found.only_b) == (int((wrong[0] & ~wrong[1]).sum()), int((wrong[1] & ~wrong[0]).sum()))


def test_an_ensemble_averages_the_probabilities(model_and_data, tmp_path):
    model, data = model_and_data()
    other, _ = trained(seed=1)
    ensemble = pn.Ensemble([model, other])
    np.testing.assert_allclose(
        pn.predict(ensemble, data), (pn.predict(model, data) + pn.predict(other, data)) / 2, atol=1e-6
    )
    pn.choose_threshold(ensemble, data, youden=True, verbose=0)
    report = pn.evaluate(ensemble, data, verbose=0)
    pn.save(ensemble, tmp_path / "two.safetensors")
    assert np.array_equal(
        pn.evaluate(pn.load(tmp_path / "two.safetensors"), data, verbose=0).predictions, report.predictions
    )


def test_files_of_other_tasks_have_no_field_for_thresholds(tmp_path):
    record = Task("binary", 1, ("no", "yes"), 0.3).as_json()
    assert "thresholds" not in record
    assert Task.from_json(record) == Task("binary", 1, ("no", "yes"), 0.3)
    labels = Task("labels", 2, ("a", "b"), thresholds=(0.2, 0.7))
    assert Task.from_json(labels.as_json()) == labels
    for wrong in ({"thresholds": [0.5]}, {"thresholds": [0.5, 1.5]}, {"kind": "classes"}):
        with pytest.raises(ValueError, match="is invalid"):
            Task.from_json(labels.as_json() | wrong)


def test_the_command_info_names_labels_and_thresholds(model_and_data, tmp_path, capsys):
    from pyneural.commands.command_line import main

    model, data = model_and_data()
    pn.choose_threshold(model, data, youden=True, verbose=0)
    pn.save(model, tmp_path / "model.safetensors")
    assert main(["info", str(tmp_path / "model.safetensors")]) == 0
    out = capsys.readouterr().out
    assert "3 labels, each yes or no" in out
    assert f"fog {model.card.task.thresholds[0]:.4g}, rain" in out
