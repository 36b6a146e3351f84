"""A peer takes part with the fastest of its variants."""

import statistics
from typing import Any


def quickest(variants: list[Any]) -> Any:
    """The variant whose median over a few steps, run in turn, is the least."""
    if len(variants) == 1:
        return variants[0]
    found: list[list[float]] = [[] for _ in variants]
    for turn in range(4):
        for times, variant in zip(found, variants, strict=True):
            seconds = variant.steps(5)
            times += seconds if turn else []
    return variants[min(range(len(variants)), key=lambda number: statistics.median(found[number]))]
