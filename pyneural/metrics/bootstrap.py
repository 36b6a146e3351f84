"""bootstrap.py -- draws of the bootstrap (Efron 1979): as many units as there are, with replacement, 2,000 times.

A unit is an example, or a whole group, such as a patient, whose examples are alike.  Scores are functions of counts and
of sums, so a draw is a count per *cell* (of examples that the score treats alike), or the sums of its units, and all
draws are computed together.
"""

from collections.abc import Iterator

import numpy as np

import pyneural.ops as ops
from pyneural.arguments.arrays import Array

DRAWS = 2000
_BLOCKS = 4096  # the most units in a draw of sums: beyond, random blocks of examples are drawn
_AT_ONCE = 1 << 18  # elements of the arrays of some draws, which then stay in the cache


def units_of(groups: Array | None) -> Array | None:
    """(n,) the number of the group of each example; None if there are no groups, or one per example."""
    if groups is None:
        return None
    names, numbers = np.unique(groups, return_inverse=True)
    return None if len(names) == len(groups) else numbers.reshape(-1)


def _unit_draws(units: int, seed: int, width: int = 1) -> Iterator[Array]:
    """How often each unit is in each draw, (some draws, units), for arrays of (some draws, width)."""
    generator = np.random.default_rng(seed)
    step = max(1, _AT_ONCE // max(units, width))
    for start in range(0, DRAWS, step):
        rows = min(step, DRAWS - start)
        picked = generator.integers(0, units, (rows, units))
        picked += units * np.arange(rows)[:, None]
        yield np.bincount(picked.reshape(-1), minlength=rows * units).reshape(rows, units)


def cell_draws(
    cells: Array, count: int, units: Array | None = None, seed: int = 0, of_units: int | None = None
) -> Iterator[Array]:
    """The number of examples of each cell in each draw, (some draws, count).

    Args:
        cells: (n,) the cell of each example, 0 to count - 1.
        count: the number of cells.
        units: (n,) the numbers of their groups, from `units_of`.
        seed: the seed of the draws.
        of_units: the number of groups that are drawn; None: those of these examples.
    """
    if units is not None:
        of_units = of_units or int(units.max()) + 1
        pairs, sizes = np.unique(cells * of_units + units, return_counts=True)  # of a cell and a group
        there, starts = np.unique(pairs // of_units, return_index=True)
        unit_of = pairs % of_units
        for drawn in _unit_draws(of_units, seed, max(count, len(pairs))):
            picked = drawn.take(unit_of, axis=1)  # in a tenth of the time of drawn[:, unit_of]
            picked *= sizes
            counts = np.zeros((len(drawn), count))
            counts[:, there] = np.add.reduceat(picked, starts, axis=1)
            yield counts
        return
    generator = np.random.default_rng(seed)
    n = len(cells)
    sizes = np.bincount(cells, minlength=count)
    few = 12 * count < n  # then a count per cell is cheaper than a number per example
    step = max(1, _AT_ONCE // (count if few else max(n, count)))
    for start in range(0, DRAWS, step):
        rows = min(step, DRAWS - start)
        if few:
            yield generator.multinomial(n, sizes / n, size=rows)
            continue
        picked = cells.take(generator.integers(0, n, (rows, n)))
        picked += count * np.arange(rows)[:, None]
        yield np.bincount(picked.reshape(-1), minlength=rows * count).reshape(rows, count)


def sum_draws(values: Array, units: Array | None = None, seed: int = 0) -> Array:
    """The sums over the examples of each draw, (DRAWS, m), of values (n, m)."""
    if units is None:
        n = len(values)
        units = np.random.default_rng([seed, n]).permutation(n) % _BLOCKS if n > _BLOCKS else np.arange(n)
    count = int(units.max()) + 1
    sums = np.stack([np.bincount(units, column, count) for column in np.asarray(values, np.float64).T], axis=1)
    return np.concatenate([ops.matmul(drawn.astype(np.float64), sums).numpy() for drawn in _unit_draws(count, seed)])
