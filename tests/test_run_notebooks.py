"""`make notebooks`: what is written is stable and whole, what fails is named, and stated times are kept."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import jupyter_kernels
import nbformat
import pytest

RUNNER = jupyter_kernels.tool()
NOISY = """
import sys, time
from IPython.display import display
print("first")
bar = display({"text/plain": "1 of 2"}, raw=True, display_id=True)
print("second")
bar.update({"text/plain": ""}, raw=True)
for done in range(3):
    print(f"\\r{done} of 3, and some more", end="", flush=True)
    time.sleep(0.01)
print("\\r                     \\rfinished")
print("warned", file=sys.stderr)
"""


def notebook_of(folder: Path, *cells: str, first: str = "Takes less than a minute.") -> Path:
    path = folder / "made.ipynb"
    code = [nbformat.v4.new_code_cell(cell) for cell in cells]
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(first), *code]), path)
    return path


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs the tool on the notebooks of a folder; exit status, stdout and stderr."""
    for name, value in jupyter_kernels.environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PYNEURAL_DATA", str(tmp_path))  # whose data is real
    monkeypatch.setattr(RUNNER, "FOLDER", tmp_path)
    return RUNNER.main


def test_a_notebook_is_written_with_what_another_run_would_give(run, tmp_path, capsys):
    path = notebook_of(tmp_path, NOISY, "6 * 7")
    assert run(["made"]) == 0
    assert re.fullmatch(
        r'made: \d+ s · its first cell states "less than a minute" · written\n', capsys.readouterr().out
    )
    once = path.read_bytes()
    notebook = json.loads(once)
    assert [cell["id"] for cell in notebook["cells"]] == ["cell-0", "cell-1", "cell-2"]
    noisy, last = notebook["cells"][1:]
    assert [(output["name"], "".join(output["text"])) for output in noisy["outputs"]] == [
        ("stdout", "first\nsecond\nfinished\n"),
        ("stderr", "warned\n"),
    ]
    assert last["outputs"][0]["data"] == {"text/plain": ["42"]}
    assert [cell["metadata"] for cell in notebook["cells"]] == [{}, {}, {}]
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert "version" not in notebook["metadata"]["language_info"]
    assert run([str(path)]) == 0
    assert path.read_bytes() == once
    assert not list(tmp_path.glob("*.part")) + list(tmp_path.glob(".*.part"))


def test_a_failing_cell_is_named_and_the_file_is_as_it_was(run, tmp_path, capsys):
    path = notebook_of(tmp_path, "x = 1", "print('x is set')\ny = 2\nassert x == y, 'x is 1, y is 2'", "z = 3")
    before = path.read_bytes()
    assert run([]) == 1
    said = capsys.readouterr()
    assert said.err == (
        "made: cell 2 failed\n    x is set\n    assert x == y, 'x is 1, y is 2'\n    AssertionError: x is 1, y is 2\n"
    )
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("import os; os._exit(1)", "made: Kernel died"),
        (
            "print('/home/someone/data.csv')",
            "made: cell 1 shows '/home/someone/data.csv', which differs on other machines",
        ),
        ("object()", "which differs on other machines"),
    ],
)
def test_what_cannot_be_committed_is_refused(run, tmp_path, capsys, cell, words):
    path = notebook_of(tmp_path, cell)
    before = path.read_bytes()
    assert run([]) == 1
    assert words in capsys.readouterr().err
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b'{"cells": [', b"[]", b"{}", b"\xff\xfe", b"", None])
def test_a_file_that_is_not_a_notebook_is_named_and_the_others_run(run, tmp_path, capsys, content):
    notebook_of(tmp_path, "1")
    if content is None:
        (tmp_path / "broken.ipynb").mkdir()
    else:
        (tmp_path / "broken.ipynb").write_bytes(content)
    assert run([]) == 1
    said = capsys.readouterr()
    assert re.fullmatch(r"broken: broken\.ipynb cannot be read as a notebook \(.*\)\n", said.err)
    assert said.out.startswith("made: ")


def test_a_notebook_that_cannot_be_written_is_named(run, tmp_path, capsys, monkeypatch):
    def write(path, notebook):
        raise PermissionError(13, "Permission denied", str(path))

    notebook_of(tmp_path, "1")
    monkeypatch.setattr(RUNNER, "write", write)
    assert run([]) == 1
    assert "made: [Errno 13] Permission denied" in capsys.readouterr().err


def test_a_kernel_that_is_not_installed_is_named(run, tmp_path, capsys, monkeypatch):
    client = RUNNER.NotebookClient
    monkeypatch.setattr(RUNNER, "NotebookClient", lambda *args, **words: client(*args, **words | {"kernel_name": "no"}))
    notebook_of(tmp_path, "1")
    assert run([]) == 1
    assert capsys.readouterr().err == "made: No such kernel named no; pip install ipykernel\n"


def test_long_lines_of_an_error_are_cut(run, tmp_path, capsys):
    notebook_of(tmp_path, "raise ValueError('a' * 100_000)")
    assert run([]) == 1
    assert len(capsys.readouterr().err) < 1000


def test_ctrl_c_stops_all_notebooks_and_the_kernel(tmp_path):
    (tmp_path / "tools").mkdir()
    (tmp_path / "notebooks").mkdir()
    shutil.copy(jupyter_kernels.TOOL, tmp_path / "tools")
    started = tmp_path / "started"
    cell = f"import os, pathlib, time\npathlib.Path({str(started)!r}).write_text(str(os.getpid()))\ntime.sleep(60)"
    before = notebook_of(tmp_path / "notebooks", cell).read_bytes()
    tool = subprocess.Popen(
        [sys.executable, str(tmp_path / "tools" / "run_notebooks.py")],
        env=jupyter_kernels.environment(tmp_path),
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    until = time.monotonic() + 30
    while not (started.exists() and started.read_text()) and time.monotonic() < until:
        time.sleep(0.1)
    tool.send_signal(signal.SIGINT)
    assert tool.communicate(timeout=30)[1].endswith("interrupted in made: its file is as it was\n")
    assert tool.returncode == 130
    assert [path.read_bytes() for path in (tmp_path / "notebooks").iterdir()] == [before]
    with pytest.raises(ProcessLookupError):
        os.kill(int(started.read_text()), 0)


def test_a_run_on_the_sample_is_not_written(run, tmp_path, capsys, monkeypatch):
    path = notebook_of(tmp_path, "1")
    before = path.read_bytes()
    monkeypatch.setenv("PYNEURAL_DATA", "sample")
    assert run([]) == 0
    assert "ran on the sample, so the file is as it was" in capsys.readouterr().out
    assert path.read_bytes() == before


def test_a_notebook_that_takes_longer_than_it_states_fails(run, tmp_path, capsys):
    notebook_of(tmp_path, "import time; time.sleep(1.5)", first="It takes about one second.")
    assert run([]) == 1
    assert ": TOO SLOW · written" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("runs in about two minutes", 150),
        ("takes less than a minute on two cores", 60),
        ("takes about 40 seconds", 50),
        ("runs in about a minute and a half", 112.5),
        ("at most half a minute", 30),
        ("under ten\nminutes", 600),
        ("says nothing", None),
    ],
)
def test_times_are_read_from_the_first_cell(text, seconds):
    cells = [nbformat.v4.new_markdown_cell(text), nbformat.v4.new_markdown_cell("in 3 seconds")]
    stated = RUNNER.stated_time(nbformat.v4.new_notebook(cells=cells))
    assert (stated and stated.seconds) == seconds


def test_an_unknown_name_shows_those_that_exist():
    done = subprocess.run(
        [sys.executable, str(jupyter_kernels.TOOL), "02_mnist"],
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("there is no notebook '02_mnist'; notebooks/ has 0")
