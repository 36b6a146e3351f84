"""forks.py -- the threads of threads.py, with forks in the middle of their work.

The child has one thread, and must not wait for threads that do not exist in it.  The allocator of gcc's
AddressSanitizer does that; so this fuzzer always runs on the plain build.
"""

from __future__ import annotations

import os
import signal
import time

import numpy as np
import threads
from case import Case, Finding

from pyneural import _core

PATIENCE = 8.0  # seconds for a forked child


def _fork(w: threads.World) -> None:
    """The child computes and ends; it must not wait for a thread that it does not have."""
    child = os.fork()
    if child == 0:
        try:
            signal.alarm(int(PATIENCE) * 2)
            t = _core.tensor(np.ones((300, 300), "float32"), requires_grad=True)
            (t @ t).sum().backward()
            os._exit(int(np.array(t.grad)[0, 0] != 600))
        finally:
            os._exit(1)
    until = time.monotonic() + PATIENCE
    while (done := os.waitpid(child, os.WNOHANG))[0] == 0:
        if time.monotonic() > until:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            raise Finding("a forked child hangs")
        time.sleep(0.002)
    if done[1]:
        raise Finding(f"a forked child ended with {done[1]}")


def _nothing(w: threads.World) -> None:
    """So that not every thread forks."""


def run(case: Case) -> None:
    """Two to four threads, some of which fork."""
    threads.together(case, (_fork, _nothing, _nothing))
