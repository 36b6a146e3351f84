"""docs/from_scratch.md quotes what the notebook printed, and its command trains."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULT = r"\d+\.\d\d % \[\d+\.\d\d, \d+\.\d\d\]"


def test_the_page_quotes_the_results_of_the_notebook():
    page = (ROOT / "docs/from_scratch.md").read_text(encoding="utf-8")
    notebook = json.loads((ROOT / "notebooks/03_from_scratch.ipynb").read_text(encoding="utf-8"))
    printed = "".join(
        "".join(output.get("text", "")) for cell in notebook["cells"] for output in cell.get("outputs", ())
    )
    claims = json.loads((ROOT / "notebooks/claims.json").read_text(encoding="utf-8"))["03_from_scratch"]["real"]
    quoted = page.replace("**", "")
    for name in claims:
        result = re.search(rf"^{re.escape(name)}: ({RESULT}), claimed", printed, re.MULTILINE).group(1)
        assert re.search(rf"^\| {re.escape(name)} \|.*\| {re.escape(result)} \|", quoted, re.MULTILINE), name


def test_the_command_of_the_full_run_prints_loss_and_accuracy_and_learns():
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks/from_scratch.py"), "--iterations", "20"],
        capture_output=True, text=True, check=True, env=os.environ | {"PYNEURAL_DATA": "sample"},
    )  # fmt: skip
    lines = done.stdout.splitlines()
    pattern = rf" *(\d+) iterations: loss (\d\.\d{{4}}), test ({RESULT}), \d+ s \(EMBEDDED SAMPLE: .+\)"
    first, last = (re.fullmatch(pattern, line).groups() for line in lines)
    assert (first[0], last[0]) == ("1", "20")
    assert float(last[1]) < float(first[1])
