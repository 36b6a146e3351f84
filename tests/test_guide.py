"""The guide, docs/guide/: it is short, the index lists all of it, and its C programs compile and agree with Python."""

from __future__ import annotations

import re
import subprocess
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest
from checkout import ROOT

import pyneural as pn

GUIDE = ROOT / "docs" / "guide"
PAGES = sorted(GUIDE.glob("*.md"))
MOST_WORDS = 15_000  # an hour of reading


def prose(page: Path) -> str:
    """The page without its code."""
    return re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def test_the_guide_reads_in_an_hour() -> None:
    words = {page.name: len(prose(page).split()) for page in PAGES}
    assert sum(words.values()) <= MOST_WORDS, words


def test_the_index_lists_every_page_of_the_guide() -> None:
    index = (GUIDE.parent / "index.md").read_text(encoding="utf-8")
    trees = re.findall(r"^```\{toctree\}\n(.*?)^```$", index, flags=re.MULTILINE | re.DOTALL)
    listed = [line for tree in trees for line in tree.splitlines() if line.startswith("guide/")]
    assert [page.stem for page in PAGES if not any(fnmatch(f"guide/{page.stem}", line) for line in listed)] == []


def test_the_figures_of_the_readme_are_those_of_the_guide() -> None:
    """Those in bold: the README has some rows of the tables that the guide has whole."""
    measured = (ROOT / "README.md").read_text(encoding="utf-8").partition("\n## Measured\n")[2].partition("\n## ")[0]
    figures = re.findall(r"\*\*([\d.][^*]*)\*\*", measured)
    guide = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert len(figures) > 3
    assert [figure for figure in figures if f"**{figure}**" not in guide] == []


def test_the_page_on_installing_has_each_extra_and_what_it_needs() -> None:
    page = (GUIDE / "install.md").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = re.findall(r"^\| `(\w+)` \| ", page[page.index("## Extras") :], flags=re.MULTILINE)
    assert sorted(extras) == sorted(project["optional-dependencies"])
    for requirement in project["dependencies"]:
        name = re.match(r"[\w-]+", requirement)
        assert name
        assert name[0].lower() in page.lower()
    oldest = project["requires-python"].removeprefix(">=")
    assert f"Python {oldest} or newer" in page


def blocks(language: str) -> list[str]:
    page = (GUIDE / "from_c.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", page, flags=re.MULTILINE | re.DOTALL)


def test_the_c_programs_of_the_guide_compile_and_agree_with_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYNEURAL_DATA", "sample")
    (tmp_path / "pyneural").symlink_to(ROOT)
    world: dict[str, object] = {}
    for cell in blocks("python"):
        exec(cell, world)
    *answers, fingerprint = capsys.readouterr().out.splitlines()
    for program in blocks("c"):
        name = re.match(r"/\* (\w+\.c) -- ", program)
        assert name, program
        (tmp_path / name[1]).write_text(program, encoding="utf-8")
    printed = []
    for commands in blocks("sh"):
        done = subprocess.run(["sh", "-e", "-c", commands], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        printed.append(done.stdout)
    assert printed[0].splitlines() == answers
    assert pn.load(tmp_path / "trained.safetensors").fingerprint() == fingerprint
    assert printed[2:] == blocks("text")
