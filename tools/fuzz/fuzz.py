"""fuzz.py -- runs the fuzzers, each in a separate process, and prints the command that reproduces each finding.

    python tools/fuzz/fuzz.py                            all of them, 10 s each
    python tools/fuzz/fuzz.py ops threads --seconds 60   two of them, 60 s in total
    python tools/fuzz/fuzz.py ops --seed 7 --only 1234   reproduces one case, with all its output

A fuzzer is a module in this folder with a function `run(case)`.  It publishes what it is about to do, so that a crash,
which ends its process, and a case that takes longer than --limit seconds, which is killed, are findings like others.
A new process continues with the next case.
"""

from __future__ import annotations

import argparse
import faulthandler
import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from board import Board

FUZZERS = ("ops", "methods", "graphs", "models", "weights", "scores", "files", "images", "threads", "forks")
PLAIN = ("forks",)  # see there
ROOT = Path(__file__).resolve().parents[2]  # where an editable install has the plain build
SHOWN = 3  # cases named for each kind of finding
ENDLESS = 1 << 60
_POLL = 0.05  # seconds between two looks at a process
_SANITIZERS = ("LD_PRELOAD", "PYTHONPATH", "PYTHONMALLOC")  # what the Makefile sets for it
_SANITIZED = "asan" in os.environ.get("LD_PRELOAD", "")


@dataclass
class Kind:
    """Findings of the same kind."""

    count: int = 0
    cases: list[tuple[int, str]] = field(default_factory=list)  # index, what it did


@dataclass
class Result:
    """The results of a fuzzer."""

    name: str
    seed: int
    calls: int = 0
    refused: int = 0
    seconds: float = 0.0
    kinds: dict[str, Kind] = field(default_factory=dict)

    def add(self, index: int, what: str, text: str) -> None:
        """Adds a finding; prints the first few of each kind."""
        kind = self.kinds.setdefault(_kind(what), Kind())
        kind.count += 1
        if len(kind.cases) < SHOWN:
            kind.cases.append((index, text))
            again = _again(self.name, self.seed, index)
            print(f"FINDING {self.name}: {what}\n    {text}\n    again: {again}", flush=True)

    def line(self) -> str:
        """One line about it."""
        rate = self.calls / max(self.seconds, 1e-9)
        found = sum(kind.count for kind in self.kinds.values())
        return (
            f"{self.name:8} {self.calls:10,} calls {rate:8,.0f}/s  {self.refused:10,} refused  "
            f"{found:5,} findings of {len(self.kinds)} kinds"
        )


def _kind(what: str) -> str:
    """The text of a finding without its numbers."""
    return re.sub(r"[-+]?\b(\d[\w.+-]*|nan|inf)\b", "#", what)[:100]


def _again(name: str, seed: int, index: int) -> str:
    if _SANITIZED:
        return f"make fuzz FUZZ={name} SEED={seed} ONLY={index}"
    return f"python tools/fuzz/fuzz.py {name} --seed {seed} --only {index}"


# ---- one process ---------------------------------------------------------------------------------------------------


@dataclass
class Child:
    """A process that runs cases of one fuzzer, and the files for its output."""

    result: Result
    folder: Path
    limit: float
    loud: bool = False

    def go(self, first: int, last: int, seconds: float) -> int:
        """Runs cases; returns the number of the case to continue with, `last + 1` if there is none."""
        board_file, out, err = (self.folder / name for name in ("board", "out", "err"))
        for file in (board_file, out, err):
            file.unlink(missing_ok=True)
        board, began = Board(board_file), time.monotonic()
        command = [sys.executable, __file__, "--child", self.result.name, str(self.result.seed)]
        command += [str(board_file), str(out), str(first), str(last), str(seconds)]
        with err.open("wb") as stderr:
            process = subprocess.Popen(
                command, env=self._environment(), stdin=subprocess.DEVNULL, stdout=stderr, stderr=stderr
            )
            hung = self._watch(process, board)
        at = board.read()
        self.result.calls += at.calls
        self.result.refused += at.refused
        self.result.seconds += time.monotonic() - began
        for line in out.read_text(encoding="utf-8").splitlines() if out.exists() else []:
            found = json.loads(line)
            self.result.add(found["index"], found["what"], found["text"])
        said = err.read_text(encoding="utf-8", errors="replace")
        if self.loud and said:
            print(said)
        if process.returncode == 0 and not hung:
            return last + 1
        if at.index < first:  # it did not even start, so do not try again
            self.result.add(first, _crash(process, said), "")
            return last + 1
        self.result.add(at.index, f"hang: longer than {self.limit:g} s" if hung else _crash(process, said), at.text)
        return at.index + 1

    def _environment(self) -> dict[str, str]:
        """The environment without the sanitizer and its build, for the fuzzers that need the plain build."""
        if not (_SANITIZED and self.result.name in PLAIN):
            return dict(os.environ)
        kept = {key: value for key, value in os.environ.items() if key not in _SANITIZERS}
        return kept | {"PYTHONPATH": str(ROOT)}

    def _watch(self, process: subprocess.Popen[bytes], board: Board) -> bool:
        """Waits for the process to end; True if a case had to be killed."""
        while process.poll() is None:
            time.sleep(_POLL)
            at = board.read()
            if at.since and time.monotonic() - at.since > self.limit:
                process.send_signal(signal.SIGUSR1)  # shows where every thread is
                time.sleep(1)
                process.kill()
                process.wait()
                return True
        return False


def _crash(process: subprocess.Popen[bytes], said: str) -> str:
    """The cause in one line: the sanitizer's error and our first line, or else the signal and Python's line."""
    if found := re.search(r"(\S+:\d+):\d+: (runtime error: .*)", said):
        return f"crash: {found[2]} ({found[1]})"
    if found := re.search(r"ERROR: \w+Sanitizer: ([\w-]+)", said):
        ours = re.search(r"csrc/\S+:\d+", said[found.start() :])
        return f"crash: {found[1]}" + (f" ({ours[0]})" if ours else "")
    if process.returncode >= 0:
        return f"crash: exit code {process.returncode}: {said.strip().rpartition(chr(10))[2]}"
    line = re.search(r'Current thread.*\n  File "\S*?(\w+\.py)", line (\d+)', said)
    return f"crash: {signal.Signals(-process.returncode).name}" + (f" ({line[1]}:{line[2]})" if line else "")


def fuzz(name: str, seconds: float, cases: range, given: argparse.Namespace) -> Result:
    """Runs one fuzzer, restarting after crashes, until its time is over or its cases are done."""
    result, until = Result(name, given.seed), time.monotonic() + seconds
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        child = Child(result, Path(folder), given.limit, loud=bool(given.only))
        for _ in range(given.repeat):
            index = cases.start
            while index < cases.stop and (left := until - time.monotonic()) > 0:
                index = child.go(index, cases.stop - 1, left)
    return result


# ---- the command line ----------------------------------------------------------------------------------------------


def _child(name: str, seed: str, board: str, out: str, first: str, last: str, seconds: str) -> None:
    faulthandler.register(signal.SIGUSR1)
    if not _SANITIZED:  # whose own report says more
        faulthandler.enable()
    sys.path.append(str(ROOT / "tests"))  # oprows.py, which has a row for each op
    from loop import Loop

    Loop(name, int(seed), Board(Path(board)), Path(out)).go(int(first), int(last), time.monotonic() + float(seconds))


def _cases(text: str) -> range:
    first, _, stop = text.partition(":")
    return range(int(first), int(stop) if stop else int(first) + 1)


def main() -> int:
    parser = argparse.ArgumentParser(description="Runs the fuzzers; exit code 1 if one finds something.")
    parser.add_argument("fuzzers", nargs="*", help=f"of {', '.join(FUZZERS)}; none: all")
    parser.add_argument("--seconds", type=float, help="total time for all (default: 10 s each)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=_cases, metavar="N or N:M", help="only these cases, with their output")
    parser.add_argument("--repeat", type=int, default=1, help="how often, for cases that depend on thread timing")
    parser.add_argument("--limit", type=float, default=20, help="seconds after which a case counts as hanging (20)")
    given = parser.parse_args()
    names = given.fuzzers or list(FUZZERS)
    for name in names:
        if importlib.util.find_spec(name) is None:
            parser.error(f"there is no fuzzer '{name}'; there are {', '.join(FUZZERS)}")
    if given.only and len(names) != 1:
        parser.error("--only needs the name of exactly one fuzzer")
    seconds = 3600.0 if given.only else (given.seconds or 10 * len(names)) / len(names)
    cases = given.only or range(ENDLESS)
    results = []
    for name in names:
        results.append(fuzz(name, seconds, cases, given))
        print(results[-1].line(), flush=True)
    return min(sum(len(result.kinds) for result in results), 1)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        _child(*sys.argv[2:])
    else:
        sys.exit(main())
