"""The overhead of Python and dispatch: an op on tiny tensors, a node of backward, and a step of pn.fit.

    python benchmarks/overhead.py

The Python part of a step is bounded from above by a whole step of pn.fit on a network with almost no arithmetic.
Medians of short pieces are used, so that moments in which the machine was busy do not count.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable

import fresh
import numpy as np
from judge import Target, microseconds, table, verdict

PIECES = 200
NODES = 1_000
OP, NODE, STEP = 1.0, 0.5, 25.0  # microseconds


def each(run: Callable[[], object], times: int = 500) -> float:
    """Microseconds of one call: the median over pieces of so many calls."""
    found = []
    for _ in range(PIECES):
        begun = time.perf_counter()
        for _ in range(times):
            run()
        found.append((time.perf_counter() - begun) / times)
    return 1e6 * statistics.median(found)


def ops() -> dict[str, float]:
    """Microseconds of single ops on tiny tensors."""
    import pyneural as pn

    a, b = (pn.tensor(np.ones((2, 4), np.float32)) for _ in range(2))
    w, bias = pn.tensor(np.ones((4, 4), np.float32)), pn.tensor(np.ones(4, np.float32))
    calls = {
        "add": lambda: pn.ops.add(a, b),
        "mul by a row": lambda: pn.ops.mul(a, bias),
        "relu": lambda: pn.ops.relu(a),
        "sum": lambda: pn.ops.sum(a),
        "linear": lambda: pn.ops.linear(a, w, bias, activation="relu"),
        "softmax": lambda: pn.ops.softmax(a),
    }
    return {name: each(call) for name, call in calls.items()}


def node() -> float:
    """Microseconds of backward for each node of a chain."""
    import pyneural as pn

    x, one = pn.tensor(np.ones(4, np.float32), requires_grad=True), pn.tensor(np.ones(4, np.float32))
    found = []
    for _ in range(PIECES):
        y = x
        for _ in range(NODES):
            y = pn.ops.mul(y, one)
        y = pn.ops.sum(y)
        begun = time.perf_counter()
        y.backward()
        found.append((time.perf_counter() - begun) / NODES)
    return 1e6 * statistics.median(found)


def step() -> float:
    """Microseconds of a whole step of pn.fit, for 4-4-3 on batches of two."""
    import pyneural as pn

    times: list[float] = []

    def clock(step: int, steps: int) -> float:
        times.append(time.perf_counter())
        return pn.schedules.one_cycle(step, steps)

    draw = np.random.default_rng(0)
    x, y = draw.integers(0, 256, (20_000, 2, 2, 1), dtype=np.uint8), draw.integers(0, 3, 20_000)
    model = pn.Sequential(pn.Flatten(), pn.Dense(4, "relu"), pn.Dense(3))
    pn.fit(model, (x, y), epochs=2, batch_size=2, validation=None, schedule=clock, verbose=0)
    return 1e6 * float(np.median(np.diff(times)))


def measure(quick: bool) -> tuple[str, list[Target]]:
    """The table, and its targets."""
    found = fresh.run("overhead.py")
    rows = [[f"op {name}, tensors of 8", microseconds(1e-6 * value)] for name, value in found["ops"].items()]
    rows.append([f"backward, each of {NODES:,} nodes", f"{found['node']:.3f}"])
    rows.append(["a whole step of pn.fit, network 4-4-3, batch 2", f"{found['step']:.1f}"])
    slowest = max(found["ops"], key=found["ops"].get)
    targets = [
        Target(f"op on tiny tensors, the slowest ({slowest})", found["ops"][slowest], OP, unit=" µs"),
        Target("backward, a node", found["node"], NODE, unit=" µs"),
        Target("a fit step's Python", found["step"], STEP, unit=" µs"),
    ]
    return table(["overhead", "µs"], rows), targets


def main() -> int:
    if fresh.child() is not None:
        print(json.dumps({"ops": ops(), "node": node(), "step": step()}))
        return 0
    return verdict(*measure(False))


if __name__ == "__main__":
    sys.exit(main())
