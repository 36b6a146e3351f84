"""What docs/tables.md says of scikit-learn runs."""

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
