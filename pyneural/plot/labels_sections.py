"""labels_sections.py -- what a report's page says of several labels, where it differs from that of classes."""

from collections.abc import Sequence

from pyneural.evaluation.report import Report
from pyneural.evaluation.report_text import notes
from pyneural.evaluation.tables import Table
from pyneural.plot.markup import element, escaped, paragraphs, table

_HEADLINES = ("accuracy", "exact_match", "f1_macro", "average_precision")


def headline_of(report: Report, first: str, shown: Sequence[tuple[str, ...]]) -> str:
    """The result in a sentence, and the rows of the scores that are looked at first."""
    cells = [
        element("dt", escaped(name))
        + element("dd", element("strong", escaped(value)) + element("span", escaped(bounds)))
        for name, value, bounds, _ in shown
    ]
    warned = paragraphs([report.note], "note") if report.note else ""
    figures = element("dl", "".join(element("div", cell) for cell in cells), "headline")
    return warned + paragraphs([first]) + figures + paragraphs(["Below each score is its 95 % interval."], "quiet")


def labels_headline(report: Report, rows: dict[str, tuple[str, ...]]) -> str:
    """The headline; `rows` are those of the table of scores, by name."""
    groups = "" if report.units is None else f" of {int(report.units.max()) + 1:,} groups"
    share = 100 * report.baseline["accuracy"]
    first = (
        f"The model answers {report.task.outputs} labels, each yes or no, for each of {report.n:,} examples{groups}. "
        f"Giving each label its commoner answer would be right for {share:.2f} %."
    )
    return headline_of(report, first, [rows[name] for name in _HEADLINES])


def labels_thresholds(report: Report) -> str:
    """The threshold of each label."""
    task = report.task
    said = ["A label applies from its threshold on."]
    if task.temperature != 1:
        said.append(f"The probabilities are calibrated, with the temperature {task.temperature:.4g}.")
    pairs = zip(task.names, task.by_label, strict=True)
    rows = [(name, f"{share:.4g}") for name, share in pairs]
    return paragraphs(said) + table(Table(("label", "threshold"), rows), "The threshold of each label")


def labels_scores(report: Report, all_scores: Table, others: Sequence[Table]) -> str:
    """All scores with their intervals, and those by label."""
    first = table(all_scores, "All scores, with those of giving each label its commoner answer")
    by_label = [table(one, "Scores by label, with their 95 % intervals") for one in others]
    return first + "".join(by_label) + paragraphs(notes(report))
