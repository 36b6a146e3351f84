"""Progress: how its lines look in a terminal, wide and narrow, and elsewhere."""

import errno
import io
import os
import re
import shutil
import sys
import time
import types
import warnings

import numpy as np
import pytest
import tqdm

import pyneural as pn
from pyneural.evaluation.lines import number
from pyneural.printing import folded
from pyneural.training.progress import Progress

VALUES = {
    "loss": 0.2143, "accuracy": 0.934, "val_loss": 0.0712, "val_accuracy": pn.Estimate.share(5871, 6000),
}  # fmt: skip


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2.3026, "2.303"),
        (0.2143, "0.214"),
        (0.0712, "0.0712"),
        (0.00012, "0.00012"),
        (0.0, "0.000"),
        (3.7e13, "3.7e+13"),
    ],
)
def test_a_loss_keeps_three_digits(value, text):
    assert number(value) == text


def test_an_epoch_is_one_line_in_a_log(capsys):
    Progress(1, 5, 10).epoch(1, 2.1, VALUES)
    assert capsys.readouterr().out == (
        "epoch 1/5 · 2.1 s · loss 0.214 · accuracy 93.40 % · val_loss 0.0712 · val_accuracy 97.85 % [97.45, 98.19]\n"
    )


@pytest.mark.parametrize(("columns", "lines"), [(80, 2), (109, 2), (110, 1)])
def test_an_epoch_is_two_lines_in_a_narrow_terminal(monkeypatch, columns, lines):
    monkeypatch.setattr(shutil, "get_terminal_size", lambda *_, **__: os.terminal_size((columns, 24)))
    monkeypatch.setattr(sys, "stdout", Terminal())
    Progress(1, 5, 10).epoch(1, 2.1, VALUES)
    out = sys.stdout.getvalue().splitlines()
    assert len(out) == lines
    assert all(len(line) <= columns for line in out)


def test_there_is_a_bar_only_where_stderr_is_a_terminal(monkeypatch, rings, capsys):
    pn.fit(pn.Sequential(pn.Dense(3)), rings, epochs=1)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys, "stderr", Terminal())
    pn.fit(pn.Sequential(pn.Dense(3)), rings, epochs=1)
    assert "epoch 1/1" in sys.stderr.getvalue()


LONG = [
    "mnist (EMBEDDED SAMPLE: 6,000 of 60,000): 5,400 train, 600 validation (shuffled, stratified)",
    "uint8 (28, 28, 1) -> dataset mean, std", "10 classes · cross_entropy", "adam, one-cycle 0.003", "batch 64",
    "seed 0",
]  # fmt: skip


@pytest.mark.parametrize("columns", [40, 60, 80, 100, 120, 300])
def test_lines_are_folded_between_their_parts_where_that_can_be(columns):
    lines = folded(LONG, columns)
    assert all(len(line) <= columns for line in lines)
    assert " ".join(line.strip() for line in lines) == " · ".join(LONG)
    assert all(line.startswith("    ") for line in lines[1:])
    assert folded(LONG, None) == [" · ".join(LONG)]


def test_a_word_longer_than_the_line_is_left_whole():
    assert folded(["a" * 50, "b"], 20) == ["a" * 50 + " ·", "    b"]


@pytest.mark.parametrize(("columns", "lines"), [(80, 6), (130, 4), (400, 3)])
def test_a_whole_training_is_readable_in_any_terminal(monkeypatch, rings, columns, lines):
    monkeypatch.setattr(shutil, "get_terminal_size", lambda *_, **__: os.terminal_size((columns, 24)))
    monkeypatch.setattr(sys, "stdout", Terminal())
    pn.fit(pn.Sequential(pn.Dense(3)), rings, epochs=1)
    out = sys.stdout.getvalue().splitlines()
    assert all(len(line) <= columns for line in out)
    assert len(out) == lines, out


def test_a_report_is_folded_too(monkeypatch):
    monkeypatch.setattr(shutil, "get_terminal_size", lambda *_, **__: os.terminal_size((80, 24)))
    monkeypatch.setattr(sys, "stdout", Terminal())
    data = pn.datasets.mnist("sample").test
    model = pn.Sequential(pn.Flatten(), pn.Dense(10))
    pn.fit(model, data, epochs=1, verbose=0)
    report = pn.evaluate(model, data)
    out = sys.stdout.getvalue().splitlines()
    assert len(out) == 2
    assert all(len(line) <= 80 for line in out)
    assert " ".join(line.strip() for line in out) == repr(report)


def test_heads_make_more_lines_but_none_too_long(monkeypatch, rings):
    monkeypatch.setattr(shutil, "get_terminal_size", lambda *_, **__: os.terminal_size((120, 24)))
    monkeypatch.setattr(sys, "stdout", Terminal())
    at = pn.Input((2,))
    model = pn.Model(at, {"upper": pn.Dense(3)(at), "lower": pn.Dense(3)(at)})
    pn.fit(model, (rings[0], {"upper": rings[1], "lower": rings[1]}), epochs=1)
    out = sys.stdout.getvalue().splitlines()
    assert all(len(line) <= 120 for line in out)
    assert sum(line.startswith("    val_loss") for line in out) == 1


def test_the_bar_tells_what_is_left_and_is_drawn_at_most_4_times_a_second(monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(tqdm.std, "time", lambda: clock[0])
    monkeypatch.setattr(sys, "stderr", Terminal())
    progress = Progress(1, 1, 1000)
    progress.open(1)
    for step in range(1, 501):
        clock[0] += 0.01
        progress.step(step, 0.5)
    drawn = sys.stderr.getvalue().split("\r")
    progress.close()
    assert 10 <= len(drawn) <= 2 + 5 * 4  # 500 steps took 5 s
    assert " left" in drawn[-1]
    assert "loss 0.500" in drawn[-1]
    assert "epoch 1/1" in drawn[-1]


def test_each_step_is_a_line_in_verbose_2_and_there_is_no_bar(monkeypatch, rings, capsys):
    pn.fit(pn.Sequential(pn.Dense(3)), rings, epochs=1, batch_size=100, verbose=2)
    out, err = capsys.readouterr()
    assert [line.split(" · ")[0] for line in out.splitlines()[1:4]] == ["step 1/3", "step 2/3", "step 3/3"]
    assert err == ""


def pass_time(monkeypatch, seconds: float, progress: Progress) -> None:
    """400 steps that take that many seconds together."""
    clock = [100.0]
    monkeypatch.setattr(tqdm.std, "time", lambda: clock[0])
    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])
    progress.open(1)
    for step in range(1, 401):
        clock[0] += seconds / 400
        if progress.steps_shown:
            progress.step(step, 0.5)


def test_a_log_has_a_line_every_ten_seconds(monkeypatch, capsys):
    """An epoch of 40 seconds is not silent, one of 9 seconds is."""
    pass_time(monkeypatch, 9, Progress(1, 3, 400))
    assert capsys.readouterr() == ("", "")
    pass_time(monkeypatch, 40.1, Progress(1, 3, 400))
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "epoch 1/3 · step 100/400 · 25 % · 30 s left · loss 0.500",
        "epoch 1/3 · step 200/400 · 50 % · 20 s left · loss 0.500",
        "epoch 1/3 · step 300/400 · 75 % · 10 s left · loss 0.500",
        "epoch 1/3 · step 400/400 · 100 % · 0 s left · loss 0.500",
    ]
    assert err == ""
    pass_time(monkeypatch, 40, Progress(0, 3, 400))
    assert capsys.readouterr() == ("", "")


def test_a_long_validation_is_not_silent_either(monkeypatch, capsys):
    clock = [100.0]
    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])
    monkeypatch.setattr(tqdm.std, "time", lambda: clock[0])
    for terminal in (False, True):
        if terminal:
            monkeypatch.setattr(sys, "stderr", Terminal())
        progress = Progress(1, 3, 400)
        progress.open(1)
        progress.close()
        progress.open_validation(10_000)
        for _ in range(20):
            clock[0] += 1.25
            progress.validated(500)
        drawn = sys.stderr.getvalue() if terminal else ""
        progress.close()
        out = capsys.readouterr().out.splitlines()
        assert out == ([] if terminal else ["epoch 1/3 · validation 40 %", "epoch 1/3 · validation 80 %"])
        assert ("epoch 1/3 validation 100 %" in drawn) == terminal


class Cell:
    """What a notebook's cell shows: the lines printed, and those that are updated in place."""

    def __init__(self, monkeypatch) -> None:
        self.drawn: list[str] = []
        self.names: set[str] = set()
        shell = types.SimpleNamespace(execution_count=3, user_ns={}, kernel=object(), display_pub=self)
        monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))
        monkeypatch.setattr(sys, "stdout", io.StringIO())
        monkeypatch.setattr(sys, "stderr", io.StringIO())

    def publish(self, data, metadata, *, transient, update) -> None:
        assert (list(data), metadata, update) == (["text/plain"], {}, bool(self.drawn))
        self.names.add(transient["display_id"])
        self.drawn.append(data["text/plain"])


@pytest.mark.parametrize(("verbose", "least", "most"), [(1, 15, 22), (2, 75, 105), (0, 0, 0)])
def test_a_notebook_has_one_line_that_is_updated(monkeypatch, verbose, least, most):
    cell = Cell(monkeypatch)
    progress = Progress(verbose, 3, 400)
    for _ in range(2):
        pass_time(monkeypatch, 10, progress)
        progress.close()
    progress.end()
    assert sys.stdout.getvalue() == sys.stderr.getvalue() == ""
    assert 2 * least <= len(cell.drawn) <= 2 * most
    assert len(cell.names) == bool(verbose)
    assert all(len(line) <= 80 for line in cell.drawn)
    if verbose:
        *states, room, end = cell.drawn
        assert (room, end) == (" ", ""), "the bar is gone at the end, and its room"
        assert re.fullmatch(r"epoch 1/3 +\d+ %\|█+.*\| \d+/400 · 00:0\d left, loss 0.500", states[-1])


def test_a_short_epoch_shows_no_bar_in_a_notebook(monkeypatch, rings):
    cell = Cell(monkeypatch)
    pn.fit(pn.Sequential(pn.Dense(3)), rings, epochs=2)
    assert cell.drawn == []
    first, *epochs, best = [line for line in sys.stdout.getvalue().splitlines() if not line.startswith("    ")]
    assert (len(epochs), first[:15], best[:10]) == (2, "data: 270 train", "best epoch")


def test_an_error_takes_the_bar_away_in_a_notebook(monkeypatch, rings):
    class Failing(pn.callbacks.Callback):
        def on_batch_end(self, step, logs):
            if step == 3:
                raise OSError("the disk is full")

    cell = Cell(monkeypatch)
    with pytest.raises(OSError, match="the disk is full"):
        pn.fit(pn.Sequential(pn.Dense(3)), rings, epochs=2, batch_size=20, callbacks=Failing(), verbose=2)
    assert cell.drawn[-2:] == [" ", ""]


def test_the_bar_is_shown_anew_after_a_callback_has_cleared_the_cell(monkeypatch):
    class Hooked(Cell):
        """With the hooks of ipykernel, which see each message to the browser."""

        def __init__(self, monkeypatch) -> None:
            self.hooks: list = []
            self.updates: list[bool] = []
            super().__init__(monkeypatch)

        def register_hook(self, hook) -> None:
            self.hooks.append(hook)

        def unregister_hook(self, hook) -> None:
            self.hooks.remove(hook)

        def publish(self, data, metadata, *, transient, update) -> None:
            self.updates.append(update)
            self.send("display_data")

        def send(self, kind: str) -> None:
            message = {"header": {"msg_type": kind}}
            assert all(hook(message) is message for hook in self.hooks)

    cell = Hooked(monkeypatch)
    progress = Progress(1, 3, 400)
    for cleared in (False, True):
        if cleared:
            cell.send("clear_output")
            cell.updates.clear()
        pass_time(monkeypatch, 10, progress)
        progress.close()
        assert cell.updates[:2] == [False, True], "a line that is gone cannot be updated"
    progress.end()
    assert cell.hooks == []


def test_lines_are_folded_in_a_notebook_but_not_in_ipython_that_writes_a_log(monkeypatch):
    cell = Cell(monkeypatch)
    Progress(1, 3, 400, "EMBEDDED SAMPLE").epoch(1, 2.5, VALUES)
    Progress(1, 3, 400).epoch(2, 2.5, VALUES)
    assert sys.stdout.getvalue().splitlines() == [
        "epoch 1/3 · 2.5 s · loss 0.214 · accuracy 93.40 %",
        "    val_loss 0.0712 · val_accuracy 97.85 % [97.45, 98.19] · EMBEDDED SAMPLE",
        "epoch 2/3 · 2.5 s · loss 0.214 · accuracy 93.40 % · val_loss 0.0712 · val_accuracy 97.85 % [97.45, 98.19]",
    ]
    shell = types.SimpleNamespace(execution_count=3, user_ns={}, display_pub=cell)  # no kernel
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))
    Progress(1, 3, 400, "EMBEDDED SAMPLE").epoch(3, 2.5, VALUES)
    assert sys.stdout.getvalue().splitlines()[3].endswith("[97.45, 98.19] · EMBEDDED SAMPLE")
    progress = Progress(1, 3, 400)
    pass_time(monkeypatch, 30, progress)
    assert cell.drawn == []
    assert sys.stdout.getvalue().splitlines()[-1] == "epoch 1/3 · step 268/400 · 67 % · 10 s left · loss 0.500"


def test_each_step_is_drawn_in_place_in_a_terminal_in_verbose_2(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stderr", Terminal())
    progress = Progress(2, 3, 400)
    pass_time(monkeypatch, 1, progress)
    drawn = sys.stderr.getvalue().split("\r")
    progress.close()
    assert len(drawn) >= 400
    assert "400/400" in drawn[-1]
    assert "\n" not in sys.stderr.getvalue()
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("columns", [20, 40, 60, 80, 200])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_the_bar_fits_any_terminal(monkeypatch, columns, encoding):
    class Small(Terminal):
        pass

    Small.encoding = encoding
    size = os.terminal_size((columns, 24))
    monkeypatch.setattr(shutil, "get_terminal_size", lambda *_, **__: size)
    monkeypatch.setattr(tqdm.std, "_screen_shape_wrapper", lambda: lambda stream: (columns, 24))
    monkeypatch.setattr(sys, "stderr", Small())
    progress = Progress(1, 100, 40_000)
    pass_time(monkeypatch, 5, progress)
    drawn = sys.stderr.getvalue().split("\r")
    progress.close()
    assert all(len(line) <= columns for line in drawn), max(drawn, key=len)
    sys.stderr.getvalue().encode(encoding)
    if columns >= 40:
        assert "epoch 1/100" in drawn[-1]
        assert "loss 0.500" in drawn[-1]


def test_every_line_with_a_result_from_the_sample_says_so(sample, capsys):
    model = pn.Sequential(pn.Flatten(), pn.Dense(10))
    pn.fit(model, pn.Splits(sample.train.take(np.arange(300)), sample.test), epochs=2)
    lines = capsys.readouterr().out.splitlines()
    assert sum("accuracy" in line for line in lines) == 3
    assert all("EMBEDDED SAMPLE" in line for line in lines if "accuracy" in line)


class Failing(Terminal):
    """A terminal that is gone after some lines."""

    def __init__(self, error: OSError, lines: int) -> None:
        super().__init__()
        self.error, self.lines = error, lines

    def flush(self) -> None:
        self.lines -= 1
        if self.lines < 0:
            raise self.error


@pytest.mark.parametrize("verbose", [1, 2])
@pytest.mark.parametrize("columns", [80, 200])
def test_a_terminal_that_is_gone_does_not_end_a_training(monkeypatch, rings, verbose, columns):
    monkeypatch.setattr(shutil, "get_terminal_size", lambda *_, **__: os.terminal_size((columns, 24)))
    model, same = pn.Sequential(pn.Dense(3)), pn.Sequential(pn.Dense(3))
    quiet = pn.fit(same, rings, epochs=4, verbose=0)
    for lines in range(3):
        monkeypatch.setattr(sys, "stdout", Failing(OSError(errno.EIO, "Input/output error"), lines))
        model = pn.Sequential(pn.Dense(3))
        with pytest.warns(UserWarning, match=r"the output cannot be written \(Input/output error\); continuing"):
            history = pn.fit(model, rings, epochs=4, verbose=verbose)
        assert history.fingerprint == quiet.fingerprint
    monkeypatch.setattr(sys, "stdout", Failing(OSError(errno.ENOSPC, "No space left on device"), 0))
    with pytest.warns(UserWarning, match="the output cannot be written"):
        assert pn.evaluate(model, rings).n == len(rings[0])


def test_a_reader_that_has_gone_away_ends_a_training_with_its_best_weights(monkeypatch, rings):
    model, same = pn.Sequential(pn.Dense(3)), pn.Sequential(pn.Dense(3))
    monkeypatch.setattr(sys, "stdout", Failing(BrokenPipeError(errno.EPIPE, "Broken pipe"), 4))
    with pytest.raises(BrokenPipeError):
        pn.fit(model, rings, epochs=4, schedule="constant")
    pn.fit(same, rings, epochs=model.card.best_epoch, schedule="constant", verbose=0)
    assert model.fingerprint() == same.fingerprint()


class Tee:
    """What programs put in place of sys.stdout: `write`, and perhaps an encoding that Python does not know."""

    def __init__(self, **attributes: object) -> None:
        vars(self).update(attributes)
        self.text = ""

    def write(self, text: str) -> int:
        self.text += text
        return len(text)


@pytest.mark.parametrize("attributes", [{}, {"encoding": "no-such-codec"}, {"encoding": None, "flush": lambda: None}])
def test_an_object_with_write_alone_is_enough_to_print_to(monkeypatch, rings, attributes):
    out = Tee(**attributes)
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", Tee())
    model = pn.Sequential(pn.Dense(3))
    pn.fit(model, rings, epochs=2)
    report = pn.evaluate(model, rings)
    report.samples(2)
    model.summary()
    assert "epoch 2/2 · " in out.text
    assert repr(report) in out.text


def test_a_warning_of_the_output_shows_the_users_line(monkeypatch, rings):
    monkeypatch.setattr(sys, "stdout", Failing(OSError(errno.EIO, "Input/output error"), 0))
    with pytest.warns(UserWarning, match="the output cannot be written") as caught:
        pn.fit(pn.Sequential(pn.Dense(3)), rings, epochs=1)
    assert {warning.filename for warning in caught} == {__file__}


@pytest.mark.parametrize("verbose", [1, 2])
@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_a_closed_stream_does_not_stop_a_training(monkeypatch, name, verbose):
    """As a daemon leaves it, or a test runner that captures output."""
    stream = io.StringIO()
    stream.close()
    monkeypatch.setattr(sys, name, stream)
    x = np.linspace(-1, 1, 64, dtype=np.float32).reshape(-1, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert pn.fit(pn.Sequential(pn.Dense(1)), (x, x), epochs=2, verbose=verbose).epochs == 2
