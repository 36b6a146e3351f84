"""What docs/tables.md says of scikit-learn runs, and its first lines."""

import re

import numpy as np
import pytest
from checkout import ROOT

import pyneural as pn


def test_the_examples_with_scikit_learn_run(tmp_path, monkeypatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.chdir(tmp_path)
    page = (
        (ROOT / "docs" / "tables.md").read_text(encoding="utf-8").split("\n## With scikit-learn\n")[1].split("\n## ")[0]
    )
    world = {"pn": pn, "np": np}
    for block in re.findall(r"^```python\n(.*?)^```$", page, flags=re.MULTILINE | re.DOTALL):
        exec(block, world)
    accuracy, best = capsys.readouterr().out.splitlines()
    assert float(accuracy) > 0.85
    assert "classifier__hidden" in best
    assert (tmp_path / "model.safetensors").exists()
    assert world["stream"].score(world["X"], world["y"]) > 0.8
    world.clear()


def test_the_first_lines_train_and_save_a_model(tmp_path, monkeypatch, capsys: pytest.CaptureFixture[str]):
    rng = np.random.default_rng(0)
    rooms, town = rng.integers(1, 7, 300), rng.choice(["Bonn", "Ulm"], 300)
    price = 50 * rooms + 30 * (town == "Ulm") + rng.normal(0, 5, 300)
    rows = [f"{a if a > 1 else ''},{b},{c:.1f}" for a, b, c in zip(rooms, town, price, strict=True)]
    (tmp_path / "houses.csv").write_text("\n".join(["rooms,town,price", *rows]), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs" / "tables.md").read_text(encoding="utf-8")
    exec(re.search(r"^```python\n(.*?)^```$", page, flags=re.MULTILINE | re.DOTALL)[1], {"pn": pn})
    score, *predicted = capsys.readouterr().out.splitlines()
    assert float(score) > 0.95
    assert len(predicted) == 3
