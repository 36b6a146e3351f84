"""Every op, from its row in oprows.py: right in float64 and float32, its gradient, any threads, any ISA, bad input."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from opbounds import RUNS, Disturb, close, conditioning, room, root_mean_square
from opdraw import Bad, Case, Draw, Row
from oprows import ROWS
from scipy import special

from pyneural import _core, ops

CASES = [(op, i) for op, row in ROWS.items() for i in range(len(row.cases))]
BAD = [(op, i) for op, row in ROWS.items() for i in range(len(row.bad))]
WIDE = [
    (op, dict(params))
    for op, row in ROWS.items()
    if row.wide
    for params in dict.fromkeys(tuple(sorted(case.params.items())) for case in row.cases)
]
REALS = ("float64", "float32")

STEP = 1e-5  # of central differences
PROBES = 12  # elements of each input whose gradient is checked


# ---- running a case ------------------------------------------------------------------------------------------------


def draw(row: Row, inputs: tuple[Draw | None, ...], index: int, real: str) -> list[np.ndarray | None]:
    """The same numbers for both reals: drawn in float64, from a seed of the op's name and the case's index."""
    rng = np.random.default_rng([zlib.crc32(row.op.encode()), index])
    return [None if d is None else d.make(rng, real) for d in inputs]


def leaves(row: Row, inputs: tuple[Draw | None, ...]) -> list[int]:
    return [i for i, d in enumerate(inputs) if d is not None and d.real and i in row.leaves]


def call(row: Row, inputs: list[Any], params: dict[str, Any]) -> Any:
    op = getattr(_core.ops, row.op)
    return op(inputs, **params) if row.variadic else op(*inputs, **params)


def tensors(arrays: list[np.ndarray | None], wants: list[int]) -> list[Any]:
    return [
        None if a is None else _core.tensor(a, str(a.dtype), requires_grad=i in wants) for i, a in enumerate(arrays)
    ]


def weights(shape: tuple[int, ...], real: str) -> np.ndarray:
    """A gradient that comes in: the same numbers in both reals."""
    return np.asarray(np.random.default_rng(7).normal(size=shape)).astype("float32").astype(real)


def results(
    row: Row,
    case: Case,
    arrays: list[np.ndarray | None],
    w: np.ndarray | None = None,
    back: bool = True,
    **changed: Any,
) -> list[np.ndarray]:
    """The output, and the gradients of <output, w> for the leaves; w is `weights` where none is given."""
    wants = leaves(row, case.inputs) if back else []
    ts = tensors(arrays, wants)
    y = call(row, ts, {**case.params, **changed})
    if wants:
        y.backward(weights(y.shape, str(y.dtype)) if w is None else w)
    return [np.array(y), *(np.array(ts[i].grad) for i in wants)]


def run(row: Row, case: Case, index: int, real: str) -> tuple[np.ndarray, list[np.ndarray]]:
    y, *gradients = results(row, case, draw(row, case.inputs, index, real))
    return y, gradients


def widened(arrays: list[np.ndarray | None]) -> list[np.ndarray | None]:
    return [a.astype("float64") if a is not None and a.dtype == "float32" else a for a in arrays]


# ---- how far each element may be off (opbounds.py) -----------------------------------------------------------------


def rooms(row: Row, case: Case, arrays: list[np.ndarray | None], want: list[np.ndarray], real: str) -> list[np.ndarray]:
    """For the output, and for the gradients if `want` has them, at these inputs of float64."""
    twins = 1 if _core.isa() != "naive" else 16  # they sum up to 70,000 terms one after another
    w = weights(want[0].shape, "float64")

    def disturbed(disturb: Disturb) -> list[np.ndarray]:
        moved = [a if a is None or a.dtype.kind != "f" else disturb(a) for a in arrays]
        return results(row, case, moved, disturb(w), back=len(want) > 1)

    terms = conditioning(disturbed)
    for i, more in enumerate(what_cancels(row, case, arrays, w) if len(want) > 1 else (), 1):
        terms[i] = terms[i] + more
    ulps = [row.ulps * twins] + [(row.gradient_ulps or row.ulps) * twins] * len(want)
    if row.exact:
        ulps = [0] + [0 if row.copies else ulps[1]] * len(want)
    return [room(a, t, u, real) if u else np.zeros(a.shape) for a, t, u in zip(want, terms, ulps, strict=False)]


def what_cancels(row: Row, case: Case, arrays: list[np.ndarray | None], w: np.ndarray) -> list[np.ndarray]:
    """Of each gradient; that behind an activation whose gradient is a multiple of 1 - y has y's rounding, times dy."""
    if case.params.get("activation") in ("sigmoid", "tanh") and case.smooth:
        rng = np.random.default_rng(5)
        signs = [w * rng.choice([-1.0, 1.0], w.shape) for _ in range(RUNS)]
        return root_mean_square([results(row, case, arrays, v, activation=None)[1:] for v in signs])
    return row.left_of(w, *arrays, **case.params) if row.left_of and case.smooth else []


# ---- what is checked -----------------------------------------------------------------------------------------------


def check_forward(row: Row, case: Case, index: int) -> None:
    for real in REALS:
        arrays = draw(row, case.inputs, index, real)
        got = np.array(call(row, tensors(arrays, []), case.params))
        wide = widened(arrays)
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # NumPy's about means of nothing
            want = np.asarray(row.ref(*wide, **case.params))
            allowed = rooms(row, case, wide, [want], str(got.dtype))
        close(got, want, allowed[0], f"{row.op}[{index}] {real}")


def check_gradient(row: Row, case: Case, index: int) -> None:
    """Against central differences, whose truncation is what they change by at twice the step, or less."""
    wants = leaves(row, case.inputs)
    if not wants or not case.smooth:
        return
    arrays = draw(row, case.inputs, index, "float64")
    y, *grads = results(row, case, arrays)
    noise, *allowed = rooms(row, case, arrays, [y, *grads], "float64")
    noise = np.maximum(noise, room(y, 0, 4, "float64"))  # exact ops have a rounded x + step
    rng = np.random.default_rng(index)
    for i, grad, most in zip(wants, grads, allowed, strict=True):
        for at in rng.choice(grad.size, min(PROBES, grad.size), replace=False):
            (near, rounding), (far, _) = (central_difference(row, case, arrays, i, int(at), noise, h) for h in (1, 2))
            room_of_both = abs(near - far) + rounding + most.flat[at]
            what = f"{row.op}[{index}] input {i} at {at}"
            close(grad.flat[at : at + 1], np.array([near]), room_of_both, what)


def central_difference(
    row: Row, case: Case, arrays: list[np.ndarray | None], i: int, at: int, noise: np.ndarray, steps: int
) -> tuple[float, float]:
    """The slope of <output, weights>, and what the noise of those elements that change makes of it."""
    sides = []
    for step in (steps * STEP, -steps * STEP):
        a = arrays[i]
        assert a is not None
        moved = a.copy()
        moved.flat[at] += step
        sides.append(np.array(call(row, tensors([*arrays[:i], moved, *arrays[i + 1 :]], []), case.params)))
    w, change = weights(noise.shape, "float64"), sides[0] - sides[1]
    seen = change != 0 if change.any() else np.ones(w.shape, bool)
    rounding = np.linalg.norm((w * noise)[seen])
    return float((change * w).sum() / (2 * steps * STEP)), float(rounding / (steps * STEP))


def numbers_of_every_size(rng: np.random.Generator, n: int) -> np.ndarray:
    """Of both signs: a third over all exponents of float32, a third near 0, and values where functions have corners."""
    sign = rng.choice([-1.0, 1.0], n)
    spread = [np.exp2(rng.uniform(-126, 127.9, n)), abs(rng.normal(0, 6, n)), rng.choice([0, 1, 2, 88, 104], n)]
    return np.choose(rng.integers(0, 3, n), spread).astype("float32") * sign.astype("float32")


def in_range(a: np.ndarray) -> np.ndarray:
    """What float32 can hold with all its digits."""
    size = abs(a)
    return (size == 0) | ((size >= np.finfo("float32").tiny) & (size <= np.finfo("float32").max))


def check_wide(row: Row, params: dict[str, Any]) -> None:
    """Forward and gradient in float32 against float64, each element for itself.

    Where the result itself is not in float32's range, the gradient cannot be expected to be right.
    """
    assert row.wide is not None
    rng = np.random.default_rng(zlib.crc32(row.op.encode()))
    params = {k: float(np.float32(v)) if isinstance(v, float) else v for k, v in params.items()}
    inputs = [numbers_of_every_size(rng, 30_000) for d in row.cases[0].inputs if d is not None]
    dy = numbers_of_every_size(rng, 30_000)
    got, want = [], []
    for real, to in (("float32", got), ("float64", want)):
        ts = tensors([a.astype(real) for a in inputs], list(range(len(inputs))))
        y = call(row, ts, params)
        y.backward(dy.astype(real))
        to += [np.float64(y), *(np.float64(t.grad) for t in ts)]
    tiny, counts = float(np.finfo("float32").tiny), in_range(want[0])
    for i, (a, b) in enumerate(zip(got, want, strict=True)):
        ulps = row.wide.gradient if i else row.wide.forward
        with np.errstate(all="ignore"):
            allowed = 2.0**-23 * ulps * abs(b) + row.wide.least * tiny + (i > 0) * row.wide.of_dy * abs(dy)
            right = (abs(a - b) <= allowed) | (np.isnan(a) & np.isnan(b)) | (a == b)
        beyond = abs(b) >= np.finfo("float32").max * (1 - 2.0**-22 * ulps)
        wrong = np.flatnonzero(counts & ~right & ~(beyond & np.isinf(a)))
        for at in wrong[:1]:
            where = f"at {', '.join(str(x[at]) for x in inputs)}, dy {dy[at]}"
            what = f"gradient {i - 1}" if i else "value"
            raise AssertionError(
                f"{row.op} {params}: {what} {where} is {a[at]}, in float64 {b[at]}; {len(wrong)} wrong"
            )


def check_what_the_rule_says(row: Row, case: Case, index: int) -> None:
    """Forward and backward read what is kept, write all of their results, and stay within their scratch: _audit."""
    wants = leaves(row, case.inputs)
    _core._audit(True)
    try:
        for real in REALS:
            for some in [wants, [], *([i] for i in wants[:6] if len(wants) > 1)]:
                ts = tensors(draw(row, case.inputs, index, real), some)
                for _ in range(2):  # gradients are written, then added
                    y = call(row, ts, case.params)
                    if some:
                        y.backward(weights(y.shape, real), accumulate=True)
                if some:  # where they may be computed in the output's gradient
                    inner = [t * 1.0 if i in some else t for i, t in enumerate(ts)]
                    (call(row, inner, case.params) * 1.0).backward(weights(y.shape, real))
    finally:
        _core._audit(False)


# ---- tests ---------------------------------------------------------------------------------------------------------


def test_every_op_in_the_table_has_a_row_and_every_row_an_op() -> None:
    table = {op["name"] for op in _core.op_table()}
    assert table - set(ROWS) == set(), "ops without a row in tests/oprows.py"
    assert set(ROWS) - table == set(), "rows without an op in csrc/ops/ops.def"


def test_every_op_and_parameter_is_documented() -> None:
    for op in _core.op_table():
        assert ">>> " in op["doc"], f"{op['name']} has no example"
        for param in op["params"]:
            assert param[-1], f"{op['name']}: {param[0]} has no doc"


@pytest.mark.parametrize(("op", "index"), CASES)
def test_forward_equals_the_reference(op: str, index: int) -> None:
    check_forward(ROWS[op], ROWS[op].cases[index], index)


@pytest.mark.parametrize(("op", "params"), WIDE)
def test_elementwise_ops_are_right_over_the_whole_range_of_float32(op: str, params: dict[str, Any]) -> None:
    check_wide(ROWS[op], params)


@pytest.mark.parametrize(("op", "index"), CASES)
def test_gradient_equals_central_differences(op: str, index: int) -> None:
    check_gradient(ROWS[op], ROWS[op].cases[index], index)


@pytest.mark.parametrize(("op", "index"), CASES)
def test_forward_and_backward_keep_to_what_the_rule_says(op: str, index: int) -> None:
    check_what_the_rule_says(ROWS[op], ROWS[op].cases[index], index)


@pytest.mark.parametrize(("op", "index"), CASES)
def test_behind_another_op_gradients_have_the_same_bits(op: str, index: int) -> None:
    """There they may be computed where the output's gradient lies; for a leaf they never are."""
    row, case = ROWS[op], ROWS[op].cases[index]
    wants = leaves(row, case.inputs)
    if not wants:
        return
    arrays = draw(row, case.inputs, index, "float32")
    y, want = run(row, case, index, "float32")
    ts = tensors(arrays, wants)
    inner = [t * 1.0 if i in wants else t for i, t in enumerate(ts)]
    (call(row, inner, case.params) * 1.0).backward(weights(y.shape, "float32"))
    for i, grad in zip(wants, want, strict=True):
        assert np.array_equal(np.array(ts[i].grad), grad, equal_nan=True), f"{op}[{index}] input {i}"


@pytest.mark.parametrize(("op", "index"), CASES)
def test_float32_follows_float64(op: str, index: int) -> None:
    """On the same numbers, each element of the output and of every gradient."""
    row, case = ROWS[op], ROWS[op].cases[index]
    if not case.smooth:
        return
    arrays = draw(row, case.inputs, index, "float32")
    got, want = results(row, case, arrays), results(row, case, widened(arrays))
    for i, (g, w, allowed) in enumerate(
        zip(got, want, rooms(row, case, widened(arrays), want, "float32"), strict=True)
    ):
        if i or row.leaves:
            close(g, w, allowed, f"{op}[{index}] {f'gradient {i - 1}' if i else 'output'}")


@pytest.mark.parametrize(("op", "index"), CASES)
def test_an_error_of_a_thousandth_in_a_middling_element_is_noticed(op: str, index: int) -> None:
    """In float32, in the output and in every gradient: of opbounds.close, not of the op."""
    row, case = ROWS[op], ROWS[op].cases[index]
    if not case.smooth:
        return
    arrays = widened(draw(row, case.inputs, index, "float32"))
    want = results(row, case, arrays)
    for a, allowed in zip(want, rooms(row, case, arrays, want, "float32"), strict=True):
        some = np.flatnonzero(np.isfinite(a) & (a != 0))
        if len(some):
            wrong = a.astype("float64")
            wrong.flat[some[np.argsort(abs(a.flat[some]))[len(some) // 2]]] *= 1.001
            with pytest.raises(AssertionError, match="1 of "):
                close(wrong, a, allowed, op)


@pytest.mark.parametrize(("op", "index"), CASES)
def test_any_number_of_threads_gives_the_same_bits(op: str, index: int) -> None:
    row = ROWS[op]
    before = _core.get_threads()
    results = []
    try:
        for threads in (1, 2, 4):
            _core.set_threads(threads)
            y, grads = run(row, row.cases[index], index, "float32")
            results.append([y.tobytes(), *(g.tobytes() for g in grads)])
    finally:
        _core.set_threads(before)
    assert results[0] == results[1] == results[2]


@pytest.mark.parametrize(("op", "index"), CASES)
def test_a_second_backward_adds_where_asked(op: str, index: int) -> None:
    row = ROWS[op]
    case = row.cases[index]
    wants = leaves(row, case.inputs)
    if not wants or not case.smooth:
        return
    arrays = draw(row, case.inputs, index, "float64")
    y, *once = results(row, case, arrays)
    _, *allowed = rooms(row, case, arrays, [y, *once], "float64")
    ts = tensors(arrays, wants)
    for _ in range(2):
        y = call(row, ts, case.params)
        y.backward(weights(y.shape, "float64"), accumulate=True)
    for i, grad, most in zip(wants, once, allowed, strict=True):
        close(np.array(ts[i].grad), 2 * grad, most, f"{op}[{index}] input {i}")


@pytest.mark.parametrize(("op", "index"), CASES)
def test_a_gradient_is_the_same_when_the_others_are_not_wanted(op: str, index: int) -> None:
    row = ROWS[op]
    case = row.cases[index]
    wants = leaves(row, case.inputs)
    if len(wants) < 2 or len(wants) > 6:
        return
    y, grads = run(row, case, index, "float64")
    for i, grad in zip(wants, grads, strict=True):
        ts = tensors(draw(row, case.inputs, index, "float64"), [i])
        alone = call(row, ts, case.params)
        assert np.array(alone).tobytes() == y.tobytes()
        alone.backward(weights(y.shape, "float64"))
        assert np.array(ts[i].grad).tobytes() == grad.tobytes(), f"{op}[{index}] input {i}"


@pytest.mark.parametrize(("op", "index"), CASES)
def test_recording_changes_nothing_and_shapes_are_known_beforehand(op: str, index: int) -> None:
    row = ROWS[op]
    case = row.cases[index]
    y, _ = run(row, case, index, "float32")
    arrays = draw(row, case.inputs, index, "float32")
    with _core.no_grad():
        alone = call(row, tensors(arrays, leaves(row, case.inputs)), case.params)
    assert np.array(alone).tobytes() == y.tobytes()
    shapes = [None if a is None else _core.shape_only(a.shape, str(a.dtype)) for a in arrays]
    before = call(row, shapes, case.params)
    assert before.is_shape_only
    assert (before.shape, before.dtype) == (alone.shape, alone.dtype)


@pytest.mark.parametrize(("op", "index"), BAD)
def test_bad_input_raises_a_clear_error(op: str, index: int) -> None:
    row = ROWS[op]
    bad: Bad = row.bad[index]
    arrays = draw(row, bad.inputs, index, "float32")
    with pytest.raises(bad.error) as caught:
        call(row, tensors(arrays, []), bad.params)
    assert bad.says in str(caught.value)
    assert str(caught.value).startswith(op)


def live_bytes() -> int:
    return int(_core.memory_stats()["live_bytes"])


def requests_failing_one_by_one() -> Iterator[int]:
    """1, 2, 3, ...: before each, that request of the engine is set to fail."""
    for n in range(1, 1000):
        _core._fail_after(n)
        yield n
        _core._fail_after(0)
    pytest.fail("an op asked for memory 1000 times")


@pytest.mark.parametrize("op", list(ROWS))
def test_each_allocation_may_fail_and_nothing_is_lost(op: str) -> None:
    row = ROWS[op]
    case = max(row.cases, key=lambda case: len([d for d in case.inputs[:6] if d is not None]) - len(case.inputs) // 8)
    index = row.cases.index(case)
    want, want_grads = run(row, case, index, "float64")
    gc.collect()
    live = live_bytes()
    failures = 0
    for _ in requests_failing_one_by_one():
        try:
            y, grads = run(row, case, index, "float64")
        except MemoryError:
            failures += 1
        else:
            _core._fail_after(0)
            break
        if live_bytes() != live:
            gc.collect()
        assert live_bytes() == live, f"{op} lost memory when request {failures} failed"
    assert failures >= len([d for d in case.inputs if d is not None])
    assert y.tobytes() == want.tobytes()
    assert [g.tobytes() for g in grads] == [g.tobytes() for g in want_grads]


def lower_isas() -> list[str]:
    order = ["naive", "baseline", "avx2", "avx512"]
    return order[: order.index(_core.isa())] if _core.isa() in order else []


@pytest.mark.parametrize("isa", lower_isas())
def test_every_row_holds_on_a_lower_instruction_set(isa: str) -> None:
    environment = {**os.environ, "PYNEURAL_ISA": isa}
    done = subprocess.run([sys.executable, __file__, isa], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]


# ---- what the rows cannot say --------------------------------------------------------------------------------------


def test_batch_norm_moves_the_running_statistics_when_training_only() -> None:
    x = np.random.default_rng(0).normal(3, 2, (20, 4))
    mean, var = _core.zeros((4,), "float64"), _core.tensor(np.ones(4))
    ones, zeros = np.ones(4), np.zeros(4)
    _core.ops.batch_norm(x, ones, zeros, mean, var)
    assert np.array_equal(mean, zeros)
    assert np.array_equal(var, ones)
    _core.ops.batch_norm(x, ones, zeros, mean, var, training=True, momentum=0.75)
    np.testing.assert_allclose(mean, 0.25 * x.mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(var, 0.75 + 0.25 * x.var(axis=0, ddof=1), rtol=1e-13)


def test_batch_norm_refuses_running_statistics_that_share_memory() -> None:
    def call(**given: Any) -> None:
        block = _core.tensor(np.arange(40.0))
        inputs = {name: block[4 * i : 4 * i + 4] for i, name in enumerate(("gamma", "beta", "mean", "var"))}
        inputs |= {name: block[place] for name, place in given.items() if name != "x"}
        x = block[given.get("x", slice(20, 40))].reshape(-1, 4)
        _core.ops.batch_norm(x, inputs["gamma"], inputs["beta"], inputs["mean"], inputs["var"], training=training)

    training = True
    call()  # neighbours in one block do not share
    for given, says in (
        ({"mean": slice(12, 16)}, "running_mean is changed in place, but shares memory with running_var"),
        ({"gamma": slice(9, 13)}, "running_mean is changed in place, but shares memory with gamma"),
        ({"beta": slice(15, 19)}, "running_var is changed in place, but shares memory with beta"),
        ({"x": slice(15, 23)}, "running_var is changed in place, but shares memory with x"),
    ):
        training = True
        with pytest.raises(RuntimeError, match=says):
            call(**given)
        training = False
        call(**given)


def far_from_zero(*shape: int) -> np.ndarray:
    """Whole numbers, of a deviation of about 5: at 10^7 float32 has them all, too."""
    return 1e7 + np.random.default_rng(5).integers(-9, 10, shape)


@pytest.mark.parametrize(
    ("op", "shape", "others", "params"),
    [
        ("var", (50, 3), 0, {"axis": 1}),
        ("var", (50, 32), 0, {"axis": 1, "correction": 1}),
        ("var", (50, 33), 0, {"axis": 1}),
        ("var", (300, 5), 0, {"axis": 0}),
        ("var", (40_000, 3), 0, {"axis": 0}),
        ("var", (4, 20, 6), 0, {"axis": (0, 2)}),
        ("var", (100_000,), 0, {}),
        ("batch_norm", (50, 3), 4, {"training": True}),
        ("batch_norm", (3000, 33), 4, {"training": True, "activation": "relu"}),
        ("layer_norm", (50, 5), 2, {}),
        ("layer_norm", (50, 1000), 2, {}),
    ],
)
def test_deviations_keep_their_digits_far_from_zero(op, shape, others, params):
    results = []
    for real in REALS:
        x = _core.tensor(far_from_zero(*shape).astype(real), requires_grad=True)
        rest = [_core.tensor(np.linspace(1, 2, shape[-1]).astype(real)) for _ in range(others)]
        y = getattr(_core.ops, op)(x, *rest, **params)
        y.backward(weights(y.shape, real))
        results.append((np.array(y), np.array(x.grad)))
    (y64, dx64), (y32, dx32) = results
    if op == "var":
        np.testing.assert_allclose(
            y64,
            np.var(far_from_zero(*shape) - 1e7, axis=params.get("axis"), ddof=params.get("correction", 0)),
            rtol=1e-11,
        )
    norm = op != "var"  # whose terms are about 1, and of dx about dy and its mean, times gamma / deviation
    close(y32, y64, 1e-6 * (abs(y64) + norm), f"{op} {shape}")
    terms = 0.4 * (abs(weights(y.shape, "float64")) + 0.1) if norm else 0.0
    close(dx32, dx64, 2e-6 * (abs(dx64) + terms), f"{op} {shape} gradient")


def test_the_variance_of_equal_values_is_never_negative():
    for width in (3, 20, 32, 33, 500):
        got = np.array(ops.var(np.full((70, width), 0.1, "float32"), axis=1))
        assert got.min() >= 0
        assert got.max() < 1e-15


def test_gather_makes_uint8_the_real_that_is_asked_for() -> None:
    x = np.arange(24, dtype="uint8").reshape(4, 2, 3)
    rows = np.array([3, 0, 3])
    for real in REALS:
        mean, scale = np.array([1, 2, 3], real), np.array([0.5, 2, 4], real)
        y = _core.ops.gather(x, rows, mean, scale, dtype=real)
        assert y.dtype == real
        np.testing.assert_array_equal(y, (x[rows].astype(real) - mean) * scale)


def test_gradients_that_an_op_does_not_have_are_refused() -> None:
    logits, targets = np.zeros((2, 3)), _core.tensor(np.full((2, 3), 1 / 3), requires_grad=True)
    with pytest.raises(RuntimeError, match=r"cross_entropy: targets requires a gradient.*targets\.detach\(\)"):
        _core.ops.cross_entropy(logits, targets)
    with pytest.raises(RuntimeError, match="mse: row_weights requires a gradient"):
        _core.ops.mse(logits, logits, _core.tensor(np.ones(2), requires_grad=True))


def test_a_run_of_rows_shares_memory_with_its_origin() -> None:
    x = _core.zeros((5, 3))
    rows = _core.ops.slice(x, (slice(1, 4),))
    x.assign(np.ones((5, 3), "float32"))
    assert np.array(rows).sum() == 9
    assert np.array(_core.ops.reshape(x, (15,))).sum() == 15


def test_cross_entropy_does_not_change_when_a_constant_is_added_to_the_logits() -> None:
    rng = np.random.default_rng(1)
    logits, targets = rng.normal(size=(8, 5)), rng.integers(0, 5, 8)
    plain, moved = (_core.ops.cross_entropy(logits + c, targets).item() for c in (0, 100))
    assert abs(plain - moved) < 1e-12


@pytest.mark.parametrize("real", REALS)
def test_logsumexp_keeps_what_little_the_others_add_to_the_greatest(real: str) -> None:
    got = np.array(_core.ops.logsumexp(np.array([[0, -40], [-41, 0], [-1e-5, -30]], real), 1))
    np.testing.assert_allclose(got, np.log1p(np.exp([-40.0, -41, -np.inf])) + np.array([0, 0, -1e-5]), rtol=1e-5)


def test_logsumexp_of_nothing_but_minus_infinity_has_no_gradient() -> None:
    x = _core.tensor(np.array([[-np.inf, -np.inf], [-np.inf, 3]]), requires_grad=True)
    _core.ops.logsumexp(x, 1).backward(np.ones(2))
    assert np.array_equal(x.grad, [[0, 0], [0, 1]])


@pytest.mark.parametrize("classes", [2, 5, 40, 700])
@pytest.mark.parametrize("real", REALS)
def test_losses_of_what_is_nearly_sure_keep_their_digits(classes: int, real: str) -> None:
    """-log p and 1 - p near p = 1, where p itself is 1 to all its digits."""
    sure = 20.0 if real == "float32" else 50.0
    logits = np.linspace(-1, 0, 3 * classes).reshape(3, classes)
    logits[:, 1] = [sure, 0, sure]
    labels = np.array([1, 0, 1])
    others = np.exp(logits - logits.max(axis=1, keepdims=True))
    others[[0, 2], 1] = 0
    rest = others.sum(axis=1)[[0, 2]]
    x = _core.tensor(logits.astype(real), requires_grad=True)
    loss = _core.ops.cross_entropy(x, labels, reduction="none")
    loss.backward(np.array([1, 0, 1], real))
    near = 1e-6 if real == "float32" else 1e-14
    np.testing.assert_allclose(np.array(loss)[[0, 2]], np.log1p(rest), rtol=near)
    np.testing.assert_allclose(np.array(x.grad)[[0, 2], 1], -rest / (1 + rest), rtol=near)
    np.testing.assert_allclose(
        np.array(x.grad)[[0, 2], 0], (others[:, 0] / (1 + others.sum(axis=1)))[[0, 2]], rtol=4 * near
    )
    np.testing.assert_allclose(np.array(_core.ops.log_softmax(x))[[0, 2], 1], -np.log1p(rest), rtol=near)


@pytest.mark.parametrize("classes", [3, 90])
@pytest.mark.parametrize("real", REALS)
def test_binary_cross_entropy_of_what_is_nearly_sure_keeps_its_digits(classes: int, real: str) -> None:
    logits = np.linspace(15, 30, classes)
    for sign in (1, -1):
        x = _core.tensor((sign * logits).astype(real).reshape(1, -1), requires_grad=True)
        z = np.float64(x)
        targets = np.full((1, classes), sign > 0, real)
        _core.ops.binary_cross_entropy(x, targets, reduction="sum").backward()
        near = 1e-6 if real == "float32" else 1e-14
        np.testing.assert_allclose(x.grad, -sign * special.expit(-abs(z)), rtol=near)


@pytest.mark.parametrize(
    ("shape", "filters", "pool"), [((3, 9, 8, 2), 5, 2), ((180, 30, 30, 1), 5, 2), ((90, 26, 27, 3), 9, (2, 3))]
)
@pytest.mark.parametrize("activation", [None, "relu", "leaky_relu", "sigmoid", "tanh"])
def test_a_pooled_convolution_has_the_gradients_of_the_two_ops(shape, filters, pool, activation):
    draw = np.random.default_rng(0)
    values = [draw.normal(size=size) for size in (shape, (3, 3, shape[3], filters), (filters,))]

    def gradients(pooled: bool) -> list[np.ndarray]:
        given = [_core.tensor(value, requires_grad=True) for value in values]
        if pooled:
            y = ops.conv2d(*given, activation=activation, pool=pool)
        else:
            y = ops.max_pool2d(ops.conv2d(*given, activation=activation), size=pool)
        for _ in range(2):  # the second time, gradients are added
            (y * np.cos(np.arange(y.size)).reshape(y.shape)).sum().backward(keep_graph=True, accumulate=True)
        return [tensor.grad.numpy() for tensor in given]

    for ours, theirs in zip(gradients(True), gradients(False), strict=True):
        assert np.allclose(ours, theirs, rtol=0, atol=1e-12 * abs(theirs).max())


def main(isa: str, *only: str) -> int:
    """All rows, or only these ops', forward and gradient; for another instruction set, in a process of its own."""
    assert _core.isa() == isa
    failed = 0
    for op, index in CASES:
        if only and op not in only:
            continue
        for check in (check_forward, check_gradient, check_what_the_rule_says):
            try:
                check(ROWS[op], ROWS[op].cases[index], index)
            except (AssertionError, RuntimeError) as error:
                failed += 1
                print(f"{check.__name__} {op}[{index}]: {str(error)[:500]}")
    for op, params in WIDE:
        try:
            check_wide(ROWS[op], params)
        except AssertionError as error:
            failed += 1
            print(f"check_wide: {error}")
    return min(failed, 1)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    sys.exit(main(*sys.argv[1:]))
