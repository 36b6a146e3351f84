"""The fuzzers themselves: they run, they reach the ops, and what they find can be run again."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import child
import pytest

ROOT = Path(__file__).resolve().parent.parent
FUZZ = ROOT / "tools" / "fuzz"
MOST_REFUSED = {"graphs": 1e-9, "files": 0.97, "images": 0.9}  # a damaged file is refused, as a rule
FUZZERS = sorted(path.stem for path in FUZZ.glob("*.py") if "\ndef run(case: Case) -> None:" in path.read_text())

PLANTED = """
import os, time
from case import Case, Finding
from pyneural import _core

kept = []

def run(case: Case) -> None:
    case.say(f"planted case {case.index}")
    case.attempt(_core.zeros, (2, 3))
    if case.index == 3:
        raise Finding("something that must not be")
    if case.index == 5:
        os.abort()
    if case.index == 7:
        time.sleep(60)
    if case.index == 9:
        kept.append(_core.zeros((5, 5)))
    if case.index == 11:
        case.attempt([].index, {}[1])
"""
WORDS = {
    3: "something that must not be", 5: "crash: SIGABRT", 7: "hang: longer than", 9: "bytes of engine memory stayed",
    11: "KeyError in the fuzzer",
}  # fmt: skip


def fuzz(*arguments: str, path: str = "") -> subprocess.CompletedProcess[str]:
    variables = child.environment({})
    variables["PYTHONPATH"] += os.pathsep + path
    command = [sys.executable, str(FUZZ / "fuzz.py"), *arguments]
    return subprocess.run(command, env=variables, capture_output=True, text=True, check=False, timeout=child.SECONDS)


@pytest.mark.parametrize("name", FUZZERS)
def test_a_fuzzer_runs_and_most_of_what_it_calls_is_accepted(name):
    done = fuzz(name, "--only", "0:8" if name in ("threads", "forks") else "0:60")
    assert "in the fuzzer" not in done.stdout, done.stdout
    assert done.stderr == ""
    calls, refused = (
        int(re.search(rf"([\d,]+) {word}", done.stdout)[1].replace(",", "")) for word in ("calls", "refused")
    )
    assert calls >= 60, done.stdout
    assert refused < MOST_REFUSED.get(name, 0.8) * calls, done.stdout


def test_the_runner_knows_every_fuzzer_and_none_besides():
    said = re.search(r"^FUZZERS = \((.*?)\)", (FUZZ / "fuzz.py").read_text(), flags=re.MULTILINE | re.DOTALL)[1]
    assert sorted(re.findall(r'"(\w+)"', said)) == FUZZERS
    done = fuzz("oops")
    assert done.returncode == 2
    assert "there is no fuzzer 'oops'; there are ops" in done.stderr


def prints_ops_that_it_never_calls_well(places: list[str]) -> None:
    import sys
    import tempfile
    from pathlib import Path

    sys.path += places
    import numpy as np
    import ops
    from board import Board
    from case import Case

    from pyneural import _core

    _core.set_memory_limit(1 << 26)
    left = set(ops.OPS)
    with tempfile.TemporaryDirectory() as folder, np.errstate(all="ignore"):
        board = Board(Path(folder) / "board")
        for index in range(6000):
            drawn = ops.draw(Case("ops", 1, index, board), odd=0.0)
            if drawn.op not in left or max((a.size for a in drawn.arrays if a is not None), default=0) > 1000:
                continue
            inputs = [None if a is None else _core.tensor(a, str(a.dtype)) for a in drawn.arrays]
            try:
                y = ops.call(drawn, inputs, drawn.params)
            except (ValueError, TypeError, MemoryError):
                continue
            left -= {drawn.op} if y.size else set()
    print(*sorted(left))


def test_the_fuzzer_of_ops_calls_every_op_well():
    assert child.run(prints_ops_that_it_never_calls_well, [str(FUZZ), str(ROOT / "tests")]) == "\n"


def test_what_is_planted_is_found_and_can_be_run_again(tmp_path):
    (tmp_path / "planted.py").write_text(PLANTED)
    arguments = ("planted", "--seed", "4", "--limit", "1.5")
    first = fuzz(*arguments, "--only", "0:20", path=str(tmp_path))
    assert first.returncode == 1
    for index, words in WORDS.items():
        told = f"planted case {index}\n    again: python tools/fuzz/fuzz.py planted --seed 4 --only {index}\n"
        assert re.search(rf"FINDING planted: .*{words}.*\n    {re.escape(told)}", first.stdout), (index, first.stdout)
        if index != 7:
            again = fuzz(*arguments, "--only", str(index), path=str(tmp_path))
            assert again.returncode == 1
            assert words in again.stdout
    assert f"{len(WORDS)} findings of {len(WORDS)} kinds" in first.stdout
    clean = fuzz(*arguments, "--only", "12:20", path=str(tmp_path))
    assert (clean.returncode, "FINDING" in clean.stdout) == (0, False)
