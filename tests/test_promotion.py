"""Which dtype a result has: the tables of docs/tensors.md, cell by cell, with values against NumPy."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pyneural as pn
from pyneural import _core, ops
from pyneural._core import Tensor, tensor

TEXT = (Path(__file__).parent.parent / "docs" / "tensors.md").read_text(encoding="utf-8")
PAGE = re.sub(r"^```.*?^```$", "", TEXT, flags=re.MULTILINE | re.DOTALL)  # without its examples
DTYPES = ("uint8", "int64", "float32", "float64")
WHOLE, FRACTION = "`3`, `True`", "`0.5`"


def table(number: int) -> dict[tuple[str, str], str]:
    """The n-th table of the page: (row, column) -> cell."""
    found = re.findall(r"(?:^\|.*\|$\n)+", PAGE, flags=re.MULTILINE)[number]
    head, _, *lines = [[cell.strip(" *") for cell in line.strip("|\n ").split("|")] for line in found.splitlines()]
    head = head if head[0] == "" else ["", *head]
    return {(line[0], column): cell for line in lines for column, cell in zip(head[1:], line[1:], strict=True)}


PAIRS, REST = table(0), table(1)

# What stands for a column of the first table; of each, the values are these once more.
VALUES = {"uint8": [200, 3, 0], "int64": [-7, 2**40 + 1, 3], "float32": [0.5, -2.0, 3.0], "float64": [0.1, 1e10, 3.0]}
ARRAYS = {
    "uint8": ("bool", "uint8"),
    "int64": ("int8", "int16", "int32", "int64", "uint16", "uint32"),
    "float32": ("float16", "float32"),
    "float64": ("float64", "longdouble"),
}


def others(column: str) -> list[Any]:
    """Operands of that column, which are no tensors but for the first."""
    if column == WHOLE:
        return [3, True, np.int64(3), np.uint8(3), np.int8(3), np.bool_(True), np.uint64(3)]
    if column == FRACTION:
        return [
            0.5,
            np.float64(0.5),
            np.float32(0.5),
            np.float16(0.5),
            [0.5, 1, 2],
            (0.5, 1.5, 2.5),
            np.longdouble(0.5),
        ]
    arrays = [np.array([1, 0, 3]).astype(dtype) for dtype in ARRAYS[column]]
    return [tensor(VALUES[column], column), *arrays, *([[1, 2, 3], (4, 5, 6)] if column == "int64" else [])]


CHOICE = np.array([True, False, True])
ARITHMETIC: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "add": (operator.add, np.add),
    "sub": (operator.sub, np.subtract),
    "mul": (operator.mul, np.multiply),
    "maximum": (ops.maximum, np.maximum),
    "minimum": (ops.minimum, np.minimum),
    "where": (lambda a, b: ops.where(CHOICE, a, b), lambda a, b: np.where(CHOICE, a, b)),
}


def check(result: Any, dtype: str, expected: Any, operands: tuple[Any, Any]) -> None:
    what = f"{operands[0]!r} with {operands[1]!r}"
    assert isinstance(result, Tensor), what
    assert result.dtype == dtype, f"{what}: {result.dtype}, not {dtype}"
    # integers exactly; reals but for the rounding of two operands and the result
    tolerance = {"float32": 2e-7, "float64": 3e-16}.get(dtype, 0)
    size = sum(abs(np.asarray(operand, "float64")) for operand in operands)
    far = abs(np.asarray(result, "longdouble") - expected) > tolerance * (size + abs(expected))
    assert not far.any(), f"{what}: {result!r}, expected {expected!r}"


@pytest.mark.parametrize("name", ARITHMETIC)
@pytest.mark.parametrize(("left", "column"), PAIRS)
def test_a_pair_has_the_dtype_of_the_table_and_numpys_values(left: str, column: str, name: str) -> None:
    ours, numpys = ARITHMETIC[name]
    dtype = PAIRS[left, column]
    x = tensor(VALUES[left], left)
    for other in others(column):
        for swap in (False, True):
            operands = (other, x) if swap else (x, other)
            wide = [np.asarray(v).astype(dtype) for v in operands]
            with np.errstate(all="ignore"):
                expected = numpys(*wide)
            check(ours(*operands), dtype, expected, operands)


@pytest.mark.parametrize(("left", "column"), PAIRS)
def test_a_quotient_is_real(left: str, column: str) -> None:
    dtype = {"uint8": "float32", "int64": "float32"}.get(PAIRS[left, column], PAIRS[left, column])
    for other in others(column):
        x = tensor([1, 2, 3], left)
        for a, b in ((x, other), (other, x)):
            with np.errstate(all="ignore"):
                check(a / b, dtype, np.asarray(a, "float64") / np.asarray(b, "float64"), (a, b))


@pytest.mark.parametrize("compare", [operator.lt, operator.le, operator.eq, operator.ne, operator.gt, operator.ge])
@pytest.mark.parametrize(("left", "column"), PAIRS)
def test_a_comparison_is_exact(left: str, column: str, compare: Any) -> None:
    x = tensor(VALUES[left], left)
    for other in others(column):
        same_kind = left.startswith("float32") and column == FRACTION  # the number becomes a float32
        wide = np.asarray(other, "float32" if same_kind else None)
        check(compare(x, other), "uint8", compare(x.numpy(), wide).astype("uint8"), (x, other))
        check(compare(other, x), "uint8", compare(wide, x.numpy()).astype("uint8"), (other, x))


def test_integers_are_compared_as_integers() -> None:
    a, b = np.array([2**53, 2**53 + 1, -(2**63)]), np.array([2**53 + 1, 2**53 + 1, 2**63 - 1])
    np.testing.assert_array_equal(tensor(a) < tensor(b), [1, 0, 1])
    np.testing.assert_array_equal(tensor(a) == tensor(b), [0, 1, 0])
    np.testing.assert_array_equal(tensor(a) == 2**53 + 1, [0, 1, 0])
    np.testing.assert_array_equal(tensor([2**24 + 1]) == np.float32([2**24]), [0])
    np.testing.assert_array_equal(tensor([0, 255], "uint8") == 300, [0, 0])
    np.testing.assert_array_equal(tensor([0, 255], "uint8") > -1, [1, 1])


def call_of(text: str) -> Callable[[Tensor], Tensor]:
    """What a cell of the second table's first column means, for a tensor x."""
    if text.isidentifier():
        return lambda x: getattr(x, text)() if text == "std" else getattr(ops, text)(x)
    code = compile(text, "docs/tensors.md", "eval")
    return lambda x: eval(code, {"x": x, "y": x, "clip": ops.clip})


@pytest.mark.parametrize(
    ("text", "dtype", "expected"),
    [(text, dtype, cell) for (row, dtype), cell in REST.items() for text in re.findall(r"`([^`]+)`", row)],
)
def test_a_function_has_the_dtype_of_the_table(text: str, dtype: str, expected: str) -> None:
    x = tensor([[1, 2, 3], [6, 5, 4]], dtype)
    result, wide = call_of(text)(x), call_of(text)(x.astype("float64"))
    assert result.dtype == expected
    if not (dtype == "uint8" and text == "-x"):
        np.testing.assert_allclose(result, wide, rtol=1e-6, atol=1e-6)
    if expected.startswith("float"):
        assert call_of(text)(_core.shape_only((2, 3), dtype)).dtype == expected


PROMOTED = [row for row in _core.op_table() if row["promotion"] != "strict"]


@pytest.mark.parametrize("row", PROMOTED, ids=lambda row: row["name"])
def test_an_op_gives_what_its_row_says_of_every_dtype(row: dict[str, Any]) -> None:
    params = {name: 2 for name, _, default, _ in row["params"] if default is ...}
    n_inputs = 2 if row["variadic"] else len(row["inputs"])
    for dtype in DTYPES:
        inputs: list[Any] = [tensor([[1, 1, 2], [0, 1, 3]], dtype) for _ in range(n_inputs)]
        if row["name"] == "where":
            inputs[0] = np.array([[True, False, True]])
        result = getattr(ops, row["name"])(*([inputs] if row["variadic"] else inputs), **params)
        real = "float64" if dtype == "float64" else "float32"
        fixed = {"sum": "int64" if dtype == "uint8" else dtype, "argmax": "int64", "any": "uint8", "all": "uint8"}
        expected = {"real": real, "exact": fixed.get(row["name"], dtype), "compared": "uint8"}[row["promotion"]]
        assert result.dtype == expected, dtype


def test_numbers_alone() -> None:
    assert ops.add(2, 3).dtype == "int64"
    assert ops.add(2, 0.5).dtype == "float32"
    assert ops.add(np.float64(0.5), 2).dtype == "float64"
    assert ops.exp(1).dtype == "float32"
    assert ops.exp(np.float64(1)).dtype == "float64"
    assert ops.add([1, 2], [0.5, 1]).dtype == "float32"
    assert ops.add(np.ones(2, bool), True).dtype == "uint8"


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: tensor([1], "uint8") + 256, r"add: 256 does not fit uint8; give x\.astype\(\"int64\"\)"),
        (lambda: tensor([1], "uint8") * np.int64(-1), r"mul: .*-1.* does not fit uint8"),
        (lambda: 2**63 - tensor([1]), r"sub: 9223372036854775808 does not fit int64; give x\.astype\(\"float64\"\)"),
        (lambda: tensor([1]) + np.uint64(2**63), r"add: .*9223372036854775808.* does not fit int64"),
        (lambda: ops.where(np.array([True]), tensor([1], "uint8"), -1), "where: -1 does not fit uint8"),
    ],
)
def test_a_number_that_does_not_fit_is_refused(call: Callable[[], Tensor], text: str) -> None:
    with pytest.raises(OverflowError, match=text):
        call()


def test_integers_wrap_as_numpys_do() -> None:
    rng = np.random.default_rng(0)
    a, b = (rng.integers(-(2**63), 2**63 - 1, (7, 9)) for _ in range(2))
    u, v = (rng.integers(0, 256, (7, 9), dtype="uint8") for _ in range(2))
    with np.errstate(all="ignore"):
        for x, y in ((a, b), (u, v)):
            for op in (operator.add, operator.sub, operator.mul):
                np.testing.assert_array_equal(op(tensor(x), tensor(y)), op(x, y))
            np.testing.assert_array_equal(-tensor(x), -x)
            np.testing.assert_array_equal(abs(tensor(x)), abs(x))
            np.testing.assert_array_equal(tensor(x) ** 5, x**5)
        for axis in (None, 0, 1):
            np.testing.assert_array_equal(tensor(a).sum(axis), a.sum(axis))
            np.testing.assert_array_equal(tensor(u).sum(axis), u.sum(axis))


def test_reals_of_integers_are_rounded_once() -> None:
    a, b = 2**53 - np.arange(1, 50), 3 + np.arange(1, 50)
    np.testing.assert_array_equal(tensor(a) / tensor(b), (a / b).astype("float32"))
    np.testing.assert_array_equal(tensor(a) * 0.1, (a * 0.1).astype("float32"))
    far = 10**9 + np.array([1, 2, 3, 4])
    assert tensor(far).var().item() == 1.25
    assert tensor(far).mean().item() == np.float32(far.mean())
    assert (tensor(np.arange(100_000) % 3) == 0).mean().item() == np.float32(33334 / 100_000)


# ---- gradients -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("swap", [False, True])
def test_a_graph_goes_through_a_change_of_dtype(swap: bool) -> None:
    x, y = tensor([1.5, 2.5], requires_grad=True), tensor(np.array([3.0, 4.0]), requires_grad=True)
    z = y * x if swap else x * y
    z.sum().backward()
    assert (z.dtype, x.grad.dtype, y.grad.dtype) == ("float64", "float32", "float64")
    np.testing.assert_array_equal(x.grad, [3, 4])
    np.testing.assert_array_equal(y.grad, [1.5, 2.5])
    w = tensor([[1.0], [2.0]], requires_grad=True)  # broadcast and cast
    (w * np.ones((2, 3))).sum().backward()
    np.testing.assert_array_equal(w.grad, [[3], [3]])
    assert not (tensor([1, 2]) * 2).requires_grad


def test_a_cast_tensor_keeps_and_passes_on_gradients() -> None:
    x = tensor([1.5, 2.5], requires_grad=True)
    wide = x.astype("float64").keep_grad()
    ((wide * wide).sum() + wide.sum()).backward()
    assert (wide.grad.dtype, x.grad.dtype) == ("float64", "float32")
    np.testing.assert_array_equal(wide.grad, [4, 6])
    np.testing.assert_array_equal(x.grad, [4, 6])
    x.sum().astype("float64").backward()
    np.testing.assert_array_equal(x.grad, [1, 1])
    (x.astype("float64") + x).sum().backward()  # the gradient of x is written, then added to, from two dtypes
    np.testing.assert_array_equal(x.grad, [2, 2])
    assert not x.astype("int64").requires_grad
    assert x.astype("float32") is not x


def test_integers_take_part_without_gradients() -> None:
    x, labels = tensor([0.5, 1.5], requires_grad=True), tensor([1, 2])
    ((x - labels) ** 2).mean().backward()
    np.testing.assert_array_equal(x.grad, [-0.5, -0.5])
    ops.where(x > labels, x, 0).sum().backward()
    np.testing.assert_array_equal(x.grad, [0, 0])


# ---- in place ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("left", "column"), PAIRS)
def test_in_place_x_keeps_its_dtype_or_the_result_is_refused(left: str, column: str) -> None:
    kept = left == PAIRS[left, column] or left.startswith("float")
    for other in others(column):
        x = tensor([1, 2, 3], left)
        before = x.numpy().copy()
        if kept:
            x += other
            np.testing.assert_allclose(x, (before + np.asarray(other, left)).astype(left), rtol=1e-6)
        else:
            with pytest.raises(TypeError, match=rf"\+=: x is {left} and keeps its dtype, but the result is"):
                x += other
            np.testing.assert_array_equal(x, before)
        assert x.dtype == left


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: pn.tensor([1.0, float("nan")], "int64"), "tensor: values: a number does not fit int64"),
        (lambda: pn.tensor(np.array([np.inf]), "int64"), "tensor: values: a number does not fit int64"),
        (lambda: pn.tensor(2.0**63, "int64"), "tensor: values: a number does not fit int64"),
        (lambda: pn.tensor([-1.0], "uint8"), "tensor: values: a number does not fit uint8"),
        (lambda: pn.full(2, 256.0, "uint8"), "full: value: a number does not fit uint8"),
        (lambda: pn.full(2, float("nan"), "int64"), "full: value: a number does not fit int64"),
        (lambda: pn.arange(-3, 3, dtype="uint8"), "arange: from -3 to 2 does not fit uint8; give dtype='int64'"),
        (lambda: pn.arange(300, dtype="uint8"), "arange: from 0 to 299 does not fit uint8; give dtype='int64'"),
    ],
)
def test_a_real_beyond_the_integers_is_refused(call: Callable[[], Tensor], text: str) -> None:
    with pytest.raises(OverflowError, match=re.escape(text)):
        call()


def test_reals_that_fit_are_cut_down_to_integers() -> None:
    assert pn.tensor([-0.5, 2.7, 255.5], "uint8").tolist() == [0, 2, 255]
    assert pn.tensor(np.array([-(2.0**63), 1e15]), "int64").tolist() == [-(2**63), 10**15]
    assert pn.tensor(np.zeros((0, 3)), "int64").shape == (0, 3)
    assert pn.arange(0, 0, dtype="uint8").shape == (0,)
    assert pn.arange(255, -1, -5, dtype="uint8").tolist() == list(range(255, -1, -5))
