"""agree.py -- an op in float32 and in float64, on the same numbers, and in NumPy.

The tolerance of float32 is measured for each element: the call is repeated, in both reals, on inputs that are disturbed
by float32's rounding, and the spread of the results, times a factor, is the tolerance.  Elementwise ops compute each
element independently from exactly these numbers: they must agree to some units in the last place (ULP) at any
magnitude.  The variance of float32 numbers must be accurate to a thousandth, however far from 0 they are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from case import Case, Finding
from oprows import ROWS

from pyneural import _core

Array = np.ndarray
Call = Callable[[Any, list[Any], dict[str, Any]], Any]
Run = Callable[[str, float], list[Array]]

ROUNDING = 2.0**-24  # of float32
ULPS = 32  # in which elementwise ops agree, besides what disturbed inputs make of them
FACTOR = 32.0  # of the spread of so few runs as these, where many roundings add up:
RUNS, MORE_RUNS = 4, 60
VARIANCE = 1e-3
TINY = 1e-37  # what float32 flushes to 0, and a little more
NUMPYS = 1e-11  # of the greatest value: NumPy's own roundings, in float64
# Gradients that are a difference of numbers near 1, as 1 - y is: they may be off by the rounding of these, and are
# tried on ordinary numbers only.
NEAR_ONE = ("sigmoid", "tanh", "gelu", "softmax", "log_softmax", "cross_entropy", "binary_cross_entropy", "layer_norm")
LEAST_ROW = 8  # values to a norm: of fewer, nothing but roundings may be left of a gradient
SIGNED = ("tanh", "neg", "sqrt", "abs", "mul", "div")  # whose zeros have the sign that NumPy's have
PARAMS = {row["name"]: row["params"] for row in _core.op_table()}
ELEMENTWISE = frozenset(row["name"] for row in _core.op_table() if row["doc"].startswith("Elementwise"))


def agree(case: Case, drawn: Any, call: Call) -> None:
    """Draws values for the arrays of an op's call, and compares forward and back."""
    if not any(a is not None and a.dtype.kind == "f" and a.size for a in drawn.arrays):
        return  # of no values NumPy may make 2**31 zeros; tests/test_empty.py compares what small ones give
    if drawn.op.endswith("_norm") and min(_row(drawn.op, drawn.arrays[0])) < LEAST_ROW:
        return
    near_one = drawn.op in NEAR_ONE or "activation" in [param[0] for param in PARAMS[drawn.op]]
    given = [None if a is None else _values(case, a, drawn.op, near_one) for a in drawn.arrays]
    case.say(f"{drawn.op} in both reals on {[None if a is None else a.shape for a in given]}, {drawn.params}")
    seed = case.random.getrandbits(32)

    def run(real: str, disturbed: float = 0.0) -> list[Array]:
        case.count()
        return _results(case, drawn, call, [_disturb(case, a, disturbed) for a in given], real, seed, disturbed)

    single, exact = case.attempt(run, "float32"), case.attempt(run, "float64")
    if (single is None) != (exact is None) and case.refusal is not MemoryError:
        raise Finding("refused in one real and not in the other")
    if single is None or exact is None:
        return
    spread = _spreads(run, single, exact, RUNS, ROUNDING)
    if _worst(drawn.op, near_one, single, exact, spread):  # perhaps float32 is on the other side of relu's corner
        more = _spreads(run, single, exact, MORE_RUNS, 8 * ROUNDING)
        spread = [np.maximum(a, b) for a, b in zip(spread, more, strict=True)]
        if worst := _worst(drawn.op, near_one, single, exact, spread):
            raise Finding(f"{drawn.op} in float32: {worst}")
    _against_numpy(drawn, given, exact[0], spread[0])


# ---- values --------------------------------------------------------------------------------------------------------


def _values(case: Case, a: Array, op: str, ordinary: bool) -> Array:
    """Numbers that float32 holds exactly."""
    if a.dtype.kind != "f":
        return a
    numbers, kind = case.numbers, case.random.randrange(4)
    made = numbers.normal(size=a.shape)
    if ordinary:
        return np.asarray(made).astype("float32").astype("float64")
    if kind == 0 and op in ELEMENTWISE:
        made = np.sign(made) * 10.0 ** numbers.uniform(-36, 37, a.shape)
    elif kind == 0:
        made = made + 10.0 ** case.random.uniform(2, 7)
    elif kind == 1:
        made = made * 10.0 ** case.random.uniform(-6, 3)
    elif kind == 2:
        made = numbers.integers(-3, 4, a.shape) * 0.5
    return np.asarray(made).astype("float32").astype("float64")


def _row(op: str, x: Array) -> tuple[int, ...]:
    """How many values the norm's statistics are of."""
    return x.shape[-1:] if op == "layer_norm" else (x.size // max(x.shape[-1], 1),)


def _disturb(case: Case, a: Array | None, by: float) -> Array | None:
    if a is None or not by or a.dtype.kind != "f":
        return a
    return np.asarray(a * (1 + by * case.numbers.uniform(-1, 1, a.shape)))


def _results(
    case: Case, drawn: Any, call: Call, given: list[Array | None], real: str, seed: int, disturbed: float
) -> list[Array]:
    """The output, and the gradients of the leaves for a random gradient of it; all as float64."""
    leaves, inputs = [], []
    for i, a in enumerate(given):
        if a is None:
            inputs.append(None)
            continue
        wants = a.dtype.kind == "f" and i in ROWS[drawn.op].leaves
        inputs.append(_core.tensor(a, real if a.dtype.kind == "f" else str(a.dtype), requires_grad=wants))
        leaves += [inputs[-1]] * wants
    y = call(drawn, inputs, drawn.params)
    if y.requires_grad:
        gradient = np.asarray(np.random.default_rng(seed).normal(size=y.shape)).astype("float32")
        y.backward(np.asarray(_disturb(case, gradient.astype("float64"), disturbed)).astype(y.dtype))
    return [np.array(y).astype("float64"), *(np.array(x.grad).astype("float64") for x in leaves if x.grad is not None)]


# ---- tolerances ----------------------------------------------------------------------------------------------------


def _spreads(run: Run, single: list[Array], exact: list[Array], runs: int, by: float) -> list[Array]:
    """How far each element goes when the inputs are disturbed: in float64, and in float32 with its own roundings."""
    made = [_farthest(exact, [run("float64", by) for _ in range(runs)])]
    made.append(_farthest(single, [run("float32", 2 * by) for _ in range(runs)]))
    return [np.nan_to_num(a, nan=np.inf) + np.nan_to_num(b, nan=0.0, posinf=0.0) for a, b in zip(*made, strict=True)]


def _farthest(plain: list[Array], runs: list[list[Array]]) -> list[Array]:
    with np.errstate(all="ignore"):
        return [np.max([abs(run[i] - a) for run in runs], axis=0, initial=0.0) for i, a in enumerate(plain)]


def _room(op: str, near_one: bool, i: int, got: Array, want: Array, spread: Array, first: Array) -> Array:
    """By how much each element of result i (0: the output, else gradients) may be off."""
    with np.errstate(all="ignore"):
        if op == "var" and i == 0:
            return VARIANCE * abs(want) + TINY
        room = ULPS * ROUNDING * (abs(want) + 8 * (near_one and i > 0)) + TINY  # |dy| is less than 8
        plain = op in ELEMENTWISE and want.shape == first.shape
        if op == "augment":  # between two pixels a place is rounded, too, by a share of their difference
            room = room + ULPS * ROUNDING * np.max(abs(want), initial=0.0, where=np.isfinite(want))
        room = np.asarray(room + (4 if plain else FACTOR) * spread)
        if plain and i:  # exp's gradient, where exp overflows
            return np.where(np.isfinite(first), room, np.inf)
        if op in ELEMENTWISE and i:  # a sum of gradients, of which some overflow
            return np.where(np.isfinite(got), room, np.inf)
        return room


def _worst(op: str, near_one: bool, single: list[Array], exact: list[Array], spread: list[Array]) -> str:
    """The first element that is too far out, in words; empty where all are near enough."""
    for i, (got, want, most) in enumerate(zip(single, exact, spread, strict=True)):
        name = f"gradient {i - 1}" if i else "result"
        if got.shape != want.shape:
            return f"the {name} is {got.shape}, and {want.shape} in float64"
        room = _room(op, near_one, i, got, want, most, single[0])
        with np.errstate(all="ignore"):
            off = _off(got, want.astype("float32").astype("float64"), room)
        if off.any():
            at = np.unravel_index(int(np.argmax(off)), off.shape)
            place = tuple(map(int, at))
            return f"the {name} is {got[at]:.9g}, in float64 {want[at]:.9g}, may differ by {room[at]:.3g}, at {place}"
    return ""


def _off(got: Array, want: Array, room: Array) -> Array:
    """Where two arrays differ by more than there is room; infinities and NaN must be equal."""
    near = np.isfinite(got) & np.isfinite(want) & (abs(got - want) <= room)
    edge = (abs(got) > 3e38) & (abs(want) > 3e38) & (np.sign(got) == np.sign(want))  # on either side of overflow
    return np.asarray(~(near | edge | (got == want) | (np.isnan(got) & np.isnan(want)) | np.isinf(room)))


def _against_numpy(drawn: Any, given: list[Array | None], got: Array, spread: Array) -> None:
    """The float64 result against the row's reference."""
    try:
        with np.errstate(all="ignore"):
            want = np.asarray(ROWS[drawn.op].ref(*given, **drawn.params)).astype("float64")
    except Exception:  # the references take what is right and ordinary
        return
    if got.shape != want.shape:
        raise Finding(f"{drawn.op} is {got.shape}, and NumPy's {want.shape}")
    with np.errstate(all="ignore"):
        greatest = np.max(abs(want), initial=1.0, where=np.isfinite(want))
        real = any(a is not None and a.dtype.kind == "f" for a in given)
        numpys = NUMPYS if real else ULPS * ROUNDING  # what is real of integers alone is float32
        if drawn.op == "augment":  # a power of the rounding of tones next to black, or a deviation next to 0
            of_tones = 1e-16 ** np.exp(-drawn.params.get("gamma", 0.0))
            numpys = max(numpys, of_tones, 1e-8 * drawn.params.get("standardize", False))
        off = _off(got, want, numpys * greatest + ROUNDING * spread)
    if off.any():
        at = np.unravel_index(int(np.argmax(off)), off.shape)
        raise Finding(f"{drawn.op} in float64 is {got[at]:.17g}, in NumPy {want[at]:.17g}, at {tuple(map(int, at))}")
    if drawn.op in SIGNED and (np.signbit(got) != np.signbit(want))[want == 0].any():
        raise Finding(f"{drawn.op} gives a zero of the wrong sign")
