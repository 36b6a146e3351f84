"""Plots of an evaluation as files: which there are, which examples are explained, and what stops before any work."""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

import pyneural as pn
from pyneural.card.task import Task
from pyneural.evaluation.report import Report
from pyneural.plot.explanations import explained_rows, explanations
from pyneural.plot.heat_maps import explained_grid
from pyneural.plot.saved_plots import check_matplotlib, check_outputs, plots_folder, write_plots


@pytest.fixture(scope="module")
def blobs():
    """A small trained CNN, its training, and images with a blob on the left or on the right, some labelled wrong."""
    generator = np.random.default_rng(0)
    y = np.arange(60) % 2
    x = generator.integers(0, 60, (60, 16, 16, 1), dtype=np.uint8)
    for image, side in zip(x, y, strict=True):
        image[5:10, 2 + 8 * side : 6 + 8 * side] += 150
    data = pn.Dataset(x, y, classes=("left", "right"), files=[f"scans/{'a' * (i % 40)}{i}.png" for i in range(60)])
    model = pn.Sequential(pn.Conv2D(4, 3, activation="relu"), pn.Flatten(), pn.Dense(2))
    history = pn.fit(model, data, epochs=4, batch_size=8, seed=0, validation=0, verbose=0)
    wrong = data.take(np.arange(60))
    wrong.y = np.where(np.arange(60) < 5, 1 - y, y)
    return model, history, wrong, pn.evaluate(model, wrong, verbose=0)


def test_the_most_confident_right_answers_of_each_class_are_explained_and_the_worst_mistakes(blobs):
    report = blobs[3]
    rows = explained_rows(report)
    right, wrong = rows[:4], rows[4:]
    np.testing.assert_array_equal(wrong, report.mistakes[:4])
    assert report.labels[right].tolist() == [0, 0, 1, 1]
    for label in (0, 1):
        of_class = np.flatnonzero((report.labels == label) & (report.predictions == label))
        best = np.sort(report.confidence[of_class])[-2:]
        np.testing.assert_array_equal(np.sort(report.confidence[right[report.labels[right] == label]]), best)


def test_what_is_missing_of_one_kind_is_filled_with_the_other_and_nan_is_left_out():
    def rows(y, p):
        task = Task("binary", 1)
        return explained_rows(Report(task, np.array(p).reshape(-1, 1), np.array(y), np.ones(len(y)), "", "")).tolist()

    assert rows([0, 1, 1], [0.1, 0.8, 0.9]) == [0, 2, 1]
    assert rows([1] * 9, [0.1] * 9) == list(range(8))
    assert rows([0, 1, 0], [0.1, np.nan, 0.9]) == [0, 2]


def test_maps_are_of_the_answer_and_a_method_without_one_says_why(blobs):
    model, _, data, report = blobs
    found = explanations(model, report, data)
    assert not found.missing
    for one in found.shown:
        label = report.task.label(int(report.predictions[one.row]))
        for method, words in (("grad-cam", "Grad-CAM"), ("occlusion", "occlusion")):
            mine = np.maximum(pn.heat_map(model, data.x[one.row], method=method, label=label, normalize=False), 0)
            np.testing.assert_array_equal(one.maps[words], mine / (mine.max() or 1))
    dense = pn.Sequential(pn.Flatten(), pn.Dense(2))
    pn.fit(dense, data, epochs=1, verbose=0)
    found = explanations(dense, pn.evaluate(dense, data, verbose=0), data)
    assert [list(one.maps) for one in found.shown] == [["occlusion"]] * 8
    assert found.missing[0].startswith("Grad-CAM is not shown: the model has no ")


def test_the_grid_shows_each_image_beside_its_maps_with_answer_and_file(blobs):
    model, _, data, report = blobs
    found = explanations(model, report, data)
    axes = explained_grid(found, report, data)
    assert axes.shape == (8, 3)
    for line, one in zip(axes, found.shown, strict=True):
        words = line[0].get_title().split("\n")
        assert words[0].startswith(report.task.label(int(report.predictions[one.row])))
        assert words[-1][:31] == Path(str(data.files[one.row])).name[:31]
        assert len(words[-1]) <= 32
        assert [axis.get_title() for axis in line[1:]] == ["Grad-CAM", "occlusion"]
        np.testing.assert_array_equal(line[0].images[0].get_array(), data.x[one.row, :, :, 0])
        np.testing.assert_array_equal(line[2].images[1].get_array(), one.maps["occlusion"])


def test_every_plot_is_a_file_and_the_same_bytes_again(blobs, tmp_path):
    model, history, data, report = blobs
    found = explanations(model, report, data)
    found = found._replace(shown=found.shown[-2:])
    names = {"confusion", "calibration", "roc", "precision_recall", "mistakes", "history", "heat_maps"}
    for folder in ("one", "two"):
        root = plots_folder("x: --plots", tmp_path / folder)
        written = write_plots("x: --plots", report, data, root, history=history, explained=found)
        assert {Path(name).stem for name in written} == names
    for name in names:
        one, two = (tmp_path / folder / f"{name}.png" for folder in ("one", "two"))
        assert one.read_bytes() == two.read_bytes(), name
        with Image.open(one) as image:
            assert min(image.size) >= 150
    assert not plt.get_fignums()


def test_a_missing_matplotlib_is_reported_with_the_way_to_install_it(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    for call in (check_matplotlib, lambda who: plots_folder(who, tmp_path / "p")):
        with pytest.raises(ImportError, match=r"^xray: --plots needs matplotlib: run pip install '\.\[plot\]' in the"):
            call("xray: --plots")
    assert not (tmp_path / "p").exists()


@pytest.mark.parametrize("name", ["csv", "html"])
def test_no_output_replaces_the_file_of_the_model(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "m.safetensors"
    file.write_bytes(b"weights")
    (tmp_path / "link").symlink_to(file)
    for path in ("m.safetensors", file, "link"):
        given = {"csv": None, "html": None} | {name: path}
        with pytest.raises(ValueError, match=f"x: --{name} is .*, the file of the model: give another file"):
            check_outputs("x", None, model="m.safetensors", **given)
    check_outputs("x", None, "other.csv", None, model="m.safetensors")
    assert file.read_bytes() == b"weights"
