"""case.py -- one case: its random numbers, the calls that it makes, and what counts as a finding.

A case is a function of (fuzzer, seed, index) alone, so that it can be run again by itself.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from board import Board

T = TypeVar("T")


class Finding(Exception):  # noqa: N818 -- a finding is what we are after, not an error of ours
    """Something that must not happen has happened."""


class Refused(Exception):  # noqa: N818 -- likewise
    """What hostile objects raise: it must come out again as it is."""


# What a call may raise, by fuzzer.  SystemError, AssertionError and whatever else comes up is a finding, and so is an
# exception that says nothing.
USUAL: tuple[type[Exception], ...] = (
    ValueError, TypeError, IndexError, OverflowError, MemoryError, RuntimeError, FloatingPointError, BufferError,
    Refused,
)  # fmt: skip
ALLOWED: dict[str, tuple[type[BaseException], ...]] = {
    "ops": USUAL,
    "methods": (*USUAL, AttributeError, KeyError, StopIteration, KeyboardInterrupt),
    "graphs": (),  # its calls are all right: none may be refused
    "files": (ValueError, OSError),
    "images": (ValueError, OSError),
    "threads": USUAL,
    "forks": USUAL,
}


class Case:
    """One case under way."""

    def __init__(self, fuzzer: str, seed: int, index: int, board: Board) -> None:
        self.random = random.Random(f"{fuzzer}/{seed}/{index}")
        self.allowed = ALLOWED.get(fuzzer, USUAL)
        self.index = index
        self.refusal: type[BaseException] | None = None  # of the last call that was refused
        self._board = board
        self._numbers: np.random.Generator | None = None

    @property
    def numbers(self) -> np.random.Generator:
        """For arrays of values; made when first wanted, since that takes longer than a small op."""
        if self._numbers is None:
            self._numbers = np.random.default_rng(self.random.getrandbits(64))
        return self._numbers

    def chance(self, share: float) -> bool:
        """True in that share of the cases."""
        return self.random.random() < share

    def pick(self, things: Sequence[T]) -> T:
        """One of several."""
        return self.random.choice(things)

    def count(self) -> None:
        """One more call of the engine."""
        self._board.calls += 1

    def say(self, text: str) -> None:
        """Published before it is done, so that a crash can be told of."""
        self._board.say(text)

    def attempt(self, call: Callable[..., T], *args: Any, **words: Any) -> T | None:
        """What the call returns; None where it refuses in one of the ways that are allowed."""
        self._board.calls += 1
        try:
            return call(*args, **words)
        except self.allowed as error:
            self._board.refused += 1
            self.refusal = type(error)
            if not str(error) and not isinstance(error, MemoryError):  # Python's own has no message
                raise Finding(f"{type(error).__name__} without a message") from error
        except Exception as error:
            raise Finding(f"{type(error).__name__}: {error}") from error
        return None
