"""The command line: what it prints and how it ends."""

import os
import signal
import subprocess
import sys
import time

import pytest

import pyneural as pn
from pyneural.__main__ import main

QUICK = ["digits", "--model", "mlp", "--data", "sample", "--samples", "300", "--epochs", "1"]


def run(*arguments: str, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pyneural", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        **options,
    )


def test_digits_trains_evaluates_and_saves(tmp_path):
    done = run(*QUICK, "-o", str(tmp_path / "digits.safetensors"))
    assert done.returncode == 0, done.stderr
    assert "epoch 1/1" in done.stdout
    assert "accuracy" in done.stdout.splitlines()[-2]
    assert done.stdout.splitlines()[-1].startswith("saved ")
    assert done.stderr == ""
    assert pn.load(tmp_path / "digits.safetensors").card.task.kind == "classes"


def test_every_option_reaches_fit(tmp_path, capsys):
    code = main([
        *QUICK, "--batch-size", "50", "--optimizer", "sgd", "--learning-rate", "0.07", "--schedule", "cosine",
        "--validation", "0.2", "--seed", "9", "--threads", "1", "-o", str(tmp_path / "x.safetensors"),
    ])  # fmt: skip
    first = capsys.readouterr().out.splitlines()[0]
    pn.set_threads(2)
    assert code == 0
    assert "240 train, 60 validation" in first
    assert "sgd, cosine 0.07 · batch 50 · seed 9" in first


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["digits", "--model", "forest"], 2, "invalid choice: 'forest'"),
        (["digits", "--epochs", "many"], 2, "invalid int value"),
        ([], 2, "COMMAND"),
        (["digitz"], 2, "invalid choice"),
        (["digits", "--data", "/no/such/folder"], 1, "pyneural: mnist: path is /no/such/folder"),
        (["digits", "--epochs", "0", "--data", "sample"], 1, "pyneural: fit: epochs is 0"),
        (["digits", "-o", "digits.h5"], 1, "pyneural: save: digits.h5: models are .safetensors files"),
        (["digits", "--optimizer", "adamm", "--data", "sample"], 1, "did you mean 'adam'"),
        (["digits", "--learning-rate", "-1", "--data", "sample"], 1, "learning_rate is -1.0"),
    ],
)
def test_how_it_ends_when_it_cannot(arguments, code, words, tmp_path):
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == code
    assert words in done.stderr
    if code == 1:
        assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_debug_shows_the_traceback(tmp_path):
    done = run("digits", "--debug", "-o", "digits.h5", cwd=tmp_path)
    assert done.returncode == 1
    assert "Traceback" in done.stderr


def test_ctrl_c_saves_and_ends_with_130(tmp_path):
    path = tmp_path / "digits.safetensors"
    child = subprocess.Popen(
        [sys.executable, "-u", "-m", "pyneural", *QUICK[:5], "--epochs", "100000", "-o", str(path)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert child.stdout is not None
    assert any("epoch 1/" in line for line in iter(child.stdout.readline, "")), "it ended before its first epoch"
    time.sleep(0.2)
    child.send_signal(signal.SIGINT)
    try:
        out, err = child.communicate(timeout=60)
    finally:
        child.kill()
    assert child.returncode == 130
    assert err == ""
    assert "interrupted in epoch" in out
    assert pn.load(path).card.epochs >= 1


def test_help_and_version():
    assert run("--help").returncode == 0
    assert "--learning-rate" in run("digits", "--help").stdout
    assert run("--version").stdout.strip() == f"pyneural {pn.__version__}"


def test_importing_is_light():
    heavy = ("safetensors", "PIL", "tqdm", "pooch", "matplotlib", "requests", "argparse", "scipy")
    code = f"import sys, pyneural; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert done.stdout.strip() == "[]"
