"""What an op does is bounded by the sizes of what goes in and comes out: not by lengths of axes, strides or windows.

The cases of oprows.py are tried with one length as 0 and another as large as shapes allow, in a process that a clock
ends: work for each row of no columns, or each step of a stride, would take years.
"""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from opdraw import Case, Draw, Row, normal
from oprows import ROWS
from test_empty import Shapes, with_shape
from test_ops import call, leaves, lower_isas

from pyneural import _core

HUGE = 2**48  # no memory holds as many values, but shapes of no values may have such a length
SECONDS = 20  # for each: what is bounded takes less than a hundredth
MOST = 100_000  # values of an output that is worth a backward pass

CONV, IMAGE = normal(3, 3, 2, 3), normal(1, 5, 5, 2)
FAR = [
    ("conv2d", Case((IMAGE, CONV), {"stride": 2**30})),
    ("conv2d", Case((IMAGE, CONV), {"stride": (1, 2**30), "padding": "same"})),
    ("conv2d", Case((IMAGE, CONV), {"stride": 2**30, "padding": 2**30})),
    ("conv2d", Case((IMAGE, CONV), {"stride": (2**20, 1), "padding": ((2**30, 0), (0, 0))})),
    ("conv2d", Case((normal(1, 1, 1, 0), normal(2**20, 2**20, 0, 2)), {"padding": "same"})),
    ("conv2d", Case((normal(1, 1, 1, 0), normal(2**20, 2**20, 0, 2)), {"padding": "same", "pool": 1})),
    ("max_pool2d", Case((IMAGE,), {"size": 1, "stride": 2**30})),
    ("max_pool2d", Case((IMAGE,), {"size": (1, 256), "stride": (2**30, 1), "padding": "same"})),
    ("avg_pool2d", Case((IMAGE,), {"size": 2**30, "stride": 1, "padding": "same"})),
    ("avg_pool2d", Case((IMAGE,), {"size": 2**30, "stride": 2**30, "padding": "same"})),
    ("avg_pool2d", Case((IMAGE,), {"size": (2**30, 2), "stride": 2**20, "padding": ((2**30 - 1, 0), (1, 1))})),
]


def with_lengths(shapes: Shapes, new: dict[int, int]) -> Shapes:
    return [None if s is None else tuple(new.get(n, n) for n in s) for s in shapes]


def zeros(draw: Draw | None, shape: tuple[int, ...] | None) -> np.ndarray | None:
    """Of the drawn kind; ValueError where it would not be empty."""
    if draw is None or shape is None:
        return None
    if 0 not in shape and max(shape, default=0) == HUGE:
        raise ValueError("no memory holds it")
    kind = "float32" if draw.real else str(draw.make(np.random.default_rng(0), "float32").dtype)
    return np.zeros(shape, kind)


def stretched(row: Row) -> Iterator[tuple[list[np.ndarray | None], dict[str, Any]]]:
    """Each length of each case as 0, each other one as HUGE, wherever it is found."""
    for case in row.cases:
        shapes: Shapes = [None if d is None else d.shape for d in case.inputs]
        lengths = sorted({n for s in shapes if s is not None for n in s})
        for empty, huge in itertools.permutations(lengths, 2):
            after = with_lengths(shapes, {empty: 0, huge: HUGE})
            try:
                yield list(map(zeros, case.inputs, after)), with_shape(case.params, shapes, after)
            except ValueError:
                continue


def attempt(row: Row, arrays: list[np.ndarray | None], wants: list[int], params: dict[str, Any]) -> None:
    """Forward and backward within the clock's time, or a sentence."""
    print(row.op, [None if a is None else a.shape for a in arrays], params, flush=True)
    signal.alarm(SECONDS)
    try:
        given = [None if a is None else _core.tensor(a, requires_grad=i in wants) for i, a in enumerate(arrays)]
        y = call(row, given, params)
        if wants and y.size < MOST:
            y.backward(np.ones(y.shape, y.dtype))
    except (ValueError, TypeError, IndexError, MemoryError) as error:
        print(str(error)[:200], flush=True)
    signal.alarm(0)


def main() -> None:
    for row in ROWS.values():
        for arrays, params in stretched(row):
            wants = [i for i, a in enumerate(arrays) if a is not None and a.dtype == "float32" and i in row.leaves]
            attempt(row, arrays, wants, params)
    for op, case in FAR:
        arrays = [None if d is None else d.make(np.random.default_rng(0), "float32") for d in case.inputs]
        attempt(ROWS[op], arrays, leaves(ROWS[op], case.inputs), case.params)


@pytest.mark.parametrize("isa", [*lower_isas(), _core.isa()])
def test_work_is_bounded_by_the_sizes_of_what_goes_in_and_comes_out(isa: str) -> None:
    environment = {**os.environ, "PYNEURAL_ISA": isa}
    done = subprocess.run([sys.executable, __file__], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"exit code {done.returncode}\n{done.stdout[-1000:]}\n{done.stderr[-2000:]}"


if __name__ == "__main__":
    main()
