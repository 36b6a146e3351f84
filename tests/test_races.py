"""Memory that others write while an op reads it: wrong numbers are the race's, a crash would be ours.

Arrays lend their memory, so whatever a rule has checked may have changed before it is used.  Here another thread writes
wild numbers, as large as addresses, in the middle; and what cannot be left to chance is changed between two calls.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from pyneural import _core

ops = _core.ops
SECONDS = 0.4  # of each race
N = 40_000  # so much work that the GIL is given away
WILD = 2**45
rng = np.random.default_rng(0)


@contextlib.contextmanager
def written(shared: np.ndarray, *contents: Any) -> Iterator[None]:
    """Within the block another thread puts each of these into the array, over and over."""
    done = threading.Event()

    def write() -> None:
        while not done.is_set():
            for content in contents:
                shared[...] = content

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        done.set()
        writer.join()
        shared[...] = contents[0]


def race(shared: np.ndarray, wild: Any, compute: Callable[[], Any]) -> None:
    good = shared.copy()
    end = time.perf_counter() + SECONDS
    with written(shared, good, wild):
        while time.perf_counter() < end:
            with contextlib.suppress(ValueError):  # the rule has seen them
                compute()


def leaf(values: np.ndarray) -> Any:
    return _core.tensor(values, requires_grad=True)


CLASSES = 7
FEW, MANY = rng.normal(size=(N, CLASSES)).astype("float32"), rng.normal(size=(N // 40, 40)).astype("float32")
LABELS = rng.integers(0, CLASSES, N)
RACES: dict[str, tuple[np.ndarray, Callable[[Any], Any]]] = {
    "cross_entropy": (LABELS, lambda labels: ops.cross_entropy(leaf(FEW), labels).backward()),
    "cross_entropy with weights": (
        LABELS,
        lambda labels: ops.cross_entropy(FEW, labels, None, np.ones(CLASSES, "float32"), ignore=3),
    ),
    "cross_entropy of many classes": (LABELS[: len(MANY)], lambda some: ops.cross_entropy(leaf(MANY), some).backward()),
    "take": (LABELS, lambda rows: ops.take(leaf(FEW), rows).sum().backward()),
    "take of integers": (LABELS, lambda rows: ops.take(LABELS[:CLASSES], rows)),
    "gather": (LABELS, lambda rows: ops.gather(FEW, rows)),
    "gather of integers": (LABELS, lambda rows: ops.gather(LABELS[:CLASSES], rows)),
    "one_hot": (LABELS, lambda indices: ops.one_hot(indices, classes=CLASSES)),
    "accuracy": (LABELS, lambda labels: ops.accuracy(FEW, labels)),
    "binary_cross_entropy": (LABELS % 2, lambda some: ops.binary_cross_entropy(leaf(FEW[:, 0]), some).backward()),
    "dropout": (LABELS, lambda samples: ops.dropout(leaf(FEW), samples).sum().backward()),
}


@pytest.mark.parametrize("name", RACES)
def test_numbers_of_rows_and_classes_may_change_while_an_op_uses_them(name: str) -> None:
    given, compute = RACES[name]
    shared = given.copy()
    race(shared, WILD, lambda: compute(_core.borrow(shared)))


@pytest.mark.parametrize("shape", [(300_000,), (40, 5000), (5000, 40)])
@pytest.mark.parametrize("axis", [0, -1])
def test_values_may_change_while_an_op_searches_them(shape: tuple[int, ...], axis: int) -> None:
    x = np.zeros(shape, "float32")
    borrowed = _core.borrow(x)

    def compute() -> None:
        assert np.array(ops.argmax(borrowed, axis=axis)).max() < x.shape[axis]

    race(x, rng.normal(size=shape), compute)


def test_values_may_change_while_their_greatest_is_pooled() -> None:
    x = np.zeros((4, 64, 64, 3), "float32")
    borrowed, weight = _core.borrow(x), leaf(np.ones((1, 1, 3, 3), "float32"))
    race(x, rng.normal(size=x.shape), lambda: ops.conv2d(borrowed, weight, pool=2).sum().backward())
    race(
        x,
        rng.normal(size=x.shape),
        lambda: ops.max(ops.mul(borrowed, leaf(x[0, 0, 0] + 1)), axis=(1, 2)).sum().backward(),
    )


def test_a_picture_may_change_while_a_digit_is_cut_out_of_it() -> None:
    picture = np.zeros((200, 300), "uint8")
    picture[50:150, 100:120] = 255
    race(picture, 0, lambda: _core.prepare_digit(picture))


def test_labels_that_change_between_forward_and_backward_do_not_change_the_gradient() -> None:
    labels, logits = np.array([0, 1, 2, 1]), leaf(rng.normal(size=(4, 3)))
    grads = []
    for later in (labels.copy(), WILD):
        loss = ops.cross_entropy(logits, _core.borrow(labels), None, np.float64([1, 2, 3]), ignore=1)
        labels[...] = later
        loss.backward()
        grads.append(np.array(logits.grad))
    assert np.array_equal(*grads)


def test_rows_that_change_between_forward_and_backward_do_not_change_the_gradient() -> None:
    rows, x = np.array([0, 2, 2]), leaf(rng.normal(size=(3, 2)))
    y = ops.take(x, _core.borrow(rows))
    rows[...] = WILD
    y.sum().backward()
    assert np.array_equal(x.grad, [[1, 1], [0, 0], [2, 2]])
