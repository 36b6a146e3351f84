"""The optimizers of the table against their formulas in NumPy, over blocks and over tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pyneural import _core

Array = np.ndarray
State = dict[str, Array]
STEPS = 5
TOLERANCE = {"float64": 1e-12, "float32": 2e-5}  # relative to values of size 1; a few roundings a step


# ---- the formulas ----------------------------------------------------------------------------------------------------


def sgd(p: Array, g: Array, s: State, t: int, h: dict[str, Any]) -> Array:
    g = g + h["weight_decay"] * p
    s["v"] = h["momentum"] * s["v"] + g
    step = g + h["momentum"] * s["v"] if h["nesterov"] else s["v"] if h["momentum"] else g
    return p - h["learning_rate"] * step


def rmsprop(p: Array, g: Array, s: State, t: int, h: dict[str, Any]) -> Array:
    g = g + h["weight_decay"] * p
    s["s"] = h["beta2"] * s["s"] + (1 - h["beta2"]) * g * g
    s["v"] = h["momentum"] * s["v"] + g / (np.sqrt(s["s"]) + h["epsilon"])
    return p - h["learning_rate"] * s["v"]


def adam(p: Array, g: Array, s: State, t: int, h: dict[str, Any]) -> Array:
    g = g + h["weight_decay"] * p
    s["m"] = h["beta1"] * s["m"] + (1 - h["beta1"]) * g
    s["s"] = h["beta2"] * s["s"] + (1 - h["beta2"]) * g * g
    mean, square = s["m"] / (1 - h["beta1"] ** t), s["s"] / (1 - h["beta2"] ** t)
    return p - h["learning_rate"] * mean / (np.sqrt(square) + h["epsilon"])


def adamw(p: Array, g: Array, s: State, t: int, h: dict[str, Any]) -> Array:
    return adam(p - h["learning_rate"] * h["weight_decay"] * p, g, s, t, {**h, "weight_decay": 0})


FORMULAS: dict[str, Callable[..., Array]] = {"sgd": sgd, "rmsprop": rmsprop, "adam": adam, "adamw": adamw}
TRIES: list[tuple[str, dict[str, Any]]] = [
    ("sgd", {}),
    ("sgd", {"learning_rate": 0.1, "momentum": 0.9}),
    ("sgd", {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    ("rmsprop", {}),
    ("rmsprop", {"learning_rate": 0.01, "momentum": 0.8, "beta2": 0.99, "weight_decay": 0.1}),
    ("adam", {}),
    ("adam", {"learning_rate": 0.1, "beta1": 0.5, "beta2": 0.9, "weight_decay": 0.1, "epsilon": 1e-4}),
    ("adamw", {}),
    ("adamw", {"learning_rate": 0.1, "weight_decay": 0.5, "decay_all": True}),
]

# ---- the two kinds of target -----------------------------------------------------------------------------------------

SHAPES = [(7, 5), (5,), (1,), (3, 4, 2)]
GROUPS = ["weight", "bias", "bias", "weight"]


def block(dtype: str = "float64") -> tuple[Any, list[Any]]:
    made = _core.Block([f"p{i}" for i in range(len(SHAPES))], SHAPES, GROUPS, dtype)
    for i, t in enumerate(made.tensors):
        t.assign(np.random.default_rng(i).normal(size=t.shape).astype(dtype))
    return made, list(made.tensors)


def singles(dtype: str = "float64") -> tuple[list[Any], list[Any]]:
    made = [
        _core.tensor(np.random.default_rng(i).normal(size=s).astype(dtype), requires_grad=True)
        for i, s in enumerate(SHAPES)
    ]
    return made, made


def gradient_of(step: int, i: int) -> Array:
    return np.random.default_rng([step, i]).normal(size=SHAPES[i])


def give_gradients(tensors: list[Any], step: int, dtype: str = "float64") -> None:
    """Those of the sum of each tensor times a constant: the constants."""
    losses = [(t * gradient_of(step, i).astype(dtype)).sum() for i, t in enumerate(tensors) if t.requires_grad]
    total = losses[0]
    for loss in losses[1:]:
        total = total + loss
    total.backward()


def expected(
    kind: str, hyper: dict[str, Any], grouped: bool, scale: Callable[[int], float] = lambda step: 1.0
) -> list[Array]:
    h = {"momentum": 0.0, "nesterov": False, **_core.optimizer_table()[kind]["defaults"], **hyper}
    results = []
    for i, shape in enumerate(SHAPES):
        p, state = np.random.default_rng(i).normal(size=shape), {k: np.zeros(shape) for k in "vms"}
        spared = grouped and GROUPS[i] == "bias" and not h["decay_all"]
        own = {**h, "weight_decay": 0.0} if spared else h
        for step in range(STEPS):
            p = FORMULAS[kind](p, gradient_of(step, i) * scale(step), state, step + 1, own)
        results.append(p)
    return results


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("make", [block, singles])
@pytest.mark.parametrize(("kind", "hyper"), TRIES)
def test_each_optimizer_follows_its_formula(kind: str, hyper: dict[str, Any], make: Any, dtype: str) -> None:
    target, tensors = make(dtype)
    optimizer = _core.Optimizer(kind, target, **hyper)
    for step in range(STEPS):
        give_gradients(tensors, step, dtype)
        optimizer.step()
    assert optimizer.steps == STEPS
    for t, want in zip(tensors, expected(kind, hyper, make is block), strict=True):
        np.testing.assert_allclose(np.array(t), want, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])


@pytest.mark.parametrize("make", [block, singles])
def test_clipping_scales_the_whole_gradient_to_the_norm(make: Any) -> None:
    norms = [np.sqrt(sum((gradient_of(s, i) ** 2).sum() for i in range(len(SHAPES)))) for s in range(STEPS)]
    clip = float(np.median(norms))
    target, tensors = make()
    optimizer = _core.Optimizer("adam", target, clip_norm=clip)
    for step in range(STEPS):
        give_gradients(tensors, step)
        optimizer.step()
        assert optimizer.last_norm == pytest.approx(norms[step], rel=1e-13)
    want = expected("adam", {}, False, lambda step: min(1.0, clip / norms[step]))
    for t, w in zip(tensors, want, strict=True):
        np.testing.assert_allclose(np.array(t), w, rtol=1e-12)


def test_a_frozen_segment_stays_what_it_is() -> None:
    target, tensors = block()
    before = [np.array(t) for t in tensors]
    target.set_trainable(1, False)
    optimizer = _core.Optimizer("sgd", target, learning_rate=1.0, clip_norm=1e9)
    give_gradients(tensors, 0)
    optimizer.step()
    for i, (t, old) in enumerate(zip(tensors, before, strict=True)):
        want = old if i == 1 else old - gradient_of(0, i)
        np.testing.assert_allclose(np.array(t), want, rtol=1e-14, atol=1e-15)
    norm = np.sqrt(sum((gradient_of(0, i) ** 2).sum() for i in (0, 2, 3)))
    assert optimizer.last_norm == pytest.approx(norm, rel=1e-13)


@pytest.mark.parametrize("kind", list(FORMULAS))
def test_padding_stays_zero_and_slots_resume(kind: str) -> None:
    target, tensors = block()
    optimizer = _core.Optimizer(kind, target, learning_rate=0.1)
    for step in range(2):
        give_gradients(tensors, step)
        optimizer.step()
    values, slots = target.snapshot(), optimizer.slots()
    padding = np.frombuffer(values)[[i for i in range(target.length) if i % 16 > 8 and i > 35 and i < 64]]
    assert not padding.any()
    give_gradients(tensors, 2)
    optimizer.step()
    straight = target.snapshot()

    target.restore(values)
    resumed = _core.Optimizer(kind, target, learning_rate=0.1)
    resumed.set_slots(slots)
    resumed.steps = 2
    give_gradients(tensors, 2)
    resumed.step()
    assert target.snapshot() == straight


def test_any_number_of_threads_gives_the_same_bits() -> None:
    before, results = _core.get_threads(), []
    try:
        for threads in (1, 2, 4):
            _core.set_threads(threads)
            target = _core.Block(["w", "b"], [(700, 301), (301,)], ["weight", "bias"])
            for i, t in enumerate(target.tensors):
                t.assign(np.random.default_rng(i).normal(size=t.shape).astype("float32"))
            optimizer = _core.Optimizer("adamw", target, clip_norm=0.5)
            for _ in range(3):
                ((target.tensors[0] * target.tensors[0]).sum() + target.tensors[1].sum()).backward()
                optimizer.step()
            results.append(target.snapshot())
    finally:
        _core.set_threads(before)
    assert results[0] == results[1] == results[2]


def test_a_step_makes_an_older_graph_unusable() -> None:
    target, tensors = block()
    loss = (tensors[0] * tensors[0]).sum()
    give_gradients(tensors, 0)
    _core.Optimizer("sgd", target).step()
    with pytest.raises(RuntimeError, match="changed in place after the forward"):
        loss.backward()


def test_a_gradient_that_is_not_finite_is_not_clipped_but_refused() -> None:
    target, tensors = singles()
    (tensors[0] * np.full(SHAPES[0], np.inf)).sum().backward()
    for t in tensors[1:]:
        t.sum().backward()
    before = [np.array(t) for t in tensors]
    optimizer = _core.Optimizer("sgd", target, clip_norm=1.0)
    with pytest.raises(ValueError, match=r"sgd: the gradient's norm is inf.*nothing was updated"):
        optimizer.step()
    assert all(np.array_equal(t, old) for t, old in zip(tensors, before, strict=True))
    assert optimizer.steps == 0


@pytest.mark.parametrize(
    ("kind", "hyper", "says"),
    [
        ("sgd", {"learning_rate": -1.0}, "sgd: learning_rate"),
        ("sgd", {"learning_rate": float("nan")}, "sgd: learning_rate"),
        ("sgd", {"momentum": 1.0}, "sgd: momentum is 1; give at least 0 and less than 1"),
        ("sgd", {"nesterov": True}, "sgd: nesterov needs a momentum greater than 0"),
        ("adam", {"beta1": 1.5}, "adam: beta1"),
        ("adam", {"epsilon": 0.0}, "adam: epsilon is 0; give a number greater than 0"),
        ("adamw", {"weight_decay": -0.1}, "adamw: weight_decay"),
        ("rmsprop", {"clip_norm": -1.0}, "rmsprop: clip_norm"),
    ],
)
def test_numbers_out_of_range_are_refused(kind: str, hyper: dict[str, float], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        _core.Optimizer(kind, singles()[0], **hyper)


def test_targets_that_cannot_be_stepped_are_refused() -> None:
    leaf, other = (_core.tensor(np.ones(3, d), requires_grad=True) for d in ("float32", "float64"))
    with pytest.raises(RuntimeError, match=r"tensor 0, \(3,\), has no gradient; call backward"):
        _core.Optimizer("sgd", [leaf]).step()
    with pytest.raises(RuntimeError, match="tensor 0 does not require a gradient"):
        _core.Optimizer("sgd", [_core.zeros((3,))])
    with pytest.raises(RuntimeError, match="tensor 1 does not require a gradient"):
        _core.Optimizer("sgd", [leaf, leaf * 2])
    with pytest.raises(TypeError, match="tensor 1 is float64, but tensor 0 is float32"):
        _core.Optimizer("sgd", [leaf, other])
    with pytest.raises(ValueError, match="tensors 0 and 1 are the same"):
        _core.Optimizer("sgd", [leaf, leaf])
    with pytest.raises(ValueError, match="no parameters"):
        _core.Optimizer("sgd", [])
    with pytest.raises(RuntimeError, match="this block holds state"):
        _core.Optimizer("sgd", _core.Block(["m"], [(3,)], ["state"]))


def test_each_allocation_may_fail_and_nothing_is_lost() -> None:
    target, tensors = singles()
    give_gradients(tensors, 0)
    live = _core.memory_stats()["live_bytes"]
    for n in range(1, 100):
        _core._fail_after(n)
        try:
            _core.Optimizer("adam", target)
        except MemoryError:
            assert _core.memory_stats()["live_bytes"] == live
        else:
            break
        finally:
            _core._fail_after(0)
    assert n > 5
