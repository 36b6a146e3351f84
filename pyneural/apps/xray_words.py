"""xray_words.py -- what a run of the chest X-ray detector prints, which is also kept in its result."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pyneural.datasets.dataset import Dataset
from pyneural.evaluation.lines import say
from pyneural.evaluation.report import Report
from pyneural.metrics.estimate import Estimate
from pyneural.models.model import Model
from pyneural.printing import SEPARATOR, put

_WORST = 10  # the mistakes that are listed
CAVEAT = "This is not a medical device: do not use it for diagnosis."
SHIFT = (
    "the test images come from another distribution than the training images, and a better result on validation need "
    "not be better on test"
)
_DATA = ("chest_xray", "pneumonia_mnist")  # the names of these X-rays


def is_of_xrays(model: Any) -> bool:
    """Whether a model was trained on these X-rays, so that its answers come with the caveats."""
    return str(model.card.data).split(" ")[0] in _DATA


class Lines:
    """The lines of a run.

    Attributes:
        verbose: 0 prints nothing.
        kept: the lines so far.
    """

    def __init__(self, verbose: int) -> None:
        self.verbose = verbose
        self.kept: list[str] = []

    def say(self, *parts: str) -> None:
        """Keeps a line of parts, and prints it."""
        self.kept.append(SEPARATOR.join(parts))
        if self.verbose:
            say(parts)

    def show(self, text: str) -> None:
        """Keeps and prints a text of several lines, with an empty line before and after it."""
        self.kept += ["", *text.splitlines(), ""]
        if self.verbose:
            put(f"\n{text}\n")


def say_parts(held: Dataset, fold: str, lines: Lines) -> None:
    """Prints which images validate the network that is trained next."""
    lines.say(
        f"validation: {fold}, {len(held):,} images{_of_groups(held)}", "temperature and threshold are chosen on it"
    )


def say_recipe(model: Model, epochs: int, lines: Lines) -> None:
    """Prints what is trained, in short; the line of fit has the rest."""
    assert model.input_shape is not None
    height, width, _ = model.input_shape
    values = sum(tensor.size for tensor in model.parameters.values())
    lines.say(
        f"recipe: a residual CNN for {height} x {width} pixels, {values:,} parameters, trained from scratch",
        f"{epochs} epoch{'s' * (epochs > 1)}, and the running mean of the weights after the last one",
        "predictions are means over the image and its mirror image",
    )


def say_chosen(report: Report, rule: str, lines: Lines) -> None:
    """Prints the threshold and the temperature, with the report on the images that they were chosen on."""
    task = report.task
    lines.say(
        f"threshold {task.threshold:.4g} ({rule})",
        f"temperature {task.temperature:.4g}",
        f"ROC AUC {report.roc_auc}, sensitivity {report.sensitivity}, specificity {report.specificity}",
        f"n = {report.n:,}, on which they were chosen",
        *_note(report),
    )


def say_networks(reports: Sequence[Report], lines: Lines) -> None:
    """Prints the mean result of several networks, each on its own validation images."""
    areas, shares = _areas_and_shares(reports)
    lines.say(
        f"{len(reports)} networks, each on its own validation images: mean ROC AUC {_share(areas)}",
        f"from {min(areas):.4f} to {max(areas):.4f}",
        f"mean accuracy {_share(shares, percent=True)}, with the thresholds that were chosen there",
        "intervals of the mean, by the spread of the networks",
        *_note(reports[0]),
    )


def say_each(seeds: Sequence[int], validation: Sequence[Report], tests: Sequence[Report], lines: Lines) -> None:
    """Prints the results of several networks on the test images, and their mean and standard deviation."""
    for seed, held, test in zip(seeds, validation, tests, strict=True):
        lines.say(
            f"seed {seed}: ROC AUC {held.roc_auc:.4f} on validation",
            f"on test {test.roc_auc:.4f}, accuracy {100 * (test.accuracy or 0):.2f} %",
            f"threshold {test.task.threshold:.4g}",
            *_note(test),
        )
    (area, share), spread = np.mean(_areas_and_shares(tests), axis=1), np.std(_areas_and_shares(tests), axis=1, ddof=1)
    lines.say(
        f"mean of {len(tests)} seeds on test, ± standard deviation: ROC AUC {area:.4f} ± {spread[0]:.4f}",
        f"accuracy {100 * share:.2f} % ± {100 * spread[1]:.2f}",
        *_note(tests[0]),
    )


def say_found(report: Report, validation: Report, lines: Lines) -> None:
    """Prints the results on the test images, beside those on the validation images."""
    positive = report.task.label(1)
    lines.say(
        f"test: {report.n:,} images{_of_groups(report)}",
        f"prevalence of {positive} {100 * float((report.labels == 1).mean()):.2f} %",
        f"threshold {report.task.threshold:.4g}, from validation",
        *_note(report),
    )
    lines.show(str(report))
    _say_worst(report, lines)
    lines.say(
        f"ROC AUC {validation.roc_auc} on validation, {report.roc_auc} on test",
        SHIFT,
        *_note(report),
    )
    lines.say(CAVEAT)


def _say_worst(report: Report, lines: Lines) -> None:
    """The most confident mistakes, by file."""
    shown = report.mistakes[:_WORST].tolist()
    if not shown:
        return
    mistakes = len(report.mistakes)
    of = f"the {len(shown)} worst of {mistakes:,} mistakes" if mistakes > _WORST else f"mistakes: {mistakes}"
    lines.say(*_note(report), f"{of}, with the probability of {report.task.label(1)}:")
    assert report.positive is not None
    for row in shown:
        name = f"image {row}" if report.files is None else "/".join(Path(report.files[row]).parts[-3:])
        label = report.task.label(int(report.labels[row]))
        lines.say(f"    {report.positive[row]:<9.4g}  {label}  {name}")


def _of_groups(data: Dataset | Report) -> str:
    """How many patients, or groups of them, the images are of."""
    if data.groups is None:
        return ""
    groups = len(set(data.groups.tolist()))
    return f" in {groups:,} groups (patients, joined where they share an image)"


def _note(report: Report) -> Sequence[str]:
    return [report.note] if report.note else []


def _areas_and_shares(reports: Sequence[Report]) -> tuple[list[float], list[float]]:
    """The areas under the ROC curves, and the accuracies."""
    return [float(report.roc_auc or 0) for report in reports], [float(report.accuracy or 0) for report in reports]


def _share(values: Sequence[float], *, percent: bool = False) -> Estimate:
    """The mean of shares."""
    mean = Estimate.mean(values)
    return Estimate(mean, max(0.0, mean.low), min(1.0, mean.high), percent)
