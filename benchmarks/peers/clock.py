"""Times calls, in the same way for every side."""

import time
from collections.abc import Callable, Iterable
from typing import Any


def timed(run: Callable[..., Any], given: Iterable[tuple[Any, ...]]) -> list[float]:
    """Seconds of run(*arguments) for each tuple of arguments; making them is not timed."""
    seconds, clock = [], time.perf_counter
    for arguments in given:
        begun = clock()
        run(*arguments)
        seconds.append(clock() - begun)
    return seconds
