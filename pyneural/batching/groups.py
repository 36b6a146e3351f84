"""groups.py -- the groups of training and validation examples, in words; a warning if some are in both."""

from pyneural.arguments.arrays import Array
from pyneural.arguments.checks import warn


def said_of_groups(groups: Array, held: Array) -> str:
    """A description of the groups in training and validation; warns if some are in both."""
    train = set(groups.tolist())
    second = set(held.tolist())
    common = sorted(train & second)
    if common:
        warn(
            f"fit: {len(common):,} groups are in both the training and the validation data, such as {common[0]!r}: the "
            "validation results are too good; remove them from one, or let fit split: validation=0.1"
        )
    shared = f"{len(common):,} in both" if common else "none in both"
    return f", by group: {len(train):,} and {len(second):,} groups, {shared}"
