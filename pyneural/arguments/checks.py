"""checks.py -- what users give, checked: sizes, shapes, paddings, functions; and warnings that show the user's line."""

from __future__ import annotations

import inspect
import sys
import warnings
from collections.abc import Callable
from numbers import Integral, Real
from pathlib import Path
from typing import TypeGuard

from pyneural.arguments.spelling import choose, plain

Shape = tuple[int, ...]
Pair = int | tuple[int, int]
Padding = str | int | tuple[int, int] | tuple[tuple[int, int], tuple[int, int]]
_HERE = str(Path(__file__).parent.parent)  # the package


def is_whole(value: object) -> TypeGuard[int]:
    """Whether a value is a whole number, from Python or NumPy; booleans are not."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def is_number(value: object) -> TypeGuard[float]:
    """Whether a value is a real number, from Python or NumPy; booleans are."""
    return isinstance(value, Real)


def whole(who: str, name: str, value: object, also: str = "", *, least: int = 1) -> int:
    """Checks a whole number of at least `least`; `also` follows in the message."""
    if not is_whole(value) or value < least:
        raise ValueError(f"{who}: {name} is {value!r}: give a whole number of at least {least}{also}")
    return int(value)


def pair(who: str, name: str, value: object) -> Pair:
    """A size for both axes, or one for each."""
    if isinstance(value, tuple | list) and len(value) == 2:
        return whole(who, name, value[0]), whole(who, name, value[1])
    return whole(who, name, value, ", or two, (down, across)")


def both(value: Pair) -> tuple[int, int]:
    """One number for both axes, or a number for each."""
    return value if isinstance(value, tuple) else (value, value)


def padded(who: str, padding: Padding) -> Padding:
    """As the ops take it, a word in their spelling."""
    if isinstance(padding, str):
        choose(f"{who}: padding", padding, {"valid": 0, "same": 0})
        return plain(padding)
    return padding


def shape_of(who: str, shape: object) -> Shape:
    """A shape as users give it, without the batch's axis.

    Raises:
        TypeError, ValueError: it is no tuple of whole numbers of at least 1.
    """
    if is_whole(shape):
        raise TypeError(f"{who}: shape is {shape}: give the lengths of all axes but the batch's, as ({shape},)")
    if not isinstance(shape, tuple | list):
        raise TypeError(f"{who}: shape is {shape!r}: give a tuple of whole numbers, as (28, 28, 1)")
    for size in shape:
        if size is None:
            raise ValueError(f"{who}: shape is {shape}: leave the batch's axis out, and give every other its length")
        if not is_whole(size) or size < 1:
            raise ValueError(f"{who}: shape is {shape}: give whole numbers of at least 1, as (28, 28, 1)")
    return tuple(int(size) for size in shape)


def batched(shape: Shape) -> str:
    """A shape as messages show it, `(n, 28, 28, 1)`."""
    return f"({', '.join(['n', *map(str, shape)])}{'' if shape else ','})"


def named(function: Callable[..., object], otherwise: str) -> str:
    """A function's name; a lambda has none."""
    name = str(getattr(function, "__name__", otherwise))
    return otherwise if name == "<lambda>" else name


def takes_two(function: Callable[..., object], who: str) -> None:
    """Refuses what is no function of (outputs, targets).

    Raises:
        TypeError: it is none; says what it takes.
    """
    try:
        signature = inspect.signature(function)
    except ValueError:  # a function written in C may not say
        return
    try:
        signature.bind(None, None)
    except TypeError:
        raise TypeError(f"{who}{signature}: define it as a function of (outputs, targets)") from None


def warn(text: str) -> None:
    """A warning that shows the user's line, the first one outside of the package."""
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_HERE):
        level, frame = level + 1, frame.f_back
    warnings.warn(text, UserWarning, stacklevel=level)
