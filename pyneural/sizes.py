"""sizes.py -- the sizes, strides and paddings that layers are given, checked."""

from numbers import Integral

from pyneural.spelling import choose, plain

Pair = int | tuple[int, int]
Padding = str | int | tuple[int, int] | tuple[tuple[int, int], tuple[int, int]]


def whole(who: str, name: str, value: object, also: str = "") -> int:
    """A size, if it is a whole number of at least 1, Python's or NumPy's."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        raise ValueError(f"{who}: {name} is {value!r}: give a whole number of at least 1{also}")
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
