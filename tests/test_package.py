"""Laws of the package: its examples run, its modules are small, its names are there."""

import ast
import doctest
import importlib
import pkgutil
from pathlib import Path

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


def test_init_holds_names_only():
    tree = ast.parse((ROOT / "__init__.py").read_text(encoding="utf-8"))
    kinds = {type(node) for node in tree.body[1:]}
    assert kinds <= {ast.Import, ast.ImportFrom, ast.Assign}


def test_every_name_it_lists_is_there():
    for name in pn.__all__:
        assert hasattr(pn, name), name
    assert pn.__all__ == sorted(pn.__all__, key=lambda name: (not name.isupper(), not name[0].isupper(), name))


def test_the_word_for_the_environment_is_read_in_one_place():
    readers = [path.name for path in ROOT.rglob("*.py") if "environ" in path.read_text(encoding="utf-8")]
    assert readers == ["datasets.py"]
