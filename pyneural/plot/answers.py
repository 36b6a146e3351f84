"""answers.py -- what a model answers: predictions, mistakes, the confusion of classes."""

from typing import Any

import numpy as np

import pyneural._core as _core
import pyneural.plot.drawing as drawing
from pyneural.arguments.arrays import Array
from pyneural.card.classes import Names, of_head
from pyneural.card.task import Task
from pyneural.datasets.dataset import Dataset, as_dataset, by_head
from pyneural.evaluation.predict import predict
from pyneural.evaluation.report import Report
from pyneural.models.model import Model
from pyneural.plot.drawing import BLUE, INK, PALE, RED, Answer


def predictions(model: Model, x: Any, y: Any = None, *, count: int = 8, ax: Any = None) -> Any:
    """Images, what a model says of them, and the probabilities of the classes it finds likeliest.

    Args:
        model: trained, or loaded.
        x: images as pn.predict takes them, or a Dataset, which brings its labels.
        y: (n,) the truth, for a model with heads a dict: right answers are blue, wrong ones orange.
        count: the first so many are drawn.
        ax: Axes to draw into: a row of images, and for each head that has classes a row of probabilities.

    Returns:
        The array of Axes (rows, images).

    Raises:
        ValueError: x is no images, or not such as the model takes; y does not go with it.
        RuntimeError: the model is not trained.

    >>> data = pn.datasets.mnist("sample").test
    >>> model = pn.Sequential(pn.Flatten(), pn.Dense(10))
    >>> history = pn.fit(model, data, epochs=1, verbose=0)
    >>> pn.plot.predictions(model, data, count=4).shape
    (2, 4)
    """
    if not isinstance(model, Model):
        raise TypeError(f"plot.predictions: model is {type(model).__name__}: give a trained model and images")
    if model.card.task is None:
        raise RuntimeError("plot.predictions: the model is not trained yet: pn.fit(model, data) first")
    classes: Any = ()
    if isinstance(x, Dataset):
        x, y, classes = (x.x, x.y, x.classes) if y is None else (x.x, y, ())
    x = x.numpy() if isinstance(x, _core.Tensor) else np.asarray(x)
    x = x[None] if model.input_shape in (x.shape, (*x.shape, 1)) else x
    pixels = drawing.pixels(x, count, "predictions")
    answers, truths, tasks = by_head(predict(model, x[:count])), by_head(y), by_head(model.card.task)
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


def mistakes(report: Report, data: Any, *, count: int = 20, columns: int | None = None, ax: Any = None) -> Any:
    """The images a model got wrong, the surest first: what was said of them, how sure, and what they are.

    Args:
        report: what pn.evaluate returned.
        data: what it was evaluated on, as data.test.
        count: the first so many are drawn.
        columns: images a row; None decides by their size.
        ax: Axes to draw into, one an image.

    Returns:
        The array of Axes (rows, columns); where there is no mistake, one that says so.

    Raises:
        ValueError: the report is of values, or of other data.

    >>> data = pn.datasets.mnist("sample").test
    >>> model = pn.Sequential(pn.Flatten(), pn.Dense(10))
    >>> history = pn.fit(model, data, epochs=1, verbose=0)
    >>> pn.plot.mistakes(pn.evaluate(model, data, verbose=0), data, count=4).shape
    (1, 4)
    """
    _check_answers(report, "mistakes")
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
    rows = report.mistakes[: drawing.whole("count", count, "mistakes")]
    pixels = drawing.pixels(part.x[rows], count, "mistakes")
    name, said, actual = report.task.label, report.predictions[rows], report.labels[rows]
    titles = [
        f"{name(one)} ({100 * sure:.1f} %)\nbut it is {name(other)}"
        for one, sure, other in zip(said, report.confidence[rows], actual, strict=True)
    ]
    return drawing.grid(pixels, titles, [INK] * len(rows), columns, ax, "mistakes")


def confusion(report: Report, *, ax: Any = None) -> Any:
    """The confusion of a report: a row a true class, a column a predicted one, coloured by the share of the row.

    The colours go by the share's square root, so that rare mistakes can be seen, too.

    Args:
        report: what pn.evaluate returned.
        ax: Axes to draw into.

    Returns:
        The Axes.

    Raises:
        ValueError: the report is of values.

    >>> data = pn.datasets.mnist("sample").test
    >>> model = pn.Sequential(pn.Flatten(), pn.Dense(10))
    >>> history = pn.fit(model, data, epochs=1, verbose=0)
    >>> pn.plot.confusion(pn.evaluate(model, data, verbose=0)).get_ylabel()
    'actual'
    """
    _check_answers(report, "confusion")
    counts = np.asarray(report.confusion)
    names = [report.task.label(number) for number in range(len(counts))]
    return drawing.confusion(counts, names, f"accuracy {report.accuracy}\nn = {report.n:,}", ax)


# ---- what they draw


def _truth(task: Task, y: Any, n: int, dtype: str, classes: Names) -> list[Any]:
    """The true class, or values, of each of n examples; None for each where they are not told."""
    if y is None:
        return [None] * n
    found = task.encode(np.asarray(y), dtype, "plot.predictions", classes)
    if len(found) != n:
        raise ValueError(f"plot.predictions: x has {n:,} images, y has {len(found):,} labels: give one for each")
    return list(found if task.kind == "values" else found.reshape(-1))


def _answer(task: Task, answer: Array, actual: Any) -> Answer:
    if task.kind == "values":
        words = _numbers(answer)
        return Answer(words if actual is None else f"{words}\nit is {_numbers(actual)}", INK, [])
    shares = np.array([1 - answer[0], answer[0]]) if task.kind == "binary" else answer
    said = int(answer[0] >= task.threshold) if task.kind == "binary" else int(answer.argmax())
    wrong = actual is not None and said != actual
    colour = INK if actual is None else RED if wrong else BLUE
    tints = {actual: INK, said: RED if wrong else BLUE}
    bars = [(task.label(i), float(shares[i]), tints.get(i, PALE)) for i in np.argsort(-shares, kind="stable").tolist()]
    words = f"{task.label(said)} ({100 * shares[said]:.1f} %)"
    return Answer(f"{words}\nbut it is {task.label(int(actual))}" if wrong else words, colour, bars)


def _numbers(values: Array) -> str:
    return ", ".join(f"{value:.3g}" for value in values)


def _check_answers(report: Any, who: str) -> None:
    """Refuses what is not a report of right and wrong answers.

    Raises:
        ValueError, TypeError: it is not; says what it is.
    """
    if isinstance(report, dict):
        heads = ", ".join(map(repr, report))
        raise ValueError(f"plot.{who}: the report has the heads {heads}: give one, as report[{next(iter(report))!r}]")
    if not isinstance(report, Report):
        raise TypeError(f"plot.{who}: report is {type(report).__name__}: give what pn.evaluate returned")
    if report.accuracy is None:
        raise ValueError(f"plot.{who}: the outputs of this model are values, so no answer is right or wrong")
