"""graphs.py -- random graphs of differentiable ops: values and gradients against NumPy, in both reals, to the element.

A graph reads values more than once, broadcasts, and has dead branches; some intermediate values keep their gradient.
The tolerance is measured: the reference runs again with everything disturbed by float32's rounding.  It also checks
that another number of threads gives identical bits, and that a second, accumulating backward doubles the gradient.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from case import Case, Finding
from draft import Draft
from reference import Disturb, Program, Step, differentiate, evaluate

from pyneural import _core, ops

Array = np.ndarray

ROUNDING = {"float32": 2.0**-24, "float64": 2.0**-53}
TINY = {"float32": 1e-30, "float64": 1e-200}
RUNS, MORE_RUNS = 6, 60  # disturbed runs; the second number, at 8 times the rounding, decides
FACTOR = 64.0  # of their spread: sums of thousands of terms round at each


def run(case: Case) -> None:
    """One graph."""
    program = Draft(case).write()
    case.say("; ".join(map(_show, enumerate(program))))
    d = np.asarray(case.numbers.normal(size=_last(program).shape)).astype("float32").astype("float64")
    kept = {i for i, entry in enumerate(program) if isinstance(entry, Step) and case.chance(0.3)}
    twice = case.chance(0.2)
    exact = _reference(program, d, lambda a: a)
    spread = _spread(case, program, d, exact, ROUNDING["float32"], RUNS)
    for real in ("float64", "float32"):
        got = case.attempt(_compute, program, d, real, kept, twice)
        _compare(case, program, d, real, got, exact, spread, 2.0 if twice else 1.0)
    if case.chance(0.3):
        _threads(program, d, kept, twice)


def _show(numbered: tuple[int, Any]) -> str:
    i, entry = numbered
    if not isinstance(entry, Step):
        return f"v{i} = {entry.dtype}{entry.shape}"
    words = [f"v{k}" for k in entry.inputs] + [f"{name}={value}" for name, value in entry.params.items()]
    return f"v{i} = {entry.op}({', '.join(words)})"


def _last(program: Program) -> Array:
    return evaluate(program, lambda a: a)[-1]


def _reference(program: Program, d: Array, disturb: Disturb) -> list[Array | None]:
    """Values, then gradients."""
    values = evaluate(program, disturb)
    return [*values, *differentiate(program, values, d, disturb)]


# ---- the engine ----------------------------------------------------------------------------------------------------


def _call(step: Step, x: list[Any]) -> Any:
    op = getattr(ops, step.op)
    if step.op == "concat":
        return op(x, **step.params)
    if step.op == "batch_norm":
        C, real = x[0].shape[-1], x[0].dtype
        return op(*x, _core.zeros((C,), real), _core.zeros((C,), real), training=True)
    return op(*x, **step.params)


def _compute(program: Program, d: Array, real: str, kept: set[int], twice: bool) -> list[Array | None]:
    """Values, then gradients of the leaves and of what keeps its own; None for the others."""
    values: list[Any] = []
    for i, entry in enumerate(program):
        if isinstance(entry, Step):
            values.append(_call(entry, [values[k] for k in entry.inputs]))
            if i in kept and values[i].requires_grad:
                values[i].keep_grad()
        else:
            wants = entry.dtype.kind == "f"
            values.append(_core.tensor(entry, real if wants else "int64", requires_grad=wants))
    gradient = d.astype(real)
    if twice:
        values[-1].backward(gradient, keep_graph=True)
    _listed(values[-1], freed=False)
    values[-1].backward(gradient, accumulate=twice)
    _listed(values[-1], freed=True)
    return [*map(np.array, values), *(None if v.grad is None else np.array(v.grad) for v in values)]


def _listed(value: Any, *, freed: bool) -> None:
    """The recorded ops are numbered in order, read older ones only, and keep nothing once a backward has freed them."""
    for number, row in enumerate(value.graph()):
        older = all(source < number for _, _, source in row["inputs"] if isinstance(source, int))
        if row["number"] != number or row["freed"] != freed or not older or (freed and (row["keeps"] or row["bytes"])):
            raise Finding(f"graph() has the row {row}")


def _threads(program: Program, d: Array, kept: set[int], twice: bool) -> None:
    results = []
    try:
        for n in (1, 3):
            _core.set_threads(n)
            got = _compute(program, d, "float32", kept, twice)
            results.append([None if a is None else a.tobytes() for a in got])
    finally:
        _core.set_threads(2)
    if results[0] != results[1]:
        raise Finding("other bits with 3 threads than with 1")


# ---- the comparison ------------------------------------------------------------------------------------------------


def _spread(case: Case, program: Program, d: Array, exact: list[Array | None], by: float, runs: int) -> list[Any]:
    def disturb(a: Array) -> Array:
        return a * (1 + by * case.numbers.uniform(-1, 1, a.shape))

    farthest: list[Any] = [None if a is None else np.zeros(a.shape) for a in exact]
    for _ in range(runs):
        for i, (a, b) in enumerate(zip(exact, _reference(program, d, disturb), strict=True)):
            if a is not None and b is not None:
                farthest[i] = np.fmax(farthest[i], abs(a - b))
    return farthest


def _compare(
    case: Case, program: Program, d: Array, real: str, got: Any, exact: list[Any], spread: list[Any], times: float
) -> None:
    if _worst(program, real, got, exact, spread, times):  # perhaps float32 is on the other side of relu's corner
        more = _spread(case, program, d, exact, 8 * ROUNDING["float32"], MORE_RUNS)
        spread = [None if a is None else np.fmax(a, b) for a, b in zip(spread, more, strict=True)]
        if worst := _worst(program, real, got, exact, spread, times):
            raise Finding(f"{real}: {worst}")


def _worst(program: Program, real: str, got: Any, exact: list[Any], spread: list[Any], times: float) -> str:
    """The first element that is too far out, in words; empty where all are near enough."""
    for i, (a, want, most) in enumerate(zip(got, exact, spread, strict=True)):
        place = i % len(program)
        name = f"{'gradient' if i >= len(program) else 'value'} of v{place}"
        if want is None or program[place] is None or a is None:
            if i >= len(program) and want is None and a is not None and a.any():
                return f"the {name} is not 0, though nothing depends on it"
            continue
        factor = times if i >= len(program) else 1.0
        if a.shape != want.shape:
            return f"the {name} is {a.shape}, in NumPy {want.shape}"
        with np.errstate(all="ignore"):
            most = most * (ROUNDING[real] / ROUNDING["float32"])
            room = factor * (FACTOR * most + 4 * ROUNDING[real] * abs(want)) + TINY[real]
            off = ~(abs(a - factor * want) <= room) & ~(np.isnan(a) & np.isnan(want))
        if off.any():
            at = np.unravel_index(int(np.argmax(off)), off.shape)
            return f"the {name} is {a[at]:.12g}, in NumPy {factor * want[at]:.12g}, may differ by {room[at]:.3g}"
    return ""
