"""ops.py -- every op of the table with adversarial shapes, dtypes, strides and parameters, forward and backward.

A case starts from a case of the op's row in tests/oprows.py, and replaces its lengths, in the same way in every input,
so that shapes still fit together; then something may be broken.  Besides crashes it checks the shape-only result,
is_recording() being read once, shapes of gradients, and aliased inputs against copies.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import arrays
import hostile
import numpy as np
from agree import agree
from case import Case, Finding
from oprows import ROWS

from pyneural import _core
from pyneural import ops as table

OPS = {row["name"]: row for row in _core.op_table()}
CASES = [(op, row) for op in OPS for row in ROWS[op].cases]
MOST, FEW = 6_000, 500  # values of an array, as a rule; where a call is made many times
WORK = 20_000_000  # products in a convolution
KINDS: dict[str, tuple[Any, ...]] = {  # values of parameters that are usually right, by their kind
    "int": (0, 1, 2, -1),
    "seed": (0, 1, 2**64 - 1),
    "float": (0.0, 0.1, 0.5, 1.0, 2.0),
    "bool": (True, False),
    "pair": (1, 2, 3, (1, 2), (2, 1), [3, 1], (5, 1)),
    "padding": ("same", "valid", 0, 1, 2, (1, 0), ((0, 1), (2, 0)), [[1, 1], [0, 2]]),
    "axes": (None, 0, -1, 1, (0, 1), (), [0], (0, 2), (1, 2)),
    "shape": ((-1,), (1, -1), (0, -1), (), (2, 3)),
    "slices": ((slice(None),), (0,), (slice(None, None, -1),), (..., 0), (slice(1, None, 2), slice(-2, None))),
    "activation": (None, "relu", "leaky_relu", "sigmoid", "tanh"),
    "reduction": ("mean", "sum", "none"),
    "dtype": ("float32", "float64", "uint8", "int64"),
    "optional_int": (None, 0, 1, 2),
    "stream": ("a name", 0, 3),
    "approximate": ("none", "tanh"),
}


class Drawn(NamedTuple):
    """A call that is to be made: the arrays, None where an input is left out, and the parameters."""

    op: str
    arrays: list[np.ndarray | None]
    params: dict[str, Any]
    real: str


# ---- drawing a call ------------------------------------------------------------------------------------------------


def _lengths(case: Case, shapes: list[tuple[int, ...]], most: int) -> dict[int, int]:
    """Another length for each that occurs; some stay."""
    known = sorted({n for shape in shapes for n in shape})
    new = {n: n if case.chance(0.3) else arrays.length(case) for n in known}
    most = most * case.pick((300, 30)) if case.chance(0.02) else most
    while known and max(_size(shape, new) for shape in shapes) > most:
        longest = max(new, key=lambda n: new[n])
        new[longest] //= 2
    if known and case.chance(0.04):  # huge, but empty: nothing may take time by its length
        new[case.pick(known)] = 1 << case.pick((20, 31, 40, 61))
        for shape in shapes:
            if _size(shape, new) > most:
                new[min(shape, key=lambda n: new[n] if len(set(shape)) > 1 else -1)] = 0
    return new


def _size(shape: tuple[int, ...], new: dict[int, int]) -> int:
    size = 1
    for n in shape:
        size *= new[n]
    return size


def _shapes(case: Case, inputs: Any, most: int) -> tuple[list[tuple[int, ...] | None], dict[int, int]]:
    given = [d.shape for d in inputs if d is not None]
    new = _lengths(case, given, most)
    made: list[Any] = [None if d is None else tuple(new[n] for n in d.shape) for d in inputs]
    for i, shape in enumerate(made):
        if shape is None or not case.chance(0.06):
            continue
        if shape and case.chance(0.5):  # one axis no longer fits, or broadcasts
            at = case.random.randrange(len(shape))
            shape = (*shape[:at], case.pick((0, 1, 2)), *shape[at + 1 :])
        else:  # more axes, or fewer
            front = tuple(case.pick((1, 1, 2, 0)) for _ in range(case.random.randrange(1, 9)))
            shape = (*front, *shape) if case.chance(0.5) else shape[1:]
        made[i] = shape if np.prod([float(n) for n in shape]) <= 4 * MOST else made[i]
    return made, new


def _fill(case: Case, draw: Any, shape: tuple[int, ...], real: str, new: dict[int, int]) -> np.ndarray:
    if draw.real:
        return arrays.values(case, shape, real)
    kept = draw.make(np.random.default_rng(0), "float32")
    highest = int(kept.max()) + 1 if kept.size else 1
    high = case.pick((1, 2, new.get(highest, highest), *new.values()))
    return arrays.integers(case, shape, str(kept.dtype), min(high, 255) if kept.dtype == np.uint8 else high)


def _params(case: Case, op: str, given: dict[str, Any], new: dict[int, int], odd: float) -> dict[str, Any]:
    made = dict(given)
    for name, kind, default, _ in OPS[op]["params"]:
        if kind == "shape" and name in made:
            made[name] = tuple(new.get(n, n) for n in np.atleast_1d(made[name]).tolist())
        elif name == "classes":
            made[name] = new.get(made[name], made[name])
        if case.chance(0.2) or (name not in made and default is ...):
            made[name] = case.pick(KINDS.get(kind, (0,)))
        if case.chance(odd):
            made[name] = _odd(case, kind)
    return made


def _odd(case: Case, kind: str) -> Any:
    """A value of a parameter at the edge of what it may be, or beyond."""
    choice = case.random.randrange(4)
    if choice == 0:
        return hostile.number(case)
    if choice == 1 and kind in ("pair", "padding", "axes", "shape", "slices"):
        return hostile.changing(case, [hostile.number(case) for _ in range(case.random.randrange(1, 10))])
    if choice == 2 and kind in ("pair", "padding"):
        return (case.pick(hostile.EDGES), case.pick((0, 1, 2)))
    return hostile.some(case) if choice == 3 else case.pick(hostile.EDGES)


def draw(case: Case, odd: float, most: int = MOST) -> Drawn:
    """A call of some op; a share of its parameters is odd."""
    op, row = case.pick(CASES)
    real = case.pick(arrays.REALS)
    shapes, new = _shapes(case, row.inputs, most)
    try:
        made = [
            None if shape is None else _fill(case, d, shape, real, new)
            for d, shape in zip(row.inputs, shapes, strict=True)
        ]
    except (ValueError, MemoryError):  # no such array is possible
        made = [None if d is None else np.zeros((0,) * len(d.shape), real) for d in row.inputs]
    if op == "conv2d" and made[0].size * made[1].size > WORK:
        made[1] = made[1][:3, :3, :, :16]
    return Drawn(op, made, _params(case, op, row.params, new, odd), real)


# ---- making it -----------------------------------------------------------------------------------------------------


def call(drawn: Drawn, inputs: list[Any], params: dict[str, Any]) -> Any:
    """The op on these inputs."""
    function = getattr(table, drawn.op)
    return function(inputs, **params) if ROWS[drawn.op].variadic else function(*inputs, **params)


def _text(drawn: Drawn, forms: list[str]) -> str:
    shown = ["None" if a is None else f"{form} {a.dtype}{a.shape}" for a, form in zip(drawn.arrays, forms, strict=True)]
    words = [f"{name}={hostile.describe(value)}" for name, value in drawn.params.items()]
    return f"{drawn.op}({', '.join([*shown, *words])})"


def run(case: Case) -> None:
    """One call of an op, forward and back."""
    if case.chance(0.2):
        agree(case, draw(case, 0.0, FEW), call)
        return
    drawn = draw(case, 0.05)
    recording = not case.chance(0.15)
    guard = None if recording else _core.no_grad()
    if guard:
        guard.__enter__()
    try:
        _forward_and_back(case, drawn, recording)
    finally:
        _core._fail_after(0)
        while not _core.is_recording():
            _core.no_grad().__exit__(None, None, None)


def _forward_and_back(case: Case, drawn: Drawn, recording: bool) -> None:
    pairs = [(None, "None") if a is None else arrays.give(case, a) for a in drawn.arrays]
    inputs, forms = [list(side) for side in zip(*pairs, strict=True)]
    alias = _alias(case, inputs, forms)
    copies = _copies(inputs) if alias else []
    text = _text(drawn, forms)
    case.say(text)
    if case.chance(0.05):
        _core._fail_after(case.random.randrange(1, 8))
    wants = any(isinstance(x, _core.Tensor) and x.requires_grad for x in inputs)
    y = case.attempt(call, drawn, inputs, drawn.params)
    if case.chance(0.9):
        _core._fail_after(0)
    if y is None:
        return
    if y.requires_grad and not (recording and wants):
        raise Finding("the result has a graph, although recording was off when the call began")
    if copies:
        _same_as_copies(drawn, copies, y)
    if not alias:
        _predicted(case, drawn, inputs, y)
    if y.requires_grad:
        _back(case, drawn, inputs, y, text)


def _alias(case: Case, inputs: list[Any], forms: list[str]) -> bool:
    """Puts one input in the place of another, sometimes."""
    if len(inputs) < 2 or not case.chance(0.06):
        return False
    i, j = case.random.sample(range(len(inputs)), 2)
    inputs[i], forms[i] = inputs[j], f"the same as {j}, {forms[j]}"
    return True


def _copies(inputs: list[Any]) -> list[Any]:
    """Each input with memory of its own; empty where one has no values."""
    if not all(x is None or (isinstance(x, _core.Tensor) and not x.is_shape_only) for x in inputs):
        return []
    return [None if x is None else _core.tensor(x, x.dtype) for x in inputs]


def _same_as_copies(drawn: Drawn, copies: list[Any], y: Any) -> None:
    """Inputs that share memory make no difference."""
    _core._fail_after(0)
    if np.array(call(drawn, copies, drawn.params)).tobytes() != np.array(y).tobytes():
        raise Finding("the result differs from that on copies of the inputs")


def _predicted(case: Case, drawn: Drawn, inputs: list[Any], y: Any) -> None:
    """The same call on shapes alone must say what came."""
    if y.is_shape_only or not all(x is None or isinstance(x, _core.Tensor) for x in inputs):
        return
    if any(isinstance(v, hostile.Number | list) for v in drawn.params.values()):
        return
    _core._fail_after(0)
    shapes = [None if x is None else _core.shape_only(x.shape, x.dtype) for x in inputs]
    try:
        said = call(drawn, shapes, drawn.params)
    except Exception as error:
        raise Finding(f"computed, but refused on shapes alone: {error}") from error
    if (said.shape, said.dtype) != (y.shape, y.dtype):
        raise Finding(f"{said.dtype}{said.shape} on shapes alone, but computed it is {y.dtype}{y.shape}")


def _gradient(case: Case, y: Any) -> Any:
    if y.size == 1 and case.chance(0.3):
        return None
    if case.chance(0.06):
        return hostile.some(case)
    _core._fail_after(0)
    a = arrays.values(case, y.shape, y.dtype) if y.size <= 100 * MOST else np.ones(y.shape, y.dtype)
    if case.chance(0.05):
        a = a[..., :-1] if a.ndim else a.reshape(1)
    return _core.tensor(a, y.dtype) if case.chance(0.5) else case.pick(tuple(arrays.FORMS.values()))(a)


def _back(case: Case, drawn: Drawn, inputs: list[Any], y: Any, text: str) -> None:
    _disturb(case, drawn, inputs)
    for _ in range(case.pick((1, 1, 1, 2))):
        gradient = _gradient(case, y)
        keep, add = case.chance(0.3), case.chance(0.3)
        case.say(f"{text}.backward({hostile.describe(gradient)}, keep_graph={keep}, accumulate={add})")
        case.attempt(y.backward, gradient, keep_graph=keep, accumulate=add)
    for x in inputs:
        if isinstance(x, _core.Tensor) and x.grad is not None and (x.grad.shape, x.grad.dtype) != (x.shape, x.dtype):
            raise Finding(f"the gradient of {hostile.describe(x)} is {hostile.describe(x.grad)}")


def _disturb(case: Case, drawn: Drawn, inputs: list[Any]) -> None:
    """Between forward and backward, arrays that were handed over are written by their owner, and tensors assigned."""
    if not case.chance(0.1):
        return
    for a, x in zip(drawn.arrays, inputs, strict=True):
        if a is not None and a.flags.writeable:
            a.fill(case.pick((0, 1, 200)) if a.dtype == np.uint8 else case.pick((0, 1, -1, 2**40)))
        if isinstance(x, _core.Tensor) and case.chance(0.5):
            case.attempt(x.assign, 1)
