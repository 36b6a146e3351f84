"""Reports of imbalanced classes, of ratings, and of several values."""

import csv
import io

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk
from sklearn.utils.class_weight import compute_sample_weight

import pyneural as pn
from pyneural.card.task import Task
from pyneural.evaluation.report import Report


def of_classes(y: np.ndarray, p: np.ndarray, classes: tuple[str, ...] = ()) -> Report:
    kind, K = ("binary", 1) if p.ndim == 1 else ("classes", p.shape[1])
    task = Task(kind, K, classes)
    return Report(task, p.reshape(len(p), -1).astype(np.float32), y, np.ones(len(y)), "test", "")


def two(positives: int, n: int = 200) -> Report:
    generator = np.random.default_rng(0)
    y = (np.arange(n) < positives).astype(np.int64)
    return of_classes(y, 1 / (1 + np.exp(-generator.normal(2 * y - 1, 1.5))))


# ---- imbalanced classes


def test_the_line_of_two_imbalanced_classes_has_balanced_accuracy_and_average_precision():
    report = two(39)
    p = report.outputs[:, 0]
    balanced = sk.balanced_accuracy_score(report.labels, p >= 0.5)
    precision = sk.average_precision_score(report.labels, p)
    assert report.balanced_accuracy == pytest.approx(balanced, abs=1e-9)
    assert f"· balanced accuracy {100 * balanced:.2f} % [" in repr(report)
    assert f"· average precision {precision:.4g} ·" in repr(report)
    assert "The classes are imbalanced, 161 to 39 examples: balanced accuracy and average" in str(report)
    for even in (two(40), two(160)):
        assert "balanced accuracy" not in repr(even)
        assert "imbalanced" not in str(even)
    assert "balanced accuracy" in repr(two(161))


def test_the_line_of_many_imbalanced_classes_has_balanced_accuracy():
    y = np.repeat([0, 1, 2], [50, 20, 12])
    p = np.random.default_rng(0).dirichlet(np.ones(3), 82)
    report = of_classes(y, p)
    expected = sk.balanced_accuracy_score(y, p.astype(np.float32).argmax(axis=1))
    assert f"balanced accuracy {100 * expected:.2f} %" in repr(report)
    assert "average precision" not in repr(report)
    assert "balanced accuracy" not in repr(of_classes(y[2:], p[2:]))  # 48 to 12


@pytest.mark.parametrize("outputs", [1, 2, 3])
def test_balanced_weights_of_a_table_are_scikit_learns(outputs):
    generator = np.random.default_rng(outputs)
    shares = [0.9, 0.1] if outputs < 3 else [0.8, 0.15, 0.05]
    y = generator.choice(len(shares), 300, p=shares)
    x = generator.normal(y[:, None], 1.0, (300, 3)).astype(np.float32)
    weighted, given = (pn.Sequential(pn.Dense(outputs)) for _ in range(2))
    options = {"epochs": 15, "learning_rate": 0.05, "validation": None, "verbose": 0}
    pn.fit(weighted, (x, y), class_weight="balanced", **options)
    pn.fit(given, (x, y), sample_weight=compute_sample_weight("balanced", y), **options)
    np.testing.assert_allclose(weighted["dense_1"].weight, given["dense_1"].weight, atol=1e-4)  # 75 steps of float32
    plain = pn.Sequential(pn.Dense(outputs))
    pn.fit(plain, (x, y), **options)
    recalls = [pn.evaluate(model, (x, y), verbose=0).balanced_accuracy for model in (plain, weighted)]
    assert recalls[1] > recalls[0]


# ---- ratings


def test_whole_numbers_as_class_names_have_a_mean_absolute_error():
    y = np.random.default_rng(0).integers(0, 6, 150)
    p = np.random.default_rng(1).dirichlet(np.ones(6), 150) + 0.5 * np.eye(6)[y]
    report = of_classes(y, p, tuple("345678"))
    predicted = report.predictions
    assert report.mae == pytest.approx(sk.mean_absolute_error(y, predicted), abs=1e-9)
    assert report.mae.low < report.mae < report.mae.high
    assert "MAE of class numbers" in str(report)
    assert report.baseline["mae"] == pytest.approx(np.abs(y - np.bincount(y).argmax()).mean())
    tens = of_classes(y, p, ("10", "20", "30", "40", "50", "60"))
    assert tens.mae == pytest.approx(10 * report.mae)
    for names in ((), tuple("012345"), tuple("abcdef")):
        assert of_classes(y, p, names).mae is None
        assert "mae" not in of_classes(y, p, names).estimates
    assert of_classes(y[:0:-1] % 2, p[:0:-1, 0], ("3", "7")).mae is None
    right = of_classes(y, np.eye(6)[y], tuple("345678"))
    assert right.mae == right.mae.low == 0


def test_whole_numbers_of_a_table_stay_classes_with_these_names():
    x = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32)
    y = np.clip(np.round(5.5 + 1.2 * x[:, 0]), 3, 8).astype(np.int64)
    model = pn.Sequential(pn.Dense(16, "relu"), pn.Dense(6))
    pn.fit(model, (x, y), epochs=3, verbose=0)
    assert model.card.task.classes == tuple("345678")
    report = pn.evaluate(model, (x, y), verbose=0)
    assert report.mae == pytest.approx(np.abs(report.predictions + 3 - y).mean())


# ---- several values


def targets() -> tuple[np.ndarray, pd.DataFrame]:
    generator = np.random.default_rng(0)
    x = generator.normal(size=(200, 4)).astype(np.float32)
    noise = 0.1 * generator.normal(size=(200, 2))
    return x, pd.DataFrame({"price": x[:, 0] + x[:, 1] + noise[:, 0], "area": 2 * x[:, 2] + noise[:, 1]})


@pytest.mark.parametrize("loss", ["auto", "mae", "huber"])
def test_each_of_several_values_has_its_name_and_its_scores(loss, tmp_path):
    x, y = targets()
    data = pn.Dataset(x, y)
    assert data.classes == ("price", "area")
    model = pn.Sequential(pn.Dense(16, "relu"), pn.Dense(2))
    pn.fit(model, data, loss=loss, epochs=10, learning_rate=0.03, verbose=0)
    pn.save(model, tmp_path / "two.safetensors")
    report = pn.evaluate(pn.load(tmp_path / "two.safetensors"), data, verbose=0)
    assert list(report.by_target) == ["price", "area"]
    predicted = pn.predict(model, x)
    r2 = sk.r2_score(y, predicted, multioutput="raw_values")
    mae = sk.mean_absolute_error(y, predicted, multioutput="raw_values")
    for number, one in enumerate(report.by_target.values()):
        assert one.r2 == pytest.approx(r2[number], abs=1e-5)  # labels are float32
        assert one.mae == pytest.approx(mae[number], abs=1e-5)
        assert one.loss == one.mse
    assert report.r2 == pytest.approx(r2.mean(), abs=1e-5)
    table = str(report).splitlines()
    assert any(line.startswith("price") and f"{report.by_target['price'].mae:.4g} [" in line for line in table)
    assert next(csv.reader(io.StringIO(report.to_csv())))[1:] == [
        "actual_price", "actual_area", "predicted_price", "predicted_area",
    ]  # fmt: skip


def test_several_values_are_matched_by_name(tmp_path):
    x, y = targets()
    model = pn.Sequential(pn.Dense(2))
    pn.fit(model, pn.Dataset(x, y), epochs=3, verbose=0)
    assert model.card.task == Task("values", 2, ("price", "area"))
    here, there = (pn.evaluate(model, pn.Dataset(x, one), verbose=0) for one in (y, y[["area", "price"]]))
    assert np.array_equal(here.labels, there.labels)
    assert pn.evaluate(model, (x, y.to_numpy()), verbose=0).mse == here.mse
    with pytest.raises(
        ValueError, match="evaluate: the values of y are price, size; the model's are price, area: give"
    ):
        pn.evaluate(model, pn.Dataset(x, y.rename(columns={"area": "size"})), verbose=0)


def test_values_without_names_have_numbers_and_classes_have_no_targets():
    x, y = targets()
    model = pn.Sequential(pn.Dense(2))
    pn.fit(model, (x, y.to_numpy()), epochs=1, verbose=0)
    report = pn.evaluate(model, (x, y.to_numpy()), verbose=0)
    assert list(report.by_target) == ["0", "1"]
    assert two(40).by_target == {}
    one = pn.Sequential(pn.Dense(1))
    pn.fit(one, (x, y["price"].to_numpy()), epochs=1, verbose=0)
    assert "\nvalue  " not in str(pn.evaluate(one, (x, y["price"].to_numpy()), verbose=0))
