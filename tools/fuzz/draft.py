"""draft.py -- generates the random programs of graphs.py: ops that fit existing values, with new leaves where needed.

Values are kept moderate: tanh is applied to one that grows beyond HIGHEST.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from case import Case
from reference import FORMULAS, Program, Step

HIGHEST = 20.0
MOST = 2000  # elements of a value, as a rule
LENGTHS = (1, 2, 2, 3, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 33, 40)
ONE_INPUT = ("neg", "abs", "relu", "tanh", "sigmoid", "softplus", "gelu")
REDUCTIONS = ("sum", "mean", "max", "min", "var")


class Draft:
    """A program that grows."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.program: Program = []
        self.values: list[np.ndarray] = []
        self.most = 50_000 if case.chance(0.03) else MOST

    def write(self) -> Program:
        """A whole one, whose last value is worth differentiating."""
        for _ in range(self.case.pick((1, 2, 2, 3))):
            self.leaf(self.shape(self.case.random.randrange(5)))
        steps = self.case.pick((1, 2, 4, 8, 16, 30))
        for _ in range(steps):
            self.case.pick(MAKERS)(self, self.some())
        if not isinstance(self.program[-1], Step):  # the last maker found nothing that fits
            self.step("tanh", self.some())
        return self.program

    # ---- what makers use ----

    def shape(self, ndim: int) -> tuple[int, ...]:
        """Of a new leaf."""
        made = [self.case.pick(LENGTHS) for _ in range(ndim)]
        while np.prod(made) > self.most:
            made[made.index(max(made))] //= 2
        return tuple(made)

    def leaf(self, shape: tuple[int, ...]) -> int:
        """A new leaf of ordinary numbers, which float32 holds exactly."""
        return self.constant(np.asarray(self.case.numbers.normal(size=shape)).astype("float32").astype("float64"))

    def constant(self, a: np.ndarray) -> int:
        """A new leaf."""
        self.program.append(a)
        self.values.append(a)
        return len(self.program) - 1

    def step(self, op: str, *inputs: int, **params: Any) -> int:
        """One op more; its value is moderate."""
        value = np.asarray(FORMULAS[op].value(*[self.values[i] for i in inputs], **params))
        self.program.append(Step(op, inputs, params))
        self.values.append(value)
        if value.size and abs(value).max() > HIGHEST and op != "tanh":
            return self.step("tanh", len(self.program) - 1)
        return len(self.program) - 1

    def some(self, fits: Callable[[np.ndarray], bool] = lambda a: True) -> int:
        """A real value, newer ones rather; a new leaf where none fits: of 2 axes."""
        found = [i for i, a in enumerate(self.values) if a.dtype.kind == "f" and fits(a)]
        if not found:
            return self.leaf(self.shape(2))
        return found[-1] if self.case.chance(0.5) else self.case.pick(found)

    def like(self, shape: tuple[int, ...]) -> int:
        """A value of this very shape, or a new leaf."""
        found = [i for i, a in enumerate(self.values) if a.dtype.kind == "f" and a.shape == shape]
        return self.case.pick(found) if found and self.case.chance(0.6) else self.leaf(shape)

    def partner(self, shape: tuple[int, ...]) -> int:
        """A value that broadcasts with this shape: the same, some of its axes of length 1, or fewer of them."""
        if self.case.chance(0.5):
            return self.like(shape)
        made = tuple(1 if self.case.chance(0.3) else n for n in shape)
        return self.like(made[self.case.random.randrange(len(made) + 1) :])

    def ordered(self, x: int) -> bool:
        """Whether float32 tells all the numbers apart that float64 does: else it may find another greatest one."""
        a = self.values[x]
        return len(np.unique(a)) == len(np.unique(a.astype("float32")))

    def indices(self, high: int, shape: tuple[int, ...]) -> int:
        """A leaf of numbers from 0 to high - 1."""
        return self.constant(self.case.numbers.integers(0, high, shape))


# ---- makers: each adds a step that reads value x, where it fits ----------------------------------------------------


def _one(draft: Draft, x: int) -> None:
    draft.step(draft.case.pick(ONE_INPUT), x)


def _power(draft: Draft, x: int) -> None:
    draft.step("pow", x, exponent=draft.case.pick((2, 3)))
    draft.step("clip", x, low=-0.5, high=1.25)
    draft.step("exp", draft.step("tanh", x))


def _two(draft: Draft, x: int) -> None:
    a, b = x, draft.partner(draft.values[x].shape)
    if draft.case.chance(0.3):
        a, b = b, a
    draft.step(draft.case.pick(("add", "add", "sub", "mul", "maximum", "minimum")), a, b)


def _divide(draft: Draft, x: int) -> None:
    b = draft.partner(draft.values[x].shape)
    draft.step("div", x, draft.step("add", draft.step("mul", b, b), draft.constant(np.array(1.0))))


def _reduce(draft: Draft, x: int) -> None:
    ndim = draft.values[x].ndim
    axes = tuple(draft.case.random.sample(range(ndim), draft.case.random.randrange(ndim + 1)))
    op = draft.case.pick(REDUCTIONS if draft.ordered(x) else ("sum", "mean", "var"))
    draft.step(op, x, axis=draft.case.pick((None, axes)), keepdims=draft.case.chance(0.4))


def _matmul(draft: Draft, x: int) -> None:
    shape = draft.values[x].shape
    if len(shape) < 2:
        return
    n = draft.case.pick(LENGTHS)
    batch = shape[:-2] if draft.case.chance(0.5) else ()
    draft.step("matmul", x, draft.like((*batch, shape[-1], n)))
    if len(shape) == 2 and draft.case.chance(0.5):  # one matrix on the left of several
        draft.step("matmul", x, draft.like((draft.case.pick((1, 2, 5)), shape[1], n)))


def _linear(draft: Draft, x: int) -> None:
    shape, n = draft.values[x].shape, draft.case.pick(LENGTHS)
    if shape and np.prod(shape[:-1]) * n <= 4 * draft.most:
        activation = draft.case.pick((None, "relu", "sigmoid", "tanh"))
        draft.step("linear", x, draft.like((shape[-1], n)), draft.like((n,)), activation=activation)


def _conv(draft: Draft, x: int) -> None:
    x = draft.some(lambda a: a.ndim == 4 and min(a.shape[1:3]) >= 2)
    if draft.values[x].ndim != 4:
        x = draft.leaf((draft.case.pick((1, 2, 3)), 7, draft.case.pick((5, 8, 9)), draft.case.pick((1, 2, 3, 8))))
    _, H, W, C = draft.values[x].shape
    k, out = min(H, W, draft.case.pick((1, 2, 3, 5))), draft.case.pick((1, 2, 4, 17))
    kind = draft.case.random.randrange(4)
    if kind < 2:
        params = {"stride": draft.case.pick((1, 1, 2)), "padding": draft.case.pick((0, 0, 1, 2))}
        activation = draft.case.pick((None, "relu", "tanh"))
        draft.step("conv2d", x, draft.like((k, k, C, out)), draft.like((out,)), **params, activation=activation)
    elif kind == 3 or draft.ordered(x):
        draft.step(("max_pool2d", "avg_pool2d")[kind - 2], x, size=k, stride=draft.case.pick((1, 2, k)))


def _norm(draft: Draft, x: int) -> None:
    x = draft.some(lambda a: a.ndim >= 1 and a.shape[-1] >= 5 and a.size // a.shape[-1] >= 5)
    C = draft.values[x].shape[-1]
    if C >= 5 and draft.values[x].size // C >= 5:
        draft.step(draft.case.pick(("layer_norm", "batch_norm")), x, draft.like((C,)), draft.like((C,)))


def _softmax(draft: Draft, x: int) -> None:
    if draft.values[x].ndim:
        draft.step(draft.case.pick(("softmax", "log_softmax")), x)


def _shape(draft: Draft, x: int) -> None:
    shape = draft.values[x].shape
    kind = draft.case.random.randrange(4)
    if kind == 0:
        draft.step("reshape", x, shape=(draft.values[x].size,) if draft.case.chance(0.5) else (1, *shape[::-1])[:8])
    elif kind == 1:
        draft.step("transpose", x, axes=tuple(draft.case.random.sample(range(len(shape)), len(shape))))
    elif kind == 2 and len(shape) < 4:
        n = draft.case.pick((1, 2, 3))
        draft.step("expand", x, shape=(n, *(n if m == 1 else m for m in shape)))
    else:
        step = draft.case.pick((1, 1, 2, -1))
        draft.step("slice", x, slices=tuple(slice(None, None, step if m > 1 else 1) for m in shape[:2]))


def _join(draft: Draft, x: int) -> None:
    shape = draft.values[x].shape
    if shape:
        others = [draft.like(shape) for _ in range(draft.case.pick((0, 1, 2)))]
        draft.step("concat", x, *others, axis=draft.case.random.randrange(len(shape)))


def _take(draft: Draft, x: int) -> None:
    shape = draft.values[x].shape
    if shape:
        draft.step("take", x, draft.indices(shape[0], draft.case.pick(((3,), (2, 2), (1,), (9,)))))


def _loss(draft: Draft, x: int) -> None:
    shape = draft.values[x].shape
    if len(shape) == 2 and shape[1] > 1 and draft.case.chance(0.5):
        draft.step("cross_entropy", x, draft.indices(shape[1], shape[:1]))
    elif shape:
        draft.step("mse", x, draft.like(shape))


MAKERS: tuple[Callable[[Draft, int], None], ...] = (
    _one, _one, _power, _two, _two, _two, _divide, _reduce, _reduce, _matmul, _matmul, _linear, _conv, _conv, _norm,
    _softmax, _shape, _shape, _join, _take, _loss,
)  # fmt: skip
