"""Each peer is measured with the fastest of its variants."""

import statistics
from typing import Any


def quickest(variants: list[Any]) -> Any:
    """The variant with the smallest median over a few interleaved steps."""
    if len(variants) == 1:
        return variants[0]
    found: list[list[float]] = [[] for _ in variants]
    for turn in range(4):
        for times, variant in zip(found, variants, strict=True):
            seconds = variant.steps(5)
            times += seconds if turn else []
    return variants[min(range(len(variants)), key=lambda number: statistics.median(found[number]))]
