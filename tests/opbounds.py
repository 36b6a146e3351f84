"""How far each element of a result may be off: by the rounding of its own terms, not by that of the largest value.

An op's numbers cannot be better than its inputs, each of which is rounded to one part in 2^24 or 2^53. What that makes
of an element is its *conditioning*: the change of the element, root mean square of RUNS, when each input and each
gradient that comes in is disturbed for itself by a random share of DISTURBED, divided by DISTURBED. It is measured in
float64. For a sum it is sqrt(sum of (a_i b_i)^2), where the usual first-order bound has sum of |a_i b_i|; for a copy it
is the size of the element. The bound of an element is then

    ulps * rounding * (|element| + conditioning + what cancels inside) + least normal number

with the row's `ulps` (opdraw.py), two to four times what was found over all cases, reals and instruction sets. What
cancels inside, and so is not seen in the inputs, the row says itself: `left_of`, at the end of oprefs.py. Behind a
sigmoid or tanh within a layer it is the gradient that comes in, as it comes out without them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Array = np.ndarray
Disturb = Callable[[Array], Array]

ROUNDING = {"float64": 2.0**-53, "float32": 2.0**-24}
DISTURBED = 2.0**-26
RUNS = 8


def conditioning(results: Callable[[Disturb], list[Array]], seed: int = 3) -> list[Array]:
    """Of each element of what results(disturb) returns, where disturb is to be applied to every real that goes in."""
    rng = np.random.default_rng(seed)

    def disturb(a: Array) -> Array:
        moved = np.asarray(a * (1 + DISTURBED * rng.normal(size=a.shape)))
        return np.where((a >= 0) & (a <= 1), np.minimum(moved, 1), moved)  # a share stays one

    plain = results(lambda a: a)
    with np.errstate(all="ignore"):
        runs = [[(a - b) / DISTURBED for a, b in zip(results(disturb), plain, strict=True)] for _ in range(RUNS)]
    return root_mean_square(runs)


def root_mean_square(runs: list[list[Array]]) -> list[Array]:
    """Over the runs, of each element; where one is infinite or NaN, 0: such elements are compared as they are."""
    finite = [[np.where(np.isfinite(a), a, 0.0) for a in run] for run in runs]
    return [np.asarray(np.hypot.reduce(each)) / np.sqrt(len(runs)) for each in zip(*finite, strict=True)]


def room(want: Array, terms: Array | float, ulps: float, real: str) -> Array:
    """By how much each element may differ from what is wanted; terms: its conditioning, and what cancels inside."""
    if real not in ROUNDING:
        return np.zeros(want.shape)
    with np.errstate(invalid="ignore"):
        return np.asarray(ulps * ROUNDING[real] * (abs(want) + terms) + np.finfo(real).tiny)


def close(got: Array, want: Array, allowed: Array | float, what: str) -> None:
    """Each element within its own bound; NaN is near NaN, an infinity near itself."""
    assert got.shape == want.shape, f"{what}: shape {got.shape}, expected {want.shape}"
    got, want = np.asarray(got), np.asarray(want)
    with np.errstate(invalid="ignore"):
        same = (got == want) | ((got != got) & (want != want))
        off = np.where(same, 0.0, abs(np.subtract(got, want, dtype="float64")))
    wrong = np.argwhere(~(same | (np.isfinite(off) & (off <= allowed))))
    if len(wrong):
        at = tuple(wrong[0])
        most = np.broadcast_to(allowed, off.shape)[at]
        where = f"element {tuple(map(int, at))}"
        raise AssertionError(
            f"{what}: {where} is {got[at]}, expected {want[at]}: off by {off[at]:.3g}, allowed {most:.3g}; "
            f"{len(wrong)} of {got.size} are wrong"
        )
