"""csv_summary.py -- what was read from a CSV file, as a table: each column with its kind."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from pyneural.arguments.checks import warn
from pyneural.card.table import Column
from pyneural.datasets.csv_columns import Collected
from pyneural.datasets.csv_text import DELIMITERS, Text
from pyneural.printing import shortened

_HEADS = ("column", "kind", "missing", "distinct")
_MOST = 40  # columns that are listed
_LONGEST = 40  # characters of a name
_PAIRS = 3  # pairs of values that a warning shows


def summary(text: Text, columns: Sequence[Collected], roles: Mapping[str, str], left_out: Mapping[str, str]) -> str:
    """The table of all columns: column, kind, missing, distinct.

    Args:
        text: the file.
        columns: the columns.
        roles: what some of them are, in words, by name.
        left_out: why some are left out, in words, by name.
    """
    lines = [_HEADS, *(_row(one, roles, left_out) for one in columns[:_MOST])]
    widths = [max(len(line[at]) for line in lines) for at in range(len(_HEADS))]
    shown = [
        "  ".join((*(line[at].ljust(widths[at]) for at in (0, 1)), *(line[at].rjust(widths[at]) for at in (2, 3))))
        for line in lines
    ]
    if len(columns) > _MOST:
        shown.append(f"and {len(columns) - _MOST:,} more columns")
    return "\n".join(line.rstrip() for line in (_first(text, columns), *(f"  {line}" for line in shown)))


def warn_of_capitals(text: Text, columns: Sequence[Column]) -> None:
    """Warns of categories or classes of which two differ in capitals only; single letters may be meant so."""
    pairs = []
    for column in columns:
        first: dict[str, str] = {}
        for name in column.names if column.kind == "category" else ():
            other = first.setdefault(name.casefold(), name)
            if other != name and len(name) > 1:
                pairs.append(f"'{shortened(other, 40)}' and '{shortened(name, 40)}' in the column '{column.name}'")
                break
    if pairs:
        more = f" and {len(pairs) - _PAIRS:,} more columns" if len(pairs) > _PAIRS else ""
        warn(
            f"{text.who}: values differ in capitals only, and count as different: {', '.join(pairs[:_PAIRS])}{more}: "
            "write them in one way if they mean the same"
        )


def _first(text: Text, columns: Sequence[Collected]) -> str:
    """What the file is."""
    name = text.source.name if isinstance(text.source, Path) else "text"
    facts = [f"{columns[0].rows:,} row{'s' * (columns[0].rows > 1)}", f"{len(columns):,} columns"]
    if text.delimiter != ",":
        facts.append(f"separated by {DELIMITERS[text.delimiter]}")
    if any(one.mark == "," for one in columns):
        facts.append("with decimal commas")
    if text.encoding == "cp1252":
        facts.append("not UTF-8, so read as Windows-1252")
    return f"{name}: {', '.join(facts)}"


def _row(one: Collected, roles: Mapping[str, str], left_out: Mapping[str, str]) -> tuple[str, ...]:
    name = shortened(one.name, _LONGEST)
    if one.name in left_out:
        return name, left_out[one.name], "", ""
    kind = one.column(booleans=one.name not in roles).kind
    role = roles.get(one.name, "")
    return name, f"{kind}, {role}" if role else kind, f"{one.missing:,}", f"{one.distinct:,}"
