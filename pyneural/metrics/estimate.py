"""estimate.py -- Estimate: a float with its 95 % confidence interval."""

import math
from collections.abc import Sequence
from numbers import Real
from typing import Any

Z = 1.959963984540054  # the 97.5 % point of the normal distribution


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
        """The mean of independent values, with mean ± z s / √n."""
        try:
            n = len(values)
            total = math.fsum(values)
        except TypeError:
            raise TypeError(f"Estimate.mean: values is {values!r}: give a list of numbers") from None
        if n == 0:
            return cls(math.nan, math.nan, math.nan)
        mean = total / n
        spread = math.sqrt(math.fsum((v - mean) ** 2 for v in values) / (n - 1)) if n > 1 else math.inf
        half = Z * spread / math.sqrt(n)
        return cls(mean, mean - half, mean + half)

    def __str__(self) -> str:
        if self.percent:
            return f"{100 * self:.2f} % [{100 * self.low:.2f}, {100 * self.high:.2f}]"
        return f"{float(self):.4g} [{self.low:.4g}, {self.high:.4g}]"

    __repr__ = __str__

    def __format__(self, spec: str) -> str:
        return format(float(self), spec) if spec else str(self)
