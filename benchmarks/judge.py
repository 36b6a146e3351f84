"""Statistics of times (median, p10), the ratio to the best peer, and targets."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Times:
    """Seconds of each of many steps."""

    seconds: Sequence[float]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def p10(self) -> float:
        """The 10th percentile."""
        ordered = sorted(self.seconds)
        return ordered[len(ordered) // 10]

    @property
    def basis(self) -> float:
        """The divisor of ratios: the median, or p10 if that is below 0.9 of it, since the timing is then noisy."""
        return self.p10 if self.p10 < 0.9 * self.median else self.median


def best(peers: Mapping[str, Times]) -> str:
    """The peer with the smallest basis."""
    return min(peers, key=lambda name: peers[name].basis)


def ratio(ours: Times, peers: Mapping[str, Times]) -> float:
    """Our median over the best peer's basis."""
    return ours.median / peers[best(peers)].basis


@dataclass(frozen=True)
class Target:
    """A number and its limit.

    Args:
        name: what is measured.
        value, limit: the number, and its maximum (or minimum).
        least: whether the limit is a minimum.
        aim: the desired value, or None.
        unit: printed after the numbers.
    """

    name: str
    value: float
    limit: float
    least: bool = False
    aim: float | None = None
    unit: str = ""

    @property
    def missed(self) -> bool:
        """NaN misses."""
        return not (self.value >= self.limit if self.least else self.value <= self.limit)

    def __str__(self) -> str:
        sign, word = (">=" if self.least else "<="), ("MISSED" if self.missed else "ok")
        aim = "" if self.aim is None else f" (aim {self.aim:g})"
        return f"{word}: {self.name}: {self.value:.3g}{self.unit}, bar {sign} {self.limit:g}{self.unit}{aim}"


def verdict(text: str, targets: Sequence[Target]) -> int:
    """Prints the text and each target; returns the exit status, 1 if a target is missed."""
    print(text)
    for target in targets:
        print(target)
    return 1 if any(target.missed for target in targets) else 0


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; all columns but the first are right-aligned."""
    lines = [list(head), ["---", *["---:"] * (len(head) - 1)], *map(list, rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def microseconds(seconds: float) -> str:
    """Microseconds, with as many digits as are meaningful."""
    value = 1e6 * seconds
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 1000 else f"{value:,.0f}"
