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
    ne neg nonzero norm numel permute prod ravel register_hook repeat requires_grad_ retain_grad round sign sin sort
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
