"""threads.py -- several threads that work on the same tensors, blocks, graphs, optimizers and arrays.

Data races may give wrong numbers, but no crash, hang, unexpected exception, or wrong results afterwards.  The case
determines what the threads do, but not their timing: use --repeat to reproduce a finding.
"""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from case import Case, Finding

import pyneural as pn
from pyneural import _core, ops

ROWS, WIDTH, CLASSES = 5000, 8, 4  # 40,000 values: the GIL is released from 32,768 on
WRONG = (2**40, -(2**40), 2**62, -1, CLASSES)  # invalid labels


class World:
    """The objects that the threads share."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.real = case.pick(("float32", "float64"))
        self.x = case.numbers.normal(size=(ROWS, WIDTH)).astype(self.real)
        self.labels = case.numbers.integers(0, CLASSES, ROWS)
        self.groups = ["weight", "bias"]
        self.block = _core.Block(["w", "b"], [(WIDTH, CLASSES), (CLASSES,)], self.groups, self.real)
        self.optimizer = _core.Optimizer(case.pick(("sgd", "adam", "rmsprop")), self.block)
        self.model = pn.Sequential(pn.Dense(WIDTH, "relu"), pn.Dense(CLASSES), dtype=self.real)
        self.model.build((WIDTH,))
        self.leaf = _core.tensor(self.x, requires_grad=True)
        self.running = [_core.zeros((WIDTH,), self.real), _core.tensor(np.ones(WIDTH, self.real))]
        self.own = _core.Optimizer("sgd", [self.leaf])
        self.inner = ops.tanh(self.leaf)
        self.loss = self.inner.sum()


# ---- what a thread may do ------------------------------------------------------------------------------------------


def _train(w: World) -> None:
    logits = ops.linear(w.x, *w.block.tensors)
    ops.cross_entropy(logits, w.labels).backward(accumulate=w.case.index % 2 == 1)


def _model(w: World) -> None:
    ops.cross_entropy(w.model(w.x), w.labels).backward()


def _chain(w: World) -> None:
    y = w.leaf
    for _ in range(4):
        y = ops.relu(y * 0.5)
    y.sum().backward()


def _again(w: World) -> None:
    w.loss.backward(keep_graph=True)


def _renew(w: World) -> None:
    w.inner = ops.tanh(w.leaf)
    w.loss = w.inner.sum()


def _toggle(w: World) -> None:
    for trainable in (False, True):
        w.block.set_trainable(0, trainable)
        w.model.layers[0].trainable = trainable


def _look(w: World) -> None:
    for t in (*w.block.tensors, w.leaf, w.inner):
        if (gradient := t.grad) is not None:
            np.array(gradient)


def _keep(w: World) -> None:
    w.inner.keep_grad()
    ops.relu(w.inner).keep_grad().sum().backward(keep_graph=True)


def _assign(w: World) -> None:
    w.block.tensors[0].assign(0.5)
    w.leaf.assign(w.x)


def _restore(w: World) -> None:
    w.block.restore(w.block.snapshot())


def _slots(w: World) -> None:
    w.optimizer.set_slots(w.optimizer.slots())
    w.optimizer.steps += 1


def _steps(w: World) -> None:
    w.optimizer.step()
    w.own.step()


def _spoil(w: World) -> None:
    """Labels go wrong and right again, all at once or one after the other."""
    for wrong in WRONG:
        w.labels[:: 1 + wrong % 7] = wrong
        w.labels.fill(1)


def _poison(w: World) -> None:
    w.x.fill(np.nan)
    w.x.fill(1.0)


def _labelled(w: World) -> None:
    """Every op that reads labels or indices."""
    for op in (
        lambda: ops.cross_entropy(w.leaf, w.labels),
        lambda: ops.take(w.leaf, w.labels).sum().backward(),
        lambda: ops.gather(w.x, w.labels),
        lambda: ops.one_hot(w.labels, CLASSES),
        lambda: ops.accuracy(w.x, w.labels),
        lambda: ops.cross_entropy(w.leaf, w.labels, ignore=-1).backward(),
        lambda: ops.dropout(w.leaf, w.labels).sum().backward(),
        lambda: ops.binary_cross_entropy(w.x[:, 0], w.labels),
    ):
        _quiet(w, op)


def _borrowed(w: World) -> None:
    """Labels that the graph keeps, overwritten before backward."""
    labels = _core.borrow(w.labels)
    for op in (ops.cross_entropy, ops.take):
        _quiet(w, lambda op=op: op(w.leaf, labels).sum().backward())


def _scan(w: World) -> None:
    """Ops whose loops could be led astray by values."""
    for op in (ops.argmax, ops.max, ops.softmax, ops.var, _core.moments, _core.check_finite, pn.tensor):
        op(w.x)
    ops.max_pool2d(w.x.reshape(ROWS // 50, 10, 5, WIDTH))
    w.leaf.argmax(axis=0)


def _normal(w: World) -> None:
    ones = np.ones(WIDTH, w.real)
    ops.batch_norm(w.leaf, ones, ones, *w.running, training=True).sum().backward()


def _pool(w: World) -> None:
    for n in (1, 3, 2):
        _core.set_threads(n)


def _read(w: World) -> None:
    for t in (*w.block.tensors, w.leaf):
        repr(t), t.numpy().sum(), t.requires_grad, t.shape


ACTIONS: tuple[Callable[[World], object], ...] = (
    _train, _train, _model, _chain, _again, _renew, _toggle, _look, _keep, _assign, _restore, _slots, _steps, _steps,
    _spoil, _spoil, _poison, _labelled, _labelled, _borrowed, _scan, _normal, _pool, _read,
    lambda w: _core.memory_trim(), lambda w: gc.collect(1),
)  # fmt: skip


def _quiet(w: World, action: Callable[[], object]) -> None:
    w.case.attempt(action)


# ---- a case --------------------------------------------------------------------------------------------------------


def _work(world: World, actions: list[Callable[[World], object]], barrier: threading.Barrier, found: list[Any]) -> None:
    barrier.wait()
    for action in actions:
        try:
            world.case.attempt(action, world)
        except Finding as finding:
            found.append(finding)


def _check(real: str) -> None:
    """The engine still computes."""
    t = _core.tensor(np.full((200, 200), 0.5, real), requires_grad=True)
    (t @ t).sum().backward()
    if not np.array_equal(np.array(t.grad), np.full((200, 200), 200.0)):
        raise Finding("after the threads, a product's gradient is wrong")


def run(case: Case) -> None:
    """Two to four threads, a few actions each, some of them again and again."""
    together(case)


def together(case: Case, more: Sequence[Callable[[World], object]] = ()) -> None:
    """A case of threads, each of which does one of `more`, too."""
    interval = sys.getswitchinterval()
    world = World(case)
    programs = []
    for _ in range(case.pick((2, 2, 3, 4))):
        some = [case.pick(ACTIONS) for _ in range(case.pick((1, 1, 2, 3)))]
        some += [case.pick(more)] if more else []
        programs.append(some * case.pick((2, 5, 10)))
    case.say(" | ".join(f"{len(p)} of {', '.join(sorted({a.__name__ for a in p}))}" for p in programs))
    found: list[Any] = []
    barrier = threading.Barrier(len(programs))
    threads = [threading.Thread(target=_work, args=(world, p, barrier, found)) for p in programs]
    sys.setswitchinterval(case.pick((1e-6, 1e-5, 1e-4)))
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
        _core.set_threads(2)
    if found:
        raise found[0]
    _check(world.real)
