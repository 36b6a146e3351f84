"""page_sections.py -- the sections of a report's page, each as HTML, or "" if there is nothing to show in it."""

import os
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from pyneural.datasets.dataset import Dataset
from pyneural.evaluation.facts import facts
from pyneural.evaluation.labels_report import named
from pyneural.evaluation.report import Report
from pyneural.evaluation.report_text import notes, tables
from pyneural.evaluation.tables import Table
from pyneural.models.ensemble import Ensemble
from pyneural.plot.curves import history as curves
from pyneural.plot.curves import panel_names
from pyneural.plot.explanations import Explanation, are_images
from pyneural.plot.labels_sections import headline_of, labels_headline, labels_scores, labels_thresholds
from pyneural.plot.markup import element, escaped, listed, paragraphs, picture, table, terms
from pyneural.plot.page_content import Content
from pyneural.plot.page_pictures import Gallery, for_light_and_dark, stacked
from pyneural.plot.saved_plots import score_plots
from pyneural.version import VERSION

_MISTAKES = 10
_CAPTIONS = {  # of each plot, and the score that its alternative text gives
    "roc": ("ROC curve: sensitivity and specificity at every threshold", "roc_auc"),
    "precision_recall": ("Precision and recall at every threshold", "average_precision"),
    "calibration": (
        "Calibration: how often a probability comes true, and how many examples have it",
        "calibration_error",
    ),
    "confusion": ("Confusion: actual classes in rows, answers in columns", "accuracy"),
    "labels_average_precision": ("Average precision of each label, with its 95 % interval", "average_precision"),
    "labels_f1": ("F1 of each label, with its 95 % interval", "f1_macro"),
}
_HEADLINES = ("accuracy", "sensitivity", "specificity", "roc_auc")
_OF_MANY = ("accuracy", "balanced_accuracy", "top_5", "calibration_error")


def headline(content: Content) -> str:
    """The result in a sentence, and the scores that are looked at first."""
    report = content.report
    rows = dict(zip(report.estimates, tables(report)[0].rows, strict=True))
    if report.task.kind == "labels":
        return labels_headline(report, rows)
    always = f"Always answering {report.commonest} would be right for {100 * report.baseline['accuracy']:.2f} %."
    groups = "" if report.units is None else f" of {int(report.units.max()) + 1:,} groups"
    names = report.task.names
    classes = f"{names[0]} or {names[1]}" if len(names) == 2 else f"one of {len(names):,} classes"
    first = f"The model answers {classes} for each of {report.n:,} examples{groups}. {always}"
    shown = [rows[name] for name in (_HEADLINES if report.task.is_two_class else _OF_MANY) if name in rows]
    return headline_of(report, first, shown)


def caveats(content: Content) -> str:
    """What the figures do not say."""
    of = "examples" if content.report.units is None else "groups"
    always = (
        f"The intervals say how far a score would vary with other {of} from the same source. They do not cover another "
        "source, such as another device, place or time.",
        "A score is too good if anything was chosen with these examples: the threshold, the recipe, or the best of "
        "several models.",
    )
    return listed([*always, *content.caveats])


def data(content: Content) -> str:
    """The parts of the data, and whether groups are in both."""
    report, parts = content.report, _parts(content)
    with_groups = all(part.groups is not None for part in parts.values())
    names = report.task.names
    counts = [_counts(part, names) for part in parts.values()]
    classes = names if len(names) <= 10 and all(counts) else ()
    rows = [
        (name, f"{len(part):,}", *([_distinct(part)] if with_groups else []), *(f"{count[c]:,}" for c in classes))
        for (name, part), count in zip(parts.items(), counts, strict=True)
    ]
    said = []
    if with_groups and len(parts) > 1:
        both = len(set.intersection(*(set(_groups(parts[name])) for name in ("training", "test"))))
        said = [f"{f'{both:,} groups are' if both else 'No group is'} in both the training and the test part."]
    columns = ("part", "examples", *(["groups"] if with_groups else []), *classes)
    shown = table(Table(columns, rows), "Examples by part") if parts else ""
    others = [note for note in content.notes if not _on_threshold(note)]
    return shown + paragraphs(said) + (listed(others) if others else "")


def operating_point(content: Content) -> str:
    """The threshold of two classes, and what it does."""
    report = content.report
    if report.task.kind == "labels":
        return labels_thresholds(report)
    if not report.task.is_two_class:
        return ""
    task = report.task
    chosen = "the default" if task.threshold == 0.5 else "which the model had before this evaluation"
    said = [f"The answer is {task.label(1)} from a probability of {task.threshold:.4g}, {chosen}."]
    if task.temperature != 1:
        said.append(f"The probabilities are calibrated, with the temperature {task.temperature:.4g}.")
    origin = [note for note in content.notes if _on_threshold(note)]
    shown = table(tables(report)[1], f"Answers at the threshold {task.threshold:.4g}")
    return paragraphs(said) + (listed(origin) if origin else "") + shown


def scores(content: Content) -> str:
    """All scores with their intervals, and those by class."""
    first, *others = tables(content.report)
    first = first._replace(columns=("score", *first.columns[1:]))
    if content.report.task.kind == "labels":
        return labels_scores(content.report, first, others)
    by_class = table(others[-1], "Scores by class, with their 95 % intervals")
    return (
        table(first, "All scores, with those of always giving one answer")
        + by_class
        + paragraphs(notes(content.report))
    )


def curves_of(content: Content) -> str:
    """The plots of the scores."""
    report = content.report
    if not np.isfinite(report.outputs).all():
        return ""
    drawn = score_plots(report)
    found = [
        _plot(drawn[name], caption, f"{caption}; {score.replace('_', ' ')} {report.estimates[score]}")
        for name, (caption, score) in _CAPTIONS.items()
        if name in drawn
    ]
    return element("div", "".join(found), "plots")


def mistakes(content: Content) -> str:
    """The worst mistakes: with their images, or as a table."""
    report = content.report
    rows = report.mistakes[:_MISTAKES].tolist()
    if not rows:
        return paragraphs(["There are none."])
    total = len(report.mistakes)
    wrong = "examples have a wrong answer" if report.task.kind == "labels" else "answers are wrong"
    said = paragraphs([f"{total:,} of {report.n:,} {wrong}. {_of_worst(len(rows), report)}"])
    names = _names(report)
    if content.part is None or not are_images(content.part):
        cells = [(names(row), *_actual_and_answer(report, row), _probability(report, row)) for row in rows]
        head = ("example", "actual", "answer", "probability")
        which = "worst" if report.task.kind == "labels" else "most confident"
        return said + table(Table(head, cells), f"The {len(rows)} {which} mistakes")
    gallery = Gallery(content.part.x, rows)
    found = [
        element("li", element("figure", picture(gallery.image(row), f"The image {names(row)}", kind=_look(content.part))
        + element("figcaption", _caption(report, row, names(row)))))
        for row in rows
    ]  # fmt: skip
    return said + element("ol", "".join(found), "gallery")


def heat_maps(content: Content) -> str:
    """Examples with their heat maps."""
    explained, part = content.explained, content.part
    if explained is None or part is None or not any(one.maps for one in explained.shown):
        return ""
    said = [
        "Bright is where the model saw evidence for its answer, from black over purple and orange to yellow. The maps "
        "describe the network, not the patient or object: they may mark what an expert would not look at. The right "
        "answers are the most confident ones of each class, the wrong ones the worst mistakes."
    ]
    gallery = Gallery(part.x, [one.row for one in explained.shown])
    found = [element("li", _explained(content, gallery, one)) for one in explained.shown]
    return paragraphs(said) + element("ul", "".join(found), "maps") + paragraphs(explained.missing)


def training(content: Content) -> str:
    """What the model is and how it was trained, with the curves of the training."""
    model, history = content.model, content.history
    found = ""
    if model is not None:
        found += terms([("network", str(model)), *facts(model)])
    if history is not None and history.epochs:
        count = len(panel_names(history))
        of = " of the first model" if isinstance(model, Ensemble) else ""
        caption = f"Training{of} over {history.epochs} epoch{'s' * (history.epochs > 1)}"
        ended = ", ".join(
            f"{name.replace('_', ' ')} {values[-1]:.4g}" for name, values in history.items() if name != "seconds"
        )
        drawn = _plot(
            lambda: stacked(lambda ax: curves(history, ax=ax), count), caption, f"{caption}; at the end {ended}"
        )
        found += element("div", drawn, "plots")
    return found


def reproduction(content: Content) -> str:
    """Versions, fingerprints and the command."""
    found = [("versions", f"pyneural {VERSION}, Python {platform.python_version()}, NumPy {np.__version__}")]
    known = "" if content.model is None else content.model.fingerprint()
    trained = "" if content.history is None else content.history.fingerprint
    found += [("fingerprint of the model", known)] if known else []
    which = "of the first model's training" if isinstance(content.model, Ensemble) else "at the end of training"
    found += [(f"fingerprint {which}", trained)] if trained not in ("", known) else []
    if content.report.mark:
        found.append(("hash of the test inputs", content.report.mark))
    found += [(name, text) for name, text in (("command", content.command), ("date", content.date)) if text]
    return terms(found)


def _of_worst(count: int, report: Report) -> str:
    name = "its number" if report.files is None else "its file"
    if report.task.kind == "labels":
        return (
            f"The worst {count} are listed, those with most wrong labels first: each with the labels that apply, the "
            f"answer, the lowest probability of its answers, and {name}."
        )
    ones = f"These are the {count} most confident ones" if count > 1 else "This is the one"
    return f"{ones}: each with the answer and the actual class, the probability, and {name}."


# ---- parts of sections ----------------------------------------------------------------------------------------------


def _on_threshold(note: str) -> bool:
    return note.lower().startswith(("threshold", "temperature"))


def _plot(draw: Callable[[], Any], caption: str, alt: str) -> str:
    light, dark = for_light_and_dark(draw)
    return element("figure", picture(light, alt, dark) + element("figcaption", escaped(caption)))


def _parts(content: Content) -> dict[str, Dataset]:
    """The parts of the data by their names on the page."""
    if content.data is None:
        return {} if content.part is None else {"test": content.part}
    found = {"training": content.data.train, "validation": content.data.validation, "test": content.data.test}
    return {name: part for name, part in found.items() if part is not None}


def _counts(part: Dataset, names: tuple[str, ...]) -> dict[str, int]:
    """The number of examples of each class by name; {} if they cannot be counted."""
    try:
        counts = part.counts()
    except TypeError:
        return {}
    return {name: counts.get(name, 0) for name in names} if set(counts) <= set(names) else {}


def _groups(part: Dataset) -> list[Any]:
    return [] if part.groups is None else list(part.groups.tolist())


def _distinct(part: Dataset) -> str:
    return f"{len(set(_groups(part))):,}"


def _names(report: Report) -> Callable[[int], str]:
    """What an example is called: its file, below the folder that all files share, or its number."""
    if report.files is None:
        return lambda row: f"example {row}"
    files = [Path(str(file)) for file in report.files]
    alike = len({file.is_absolute() for file in files}) == 1
    folder = os.path.commonpath([file.parent for file in files]) if alike else ""
    return lambda row: str(files[row].relative_to(folder) if folder else files[row])


def _actual_and_answer(report: Report, row: int) -> tuple[str, str]:
    if report.task.kind == "labels":
        return named(report.task, report.labels[row]), named(report.task, report.predictions[row])
    return report.task.label(int(report.labels[row])), report.task.label(int(report.predictions[row]))


def _probability(report: Report, row: int) -> str:
    """Of the positive class of two, or of the answer."""
    if report.positive is None:
        return f"{report.confidence[row]:.4g}"
    return f"{report.positive[row]:.4g} of {report.task.label(1)}"


def _caption(report: Report, row: int, name: str) -> str:
    actual, answer = _actual_and_answer(report, row)
    words = f"{answer}, which is right" if actual == answer else f"{answer}, but it is {actual}"
    return (
        element("strong", escaped(words))
        + element("span", escaped(f"probability {_probability(report, row)}"))
        + element("bdi", escaped(name), "file")
    )


def _look(part: Dataset) -> str:
    """The class of an image: small ones show their pixels."""
    return "pixels" if max(part.x.shape[1:3]) <= 64 else "photo"


def _explained(content: Content, gallery: Gallery, one: Explanation) -> str:
    report, part = content.report, content.part
    assert part is not None
    name = _names(report)(one.row)
    _, answer = _actual_and_answer(report, one.row)
    pictures = [(gallery.image(one.row), f"The image {name}", "image")]
    for method, values in one.maps.items():
        words = f"{method} of {name} for {answer}" + ("" if values.any() else ", which has no evidence for it")
        pictures.append((gallery.under(values, one.row), words, method if values.any() else f"{method}: nothing"))
    columns = "".join(
        element("div", picture(png, alt, kind=_look(part)) + element("span", escaped(below)))
        for png, alt, below in pictures
    )
    right = report.predictions[one.row] == report.labels[one.row]
    return element(
        "figure",
        element("div", columns, "row") + element("figcaption", _caption(report, one.row, name)),
        "right" if right else "wrong",
    )
