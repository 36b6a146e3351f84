"""Every op on inputs of no values, made from the cases of oprows.py: with axes of length 0, and broadcast against them.

Either a sentence says why not, or the result is the reference's and each gradient has its input's shape and values.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from opdraw import Case, Draw, Row, values
from oprows import ROWS
from test_ops import call, check_forward, check_gradient, draw, leaves, lower_isas, tensors, weights

from pyneural import _core

LARGEST = 3000  # values of a case's largest input: the larger cases differ in their numbers of threads alone
Shapes = list[tuple[int, ...] | None]


def with_length(shapes: Shapes, length: int) -> Shapes:
    """Each axis of this length is 0, in every input."""
    return [None if s is None else tuple(0 if n == length else n for n in s) for s in shapes]


def with_axis(shapes: Shapes, i: int, axis: int) -> Shapes:
    return [s if s is None or j != i else (*s[:axis], 0, *s[axis + 1 :]) for j, s in enumerate(shapes)]


def emptied(shapes: Shapes) -> list[Shapes]:
    """Each length as 0 wherever it is found; each axis of each input as 0 alone."""
    found: list[Shapes] = []
    lengths = sorted({n for s in shapes if s is not None for n in s} - {0})
    tries = [with_length(shapes, n) for n in lengths]
    tries += [with_axis(shapes, i, axis) for i, s in enumerate(shapes[:6]) for axis in range(len(s or ()))]
    for t in tries:
        if t not in found and t != shapes:
            found.append(t)
    return found


def resized(a: np.ndarray | None, draw: Draw | None, shape: tuple[int, ...] | None) -> Draw | None:
    if a is None or draw is None or shape is None:
        return None
    return values(np.resize(a, shape), None if draw.real else str(a.dtype))


def variants(row: Row) -> Iterator[tuple[int, Case]]:
    for index, case in enumerate(row.cases):
        if max((int(np.prod(d.shape)) for d in case.inputs if d is not None), default=0) > LARGEST:
            continue
        arrays = draw(row, case.inputs, index, "float64")
        shapes: Shapes = [None if a is None else a.shape for a in arrays]
        for after in emptied(shapes):
            inputs = tuple(map(resized, arrays, case.inputs, after))
            yield index, Case(inputs, with_shape(case.params, shapes, after), case.smooth)


def with_shape(params: dict[str, Any], before: Shapes, after: Shapes) -> dict[str, Any]:
    """A shape among the parameters follows a length that has become 0 in the first input."""
    first, now = before[0], after[0]
    if "shape" not in params or first is None or now is None:
        return params
    gone = {n for n, m in zip(first, now, strict=True) if n != m} - {1}
    return {**params, "shape": tuple(0 if n in gone else n for n in params["shape"])}


def check_gradients_of_nothing(row: Row, case: Case, index: int) -> None:
    """Zeros of their input's shape, also where they are added to what is there."""
    wants = leaves(row, case.inputs)
    for real in ("float32", "float64"):
        ts = tensors(draw(row, case.inputs, index, real), wants)
        for accumulate in (False, True, False):
            y = call(row, ts, case.params)
            y.backward(weights(y.shape, real), accumulate=accumulate)
            for i in wants:
                grad = np.array(ts[i].grad)
                assert grad.shape == tuple(ts[i].shape)
                assert not grad.any(), f"input {i}: {grad}"


def refusal(row: Row, case: Case, index: int) -> str | None:
    try:
        call(row, tensors(draw(row, case.inputs, index, "float64"), []), case.params)
    except (ValueError, TypeError, IndexError) as error:
        return str(error)
    return None


def check_variant(row: Row, case: Case, index: int) -> None:
    says = refusal(row, case, index)
    if says is not None:
        assert says.startswith((row.op, "index")), says
        return
    y = call(row, tensors(draw(row, case.inputs, index, "float64"), []), case.params)
    if y.size > 0:
        check_forward(row, case, index)
        check_gradient(row, case, index)
    elif leaves(row, case.inputs):
        check_gradients_of_nothing(row, case, index)


def check_variants(row: Row) -> None:
    for index, case in variants(row):
        try:
            check_variant(row, case, index)
        except Exception as error:
            raise AssertionError(
                f"{row.op}[{index}] {[None if d is None else d.shape for d in case.inputs]} {case.params}"
            ) from error


@pytest.mark.parametrize("op", list(ROWS))
def test_inputs_of_no_values_give_the_reference_or_a_sentence(op: str) -> None:
    check_variants(ROWS[op])


@pytest.mark.parametrize("isa", lower_isas())
def test_so_they_do_on_a_lower_instruction_set(isa: str) -> None:
    environment = {**os.environ, "PYNEURAL_ISA": isa}
    done = subprocess.run([sys.executable, __file__], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]


def test_the_gradient_of_a_matrix_shared_by_a_batch_of_no_columns_is_zeros() -> None:
    w = _core.tensor(np.ones((1, 33), "float32"), requires_grad=True)
    _core.ops.matmul(w, np.zeros((1000, 33, 0), "float32")).sum().backward()
    assert np.array_equal(w.grad, np.zeros((1, 33)))


if __name__ == "__main__":
    for each in ROWS.values():
        check_variants(each)
