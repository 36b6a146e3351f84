"""answers.py -- plots of a model's answers: predictions, mistakes, the confusion matrix."""

from pathlib import Path
from typing import Any

import numpy as np

import pyneural.plot.drawing as drawing
from pyneural.arguments.arrays import Array
from pyneural.arguments.checks import whole
from pyneural.arguments.familiar_keywords import OF_PLOTS
from pyneural.arguments.spelling import check_keywords
from pyneural.card.classes import Names, of_head
from pyneural.card.soft import as_numbers
from pyneural.card.task import Task
from pyneural.datasets.dataset import Dataset, by_head
from pyneural.datasets.splits import as_dataset
from pyneural.evaluation.labels_report import named
from pyneural.evaluation.predict import predict
from pyneural.evaluation.report import Report
from pyneural.models.ensemble import Ensemble
from pyneural.models.model import Model
from pyneural.plot.drawing import BLUE, INK, PALE, RED, Answer
from pyneural.printing import shortened

_LONGEST = 32  # the most characters of a file's name in a title


@check_keywords(**OF_PLOTS)
def predictions(model: Model | Ensemble, x: Any, y: Any = None, *, count: int = 8, ax: Any = None) -> Any:
    """Images with a model's predictions and the probabilities of the most likely classes.

    Args:
        model: a trained model, or a pn.Ensemble.
        x: images as pn.predict takes them, or a Dataset or pair (x, y) with labels.
        y: (n,) true labels, for a model with heads a dict: right predictions are blue, wrong ones orange.
        count: the number of images to draw.
        ax: Axes to draw into: a row of images, and a row of probabilities for each head with classes.

    Returns:
        The array of Axes (rows, images).

    Raises:
        ValueError: x is not images, or does not fit the model or y.
        RuntimeError: the model is not trained.

    >>> data = pn.datasets.mnist("sample").test
    >>> model = pn.Sequential(pn.Flatten(), pn.Dense(10))
    >>> history = pn.fit(model, data, epochs=1, verbose=0)
    >>> pn.plot.predictions(model, data, count=4).shape
    (2, 4)
    """
    if not isinstance(model, Model | Ensemble):
        raise TypeError(f"plot.predictions: model is {type(model).__name__}: give a trained model and images")
    if model.card.task is None:
        raise RuntimeError("plot.predictions: the model is not trained yet: pn.fit(model, data) first")
    classes: Any = ()
    x = drawing.as_pair(x, "predictions")
    if isinstance(x, Dataset):
        x, y, classes = (x.x, x.y, x.classes) if y is None else (x.x, y, ())
    x = drawing.as_array("x", x, "predictions")
    x = x[None] if model.input_shape in (x.shape, (*x.shape, 1)) else x
    pixels = drawing.pixels(x, count, "predictions")
    answers = by_head(predict(model, x[:count]))
    truths = by_head(y)
    tasks = by_head(model.card.task)
    found: dict[str, list[Answer]] = {}
    for head, task in tasks.items():
        truth = _truth(task, truths.get(head), len(x), model.dtype, of_head(classes, head))
        found[head] = [_answer(task, *pair) for pair in zip(answers[head], truth, strict=False)]
    columns = list(zip(*found.values(), strict=True))
    titles = [
        "\n".join(f"{head} {answer.words}".strip() for head, answer in zip(found, c, strict=True)) for c in columns
    ]
    colours = [RED if any(a.colour == RED for a in column) else column[0].colour for column in columns]
    shown = {head: task for head, task in tasks.items() if task.kind != "values"}
    width, height = drawing.panel_size(pixels, titles)
    heights = [height, *(drawing.bars_height(max(2, task.outputs)) for task in shown.values())]
    axes = drawing.panels(ax, heights, [width] * len(pixels), "predictions")
    drawing.grid(pixels, titles, colours, None, axes[0], "predictions")
    for row, head in zip(axes[1:], shown, strict=True):
        for axis, answer in zip(row, found[head], strict=True):
            drawing.bars(axis, answer.bars)
        row[0].set_ylabel(head)
    return axes


@check_keywords(**OF_PLOTS)
def mistakes(report: Report, data: Any, *, count: int = 20, columns: int | None = None, ax: Any = None) -> Any:
    """The images that a model misclassified, most confident first: prediction, confidence, true class, file.

    Args:
        report: the result of pn.evaluate.
        data: the data it was evaluated on, such as data.test.
        count: the number of images to draw.
        columns: images per row; None chooses by their size.
        ax: Axes to draw into, one per image.

    Returns:
        The array of Axes (rows, columns); if there are no mistakes, a single one that says so.

    Raises:
        ValueError: the report is of a regression, or of other data.

    >>> data = pn.datasets.mnist("sample").test
    >>> model = pn.Sequential(pn.Flatten(), pn.Dense(10))
    >>> history = pn.fit(model, data, epochs=1, verbose=0)
    >>> pn.plot.mistakes(pn.evaluate(model, data, verbose=0), data, count=4).shape
    (1, 4)
    """
    check_answers(report, "mistakes")
    part = as_dataset(data, "plot.mistakes")
    if len(part) != report.n:
        raise ValueError(
            f"plot.mistakes: the report is of {report.n:,} examples, data has {len(part):,}: give the same"
        )
    if not len(report.mistakes):
        axes = drawing.panels(ax, [1.0], [4.0], "mistakes")
        axes[0, 0].text(0.5, 0.5, f"no mistakes: {report.accuracy}, n = {report.n:,}", ha="center", va="center")
        axes[0, 0].axis("off")
        return axes
    rows = report.mistakes[: whole("plot.mistakes", "count", count)]
    pixels = drawing.pixels(part.x[rows], count, "mistakes")
    titles = ["\n".join(answer_lines(report, row)) for row in rows.tolist()]
    return drawing.grid(pixels, titles, [INK] * len(rows), columns, ax, "mistakes")


@check_keywords(**OF_PLOTS)
def confusion(report: Report, *, ax: Any = None) -> Any:
    """The confusion matrix of a report: a row per true class, a column per predicted class.

    The colour shows the square root of the share of the row, so that rare mistakes are visible.

    Args:
        report: the result of pn.evaluate.
        ax: Axes to draw into.

    Returns:
        The Axes.

    Raises:
        ValueError: the report is of a regression.

    >>> data = pn.datasets.mnist("sample").test
    >>> model = pn.Sequential(pn.Flatten(), pn.Dense(10))
    >>> history = pn.fit(model, data, epochs=1, verbose=0)
    >>> pn.plot.confusion(pn.evaluate(model, data, verbose=0)).get_ylabel()
    'actual'
    """
    check_classes(report, "confusion")
    counts = np.asarray(report.confusion)
    names = [report.task.label(number) for number in range(len(counts))]
    return drawing.confusion(counts, names, f"accuracy {report.accuracy}\nn = {report.n:,}", ax)


# ---- what the plots show


def answer_lines(report: Report, row: int) -> list[str]:
    """The answer to one example in words: class and confidence, the true class if it is wrong, the name of its file."""
    if report.task.kind == "labels":
        answer, truth = named(report.task, report.predictions[row]), named(report.task, report.labels[row])
        return [answer, *([f"but it is {truth}"] if answer != truth else []), *_file(report, row)]
    predicted, actual = int(report.predictions[row]), int(report.labels[row])
    lines = [f"{report.task.label(predicted)} ({100 * report.confidence[row]:.1f} %)"]
    if predicted != actual:
        lines.append(f"but it is {report.task.label(actual)}")
    return [*lines, *_file(report, row)]


def _file(report: Report, row: int) -> list[str]:
    return [] if report.files is None else [shortened(Path(str(report.files[row])).name, _LONGEST)]


def _truth(task: Task, y: Any, n: int, dtype: str, classes: Names) -> list[Any]:
    """The true class, or values, of each of n examples; None for each if unknown."""
    if y is None:
        return [None] * n
    labels = drawing.as_array("y", y, "predictions")
    if labels.ndim == 0 or len(labels) != n:
        what = f"has {len(labels):,} labels" if labels.ndim else f"is {y!r}"
        raise ValueError(f"plot.predictions: x has {n:,} images, y {what}: give one label for each")
    found = task.encode(labels, dtype, "plot.predictions", classes)
    return list(found if task.kind in ("values", "labels") else as_numbers(found))


def _answer(task: Task, answer: Array, actual: Any) -> Answer:
    if task.kind == "labels":
        return _of_labels(task, answer, actual)
    if task.kind == "values":
        words = _numbers(answer)
        return Answer(words if actual is None else f"{words}\nit is {_numbers(actual)}", INK, [])
    shares = np.array([1 - answer[0], answer[0]]) if task.kind == "binary" else answer
    predicted = int(task.decide(answer[None])[0])
    wrong = actual is not None and predicted != actual
    colour = INK if actual is None else RED if wrong else BLUE
    tints = {actual: INK, predicted: RED if wrong else BLUE}
    bars = [(task.label(i), float(shares[i]), tints.get(i, PALE)) for i in np.argsort(-shares, kind="stable").tolist()]
    words = f"{task.label(predicted)} ({100 * shares[predicted]:.1f} %)"
    return Answer(f"{words}\nbut it is {task.label(int(actual))}" if wrong else words, colour, bars)


def _of_labels(task: Task, answer: Array, actual: Any) -> Answer:
    """The labels that apply, and the probability of each; those of a wrong answer are orange."""
    applies = task.decide(answer[None])[0]
    truth = applies if actual is None else actual
    order = np.argsort(-answer, kind="stable").tolist()
    tints = [(BLUE if applies[i] else PALE) if applies[i] == truth[i] else RED for i in range(len(answer))]
    bars = [(task.label(i), float(answer[i]), tints[i]) for i in order]
    wrong = bool(np.any(applies != truth))
    colour = INK if actual is None else RED if wrong else BLUE
    words = named(task, applies)
    return Answer(f"{words}\nbut it is {named(task, truth)}" if wrong else words, colour, bars)


def _numbers(values: Array) -> str:
    return ", ".join(f"{value:.3g}" for value in values)


def check_classes(report: Any, who: str) -> None:
    """Rejects anything but a report of classes, one per example.

    Raises:
        ValueError, TypeError: it is not; says what it is.
    """
    check_answers(report, who)
    if report.task.kind == "labels":
        name = report.task.names[0]
        raise ValueError(
            f"plot.{who}: the report is of {report.task.outputs} labels, each yes or no: give the report of one, such "
            f"as report.by_label[{name!r}]; pn.plot.labels(report) shows all"
        )


def check_answers(report: Any, who: str) -> None:
    """Rejects anything but a report of a classification, or of several labels.

    Raises:
        ValueError, TypeError: it is not; says what it is.
    """
    if isinstance(report, dict) and report:
        heads = ", ".join(map(repr, report))
        raise ValueError(
            f"plot.{who}: the report has the heads {heads}: give one, such as report[{next(iter(report))!r}]"
        )
    if not isinstance(report, Report):
        raise TypeError(f"plot.{who}: report is {type(report).__name__}: give the result of pn.evaluate")
    if report.accuracy is None:
        raise ValueError(f"plot.{who}: this is a regression model, so no prediction is right or wrong")
