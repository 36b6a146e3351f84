"""Reports: their scores, and how they are printed, shown in notebooks and written to files."""

import csv
import io
import math
import pickle
import tracemalloc

import numpy as np
import pytest
from sklearn import metrics as sk

import pyneural as pn
from pyneural.card.task import Task
from pyneural.evaluation import report as report_module
from pyneural.evaluation.report import Report, Reports
from pyneural.evaluation.tables import as_text
from pyneural.printing import shortened

NAMES = ("NORMAL", "PNEUMONIA")


def of_classes(
    y: np.ndarray, p: np.ndarray, classes: tuple[str, ...] = (), threshold: float = 0.5, **known: object
) -> Report:
    """A report of probabilities (n,) of one output, or (n, K)."""
    kind, K = ("binary", 1) if p.ndim == 1 else ("classes", p.shape[1])
    task = Task(kind, K, classes, threshold)
    return Report(task, p.reshape(len(p), -1).astype(np.float32), y, np.ones(len(y)), "test", "", "", **known)


def two_classes(n: int = 200, share: float = 0.3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    y = (generator.random(n) < share).astype(int)
    return y, (1 / (1 + np.exp(-generator.normal(2 * y - 1, 1.5)))).astype(np.float32)


@pytest.mark.parametrize("two_outputs", [False, True])
@pytest.mark.parametrize("threshold", [0.5, 0.2])
def test_the_scores_of_two_classes_are_those_of_class_1_with_one_output_and_with_two(two_outputs, threshold):
    y, p = two_classes()
    report = of_classes(y, np.stack([1 - p, p], axis=1) if two_outputs else p, NAMES, threshold)
    predicted = (p >= np.float32(threshold)).astype(int)
    assert np.array_equal(report.predictions, predicted)
    assert report.accuracy == pytest.approx(sk.accuracy_score(y, predicted))
    assert report.sensitivity == pytest.approx(sk.recall_score(y, predicted))
    assert report.specificity == pytest.approx(sk.recall_score(y, predicted, pos_label=0))
    assert report.ppv == pytest.approx(sk.precision_score(y, predicted))
    assert report.npv == pytest.approx(sk.precision_score(y, predicted, pos_label=0))
    assert report.roc_auc == pytest.approx(sk.roc_auc_score(y, p), abs=1e-9)
    assert report.average_precision == pytest.approx(sk.average_precision_score(y, p), abs=1e-9)
    assert report.brier == pytest.approx(sk.brier_score_loss(y, p.astype(float)), abs=1e-9)
    assert report.balanced_accuracy == pytest.approx(sk.balanced_accuracy_score(y, predicted))
    assert np.array_equal(report.confusion, sk.confusion_matrix(y, predicted))
    assert list(report.estimates)[:4] == ["accuracy", "balanced_accuracy", "sensitivity", "specificity"]
    assert report.positive is not None
    np.testing.assert_array_equal(report.confidence, np.where(predicted, report.outputs[:, -1], 1 - report.positive))
    text = str(report)
    assert f"positive: PNEUMONIA, from a probability of {threshold:g}" in text
    assert "predicted PNEUMONIA" in text
    assert "ROC AUC" in text


def test_an_accuracy_that_the_commonest_class_would_get_does_not_look_good():
    y = (np.arange(1000) < 37).astype(int)
    never = of_classes(y, np.full(1000, 0.01), NAMES)
    assert repr(never) == (
        "accuracy 96.30 % [94.94, 97.30] · not clearly above the baseline, 96.30 % (always NORMAL) · balanced accuracy "
        "50.00 % [45.38, 54.70] · average precision 0.037 · loss 1 · n = 1,000"
    )
    assert "The accuracy is not clearly above that of always answering NORMAL." in str(never)
    assert never.baseline["accuracy"] == never.accuracy
    assert never.sensitivity == never.baseline["sensitivity"] == 0
    assert never.balanced_accuracy == never.baseline["balanced_accuracy"] == 0.5
    assert never.roc_auc == never.baseline["roc_auc"] == 0.5
    assert never.average_precision == pytest.approx(never.baseline["average_precision"])
    worse = of_classes(y, np.where(np.arange(1000) % 2, 0.9, 0.1), NAMES)
    assert "· below the baseline, 96.30 % (always NORMAL) ·" in repr(worse)
    well = of_classes(y, np.where(y, 0.9, 0.1), NAMES)
    assert "accuracy 100.00 % [99.62, 100.00] · baseline 96.30 % (always NORMAL) ·" in repr(well)


def test_scores_of_the_baseline_are_those_of_a_report_of_its_answers():
    y = np.random.default_rng(0).choice(7, 300, p=[0.3, 0.2, 0.1, 0.1, 0.1, 0.1, 0.1])
    shares = np.bincount(y) / 300
    many = of_classes(y, np.tile(shares, (300, 1)) + np.eye(7)[shares.argmax()], tuple("abcdefg"))
    for name in ("accuracy", "balanced_accuracy", "top_5"):
        assert many.estimates[name] == pytest.approx(many.baseline[name]), name
    assert many.commonest == "a"
    for share in (0.3, 0.7):
        y, _ = two_classes(share=share)
        always = of_classes(y, np.full(200, float(share > 0.5)))
        for name, value in always.baseline.items():
            assert always.estimates[name] == pytest.approx(value, nan_ok=True), name
    values = np.random.default_rng(1).normal(size=(50, 2)).astype(np.float32)
    mean = Report(Task("values", 2), np.tile(values.mean(axis=0), (50, 1)), values, np.zeros(50), "", "")
    for name, value in mean.baseline.items():
        assert mean.estimates[name] == pytest.approx(value, abs=1e-6), name


def test_scores_of_values_are_those_of_scikit_learn_and_have_intervals():
    generator = np.random.default_rng(2)
    y = generator.normal(size=(100, 2))
    predicted = y + generator.normal(size=(100, 2))
    report = Report(Task("values", 2), predicted, y, ((y - predicted) ** 2).mean(axis=1), "data", "", "mse")
    assert report.mse == report.loss == pytest.approx(sk.mean_squared_error(y, predicted), abs=1e-9)
    assert report.mae == pytest.approx(sk.mean_absolute_error(y, predicted), abs=1e-9)
    assert report.r2 == pytest.approx(sk.r2_score(y, predicted), abs=1e-9)
    assert list(report.estimates) == ["mse", "mae", "r2"]
    assert all(one.low < one < one.high for one in report.estimates.values())
    assert report.recall is report.roc_auc is report.support is report.balanced_accuracy is report.positive is None
    with pytest.raises(ValueError, match=r"report.top_k: the model has values"):
        report.top_k()
    assert "always" not in str(report)


def test_intervals_are_by_group_where_there_are_groups_and_by_example_where_each_is_its_own():
    y, p = two_classes(600)
    alone = of_classes(y, p)
    own = of_classes(y, p, groups=np.arange(600))
    alike = of_classes(np.repeat(y[:60], 10), np.repeat(p[:60], 10), groups=np.repeat(np.arange(60), 10))
    assert (own.accuracy.low, own.roc_auc.high) == (alone.accuracy.low, alone.roc_auc.high)
    assert "Intervals are by example." in str(own)
    assert "n = 600 in 60 groups" in repr(alike)
    assert "Intervals are by group." in str(alike)
    for name in ("accuracy", "sensitivity", "roc_auc", "brier", "balanced_accuracy"):
        one, other = alone.estimates[name], alike.estimates[name]
        assert other.high - other.low > 2 * (one.high - one.low), name


def test_soft_labels_count_as_their_most_probable_class():
    p = np.array([[0.7, 0.2, 0.1], [0.1, 0.2, 0.7]])
    soft = of_classes(np.array([[0.6, 0.4, 0.0], [0.5, 0.1, 0.4]]), p)
    assert soft.labels.tolist() == [0, 0]
    assert soft.accuracy == 0.5


def test_a_report_of_one_example_or_one_class_or_nan_is_printed():
    for report in (
        of_classes(np.array([1]), np.array([0.7])),
        of_classes(np.array([1, 1, 1]), np.array([0.0, 1.0, 0.5])),
        of_classes(np.array([0, 1]), np.array([np.nan, 0.5])),
        of_classes(np.array([2]), np.array([[0.2, 0.3, 0.5]])),
        Report(Task("values", 1), np.ones((1, 1)), np.zeros((1, 1)), np.ones(1), "", ""),
    ):
        assert str(report).count("\n") > 3
        assert len(report._repr_html_()) > 100
    assert "All labels are 1, so scores that compare classes are not defined." in str(
        of_classes(np.ones(3, int), np.ones(3))
    )
    assert "the outputs of 1 examples are NaN" in repr(of_classes(np.array([0, 1]), np.array([np.nan, 0.5])))


LONG = ("a class with quite a long name", "another one, whose name is longer still, beyond reason")


@pytest.mark.parametrize("columns", [80, 60, 40, 30])
@pytest.mark.parametrize("names", [NAMES, LONG, tuple("abc"), tuple(f"class number {i}" for i in range(30))])
def test_a_table_fits_the_terminal(columns, names, monkeypatch):
    generator = np.random.default_rng(3)
    p = generator.dirichlet(np.ones(len(names)), 500)
    report = of_classes(generator.integers(0, len(names), 500), p, names, groups=np.arange(500) // 2)
    monkeypatch.setattr(report_module, "_WIDTH", columns)
    lines = str(report).splitlines()
    assert max(map(len, lines)) <= columns
    assert names == LONG or columns not in (40, 80) or "…" not in "".join(lines)
    assert sum("precision" in line for line in lines) >= 1
    if len(names) > 20:
        assert "Of 30 classes, these 20" in " ".join(lines)


def test_texts_are_wrapped_and_names_cut():
    assert as_text([], ["one two three"], ["supercalifragilistic"], 8) == "one two\nthree\n\nsupercal\nifragili\nstic"
    assert shortened("abc", 3) == "abc"
    assert shortened("abcd", 3) == "ab…"


def test_the_html_of_a_report_escapes_names_and_has_no_colours():
    y, p = two_classes()
    html = of_classes(y, p, ("<b>no</b>", "yes & no"))._repr_html_()
    assert "&lt;b&gt;no&lt;/b&gt;" in html
    assert "yes &amp; no" in html
    assert "color" not in html
    both = Reports(a=of_classes(y, p), b=of_classes(y, p))
    assert both._repr_html_().count("<table>") == 6
    assert str(both).startswith("a: test · n = 200")


def test_answers_go_to_a_csv_file_with_their_files_and_groups(tmp_path):
    y, p = two_classes(50)
    files = np.array([f"a, b/{i}.png" for i in range(50)])
    report = of_classes(y, p, NAMES, files=files, groups=np.arange(50) // 2)
    assert report.to_csv(tmp_path / "answers.csv") == (tmp_path / "answers.csv").read_text()
    rows = list(csv.DictReader((tmp_path / "answers.csv").read_text().splitlines()))
    assert list(rows[0]) == ["file", "group", "actual", "predicted", "probability of PNEUMONIA", "threshold"]
    assert {row["threshold"] for row in rows} == {"0.5"}
    assert [row["file"] for row in rows] == files.tolist()
    assert [row["actual"] for row in rows] == [NAMES[label] for label in y]
    found = np.array([row["probability of PNEUMONIA"] for row in rows], np.float32)
    np.testing.assert_array_equal(found, p)
    assert [row["predicted"] == "PNEUMONIA" for row in rows] == (p >= 0.5).tolist()
    many = of_classes(np.array([2]), np.array([[0.2, 0.3, 0.5]]), ("x", "y", "z"))
    assert list(csv.reader(io.StringIO(many.to_csv()))) == [
        ["row", "actual", "predicted", "probability"], ["0", "z", "z", "0.5"]
    ]  # fmt: skip
    values = Report(Task("values", 2), np.ones((1, 2)), np.zeros((1, 2)), np.ones(1), "", "")
    assert values.to_csv() == "row,actual_0,actual_1,predicted_0,predicted_1\n0,0,0,1,1\n"
    with pytest.raises(FileNotFoundError, match="to_csv: there is no folder"):
        report.to_csv(tmp_path / "missing" / "answers.csv")


def test_evaluate_hands_files_and_groups_to_the_report(rings):
    x, y = rings
    data = pn.Dataset(x, y, files=[f"{i}.png" for i in range(300)], groups=np.arange(300) // 3)
    model = pn.Sequential(pn.Dense(3))
    pn.fit(model, data, epochs=1, verbose=0)
    report = pn.evaluate(model, data[100:150], verbose=0)
    assert report.files.tolist() == [f"{i}.png" for i in range(100, 150)]
    assert report.groups.tolist() == (np.arange(100, 150) // 3).tolist()
    again = pickle.loads(pickle.dumps(report))
    assert repr(again) == repr(report)
    assert str(again) == str(report)


def test_thirty_thousand_classes_are_reported_without_their_square():
    generator = np.random.default_rng(4)
    n, K = 300, 30_000
    outputs = np.zeros((n, K), np.float32)
    outputs[np.arange(n), generator.integers(0, K, n)] = 1
    tracemalloc.start()
    report = Report(Task("classes", K), outputs, outputs.argmax(axis=1), np.ones(n), "", "")
    assert tracemalloc.get_traced_memory()[1] < 3 * outputs.nbytes
    tracemalloc.stop()
    assert "Of 30,000 classes, these 20 that occur have the lowest F1." in str(report)
    assert report.accuracy == 1
    with pytest.raises(ValueError, match=r"report\.confusion: a table of 30,000 x 30,000"):
        report.confusion  # noqa: B018
    assert math.isnan(report.recall[np.flatnonzero(report.support == 0)[0]])


def test_names_with_line_ends_stay_one_line_of_the_csv():
    names = ["a\rb", "c\nd", 'e"f', "g,h", "\r", "i\r\nj"]
    task = Task("classes", 2, ("x\ry", "z"))
    report = Report(
        task, np.eye(2)[[0, 1] * 3], np.zeros(6), np.zeros(6), "", "", groups=np.array(names), files=np.array(names)
    )
    head, *rows = csv.reader(io.StringIO(report.to_csv(), newline=""))
    assert head[4:] == ["probability of z", "threshold"]
    assert [row[:3] for row in rows] == [[name, name, "x\ry"] for name in names]
