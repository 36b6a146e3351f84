"""xray_files.py -- what a run of the chest X-ray detector writes besides its model: plots, answers, a page."""

from itertools import takewhile
from pathlib import Path
from typing import Any

from pyneural.apps.xray_result import XrayRun
from pyneural.apps.xray_words import CAVEAT, SHIFT, is_of_xrays
from pyneural.arguments.typed import typed
from pyneural.plot.explanations import explanations
from pyneural.plot.page_content import Content
from pyneural.plot.report_page import write_page
from pyneural.plot.saved_plots import check_outputs as checked
from pyneural.plot.saved_plots import plots_folder, write_plots
from pyneural.printing import SEPARATOR

_TITLE = "Pneumonia on chest X-rays of children"
_GROUPS = "A group is a patient, or patients who share an identical image."
_CAVEATS = (
    f"{SHIFT[0].upper()}{SHIFT[1:]}.",
    "Images of another hospital, device or age group are another distribution again: expect other figures.",
    CAVEAT,
)


def check_outputs(
    plots: str | Path | None, csv: str | Path | None, html: str | Path | None, *, model: str | Path | None = None
) -> None:
    """Checks, before any work, that what is asked for can be written; makes the folder for plots.

    Raises:
        TypeError, ValueError, OSError: a path cannot be written to, or is given twice.
        ImportError: plots or a page are asked for, and matplotlib is not installed.
    """
    checked("xray", plots, csv, html, model=model)


def write_outputs(
    run: XrayRun, *, plots: str | Path | None, csv: str | Path | None, html: str | Path | None
) -> list[str]:
    """Writes what is asked for, and returns the lines that say so.

    Args:
        run: the result of pn.apps.xray.
        plots: a folder for the plots and heat maps.
        csv: a file for the answer to each test image.
        html: a file for the page.

    Raises:
        OSError: a file cannot be written.
    """
    report, test = run.report, run.data.test
    asked = [str(path) for path in (plots, csv, html) if path is not None]
    if report is None or test is None:
        return [f"training was interrupted, so nothing is written to {', '.join(asked)}"] if asked else []
    lines = []
    explained = explanations(run.model, report, test) if plots is not None or html is not None else None
    if csv is not None:
        report.to_csv(csv)
        lines.append(f"answers in {csv}")
    if plots is not None:
        root = plots_folder("xray: --plots", plots)
        names = write_plots("xray: --plots", report, test, root, history=run.history, explained=explained)
        lines.append(f"plots in {root}: {', '.join(names)}")
    if html is not None:
        content = Content(
            report,
            run.data,
            test,
            run.model,
            run.history,
            explained,
            _TITLE,
            (*_notes(run), *([_GROUPS] if report.groups is not None else [])),
            _CAVEATS,
            typed(),
        )
        write_page("xray: --html", Path(html), content)
        lines.append(f"page in {html}")
    return lines


def caveats_of(model: Any) -> tuple[str, ...]:
    """What a page must say of a model that was trained on these X-rays; () for any other."""
    return _CAVEATS if is_of_xrays(model) else ()


def _notes(run: XrayRun) -> list[str]:
    """What was printed before the table of scores, which the page has anyway."""
    return [line.strip(SEPARATOR) for line in takewhile(bool, run.lines)]
