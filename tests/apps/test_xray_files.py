"""What a run of the chest X-ray detector writes: all that was asked for, and nothing where a path is wrong."""

import csv
import sys

import numpy as np
import pytest

import pyneural as pn
from pyneural.apps.xray_files import caveats_of, check_outputs, write_outputs
from pyneural.apps.xray_result import XrayRun


@pytest.fixture(scope="module")
def run():
    """A run on a few small images."""
    generator = np.random.default_rng(0)
    y = np.arange(60) % 2
    x = generator.integers(0, 60, (60, 12, 12, 1), dtype=np.uint8) + (90 * y[:, None, None, None]).astype(np.uint8)
    names = ("NORMAL", "PNEUMONIA")
    files = [f"test/{names[label]}/person{i // 2}_virus_{i}.jpeg" for i, label in enumerate(y)]
    both = pn.Dataset(x, y, classes=names, groups=np.arange(60) // 2, files=files, name="chest_xray")
    data = pn.Splits(both.take(np.arange(30)), both.take(np.arange(30, 60)), name="chest_xray")
    model = pn.Sequential(pn.Conv2D(2, 3, activation="relu"), pn.GlobalAvgPool2D(), pn.Dense(2))
    history = pn.fit(model, data.train, epochs=1, validation=0, verbose=0)
    lines = ("patients: none in both", "threshold 0.5 (99 % specificity) · n = 9", "", "the table", "", "worst")
    return XrayRun(model, history, pn.evaluate(model, data.test, verbose=0), data, lines)


def test_plots_answers_and_page_are_written_and_named(run, tmp_path):
    paths = {"plots": tmp_path / "plots", "csv": tmp_path / "a.csv", "html": tmp_path / "a.html"}
    check_outputs(**paths)
    lines = write_outputs(run, **paths)
    names = "confusion.png, calibration.png, roc.png, precision_recall.png, mistakes.png, history.png, heat_maps.png"
    assert lines == [
        f"answers in {paths['csv']}", f"plots in {paths['plots']}: {names}", f"page in {paths['html']}"
    ]  # fmt: skip
    assert {file.name for file in paths["plots"].iterdir()} == set(names.split(", "))
    rows = list(csv.DictReader(paths["csv"].read_text().splitlines()))
    assert [row["file"] for row in rows] == run.data.test.files.tolist()
    assert list(rows[0]) == ["file", "group", "actual", "predicted", "probability of PNEUMONIA", "threshold"]
    page = paths["html"].read_text(encoding="utf-8")
    for said in (
        "patients: none in both",
        "threshold 0.5 (99 % specificity)",
        "A group is a patient",
        "medical device",
    ):
        assert said in page
    assert "the table" not in page
    assert "worst</li>" not in page


def test_models_of_these_x_rays_have_their_caveats_and_others_none(run):
    assert any("medical device" in one for one in caveats_of(run.model))
    other = pn.Sequential(pn.Dense(2))
    pn.fit(other, (np.eye(4, dtype=np.float32), [0, 1, 0, 1]), validation=0, epochs=1, verbose=0)
    assert caveats_of(other) == ()


def test_only_what_is_asked_for_is_written(run, tmp_path):
    assert write_outputs(run, plots=None, csv=None, html=None) == []
    assert write_outputs(run, plots=None, csv=tmp_path / "a.csv", html=None) == [f"answers in {tmp_path / 'a.csv'}"]
    assert [file.name for file in tmp_path.iterdir()] == ["a.csv"]


def test_an_interrupted_run_writes_nothing_and_says_so(run, tmp_path):
    paths = {"plots": None, "csv": tmp_path / "a.csv", "html": tmp_path / "a.html"}
    assert write_outputs(run._replace(report=None), **paths) == [
        f"training was interrupted, so nothing is written to {tmp_path / 'a.csv'}, {tmp_path / 'a.html'}"
    ]
    assert write_outputs(run._replace(report=None), plots=None, csv=None, html=None) == []
    assert not list(tmp_path.iterdir())


def test_wrong_paths_are_refused_before_any_work(tmp_path):
    (tmp_path / "file").write_text("")
    for kind, words, paths in (
        (FileNotFoundError, "xray: --csv: there is no folder", (None, tmp_path / "no" / "a.csv", None)),
        (IsADirectoryError, "xray: --html: .* is a folder", (None, None, tmp_path)),
        (NotADirectoryError, "xray: --plots: .* is a file", (tmp_path / "file", None, None)),
        (ValueError, "--csv and --html are both .*: give two files", (None, tmp_path / "a", f"{tmp_path}/./a")),
        (TypeError, "xray: --csv: path is 3", (None, 3, None)),
    ):
        with pytest.raises(kind, match=words):
            check_outputs(*paths)
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


def test_plots_and_page_need_matplotlib_and_answers_do_not(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    check_outputs(None, tmp_path / "a.csv", None)
    for name, paths in (("html", (None, None, tmp_path / "a.html")), ("plots", (tmp_path / "p", None, None))):
        with pytest.raises(ImportError, match=rf"^xray: --{name} needs matplotlib: run pip install '\.\[plot\]'"):
            check_outputs(*paths)
