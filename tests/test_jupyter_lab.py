"""Training in a real JupyterLab: progress in place, plots, the stop button, a second run, and the exported page."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from lab import SECONDS, Notebook, Server
from nbconvert import HTMLExporter
from needs import CHROMIUM
from playwright.sync_api import sync_playwright

START = """
import time
import pyneural as pn

class Slow(pn.callbacks.Callback):
    def on_batch_end(self, step, logs):
        time.sleep(0.1)

data = pn.datasets.mnist("sample")
model = pn.Sequential(pn.Flatten(), pn.Dense(10))
"""
FIT = """
history = pn.fit(model, data.train.take(range(2000)), epochs=2, callbacks=Slow())
print("a history of", history.epochs, "epochs")
"""
CELLS = [START, FIT, "pn.plot.history(history);", "report = pn.evaluate(model, data.test)\nreport", "model"]
BAR = re.compile(r"^epoch ([12])/2 +(\d+) %\|")


@dataclass
class Visit:
    """What a user sees who stops a training, starts the cell again, and runs the other cells.

    Args:
        interrupted: the output of the training that was stopped.
        states: the outputs of the second one while it ran.
        finished: its output at the end.
        plots: the widths of the images under the plot.
        report: the report as the last expression of a cell: headings and rows of its tables.
        model: the model as the last expression.
        page: the text of the page to which nbconvert exports the saved notebook.
    """

    interrupted: str
    states: list[str]
    finished: str
    plots: list[int]
    report: str
    model: str
    page: str


def stopped(notebook: Notebook) -> str:
    """Presses the stop button in the second epoch."""
    notebook.start(1)
    watched(notebook, lambda text: "\nepoch 2/2" in text)
    notebook.interrupt()
    notebook.wait_until_idle()
    return notebook.shown(1)


def watched(notebook: Notebook, until: Callable[[str], bool]) -> list[str]:
    """The different outputs of the training until one of them is as wanted."""
    states: list[str] = []
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        text = notebook.shown(1)
        if not states or text != states[-1]:
            states.append(text)
        if until(text):
            return states
        time.sleep(0.05)
    raise AssertionError(states)


def exported(path: Path) -> str:
    """The text of the page to which nbconvert exports a notebook."""
    body, _ = HTMLExporter().from_filename(str(path))
    return html.unescape(re.sub(r"<(?:style|script).*?</(?:style|script)>|<[^>]+>", "", body, flags=re.DOTALL))


@pytest.fixture(scope="module")
def visit(tmp_path_factory) -> Visit:
    server = Server(tmp_path_factory.mktemp("lab"))
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            notebook = Notebook(server, browser, CELLS)
            notebook.run(0)
            interrupted = stopped(notebook)
            notebook.start(1)
            states = watched(notebook, lambda text: "a history of 2 epochs" in text)
            notebook.wait_until_idle()
            finished = notebook.shown(1)
            plot, report, model = (notebook.run(number) for number in (2, 3, 4))
            widths = notebook.cell(2).locator("img").evaluate_all("images => images.map(image => image.naturalWidth)")
            notebook.save()
            browser.close()
    finally:
        server.stop()
    assert plot == ""
    return Visit(interrupted, states, finished, widths, report, model, exported(notebook.path))


def test_the_stop_button_ends_a_training_which_returns_its_history(visit):
    first, *_, last = visit.interrupted.splitlines()
    assert first.startswith("mnist")
    assert "Traceback" not in visit.interrupted
    assert re.search(r"^interrupted in epoch 2 after [\d.]+ s; the weights are those of epoch 1, the best$",
                     visit.interrupted, re.MULTILINE)  # fmt: skip
    assert last == "a history of 1 epochs"


def test_the_cell_can_be_run_again(visit):
    lines = visit.finished.splitlines()
    assert "continuing from the weights of 1 epoch, with a fresh optimizer" in lines
    assert [line[:9] for line in lines if line.startswith("epoch")] == ["epoch 1/2", "epoch 2/2"]
    assert re.match("best epoch [12] ", lines[-2])
    assert lines[-1] == "a history of 2 epochs"


def test_progress_is_one_line_that_changes(visit):
    bars = [[found for line in state.splitlines() if (found := BAR.match(line))] for state in visit.states]
    assert max(map(len, bars)) == 1
    seen = [(int(bar[1]), int(bar[2])) for (bar,) in filter(None, bars)]
    assert len(seen) >= 4
    assert seen == sorted(seen)
    assert {epoch for epoch, _ in seen} == {1, 2}
    assert not BAR.search(visit.finished)


def test_lines_are_no_wider_than_the_cell(visit):
    assert max(map(len, visit.finished.splitlines())) <= 110


def test_plots_are_shown(visit):
    (width,) = visit.plots
    assert width > 400


def test_reports_and_models_are_shown_where_a_cell_ends_in_them(visit):
    line, *table = visit.report.splitlines()
    assert line.startswith("accuracy ")
    assert [row for row in table if row.startswith("balanced accuracy")]
    assert re.fullmatch(r"784x10 \| softmax \| cross-entropy", visit.model)


def test_the_exported_page_has_the_final_state(visit):
    assert "a history of 2 epochs" in visit.page
    assert "balanced accuracy" in visit.page
    assert "left, loss" not in visit.page
    assert not re.search("loading widget", visit.page, re.IGNORECASE)
