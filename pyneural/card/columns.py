"""columns.py -- reorders the columns of a table by name, as in the training data.

A module of its own, though small: the room for categories and missing values.
"""

from pyneural.arguments.arrays import Array
from pyneural.card.classes import Names, listed


def in_order_of(x: Array, given: Names, wanted: Names, who: str) -> Array:
    """The columns of x, which are named `given`, in the order `wanted`; x unchanged if either has no names.

    Raises:
        ValueError: columns are missing, or unknown; the message names them.
    """
    if not given or not wanted or given == wanted:
        return x
    missing = [name for name in wanted if name not in given]
    extra = [name for name in given if name not in wanted]
    if missing or extra:
        wrong = [f"no {_columns(missing)}"] if missing else []
        wrong += [f"the {_columns(extra)}, which the training data did not have"] if extra else []
        raise ValueError(f"{who}: x has {', and '.join(wrong)}: give the columns {listed(wanted)}")
    return x[..., [given.index(name) for name in wanted]]


def _columns(names: list[str]) -> str:
    return f"column{'s' * (len(names) > 1)} {listed(names)}"
