"""Fixtures for every test: the data, and the law that no test leaves engine memory behind."""

import gc
import os
import signal
import sys
import tempfile
from collections.abc import Iterator

import numpy as np
import pytest

os.environ.setdefault("PYNEURAL_DATA", "sample")
os.environ.setdefault("MPLBACKEND", "Agg")  # pictures are drawn, never shown

from needs import BROWSER, NEEDS

import pyneural as pn

for _need in NEEDS:
    if _need.missing and _need.is_required:
        raise pytest.UsageError(f"{_need.variable}=required, but these are missing: {', '.join(_need.missing)}")

collect_ignore = ["test_jupyter_lab.py"] if BROWSER.missing else []
_cache = tempfile.TemporaryDirectory(prefix="pyneural-cache-")  # not the user's; it ends with the tests
os.environ["XDG_CACHE_HOME"] = _cache.name


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("filterwarnings", "error")
    # Many tests validate on what they train on, to know the numbers; tests/training/test_inspection.py is about this.
    config.addinivalue_line("filterwarnings", "ignore:fit. .* examples are identical to training examples")
    # A shell that runs us in the background has SIGINT ignored, and so would have every child of ours.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Says, last, which groups of tests did not run."""
    for need in NEEDS:
        if need.missing and not hasattr(config, "workerinput"):
            words = f"THE {need.tests.upper()} TESTS DID NOT RUN: install {' and '.join(need.missing)}"
            config.get_terminal_writer().line(words, red=True, bold=True)


@pytest.fixture(scope="session", autouse=True)
def engine_is_warm() -> None:
    """Every thread has its scratch, which stays, so that the first test that computes is not blamed for it."""
    a = pn.zeros((512, 512))
    pn.ops.matmul(a, a, transpose_b=True)


@pytest.fixture(autouse=True)
def engine_memory_returns(engine_is_warm: None) -> Iterator[None]:
    """Live engine bytes are, after each test, what they were before it (less where a failed one's traceback went)."""
    threads, before = pn.get_threads(), pn.memory_stats()["live_bytes"]
    yield
    if pn.get_threads() != threads:
        pn.set_threads(threads)
    if pn.memory_stats()["live_bytes"] != before:
        gc.collect()
    after = pn.memory_stats()["live_bytes"]
    assert after <= before, f"the test left {after - before:,} bytes of engine memory"


@pytest.fixture(autouse=True)
def figures_are_closed() -> Iterator[None]:
    """pyplot keeps figures until they are closed, and warns of more than 20 in a process, whichever tests made them."""
    yield
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")


@pytest.fixture(scope="session")
def mnist() -> pn.Splits:
    """MNIST from $PYNEURAL_DATA, else the embedded sample."""
    return pn.datasets.mnist()


@pytest.fixture(scope="session")
def is_sample(mnist: pn.Splits) -> bool:
    """Whether that is the embedded sample."""
    return bool(mnist.train.note)


@pytest.fixture(scope="session")
def sample() -> pn.Splits:
    """The embedded sample, whatever $PYNEURAL_DATA says."""
    return pn.datasets.mnist("sample")


@pytest.fixture
def rings() -> tuple[np.ndarray, np.ndarray]:
    """300 points in three rings round 0, float32 (300, 2), and their ring 0..2."""
    generator = np.random.default_rng(0)
    ring = np.arange(300) % 3
    angle = generator.uniform(0, 2 * np.pi, 300)
    radius = 1.0 + ring + generator.normal(0, 0.1, 300)
    points = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return points.astype(np.float32), ring
