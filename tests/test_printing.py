"""What is printed can be printed anywhere: on terminals that know ASCII or Windows' letters alone, too."""

from __future__ import annotations

import ast
import inspect
import io
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import child
import numpy as np
import pytest
from PIL import Image

import pyneural as pn
from pyneural.commands.command_line import main
from pyneural.printing import encodable, folded

PACKAGE = Path(pn.__file__).parent
ASCII = {"PYTHONIOENCODING": "ascii"}
WINDOWS = {"PYTHONIOENCODING": "cp1252"}
BARE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": ":strict"}
TERMINALS = pytest.mark.parametrize("terminal", [ASCII, WINDOWS, BARE], ids=["ascii", "cp1252", "C"])


def written(encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding)


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8", "a · b … R² – Σ кот"),
        ("cp1252", "a · b … R² – sum \\u043a\\u043e\\u0442"),
        ("latin-1", "a · b ... R² - sum \\u043a\\u043e\\u0442"),
        ("ascii", "a | b ... R^2 - sum \\u043a\\u043e\\u0442"),
    ],
)
def test_characters_that_a_stream_cannot_encode_are_printed_in_ascii(encoding: str, text: str) -> None:
    assert encodable("a · b … R² – Σ кот", written(encoding)) == text


def test_file_names_that_are_not_valid_text_can_be_printed() -> None:
    assert encodable("m\udce4.png", written("utf-8")) == "m\\udce4.png"


def test_a_stream_without_an_encoding_takes_everything() -> None:
    assert encodable("·", io.StringIO()) == "·"


def output(terminal: dict[str, str], *arguments: str) -> str:
    """What a program prints in such a terminal; it must end well and leave stderr empty."""
    command = [sys.executable, "-P", "-W", "error", *arguments]
    done = subprocess.run(command, env=child.environment(terminal), capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b""), (arguments, done)
    return done.stdout.decode("cp1252" if terminal is WINDOWS else "ascii")


def print_everything() -> None:
    import io
    import sys

    import numpy as np

    import pyneural as pn

    class Terminal(io.TextIOWrapper):
        def isatty(self):
            return True

    generator = np.random.default_rng(0)
    x = generator.normal(size=(60, 2)).astype("float32")
    kinds = np.array(["кот", "собака", "рыба"])[np.arange(60) % 3]
    sys.stderr, usual = Terminal(io.BytesIO(), sys.stdout.encoding), sys.stderr
    model = pn.Sequential(pn.Dense(8, "relu", name="слой" * 10), pn.Dense(3))
    data = pn.Dataset(x, kinds, name="звери · 2026")
    history = pn.fit(model, data, epochs=2, validation=0.3)
    bar = sys.stderr.buffer.getvalue().decode(sys.stdout.encoding)
    sys.stderr = usual
    assert "epoch 2/2" in bar
    pn.fit(model, data, epochs=1, verbose=2)
    report = pn.evaluate(model, data)
    report.samples(3)
    model.summary()
    for shown in (model, history, report, data, pn.classify(model, x[0]), repr(report), str(model.layers[1])):
        print(shown)

    values = pn.Sequential(pn.Dense(1))
    pn.fit(values, (x, x[:, :1] * 3), epochs=1)
    pn.evaluate(values, (x, x[:, :1] * 3)).samples(2)

    at = pn.Input((2,))
    heads = pn.Model(at, {"верх": pn.Dense(3)(at), "низ": pn.Dense(3)(at)})
    numbers = np.arange(60) % 3
    pn.fit(heads, (x, {"верх": numbers, "низ": numbers}), epochs=1)
    pn.evaluate(heads, (x, {"верх": numbers, "низ": numbers}))
    print(heads)
    heads.summary()
    pn.datasets.mnist("sample")
    print(pn.datasets.mnist("sample").train)


@TERMINALS
def test_training_and_its_results_can_be_printed(terminal: dict[str, str], tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(f"{inspect.getsource(print_everything)}\nprint_everything()\n", encoding="utf-8")
    text = output(terminal, str(program))
    assert ("accuracy" in text, "R²" in text, "R^2" in text) == (True, terminal is WINDOWS, terminal is not WINDOWS)
    assert (" · loss" in text, " | loss" in text) == (terminal is WINDOWS, terminal is not WINDOWS)


@TERMINALS
def test_the_command_line_can_be_printed(terminal: dict[str, str], tmp_path: Path) -> None:
    model = str(tmp_path / "digits.safetensors")
    Image.fromarray(pn.datasets.mnist("sample").test.x[0, :, :, 0]).save(tmp_path / "зверь.png")
    for arguments in (
        ["digits", "--model", "mlp", "--data", "sample", "--samples", "300", "--epochs", "1", "-o", model],
        ["info", model],
        ["predict", model, str(tmp_path / "зверь.png")],
        ["evaluate", model, "sample"],
        ["--help"],
        *([command, "--help"] for command in ("digits", "predict", "evaluate", "info")),
    ):
        assert output(terminal, "-m", "pyneural", *arguments)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def print_in(columns: int, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """What is printed from now on, in a terminal of that width."""
    monkeypatch.setattr(shutil, "get_terminal_size", lambda *_, **__: os.terminal_size((columns, 24)))
    monkeypatch.setattr(sys, "stdout", Terminal())
    return sys.stdout  # type: ignore[return-value]


def check(printed: str, columns: int) -> None:
    """No line is too wide, but one that is a single word; intervals, shapes and percentages are whole."""
    for line in printed.splitlines():
        assert len(line) <= columns or re.fullmatch(r"(fingerprint)? +[0-9a-f]{64}|\s*\S+", line), line
        assert line.count("[") == line.count("]"), line
        assert not re.search(r"\(\d+,$|\(\d+, \d+,$|^ *[%·]( |$)", line), line


WIDTHS = pytest.mark.parametrize("columns", [40, 60, 80])


@WIDTHS
def test_results_fit_a_narrow_terminal(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    printed = print_in(columns, monkeypatch)
    generator = np.random.default_rng(0)
    x = generator.normal(size=(60, 4, 4, 1)).astype("float32")
    y = {"top": np.array(["a cat", "a dog", "an elephant"])[np.arange(60) % 3], "bottom": np.arange(60) % 2}
    at = pn.Input((4, 4, 1))
    left = pn.Conv2D(4, 3, padding="same", name="a_name_of_a_layer_that_is_long_already")(at)
    both = pn.Flatten()(left + pn.Conv2D(4, 3, padding="same")(left))
    model = pn.Model(at, {"top": pn.Dense(3)(both), "bottom": pn.Dense(2)(both)})
    model.summary()
    pn.fit(model, (x, y), epochs=1)
    for report in pn.evaluate(model, (x, y)).values():
        report.samples(3)
    pn.check_gradients(model, x[:2], {name: values[:2] for name, values in y.items()}, elements=1)
    values = pn.Sequential(pn.Flatten(), pn.Dense(3))
    values.summary()
    pn.fit(values, (x, x[:, 0, :3, 0]), epochs=1)
    pn.evaluate(values, (x, x[:, 0, :3, 0])).samples(2)
    values.summary()
    check(printed.getvalue(), columns)
    image = pn.ascii(generator.integers(0, 256, (56, 56), np.uint8))
    assert {len(line) for line in image.splitlines()} == {columns}


@WIDTHS
def test_the_commands_fit_a_narrow_terminal(columns: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    Image.fromarray(pn.datasets.mnist("sample").test.x[0, :, :, 0]).save("one.png")
    printed = print_in(columns, monkeypatch)
    quick = ["--data", "sample", "--samples", "300", "--epochs", "1"]
    for arguments in (
        ["digits", "--model", "mlp", *quick, "-o", "m.safetensors"],
        ["info", "m.safetensors"],
        ["evaluate", "m.safetensors", "sample"],
        ["predict", "m.safetensors", "one.png"],
    ):
        assert main(arguments) == 0
    check(printed.getvalue(), columns)


def test_an_interval_and_a_shape_are_not_broken() -> None:
    part = "val_accuracy 99.35 % [99.1, 99.6], x (28, 28, 1), best (a 1.5 % [0.5, 3.5])"
    assert folded([part, "n = 9"], 24) == [
        "val_accuracy 99.35 %",
        "    [99.1, 99.6], x",
        "    (28, 28, 1), best (a",
        "    1.5 % [0.5, 3.5]) ·",
        "    n = 9",
    ]


def test_the_first_line_has_its_own_start() -> None:
    assert folded(["one two", "three"], 15, " " * 6, "name  ") == ["name  one two ·", "      three"]
    assert folded(["one two", "three"], None, " " * 6, "name  ") == ["name  one two · three"]


def test_only_one_function_of_the_package_prints() -> None:
    found = [
        path.relative_to(PACKAGE).as_posix()
        for path in sorted(PACKAGE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and re.fullmatch(r"print|sys\.std(out|err)\.write", ast.unparse(node.func))
    ]
    assert found == ["printing.py"], f"use printing.put: {found}"
