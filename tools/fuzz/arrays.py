"""arrays.py -- arrays and tensors of given shapes, in all forms that an op may be given."""

from __future__ import annotations

import math
from typing import Any

import hostile
import numpy as np
from case import Case

from pyneural import _core, ops

REALS = ("float32", "float64")
OTHERS = (
    "float16", "longdouble", "bool", "int8", "uint16", "int32", "uint64", "complex64", "O", "U1", "M8[s]", "V4", ">f4",
)  # fmt: skip
LENGTHS = (0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9, 13, 15, 16, 17, 24, 31, 32, 33, 47, 63, 64, 65, 100, 129)
LONG = (257, 513, 1000, 1025, 3000)
EXTREMES = (0.0, -0.0, 1.0, -1.0, 30.0, -100.0, 1e-40, 1e30, -1e38, 1e300, np.inf, -np.inf, np.nan)


def length(case: Case) -> int:
    """Of an axis: none, one, round the widths of vectors and tiles, sometimes long."""
    return case.pick(LONG) if case.chance(0.03) else case.pick(LENGTHS)


def values(case: Case, shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """Ordinary numbers as a rule, of real dtypes."""
    kind = case.random.randrange(10)
    if kind == 0:
        return case.numbers.choice(EXTREMES, shape).astype(dtype)
    if kind == 1:
        return np.full(shape, case.pick(EXTREMES), dtype)
    if kind == 2:
        return case.numbers.integers(-2, 3, shape).astype(dtype)
    return np.asarray(case.numbers.normal(size=shape)).astype(dtype)


def integers(case: Case, shape: tuple[int, ...], dtype: str, high: int) -> np.ndarray:
    """Indices from 0 to high - 1, as a rule."""
    made = case.numbers.integers(0, max(high, 1), shape).astype(dtype)
    if made.size and case.chance(0.1):
        place = case.random.randrange(made.size)
        made.flat[place] = np.array(case.pick(hostile.EDGES) % 2**64, "uint64").astype(dtype)
    return made


# ---- forms of an array ---------------------------------------------------------------------------------------------


def _unaligned(a: np.ndarray) -> np.ndarray:
    raw = np.empty(a.nbytes + 1, "uint8")[1:].view(a.dtype) if a.nbytes else a.reshape(-1)
    raw[:] = a.reshape(-1)
    return raw.reshape(a.shape)


def _strided(a: np.ndarray) -> np.ndarray:
    if not a.ndim or a.shape[-1] > 1 << 20:
        return a
    wide = np.repeat(a, 2, axis=-1)
    return wide[..., ::2]


def _backwards(a: np.ndarray) -> np.ndarray:
    return a[::-1].copy()[::-1] if a.ndim else a


def _readonly(a: np.ndarray) -> np.ndarray:
    a = a.copy()
    a.flags.writeable = False
    return a


class Subclass(np.ndarray):
    """An array of another class."""


FORMS = {
    "plain": lambda a: a,
    "fortran": np.asfortranarray,
    "transposed": lambda a: a.T.copy().T,
    "backwards": _backwards,
    "strided": _strided,
    "unaligned": _unaligned,
    "swapped": lambda a: a.astype(a.dtype.newbyteorder(">")),
    "readonly": _readonly,
    "subclass": lambda a: a.view(Subclass),
    "stride 0": lambda a: np.broadcast_to(a.ravel()[:1].reshape((1,) * a.ndim), a.shape) if a.size else a,
    "list": lambda a: a.tolist() if max(a.shape, default=0) < 50 and a.size < 200 else a,
    "memoryview": lambda a: memoryview(np.ascontiguousarray(a)) if a.ndim else a,
}


# ---- forms of a tensor ---------------------------------------------------------------------------------------------


def _leaf(a: np.ndarray) -> Any:
    return _core.tensor(a, str(a.dtype), requires_grad=a.dtype.kind == "f")


def _inner(a: np.ndarray) -> Any:
    """Computed from a leaf, which its graph alone holds."""
    return _leaf(a) * 1.0 if a.dtype.kind == "f" else _leaf(a)


def _kept(a: np.ndarray) -> Any:
    """Likewise, but it keeps its gradient."""
    made = _inner(a)
    return made.keep_grad() if made.requires_grad else made


def _rows(a: np.ndarray) -> Any:
    """Rows of a longer tensor, whose memory it shares."""
    if not a.ndim or a.shape[0] > 1 << 20:
        return _leaf(a)
    return ops.slice(_leaf(np.concatenate([a[:1], a, a[:1]])), (slice(min(1, len(a)), min(1, len(a)) + len(a)),))


TENSORS = {
    "tensor": lambda a: _core.tensor(a, str(a.dtype)),
    "leaf": _leaf,
    "inner": _inner,
    "rows": _rows,
    "kept": _kept,
    "reshaped": lambda a: _leaf(a.reshape(-1)).reshape(a.shape),
    "borrowed": _core.borrow,
    "shape only": lambda a: _core.shape_only(a.shape, str(a.dtype)),
}


def give(case: Case, a: np.ndarray) -> tuple[Any, str]:
    """The array in some form, and what that is."""
    kind = case.random.randrange(100)
    is_tensor = a.ndim <= 8 and math.prod(max(1, n) for n in a.shape) * a.itemsize < 1 << 50
    if kind < 62 and is_tensor:
        form = case.pick(("leaf", "leaf", "leaf", "inner", "inner", "tensor", "rows", "kept", "reshaped", "borrowed"))
        return TENSORS[form](a), form
    if kind < 92:
        form = case.pick(tuple(FORMS))
        return FORMS[form](a), form
    if kind < 94 and is_tensor:
        return TENSORS["shape only"](a), "shape only"
    if kind < 96:
        dtype = case.pick(OTHERS)
        return np.zeros(a.shape, dtype), dtype
    if kind < 98:
        made = hostile.Values(hostile.Trick(case), a)
        return made, hostile.describe(made)
    made = hostile.some(case)
    return made, hostile.describe(made)
