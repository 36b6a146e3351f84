"""hostile.py -- objects whose special methods raise, lie, or change what is being read, and numbers at the edges."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import numpy as np
from case import Case, Refused

from pyneural import _core

EDGES = (
    0, 1, -1, 2, 3, 255, 2**15, 2**16 + 1, 2**30, 2**31 - 1, 2**31, 2**32, 2**62, 2**63 - 1, -(2**31), -(2**63), 2**63,
    2**64 - 1, 2**64, -(2**64), 10**30,
)  # fmt: skip
FLOATS = (0.0, -0.0, 1.0, -1.0, 1e-45, 1e-30, 1e30, 1e39, 1e308, float("inf"), float("-inf"), float("nan"), 0.5, 2.5)
WORDS = (
    "", "same", "valid", "relu", "Relu", "mean", "none", "float32", "int64", "axis", "é\ud800", "x" * 300, "\0", "%s%n",
)  # fmt: skip


class Trick:
    """What happens in the middle of a call, when a special method is asked."""

    def __init__(self, case: Case) -> None:
        self.name, self._do = case.pick(TRICKS)
        self.victims: list[Any] = []  # lists and dicts that are being read

    def play(self) -> None:
        """Does it."""
        self._do(self)


def _clear(trick: Trick) -> None:
    for victim in trick.victims:
        victim.clear()


def _grow(trick: Trick) -> None:
    for victim in trick.victims:
        if isinstance(victim, list):
            victim.extend([1] * 1000)
        elif isinstance(victim, dict):
            victim.update({f"more{i}": 1 for i in range(1000)})


def _raise(trick: Trick) -> None:
    raise Refused("from inside a hostile object")


def _record(trick: Trick) -> None:
    """Leaves no_grad, or enters it: what surrounds the case sets it back."""
    if _core.is_recording():
        _core.no_grad().__enter__()
    else:
        _core.no_grad().__exit__(None, None, None)


def _recurse(trick: Trick) -> None:
    x = _core.tensor(np.ones((2, 3), "float32"), requires_grad=True)
    (x * x).sum().backward()


TRICKS: tuple[tuple[str, Callable[[Trick], object]], ...] = (
    ("nothing", lambda trick: None),
    ("raises", _raise),
    ("clears", _clear),
    ("grows", _grow),
    ("no_grad", _record),
    ("computes", _recurse),
    ("collects", lambda trick: gc.collect(0)),
    ("trims", lambda trick: _core.memory_trim()),
)


class Number:
    """Plays a trick, and then converts to this value where a number is needed."""

    def __init__(self, trick: Trick, value: Any) -> None:
        self.trick, self.value = trick, value

    def __index__(self) -> Any:
        self.trick.play()
        return self.value

    def __float__(self) -> Any:
        self.trick.play()
        return self.value

    __int__ = __index__

    def __bool__(self) -> Any:
        self.trick.play()
        return self.value

    def __repr__(self) -> Any:
        self.trick.play()
        return f"Number({self.trick.name}, {self.value!r})" if type(self.value) is int else self.value


class Values:
    """Plays a trick, and then converts to this array for NumPy."""

    def __init__(self, trick: Trick, value: Any) -> None:
        self.trick, self.value = trick, value

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        self.trick.play()
        return self.value

    def __repr__(self) -> str:
        return f"Values({self.trick.name})"


class Items:
    """A sequence that lies about its length."""

    def __init__(self, trick: Trick, items: list[Any], length: Any) -> None:
        self.trick, self.items, self.length = trick, items, length

    def __len__(self) -> Any:
        self.trick.play()
        return self.length

    def __getitem__(self, key: Any) -> Any:
        self.trick.play()
        return self.items[key]

    def __repr__(self) -> str:
        return f"Items({self.trick.name}, {len(self.items)} as {self.length})"


class Word(str):
    """A string that is equal to none, or to every other, and plays a trick when compared."""

    trick: Trick

    def __eq__(self, other: object) -> bool:
        self.trick.play()
        return True

    def __hash__(self) -> int:
        return super().__hash__()

    def __repr__(self) -> str:
        self.trick.play()
        return "Word()"


class Key:
    """What indexing and dictionaries ask for."""

    def __init__(self, trick: Trick) -> None:
        self.trick = trick

    def __hash__(self) -> int:
        self.trick.play()
        return 1

    def __eq__(self, other: object) -> Any:
        self.trick.play()
        return other

    __lt__ = __le__ = __gt__ = __ge__ = __ne__ = __eq__


class Floaty(float):
    """A float of another class."""

    def __float__(self) -> Any:
        return "not a float"


class Inty(int):
    """An int of another class."""

    def __index__(self) -> Any:
        return 2**70


def number(case: Case) -> Any:
    """Some number, odd as a rule."""
    kind = case.random.randrange(10)
    if kind < 4:
        return case.pick(EDGES)
    if kind < 7:
        return case.pick(FLOATS)
    if kind == 7:
        return Number(Trick(case), case.pick((0, 1, 2, 2**40, -1, 1.5, "no number", None)))
    if kind == 8:
        return case.pick((True, None, Floaty(1.5), Inty(2), np.float16(2), np.int8(-1), np.bool_(True), 1j, "1"))
    return case.pick((np.array(2), np.array([1]), np.array(2.5), np.array([2, 3]), np.uint64(2**63)))


def some(case: Case, depth: int = 0) -> Any:
    """Any object that a user might pass."""
    kind = case.random.randrange(12)
    if kind < 3:
        return number(case)
    if kind == 3:
        return case.pick(WORDS)
    if kind < 7 and depth < 3:
        return changing(case, [some(case, depth + 1) for _ in range(case.random.randrange(5))])
    if kind == 7:
        return Values(Trick(case), case.pick((np.ones((2, 3), "float32"), np.ones(0), "no array", None, [1, [2]])))
    if kind == 8:
        return Items(Trick(case), [1, 2, 3], case.pick((0, 1, 3, 5, 2**62, -1, 2.5, None)))
    if kind == 9:
        word = Word(case.pick(WORDS))
        word.trick = Trick(case)
        return word
    if kind == 10:
        return Key(Trick(case))
    return case.pick(
        (None, ..., slice(None), slice(2**70, -1, 0), b"bytes", bytearray(8), memoryview(b"12345678"), {}, {1: 2},
         set(), object(), int, len, range(3), iter([1, 2]), np.dtype("float32"), np.zeros(3, "O"), np.zeros(2, "M8[s]"),
         np.array(["a"]), np.zeros((1,) * 12, "float32"))
    )  # fmt: skip


def changing(case: Case, items: list[Any]) -> Any:
    """These items as a list or tuple, or as a list that one of its own items changes while it is read."""
    if not items or case.chance(0.5):
        return tuple(items) if case.chance(0.5) else items
    at = case.random.randrange(len(items))
    value = items[at] if type(items[at]) is int else 1
    inner = Number(Trick(case), value)
    items[at] = inner
    inner.trick.victims.append(items)
    return items


def describe(thing: Any, depth: int = 0) -> str:
    """A short description, without calling any of its methods."""
    if type(thing) in (list, tuple) and depth < 3:
        inside = ", ".join(describe(item, depth + 1) for item in thing[:8])
        return f"[{inside}]" if type(thing) is list else f"({inside},)"
    if isinstance(thing, Number):
        return f"Number({thing.trick.name}, {thing.value!r})"
    if isinstance(thing, Values | Items):
        return repr(thing)
    if isinstance(thing, np.ndarray):
        return f"array({thing.dtype}, {thing.shape}, strides {thing.strides})"
    if isinstance(thing, _core.Tensor):
        return f"tensor({thing.dtype}, {thing.shape}{', grad' if thing.requires_grad else ''})"
    if thing is None or type(thing) in (int, float, bool, str, bytes, slice, type(...), np.dtype):
        return repr(thing)[:80]
    return f"<{type(thing).__name__}>"
