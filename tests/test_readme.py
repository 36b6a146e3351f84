"""What the README and the pages in docs/ say must be so: their commands run in a fresh clone, their C compiles.

The clone is made once, and holds what this checkout does, committed or not.  It gets no network but what pip needs,
which is what `make test` needed before it came here.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import checkout
import pytest
from checkout import ROOT

PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    *sorted(str(page.relative_to(ROOT)) for page in (ROOT / "docs").rglob("*.md")),
)
PLACES = (
    ROOT,
    ROOT / "docs",
    ROOT / "csrc",
    ROOT / "csrc" / "ops",
    ROOT / "csrc" / "kernels",
    ROOT / "examples",
    ROOT / "pyneural",
    ROOT / "pyneural" / "layers",
)


def read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", read(page), flags=re.MULTILINE | re.DOTALL)


def test_the_commands_that_pages_name_are_doors() -> None:
    doors = subprocess.run(["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    known = set(re.findall(r"^make ([a-z-]+)", doors, flags=re.MULTILINE))
    assert {"help", "digits", "test", "bench", "lint", "asan", "tsan", "stubs", "docs"} <= known
    for page in PAGES:
        named = set(re.findall(r"(?:`|^)make ([a-z][a-z-]*)", read(page), flags=re.MULTILINE))
        assert named <= known, f"{page} names {sorted(named - known)}"


@pytest.mark.parametrize("page", PAGES)
def test_the_files_that_pages_name_are_there(page: str) -> None:
    named = re.findall(r"`((?:[\w.-]+/)*[\w-]+\.(?:c|h|py|inc|def|md))`", read(page))
    named += re.findall(r"\]\((?!https?:)([^)#]+)\)", read(page))
    places = ((ROOT / page).parent, *PLACES)
    missing = [name for name in named if name != "Python.h" and not any((place / name).exists() for place in places)]
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


@pytest.mark.parametrize("stub", ["naive_f32", "baseline_f64"])
def test_the_kernel_that_the_docs_write_compiles(stub: str, tmp_path: Path) -> None:
    whole = [block for block in blocks("docs/adding-an-op.md", "c") if block.startswith("/* prefix_sum.inc")]
    assert len(whole) == 1
    family = tmp_path / "kernels" / "families" / "prefix_sum.inc"
    family.parent.mkdir(parents=True)
    family.write_text(whole[0], encoding="utf-8")
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")
    flags = ["-std=gnu11", "-fsyntax-only", "-Wall", "-Wextra", "-Wconversion", "-Werror", f"-I{ROOT / 'csrc'}"]
    source = ROOT / "csrc" / "kernels" / "isa" / f"{stub}.c"
    command = [*compiler, *flags, f"-I{tmp_path}", "-DPN_FAMILY=prefix_sum", str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# ---- a fresh clone, and every block of the README in it ------------------------------------------------------------


@dataclass(frozen=True)
class Clone:
    """A clone in which the README was followed from top to bottom."""

    folder: Path
    followed: list[tuple[str, subprocess.CompletedProcess[str]]]  # each block, and how it ended

    def git(self, *arguments: str) -> str:
        identity = ["-c", "user.name=reader", "-c", "user.email=reader@localhost"]
        command = ["git", *identity, *arguments]
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=True).stdout

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, cwd=self.folder, env=_reader(), capture_output=True, text=True, check=False)


def _reader() -> dict[str, str]:
    """The environment of somebody who has just come: nothing of this test run's, or of the make that may run it."""
    ours = re.compile(r"(MAKE|MFLAGS|GNUMAKE|VENV|VIRTUAL_ENV|PYTHON|PYTEST|PYNEURAL|LD_PRELOAD|C_)")
    there = {name: value for name, value in os.environ.items() if not ours.match(name)}
    return there | {"PYTHON": sys.executable, "PYNEURAL_DATA": "sample"}


def _command(language: str, block: str) -> list[str]:
    if language == "python":
        return [".venv/bin/python", "-W", "error", "-c", block]
    # `make test` is the suite that this test is a part of: followed here it would never end, and whoever reads this has
    # just run it.  Its recipe is expanded to the last line, and not run.
    return ["bash", "-e", "-o", "pipefail", "-c", re.sub(r"^make test\b", "make -n test", block, flags=re.MULTILINE)]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    made = Clone(checkout.copy(tmp_path_factory.mktemp("reader") / "clone"), [])
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "as it is here"]):
        made.git(*arguments)
    for language, block in BLOCKS:
        made.followed.append((block, made.run(*_command(language, block))))
    return made


BLOCKS = re.findall(r"^```(sh|python)\n(.*?)^```$", read("README.md"), flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("number", range(len(BLOCKS)), ids=lambda n: BLOCKS[n][1].split("\n")[0][:40])
def test_a_block_of_the_readme_runs_in_a_fresh_clone(clone: Clone, number: int) -> None:
    block, done = clone.followed[number]
    assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    for command in ("make digits", "pn.evaluate", "pyneural evaluate"):
        if command in block:
            assert re.search(r"accuracy \d\d\.\d\d % \[", done.stdout), done.stdout
    if "make test" in block:
        for step in ("ruff check", "mypy --strict", "c-test", "pytest -n"):
            assert step in done.stdout


def test_the_readme_has_the_two_commands_and_the_six_lines() -> None:
    shell = [block for language, block in BLOCKS if language == "sh"]
    assert [line.split("#")[0].strip() for line in shell[0].splitlines()] == ["make digits", "make test"]
    python = next(block for language, block in BLOCKS if language == "python")
    assert len([line for line in python.splitlines() if line]) <= 7  # the import, and six


def test_the_readme_fits_two_screens() -> None:
    assert len(read("README.md").splitlines()) <= 110


def test_following_the_readme_leaves_nothing_that_git_sees(clone: Clone) -> None:
    assert clone.git("status", "--porcelain") == ""


def test_what_was_built_knows_nothing_of_where(clone: Clone) -> None:
    (binary,) = (clone.folder / "pyneural").glob("_core*.so")
    content = binary.read_bytes()
    for place in (str(clone.folder), str(ROOT), sys.base_prefix, "pip-build-env"):
        assert place == "/usr" or place.encode() not in content, f"{place} is in {binary.name}"


def test_the_command_and_the_module_are_one(clone: Clone) -> None:
    command = clone.run(".venv/bin/pyneural", "--help")
    module = clone.run(".venv/bin/python", "-m", "pyneural", "--help")
    assert command.returncode == module.returncode == 0
    assert command.stdout == module.stdout != ""


SCRIPT = """
from pathlib import Path
from typing import assert_type

import numpy as np

import pyneural as pn

data = pn.datasets.mnist("sample")
model = pn.Sequential(pn.Conv2D(16, 5, activation="relu"), pn.MaxPool2D(2), pn.Flatten(), pn.Dense(10))
history = pn.fit(model, data, epochs=1, optimizer=pn.SGD(learning_rate=0.1, momentum=0.9), validation=0.2)
assert_type(history, pn.History)
assert_type(history["val_loss"], list[float])
assert data.test is not None
report = pn.evaluate(model, data.test)
assert_type(report, pn.Report)
path: Path = pn.save(model, "digits.safetensors")
again: pn.Model = pn.load(path)
probabilities = pn.predict(again, data.test)
print(probabilities.shape, pn.prepare_digit(np.zeros((9, 9), "uint8")).shape, pn.examine_digit("7.png").inverted)
x = pn.tensor([1.0, 2.0], requires_grad=True)
loss: pn.Tensor = (x * x).sum()
loss.backward()

pn.fit(model, data, epochs="5")  # type: ignore[arg-type]
pn.fit(model, data, epoch=5)  # type: ignore[call-arg]
pn.Dense("10")  # type: ignore[arg-type]
pn.save(model)  # type: ignore[call-arg]
pn.nothing  # type: ignore[attr-defined]
"""


def test_a_users_script_is_typed_against_what_is_installed(clone: Clone, tmp_path: Path) -> None:
    """Under --strict an ignore that meets no error is one itself, so the mistakes at the script's end are found."""
    (tmp_path / "script.py").write_text(SCRIPT, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--python-executable", str(clone.folder / ".venv/bin/python"),
         "--cache-dir", str(tmp_path / "cache"), "script.py"],
        cwd=tmp_path, env=_reader(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
