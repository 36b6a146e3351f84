"""The binding: ops as functions, arguments, blocks, optimizers, Ctrl-C, fork, threads, memory, the module's end."""

from __future__ import annotations

import gc
import importlib.util
import inspect
import os
import pydoc
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pyneural import _core, ops
from pyneural._core import Block, Interrupt, Optimizer, tensor

ROOT = Path(__file__).parent.parent
TABLE = {row["name"]: row for row in _core.op_table()}


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs code in an interpreter of its own."""
    keep = {k: v for k, v in os.environ.items() if not k.startswith(("PYNEURAL_", "OMP_"))}
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code], env=keep | environment, capture_output=True, text=True, timeout=120
    )


# ---- ops as functions ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TABLE)
def test_every_op_has_a_signature_and_help(name: str) -> None:
    op, row = getattr(ops, name), TABLE[name]
    assert str(inspect.signature(op)) == row["signature"]
    assert list(inspect.signature(op).parameters) == [i[0] for i in row["inputs"]] + [p[0] for p in row["params"]]
    text = pydoc.plain(pydoc.render_doc(op))
    assert "".join(f"{name}{row['signature']}".split()) in "".join(text.split())  # 3.13 breaks long ones into lines
    assert row["doc"].splitlines()[0] in text
    assert all(f"{p[0]}: " in text for p in row["params"])
    assert op.__module__ == "pyneural.ops"
    assert all(p[3] for p in row["params"]), f"{name}: a parameter has no doc"


def test_the_module_lists_the_table() -> None:
    assert sorted(ops.__all__) == sorted(TABLE)


def test_stubs_and_reference_are_what_the_table_says() -> None:
    result = subprocess.run(
        [sys.executable, "tools/make_stubs.py", "--check"], cwd=ROOT, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_stubs_are_what_the_modules_hold() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "mypy.stubtest", "pyneural._core", "pyneural.ops", "--mypy-config-file=pyproject.toml"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_arguments_by_position_and_by_name_are_the_same() -> None:
    x, w, b = (np.random.default_rng(i).normal(size=s).astype("float32") for i, s in enumerate([(2, 3), (3, 4), (4,)]))
    expected = np.maximum(x @ w + b, 0)
    for y in (
        ops.linear(x, w, b, "relu"),
        ops.linear(x, w, b, activation="relu"),
        ops.linear(bias=b, activation="relu", weight=w, x=x),
        ops.linear(x, weight=w, bias=b, activation="".join(["re", "lu"])),
        ops.relu(ops.linear(x, w, b, activation=None)),
        ops.relu(ops.linear(x, w, None) + b),
    ):
        np.testing.assert_allclose(y, expected, rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(ops.reshape(x, (3, 2)), x.reshape(3, 2))
    np.testing.assert_array_equal(ops.concat([x, x], 1), np.concatenate([x, x], 1))
    np.testing.assert_array_equal(ops.concat(tensors=(x, tensor(x)), axis=0), np.concatenate([x, x]))
    np.testing.assert_array_equal(ops.concat(t for t in (x, x)), np.concatenate([x, x]))


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda x: ops.conv2d(x, wieght=x), TypeError, "conv2d: there is no argument 'wieght'; did you mean 'weight'?"),
        (lambda x: ops.relu(x, foo_bar=1), TypeError, "relu: there is no argument 'foo_bar'; it takes x"),
        (lambda x: ops.conv2d(x), TypeError, "conv2d: the argument 'weight' is missing"),
        (lambda x: ops.reshape(x), TypeError, "reshape: the argument 'shape' is missing"),
        (lambda x: ops.relu(x, x, x), TypeError, "relu: takes at most 1 arguments, 3 were given"),
        (lambda x: ops.relu(x, x=x), TypeError, "relu: x was given twice, by position and by name"),
        (lambda x: ops.relu(None), TypeError, "relu: x must be a tensor, an array or numbers, not NoneType"),
        (lambda x: ops.relu("x"), TypeError, "relu: x must be a tensor, an array or numbers, not str"),
        (lambda x: ops.concat(tensor(x)), TypeError, "concat: tensors must be a list or tuple of tensors, not"),
        (lambda x: ops.concat(3), TypeError, "concat: tensors must be a list or tuple of tensors, not int"),
        (lambda x: ops.concat([]), ValueError, "concat: takes 1 to 64 tensors, got 0"),
        (lambda x: ops.concat([x] * 65), ValueError, "concat: takes 1 to 64 tensors, got 65"),
        (lambda x: ops.concat([x, "a"]), TypeError, "concat: tensors[1] must be a tensor"),
        (lambda x: ops.linear(x, x, activation="rellu"), ValueError, "got 'rellu'; did you mean 'relu'?"),
        (lambda x: ops.linear(x, x, activation="swishy"), ValueError, "linear: activation must be None, 'relu'"),
        (lambda x: ops.linear(x, x, activation=3), TypeError, "linear: activation must be None, 'relu'"),
        (lambda x: ops.linear(x, x, slope="a"), TypeError, "linear: slope must be a number, got 'a'"),
        (lambda x: ops.matmul(x, x, transpose_a=1), TypeError, "matmul: transpose_a must be True or False, got 1"),
        (lambda x: ops.max_pool2d(x, size=(1, 2, 3)), TypeError, "max_pool2d: size must be an int or a pair"),
        (lambda x: ops.max_pool2d(x, size=1.5), TypeError, "max_pool2d: size must be an int or a pair"),
        (lambda x: ops.conv2d(x, x, padding="samee"), ValueError, "conv2d: padding must be 'same', 'valid', an int"),
        (lambda x: ops.conv2d(x, x, padding=((1, 2), 3)), TypeError, "conv2d: padding must be 'same', 'valid', an int"),
        (lambda x: ops.sum(x, axis="0"), TypeError, "sum: axis must be None, an int or a tuple of ints, got '0'"),
        (lambda x: ops.sum(x, axis=list(range(9))), ValueError, "sum: axis has 9 entries; a tensor has at most 8 axes"),
        (lambda x: ops.sum(x, axis=(0, 1.5)), TypeError, "sum: axis must be None, an int or a tuple of ints"),
        (lambda x: ops.sum(x, keepdims=None), TypeError, "sum: keepdims must be True or False, got None"),
        (lambda x: ops.argmax(x, axis=True), TypeError, "argmax: axis must be an int, got True"),
        (lambda x: ops.dropout(x, seed=-1), ValueError, "dropout: seed must be from 0 to 2**64 - 1, got -1"),
        (lambda x: ops.dropout(x, stream=1.5), TypeError, "dropout: stream must be a name or an int, got 1.5"),
        (lambda x: ops.mse(x, x, reduction="avg"), ValueError, "mse: reduction must be 'mean', 'sum' or 'none'"),
        (lambda x: ops.gather(x, [0], dtype="int8"), ValueError, "gather: dtype must be 'float32'"),
        (lambda x: ops.cross_entropy(x, [0, 0], ignore=1.5), TypeError, "cross_entropy: ignore must be None or an int"),
        (lambda x: ops.expand(x, (2**62, 2, 2)), ValueError, "more bytes than can be addressed"),
        (lambda x: ops.reshape(x, 2**200), ValueError, "reshape: "),
    ],
)  # fmt: skip
def test_wrong_arguments_are_named(call: Any, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind) as caught:
        call(np.ones((2, 2), "float32"))
    assert text in str(caught.value)


def test_arguments_of_every_kind_are_read() -> None:
    x = np.ones((1, 4, 4, 1), "float32")
    w = np.ones((3, 3, 1, 1), "float32")
    for padding, shape in {
        "same": (4, 4),
        "valid": (2, 2),
        0: (2, 2),
        1: (4, 4),
        (1, 0): (4, 2),
        ((1, 0), (0, 2)): (3, 4),
    }.items():
        assert ops.conv2d(x, w, padding=padding).shape == (1, *shape, 1), padding  # type: ignore[arg-type]
    assert ops.conv2d(x, w, stride=(1, 2)).shape == (1, 2, 1, 1)
    assert ops.conv2d(x, w, stride=[np.int64(1), tensor(1)]).shape == (1, 2, 2, 1)  # type: ignore[list-item]
    assert ops.max_pool2d(x, size=2).shape == (1, 2, 2, 1)
    assert ops.max_pool2d(x, size=2, stride=None).shape == (1, 2, 2, 1)
    assert ops.max_pool2d(x, size=2, stride=1).shape == (1, 3, 3, 1)
    assert ops.matmul(x, x, transpose_a=np.bool_(True)).shape == (1, 4, 1, 1)
    assert ops.dropout(x, rate=0.5, seed=2**64 - 1, stream="a/b").shape == x.shape
    np.testing.assert_array_equal(ops.dropout(x, seed=1, stream="a"), ops.dropout(x, seed=1, stream=_core.stream("a")))
    assert ops.sum(x, axis=[0, -1]).shape == (4, 4)
    assert ops.gather(np.zeros((3, 2), "uint8"), [0, 2], dtype=np.float64).dtype == "float64"  # type: ignore[arg-type]
    assert ops.cross_entropy(np.zeros((2, 3), "float32"), [1, -1], ignore=-1).item() == pytest.approx(np.log(3))


def test_labels_and_indices_may_be_any_integers() -> None:
    logits = tensor(np.zeros((3, 4), "float32"), requires_grad=True)
    for labels in ([0, 1, 2], (0, 1, 2), *(np.arange(3, dtype=d) for d in ("int8", "int32", "uint16", "int64"))):
        assert ops.cross_entropy(logits, labels).item() == pytest.approx(np.log(4))
        np.testing.assert_array_equal(ops.gather(np.arange(5.0), labels), [0, 1, 2])


# ---- the engine ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"PYNEURAL_THREADS": "3"}, "3"),
        ({"PYNEURAL_THREADS": "1", "OMP_NUM_THREADS": "2"}, "1"),
        ({"OMP_NUM_THREADS": "1"}, "1"),
        ({"OMP_NUM_THREADS": "1,2"}, "1"),
        ({"PYNEURAL_THREADS": "", "OMP_NUM_THREADS": "1"}, "1"),
        ({"OMP_NUM_THREADS": "100000"}, None),
    ],
)
def test_threads_from_the_environment(environment: dict[str, str], expected: str | None) -> None:
    result = python("from pyneural import _core; print(_core.get_threads())", **environment)
    assert result.returncode == 0, result.stderr
    assert expected is None or result.stdout.strip() == expected


@pytest.mark.parametrize(
    ("environment", "text"),
    [
        ({"PYNEURAL_THREADS": "many"}, "PYNEURAL_THREADS is 'many'; give a whole number from 1 to 64"),
        ({"PYNEURAL_THREADS": "0"}, "PYNEURAL_THREADS is '0'; give a whole number from 1 to 64"),
        ({"PYNEURAL_THREADS": "65"}, "PYNEURAL_THREADS is '65'; give a whole number from 1 to 64"),
        ({"PYNEURAL_THREADS": "2x"}, "PYNEURAL_THREADS is '2x'; give a whole number from 1 to 64"),
        ({"OMP_NUM_THREADS": "-1"}, "OMP_NUM_THREADS is '-1'; give a whole number from 1 to 64"),
        ({"PYNEURAL_ISA": "mmx"}, "PYNEURAL_ISA is 'mmx': engine: unknown instruction set 'mmx'"),
    ],
)
def test_a_bad_environment_raises_a_clear_error_at_import(environment: dict[str, str], text: str) -> None:
    result = python("import pyneural._core", **environment)
    assert result.returncode == 1
    assert f"RuntimeError: {text}" in result.stderr


def test_a_lower_instruction_set_is_used() -> None:
    result = python("from pyneural import _core; print(_core.isa())", PYNEURAL_ISA="naive")
    assert result.stdout.strip() == "naive", result.stderr


def test_threads_from_code() -> None:
    before = _core.get_threads()
    try:
        _core.set_threads(3)
        assert _core.get_threads() == 3
        for bad in (0, -1, 65, 2**70):
            with pytest.raises(ValueError, match="set_threads: n must be from 1 to 64"):
                _core.set_threads(bad)
    finally:
        _core.set_threads(before)
    with pytest.raises(TypeError):
        _core.set_threads("2")  # type: ignore[arg-type]


def test_pool_counts_name_the_regions() -> None:
    counts = _core.pool_counts()
    assert {"gemm", "conv", "pool", "norm", "update", "map", "reduce", "image"} == set(counts)
    assert all(0 <= shared <= regions for regions, shared in counts.values())


def test_a_memory_limit_raises_and_leaves_everything_usable() -> None:
    live = _core.memory_stats()["live_bytes"]
    try:
        _core.set_memory_limit(live + (1 << 20))
        assert _core.memory_stats()["limit_bytes"] == live + (1 << 20)
        with pytest.raises(MemoryError, match="the limit is"):
            _core.zeros((1 << 20,))
    finally:
        _core.set_memory_limit(0)
    assert _core.zeros((1 << 20,)).sum().item() == 0
    _core.memory_trim()
    assert _core.memory_stats()["cached_bytes"] == 0
    with pytest.raises(ValueError, match="set_memory_limit"):
        _core.set_memory_limit(-1)


def step_of_everything() -> float:
    """One training step by hand, with broadcasts, slices, conversions, a block and an optimizer."""
    block = Block(["w", "b"], [(3, 4), (4,)], ["weight", "bias"])
    w, b = block.tensors
    _core.random_fill(w, "normal", 0, 1, 0, "w")
    optimizer = Optimizer("adam", block, clip_norm=1.0)
    x = np.ones((5, 3))[:, ::-1].astype("float32")
    y = ops.linear(x, w, b, activation="tanh")
    z = ops.where(y > 0, y, np.zeros((5, 1), "float32"))[1:, ::2] * 2.0 + np.ones((4, 1), "float32")
    loss = ops.cross_entropy(ops.concat([z, z], axis=1), [0, 1, 2, 3])
    loss.backward()
    optimizer.step()
    optimizer.set_slots(optimizer.slots())
    block.restore(block.snapshot())
    return loss.item()


def test_any_request_for_memory_may_fail() -> None:
    expected = step_of_everything()
    before = _core.memory_stats()["live_blocks"]
    for n in range(1, 1000):
        _core._fail_after(n)
        try:
            result = step_of_everything()
        except MemoryError as e:
            assert "fails on purpose" in str(e)  # noqa: PT017
        else:
            _core._fail_after(0)
            assert result == expected
            break
        finally:
            _core._fail_after(0)
        assert _core.memory_stats()["live_blocks"] == before, f"request {n}"
    else:
        pytest.fail("a thousand requests for one step")
    assert n > 40


def test_errors_leave_nothing_behind() -> None:
    x = tensor(np.ones((2, 3), "float32"))
    calls = [
        lambda: x + np.ones(5),
        lambda: x @ x,
        lambda: x[5],
        lambda: ops.reshape(x, (4, "a")),
        lambda: ops.conv2d(x, x),
        lambda: ops.concat([x, [1.0], "a"]),
        lambda: ops.linear(x, x, wieght=1),
        lambda: tensor([[1.0], [2.0, 3.0]]),
        lambda: tensor(np.ones(2, complex)),
        lambda: x.assign(np.ones(7)),
        lambda: Block(["a"], [(2, "a")], ["weight"]),
        lambda: Block(["a", "b"], [(2,), (2,)], ["weight", "state"]),
        lambda: Optimizer("adam", [x]),
        lambda: Optimizer("adam", [x], lr=1),
        lambda: x.numpy().fill(1),
        lambda: x.__array__("int32", copy=False),
        lambda: x.backward(np.ones(3)),
    ]

    def run(times: int) -> None:
        for _ in range(times):
            for call in calls:
                try:
                    call()
                except (TypeError, ValueError, IndexError, RuntimeError):
                    continue
                raise AssertionError("one was not refused")

    run(200)
    gc.collect()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    live = _core.memory_stats()["live_bytes"]
    run(2000)
    assert _core.memory_stats()["live_bytes"] == live
    # KiB on Linux, bytes on macOS; 34,000 errors that each left a small object would show as megabytes
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * (1 if sys.platform == "darwin" else 1024)
    assert grown < 1 << 20


# ---- threads, fork, the module's end -------------------------------------------------------------------------------


def test_threads_of_python_compute_at_once_and_alike() -> None:
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(300, 300)).astype("float32"), rng.normal(size=(300, 300)).astype("float32")

    def work() -> bytes:
        t = tensor(w, requires_grad=True)
        for _ in range(5):
            loss = ops.linear(x, t, activation="tanh").mean()
            loss.backward()
            t.assign(t.numpy() - t.grad.numpy())  # type: ignore[union-attr]
        return t.numpy().tobytes()

    expected, results = work(), []
    threads = [threading.Thread(target=lambda: results.append(work())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [expected] * 4


def test_other_threads_run_while_an_op_computes() -> None:
    x = tensor(np.ones((2000, 2000), "float32"))
    ticks, stop = [], threading.Event()

    def tick() -> None:
        while not stop.wait(0.001):
            ticks.append(time.perf_counter())

    thread = threading.Thread(target=tick)
    thread.start()
    start = time.perf_counter()
    for _ in range(4):
        x @ x
    end = time.perf_counter()
    stop.set()
    thread.join()
    assert sum(start < t < end for t in ticks) >= 5


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_forks_may_compute_even_while_other_threads_do() -> None:
    x = np.ones((400, 400), "float32")
    expected = (tensor(x) @ x).numpy().tobytes()
    stop = threading.Event()

    def busy() -> None:
        while not stop.is_set():
            tensor(x) @ x + 1.0

    thread = threading.Thread(target=busy)
    thread.start()
    try:
        for _ in range(20):
            child = os.fork()
            if child == 0:
                signal.alarm(60)  # a child that hangs is a failure, not a hang
                os._exit(0 if (tensor(x) @ x).numpy().tobytes() == expected else 1)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
            assert (tensor(x) @ x).numpy().tobytes() == expected
    finally:
        stop.set()
        thread.join()


def test_the_interpreter_ends_cleanly_with_everything_alive() -> None:
    result = python(
        "import threading, numpy as np\n"
        "from pyneural import _core, ops\n"
        "x = _core.tensor(np.ones((300, 300), 'float32'), requires_grad=True)\n"
        "y = (x @ x).sum(); b = _core.borrow(np.ones(5)); v = x.numpy(); kept = _core.Optimizer('adam', [x])\n"
        "_core.zeros.__self__.loop = [y, b]\n"
        "class Late:\n    def __del__(self): y.backward(); print('late', x.grad.shape)\n"
        "late = Late(); late.me = late\n"
        "def spin():\n    while True: ops.relu(x)\n"
        "threading.Thread(target=spin, daemon=True).start()\n"
    )
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""


def test_a_second_copy_of_the_module_has_a_world_of_its_own() -> None:
    spec = importlib.util.spec_from_file_location("pyneural._core", _core.__file__)
    assert spec is not None
    assert spec.loader is not None
    other = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(other)
    theirs, ours = other.tensor([1.0, 2.0]), tensor([3.0, 4.0])
    assert type(theirs) is not type(ours)
    assert other.memory_stats()["live_blocks"] > 0
    np.testing.assert_array_equal(ours + theirs, [4, 6])
    np.testing.assert_array_equal(theirs * ours, [3, 8])
    del other, spec
    gc.collect()
    np.testing.assert_array_equal((theirs + 1.0).reshape(2, 1), [[2], [3]])
    del theirs
    gc.collect()


@pytest.mark.parametrize("kind", [_core.Tensor, Block, Optimizer, Interrupt])
def test_the_types_cannot_be_changed(kind: Any) -> None:
    """What C looks up in them is what was written for it."""
    for name in ("foo", "__len__", "step", "shape", "__array_ufunc__"):
        with pytest.raises(TypeError, match=r"cannot set .* attribute of immutable type"):
            setattr(kind, name, 1)
        with pytest.raises(TypeError, match=r"cannot set .* attribute of immutable type"):
            delattr(kind, name)
    with pytest.raises(TypeError):
        type("Mine", (kind,), {})


# ---- blocks --------------------------------------------------------------------------------------------------------


def test_a_block_is_one_run_of_memory() -> None:
    block = Block(["w", "b"], [(3, 5), (5,)], ["weight", "bias"], "float64")
    w, b = block.tensors
    assert block.names == ("w", "b")
    assert (w.shape, b.shape, w.dtype, block.dtype) == ((3, 5), (5,), "float64", "float64")
    assert w.requires_grad
    assert block.length % 16 == 0
    assert b.numpy().ctypes.data - w.numpy().ctypes.data == 16 * 8
    assert w.numpy().ctypes.data % 64 == 0
    np.testing.assert_array_equal(w, 0)
    assert len(block.snapshot()) == block.length * 8
    assert repr(block) == "Block(('w', 'b'), length=32, dtype=float64)"


def test_a_block_is_put_back() -> None:
    block = Block(["w"], [(3,)], ["weight"])
    (w,) = block.tensors
    w.assign([1, 2, 3])
    saved = block.snapshot()
    w.assign(0)
    loss = (w * w).sum()
    block.restore(saved)
    np.testing.assert_array_equal(w, [1, 2, 3])
    with pytest.raises(RuntimeError, match="changed in place"):
        loss.backward()
    with pytest.raises(ValueError, match="restore: snapshots of this block have 64 bytes, got 3"):
        block.restore(b"abc")


def test_a_block_takes_a_share_of_another() -> None:
    for dtype in ("float32", "float64"):
        one, other = (Block(["w", "b"], [(70, 130), (3,)], [group] * 2, dtype) for group in ("state", "weight"))
        generator = np.random.default_rng(0)
        values = [generator.normal(size=place.shape).astype(dtype) for place in (*one.tensors, *other.tensors)]
        for place, value in zip((*one.tensors, *other.tensors), values, strict=True):
            place.assign(value)
        one.blend(other, 0.25)
        for place, old, new in zip(one.tensors, values[:2], values[2:], strict=True):
            np.testing.assert_allclose(place, old + 0.25 * (new - old), rtol=1e-6 if dtype == "float32" else 1e-15)
        one.blend(other, 0.0)
        for wrong, rate, text in (
            (one, 0.5, "blend: give another block of"),
            (Block(["w"], [(3,)], ["state"], dtype), 0.5, "not one of 16 float"),
            (other, 1.5, "blend: rate must be from 0 to 1"),
            (other, float("nan"), "blend: rate must be from 0 to 1"),
        ):
            with pytest.raises(ValueError, match=text):
                one.blend(wrong, rate)
    with pytest.raises(TypeError):
        one.blend("a", 0.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="not one of 9120 float32 values"):
        one.blend(Block(["w", "b"], [(70, 130), (3,)], ["state"] * 2), 0.5)


def test_tensors_outlive_their_block() -> None:
    (w,) = Block(["w"], [(2,)], ["weight"]).tensors
    gc.collect()
    w.assign([1, 2])
    (w * w).sum().backward()
    np.testing.assert_array_equal(w.grad, [2, 4])


def test_state_wants_no_gradient_and_frozen_weights_neither() -> None:
    (state,) = Block(["mean"], [(2,)], ["state"]).tensors
    assert not state.requires_grad
    block = Block(["a", "b"], [(2,), (2,)], ["weight", "weight"])
    block.set_trainable(1, False)
    a, b = block.tensors
    assert not b.requires_grad
    (a * 2.0 + b).sum().backward()
    optimizer = Optimizer("sgd", block, learning_rate=0.5)
    optimizer.step()
    np.testing.assert_array_equal(a, [-1, -1])
    np.testing.assert_array_equal(b, [0, 0])
    block.set_trainable(1, True)
    assert b.requires_grad
    with pytest.raises(IndexError, match="set_trainable: index 2 is out of range for a block of 2 tensors"):
        block.set_trainable(2, True)


@pytest.mark.parametrize(
    ("arguments", "kind", "text"),
    [
        ((["a"], [(2,)], ["weight"], "uint8"), TypeError, "dtype must be 'float32' or 'float64'"),
        ((["a"], [(2,), (3,)], ["weight"]), ValueError, "1 names, 2 shapes and 1 groups"),
        ((["a"], [(2,)], ["weigth"]), ValueError, "a group must be 'weight', 'bias' or 'state', got 'weigth'"),
        ((["a", "b"], [2, 3], ["weight", "state"]), ValueError, "state has no gradients and needs a separate block"),
        (([3], [(2,)], ["weight"]), TypeError, "names must be strings, got 3"),
        ((["a"], [(2, -1)], ["weight"]), ValueError, "Block: shape (2, -1) has a negative length"),
        ((["a"], [(1 << 40, 1 << 40)], ["weight"]), ValueError, "more bytes than can be addressed"),
    ],
)
def test_bad_blocks(arguments: Any, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind) as caught:
        Block(*arguments)
    assert text in str(caught.value)


# ---- optimizers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", _core.optimizer_table())
def test_an_optimizer_over_tensors_and_over_a_block_agree(kind: str) -> None:
    block = Block(["a", "b"], [(3,), (2,)], ["weight", "weight"])
    singles = [tensor(np.zeros(3, "float32"), requires_grad=True), tensor(np.zeros(2, "float32"), requires_grad=True)]
    optimizers = [Optimizer(kind, block, learning_rate=0.1), Optimizer(kind, singles, learning_rate=0.1)]
    for optimizer, (a, b) in zip(optimizers, (block.tensors, singles), strict=True):
        for _ in range(3):
            (ops.exp(a).sum() + (b - 1.0).sum() * 2.0).backward()
            optimizer.step()
    for one, two in zip(block.tensors, singles, strict=True):
        np.testing.assert_array_equal(one, two)
        assert (np.asarray(one) < 0).all()
    assert [o.steps for o in optimizers] == [3, 3]


def test_an_optimizer_is_resumed() -> None:
    def train(w: _core.Tensor, optimizer: Optimizer, steps: int) -> None:
        for _ in range(steps):
            (w * w).sum().backward()
            optimizer.step()

    w = tensor([1.0, 2.0], requires_grad=True)
    optimizer = Optimizer("adam", [w], learning_rate=0.1)
    train(w, optimizer, 3)
    values, slots = w.numpy().copy(), optimizer.slots()
    assert list(slots) == ["slot0", "slot1"]
    train(w, optimizer, 3)
    again = tensor(values, requires_grad=True)
    resumed = Optimizer("adam", [again], learning_rate=0.1)
    resumed.set_slots(slots)
    resumed.steps = 3
    train(again, resumed, 3)
    np.testing.assert_array_equal(again, w)
    for bad in ({}, {"slot0": slots["slot0"]}, {"slot0": np.ones(3), "slot1": np.ones(3)}):
        with pytest.raises(ValueError, match="set_slots: this adam has 2 slots"):
            resumed.set_slots(bad)
    with pytest.raises(TypeError, match="set_slots: give a dict"):
        resumed.set_slots(3)  # type: ignore[arg-type]


def test_hyperparameters_are_attributes() -> None:
    w = tensor([1.0], requires_grad=True)
    optimizer = Optimizer("sgd", [w], learning_rate=0.5, nesterov=True, momentum=0.9)
    assert (optimizer.kind, optimizer.learning_rate, optimizer.nesterov, optimizer.clip_norm) == ("sgd", 0.5, True, 0)
    optimizer.learning_rate = 0.25
    assert optimizer.learning_rate == 0.25
    optimizer.clip_norm = 1
    (w * 3.0).sum().backward()
    optimizer.step()
    assert optimizer.last_norm == 3
    with pytest.raises(AttributeError, match="sgd has no beta1; it has learning_rate"):
        _ = optimizer.beta1
    with pytest.raises(AttributeError, match="sgd has no beta1"):
        optimizer.beta1 = 0.5
    with pytest.raises(ValueError, match="sgd: learning_rate must be a finite number of at least 0, got -1"):
        optimizer.learning_rate = -1
    with pytest.raises(TypeError, match="sgd: learning_rate must be a number, got 'fast'"):
        optimizer.learning_rate = "fast"  # type: ignore[assignment]
    with pytest.raises(ValueError, match="steps must be"):
        optimizer.steps = -1
    optimizer.steps = 2**63 - 1
    optimizer.step()
    assert optimizer.steps == 2**63 - 1  # it stays there: no step has a negative number
    optimizer.momentum = 1.5
    with pytest.raises(ValueError, match=r"sgd: momentum is 1\.5"):
        optimizer.step()


@pytest.mark.parametrize("kind", list(_core.optimizer_table()))
def test_hyperparameters_take_numbers_or_truth_and_are_never_deleted(kind: str) -> None:
    class Stops:
        def __float__(self) -> float:
            raise KeyboardInterrupt

    optimizer = Optimizer(kind, [tensor([1.0], requires_grad=True)])
    for name, default in _core.optimizer_table()[kind]["defaults"].items():
        wrong: list[tuple[Any, type[Exception]]] = [
            ("x", TypeError),
            (None, TypeError),
            ([1], TypeError),
            (1j, TypeError),
        ]
        if isinstance(default, bool):
            wrong += [(1, TypeError), (0.0, TypeError), (np.array([True, False]), TypeError)]
        else:
            wrong += [(value, ValueError) for value in (float("nan"), float("inf"), -1, 10**400, -(10**400))]
            wrong += [(True, TypeError), (np.ones(2), TypeError)]
            with pytest.raises(KeyboardInterrupt):
                setattr(optimizer, name, Stops())
        for value, error in wrong:
            with pytest.raises(error, match=f"{kind}: {name} must be "):
                setattr(optimizer, name, value)
        with pytest.raises(AttributeError, match=f"{kind}: {name} cannot be deleted"):
            delattr(optimizer, name)
        assert getattr(optimizer, name) == default
        setattr(optimizer, name, np.bool_(True) if isinstance(default, bool) else np.float32(0.25))
        assert getattr(optimizer, name) == (True if isinstance(default, bool) else 0.25)
    with pytest.raises(AttributeError):
        del optimizer.steps


@pytest.mark.parametrize(
    ("make", "kind", "text"),
    [
        (lambda w: Optimizer("adm", [w]), ValueError, "Optimizer: unknown kind 'adm'; give one of 'sgd', 'rmsprop'"),
        (lambda w: Optimizer("adam", [w], lr=1), TypeError, "adam: there is no argument 'lr'; did you mean"),
        (lambda w: Optimizer("adam", [w], momentum=1), TypeError, "adam: there is no argument 'momentum'"),
        (lambda w: Optimizer("adam", []), ValueError, "adam: no parameters"),
        (lambda w: Optimizer("adam", [3]), TypeError, "adam: parameter 0 must be a tensor, got int"),
        (lambda w: Optimizer("adam", [tensor([1.0])]), RuntimeError, "does not require a gradient"),
        (lambda w: Optimizer("adam", [w], learning_rate=float("nan")), ValueError, "learning_rate must be a finite"),
        (lambda w: Optimizer("adam", [w]).step(), RuntimeError, "has no gradient"),
    ],
)
def test_bad_optimizers(make: Any, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind) as caught:
        make(tensor([1.0], requires_grad=True))
    assert text in str(caught.value)


# ---- Ctrl-C --------------------------------------------------------------------------------------------------------


def press() -> None:
    signal.raise_signal(signal.SIGINT)


def test_the_first_press_is_noted_the_second_raises() -> None:
    before = signal.getsignal(signal.SIGINT)
    with Interrupt() as stop:
        assert not stop.pressed
        press()
        assert stop.pressed
        with pytest.raises(KeyboardInterrupt):
            press()
    assert signal.getsignal(signal.SIGINT) is before
    with pytest.raises(KeyboardInterrupt):
        press()
    with stop:
        assert not stop.pressed
        with pytest.raises(RuntimeError, match="in use"):
            stop.__enter__()


def test_the_old_handler_comes_back_after_an_error() -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(ZeroDivisionError), Interrupt():
        1 / 0  # noqa: B018
    assert signal.getsignal(signal.SIGINT) is before


def test_an_ignored_ctrl_c_stays_ignored_and_other_threads_are_left_alone() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with Interrupt() as stop:
            press()
        assert not stop.pressed
    finally:
        signal.signal(signal.SIGINT, before)
    problems: list[BaseException] = []

    def elsewhere() -> None:
        try:
            with Interrupt() as inner:
                assert not inner.pressed
        except BaseException as e:
            problems.append(e)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert not problems
    assert signal.getsignal(signal.SIGINT) is before


# ---- values --------------------------------------------------------------------------------------------------------


def test_random_fills() -> None:
    n = 100_000
    t = _core.zeros((n,), "float64")
    _core.random_fill(t, "uniform", -1, 3, 0, "a")
    x = t.numpy()
    assert (x >= -1).all()
    assert (x < 3).all()
    assert abs(x.mean() - 1) < 5 * 4 / np.sqrt(12 * n)  # five standard errors
    _core.random_fill(t, "normal", 2, 3, 0, "a")
    assert abs(t.numpy().mean() - 2) < 5 * 3 / np.sqrt(n)
    assert abs(t.numpy().std() - 3) < 5 * 3 / np.sqrt(2 * n)
    first = t.numpy().copy()
    _core.random_fill(t, "normal", 2, 3, 0, _core.stream("a"))
    np.testing.assert_array_equal(t, first)
    _core.random_fill(t, "normal", 2, 3, 1, "a")
    assert (t.numpy() != first).any()
    _core.random_fill(t, "truncated", 0, 1, 0, "a")
    assert np.abs(t.numpy()).max() <= 2
    with pytest.raises(ValueError, match="random_fill: kind must be"):
        _core.random_fill(t, "normall", 0, 1, 0, 0)
    with pytest.raises(TypeError, match="random_fill: t must be a float32 or float64 tensor"):
        _core.random_fill(tensor([1]), "normal", 0, 1, 0, 0)
    with pytest.raises(RuntimeError, match="random_fill: t must own its memory"):
        _core.random_fill(_core.shape_only(3), "normal", 0, 1, 0, 0)
    with pytest.raises(ValueError, match="random_fill: seed must be from 0"):
        _core.random_fill(t, "normal", 0, 1, -1, 0)


def test_permutations() -> None:
    p = _core.permutation(1000, 1, "shuffle", 0)
    assert p.dtype == "int64"
    np.testing.assert_array_equal(np.sort(p), np.arange(1000))
    np.testing.assert_array_equal(p, _core.permutation(1000, 1, "shuffle", 0))
    for other in ((2, "shuffle", 0), (1, "other", 0), (1, "shuffle", 1)):
        assert (np.asarray(_core.permutation(1000, *other)) != p.numpy()).any()
    assert _core.permutation(0, 1, "shuffle", 0).shape == (0,)
    with pytest.raises(ValueError, match="negative"):
        _core.permutation(-1, 0, 0, 0)
    with pytest.raises(ValueError, match="step must be below"):
        _core.permutation(1, 0, 0, 2**32)


def test_moments_are_numpys() -> None:
    rng = np.random.default_rng(0)
    for x in (
        rng.integers(0, 256, (50, 7, 3)).astype("uint8"),
        rng.normal(5, 2, (500, 2)).astype("float32"),
        rng.normal(5, 2, (501, 4))[::-1],
        tensor(rng.normal(size=(9, 1))),
    ):
        mean, deviation = _core.moments(x)
        rows = np.asarray(x, "float64").reshape(-1, x.shape[-1])
        np.testing.assert_allclose(mean, rows.mean(0), rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(deviation, rows.std(0), rtol=1e-10)
        assert mean.dtype == np.float64
    with pytest.raises(TypeError, match="moments: x is int64"):
        _core.moments([[1], [2]])
    with pytest.raises(ValueError, match="moments: x must be"):
        _core.moments(np.ones((0, 3)))


def test_check_finite_counts_and_finds_the_first() -> None:
    for dtype in ("float32", "float64"):
        x = np.ones((10, 10), dtype)
        assert _core.check_finite(x) == (0, -1)
        x[2, 3], x[5, 5], x[9, 9] = np.nan, np.inf, -np.inf
        assert _core.check_finite(x) == (3, 23)
        assert _core.check_finite(tensor(x)) == (3, 23)
        assert _core.check_finite(x[::-1]) == (3, 9)
    assert _core.check_finite(np.ones(3, "uint8")) == (0, -1)


def test_streams_are_hashes_of_names() -> None:
    assert _core.stream("a") == 12638187200555641996  # FNV-1a, 64 bits
    assert _core.stream("") == 14695981039346656037
    with pytest.raises(TypeError, match="stream: name must be a str"):
        _core.stream(1)  # type: ignore[arg-type]
