"""Laws of the package: its examples run, its modules are small, its names are there; and what is handed on is whole."""

import ast
import doctest
import importlib
import os
import pkgutil
import subprocess
import sys
import tarfile
from pathlib import Path

import checkout
import numpy as np
import pytest

import pyneural as pn

ROOT = Path(pn.__file__).parent
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages([str(ROOT)], "pyneural.")
    if not module.name.endswith(("._core", "__main__"))
)


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_run(name):
    module = importlib.import_module(name)
    known = {"pn": pn, "np": np} | ({} if name == "pyneural.ops" else vars(module))  # ops has a slice and a sum
    found = doctest.testmod(module, globs=known, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert found.failed == 0


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda path: path.name)
def test_a_module_can_be_read_in_one_sitting(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 320, f"{path.name} has grown too long"
    assert ast.get_docstring(ast.parse(text)), f"{path.name} says nothing about itself"


def test_the_word_for_the_environment_is_read_in_one_place():
    readers = [path.name for path in ROOT.rglob("*.py") if "environ" in path.read_text(encoding="utf-8")]
    assert readers == ["data_path.py"]


def test_the_citation_names_the_version():
    assert f"\nversion: {pn.__version__}\n" in (ROOT.parent / "CITATION.cff").read_text(encoding="utf-8")


# ---- what is handed on ---------------------------------------------------------------------------------------------


def setup(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """setup.py in a copy of the checkout."""
    return subprocess.run(
        [sys.executable, "setup.py", "-q", *arguments],
        cwd=folder, env=os.environ | variables, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_source_distribution_holds_all_that_a_clone_does(tmp_path):
    """So what is built from it is what is built from a clone; `make matrix` builds its wheels from it."""
    here = checkout.copy(tmp_path / "clone")
    done = setup(here, "sdist", "--dist-dir", str(tmp_path))
    assert done.returncode == 0, done.stderr
    (archive,) = tmp_path.glob("*.tar.gz")
    assert archive.name == f"pyneural-{pn.__version__}.tar.gz"
    with tarfile.open(archive) as opened:
        held = {member.name.partition("/")[2]: member for member in opened.getmembers() if member.isfile()}
        for name in checkout.files():
            if name.startswith((".gitignore", ".ci/", ".github/")):  # what only a clone needs
                continue
            assert name in held, f"{name} is not in the source distribution: see MANIFEST.in"
            content = opened.extractfile(held[name])
            assert content is not None
            assert content.read() == (here / name).read_bytes(), name
    made = {name for name in held if not name.startswith("pyneural.egg-info/")}
    assert made - set(checkout.files()) <= {"PKG-INFO", "setup.cfg"}


def test_a_wheel_holds_every_file_of_the_package(tmp_path):
    """What the build lays out beside the engine; data and stubs must be named in pyproject.toml."""
    done = setup(checkout.copy(tmp_path / "clone"), "build_py", "--build-lib", str(tmp_path / "built"))
    assert done.returncode == 0, done.stderr
    built = {str(path.relative_to(tmp_path / "built")) for path in (tmp_path / "built").rglob("*") if path.is_file()}
    assert built == {name for name in checkout.files() if name.startswith("pyneural/")}


def test_the_source_without_its_engine_says_so(tmp_path):
    """`pip install .`, and then Python started beside the source: without this it is a circular import."""
    here = checkout.copy(tmp_path / "clone")
    command = [sys.executable, "-S", "-c", "import pyneural"]  # an editable install would lend its engine
    variables = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONSAFEPATH")}
    done = subprocess.run(command, cwd=here, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        f"ImportError: pyneural: {here / 'pyneural'} is a source folder whose engine is not built for this Python: "
        f"run `pip install --editable {here}`, or start Python in another folder to use an installed pyneural"
    )


def test_without_a_compiler_the_build_says_what_to_install(tmp_path):
    here = checkout.copy(tmp_path / "clone")
    done = setup(here, "build_ext", CC="/no/such/cc")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("pyneural is built from C, but the compiler '/no/such/cc' was not found. Install one")
    assert done.stderr.count("\n") == 1
    assert "apt install build-essential" in done.stderr
    assert "set CC" in done.stderr


def test_a_build_that_is_not_known_is_refused(tmp_path):
    done = setup(checkout.copy(tmp_path / "clone"), "build_ext", PYNEURAL_BUILD="fast")
    assert done.returncode == 1
    assert "PYNEURAL_BUILD is 'fast'; give one of release, debug" in done.stderr
