"""Every operator of a tensor beside foreign operands in every place, and the moment at which no_grad is read."""

from __future__ import annotations

import contextlib
import fractions
import importlib.util
import itertools
import operator
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from pyneural import _core, ops
from pyneural._core import Tensor, no_grad, tensor

PLAIN = "add sub mul truediv floordiv mod matmul pow and_ or_ xor lshift rshift lt le eq ne gt ge concat"
IN_PLACE = "iadd isub imul itruediv ifloordiv imod imatmul ipow iand ior ixor ilshift irshift iconcat"
BINARY = {name: getattr(operator, name) for name in f"{PLAIN} {IN_PLACE}".split()} | {"divmod": divmod}
DUNDERS = sorted(
    name for name in dir(Tensor) if name.startswith("__") and type(getattr(Tensor, name)) is type(int.__add__)
)
REFUSALS = (TypeError, ValueError, ArithmeticError, AttributeError, IndexError, RuntimeError)


class Hostile:
    """Asked for a number, an index or an array, it raises."""

    def _raise(self, *_: object, **__: object) -> Any:
        raise ZeroDivisionError("asked")

    __index__ = __float__ = __int__ = __array__ = __len__ = __getitem__ = __bool__ = _raise


class Number(float):
    """A subclass that is no plain float."""


@pytest.fixture(scope="module")
def second() -> ModuleType:
    """The engine's module once more: its tensors are of another type."""
    spec = importlib.util.spec_from_file_location("pyneural._core", _core.__file__)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def foreign(second: ModuleType) -> list[Any]:
    plain = [None, "a", b"a", True, 3, -1, 2**70, 2.5, 1j, fractions.Fraction(1, 3), object(), Hostile(), Number(2)]
    containers: list[Any] = [(), [], [1.0], [[1.0], [2.0, 3.0]], {}, {1}, range(2), slice(0), ..., NotImplemented, int]
    arrays = [np.float32(1), np.int8(3), np.bool_(True), np.ones(2), np.ones((0, 2)), np.array("a"), np.array([None])]
    return [*plain, *containers, *arrays, np.ones(2, complex), second.tensor([1.0, 2.0]), second.tensor([1, 2])]


def ends_well(call: Callable[..., Any], *arguments: Any) -> None:
    """It returns something, or refuses: nothing else is left open, the interpreter's life least of all."""
    with contextlib.suppress(*REFUSALS):
        call(*arguments)


@pytest.mark.parametrize("name", BINARY)
def test_an_operator_with_a_foreign_operand_on_either_side(name: str, second: ModuleType) -> None:
    for other, values in itertools.product(foreign(second), ([1.0, 2.0], [1, 2], 3)):
        for operands in ((tensor(values), other), (other, tensor(values))):
            ends_well(BINARY[name], *operands)


def test_a_power_with_foreign_operands_in_every_place(second: ModuleType) -> None:
    others = foreign(second)
    for a, b in itertools.product(others, others):
        for x in (tensor([1.0]), tensor(2)):
            for operands in ((x, a, b), (a, x, b), (a, b, x), (x, x, a), (x, a, x), (a, x, x)):
                ends_well(pow, *operands)
    for operands in ((2, 3, tensor([1.0])), (tensor([1.0]), 2, 5), (tensor(1.0), 2, tensor(1.0))):
        with pytest.raises(TypeError, match=r"pow: a modulus is not supported; write pow\(x, exponent\)"):
            pow(*operands)  # type: ignore[call-overload]


@pytest.mark.parametrize("name", DUNDERS)
def test_a_slot_called_by_its_name(name: str, second: ModuleType) -> None:
    slot, others = getattr(Tensor, name), foreign(second)
    for count in range(4):
        for arguments in itertools.product(others, repeat=count) if count < 3 else [(x, 2, 3) for x in others]:
            ends_well(slot, tensor([1.0, 2.0]), *arguments)
            ends_well(slot, *arguments)


# ---- no_grad within one call ---------------------------------------------------------------------------------------


class Switch:
    """An array, number or index that enters or leaves no_grad while it is read."""

    def __init__(self, turn: Callable[[], object]) -> None:
        self.turn = turn

    def __array__(self, *_: object, **__: object) -> np.ndarray:
        self.turn()
        return np.ones((3, 1), "float32")

    def __index__(self) -> int:
        self.turn()
        return 1


CALLS: dict[str, Callable[[Tensor, Any], Tensor]] = {
    "an operand": ops.mul,
    "an operand that broadcasts": lambda x, switch: ops.add(x.reshape(1, 4), switch),
    "a parameter": lambda x, switch: ops.expand(x, (switch, 4)),
    "an index": lambda x, switch: ops.slice(x, (switch,)),
    "a method of two ops": lambda x, switch: x.std(correction=switch),
}


@pytest.mark.parametrize("name", CALLS)
def test_no_grad_is_read_once_as_a_call_begins(name: str) -> None:
    x = tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
    quiet = no_grad()
    y = CALLS[name](x, Switch(quiet.__enter__))
    quiet.__exit__(None, None, None)
    assert y.requires_grad
    y.backward(np.ones(y.shape))
    assert x.grad is not None
    quiet.__enter__()
    y = CALLS[name](x, Switch(lambda: quiet.__exit__(None, None, None)))
    assert _core.is_recording()
    assert not y.requires_grad
