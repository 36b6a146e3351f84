"""estimate.py -- Estimate: a float with its 95 % confidence interval."""

import math
from collections.abc import Sequence
from functools import lru_cache
from numbers import Real
from typing import Any

Z = 1.959963984540054  # the 97.5 % point of the normal distribution
_MUCH = 100  # degrees of freedom from which the expansion of Student's point is exact to 1e-9


class Estimate(float):
    """A float with `.low` and `.high`, the bounds of its 95 % confidence interval.

    >>> accuracy = Estimate.share(9912, 10000)
    >>> print(accuracy)
    99.12 % [98.92, 99.29]
    >>> f"{accuracy:.3f}", accuracy.low < 0.99 < accuracy.high
    ('0.991', True)
    """

    low: float
    high: float
    percent: bool

    def __new__(cls, value: float, low: float, high: float, percent: bool = False) -> "Estimate":
        """A value and the bounds of its interval; percent: print it as a percentage."""
        self = super().__new__(cls, value)
        self.low = float(low)
        self.high = float(high)
        self.percent = percent
        return self

    def __getnewargs__(self) -> tuple[float, float, float, bool]:  # type: ignore[override]
        return float(self), self.low, self.high, self.percent

    @classmethod
    def share(cls, hits: int, n: int) -> "Estimate":
        """The share hits / n with the score interval (Wilson 1927), which is also accurate near 0 and 1.

        (p + z²/2n ± z √(p(1 - p)/n + z²/4n²)) / (1 + z²/n)
        """
        counts: dict[str, Any] = {"hits": hits, "n": n}
        for name, value in counts.items():
            if not isinstance(value, Real) or value < 0:
                raise ValueError(f"Estimate.share: {name} is {value!r}: give a count, at least 0")
        if hits > n:
            raise ValueError(f"Estimate.share: {hits:,} hits of {n:,}: give at most as many hits as there are")
        if n == 0:
            return cls(math.nan, math.nan, math.nan, percent=True)
        p = hits / n
        zz = Z * Z / n
        half = Z * math.sqrt(p * (1 - p) / n + zz / (4 * n)) / (1 + zz)
        middle = (p + zz / 2) / (1 + zz)
        low = 0.0 if hits == 0 else middle - half
        high = 1.0 if hits == n else middle + half
        return cls(p, low, high, percent=True)

    @classmethod
    def mean(cls, values: Sequence[float]) -> "Estimate":
        """The mean of independent values, with mean ± t s / √n, t of Student's distribution with n - 1 degrees."""
        try:
            n = len(values)
            total = math.fsum(values)
        except TypeError:
            raise TypeError(f"Estimate.mean: values is {values!r}: give a list of numbers") from None
        if n == 0:
            return cls(math.nan, math.nan, math.nan)
        mean = total / n
        spread = math.sqrt(math.fsum((v - mean) ** 2 for v in values) / max(n - 1, 1))
        half = _student(n - 1) * spread / math.sqrt(n) if n > 1 else math.inf
        return cls(mean, mean - half, mean + half)

    def __str__(self) -> str:
        if self.percent:
            return f"{100 * self:.2f} % [{100 * self.low:.2f}, {100 * self.high:.2f}]"
        return f"{float(self):.4g} [{self.low:.4g}, {self.high:.4g}]"

    __repr__ = __str__

    def __format__(self, spec: str) -> str:
        return format(float(self), spec) if spec else str(self)


@lru_cache
def _student(freedom: int) -> float:
    """The 97.5 % point of Student's distribution (Abramowitz and Stegun 1964, 26.7.3 to 26.7.5)."""
    if freedom > _MUCH:
        x, v = Z, 1 / freedom
        first = (x**3 + x) / 4
        second = (5 * x**5 + 16 * x**3 + 3 * x) / 96
        third = (3 * x**7 + 19 * x**5 + 17 * x**3 - 15 * x) / 384
        fourth = (79 * x**9 + 776 * x**7 + 1482 * x**5 - 1920 * x**3 - 945 * x) / 92160
        return x + v * (first + v * (second + v * (third + v * fourth)))
    low, high = 0.0, math.pi / 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, freedom) < 0.95 else (low, middle)
    return math.sqrt(freedom) * math.tan(low)


def _within(angle: float, freedom: int) -> float:
    """P(|T| < √freedom tan(angle)), a finite series of powers of the cosine."""
    cosine, odd = math.cos(angle), freedom % 2
    term = cosine if odd else 1.0
    total = 0.0
    for power in range(odd, freedom - 1, 2):
        total += term
        term *= cosine * cosine * (power + 1) / (power + 2)
    total *= math.sin(angle)
    return 2 / math.pi * (angle + total) if odd else total
