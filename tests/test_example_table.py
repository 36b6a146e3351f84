"""The example of docs/tables.md: from a CSV file to a model that answers requests, in twelve lines."""

import re
from pathlib import Path

import numpy as np
import pytest

import pyneural as pn

PAGE = Path(__file__).parent.parent / "docs" / "tables.md"


def flats(count: int) -> str:
    """Flats whose price follows from their columns, as a German spreadsheet exports them."""
    generator = np.random.default_rng(0)
    lines = ["id;rooms;area;town;balcony;price"]
    for number in range(count):
        rooms, town, balcony = generator.integers(1, 6), generator.integers(3), generator.integers(2)
        area = 18 * rooms + generator.uniform(0, 20)
        price = 2.2 * area + 40 * town + 15 * balcony + generator.normal(0, 4)
        shown = ("no", "yes")[balcony] if generator.uniform() > 0.02 else ""
        size = f"{area:.1f}" if generator.uniform() > 0.03 else "NA"
        cells = [number + 7, rooms, size, ("Bonn", "Ulm", "Köln")[town], shown, f"{price:.1f}"]
        lines.append(";".join(map(str, cells)).replace(".", ","))
    return "\n".join(lines)


def test_the_twelve_lines_train_and_deploy_a_model(tmp_path, monkeypatch, capsys):
    page = PAGE.read_text("utf-8")
    block = re.search(r"^```python\n(import pyneural as pn\n\ndata = pn.datasets.csv.*?)^```$", page, re.M | re.S)
    lines = [line for line in block[1].splitlines() if line]
    assert len(lines) <= 12
    (tmp_path / "flats.csv").write_text(flats(400), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    exec(compile(block[1], str(PAGE), "exec"), names)
    out = capsys.readouterr().out
    assert "flats.csv: 400 rows, 6 columns, separated by semicolons, with decimal commas" in out
    assert pn.evaluate(names["model"], names["test"], verbose=0).r2 > 0.95
    assert float(out.splitlines()[-1]) == pytest.approx(2.2 * 80.5 + 40 + 7.5, abs=20)
    pytest.importorskip("flask")
    from pyneural.apps.draw.server import api
    from pyneural.apps.draw.tables import RowReader

    reader = RowReader(names["model"], "serve")
    client = api(lambda: reader, "flats.safetensors", "127.0.0.1").test_client()
    rows = re.search(r"curl -d '(.*)' http", page)[1]
    answer = client.post("/api/predict", data=rows, headers={"Host": "localhost"}).get_json()
    assert answer["predictions"][0]["values"] == pytest.approx(names["new"][0].tolist())
