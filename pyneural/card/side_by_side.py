"""side_by_side.py -- SideBySide: the columns of several models that take the same table, each in its own numbers."""

from dataclasses import dataclass

import numpy as np

from pyneural.arguments.arrays import Array
from pyneural.card.columns import Columns
from pyneural.card.table import Table


@dataclass(frozen=True)
class SideBySide(Columns):
    """A table as the numbers of one model after the other, since their training rows may have differed.

    Args:
        members: the columns of the models; `rules` are those of the first.
    """

    members: tuple[Columns, ...] = ()

    @classmethod
    def of(cls, members: tuple[Columns | None, ...]) -> Columns | None:
        """The columns that all have; or what each has, if they differ; None if one has none."""
        known = tuple(one for one in members if one is not None)
        if len(known) < len(members):
            return None
        return known[0] if len(set(known)) == 1 else cls(known[0].rules, known)

    @property
    def is_plain(self) -> bool:
        """Whether every column becomes itself, in every model."""
        return all(one.is_plain for one in self.members)

    def encoded(self, table: Table, who: str) -> tuple[Array, str]:
        """The numbers of all members, side by side; and the words of the first that has any."""
        parts = [one.encoded(table, who) for one in self.members]
        return np.concatenate([x for x, _ in parts], axis=1), next((odd for _, odd in parts if odd), "")


def widths_of(members: tuple[Columns | None, ...]) -> tuple[int, ...]:
    """How many numbers of a table each has in SideBySide; () if all have the same."""
    table = SideBySide.of(members)
    return tuple(len(one.features) for one in table.members) if isinstance(table, SideBySide) else ()
