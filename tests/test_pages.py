"""Every Python example of the pages runs: blocks of ```python at the build of the site, doctests in ```pycon here."""

from __future__ import annotations

import doctest
import importlib.util
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import pyneural as pn

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(ROOT.glob("docs/**/*.md"))
NAMES = [str(page.relative_to(ROOT / "docs")) for page in PAGES]
DOCTESTS = [page for page in PAGES if "\n```pycon\n" in page.read_text(encoding="utf-8")]
FRAGMENTS = {  # pages with blocks that are shown only, and why
    "adding-an-op.md": "rows of the tables of tests/oprows.py, which the reader adds",
    "tables.md": "a cluster of Dask, which the tests do not start",
}


def public_names() -> list[str]:
    """Every name that users call, as they write it; each op is on docs/ops.md."""
    folders = (pn.apps, pn.callbacks, pn.datasets, pn.metrics, pn.plot)
    names = [f"pn.{name}" for name in pn.__all__ if not isinstance(getattr(pn, name), ModuleType)]
    names += [f"pn.{folder.__name__.split('.')[1]}.{name}" for folder in folders for name in folder.__all__]
    tables = {"initializers": {**pn.initializers.NAMES, "constant": None}, "schedules": pn.schedules.NAMES}
    return names + [f"pn.{module}.{name.replace('-', '_')}" for module, table in tables.items() for name in table]


def test_the_reference_has_each_public_name_once() -> None:
    listed = []
    for page in ROOT.glob("docs/api/*.md"):
        for block in re.findall(r"^```{names}\n(.*?)^```$", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL):
            listed += [line.split(":")[0] for line in block.splitlines()]
    assert sorted(listed) == sorted(public_names())


def words_of_blocks(page: Path) -> list[str]:
    """What stands behind each opening fence."""
    return re.findall(r"^ *```+(\S[^\n]*)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_each_python_block_of_a_page_is_executed(page: Path) -> None:
    name = str(page.relative_to(ROOT / "docs"))
    blocks = words_of_blocks(page)
    other = [words for words in blocks if re.match(r"(py|python3|ipython|\{code-cell)", words)]
    assert not [words for words in other if words.split()[0] not in ("python", "pycon")], "write ```python or ```pycon"
    nested = re.findall(r"^ +```+python.*$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert not nested, "a block in a list is not executed: let it start at the first column"
    assert ("python shown" in blocks) == (name in FRAGMENTS), "execute the block, or list the page with a reason"


@pytest.mark.parametrize("page", DOCTESTS, ids=lambda page: page.name)
def test_the_doctests_of_a_page_run(page: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PYNEURAL_DATA", "sample")
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```pycon\n(.*?)^```$", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    example = doctest.DocTestParser().get_doctest("\n".join(blocks), {"pn": pn, "np": np}, page.name, None, 0)
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    assert runner.run(example).failed == 0
    assert runner.tries >= len(blocks)


# ---- how a page becomes a notebook ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def read() -> Callable[[str], Any]:
    place = importlib.util.spec_from_file_location("page_cells", ROOT / "docs" / "page_cells.py")
    assert place is not None
    assert place.loader is not None
    module = importlib.util.module_from_spec(place)
    place.loader.exec_module(module)
    return module.read


def test_each_python_block_is_a_cell_and_the_text_between_stays(read: Callable[[str], Any]) -> None:
    page = read(
        "# A\n\n```python\nx = 1\n```\n\ntext\n\n```sh\nls\n```\n\n```python raises ValueError\nint('a')\n```\nend\n"
    )
    kinds = [(cell.cell_type, cell.source.strip()) for cell in page.cells[1:]]
    assert kinds == [
        ("markdown", "# A"), ("code", "x = 1"), ("markdown", "text\n\n```sh\nls\n```"),
        ("code", "int('a')"), ("markdown", "end"),
    ]  # fmt: skip
    assert page.cells[0].metadata["tags"] == ["remove-cell"]
    assert page.cells[4].metadata["tags"] == ["raises-exception", "raises-ValueError"]
    assert page.metadata["source_map"] == [0, 0, 3, 4, 13, 14]


def test_a_page_without_blocks_starts_no_kernel(read: Callable[[str], Any]) -> None:
    page = read("# A\n\n```python shown\nrow(...)\n```\n")
    assert [cell.cell_type for cell in page.cells] == ["markdown"]
    assert "row(...)" in page.cells[0].source
    assert page.metadata["mystnb"] == {"execution_mode": "off"}


def test_an_unknown_word_after_python_is_an_error(read: Callable[[str], Any]) -> None:
    with pytest.raises(ValueError, match="expected nothing, hidden, shown, or raises and the name of an error"):
        read("```python slow\nx = 1\n```\n")
