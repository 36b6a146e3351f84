"""loop.py -- runs the cases of one fuzzer in this process, one after another, and writes findings as lines of JSON.

It also checks two things that a case cannot see: engine memory that is not freed after a batch of cases, and a case
that uses too much memory.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import resource
import sys
import time
import traceback
import warnings
from pathlib import Path

from board import Board
from case import Case, Finding

from pyneural import _core

BATCH = 256  # cases between two checks of the engine's memory
MOST_BYTES = 1 << 30  # more than any case needs, sanitizers included
ENGINE_BYTES = 1 << 26  # what the engine may hold: larger results are refused with MemoryError
_UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss


class Loop:
    """Runs the cases of a fuzzer from a first to a last one, or until the time is over."""

    def __init__(self, name: str, seed: int, board: Board, out: Path) -> None:
        self.name, self.seed, self.board = name, seed, board
        self.run = importlib.import_module(name).run
        self.out = out.open("a", encoding="utf-8")
        warnings.simplefilter("ignore")  # NumPy's, about what was asked for

    def go(self, first: int, last: int, until: float) -> None:
        """Runs them."""
        _core.set_memory_limit(ENGINE_BYTES)
        if first == 0:
            self._one(0)  # whatever stays for good, as a thread's scratch, is there after it
        start, live = first, _live()
        index, runner = first, os.getppid()
        while index <= last and time.monotonic() < until and os.getppid() == runner:  # alone, it ends
            self._one(index)
            index += 1
            if index - start == BATCH or index > last or time.monotonic() >= until:
                self.board.rest()
                self._leaks(start, index, live)
                start, live = index, _live()
        self.board.rest()

    def _one(self, index: int) -> None:
        case = Case(self.name, self.seed, index, self.board)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        if _core.memory_stats()["live_bytes"] > ENGINE_BYTES // 4:  # held by Python's cycles
            gc.collect()
        self.board.begin(index)
        try:
            self.run(case)
        except Finding as found:
            self._report(index, str(found))
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{Path(last.filename).name}:{last.lineno}"
            self._report(index, f"{type(error).__name__} in the fuzzer ({where}): {error}")
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak) * _UNIT
        if grown > MOST_BYTES:
            self._report(index, f"the case took {grown / 2**20:,.0f} MiB of memory")

    def _leaks(self, start: int, stop: int, before: int) -> None:
        """Memory that stayed after a batch is looked for case by case."""
        if _live() <= before:
            return
        for index in range(start, stop):
            live = _live()
            self._one(index)
            if _live() > live:
                self._report(index, f"{_live() - live:,} bytes of engine memory stayed after the case")
                return

    def _report(self, index: int, what: str) -> None:
        print(json.dumps({"index": index, "what": what, "text": self.board.read().text}), file=self.out, flush=True)


def _live() -> int:
    gc.collect()
    return int(_core.memory_stats()["live_bytes"])
