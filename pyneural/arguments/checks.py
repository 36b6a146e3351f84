"""checks.py -- checks of sizes, shapes, paddings and functions; warnings that point to the user's line."""

from __future__ import annotations

import inspect
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from numbers import Integral, Real
from pathlib import Path
from typing import TypeGuard

import numpy as np

from pyneural.arguments.objects import brief
from pyneural.arguments.spelling import choose, plain

Shape = tuple[int, ...]
Pair = int | tuple[int, int]
Padding = str | int | tuple[int, int] | tuple[tuple[int, int], tuple[int, int]]
_HERE = str(Path(__file__).parent.parent)  # the package
_renamed: ContextVar[tuple[str, str]] = ContextVar("_renamed", default=("fit", "fit"))


def is_whole(value: object) -> TypeGuard[int]:
    """Whether a value is a whole number, from Python or NumPy; booleans are not."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def is_number(value: object) -> TypeGuard[float]:
    """Whether a value is a real number, from Python or NumPy; booleans are not."""
    return isinstance(value, Real) and not isinstance(value, bool)


def whole(who: str, name: str, value: object, also: str = "", *, least: int = 1) -> int:
    """Checks a whole number of at least `least`; `also` follows in the message."""
    if not is_whole(value) or value < least:
        raise ValueError(f"{who}: {name} is {brief(value)}: give a whole number of at least {least}{also}")
    return int(value)


def whole_or_auto(who: str, name: str, value: object) -> int:
    """Checks a whole number of at least 1, or "auto", for which it returns 0.

    >>> whole_or_auto("fit", "epochs", "auto"), whole_or_auto("fit", "epochs", 5)
    (0, 5)
    """
    return 0 if isinstance(value, str) and value == "auto" else whole(who, name, value, ", or 'auto'")


def checked_seed(who: str, value: object, *, bits: int = 64) -> int:
    """Checks a seed: a whole number of at most that many bits."""
    if not is_whole(value) or not 0 <= value < 2**bits:
        raise ValueError(f"{who}: seed is {brief(value)}: give a whole number of at least 0, and below 2**{bits}")
    return int(value)


def flag(who: str, name: str, value: object) -> None:
    """Rejects what is not True or False: a word such as "no" would count as True.

    >>> flag("folder", "skip_bad", "no")
    Traceback (most recent call last):
    TypeError: folder: skip_bad is 'no': give True or False
    """
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{who}: {name} is {brief(value)}: give True or False")


def verbosity(who: str, value: object, also: str = "1 (results)") -> int:
    """Checks verbose: 0, 1 or 2."""
    if not (is_whole(value) or isinstance(value, bool)) or value not in (0, 1, 2):
        raise ValueError(f"{who}: verbose is {brief(value)}: give 0 (silent), {also}")
    return int(value)


def check_dtype(who: str, dtype: object) -> None:
    """Checks the dtype of a model."""
    if not isinstance(dtype, str) or dtype not in ("float32", "float64"):
        raise ValueError(f"{who}: dtype is {brief(dtype)}: give 'float32' or 'float64'")


def text(who: str, name: str, value: object) -> str:
    """Checks a text."""
    if not isinstance(value, str):
        raise TypeError(f"{who}: {name} is {brief(value)}: give text")
    return value


def pair(who: str, name: str, value: object) -> Pair:
    """Checks a size for both axes, or one for each."""
    if isinstance(value, tuple | list) and len(value) == 2:
        return whole(who, name, value[0]), whole(who, name, value[1])
    return whole(who, name, value, ", or two, (vertical, horizontal)")


def both(value: Pair) -> tuple[int, int]:
    """Both sizes, from one for both axes or one for each."""
    return value if isinstance(value, tuple) else (value, value)


def padded(who: str, padding: Padding) -> Padding:
    """Checks a padding, and spells its name as the ops do."""
    if isinstance(padding, str):
        choose(f"{who}: padding", padding, {"valid": 0, "same": 0})
        return plain(padding)
    return padding


def shape_of(who: str, shape: object) -> Shape:
    """Checks a shape without the batch axis.

    Raises:
        TypeError, ValueError: it is not a tuple of positive whole numbers.
    """
    if is_whole(shape):
        raise TypeError(f"{who}: shape is {shape}: give the lengths of all axes but the batch axis, such as ({shape},)")
    if not isinstance(shape, tuple | list):
        raise TypeError(f"{who}: shape is {shape!r}: give a tuple of whole numbers, such as (28, 28, 1)")
    for size in shape:
        if size is None:
            raise ValueError(f"{who}: shape is {shape}: omit the batch axis, and give the length of every other axis")
        if not is_whole(size) or size < 1:
            raise ValueError(f"{who}: shape is {shape}: give whole numbers of at least 1, as (28, 28, 1)")
    return tuple(int(size) for size in shape)


def batched(shape: Shape) -> str:
    """A shape with the batch axis, for messages: `(n, 28, 28, 1)`."""
    return f"({', '.join(['n', *map(str, shape)])}{'' if shape else ','})"


def named(function: Callable[..., object], otherwise: str) -> str:
    """A function's name; `otherwise` for a lambda."""
    name = str(getattr(function, "__name__", otherwise))
    return otherwise if name == "<lambda>" else name


def takes_two(function: Callable[..., object], who: str) -> None:
    """Rejects functions that do not take (outputs, targets).

    Raises:
        TypeError: it takes something else; the message shows its signature.
    """
    try:
        signature = inspect.signature(function)
    except ValueError:  # a function written in C may have no signature
        return
    try:
        signature.bind(None, None)
    except TypeError:
        raise TypeError(f"{who}{signature}: define it as a function of (outputs, targets)") from None


@contextmanager
def in_the_name_of(caller: str, function: str = "fit") -> Iterator[None]:
    """Lets errors and warnings of an inner function start with the name of the function that the user called."""
    token = _renamed.set((function, caller))
    try:
        yield
    except (ValueError, TypeError) as error:
        first, *others = error.args
        error.args = (_as_called(first), *others)
        raise
    finally:
        _renamed.reset(token)


def _as_called(text: str) -> str:
    function, caller = _renamed.get()
    return re.sub(rf"^{function}\b", caller, text)


def warn(text: str) -> None:
    """Warns at the user's line, the first one outside the package."""
    text = _as_called(text)
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_HERE):
        level, frame = level + 1, frame.f_back
    warnings.warn(text, UserWarning, stacklevel=level)
