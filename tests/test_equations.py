"""docs/equations.md: each op with a gradient and each optimizer is on the page, with the file that computes it."""

import re
import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

from pyneural._core import op_table, optimizer_table

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs/equations.md").read_text(encoding="utf-8")
ROWS = [re.split(r" \| ", line.strip("| ")) for line in PAGE.splitlines() if line.startswith("| `")]
OPS = [row for row in ROWS if len(row) == 4]
DIFFERENTIABLE = [row["name"] for row in op_table() if row["differentiable"]]


@pytest.fixture(scope="module")
def lists() -> SimpleNamespace:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "tools")
        return SimpleNamespace(**runpy.run_path(str(ROOT / "tools/lists.py")))


def names(row: list[str]) -> list[str]:
    return re.findall(r"`(\w+)`", row[0])


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_an_op_that_has_a_gradient_stands_on_the_page_with_its_file(name: str, lists: SimpleNamespace) -> None:
    of_it = [row for row in OPS if name in names(row)]
    assert of_it, f"docs/equations.md: add a row for the op {name}"
    for row in of_it:
        assert re.findall(r"\(\.\./(csrc/\S+)\)", row[1]) == [lists.file_of_op(name)]
        assert all(cell.strip() for cell in row)


def test_the_page_has_no_other_ops() -> None:
    assert {name for row in OPS for name in names(row)} == set(DIFFERENTIABLE)


def test_each_optimizer_stands_on_the_page() -> None:
    assert [names(row) for row in ROWS if len(row) == 2] == [[name] for name in optimizer_table()]
