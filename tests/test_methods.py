"""What people type on a tensor: ops as methods, NumPy's functions, tensors made from a shape, and help that runs."""

from __future__ import annotations

import doctest
import inspect
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opdraw import Draw
from oprows import ROWS

import pyneural as pn
from pyneural import _core, ops
from pyneural._core import Tensor, tensor

METHODS = {row["name"]: row for row in _core.op_table() if row["method"]}
TYPED = "exp log sqrt abs tanh relu sigmoid softmax clip flatten squeeze unsqueeze any all sum mean var max min argmax"


# ---- ops as methods ------------------------------------------------------------------------------------------------


def test_what_people_type_is_there() -> None:
    assert set(METHODS) >= set(TYPED.split())
    assert {"std", "tolist", "reshape", "transpose", "item", "astype"} <= set(dir(Tensor))


@pytest.mark.parametrize("name", METHODS)
def test_a_method_is_its_op(name: str) -> None:
    row = ROWS[name]
    for case in row.cases[:6]:
        draw = case.inputs[0]
        assert isinstance(draw, Draw)
        x = tensor(draw.make(np.random.default_rng(0), "float64"), "float64", requires_grad=0 in row.leaves)
        for result in (getattr(x, name)(**case.params), getattr(x, name)(*case.params.values())):
            expected = getattr(ops, name)(x, **case.params)
            assert (result.dtype, result.shape) == (expected.dtype, expected.shape)
            assert result.numpy().tobytes() == expected.numpy().tobytes()
            assert result.requires_grad == expected.requires_grad


@pytest.mark.parametrize("name", METHODS)
def test_a_method_has_the_ops_signature(name: str) -> None:
    op, method = (list(inspect.signature(f).parameters.values()) for f in (getattr(ops, name), getattr(Tensor, name)))
    assert method[0].name == "self"
    assert [(p.name, p.default) for p in method[1:]] == [(p.name, p.default) for p in op[1:]]


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda x: x.clip(0), "clip: the argument 'high' is missing"),
        (lambda x: x.sum(axes=1), "sum: there is no argument 'axes'; did you mean 'axis'?"),
        (lambda x: x.sum(0, axis=1), "sum: axis was given twice, by position and by name"),
        (lambda x: x.sum(dtype="float64"), "sum: there is no argument 'dtype'; it takes x, axis, keepdims"),
        (lambda x: x.sum(out=np.zeros(2)), "sum: there is no argument 'out'; it takes x, axis, keepdims"),
        (lambda x: x.exp(*range(30)), "exp: too many arguments"),
        (lambda x: x.unsqueeze(), "unsqueeze: the argument 'axis' is missing"),
    ],
)
def test_wrong_arguments_are_named(call: Any, text: str) -> None:
    with pytest.raises(TypeError) as caught:
        call(tensor([[1.0, 2.0]]))
    assert str(caught.value) == text


def test_axes_come_and_go() -> None:
    x = tensor(np.arange(6.0).reshape(1, 2, 3), requires_grad=True)
    y = x.squeeze().unsqueeze(-1).flatten(1).flatten()
    assert y.shape == (6,)
    assert np.shares_memory(y.numpy(), x.numpy())
    (y * np.arange(6.0)).sum().backward()
    np.testing.assert_array_equal(x.grad, np.arange(6.0).reshape(1, 2, 3))


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8", "int64"])
def test_lists_hold_pythons_numbers(dtype: str) -> None:
    x = np.array([[0, 1], [254, 255]]).astype(dtype)
    assert tensor(x).tolist() == x.tolist()
    assert tensor(x)[1, 1].tolist() == 255
    assert type(tensor(x).tolist()[0][0]) is (int if "int" in dtype else float)
    with pytest.raises(RuntimeError, match="shape-only"):
        _core.shape_only(2).tolist()


def test_hits_can_be_counted_averaged_and_asked() -> None:
    scores, labels = tensor([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7]]), np.array([1, 0, 0])
    hits = scores.argmax() == labels
    assert hits.sum().item() == 2
    assert hits.mean().item() == np.float32(2 / 3)
    assert bool(hits.any())
    assert not bool(hits.all())
    assert not (hits == hits.max()).all()


# ---- NumPy's functions ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words", [{}, {"axis": 1}, {"axis": (0, 1), "keepdims": True}, {"axis": -1, "keepdims": False}]
)
@pytest.mark.parametrize("name", ["sum", "mean", "var", "std", "max", "min", "any", "all"])
def test_numpys_reductions_of_a_tensor_are_tensors(name: str, words: dict[str, Any]) -> None:
    x = np.random.default_rng(0).uniform(0.5, 2, (3, 4))
    t = tensor(x, requires_grad=True)
    result = getattr(np, name)(t, **words)
    assert isinstance(result, Tensor)
    assert result.requires_grad == (name not in ("any", "all"))
    np.testing.assert_allclose(result, getattr(np, name)(x, **words), rtol=1e-12)


def test_other_functions_of_numpy() -> None:
    x = np.random.default_rng(0).normal(size=(3, 1, 4))
    t = tensor(x)
    np.testing.assert_array_equal(np.clip(t, -0.5, 0.5), np.clip(x, -0.5, 0.5))
    np.testing.assert_array_equal(np.squeeze(t), np.squeeze(x))
    np.testing.assert_array_equal(np.squeeze(t, 1), np.squeeze(x, 1))
    np.testing.assert_array_equal(np.argmax(t, axis=2), np.argmax(x, axis=2))
    np.testing.assert_array_equal(np.transpose(t), np.transpose(x))
    np.testing.assert_allclose(np.var(t, axis=2, ddof=1), np.var(x, axis=2, ddof=1))
    assert all(isinstance(y, Tensor) for y in (np.clip(t, 0, 1), np.squeeze(t), np.var(t, ddof=1), np.transpose(t)))


# ---- tensors made from a shape -------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8", "int64"])
@pytest.mark.parametrize("shape", [(), 3, (2, 3), [4, 0], (1,) * 8])
def test_zeros_ones_and_full(shape: Any, dtype: str) -> None:
    for ours, numpys in (
        (pn.zeros(shape, dtype), np.zeros(shape, dtype)),
        (pn.ones(shape, dtype=dtype), np.ones(shape, dtype)),
        (pn.full(shape, 7, dtype), np.full(shape, 7, dtype)),
    ):
        assert ours.dtype == dtype
        assert ours.shape == numpys.shape
        np.testing.assert_array_equal(ours, numpys)


def test_what_they_are_without_a_dtype() -> None:
    assert (pn.zeros(2).dtype, pn.ones(2).dtype) == ("float32", "float32")
    assert [pn.full(2, v).dtype for v in (1, 0.5, True, np.float64(0.5))] == ["int64", "float32", "uint8", "float64"]
    assert [pn.arange(v).dtype for v in (3, 3.0)] == ["int64", "float32"]
    leaf = pn.ones((2, 2), requires_grad=True)
    (leaf * 3.0).sum().backward()
    np.testing.assert_array_equal(leaf.grad, np.full((2, 2), 3))
    assert all(t.requires_grad for t in (pn.zeros(1, requires_grad=True), pn.full(1, 0.5, requires_grad=True)))
    assert pn.arange(2, dtype="float64", requires_grad=True).requires_grad
    leaf.assign(0)  # its memory is its own


WHOLE = st.integers(-50, 50)
FRACTION = st.floats(-20, 20).map(lambda v: round(v, 2))


@settings(max_examples=300, deadline=None)
@given(WHOLE, WHOLE, WHOLE.filter(bool))
def test_runs_of_integers_are_numpys(start: int, stop: int, step: int) -> None:
    np.testing.assert_array_equal(pn.arange(start, stop, step), np.arange(start, stop, step))
    np.testing.assert_array_equal(pn.arange(stop), np.arange(stop))
    np.testing.assert_array_equal(pn.arange(start, stop), np.arange(start, stop))
    np.testing.assert_array_equal(pn.arange(start, stop, dtype="float64"), np.arange(start, stop))


@settings(max_examples=300, deadline=None)
@given(FRACTION, FRACTION, FRACTION.filter(bool))
def test_runs_of_reals_are_numpys(start: float, stop: float, step: float) -> None:
    expected = np.arange(start, stop, step)
    for dtype in ("float64", "float32"):
        result = pn.arange(start, stop, step, dtype)
        assert result.shape == expected.shape
        np.testing.assert_allclose(result, expected, rtol=1e-6 if dtype == "float32" else 1e-13, atol=1e-12)


def test_long_and_far_runs() -> None:
    near = 2**63 - 3
    np.testing.assert_array_equal(pn.arange(near, near + 2), [near, near + 1])
    np.testing.assert_array_equal(pn.arange(2**63 - 1, -(2**63), -(2**62)), np.arange(2**63 - 1, -(2**63), -(2**62)))
    np.testing.assert_array_equal(pn.arange(100_000)[-1].item(), 99_999)


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda: pn.zeros(2, 3), TypeError, "zeros: dtype must be 'float32'"),  # type: ignore[arg-type]
        (lambda: pn.zeros(2, 3, 4), TypeError, "zeros: takes (shape, dtype='float32', *, requires_grad"),  # type: ignore[call-arg]
        (lambda: pn.ones((2, -1)), ValueError, "ones: "),
        (lambda: pn.ones("a"), TypeError, "ones: shape must be an int or a tuple of ints"),  # type: ignore[arg-type]
        (lambda: pn.ones((1,) * 9), ValueError, "ones: shape has 9 entries; a tensor has at most 8 axes"),
        (lambda: pn.zeros((2**40, 2**40)), ValueError, "zeros: "),
        (lambda: pn.ones(2, "int8"), ValueError, "ones: dtype must be 'float32', 'float64', 'uint8'"),
        (lambda: pn.ones(2, "int64", requires_grad=True), TypeError, "requires_grad: only float32 and float64"),
        (lambda: pn.full(2), TypeError, "full: the argument 'value' is missing"),  # type: ignore[call-arg]
        (lambda: pn.full(2, [1, 2]), ValueError, "full: value must be one number, got an array of shape (2,)"),  # type: ignore[arg-type]
        (lambda: pn.full(2, "a"), TypeError, "full: value must be a tensor, an array or numbers, not str"),  # type: ignore[arg-type]
        (lambda: pn.arange(0, 1, 0), ValueError, "arange: start, stop and step must be finite, and step not 0 or tiny"),
        (lambda: pn.arange(0, 1, 0.0), ValueError, "arange: start, stop and step must be finite"),
        (lambda: pn.arange(float("nan")), ValueError, "arange: start, stop and step must be finite"),
        (lambda: pn.arange(0, 1, 1e-300), ValueError, "arange: start, stop and step must be finite"),
        (lambda: pn.arange(2**70), OverflowError, "int too"),
        (lambda: pn.arange(), TypeError, "arange: the argument 'start' is missing"),  # type: ignore[call-arg]
        (lambda: pn.arange("a"), TypeError, ""),  # type: ignore[arg-type]
        (lambda: pn.stack([]), ValueError, "stack: takes 1 to 64 tensors, got 0"),
    ],
)  # fmt: skip
def test_what_makes_no_tensor_is_refused(call: Any, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind) as caught:
        call()
    assert text in str(caught.value)


def test_where_stack_and_concat_are_the_ops() -> None:
    assert (pn.where, pn.stack, pn.concat) == (ops.where, ops.stack, ops.concat)
    x = tensor([1.0, -2.0], requires_grad=True)
    pn.where(x > 0, x, 0.0).sum().backward()
    np.testing.assert_array_equal(x.grad, [1, 0])
    assert pn.stack([x, x], axis=1).shape == (2, 2)


# ---- help ----------------------------------------------------------------------------------------------------------

PUBLIC = {f"Tensor.{name}": getattr(Tensor, name) for name in dir(Tensor) if not name.startswith("_")}
PUBLIC = {name: one for name, one in PUBLIC.items() if callable(one)}
PUBLIC |= {
    name: getattr(pn, name) for name in ("tensor", "zeros", "ones", "full", "arange", "where", "stack", "concat")
}


@pytest.mark.parametrize("name", PUBLIC)
def test_help_has_a_signature_and_an_example_that_runs(name: str) -> None:
    one = PUBLIC[name]
    assert inspect.signature(one) is not None
    assert one.__doc__
    assert ">>> " in one.__doc__, f"{name} has no example"
    example = doctest.DocTestParser().get_doctest(one.__doc__, {"pn": pn, "np": np}, name, None, 0)
    assert doctest.DocTestRunner().run(example).failed == 0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_deviation_of_0_has_the_gradient_0(dtype: str) -> None:
    x = tensor([[3.0, 1.0, np.nan], [3.0, 5.0, 0.0]], dtype, requires_grad=True)
    y = x.std(axis=0)
    assert y.numpy().tobytes() == x.detach().std(axis=0).numpy().tobytes()
    y.sum().backward()
    assert x.grad is not None
    np.testing.assert_array_equal(x.grad.numpy()[:, :2], [[0.0, -0.5], [0.0, 0.5]])
    assert np.isnan(x.grad.numpy()[:, 2]).all()
    one = tensor([2.0], dtype, requires_grad=True)
    one.std().backward()
    assert one.grad is not None
    assert one.grad.tolist() == [0.0]


def test_numpys_reshape_stays_in_the_graph() -> None:
    x = tensor([[1.0, 2.0, 3.0]], requires_grad=True)
    y = np.reshape(x, (3, 1))
    assert isinstance(y, Tensor)
    assert (y.shape, y.requires_grad) == ((3, 1), True)
    with pytest.raises(ValueError, match="reshape: order must be 'C', got 'F': tensors are row-major"):
        np.reshape(x, (3, 1), order="F")
    with pytest.raises(TypeError, match=r"reshape: takes \(\*shape\)"):
        x.reshape(shape=(3, 1))  # type: ignore[call-arg]
