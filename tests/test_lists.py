"""docs/lists.md: each entry of the tables of the library has a test that exists and covers it."""

import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import pyneural as pn
from pyneural.files.architecture import KINDS

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def covering() -> SimpleNamespace:
    return SimpleNamespace(**runpy.run_path(str(ROOT / "tools/covering.py")))


def test_every_entry_of_the_tables_is_listed() -> None:
    text = (ROOT / "docs/lists.md").read_text("utf-8")
    for name in (*pn.losses.NAMES, *pn.schedules.NAMES, *pn.initializers.NAMES, "relu", "adamw", "accuracy"):
        assert f'"{name}"' in text, name
    for name in set(KINDS) - {"Arithmetic"}:
        assert f"`pn.{name}(" in text, name


@pytest.mark.parametrize(
    ("test", "word", "message"),
    [
        ("tests/layers/test_layers.py::test_dense_is_fast", "pn.Dense", "test_dense_is_fast, which covers Dense, does"),
        ("tests/layers/test_cake.py::test_dense_is_cake", "pn.Dense", "tests/layers/test_cake.py does not exist"),
        ("tests/layers/test_layers.py::test_layer_norm_normalises_each_row", "pn.Dense", "does not cover Dense"),
    ],
)
def test_a_test_that_does_not_cover_its_entry_is_reported(covering, test: str, word: str, message: str) -> None:
    with pytest.raises(SystemExit, match=message):
        covering.check_test(test, word, "Dense")


def test_an_entry_without_a_test_is_reported(covering) -> None:
    with pytest.raises(SystemExit, match="Swish has no test: name the one that covers it"):
        covering.test_of(covering.OF_LAYERS, "Swish")


@pytest.fixture(autouse=True)
def _same_path():
    before = list(sys.path)
    yield
    sys.path[:] = before
