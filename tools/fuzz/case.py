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


class Finding(Exception):  # noqa: N818 -- a finding is a result, not an error of the fuzzer
    """Something happened that must not happen."""


class Refused(Exception):  # noqa: N818 -- likewise
    """Raised by hostile objects: it must be propagated unchanged."""


# Exceptions that a call may raise, by fuzzer.  SystemError, AssertionError and any other exception is a finding, and so
# is an exception without a message.
USUAL: tuple[type[Exception], ...] = (
    ValueError, TypeError, IndexError, OverflowError, MemoryError, RuntimeError, FloatingPointError, BufferError,
    Refused,
)  # fmt: skip
ALLOWED: dict[str, tuple[type[BaseException], ...]] = {
    "ops": USUAL,
    "methods": (*USUAL, AttributeError, KeyError, StopIteration, KeyboardInterrupt),
    "graphs": (),  # its calls are all right: none may be refused
    "models": (ValueError, TypeError),
    "weights": (),  # as of graphs
    "scores": (ValueError,),
    "files": (ValueError, OSError),
    "images": (ValueError, OSError),
    "threads": USUAL,
    "forks": USUAL,
}


class Case:
    """A running case."""

    def __init__(self, fuzzer: str, seed: int, index: int, board: Board) -> None:
        self.random = random.Random(f"{fuzzer}/{seed}/{index}")
        self.allowed = ALLOWED.get(fuzzer, USUAL)
        self.index = index
        self.refusal: type[BaseException] | None = None  # of the last call that was refused
        self._board = board
        self._numbers: np.random.Generator | None = None

    @property
    def numbers(self) -> np.random.Generator:
        """A generator for arrays of values; made on first use, since that takes longer than a small op."""
        if self._numbers is None:
            self._numbers = np.random.default_rng(self.random.getrandbits(64))
        return self._numbers

    def chance(self, share: float) -> bool:
        """True with this probability."""
        return self.random.random() < share

    def pick(self, things: Sequence[T]) -> T:
        """One of several, at random."""
        return self.random.choice(things)

    def count(self) -> None:
        """Counts a call of the engine."""
        self._board.calls += 1

    def say(self, text: str) -> None:
        """Publishes what is about to be done, so that a crash can be reported."""
        self._board.say(text)

    def attempt(self, call: Callable[..., T], *args: Any, **words: Any) -> T | None:
        """The result of a call; None if it raises an allowed exception."""
        self._board.calls += 1
        try:
            return call(*args, **words)
        except Finding:
            raise
        except self.allowed as error:
            self._board.refused += 1
            self.refusal = type(error)
            if not str(error) and not isinstance(error, MemoryError):  # Python's own has no message
                raise Finding(f"{type(error).__name__} without a message") from error
        except Exception as error:
            raise Finding(f"{type(error).__name__}: {error}") from error
        return None
