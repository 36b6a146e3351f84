"""opbounds.py notices what a bound relative to the largest value let pass, and takes each element for itself."""

from __future__ import annotations

import numpy as np
import pytest
from opbounds import close, conditioning, room
from oprows import ROWS
from test_ops import draw, results, rooms, widened

Array = np.ndarray
RNG = np.random.default_rng(0)


def near_the_largest(got: Array, want: Array, tolerance: float) -> bool:
    """The usual bound, relative to the largest value: what is too weak."""
    return bool(np.allclose(got, want, rtol=tolerance, atol=tolerance * (1 + abs(want).max())))


def in_float32(op: str, index: int) -> tuple[list[Array], list[Array], list[Array]]:
    """The output and gradients in float32, the same in float64, and their bounds."""
    row = ROWS[op]
    arrays = draw(row, row.cases[index].inputs, index, "float32")
    got, want = results(row, row.cases[index], arrays), results(row, row.cases[index], widened(arrays))
    return got, want, rooms(row, row.cases[index], widened(arrays), want, "float32")


def largest(op: str) -> int:
    return max(range(len(ROWS[op].cases)), key=lambda i: ROWS[op].cases[i].inputs[0].make(RNG, "float32").size)


@pytest.mark.parametrize(
    "op", ["mse", "matmul", "conv2d", "batch_norm", "layer_norm", "softmax", "cross_entropy", "tanh"]
)
def test_a_small_element_of_a_large_result_may_not_be_wrong_by_a_thousandth(op: str) -> None:
    caught = 0
    for got, want, allowed in zip(*in_float32(op, largest(op)), strict=True):
        close(got, want, allowed, op)
        some = np.flatnonzero(want)
        planted = got.copy()
        planted.flat[some[np.argsort(abs(want.flat[some]))[len(some) // 50]]] *= 1.001
        if near_the_largest(planted, want, 2e-5):
            caught += 1
            with pytest.raises(AssertionError, match="1 of "):
                close(planted, want, allowed, op)
    assert caught


def test_a_sum_may_not_lack_one_of_its_terms() -> None:
    """A middling one of 70,000, of one sign."""
    index = next(
        i for i, case in enumerate(ROWS["sum"].cases) if case.inputs[0].shape == (70, 1000) and not case.params
    )
    x = draw(ROWS["sum"], ROWS["sum"].cases[index].inputs, index, "float32")[0]
    (got, _), (want, _), (allowed, _) = in_float32("sum", index)
    close(got, want, allowed, "sum")
    lacking = got - np.median(x)
    assert near_the_largest(lacking, want, 2e-5)
    with pytest.raises(AssertionError, match="off by 1"):
        close(lacking, want, allowed, "sum")


def test_the_conditioning_of_a_sum_is_the_root_of_its_squared_terms() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 40, 500))
    (found,) = conditioning(lambda disturb: [(disturb(a) * disturb(b)).sum(axis=1)])
    np.testing.assert_allclose(found, np.sqrt(2 * ((a * b) ** 2).sum(axis=1)), rtol=0.7)  # of 8 runs
    assert room(np.ones(3), 7.0, 2, "float32") == pytest.approx(16 * 2.0**-24)
    assert not room(np.ones(3), 7.0, 2, "int64").any()


def test_infinities_and_nan_are_near_themselves_alone() -> None:
    odd = np.array([np.nan, np.inf, -np.inf, 1.0])
    close(odd, odd.copy(), 0.0, "odd")
    for i in range(4):
        for other in (np.nan, np.inf, -np.inf, 2.0):
            wrong = odd.copy()
            wrong[i] = other
            if not np.array_equal(wrong, odd, equal_nan=True):
                with pytest.raises(AssertionError, match=rf"element \({i},\)"):
                    close(wrong, odd, np.where(np.isinf(odd), np.inf, 0.5), "odd")
    with pytest.raises(AssertionError, match="shape"):
        close(odd[:3], odd, 0.0, "odd")
