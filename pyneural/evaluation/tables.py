"""tables.py -- tables of results, as text that fits a number of columns, and as HTML.

The HTML has no colours of its own, so it is legible wherever the text around it is.
"""

from collections.abc import Sequence
from textwrap import wrap
from typing import NamedTuple

from pyneural.printing import shortened

_GAP = "  "
_NAME = 14  # the fewest characters to which a name is cut


class Table(NamedTuple):
    """A table: the names of its columns, the first of which names the rows, and the cells of each row."""

    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def as_text(tables: Sequence[Table], title: Sequence[str], notes: Sequence[str], columns: int) -> str:
    """The title, the tables and the notes, in lines of at most `columns` characters."""
    from_above = [line for text in title for line in wrap(text, columns, break_on_hyphens=False)]
    parts = ["\n".join(from_above), *("\n".join(_lines(table, columns)) for table in tables)]
    if notes:
        parts.append("\n".join(line for note in notes for line in wrap(note, columns, break_on_hyphens=False)))
    return "\n\n".join(parts)


def as_html(tables: Sequence[Table], title: Sequence[str], notes: Sequence[str]) -> str:
    """The same for a notebook."""
    parts = [f"<p>{'<br>'.join(map(escaped, title))}</p>"]
    for table in tables:
        heads = "".join(f'<th scope="col" style="{_align(i)}">{escaped(c)}</th>' for i, c in enumerate(table.columns))
        rows = [
            "".join(
                f'<th scope="row" style="{_align(0)}">{escaped(cell)}</th>' if not i else
                f'<td style="{_align(i)}">{escaped(cell)}</td>' for i, cell in enumerate(row)
            )
            for row in table.rows
        ]  # fmt: skip
        body = "".join(f"<tr>{row}</tr>" for row in rows)
        parts.append(f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>")
    parts += [f"<p>{escaped(note)}</p>" for note in notes]
    return f"<div>{''.join(parts)}</div>"


def escaped(text: str) -> str:
    """A text as HTML shows it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _align(column: int) -> str:
    return f"text-align: {'right' if column else 'left'}; padding: 0 0.6em"


def _lines(table: Table, columns: int) -> list[str]:
    """A line per row if they fit, with names cut if needed; else a line per cell, below the name of its row."""
    cells = [table.columns, *table.rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(table.columns))]
    rest = sum(len(_GAP) + width for width in widths[1:])
    if min(widths[0], _NAME) + rest > columns:
        return _stacked(table, columns)
    widths[0] = min(widths[0], columns - rest)
    return [
        (
            shortened(row[0], widths[0]).ljust(widths[0])
            + "".join(_GAP + row[i].rjust(widths[i]) for i in range(1, len(row)))
        ).rstrip()
        for row in cells
    ]


def _stacked(table: Table, columns: int) -> list[str]:
    width = max(map(len, table.columns[1:]))
    lines = []
    for name, *cells in table.rows:
        lines.append(shortened(name, columns))
        for column, cell in zip(table.columns[1:], cells, strict=True):
            if cell:
                lines += [shortened(f"{_GAP}{column.ljust(width)}{_GAP}{cell}", columns)]
    return lines
