"""The notebooks: committed as run once on real data, with the figures of claims.json; and run on the sample."""

import ast
import json
import re
import sys
import tomllib
from pathlib import Path

import jupyter_kernels
import pytest

FOLDER = Path(__file__).resolve().parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
CLAIMS = json.loads((FOLDER / "claims.json").read_text(encoding="utf-8"))
BROUGHT = {  # what a package is imported as, and what it brings
    "scikit-learn": {"sklearn", "threadpoolctl"},
    "jupyterlab": {"IPython", "matplotlib_inline"},
}
CELL = 120  # seconds a cell may take on the sample, on a crowded machine


def code_of(path: Path) -> list[dict]:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def text_of(cells: list[dict]) -> str:
    """All text in the outputs."""
    outputs = [output for cell in cells for output in cell["outputs"]]
    texts = [output.get("text") or output.get("data", {}).get("text/plain", "") for output in outputs]
    return "\n".join("".join(text) for text in texts)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_was_run_once_from_top_to_bottom(path):
    cells = code_of(path)
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    assert not [output for cell in cells for output in cell["outputs"] if output["output_type"] == "error"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_is_of_real_data_and_small(path):
    assert "EMBEDDED SAMPLE" not in text_of(code_of(path))
    assert not re.search(r"/(home|work|tmp|root|Users)/", text_of(code_of(path)))
    assert path.stat().st_size < 500_000


@pytest.mark.parametrize("name", CLAIMS)
def test_its_claims_are_those_it_printed(name):
    assert (FOLDER / f"{name}.ipynb").is_file()
    of = CLAIMS[name]
    assert list(of) == ["real", "sample"]
    assert list(of["real"]) == list(of["sample"])
    text = text_of(code_of(FOLDER / f"{name}.ipynb"))
    for what, figure in of["real"].items():
        assert re.search(rf"^{re.escape(what)}: .*\bclaimed {100 * figure:.2f} %$", text, re.MULTILINE), what


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs_on_the_sample_without_a_network_and_writes_no_files(path, tmp_path, monkeypatch):
    runner = jupyter_kernels.tool()
    before = sorted(FOLDER.rglob("*"))
    for name, value in jupyter_kernels.environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    notebook = runner.execute(path, timeout=CELL)
    runner.check(path, notebook)
    assert sorted(FOLDER.rglob("*")) == before


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_states_its_time_first_and_its_file_is_as_the_runner_writes_it(path):
    runner = jupyter_kernels.tool()
    notebook = runner.nbformat.read(path, as_version=4)
    assert runner.stated_time(notebook), "the first cell says in words how long the notebook takes: about two minutes"
    runner.normalise(notebook)
    assert runner.nbformat.writes(notebook).rstrip() == path.read_text(encoding="utf-8").rstrip(), "make notebooks"


def test_they_import_only_what_the_extra_notebook_installs():
    project = tomllib.loads((FOLDER.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = [*project["dependencies"], *project["optional-dependencies"]["notebook"]]
    names = [re.match(r"[\w-]+", one)[0] for one in needed]
    installed = set().union(
        {"PIL", "pyneural"}, sys.stdlib_module_names, *(BROUGHT.get(name, {name}) for name in names)
    )
    for path in NOTEBOOKS:
        for cell in code_of(path):
            for node in ast.walk(ast.parse("".join(cell["source"]))):
                found = [one.name for one in node.names] if isinstance(node, ast.Import) else []
                found += [node.module] if isinstance(node, ast.ImportFrom) else []
                assert {name.split(".")[0] for name in found} <= installed, (path.name, cell["id"], found)
