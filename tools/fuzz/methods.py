"""methods.py -- every method, operator and attribute of the engine's types, and its functions, with foreign operands.

A case picks one kind of use at random, with tensors, numbers and hostile objects as its arguments.
"""

from __future__ import annotations

import copy
import operator
import pickle
import signal
import sys
import weakref
from collections.abc import Callable
from typing import Any

import hostile
import numpy as np
from case import Case, Finding
from loop import ENGINE_BYTES

import pyneural as pn
from pyneural import _core

TYPES = (_core.Tensor, _core.Block, _core.Optimizer, _core.Interrupt, _core.no_grad)
THREADS = 2
UNARY: tuple[Callable[..., Any], ...] = (
    operator.neg, operator.pos, operator.abs, operator.invert, operator.index, operator.not_, operator.truth, int,
    float, complex, bool, len, iter, reversed, repr, str, hash, round, bytes, list, tuple, sum, max, dir,
    memoryview, bytearray, sys.getsizeof, copy.copy, copy.deepcopy, pickle.dumps, weakref.ref, weakref.proxy, type,
    vars, callable, sorted, any, range, np.asarray, np.array, np.ascontiguousarray, np.sum, np.exp, np.isnan,
    np.copy, np.transpose, np.ravel, np.sqrt, pn.tensor, _core.borrow, np.ndim, np.shape, np.size, np.atleast_2d,
    np.mean, np.argsort,
)  # fmt: skip
BINARY: tuple[Callable[..., Any], ...] = (
    operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod, operator.matmul,
    operator.pow, operator.lshift, operator.and_, operator.or_, operator.xor, operator.eq, operator.ne, operator.lt,
    operator.le, operator.gt, operator.ge, operator.is_, operator.contains, operator.getitem, operator.delitem,
    divmod, operator.iadd, operator.isub, operator.imul, operator.itruediv, operator.imatmul, operator.ipow,
    operator.ifloordiv, operator.concat, operator.countOf, operator.indexOf, isinstance, issubclass, format, np.add,
    np.multiply, np.matmul, np.power, np.maximum, np.greater, np.dot, np.add.at, np.take, np.reshape,
    np.broadcast_to, np.allclose, round, slice,
)  # fmt: skip
# Without np.einsum: NumPy itself crashes where an item's __index__ clears the list of subscripts.
TERNARY: tuple[Callable[..., Any], ...] = (
    pow, operator.setitem, np.where, np.clip, np.add, np.divide, np.copyto, np.put, slice, pn.ops.where,
)  # fmt: skip
FUNCTIONS = tuple(
    name for name in sorted(dir(_core)) if callable(getattr(_core, name)) and not isinstance(getattr(_core, name), type)
)
NAMES = {kind: tuple(sorted(set(dir(kind)))) for kind in TYPES}
SLOTS = tuple(name for name in dir(_core.Tensor) if name.startswith("__"))


# ---- what is used --------------------------------------------------------------------------------------------------


def _tensor(case: Case) -> Any:
    shape = case.pick(((), (1,), (3,), (2, 3), (0,), (0, 2), (2, 0, 3), (1, 1), (4, 1, 2), (1,) * 8))
    dtype = case.pick(("float32", "float32", "float64", "uint8", "int64"))
    kind = case.random.randrange(8)
    if kind == 0:
        return _core.shape_only(shape, dtype)
    if kind == 1:
        return _core.borrow(np.ones(shape, dtype))
    made = _core.tensor(np.ones(shape, dtype), dtype, requires_grad=kind > 3 and dtype.startswith("float"))
    return made * 2.0 if kind > 5 and dtype.startswith("float") else made


def _block(case: Case) -> Any:
    return _core.Block(["w", "b"], [(3, 2), (2,)], ["weight", "bias"], case.pick(("float32", "float64")))


def _optimizer(case: Case) -> Any:
    kind = case.pick(tuple(_core.optimizer_table()))
    if case.chance(0.5):
        return _core.Optimizer(kind, _block(case))
    weight = _core.tensor(np.ones(3, "float32"), requires_grad=True)
    if _core.is_recording():  # a hostile object may have changed that by now
        (weight * weight).sum().backward()
    return _core.Optimizer(kind, [weight])


MAKERS: tuple[Callable[[Case], Any], ...] = (
    *[_tensor] * 6, *[_block] * 2, *[_optimizer] * 2, lambda case: _core.Interrupt(), lambda case: _core.no_grad(),
)  # fmt: skip


def _thing(case: Case) -> Any:
    """An argument: something of ours, something sensible, or anything at all."""
    kind = case.random.randrange(10)
    if kind < 3:
        return case.pick(MAKERS)(case)
    if kind < 6:
        return case.pick(
            (0, 1, -1, 2, 0.5, None, True, (2, 3), (0, 1), [0], "float32", "int64", "sgd", "adam", "weight", ["w"],
             [(2,)], ["state"], slice(None), ..., np.ones((2, 3), "float32"), np.ones(3), np.arange(3), np.float32(1),
             [1.0, 2.0])
        )  # fmt: skip
    return hostile.some(case)


def _arguments(case: Case) -> tuple[list[Any], dict[str, Any]]:
    words = ("axis", "keepdims", "dtype", "gradient", "accumulate", "keep_graph", "copy", "names", "momentum", "x", "é")
    args = [_thing(case) for _ in range(case.pick((0, 0, 1, 1, 1, 2, 2, 3, 4, 9)))]
    return args, {case.pick(words): _thing(case) for _ in range(case.pick((0, 0, 0, 1, 2)))}


# ---- kinds of use --------------------------------------------------------------------------------------------------


def _call(case: Case, name: str, function: Callable[..., Any], args: list[Any], words: dict[str, Any]) -> Any:
    shown = [hostile.describe(a) for a in args] + [f"{key}={hostile.describe(v)}" for key, v in words.items()]
    case.say(f"{name}({', '.join(shown)})")
    return case.attempt(function, *args, **words)


def _method(case: Case) -> None:
    subject = case.pick(MAKERS)(case)
    name = case.pick(NAMES[type(subject)])
    value = case.attempt(getattr, subject, name)
    if callable(value):
        _call(case, f"{hostile.describe(subject)}.{name}", value, *_arguments(case))


def _unbound(case: Case) -> None:
    """A method of a type, taken from it and given something else for self."""
    kind = case.pick(TYPES)
    name = case.pick(NAMES[kind])
    value = getattr(kind, name)
    if callable(value):
        args, words = _arguments(case)
        _call(case, f"{kind.__name__}.{name}", value, [_thing(case), *args], words)
    elif hasattr(value, "__get__"):
        _call(case, f"{kind.__name__}.{name}.__get__", value.__get__, [_thing(case)], {})


def _operator(case: Case) -> None:
    count, functions = case.pick(((1, UNARY), (2, BINARY), (2, BINARY), (2, BINARY), (3, TERNARY)))
    function = case.pick(functions)
    args = [_thing(case) for _ in range(count)]
    args[case.random.randrange(count)] = _tensor(case)
    if function is memoryview or (function is range and count == 1):
        args = args[:1]
    _call(case, getattr(function, "__name__", repr(function)), function, args, {})


def _attribute(case: Case) -> None:
    """Set or delete an attribute of an object; of an optimizer, go on with what came of it."""
    subject = case.pick(MAKERS)(case)
    public = [name for name in NAMES[type(subject)] if not name.startswith("_")]
    name = case.pick(public) if public and case.chance(0.7) else case.pick((*NAMES[type(subject)], "foo"))
    if case.chance(0.2):
        _call(case, f"delattr {type(subject).__name__}.{name}", delattr, [subject, name], {})
    else:
        value = case.pick(TYPES) if name == "__class__" else hostile.number(case) if case.chance(0.7) else _thing(case)
        _call(case, f"setattr {type(subject).__name__}.{name}", setattr, [subject, name, value], {})
    if isinstance(subject, _core.Optimizer):
        for use in (subject.step, subject.step, lambda: (subject.steps, repr(subject), subject.slots())):
            case.attempt(use)


def _type(case: Case) -> None:
    """The types themselves cannot be changed, and make nothing that is half made."""
    kind = case.pick(TYPES)
    choice = case.random.randrange(4)
    if choice == 0 and kind is not _core.no_grad:  # which is a class like any other
        _change(case, kind, case.pick(("foo", "__array__", "__add__", "__len__", "shape", "__class__")))
        return
    args, words = _arguments(case)
    if choice == 1:
        _call(case, kind.__name__, kind, args, words)
    elif choice == 2:
        made = _call(case, "__new__", case.pick((kind.__new__, object.__new__)), [kind, *args], words)
        if made is not None:
            _call(case, "repr", repr, [made], {})
    else:
        made = _call(case, "type", type, ["Derived", (kind,), {}], {})
        if made is not None:
            _call(case, "Derived", made, args, words)


def _change(case: Case, kind: type, name: str) -> None:
    before = vars(kind).get(name, _change)
    case.say(f"{kind.__name__}.{name} = 1")
    try:
        setattr(kind, name, 1)
    except (TypeError, AttributeError):
        return
    if before is _change:
        delattr(kind, name)
    else:
        setattr(kind, name, before)
    raise Finding("an attribute of a type can be set")


def _function(case: Case) -> None:
    name = case.pick(FUNCTIONS)
    args, words = _arguments(case)
    if name == "set_threads":
        args = args[:1] if args and type(args[0]) is not int else [case.pick((1, 2, 3, 0, -1, 2**31, 2**63))]
    _call(case, f"_core.{name}", getattr(_core, name), args, words)
    if name == "set_watcher":  # which may now be anything that is callable
        case.attempt(operator.add, _tensor(case), 1)
        _core.set_watcher(None)


def _index(case: Case) -> None:
    t = _tensor(case)
    keys = [case.pick((0, -1, 1, slice(None), ..., None, slice(-9, 9, -1), hostile.some(case))) for _ in range(9)]
    keys = keys[: case.random.randrange(10)]
    key = case.pick((tuple(keys), hostile.changing(case, keys), keys[0] if keys else hostile.some(case)))
    _call(case, "getitem", operator.getitem, [t, key], {})
    _call(case, "setitem", operator.setitem, [t, key, _thing(case)], {})


def _array(case: Case) -> None:
    """The tensor where NumPy expects an array."""
    a = np.ones((2, 3), case.pick(("float32", "int64", "O")))
    t = _tensor(case)
    function = case.pick((operator.add, operator.iadd, operator.getitem, operator.matmul, operator.eq, operator.ipow))
    _call(case, f"array {function.__name__}", function, [a, t], {})
    _call(case, "array[t] = t", operator.setitem, [a, t, t], {})


def _block_of(case: Case) -> None:
    """A block from lists that change while they are read."""
    shapes = hostile.changing(case, [case.pick((3, 0, hostile.number(case))) for _ in range(3)])
    args = [["w"] * 2, [(2, 3), shapes], ["weight", case.pick(("bias", "state", "", 3))]]
    if case.chance(0.3):
        args[case.random.randrange(3)] = hostile.some(case)
    block = _call(case, "Block", _core.Block, args, {})
    if block is None:
        return
    for name, value in (("set_trainable", [case.pick((0, 1, 2, -1, 2**63)), 0]), ("restore", [block.snapshot()[:-1]])):
        _call(case, name, getattr(block, name), value, {})


def _slots_of(case: Case) -> None:
    """An optimizer's slots from a dict that changes while it is read."""
    subject = _optimizer(case)
    slots: dict[str, Any] = dict(subject.slots())
    for name in slots:
        if case.chance(0.5):
            values = hostile.Values(hostile.Trick(case), slots[name])
            values.trick.victims.append(slots)
            slots[name] = values
    _call(case, "set_slots", subject.set_slots, [slots], {})
    case.attempt(subject.step)


USES = (
    _method, _method, _unbound, _operator, _operator, _operator, _attribute, _type, _function, _index, _array,
    _block_of, _slots_of,
)  # fmt: skip


def run(case: Case) -> None:
    """One use; whatever it changed of the world is put back."""
    handler = signal.getsignal(signal.SIGINT)
    try:
        case.pick(USES)(case)
    finally:
        _core._fail_after(0)
        _core.set_memory_limit(ENGINE_BYTES)
        if _core.get_threads() != THREADS:
            _core.set_threads(THREADS)
        while not _core.is_recording():
            _core.no_grad().__exit__(None, None, None)
        if signal.getsignal(signal.SIGINT) is not handler:
            signal.signal(signal.SIGINT, handler)
