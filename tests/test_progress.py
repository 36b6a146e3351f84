"""Progress: how its lines look in a terminal, wide and narrow, and elsewhere."""

import io
import os
import shutil
import sys

import pytest

import pyneural as pn
from pyneural.progress import Progress, number

VALUES = {
    "loss": 0.2143, "accuracy": 0.934, "val_loss": 0.0712, "val_accuracy": pn.Estimate.share(5871, 6000),
}  # fmt: skip


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("value", "text"), [(2.3026, "2.303"), (0.2143, "0.214"), (0.0712, "0.0712"), (0.00012, "0.00012"), (0.0, "0.000")]
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
