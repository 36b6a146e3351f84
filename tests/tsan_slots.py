"""The rule for slots (csrc/tensor/tensor.h), kept by Python threads under ThreadSanitizer: a program of `make tsan`.

    python tests/tsan_slots.py [SECONDS]

Threads freeze and thaw, sweep, step, look at gradients and graphs and keep them, at the same tensors: a block's, a
model's, and leaves of their own.  What races by the user's fault is left out, the values themselves: graphs that read
some are made before the threads start, their backward reads none, and nobody looks into a gradient that another thread
may be writing.  So whatever ThreadSanitizer reports is ours, and its exit code is that of this program.
"""

from __future__ import annotations

import os
import random
import sys
import threading
import time
from collections.abc import Callable

import numpy as np

import pyneural as pn
from pyneural import _core, ops

SECONDS = 20.0
N = 40_000  # values of a tensor: from 32,768 on calls give the GIL away
REFUSALS = (  # what a thread may be told, since nobody waits for a claim
    "another thread is",
    "freed by an earlier backward",
    "does not depend on any tensor that requires a gradient",
    "does not require a gradient",
    "has no gradient",
)


class World:
    """What the threads share."""

    def __init__(self) -> None:
        self.block = _core.Block(["a", "b", "c"], [(N,), (7,), (2, N)], ["weight", "bias", "weight"])
        self.leaves = [_core.tensor(np.zeros(N, "float32"), requires_grad=True) for _ in range(2)]
        self.model = pn.Sequential(pn.Dense(200), pn.Dense(200))
        self.model.build((200,))
        self.steps = [_core.Optimizer("sgd", self.block), _core.Optimizer("adam", self.leaves)]
        sets = [random.sample(self.tensors(), random.randrange(2, 6)) for _ in range(6)]
        self.losses = [ops.concat([ops.reshape(t, (-1,)) for t in tensors]) for tensors in sets]

    def tensors(self) -> list[pn.Tensor]:
        """Everything that has a slot of its own."""
        weights = [layer.weight for layer in self.model.layers]
        return [*self.block.tensors, *self.leaves, *weights]


def sweep(w: World) -> None:
    y = ops.reshape(random.choice(w.tensors()), (-1,))
    y.backward(np.ones(y.shape, "float32"), accumulate=random.random() < 0.5)


def sweep_shared(w: World) -> None:
    loss = random.choice(w.losses)
    loss.backward(np.ones(loss.shape, "float32"), keep_graph=random.random() < 0.99)


def toggle(w: World) -> None:
    for trainable in (False, True):
        w.block.set_trainable(random.randrange(3), trainable)
        w.model.layers[random.randrange(2)].trainable = trainable


def step(w: World) -> None:
    random.choice(w.steps).step()


def look(w: World) -> None:
    for t in (*w.tensors(), *w.losses):
        assert (g := t.grad) is None or g.shape == t.shape
        assert t.requires_grad in (False, True)


def listed(w: World) -> None:
    for loss in w.losses:
        assert {row["op"] for row in loss.graph()} == {"concat", "reshape"}


def keep(w: World) -> None:
    loss = random.choice(w.losses).keep_grad()
    y = ops.reshape(loss, (1, -1)).keep_grad()
    y.backward(np.ones(y.shape, "float32"), keep_graph=True)


def tell(w: World) -> None:
    for optimizer in w.steps:
        assert optimizer.steps >= 0
        assert optimizer.last_norm >= 0
        repr(optimizer)


ACTIONS: tuple[Callable[[World], None], ...] = (sweep, sweep_shared, toggle, step, look, listed, keep, tell)


def work(world: World, actions: list[Callable[[World], None]], until: float, done: dict[str, int]) -> None:
    """These actions, over and over; what a thread is refused it goes on from."""
    while time.monotonic() < until:
        action = random.choice(actions)
        try:
            action(world)
            done[action.__name__] = done.get(action.__name__, 0) + 1
        except RuntimeError as error:
            if not any(words in str(error) for words in REFUSALS):
                print(f"{action.__name__}: {error}", file=sys.stderr, flush=True)
                os._exit(1)


def main(seconds: float) -> None:
    """Every pair of actions meets; then all of them at once."""
    sys.setswitchinterval(1e-5)
    until, done = time.monotonic() + seconds, {}
    while time.monotonic() < until:
        world = World()
        programs = [[action] for action in random.sample(ACTIONS, 2)] + [list(ACTIONS)] * random.randrange(2)
        end = min(until, time.monotonic() + 0.5)
        threads = [threading.Thread(target=work, args=(world, program, end, done)) for program in programs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    print(", ".join(f"{name} {count:,}" for name, count in sorted(done.items())))


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS)
