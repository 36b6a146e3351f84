"""markup.py -- HTML as text: everything shown is escaped, tables have captions, images have alternative texts.

Pages made with it run no script, request nothing, and embed their images.
"""

import binascii
import re
from collections.abc import Iterable

from pyneural.evaluation.tables import Table

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})
# what HTML cannot hold, and marks that turn the direction of the text around them
_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\ufffe\uffff]")


def escaped(text: object) -> str:
    """A text as HTML shows it, in an element or in an attribute."""
    return _FORBIDDEN.sub("\ufffd", str(text)).translate(_ESCAPES)


def element(name: str, inside: str, kind: str = "", **attributes: str) -> str:
    """An element.

    Args:
        name: its name.
        inside: HTML.
        kind: its class, or "".
        attributes: texts.
    """
    given = {"class": kind} | attributes if kind else attributes
    written = "".join(f' {key}="{escaped(value)}"' for key, value in given.items())
    return f"<{name}{written}>{inside}</{name}>"


def paragraphs(texts: Iterable[str], kind: str = "") -> str:
    """A paragraph for each text."""
    return "".join(element("p", escaped(text), kind) for text in texts)


def listed(texts: Iterable[str]) -> str:
    """A list of texts."""
    return element("ul", "".join(element("li", escaped(text)) for text in texts))


def terms(pairs: Iterable[tuple[str, str]]) -> str:
    """A description list: names and their texts."""
    rows = (element("dt", escaped(name)) + element("dd", escaped(text)) for name, text in pairs)
    return element("dl", "".join(element("div", row) for row in rows), "terms")


def table(found: Table, caption: str) -> str:
    """A table, which scrolls by itself where the screen is narrower."""
    head = "".join(element("th", escaped(column), scope="col") for column in found.columns)
    rows = [
        element("th", escaped(first), scope="row") + "".join(element("td", escaped(_tied(cell))) for cell in rest)
        for first, *rest in found.rows
    ]
    body = "".join(element("tr", row) for row in rows)
    inside = element("caption", escaped(caption)) + element("thead", element("tr", head)) + element("tbody", body)
    return element("div", element("table", inside), "scroll", tabindex="0", role="region", **{"aria-label": caption})


def picture(png: bytes, alt: str, dark: bytes | None = None, kind: str = "") -> str:
    """An image.

    Args:
        png: its bytes.
        alt: its content in words.
        dark: the bytes for dark screens.
        kind: its class, or "".
    """
    width, height = (int.from_bytes(png[at : at + 4], "big") for at in (16, 20))  # of the header of a PNG
    sort = f' class="{kind}"' if kind else ""
    shown = f'<img{sort} src="{_as_data(png)}" alt="{escaped(alt)}" width="{width}" height="{height}">'
    if dark is None:
        return shown
    source = f'<source media="screen and (prefers-color-scheme: dark)" srcset="{_as_data(dark)}">'
    return element("picture", source + shown)


def _tied(cell: str) -> str:
    """A cell whose lines do not break within an interval or before a percent sign."""
    return cell.replace(", ", ",\u00a0").replace(" %", "\u00a0%")


def _as_data(png: bytes) -> str:
    return "data:image/png;base64," + binascii.b2a_base64(png, newline=False).decode()
