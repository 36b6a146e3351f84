"""A process for one peer and one number of threads, which runs commands and sleeps otherwise.

The processes are separate because XLA and BLAS libraries set their number of threads at startup, and so that each peer
has the memory and the caches to itself.  Only one of them works at a time.
"""

import gc
import multiprocessing
import os
import traceback
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
from cases import Case, load, moments
from networks import weights

WARM = 2  # warm-up steps of a turn, not counted


def environment(peer: str, threads: int) -> dict[str, str]:
    """Environment variables that the libraries read at startup; "pyneural ops avx2" selects an instruction set."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "PYNEURAL_THREADS", "NPROC")
    isa = peer.removeprefix("pyneural ops").strip() if peer.startswith("pyneural ops ") else ""
    return dict.fromkeys(names, str(threads)) | {"JAX_PLATFORMS": "cpu"} | ({"PYNEURAL_ISA": isa} if isa else {})


class Worker:
    """The parent's side."""

    def __init__(self, peer: str, threads: int) -> None:
        self.peer, self.threads = peer, threads
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        kept = {name: os.environ.get(name) for name in environment(peer, threads)}
        os.environ.update(environment(peer, threads))
        try:
            self.process = context.Process(target=serve, args=(theirs, peer, threads), daemon=True)
            self.process.start()
        finally:
            for name, value in kept.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value
        theirs.close()
        self.words = self._answer()

    def ask(self, order: str, *arguments: Any) -> Any:
        """Sends a command, and waits for its result."""
        self.pipe.send((order, *arguments))
        return self._answer()

    def _answer(self) -> Any:
        try:
            failed, value = self.pipe.recv()
        except EOFError:
            raise RuntimeError(f"{self.peer}: its process ended, status {self.process.exitcode}") from None
        if failed:
            raise RuntimeError(f"{self.peer}, {self.threads} threads:\n{value}")
        return value

    def close(self) -> None:
        """Ends the process."""
        self.pipe.close()
        self.process.join(10)
        if self.process.is_alive():
            self.process.terminate()


def serve(pipe: Connection, peer: str, threads: int) -> None:
    """The child's side: runs commands until the pipe closes."""
    if threads < (os.cpu_count() or 1) and hasattr(os, "sched_setaffinity") and peer == "JAX":
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])  # XLA makes a thread for each it may use
    try:
        from peers import make

        server = Server(make(peer, threads))
        pipe.send((False, server.adapter.words))
    except BaseException:
        pipe.send((True, traceback.format_exc()))
        return
    while True:
        try:
            order, *arguments = pipe.recv()
        except (EOFError, KeyboardInterrupt):
            return
        try:
            pipe.send((False, getattr(server, order)(*arguments)))
        except BaseException:
            pipe.send((True, traceback.format_exc()))


class Server:
    """The commands of a child."""

    def __init__(self, adapter: Any) -> None:
        self.adapter, self.running, self.data = adapter, None, {}

    def has(self, case: Case) -> bool:
        """Whether the peer takes part."""
        return self.adapter.has(case)

    def prepare(self, case: Case) -> str:
        """Builds one side of a case; returns its variant's name."""
        if case.data not in self.data:
            images, labels = load(case.data)
            self.data[case.data] = (images, labels, *moments(images))
        data = self.data[case.data]
        given = weights(case.network, case.shape)
        if case.kind == "train":
            self.running = self.adapter.train(case, given, data)
        else:
            images, _, mean, deviation = data
            x = ((images[: case.batch].astype(np.float32) - mean) / deviation).astype(np.float32)
            self.running = self.adapter.model(case, given, x)
        return getattr(self.running, "words", "")

    def check(self, case: Case) -> Any:
        """The loss and gradients of the first batch, or the outputs."""
        return self.running.check(np.arange(case.batch)) if case.kind == "train" else self.running.check()

    def prepare_kernel(self, kernel: Any) -> bool:
        """Prepares one side of a kernel; returns whether the side has that op."""
        self.running = self.adapter.kernel(kernel)
        return self.running is not None

    def check_kernel(self) -> np.ndarray:
        """The op's result, or its gradient."""
        return self.running.check()

    def turn(self, n: int) -> list[float]:
        """Seconds of each of n steps, after the warm-up."""
        return self.running.steps(n + WARM)[WARM:]

    def drop(self) -> None:
        """Frees the case."""
        self.running.close()
        self.running = None
        gc.collect()
