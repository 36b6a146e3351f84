"""csv_reading.py -- reading large CSV files: processor time and memory of pn.datasets.csv, beside pandas' read_csv.

    python benchmarks/csv_reading.py

A file of a million rows of ten columns, one of them text, and one of 3,000 rows of 2,000 columns; each is read in a new
process, whose memory before the reading is left out.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

SHAPES = ((1_000_000, 10), (3_000, 2_000))
_BLOCK = 10_000  # rows that are written at once


def write(path: Path, rows: int, columns: int) -> None:
    """A file of numbers with two decimals, whose last column is text and whose first is the target."""
    rng = np.random.default_rng(0)
    towns = np.array(["Ulm", "Bonn", "Kiel", "Jena"])
    with path.open("w") as file:
        file.write(",".join(f"c{number}" for number in range(columns)) + "\n")
        for start in range(0, rows, _BLOCK):
            count = min(_BLOCK, rows - start)
            numbers = np.char.mod("%.2f", rng.normal(size=(count, columns - 1)))
            lines = np.column_stack([numbers, towns[rng.integers(0, len(towns), count)]]).tolist()
            file.writelines(",".join(line) + "\n" for line in lines)


def read(kind: str, path: str) -> dict[str, float]:
    """The processor time, and the memory that is added, in this fresh process."""
    if kind == "pandas":
        import pandas

        def take() -> object:
            return pandas.read_csv(path)
    else:
        import pyneural as pn

        def take() -> object:
            return pn.datasets.csv(path, target="c0", verbose=0)

        with tempfile.TemporaryDirectory() as folder:  # loads what reading needs
            tiny = Path(folder, "tiny.csv")
            tiny.write_text("a,b\n1,2\n3,4\n5,7\n")
            pn.datasets.csv(tiny, target="a", verbose=0)
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    _kept = take()
    seconds = time.process_time() - began
    return {"seconds": seconds, "MB": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1000}


def main() -> int:
    """Prints a line for each file and reader; returns the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        for rows, columns in SHAPES:
            path = Path(folder, f"{rows}.csv")
            subprocess.run([sys.executable, __file__, "write", str(path), str(rows), str(columns)], check=True)
            print(f"{rows:,} rows of {columns:,} columns, {path.stat().st_size / 1e6:.0f} MB")
            for kind in ("pyneural", "pandas"):
                command = [sys.executable, __file__, kind, str(path)]
                found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
                print(f"  {kind:8}  {found['seconds']:.2f} s of processor time, {found['MB']:.0f} MB")
    return 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["write"]:  # in a process of its own: on Linux a child's peak starts with that of its parent
        write(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
    elif len(sys.argv) > 1:
        print(json.dumps(read(*sys.argv[1:])))
    else:
        raise SystemExit(main())
