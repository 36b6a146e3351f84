"""What docs/tables.md says of data frames and of scikit-learn runs."""

import re

import pytest
from checkout import ROOT


def test_the_examples_with_frames_and_scikit_learn_run(tmp_path, monkeypatch, capsys: pytest.CaptureFixture[str]):
    pytest.importorskip("pandas")
    monkeypatch.chdir(tmp_path)
    first, _, rest = (ROOT / "docs" / "tables.md").read_text(encoding="utf-8").partition("\n## From a CSV file\n")
    scikit_learn = rest.split("\n## With scikit-learn\n")[1].split("\n## ")[0]
    world: dict = {}
    for block in re.findall(r"^```python\n(.*?)^```$", first + scikit_learn, flags=re.MULTILINE | re.DOTALL):
        exec(block, world)
    score, *predicted, accuracy, best = capsys.readouterr().out.splitlines()
    assert float(score) > 0.95
    assert len(predicted) == 3
    assert float(accuracy) > 0.85
    assert "classifier__hidden" in best
    assert (tmp_path / "model.safetensors").exists()
    assert world["stream"].score(world["X"], world["y"]) > 0.8
    world.clear()
