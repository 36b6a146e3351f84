"""x += y and its like: the values of x change where they lie, under no_grad those of parameters too."""

from __future__ import annotations

import contextlib
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pyneural as pn
from pyneural import _core
from pyneural._core import no_grad, tensor

SIGNS: dict[str, Callable[[Any, Any], Any]] = {
    "+=": operator.iadd,
    "-=": operator.isub,
    "*=": operator.imul,
    "/=": operator.itruediv,
    "**=": operator.ipow,
    "@=": operator.imatmul,
}
ELEMENTWISE = [sign for sign in SIGNS if sign not in ("**=", "@=")]
REALS = ("float32", "float64")


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0.5, 2, shape)


def plain(sign: str) -> Callable[[Any, Any], Any]:
    return {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "@": operator.matmul,
            "**": operator.pow}[sign[:-1]]  # fmt: skip


def other(sign: str, real: str) -> Any:
    return 0.5 if sign == "**=" else tensor(numbers(4, 4, seed=1), real)


@pytest.mark.parametrize("real", REALS)
@pytest.mark.parametrize("sign", SIGNS)
def test_x_stays_the_same_object_in_the_same_memory(sign: str, real: str) -> None:
    x = tensor(numbers(4, 4), real)
    y, view, whole = other(sign, real), x.numpy(), x
    expected = plain(sign)(x, y).numpy()
    result = SIGNS[sign](x, y)
    assert result is x
    assert x is whole
    assert x.dtype == real
    assert np.shares_memory(view, x.numpy())
    np.testing.assert_array_equal(view, expected)


@pytest.mark.parametrize("sign", ELEMENTWISE)
@pytest.mark.parametrize("shape", [(), (1,), (4,), (3, 4), (3, 1), (1, 4), (1, 1), (2, 3, 4), (0,)])
def test_what_broadcasts_to_x_is_written_into_it(sign: str, shape: tuple[int, ...]) -> None:
    base = numbers(2, 3, 0, 1) if shape == (0,) else numbers(2, 3, 4)
    given = numbers(*shape, seed=1) if shape != (0,) else numbers(1, 0, 1)
    x, expected = tensor(base), SIGNS[sign](base.copy(), given)
    for value in (given, tensor(given), given.tolist() if given.size else given):
        x.assign(base)
        assert SIGNS[sign](x, value) is x
        np.testing.assert_allclose(x, expected, rtol=1e-6)  # a list's floats are x's


@pytest.mark.parametrize("sign", ELEMENTWISE)
@pytest.mark.parametrize(
    ("shape", "wider"), [((4,), (3, 4)), ((1, 4), (3, 4)), ((1, 1), (4,)), ((4,), (1, 4)), ((), (1,)), ((3, 4), (5,))]
)
def test_what_does_not_is_named(sign: str, shape: tuple[int, ...], wider: tuple[int, ...]) -> None:
    x = tensor(numbers(*shape))
    before = x.numpy().copy()
    with pytest.raises(ValueError, match=r"cannot overwrite|does not fit|do not broadcast"):
        SIGNS[sign](x, numbers(*wider))
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("sign", SIGNS)
def test_the_right_side_may_be_x_or_overlap_it(sign: str) -> None:
    base = numbers(6, 6)
    if sign == "**=":
        return
    x = tensor(base)
    np.testing.assert_array_equal(SIGNS[sign](x, x), plain(sign)(tensor(base), tensor(base)))
    if sign == "@=":
        return
    for here, there in ((slice(0, 5), slice(1, 6)), (slice(1, 6), slice(0, 5)), (slice(2, 4), slice(3, 5))):
        x = tensor(base)
        rows = x[here]
        rows = SIGNS[sign](rows, x[there])
        np.testing.assert_array_equal(rows, plain(sign)(tensor(base[here]), tensor(base[there])))
        np.testing.assert_array_equal(x[here], rows)
    x = tensor(base)
    row = x[2]
    SIGNS[sign](x, row)
    np.testing.assert_array_equal(x, plain(sign)(tensor(base), tensor(base[2])))


@pytest.mark.parametrize("sign", ELEMENTWISE)
@pytest.mark.parametrize("period", [70_000, 1000, 1])
def test_large_ones_are_those_of_the_plain_op_and_take_no_memory(sign: str, period: int) -> None:
    x, y = tensor(numbers(70, 1000), "float32"), tensor(numbers(period, seed=1), "float32")
    y = y.reshape(70, 1000) if period == 70_000 else y
    expected = plain(sign)(x, y)
    most = 0
    for threads in (1, 2, 4):
        pn.set_threads(threads)
        z = tensor(x)
        requests = pn.memory_stats()["requests"]
        SIGNS[sign](z, y)
        most = max(most, pn.memory_stats()["requests"] - requests)
        np.testing.assert_array_equal(z, expected)
        del z
    assert most <= 2  # scratch, and the head of a y that is reshaped to ()


# ---- gradients -----------------------------------------------------------------------------------------------------


def test_a_parameter_is_updated_under_no_grad() -> None:
    p = tensor([1.0, 2.0, 3.0], requires_grad=True)
    leaf = p
    (p * p).sum().backward()
    with no_grad():
        p -= 0.5 * p.grad
    assert p is leaf
    assert p.requires_grad
    np.testing.assert_array_equal(p, [0, 0, 0])
    (p * 3.0).sum().backward()
    np.testing.assert_array_equal(p.grad, [3, 3, 3])


@pytest.mark.parametrize("sign", SIGNS)
def test_outside_no_grad_both_ways_are_named(sign: str) -> None:
    p, y = tensor(numbers(4, 4), requires_grad=True), other(sign, "float64")
    before = p.numpy().copy()
    with pytest.raises(RuntimeError) as caught:
        SIGNS[sign](p, y)
    assert f"`with pn.no_grad(): x {sign} y`" in str(caught.value)
    assert f"`x = x {sign[:-1]} y`" in str(caught.value)
    assert str(caught.value).startswith(f"{sign}: x requires a gradient")
    np.testing.assert_array_equal(p, before)


@pytest.mark.parametrize("where", [contextlib.nullcontext, no_grad])
def test_what_an_op_computed_is_not_changed(where: Any) -> None:
    h = tensor([1.0, 2.0], requires_grad=True) * 2.0
    with pytest.raises(RuntimeError, match=r"\+=: x is the result of an op.*`x = x \+ y` for a new tensor"), where():
        h += 1.0


def test_a_graph_on_the_right_is_not_lost() -> None:
    x, y = tensor([1.0]), tensor([1.0], requires_grad=True)
    with pytest.raises(RuntimeError, match=r"-=: y requires a gradient, and a change in place is not recorded"):
        x -= y
    with no_grad():
        x -= y
    assert x.item() == 0


def test_what_backward_needs_and_was_changed_is_named() -> None:
    x, p = tensor([1.0, 2.0]), tensor([3.0, 4.0], requires_grad=True)
    loss = (p * x).sum()
    x += 1.0
    with pytest.raises(RuntimeError, match=r"backward: mul needs its input number 1 .* changed in place"):
        loss.backward()
    loss = (p * p).sum()
    with no_grad():
        p *= 2.0
    with pytest.raises(RuntimeError, match=r"backward: mul needs its input number 0 .* changed in place"):
        loss.backward()
    loss = (p * x).sum()  # the gradient of p reads x alone
    with no_grad():
        p *= 2.0
    loss.backward()
    np.testing.assert_array_equal(p.grad, x)
    loss = (p + x).sum()  # add reads neither
    x += 1.0
    loss.backward()
    np.testing.assert_array_equal(p.grad, [1, 1])


def test_a_gradient_changes_in_place() -> None:
    p = tensor([1.0, 2.0], requires_grad=True)
    (p * p).sum().backward()
    p.grad *= 0.5
    np.testing.assert_array_equal(p.grad, [1, 2])
    for value in (None, 0.0, tensor([0.0, 0.0])):
        with pytest.raises(AttributeError, match="grad: cannot be set or deleted"):
            p.grad = value
    with pytest.raises(AttributeError, match="grad: cannot be set"):
        del p.grad


def test_parameters_of_a_model_train_by_hand_as_with_sgd() -> None:
    """The optimizer computes p - rate * gradient with one rounding less."""
    x, y = numbers(32, 5).astype("float32"), numbers(32, 1, seed=1).astype("float32")
    results = []
    for by_hand in (True, False):
        model = pn.Sequential(pn.Dense(8, activation="tanh"), pn.Dense(1))
        model.build((5,), seed=3)
        optimizer = pn.SGD(model, learning_rate=0.1)
        parameters = [p for layer in model.layers for p in (layer.weight, layer.bias)]
        for _ in range(20):
            pn.ops.mse(model(x, training=True), y).backward()
            if not by_hand:
                optimizer.step()
                continue
            with no_grad():
                for p in parameters:
                    p -= 0.1 * p.grad
                model["dense_1"].bias += 0.0  # the attribute is set to what it is
        results.append([p.numpy().copy() for p in parameters])
    for hand, step in zip(*results, strict=True):
        np.testing.assert_allclose(hand, step, rtol=1e-5, atol=1e-6)


# ---- what is refused -----------------------------------------------------------------------------------------------


def test_borrowed_memory_is_not_written() -> None:
    array = np.ones(3)
    x = _core.borrow(array)
    with pytest.raises(RuntimeError, match=r"\+=: x borrows the memory of a NumPy array .*pn\.tensor\(array\)"):
        x += 1.0
    np.testing.assert_array_equal(array, 1)


def test_shape_only_tensors_check_the_shape_alone() -> None:
    x = _core.shape_only((3, 4))
    whole = x
    x += 1.0
    assert x is whole
    with pytest.raises(ValueError, match="do not broadcast"):
        x += numbers(5)
    y = tensor(numbers(3, 4), "float32")
    with pytest.raises(RuntimeError, match="shape-only"):
        y += x


@pytest.mark.parametrize("exponent", [2.0, 0.5, np.float64(2)])
def test_a_float_power_of_integers_does_not_fit_over_them(exponent: float) -> None:
    x = tensor([2, 3])
    with pytest.raises(TypeError, match=r"\*\*=: x is int64 and keeps its dtype, but the result is float32"):
        x = operator.ipow(x, exponent)
    x **= 2
    assert x.numpy().tolist() == [4, 9]
    assert x.dtype == "int64"


def test_foreign_operands_are_left_to_python() -> None:
    class Mine:
        def __radd__(self, x: Any) -> str:
            return "mine"

    x = tensor([1.0])
    x += Mine()
    assert x == "mine"
    y = tensor([1.0])
    with pytest.raises(TypeError, match=r"unsupported operand type\(s\) for \+="):
        y += object()
    with pytest.raises(TypeError, match="pow: the exponent must be a constant number"):
        y **= y
    with pytest.raises(TypeError, match="unsupported operand"):
        y **= "2"


@pytest.mark.parametrize("sign", SIGNS)
def test_any_request_for_memory_may_fail_and_x_is_whole(sign: str) -> None:
    x, y = tensor(numbers(4, 4), "float32"), other(sign, "float64")
    y = y if sign == "**=" else numbers(4, 4, seed=2).astype("float32")[:, ::-1]
    before, expected = x.numpy().copy(), plain(sign)(x, y).numpy()
    for n in range(1, 50):
        _core._fail_after(n)
        try:
            SIGNS[sign](x, y)
        except MemoryError:
            np.testing.assert_array_equal(x, before)
        else:
            break
        finally:
            _core._fail_after(0)
    np.testing.assert_array_equal(x, expected)
    assert n > 1
