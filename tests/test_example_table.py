"""The guide's page on tables, docs/guide/tables.md: from a CSV file to a model that answers requests."""

import json
import re

import pytest
from checkout import ROOT

PAGE = ROOT / "docs" / "guide" / "tables.md"


def test_the_page_trains_and_deploys_a_model(tmp_path, monkeypatch, capsys: pytest.CaptureFixture[str]):
    pytest.importorskip("flask")
    monkeypatch.chdir(tmp_path)
    world: dict = {}
    printed = []
    for block in re.findall(r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.M | re.S):
        exec(compile(block, str(PAGE), "exec"), world)
        printed.append(capsys.readouterr().out)
    _, read, _, important, served, crossed = printed
    assert "flats.csv: 800 rows, 5 columns" in read
    assert float(re.search(r"R² ([\d.]+)", read)[1]) > 0.95
    assert re.findall(r"^(?:area|rooms|town|balcony)\b", important, re.M)[0] == "area"
    (answer,) = json.loads(served)["predictions"]
    assert answer["values"] == pytest.approx([11 * 80.5 + 150], rel=0.1)
    assert float(re.search(r"accuracy ([\d.]+)", crossed)[1]) > 0.9
