"""docs/command_line.md: its blocks run from top to bottom, on the samples; it has all commands and settings."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from checkout import ROOT

PAGE = (ROOT / "docs" / "command_line.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(sh|python)\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {
        "PYNEURAL_DATA": "sample",
        "PYTHONPATH": str(ROOT),
        "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
    }
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_blocks_of_the_page_run(tmp_path: Path) -> None:
    command = tmp_path / "bin" / "pyneural"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m pyneural "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    python = ""  # the blocks share one namespace
    printed = ""
    for language, block in BLOCKS:
        if language == "python":
            python += block
        program = [sys.executable, "-c", python] if language == "python" else ["sh", "-e", "-c", block]
        done = run(program, tmp_path)
        assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
        printed += done.stdout
    assert "drawn.png: 2" in printed, printed
    assert {"digits.safetensors", "mlp.safetensors", "scans.safetensors", "flats.safetensors", "model.safetensors",
            "answers.csv", "page.html"} <= {path.name for path in tmp_path.iterdir()}  # fmt: skip
    assert len(list((tmp_path / "maps").glob("*.png"))) == 3
    assert list((tmp_path / "plots").glob("*.png"))
    whole = re.search(r"^```text\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)
    assert whole
    for line in whole[1].splitlines():
        assert re.search(rf"^{line[:15]}", printed, flags=re.MULTILINE), line


def test_each_command_is_on_the_page(tmp_path: Path) -> None:
    listed = re.search(
        r"COMMAND\n(.*?)\noptions:", run([sys.executable, "-m", "pyneural", "--help"], tmp_path).stdout, re.DOTALL
    )
    assert listed
    names = re.findall(r"^    ([a-z-]+)", listed[1], flags=re.MULTILINE)
    assert len(names) >= 10
    table = PAGE[: PAGE.index("## digits")]
    assert not [name for name in names if f"`{name}`" not in table]


@pytest.mark.parametrize("folder", ["pyneural", "csrc"])
def test_each_environment_variable_that_is_read_is_a_setting_on_the_page(folder: str) -> None:
    sources = [path for path in (ROOT / folder).rglob("*") if path.suffix in {".py", ".c", ".inc"}]
    read = {name for path in sources for name in re.findall(r'"((?:PYNEURAL|OMP)_[A-Z_]+)"', path.read_text("utf-8"))}
    settings = PAGE[PAGE.index("## Settings") :]
    assert read
    assert not [name for name in read if f"| `{name}` |" not in settings]
