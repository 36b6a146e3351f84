"""mutate.py -- mutates valid bytes and JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from case import Case

SIZES = (0, 1, 2, 255, 256, 65535, 2**24, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**64 - 1)


def data(case: Case, good: bytes) -> bytes:
    """Some of the bytes changed, cut, repeated or put in."""
    made = bytearray(good)
    for _ in range(case.pick((1, 1, 1, 2, 4, 16))):
        if not made:
            break
        at = case.random.randrange(len(made))
        if case.chance(0.4):  # near the beginning, where headers are
            at = case.random.randrange(min(len(made), 64))
        kind = case.random.randrange(7)
        if kind == 0:
            made[at] ^= 1 << case.random.randrange(8)
        elif kind == 1:
            made[at] = case.pick((0, 1, 127, 128, 255))
        elif kind == 2:
            width = case.pick((2, 4, 8))
            size = case.pick(SIZES) % 256**width
            made[at : at + width] = size.to_bytes(width, case.pick(("little", "big")))
        elif kind == 3:
            del made[at:]
        elif kind == 4:
            del made[at : at + case.pick((1, 2, 7, 100))]
        elif kind == 5:
            made[at:at] = made[at : at + case.pick((1, 8, 100))]
        else:
            made[at:at] = bytes(case.random.getrandbits(8) for _ in range(case.pick((1, 4, 50))))
    return bytes(made)


def tree(case: Case, good: Any, numbers: Sequence[Any], words: Sequence[str]) -> Any:
    """One place in a value of JSON changed: the value is changed in place where it is a list or dict."""
    spots = [(good, key) for key in _keys(good)]
    for holder, key in spots:
        inner = holder[key]
        spots += [(inner, below) for below in _keys(inner)]
    if not spots:
        return _leaf(case, good, numbers, words)
    holder, key = case.pick(spots)
    kind = case.random.randrange(6)
    if kind == 0:
        del holder[key]
    elif kind == 1 and isinstance(holder, list):
        holder.insert(key, holder[key])
    elif kind == 1:
        holder[case.pick(words)] = holder.pop(key)
    elif kind == 2:
        holder[key] = case.pick(spots)[0]
        if _is_endless(good):
            holder[key] = None
    else:
        holder[key] = _leaf(case, holder[key], numbers, words)
    return good


def _keys(value: Any) -> list[Any]:
    return list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []


def _leaf(case: Case, value: Any, numbers: Sequence[Any], words: Sequence[str]) -> Any:
    kind = case.random.randrange(6)
    if kind < 3 and type(value) is int:
        return case.pick((value + 1, value - 1, -value, value * 1000, case.pick(numbers)))
    if kind < 2:
        return case.pick(numbers)
    if kind < 4:
        return case.pick(words)
    return case.pick(([], {}, [value], {"a": value}, [value] * 3, [[]], None))


def _is_endless(value: Any, above: tuple[int, ...] = ()) -> bool:
    if id(value) in above:
        return True
    inner = [value[key] for key in _keys(value)]
    return any(_is_endless(item, (*above, id(value))) for item in inner)
