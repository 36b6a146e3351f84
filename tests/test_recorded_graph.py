"""x.graph(): the recorded ops behind a tensor, what they keep for backward, and when that is freed."""

import gc
import signal
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

import pyneural as pn
from pyneural import _core


def leaf(*shape: int) -> pn.Tensor:
    return pn.tensor(np.random.default_rng(0).normal(size=shape).astype("float32"), requires_grad=True)


def ops_of(x: pn.Tensor) -> list[str]:
    return [row["op"] for row in x.graph()]


def test_each_op_has_a_row_with_its_inputs_oldest_first() -> None:
    x, w = np.ones((5, 3), "float32"), leaf(3, 4)
    hidden = pn.ops.linear(x, w, activation="relu")
    loss = (hidden * hidden).sum()
    assert ops_of(loss) == ["linear", "mul", "sum"]
    linear, mul, total = loss.graph()
    assert linear["inputs"] == [("x", (5, 3), None), ("weight", (3, 4), "leaf")]
    assert mul["inputs"] == [("a", (5, 4), 0), ("b", (5, 4), 0)]
    assert total["inputs"] == [("x", (5, 4), 1)]
    assert [row["number"] for row in loss.graph()] == [0, 1, 2]
    assert [row["shapes"] for row in loss.graph()] == [[(5, 4)], [(5, 4)], [()]]


def test_it_says_what_backward_will_read() -> None:
    x, w = np.ones((5, 3), "float32"), leaf(3, 4)
    (linear,) = pn.ops.linear(x, w, activation="relu").graph()
    assert linear["keeps"] == ["x", "y"], "the gradient of w reads x, that of relu reads y; x needs none"
    assert linear["bytes"] == 4 * (15 + 20)
    (norm,) = pn.ops.layer_norm(leaf(6, 5), leaf(5), leaf(5)).graph()
    assert "saved" in norm["keeps"], "memory that forward wrote for backward: the statistics of each row"
    assert norm["bytes"] >= 4 * (30 + 5) + 6 * 2 * 4


@pytest.mark.parametrize("keep", [False, True])
def test_backward_frees_what_is_kept_and_the_ops_stay_in_the_list(keep: bool) -> None:
    x = leaf(1000)
    loss = (x.exp() * x).sum()
    before = pn.memory_stats()["live_bytes"]
    kept = [row["bytes"] for row in loss.graph()]
    assert kept == [4000, 8000, 0]
    loss.backward(keep_graph=keep)
    assert ops_of(loss) == ["exp", "mul", "sum"]
    assert [row["freed"] for row in loss.graph()] == [not keep] * 3
    assert [row["bytes"] for row in loss.graph()] == (kept if keep else [0, 0, 0])
    gained = pn.memory_stats()["live_bytes"] - before
    assert (gained > 4000) == keep  # the gradient of x came; what exp gave went


def test_shared_ops_are_listed_once_and_branches_join() -> None:
    x = leaf(3)
    y = x.exp()
    for _ in range(40):
        y = y + y  # 2^40 paths
    rows = y.graph()
    assert len(rows) == 41
    assert rows[-1]["inputs"] == [("a", (3,), 39), ("b", (3,), 39)]


def test_a_long_chain_needs_no_deep_stack() -> None:
    x = leaf(1)
    for _ in range(30_000):
        x = x * 1.0
    assert len(x.graph()) == 30_000


def test_leaves_constants_and_results_outside_the_graph_have_none() -> None:
    x = leaf(3)
    with pn.no_grad():
        quiet = x * 2.0
    assert [one.graph() for one in (x, pn.tensor([1.0]), quiet, (x * 2.0).detach())] == [[], [], [], []]


def test_an_op_with_several_inputs_or_outputs_names_each() -> None:
    joined = pn.concat([leaf(2, 2), np.ones((1, 2), "float32"), leaf(3, 2)], axis=0)
    (row,) = joined.graph()
    assert [(name, source) for name, _, source in row["inputs"]] == [
        ("tensors[0]", "leaf"), ("tensors[1]", None), ("tensors[2]", "leaf"),
    ]  # fmt: skip


def test_listing_holds_nothing() -> None:
    loss = (leaf(1000).exp() * 2.0).sum()
    rows = loss.graph()
    del loss
    before = pn.memory_stats()["live_blocks"]
    del rows
    assert pn.memory_stats()["live_blocks"] == before


def test_while_another_thread_runs_backward_it_lists_or_says_so() -> None:
    x = leaf(400, 400)
    refused = []
    for _ in range(20):
        loss = x
        for _ in range(10):
            loss = loss @ x
        loss = loss.sum()
        sweep = threading.Thread(target=loss.backward)
        sweep.start()
        while sweep.is_alive():
            try:
                assert len(loss.graph()) == 11
            except RuntimeError as error:
                refused.append(str(error))
        sweep.join()
        assert x.grad is not None
    assert all("graph: another thread is running backward on this graph" in text for text in refused)


def test_the_list_fails_cleanly_when_memory_does() -> None:
    loss = (leaf(10).exp() * 2.0).sum()
    _core._fail_after(1)
    try:
        assert len(loss.graph()) == 3, "it takes none of the engine's memory"
    finally:
        _core._fail_after(0)


@pytest.fixture
def no_collection() -> Iterator[None]:
    """Without the garbage collector, whose callbacks in Python would handle signals, too."""
    gc.disable()
    yield
    gc.enable()


def test_signals_are_handled_while_a_long_graph_is_listed(no_collection: None) -> None:
    """Signals that come after the call are one: more than that were handled in it."""
    x = leaf(1)
    for _ in range(20_000):
        x = x * 1.0
    handled = []
    before = signal.signal(signal.SIGALRM, lambda *_: handled.append(time.perf_counter()))
    try:
        signal.setitimer(signal.ITIMER_REAL, 1e-4, 1e-4)
        assert len(x.graph()) == 20_000
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert len(handled) > 3


def test_ctrl_c_stops_the_listing_of_a_long_graph(no_collection: None) -> None:
    x = leaf(1)
    for _ in range(20_000):
        x = x * 1.0

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    def listing() -> None:
        signal.setitimer(signal.ITIMER_REAL, 1e-4)
        while True:  # the signal comes in a call
            x.graph()

    before = signal.signal(signal.SIGALRM, stop)
    try:
        with pytest.raises(KeyboardInterrupt):
            listing()
    finally:
        signal.signal(signal.SIGALRM, before)
    assert len(x.graph()) == 20_000
