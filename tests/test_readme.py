"""What the README and the pages in docs/ say must be so: their Python runs, their C compiles, their files are there."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = ("README.md", "docs/architecture.md", "docs/adding-an-op.md", "docs/ops.md")
PLACES = (ROOT, ROOT / "docs", ROOT / "csrc", ROOT / "csrc" / "ops", ROOT / "examples")


def read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", read(page), flags=re.MULTILINE | re.DOTALL)


def test_the_readmes_python_runs_as_it_stands(tmp_path: Path) -> None:
    """On the embedded sample, one block after the other, in one fresh interpreter."""
    script = "\n".join(blocks("README.md", "python"))
    assert "pn.fit(" in script
    environment = os.environ | {"PYNEURAL_DATA": "sample"}
    command = [sys.executable, "-W", "error", "-c", script]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "accuracy" in done.stdout


def test_the_commands_that_pages_name_are_doors() -> None:
    doors = subprocess.run(["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    known = set(re.findall(r"^make ([a-z-]+)", doors, flags=re.MULTILINE))
    assert {"help", "digits", "test", "bench", "lint", "asan", "tsan", "docs"} <= known
    for page in PAGES:
        named = set(re.findall(r"(?:`|^)make ([a-z][a-z-]*)", read(page), flags=re.MULTILINE))
        assert named <= known, f"{page} names {sorted(named - known)}"


@pytest.mark.parametrize("page", PAGES)
def test_the_files_that_pages_name_are_there(page: str) -> None:
    named = re.findall(r"`((?:[\w.-]+/)*[\w-]+\.(?:c|h|py|inc|def|md))`", read(page))
    named += re.findall(r"\]\((?!https?:)([^)#]+)\)", read(page))
    missing = [name for name in named if name != "Python.h" and not any((place / name).exists() for place in PLACES)]
    assert not missing


def test_the_op_that_the_docs_write_compiles(tmp_path: Path) -> None:
    whole = [block for block in blocks("docs/adding-an-op.md", "c") if block.startswith("/* flip.c")]
    assert len(whole) == 1
    source = tmp_path / "flip.c"
    source.write_text("extern const struct pn_op pn_op_flip;\n" + whole[0], encoding="utf-8")
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")
    flags = ["-std=gnu11", "-fsyntax-only", "-Wall", "-Wextra", "-Wconversion", "-Werror", f"-I{ROOT / 'csrc'}"]
    done = subprocess.run([*compiler, *flags, str(source)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
