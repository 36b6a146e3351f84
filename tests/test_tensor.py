"""Tensor from Python: operators, slicing, conversions, gradients, views, errors; NumPy is the reference."""

from __future__ import annotations

import copy
import gc
import operator
import pickle
import threading
import weakref
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pyneural as pn
from pyneural import _core, ops
from pyneural._core import Tensor, no_grad, tensor

REALS = ("float32", "float64")
SHAPES = [
    ((3, 4), (3, 4)),
    ((3, 4), (4,)),
    ((4,), (3, 4)),
    ((3, 1), (1, 4)),
    ((1, 4), (3, 4)),
    ((1, 1), (4,)),
    ((1,), (2, 1, 3)),
    ((2, 1, 3), (4, 1)),
    ((), (2, 3)),
    ((2, 3), ()),
    ((0, 3), (1, 3)),
    ((1, 0), (2, 1)),
]
ARITHMETIC = [operator.add, operator.sub, operator.mul, operator.truediv]
COMPARISONS = [operator.lt, operator.le, operator.eq, operator.ne, operator.gt, operator.ge]


def numbers(shape: tuple[int, ...], seed: int = 0, dtype: str = "float64") -> np.ndarray:
    return np.asarray(np.random.default_rng(seed).uniform(0.5, 2, shape)).astype(dtype)


# ---- operators -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("real", REALS)
@pytest.mark.parametrize("op", ARITHMETIC)
@pytest.mark.parametrize(("a", "b"), SHAPES)
def test_arithmetic_broadcasts_as_numpy_does(a: Any, b: Any, op: Any, real: str) -> None:
    x, y = numbers(a, 1, real), numbers(b, 2, real)
    result = op(tensor(x), tensor(y))
    assert result.dtype == real
    assert result.shape == op(x, y).shape
    np.testing.assert_allclose(result, op(x, y), rtol=1e-6)  # float32: one rounding


@pytest.mark.parametrize("op", COMPARISONS)
@pytest.mark.parametrize(("a", "b"), SHAPES)
def test_comparisons_give_uint8_and_no_gradient(a: Any, b: Any, op: Any) -> None:
    x, y = np.round(numbers(a, 1)), np.round(numbers(b, 2))
    result = op(tensor(x, requires_grad=True), tensor(y))
    assert result.dtype == "uint8"
    assert not result.requires_grad
    np.testing.assert_array_equal(result, op(x, y))


@pytest.mark.parametrize("op", ARITHMETIC)
@pytest.mark.parametrize(("a", "b"), SHAPES)
def test_gradients_of_broadcast_operands_are_summed_back(a: Any, b: Any, op: Any) -> None:
    x, y = numbers(a, 1), numbers(b, 2)
    s, t = tensor(x, requires_grad=True), tensor(y, requires_grad=True)
    weights = numbers(op(x, y).shape, 3)
    (op(s, t) * weights).sum().backward()
    step = 1e-6
    for leaf, base, other, first in ((s, x, y, True), (t, y, x, False)):
        assert leaf.grad is not None
        assert leaf.grad.shape == base.shape
        for i in np.ndindex(base.shape):
            up, down = base.copy(), base.copy()
            up[i] += step
            down[i] -= step
            f = [np.sum((op(v, other) if first else op(other, v)) * weights) for v in (up, down)]
            # central differences: truncation about step^2, rounding about 1e-16 / step
            np.testing.assert_allclose(leaf.grad.numpy()[i], (f[0] - f[1]) / (2 * step), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("real", REALS)
def test_numbers_and_arrays_on_either_side_keep_the_tensors_dtype(real: str) -> None:
    x = numbers((2, 3), 1, real)
    t = tensor(x)
    for other in (
        2,
        0.5,
        np.float64(0.5),
        np.float32(3),
        np.int64(2),
        [1.0, 2.0, 3.0],
        [1, 2, 3],
        np.arange(1, 4),
    ):
        values = np.asarray(other, real)
        for op in ARITHMETIC:
            assert op(t, other).dtype == real
            assert op(other, t).dtype == real
            np.testing.assert_allclose(op(t, other), op(x, values), rtol=1e-6)
            np.testing.assert_allclose(op(other, t), op(values, x), rtol=1e-6)
    y = numbers((2, 3), 2, real)
    assert isinstance(y + t, Tensor)
    assert isinstance(y @ t.T, Tensor)
    np.testing.assert_allclose(y @ t.T, y @ x.T, rtol=1e-6)
    assert isinstance(y < t, Tensor)


def test_other_operators() -> None:
    x = numbers((3, 3))
    t = tensor(x)
    np.testing.assert_allclose(t @ t, x @ x)
    np.testing.assert_allclose(-t, -x)
    np.testing.assert_allclose(abs(-t), x)
    np.testing.assert_allclose(t**2, x**2)
    np.testing.assert_allclose(t**-0.5, x**-0.5)
    assert +t is t


def test_only_constant_exponents() -> None:
    x = tensor([1.0, 2.0])
    for base in (x, 2.0):
        with pytest.raises(TypeError, match="pow: the exponent must be a constant number"):
            base**x
    with pytest.raises(TypeError):
        x ** np.ones(2, "float32")
    with pytest.raises(TypeError):
        x ** "2"


def test_operators_leave_foreign_types_to_python() -> None:
    x = tensor([1.0])
    for op in (*ARITHMETIC, operator.matmul, operator.lt):
        with pytest.raises(TypeError, match=r"unsupported operand|not supported"):
            op(x, object())
    assert (x == None) is False  # noqa: E711
    assert (x != "a") is True
    assert x in [x]
    assert len({x, x}) == 1
    with pytest.raises(TypeError):
        np.add(x, 1)  # a ufunc would leave the graph without a word


def test_shapes_that_do_not_broadcast_are_named() -> None:
    x = tensor(numbers((3, 4)))
    with pytest.raises(ValueError, match=r"^add: shapes \(3, 4\) and \(5,\) do not broadcast$"):
        x + numbers((5,))
    with pytest.raises(ValueError, match=r"^where: shapes \(2, 1\), \(3, 4\) and \(\) do not broadcast$"):
        ops.where(np.ones((2, 1), bool), x, 0.0)


def test_where_takes_bools_and_broadcasts() -> None:
    x = numbers((3, 4))
    t = tensor(x, requires_grad=True)
    mask = x > 1
    for condition in (mask, t > 1, mask.astype("uint8"), (x > 1).tolist()):
        result = ops.where(condition, t, 0.0)
        np.testing.assert_array_equal(result, np.where(mask, x, 0))
    result.sum().backward()
    np.testing.assert_array_equal(t.grad, mask.astype("float64"))
    np.testing.assert_array_equal(ops.where(mask[:1], t, np.zeros((3, 1))), np.where(mask[:1], x, 0))
    assert ops.where(True, t, 0.0).shape == (3, 4)


# ---- methods -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["sum", "mean", "var", "std", "max", "min"])
@pytest.mark.parametrize("axis", [None, 0, -1, (0, 2), (1,), ()])
@pytest.mark.parametrize("keepdims", [False, True])
def test_reductions(name: str, axis: Any, keepdims: bool) -> None:
    x = numbers((2, 3, 4))
    result = getattr(tensor(x), name)(axis=axis, keepdims=keepdims)
    np.testing.assert_allclose(result, getattr(x, name)(axis=axis, keepdims=keepdims), rtol=1e-12, atol=1e-15)
    assert result.shape == np.shape(getattr(x, name)(axis=axis, keepdims=keepdims))


def test_argmax_reshape_transpose() -> None:
    x = numbers((2, 3, 4))
    t = tensor(x)
    np.testing.assert_array_equal(t.argmax(), x.argmax(-1))
    np.testing.assert_array_equal(t.argmax(1), x.argmax(1))
    assert t.argmax(axis=0).dtype == "int64"
    for shape in ((6, 4), (-1,), (2, -1, 2), ()):
        if shape:
            np.testing.assert_array_equal(t.reshape(*shape), x.reshape(shape))
            np.testing.assert_array_equal(t.reshape(shape), x.reshape(shape))
            np.testing.assert_array_equal(t.reshape(list(shape)), x.reshape(shape))
    assert t[0, 0, 0].reshape().shape == ()
    np.testing.assert_array_equal(t.transpose(), x.transpose())
    np.testing.assert_array_equal(t.T, x.T)
    np.testing.assert_array_equal(t.transpose(1, 0, 2), x.transpose(1, 0, 2))
    np.testing.assert_array_equal(t.transpose((2, 0, 1)), x.transpose((2, 0, 1)))
    with pytest.raises(ValueError, match="reshape: x is"):
        t.reshape(5, 5)
    with pytest.raises(TypeError, match="reshape: shape must be an int or a tuple of ints"):
        t.reshape("5")


def test_attributes() -> None:
    t = tensor(numbers((2, 3)))
    assert (t.shape, t.dtype, t.ndim, t.size, len(t)) == ((2, 3), "float64", 2, 6, 2)
    assert t.grad is None
    assert not t.requires_grad
    assert not t.is_shape_only
    with pytest.raises(AttributeError):
        t.shape = (3, 2)  # type: ignore[misc]
    assert weakref.ref(t)() is t
    with pytest.raises(TypeError, match=r"pn\.tensor"):
        Tensor()
    with pytest.raises(TypeError):
        type("Mine", (Tensor,), {})


def test_python_numbers() -> None:
    assert float(tensor([2.5])) == 2.5
    assert int(tensor(2.5)) == 2
    assert bool(tensor(0.0)) is False
    assert bool(tensor(0.5)) is True
    assert [10, 20, 30][tensor(1)] == 20
    assert tensor(3).item() == 3
    assert isinstance(tensor(3).item(), int)
    assert isinstance(tensor([[3.0]]).item(), float)
    assert f"{tensor(1.23456):.2f}" == "1.23"
    assert f"{tensor([1, 2])}" == "tensor([1, 2], shape=(2,), dtype=int64)"
    with pytest.raises(ValueError, match=r"float: the tensor must have one element, but its shape is \(2, 3\)"):
        float(tensor(numbers((2, 3))))
    with pytest.raises(ValueError, match="ambiguous"):
        bool(tensor([1.0, 2.0]))
    with pytest.raises(TypeError, match="not an index"):
        [1][tensor(0.0)]
    with pytest.raises(TypeError, match="without axes"):
        len(tensor(1.0))
    with pytest.raises(TypeError, match="without axes"):
        list(tensor(1.0))


def test_repr_shows_values_shape_and_dtype() -> None:
    assert repr(tensor([[1.0, 2.0], [3.0, 4.0]])) == (
        "tensor([[1., 2.],\n        [3., 4.]], shape=(2, 2), dtype=float32)"
    )
    assert repr(tensor(1.5, requires_grad=True)) == "tensor(1.5, shape=(), dtype=float32, requires_grad=True)"
    assert repr(_core.shape_only((64, 10))) == "tensor(<shape-only>, shape=(64, 10), dtype=float32)"
    assert len(repr(_core.zeros((1000, 1000)))) < 500
    assert repr(_core.zeros((0, 3), "int64")) == "tensor([], shape=(0, 3), dtype=int64)"


def test_tensors_are_not_pickled() -> None:
    for attempt in (pickle.dumps, copy.deepcopy, copy.copy):
        with pytest.raises(TypeError, match=r"pn\.save"):
            attempt(tensor([1.0]))


# ---- slicing -------------------------------------------------------------------------------------------------------

SOURCE = numbers((4, 5, 3))
BOUND = st.none() | st.integers(-7, 7)
PART = st.builds(slice, BOUND, BOUND, st.none() | st.integers(-4, 4).filter(bool)) | st.just(slice(None))
KEY = st.lists(PART | st.integers(-3, 2), max_size=3).flatmap(
    lambda parts: st.just(tuple(parts)) | st.integers(0, len(parts)).map(lambda i: (*parts[:i], ..., *parts[i:]))
)


@settings(max_examples=400, deadline=None)
@given(KEY)
def test_slicing_is_numpys(key: tuple[Any, ...]) -> None:
    t = tensor(SOURCE, requires_grad=True)
    result, expected = t[key], SOURCE[key]
    assert result.shape == expected.shape
    np.testing.assert_array_equal(result, expected)
    if result.size:
        weights = numbers(expected.shape, 5)
        (result * weights).sum().backward()
        gradient = np.zeros_like(SOURCE)
        gradient[key] = weights
        np.testing.assert_array_equal(t.grad, gradient)
    if len(key) == 1:
        np.testing.assert_array_equal(t[key[0]], expected)
    np.testing.assert_array_equal(ops.slice(t, key), expected)


def test_slicing_other_dtypes_and_iteration() -> None:
    x = np.arange(24).reshape(4, 6)
    t = tensor(x)
    np.testing.assert_array_equal(t[::-2, 1:-1], x[::-2, 1:-1])
    assert t[np.int64(1), tensor(2)].item() == x[1, 2]
    np.testing.assert_array_equal([row.numpy() for row in t], x)
    np.testing.assert_array_equal(tensor(x.astype("uint8"))[:, ::3], x[:, ::3])
    np.testing.assert_array_equal(t[-(2**70) : 2**70], x)


def test_rows_share_memory() -> None:
    t = tensor(np.arange(6.0).reshape(3, 2))
    row = t[1]
    t.assign(np.zeros((3, 2)))
    np.testing.assert_array_equal(row, [0, 0])


@pytest.mark.parametrize(
    ("key", "kind", "text"),
    [
        (4, IndexError, "index 4 is out of bounds for axis 0 with size 4"),
        (-5, IndexError, "index -5 is out of bounds for axis 0 with size 4"),
        ((0, 5), IndexError, "index 5 is out of bounds for axis 1 with size 5"),
        ((0, 0, 0, 0), IndexError, "too many indices: the tensor has 3 axes, but 4 were indexed"),
        ((..., ...), IndexError, "single ellipsis"),
        (None, TypeError, r"None does not add an axis; write x\.unsqueeze"),
        (np.array([0, 1]), TypeError, r"pn\.ops\.take"),
        ([0, 1], TypeError, r"pn\.ops\.take"),
        (SOURCE > 1, TypeError, r"pn\.where"),
        (True, TypeError, "only ints, slices and"),
        (1.0, TypeError, "only ints, slices and"),
        ("a", TypeError, "only ints, slices and"),
        (slice(0, 1, 0), ValueError, "slice step cannot be zero"),
    ],
)
def test_bad_indices(key: Any, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text):
        tensor(SOURCE)[key]


def test_items_are_not_assigned() -> None:
    with pytest.raises(TypeError, match=r"x\.assign"):
        tensor([1.0])[0] = 2.0


# ---- in from NumPy -------------------------------------------------------------------------------------------------


def strange(base: np.ndarray) -> dict[str, np.ndarray]:
    wide = np.zeros(base.size * base.itemsize + 1, "uint8")
    unaligned = wide[1:].view(base.dtype).reshape(base.shape)
    unaligned[...] = base
    fixed = base.copy()
    fixed.flags.writeable = False
    return {
        "plain": base,
        "fortran": np.asfortranarray(base),
        "negative": base[::-1, ::-1],
        "strided": np.repeat(base, 2, axis=1)[:, ::2],
        "swapped": base.astype(base.dtype.newbyteorder()),
        "read-only": fixed,
        "broadcast": np.broadcast_to(base[:1], base.shape),
        "unaligned": unaligned,
        "zero-dimensional": base[0, 0],
        "0-d array": np.array(base[0, 0]),
        "empty": base[:0],
        "no axes of length": base[:, :0],
    }


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8", "int64"])
@pytest.mark.parametrize("make", [tensor, _core.borrow])
def test_any_array_comes_in_whole(dtype: str, make: Any) -> None:
    for name, array in strange((numbers((3, 4)) * 50).astype(dtype)).items():
        result = make(array)
        assert (result.dtype, result.shape) == (dtype, array.shape), name
        np.testing.assert_array_equal(result, array, err_msg=name)
        np.testing.assert_array_equal(ops.reshape(array, -1), array.reshape(-1), err_msg=name)


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (1.5, "float32"),
        (3, "int64"),
        (True, "uint8"),
        ([1.5, 2], "float32"),
        ([[1, 2], [3, 4]], "int64"),
        ([True, False], "uint8"),
        (np.float64(1.5), "float64"),
        (np.ones(2, "float16"), "float32"),
        (np.ones(2, "int32"), "int64"),
        (np.ones(2, "int8"), "int64"),
        (np.ones(2, "uint32"), "int64"),
        (np.ones(2, "float64"), "float64"),
        (np.ones(2, "longdouble"), "float64"),
        (np.ones(2, bool), "uint8"),
        (range(3), "int64"),
    ],
)
def test_dtypes_that_values_get(values: Any, dtype: str) -> None:
    assert tensor(values).dtype == dtype
    np.testing.assert_array_equal(tensor(values), np.asarray(values))


def test_dtype_given() -> None:
    x = np.array([0, 1, 2])
    for dtype in ("float32", "float64", "uint8", "int64"):
        assert tensor(x, dtype).dtype == dtype
        assert tensor(x, dtype=np.dtype(dtype)).dtype == dtype
        assert tensor(tensor(x), dtype).dtype == dtype
        assert tensor(x).astype(dtype).dtype == dtype
        np.testing.assert_array_equal(tensor(x, dtype), x)
    assert tensor(2**63, "float64").item() == 2.0**63
    with pytest.raises(ValueError, match="tensor: dtype must be 'float32', 'float64', 'uint8' or 'int64', got 'int8'"):
        tensor(x, "int8")
    with pytest.raises(TypeError, match="dtype must be"):
        tensor(x, np.complex64)  # type: ignore[arg-type]
    with pytest.raises(
        TypeError, match=r"requires_grad: only float32 and float64 tensors have gradients, this one is int64"
    ):
        tensor(x, requires_grad=True)
    with pytest.raises(TypeError, match="does not hold plain numbers"):
        tensor(2**70)


@pytest.mark.parametrize(
    ("values", "kind", "text"),
    [
        (np.ones(2, complex), TypeError, "complex numbers are not supported"),
        (np.array(["a", "b"]), TypeError, "does not hold plain numbers"),
        (np.array([1, None]), TypeError, "does not hold plain numbers"),
        (np.array(["2020-01-01"], "datetime64[D]"), TypeError, "does not hold plain numbers"),
        (np.ones(2, "uint64"), TypeError, r"a\.astype\('int64'\)"),
        ([[1.0], [2.0, 3.0]], ValueError, "rectangular"),
        ("1.0", TypeError, "must be a tensor, an array or numbers, not str"),
        (None, TypeError, "must be a tensor, an array or numbers, not NoneType"),
        ({}, TypeError, "must be a tensor, an array or numbers, not dict"),
        (object(), TypeError, "does not hold plain numbers"),
        (np.ones((1,) * 9), ValueError, "0 to 8 axes, got 9"),
    ],
)
def test_what_no_tensor_holds(values: Any, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=f"^tensor: values.*{text}"):
        tensor(values)
    with pytest.raises(kind, match=text):
        ops.relu(values)


def test_tensor_copies_and_borrow_shares() -> None:
    x = np.arange(4.0)
    copied, borrowed = tensor(x), _core.borrow(x)
    x[0] = 9
    assert copied[0].item() == 0
    assert borrowed[0].item() == 9
    assert np.shares_memory(borrowed.numpy(), x)
    with pytest.raises(RuntimeError, match="borrows the memory of a NumPy array"):
        borrowed.assign(np.zeros(4))
    assert _core.borrow(borrowed) is borrowed
    with pytest.raises(RuntimeError, match="borrows the memory"):
        _core.borrow(x[::-1]).assign(np.zeros(4))


def test_borrowed_arrays_live_as_long_as_needed() -> None:
    class Array(np.ndarray):
        pass

    x = np.arange(1000.0).view(Array)
    seen = weakref.ref(x)
    kept = _core.borrow(x)[10:20]
    del x
    gc.collect()
    assert seen() is not None
    np.testing.assert_array_equal(kept, np.arange(10.0, 20.0))
    del kept
    assert seen() is None


def test_an_ops_result_never_lies_in_the_callers_array() -> None:
    x = np.zeros(6, "float32")
    y = ops.reshape(x, (2, 3))
    z = ops.slice(x, slice(1, 3))
    x[:] = 1
    np.testing.assert_array_equal(y, np.zeros((2, 3)))
    np.testing.assert_array_equal(z, np.zeros(2))


def test_an_array_changed_between_forward_and_backward_does_no_harm() -> None:
    t, x = tensor([1.0, 2.0], requires_grad=True), np.array([3.0, 4.0], "float32")
    loss = (t * x).sum()
    x[:] = 100
    loss.backward()
    np.testing.assert_array_equal(t.grad, [3, 4])


# ---- out to NumPy --------------------------------------------------------------------------------------------------


def test_numpy_is_a_read_only_view_that_outlives_the_tensor() -> None:
    t = tensor(np.arange(1000.0))
    view = t.numpy()
    assert not view.flags.writeable
    assert not view.flags.owndata
    with pytest.raises(ValueError, match=r"read-only|WRITEABLE"):
        view[0] = 1
    with pytest.raises(ValueError, match="WRITEABLE"):
        view.flags.writeable = True
    live = _core.memory_stats()["live_bytes"]
    del t
    gc.collect()
    assert _core.memory_stats()["live_bytes"] == live
    np.testing.assert_array_equal(view, np.arange(1000.0))
    del view
    assert _core.memory_stats()["live_bytes"] < live


def test_asarray_copies_only_where_it_must() -> None:
    t = tensor(np.arange(6.0).reshape(2, 3))
    assert np.shares_memory(np.asarray(t), t.numpy())
    assert not np.shares_memory(np.array(t), t.numpy())
    assert np.asarray(t, "float32").dtype == np.float32
    assert np.asarray(t, "float64").dtype == np.float64
    assert np.shares_memory(t.__array__(), t.numpy())
    copied = t.__array__(None, copy=True)
    assert not np.shares_memory(copied, t.numpy())
    assert copied.flags.writeable
    with pytest.raises(ValueError, match="needs a copy"):
        t.__array__("float32", copy=False)
    np.testing.assert_array_equal(np.stack([t[0], t[1]]), np.asarray(t))


def test_assign_writes_in_place() -> None:
    t = tensor(np.zeros((2, 3), "float32"))
    view = t.numpy()
    t.assign([1, 2, 3])
    np.testing.assert_array_equal(view, [[1, 2, 3], [1, 2, 3]])
    t.assign(tensor(np.ones((2, 3))))
    np.testing.assert_array_equal(view, 1)
    t.assign(0.5)
    np.testing.assert_array_equal(view, 0.5)
    with pytest.raises(ValueError, match=r"assign: values of shape \(4,\) do not broadcast to \(2, 3\)"):
        t.assign(np.ones(4))
    with pytest.raises(TypeError, match="assign: values of dtype"):
        t.assign(np.array(["a"]))
    with pytest.raises(TypeError, match="cannot be written into a int64 tensor"):
        tensor([1]).assign(0.5)
    with pytest.raises(RuntimeError, match="shape-only"):
        _core.shape_only(3).assign(0)
    with pytest.raises(RuntimeError, match="result of an op"):
        (tensor(1.0, requires_grad=True) * 2).assign(0)


# ---- gradients -----------------------------------------------------------------------------------------------------


def test_gradients_are_replaced_or_accumulated() -> None:
    x = tensor([1.0, 2.0], requires_grad=True)
    for _ in range(2):
        (x * x).sum().backward()
        np.testing.assert_array_equal(x.grad, [2, 4])
    (x * x).sum().backward(accumulate=True)
    np.testing.assert_array_equal(x.grad, [4, 8])


def test_an_earlier_gradient_is_not_overwritten_under_its_holder() -> None:
    x = tensor([1.0], requires_grad=True)
    (x * 2).sum().backward()
    first = x.grad
    (x * 3).sum().backward()
    assert first is not None
    assert first.item() == 2
    assert x.grad.item() == 3


def test_backward_twice() -> None:
    x = tensor(2.0, requires_grad=True)
    y = x * x
    y.backward(keep_graph=True)
    y.backward()
    assert x.grad.item() == 4
    with pytest.raises(RuntimeError, match="backward: this graph was freed by an earlier backward"):
        y.backward()


def test_backward_on_what_has_no_gradient() -> None:
    with pytest.raises(RuntimeError, match="does not depend on any tensor that requires a gradient"):
        tensor([1.0]).sum().backward()
    x = tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(RuntimeError, match="leaf"):
        x.backward()
    with pytest.raises(ValueError, match=r"the loss must be one number, this tensor is \(2,\)"):
        (x * 2).backward()
    with pytest.raises(ValueError, match="gradient is"):
        (x * 2).backward(np.ones(3))
    with pytest.raises(TypeError, match="did you mean 'keep_graph'"):
        (x * 2).backward(retain_graph=True)  # type: ignore[call-arg]


def test_backward_with_a_gradient_given() -> None:
    x = tensor([1.0, 2.0], requires_grad=True)
    for gradient in ([1, 10], np.array([1.0, 10.0]), tensor([1.0, 10.0])):
        (x * x).backward(gradient)
        np.testing.assert_array_equal(x.grad, [2, 40])
        (x * x).backward(gradient=gradient)


def test_keep_grad_of_an_intermediate() -> None:
    x = tensor([1.0, 2.0], requires_grad=True)
    y = (x * 3).keep_grad()
    assert y.grad is None
    (y * y).sum().backward()
    np.testing.assert_array_equal(y.grad, [6, 12])
    np.testing.assert_array_equal(x.grad, [18, 36])
    with pytest.raises(RuntimeError, match="keep_grad: this tensor does not depend on"):
        tensor(1.0).keep_grad()


def _through_a_pool(x: np.ndarray, keep: bool, read_twice: bool) -> list[np.ndarray]:
    """Gradients of a layer with relu below a maximum: of x, weight and bias, and of its output where that is kept."""
    rng = np.random.default_rng(3)
    leaves = [tensor(a, requires_grad=True) for a in (x, rng.normal(size=(3, 3, 2, 5)), rng.normal(size=5))]
    y = ops.conv2d(*leaves, activation="relu")
    if keep:
        y.keep_grad()
    z = ops.max_pool2d(y, size=3, stride=2)
    loss = (z * z * tensor(rng.normal(size=z.shape))).sum()
    if read_twice:
        loss = loss + (y * tensor(rng.normal(size=y.shape))).sum()
    loss.backward()
    return [np.array(t.grad) for t in (*leaves, *([y] if keep else []))]


@pytest.mark.parametrize("read_twice", [False, True])
def test_keeping_a_gradient_between_a_relu_and_a_maximum_changes_no_other(read_twice: bool) -> None:
    x = np.random.default_rng(1).normal(size=(4, 12, 11, 2))
    plain, kept = _through_a_pool(x, False, read_twice), _through_a_pool(x, True, read_twice)
    for got, want in zip(plain, kept, strict=False):
        assert np.array_equal(got, want)
    through = tensor(x, requires_grad=True)
    rng = np.random.default_rng(3)
    y = ops.relu(ops.conv2d(through, rng.normal(size=(3, 3, 2, 5)), rng.normal(size=5)))
    z = ops.max_pool2d(y, size=3, stride=2)
    loss = (z * z * tensor(rng.normal(size=z.shape))).sum()
    if read_twice:
        loss = loss + (y * tensor(rng.normal(size=y.shape))).sum()
    loss.backward()
    np.testing.assert_allclose(plain[0], np.array(through.grad), rtol=1e-12, atol=1e-12)  # the order of sums


@pytest.mark.parametrize("accumulate", [False, True])
@pytest.mark.parametrize("kind", ["leaf", "parameter", "array", "lent leaf", "lent parameter"])
def test_a_gradient_that_is_given_is_read_before_anything_is_written_there(kind: str, accumulate: bool) -> None:
    rng = np.random.default_rng(0)
    x, w, first = (rng.normal(size=(70, 70)).astype("float32") for _ in range(3))
    if kind.endswith("parameter"):
        model = pn.Sequential(pn.Dense(70, bias=False))
        model.build((70,))
        weight = model["dense_1"].weight
        weight.assign(w)
    else:
        weight = tensor(w, requires_grad=True)
    ops.matmul(x, weight).backward(first)
    held = np.array(weight.grad.numpy())
    seed = held.copy() if kind == "array" else weight.grad
    if kind.startswith("lent"):  # the same bytes by another way
        seed = _core.borrow(weight.grad.numpy())
    ops.matmul(x, weight).backward(seed, accumulate=accumulate)
    expected = x.T @ held + (held if accumulate else 0)
    np.testing.assert_allclose(weight.grad.numpy(), expected, rtol=0, atol=1e-5 * abs(expected).max())
    if kind == "array":
        np.testing.assert_array_equal(seed, held)


def test_detach_shares_values_and_leaves_the_graph() -> None:
    x = tensor([1.0, 2.0], requires_grad=True)
    y = (x * 2).detach()
    assert not y.requires_grad
    assert np.shares_memory(x.detach().numpy(), x.numpy())


def test_a_change_between_forward_and_backward_is_caught() -> None:
    x, y = tensor([1.0, 2.0], requires_grad=True), tensor([3.0, 4.0], requires_grad=True)
    loss = (x * y).sum()
    y.assign([5.0, 6.0])
    with pytest.raises(RuntimeError, match=r"backward: mul needs its input number 1 .* changed in place"):
        loss.backward()
    loss = (x + y).sum()  # add reads neither
    y.assign([7.0, 8.0])
    loss.backward()
    np.testing.assert_array_equal(x.grad, [1, 1])


def test_no_grad_as_context_and_decorator() -> None:
    x = tensor([1.0], requires_grad=True)

    @no_grad()
    def inside() -> bool:
        return (x * 2).requires_grad or _core.is_recording()

    assert not inside()
    quiet = no_grad()
    with quiet, quiet:
        assert not (x * 2).requires_grad
        assert not inside()
        assert not _core.is_recording()
    assert (x * 2).requires_grad
    with pytest.raises(ZeroDivisionError), no_grad():
        1 / 0  # noqa: B018
    assert _core.is_recording()
    assert inside.__name__ == "inside"


def test_no_grad_belongs_to_its_thread() -> None:
    seen = []
    with no_grad():
        thread = threading.Thread(target=lambda: seen.append(_core.is_recording()))
        thread.start()
        thread.join()
        assert not _core.is_recording()
    assert seen == [True]


def test_a_deep_graph_is_freed() -> None:
    x = tensor(1.0, requires_grad=True)
    y = x
    for _ in range(100_000):
        y = y + 1.0
    y.backward()
    assert x.grad.item() == 1
    del y


def test_two_threads_in_one_graph_do_not_race() -> None:
    """Either both sweeps of a shared graph succeed one after the other, or one is told of the other."""
    x = tensor(numbers((200, 200)), requires_grad=True)
    loss = x
    for _ in range(20):
        loss = loss @ x * 0.01
    loss = loss.sum()
    problems: list[str] = []

    def sweep() -> None:
        for _ in range(20):
            try:
                loss.backward(keep_graph=True)
            except RuntimeError as e:
                problems.append(str(e))
            _ = x.detach().sum().item()

    threads = [threading.Thread(target=sweep) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all("another thread is running backward" in problem for problem in problems)
    loss.backward()
    assert np.isfinite(np.asarray(x.grad)).all()


# ---- shape-only ----------------------------------------------------------------------------------------------------


def test_shape_only_tensors_run_rules_alone() -> None:
    x = _core.shape_only((64, 10))
    assert x.is_shape_only
    y = ops.relu(x + 1.0)[:32].reshape(-1).sum()
    assert y.is_shape_only
    assert y.shape == ()
    assert (_core.shape_only((3, 1)) * np.ones((1, 4), "float32")).shape == (3, 4)
    assert x.astype("float64").dtype == "float64"
    for read in (x.numpy, lambda: np.asarray(x), lambda: _core.check_finite(x)):
        with pytest.raises(RuntimeError, match="shape-only"):
            read()
    with pytest.raises(RuntimeError, match="shape-only"):
        _core.shape_only(1).item()
    assert _core.shape_only((1 << 40, 1 << 13)).size == 1 << 53
    for more in ((1 << 40, 1 << 14), (0, 1 << 54), (1 << 40, 1 << 40)):
        with pytest.raises(ValueError, match="more bytes than can be addressed"):
            _core.shape_only(more)
    with pytest.raises(MemoryError):
        _core.zeros((1 << 40, 1 << 10))


@pytest.mark.parametrize("specification", [None, [1], 3])
def test_a_format_that_is_not_a_string_is_a_type_error(specification: object) -> None:
    with pytest.raises(TypeError, match="format: the specification must be a string"):
        pn.tensor(1.0).__format__(specification)  # type: ignore[arg-type]
