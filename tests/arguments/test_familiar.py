"""Words of NumPy and PyTorch that a tensor does not have raise an error that says what to write."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import pyneural as pn
from pyneural import _core

X = pn.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])

FUNCTIONS = {row["name"] for row in _core.op_table()} - set(dir(_core.Tensor))
ELSEWHERE = """
    add add_ argmin argsort bmm bool ceil chunk clamp clamp_ clone contiguous copy copy_ cos cpu cuda cumsum data
    detach_ device dim div div_ dot double eq exp_ expand_as fill fill_ flat float floor gather ge grad_fn gt half
    index_select int is_contiguous is_leaf isfinite isnan itemsize le long lt masked_fill matmul mm mul mul_ nbytes
    ne nonzero norm numel permute prod ravel register_hook repeat requires_grad_ retain_grad round sign sin sort
    split square strides sub sub_ swapaxes t to topk type unbind view zero_ zero_grad
"""
WORDS = sorted({*ELSEWHERE.split(), *FUNCTIONS})


@pytest.mark.parametrize("name", WORDS)
def test_a_word_that_a_tensor_does_not_have_says_what_to_write(name: str) -> None:
    with pytest.raises(AttributeError, match=rf"^a tensor has no '{name}'[;,] .+"):
        getattr(X, name)
    assert not hasattr(X, name)
    assert name not in dir(X)


def test_what_the_sentences_say_to_write_exists() -> None:
    for name in WORDS:
        with pytest.raises(AttributeError) as caught:
            getattr(X, name)
        for attribute in re.findall(r"\bx\.([a-z_]\w*|T)", str(caught.value)):
            assert hasattr(X, attribute), caught.value
        for function in re.findall(r"\bpn\.ops\.(\w+)", str(caught.value)):
            assert hasattr(pn.ops, function), caught.value
        for function in re.findall(r"\bpn\.(\w+)", str(caught.value)):
            assert hasattr(pn, function), caught.value


def test_unknown_words_and_protocols_keep_pythons_sentence() -> None:
    for name in ("wibble", "__array_interface__", "_repr_html_", "__dlpack__"):
        with pytest.raises(AttributeError, match=rf"object has no attribute '{name}'$"):
            getattr(X, name)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: X.sum(dim=1), "sum: there is no argument 'dim'; did you mean 'axis'?"),
        (lambda: X.softmax(dim=1), "softmax: there is no argument 'dim'; did you mean 'axis'?"),
        (lambda: X.sum(1, keepdim=True), "sum: there is no argument 'keepdim'; did you mean 'keepdims'?"),
        (lambda: X.var(unbiased=True), "var: there is no argument 'unbiased'; did you mean 'correction'?"),
        (lambda: X.clip(min=0, max=1), "clip: there is no argument 'min'; did you mean 'low'?"),
        (lambda: X.clip(0, max=1), "clip: there is no argument 'max'; did you mean 'high'?"),
        (lambda: pn.concat([X, X], dim=1), "concat: there is no argument 'dim'; did you mean 'axis'?"),
        (
            lambda: pn.ops.cross_entropy(X, [0, 1], ignore_index=0),
            "cross_entropy: there is no argument 'ignore_index'; did you mean 'ignore'?",
        ),
        (lambda: pn.ops.dropout(X, p=0.5), "dropout: there is no argument 'p'; did you mean 'rate'?"),
        (lambda: pn.ops.take(X, [0], out=1), "take: there is no argument 'out'; it takes x, indices"),
        (
            lambda: X.sum().backward(retain_graph=True),
            "backward: there is no argument 'retain_graph'; did you mean 'keep_graph'?",
        ),
    ],
)
def test_a_familiar_keyword_says_ours(call: Any, text: str) -> None:
    with pytest.raises(TypeError) as caught:
        call()
    assert str(caught.value) == text


def test_numpy_finds_no_protocol_by_mistake() -> None:
    assert np.asarray(X).shape == (2, 3)
    assert np.array([X, X]).shape == (2, 2, 3)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: float(X), ValueError, "float: the tensor must have one element, but its shape is (2, 3)"),
        (lambda: int(X), ValueError, "int: the tensor must have one element, but its shape is (2, 3)"),
        (lambda: f"{X:.2f}", ValueError, "format: the tensor must have one element, but its shape is (2, 3)"),
        (lambda: bool(X > 1), ValueError, "is ambiguous; write x.any() or x.all()"),
        (lambda: len(X.sum()), TypeError, "len() of a tensor without axes; x.item() gives its value"),
        (lambda: X[:, None], TypeError, "None does not add an axis; write x.unsqueeze(axis)"),
        (lambda: X[[0, 1]], TypeError, "not list; pn.ops.take(x, indices) selects rows"),
        (lambda: X[X > 1], TypeError, "pn.where(mask, x, 0) by a condition"),
        (lambda: (X > 1) & (X < 3), TypeError, "tensors have no operator &; for two conditions write (x > 0)"),
        (lambda: True & (X < 3), TypeError, "tensors have no operator &"),  # type: ignore[operator]
        (lambda: np.array([True, False, True]) & (X < 3), TypeError, "tensors have no operator &"),
        (lambda: (X > 1) | (X < 3), TypeError, "tensors have no operator |; for two conditions write pn.ops.maximum"),
        (lambda: (X > 1) ^ (X < 3), TypeError, "tensors have no operator ^"),
        (lambda: ~(X > 1), TypeError, "tensors have no operator ~; for a condition write mask == 0"),
        (lambda: X // 2, TypeError, "tensors have no operator //; write x / y"),
        (lambda: 7 % X, TypeError, "tensors have no operator %; write x / y"),
        (lambda: X // "a", TypeError, "unsupported operand type"),
        (lambda: pn.zeros(2, 3), TypeError, "zeros: dtype must be"),  # type: ignore[arg-type]
        (lambda: pn.zeros(2, 3), TypeError, "got 3; give all lengths as one tuple"),  # type: ignore[arg-type]
        (lambda: pn.tensor([1, 2], requires_grad=True), TypeError, "this one is int64; give it dtype 'float32'"),
        (lambda: pn.tensor(i for i in range(3)), TypeError, "not generator; convert it with list(...)"),
        (lambda: pn.tensor({1, 2}), TypeError, "not set; convert it with list(...)"),
        (lambda: pn.tensor([2**70]), TypeError, "numbers only, of at most 64 bits"),
        (lambda: pn.arange("a"), TypeError, "arange: start, stop and step must be numbers, got 'a'"),
    ],
)
def test_what_cannot_be_done_says_what_to_write(call: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=re.escape(text)):
        call()


def test_a_foreign_operand_may_still_know_the_operator() -> None:
    class Mask:
        def __rand__(self, other: object) -> str:
            return "theirs"

    assert (X & Mask()) == "theirs"


def test_rows_change_in_place_through_an_index() -> None:
    x = pn.arange(6.0).reshape(3, 2)
    x[1:] += 10.0
    x[0] *= -1.0
    x[1:][0] -= 1.0
    assert x.tolist() == [[0.0, -1.0], [11.0, 12.0], [14.0, 15.0]]
    p = pn.tensor([1.0, 2.0], requires_grad=True)
    with pn.no_grad():
        p[1] += 1.0
    assert p.tolist() == [1.0, 3.0]


def test_an_assignment_that_would_need_a_copy_is_refused_and_changes_nothing() -> None:
    x = pn.arange(6.0).reshape(3, 2)
    before = x.tolist()
    with pytest.raises(TypeError, match=r"x\[2:5\]\.assign\(values\) for some rows"):
        x[:, 0] += 1.0
    for key, value in ((0, 1.0), (slice(None), 0), (0, x[1]), (slice(0, 2), x[1:]), (0, pn.zeros(2))):
        with pytest.raises(TypeError, match="items cannot be assigned"):
            x[key] = value  # type: ignore[index]
    with pytest.raises(TypeError, match="items cannot be assigned"):
        del x[0]  # type: ignore[attr-defined]
    assert x.tolist() == before


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: pn.float32, "pyneural has no 'float32'; use the name 'float32', as in pn.tensor(values, 'float32')"),  # type: ignore[attr-defined]
        (lambda: pn.zeros_like, "pyneural has no 'zeros_like'; use pn.zeros(x.shape)"),  # type: ignore[attr-defined]
        (lambda: pn.concatenate, "pyneural has no 'concatenate'; use pn.concat(tensors)"),  # type: ignore[attr-defined]
        (lambda: pn.exp, "pyneural has no 'exp'; use pn.ops.exp"),  # type: ignore[attr-defined]
        (lambda: pn.sum, "pyneural has no 'sum'; use pn.ops.sum"),  # type: ignore[attr-defined]
        (lambda: pn.cuda, "pyneural has no 'cuda'; not needed: everything runs on the CPU"),  # type: ignore[attr-defined]
        (lambda: pn.qwertz, "pyneural has no 'qwertz'; dir(pn) lists what it has"),  # type: ignore[attr-defined]
        (lambda: pn.ops.cross_entrpy, "pyneural.ops has no 'cross_entrpy'; did you mean pn.ops.cross_entropy"),  # type: ignore[attr-defined]
        (lambda: pn.ops.zzzz, "pyneural.ops has no 'zzzz'; dir(pn.ops) lists what it has"),  # type: ignore[attr-defined]
    ],
)
def test_a_familiar_name_of_the_package_says_ours(call: Any, text: str) -> None:
    with pytest.raises(AttributeError) as caught:
        call()
    assert str(caught.value) == text


def test_an_optimizers_numbers_go_by_name() -> None:
    w = pn.tensor([1.0], requires_grad=True)
    with pytest.raises(TypeError, match=r"^SGD\(\) takes one positional argument, .*: learning_rate=0\.1$"):
        pn.SGD([w], 0.1)


@pytest.mark.parametrize("values", [300, -1, [300], [[-1, 2]], (256, 0)])
def test_pythons_integers_that_do_not_fit_are_refused(values: Any) -> None:
    x = pn.zeros((1, 2), "uint8")
    for make in (lambda: pn.tensor(values, "uint8"), lambda: x.assign(values)):
        with pytest.raises(OverflowError, match="an integer does not fit uint8; give a dtype that holds it"):
            make()
    assert x.tolist() == [[0, 0]]
    with pytest.raises(OverflowError, match="full: value: an integer does not fit uint8"):
        pn.full(2, 300, "uint8")
    with pytest.raises(OverflowError, match="an integer does not fit int64"):
        pn.tensor([2**63], "int64")


def test_integers_that_fit_are_taken_and_arrays_wrap_as_numpys_do() -> None:
    assert pn.tensor([0, 255], "uint8").tolist() == [0, 255]
    assert pn.tensor([2**63 - 1], "int64").tolist() == [2**63 - 1]
    assert pn.tensor(np.array([300, -1]), "uint8").tolist() == [44, 255]
    x = pn.zeros(2, "uint8")
    x.assign([1, 255])
    assert x.tolist() == [1, 255]
