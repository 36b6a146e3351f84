"""Whatever an op keeps for its backward matters to a gradient in some row of oprows.py; else it holds memory in vain.

(The other way about, backward reading what is not kept, is for test_forward_and_backward_keep_to_what_the_rule_says.)
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
import pytest
from opdraw import Case, Row
from oprows import ROWS
from test_ops import call, draw, leaves, tensors, weights

from pyneural import _core

REAL = "float64"
NORMS = ("batch_norm", "layer_norm")  # x and gamma: their kernels make all sums in one pass, whichever is wanted
LARGEST = 3000  # values of a case's largest input: larger ones keep the same


class Trial:
    """One call with everything that its backward may read: its inputs, and last its output."""

    def __init__(self, row: Row, case: Case, index: int, wants: list[int]) -> None:
        self.inputs = tensors(draw(row, case.inputs, index, REAL), wants)
        self.wants = wants
        self.output = call(row, self.inputs, case.params)

    def read(self) -> list[Any]:
        return [*self.inputs, self.output]

    def gradients(self) -> list[bytes]:
        self.output.backward(weights(self.output.shape, REAL))
        return [np.array(self.inputs[i].grad).tobytes() for i in self.wants]


def is_kept(trial: Trial, place: int) -> bool:
    """Whether backward refuses to run after a change in place."""
    tensor = trial.read()[place]
    with _core.no_grad():
        tensor.detach().assign(tensor.numpy())
    try:
        trial.gradients()
    except RuntimeError as error:
        return "was changed in place" in str(error)
    return False


def change(tensor: Any) -> None:
    """Writes other values behind the engine's back: valid ones, in the case of indices."""
    there = tensor.numpy()
    if tensor.dtype == REAL:
        other = np.random.default_rng(5).uniform(0.5, 2, there.shape)
    else:
        other = np.ascontiguousarray(1 - there % 2 if tensor.dtype == "uint8" else 0 * there)
    ctypes.memmove(there.__array_interface__["data"][0], other.ctypes.data, other.nbytes)


def kept(row: Row) -> dict[tuple[str, tuple[int, ...]], bool]:
    """What some case keeps, by its place and by which gradients are wanted: whether it matters to them, in any case."""
    found: dict[tuple[str, tuple[int, ...]], bool] = {}
    for index, case in enumerate(row.cases):
        every = leaves(row, case.inputs)
        sizes = [int(np.prod(d.shape)) for d in case.inputs if d is not None]
        if not every or max(sizes) > LARGEST or 0 in sizes:
            continue
        for wants in [every, *([i] for i in every[:6])]:
            for place in [*(i for i, d in enumerate(case.inputs[:6]) if d is not None), -1]:
                what = ("output" if place < 0 else f"input {place}", tuple(wants))
                if found.get(what) or not is_kept(Trial(row, case, index, wants), place):
                    continue
                plain, changed = Trial(row, case, index, wants), Trial(row, case, index, wants)
                change(changed.read()[place])
                found[what] = plain.gradients() != changed.gradients()
    return found


@pytest.mark.parametrize("op", list(ROWS))
def test_what_is_kept_matters_to_a_gradient(op: str) -> None:
    for (what, wants), matters in kept(ROWS[op]).items():
        excused = op in NORMS and what in ("input 0", "input 1") and 0 not in wants
        assert matters or excused, (
            f"{op} keeps its {what} where gradients of {wants} are wanted, which do not depend on it"
        )


def test_the_search_finds_what_is_kept() -> None:
    assert kept(ROWS["exp"]) == {("output", (0,)): True}
    assert kept(ROWS["log"]) == {("input 0", (0,)): True}
    assert kept(ROWS["mul"])[("input 1", (0,))]
    assert ("input 0", (0,)) not in kept(ROWS["mul"])
    assert kept(ROWS["add"]) == {}
