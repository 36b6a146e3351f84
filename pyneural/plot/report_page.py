"""report_page.py -- a report as one self-contained HTML file: no scripts, no requests, embedded images."""

import binascii
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyneural.plot.page_sections as sections
from pyneural.arguments.checks import text
from pyneural.arguments.familiar_keywords import OF_PAGE
from pyneural.arguments.paths import writable, write_whole
from pyneural.arguments.spelling import check_keywords
from pyneural.datasets.dataset import Dataset
from pyneural.datasets.splits import Splits, as_dataset
from pyneural.evaluation.report import Report
from pyneural.plot.answers import check_answers
from pyneural.plot.explanations import are_images, explanations
from pyneural.plot.markup import element, escaped
from pyneural.plot.page_content import Content
from pyneural.plot.saved_plots import check_matplotlib
from pyneural.training.history import History
from pyneural.version import VERSION

_HERE = Path(__file__).parent
_SECTIONS = (
    ("limits", "What these figures do not say", sections.caveats),
    ("data", "Data", sections.data),
    ("threshold", "Operating point", sections.operating_point),
    ("scores", "Scores", sections.scores),
    ("curves", "Curves", sections.curves_of),
    ("mistakes", "Worst mistakes", sections.mistakes),
    ("heat-maps", "Where the model looked", sections.heat_maps),
    ("training", "Model and training", sections.training),
    ("reproduction", "Versions and fingerprints", sections.reproduction),
)


@check_keywords(**OF_PAGE)
def page(
    report: Report,
    path: str | Path,
    *,
    data: Any = None,
    model: Any = None,
    history: History | None = None,
    title: str = "",
    notes: Sequence[str] = (),
    caveats: Sequence[str] = (),
    command: str = "",
    date: str = "",
) -> Path:
    """Writes a report of classes, or of several labels, as one HTML page, to read in any browser, to print or to send.

    The page has all scores with their intervals, the curves, the operating point and what the figures do not say; with
    `data` the worst mistakes as images, with `model` how it was trained, and with both heat maps; with `history` the
    curves of the training.  It runs no script, loads nothing, and embeds its images; the same arguments give the same
    bytes.

    Args:
        report: the result of pn.evaluate.
        path: the file, which is written atomically.
        data: the data that was evaluated; or data in parts, of which the test part was evaluated.
        model: the model, or the pn.Ensemble.
        history: the result of pn.fit; for an Ensemble, that of its first model.
        title: the page's title; "" is the name of the data.
        notes: sentences on the data and the run.
        caveats: sentences on what the figures do not say, besides the general ones.
        command: the command line that gave the result.
        date: shown at the end; "" is none.

    Returns:
        The path.

    Raises:
        ValueError, TypeError: the report is of a regression, or of other data.
        OSError: the file cannot be written.
        ImportError: matplotlib is not installed.

    >>> import tempfile
    >>> data = pn.datasets.mnist("sample").test
    >>> model = pn.Sequential(pn.Flatten(), pn.Dense(10))
    >>> history = pn.fit(model, data, epochs=1, verbose=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     written = pn.plot.page(pn.evaluate(model, data, verbose=0), Path(folder) / "digits.html", history=history)
    ...     written.stat().st_size < 1_000_000
    True
    """
    who = "plot.page"
    check_answers(report, "page")
    if history is not None and not isinstance(history, History):
        raise TypeError(f"{who}: history is {type(history).__name__}: give the result of pn.fit")
    for name, value in (("title", title), ("command", command), ("date", date)):
        text(who, name, value)
    said = _sentences("notes", notes), _sentences("caveats", caveats)
    parts, part = _evaluated(report, data)
    target = writable(who, path)
    check_matplotlib(who)
    explained = None
    by_class = report.task.kind != "labels" and model is not None and not isinstance(model.card.task, dict)
    if by_class and part is not None and are_images(part):
        explained = explanations(model, report, part)
    known = Content(report, parts, part, model, history, explained, title, *said, command, date)
    write_page(who, target, known)
    return target


def write_page(who: str, path: Path, content: Content) -> None:
    """Writes the page; messages start with `who`."""
    write_whole(who, path, html(content).encode())


def html(content: Content) -> str:
    """The page as text."""
    from string import Template  # only here, so that importing pyneural does not take longer

    style = (_HERE / "page.css").read_text(encoding="utf-8")
    template = Template((_HERE / "page.html").read_text(encoding="utf-8"))
    report = content.report
    made = [(name, heading, draw(content)) for name, heading, draw in _SECTIONS]
    shown = [(name, heading, inside) for name, heading, inside in made if inside]
    body = "\n".join(
        f'<section id="{name}" aria-labelledby="{name}-title">'
        f"{element('h2', escaped(heading), id=f'{name}-title')}{inside}</section>"
        for name, heading, inside in shown
    )
    return template.substitute(
        title=escaped(content.title or report.name or "Evaluation"),
        version=escaped(VERSION),
        style=style,
        style_hash=binascii.b2a_base64(hashlib.sha256(style.encode()).digest(), newline=False).decode(),
        headline=sections.headline(content),
        links="".join(element("li", element("a", escaped(heading), href=f"#{name}")) for name, heading, _ in shown),
        sections=body,
    )


def _sentences(name: str, given: Sequence[str]) -> tuple[str, ...]:
    if isinstance(given, str) or not all(isinstance(one, str) for one in given):
        raise TypeError(f"plot.page: {name} is {given!r}: give a list of sentences")
    return tuple(given)


def _evaluated(report: Report, data: Any) -> tuple[Splits | None, Dataset | None]:
    """The data in parts, if it is given so, and the part that the report is of."""
    parts = data if isinstance(data, Splits) else None
    if parts is not None and parts.test is None:
        raise ValueError("plot.page: data has no test part: give the data that was evaluated")
    given = data if parts is None else parts.test
    if given is None:
        return None, None
    part = as_dataset(given, "plot.page")
    if len(part) != report.n:
        raise ValueError(f"plot.page: the report is of {report.n:,} examples, data has {len(part):,}: give the same")
    return parts, part
