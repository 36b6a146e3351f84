"""report.py -- Report: the result of an evaluation."""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

import pyneural.metrics.intervals as intervals
from pyneural.arguments.arrays import Array
from pyneural.arguments.checks import whole
from pyneural.arguments.familiar import OF_REPORT
from pyneural.arguments.paths import write_whole
from pyneural.arguments.spelling import no_attribute
from pyneural.card.task import Task
from pyneural.evaluation.lines import say
from pyneural.evaluation.report_cells import in_groups
from pyneural.evaluation.report_text import line, notes, tables, title
from pyneural.evaluation.scored import Scored
from pyneural.evaluation.tables import as_html, as_text, escaped
from pyneural.metrics.estimate import Estimate
from pyneural.printing import SEPARATOR, encodable, ipython_shell, terminal_columns

_SHOWN = 4  # the most values shown per example
_WIDTH = 80  # of print(report), unless the terminal is narrower


class Report(Scored):
    """The evaluation of a model on a data set.

    Each score is an Estimate, a float with `.low` and `.high`, the bounds of its 95 % interval, and is computed when it
    is first read.  Where the data has groups, such as patients, all intervals are from a bootstrap of whole groups;
    else they are Wilson's for shares, DeLong's for the ROC AUC, normal for means, and from a bootstrap of examples for
    the rest.  With two classes, class 1 is the positive one.  `print(report)` shows a
    table; `baseline` has the scores of always answering the most frequent class, or the mean of the values.

    Attributes:
        n: examples.
        loss_name: "loss" for the training loss of classes, else the name of the loss.
        outputs: (n, K), the result of predict.
        predictions: (n,) class numbers; (n, K) values for regression.
        labels: the true ones, in the same form.
        mistakes: the numbers of the wrong ones, most confident first.
        groups: (n,) the groups of the data, or None.
        files: (n,) the paths of its files, or None.
    """

    def __init__(
        self,
        task: Task,
        outputs: Array,
        y: Array,
        errors: Array,
        name: str,
        note: str,
        loss_name: str = "",
        *,
        groups: Array | None = None,
        files: Array | None = None,
        mark: str = "",
    ) -> None:
        super().__init__(task, outputs, y, errors, loss_name, groups)
        self.name = name
        self.note = note
        self.files = files
        self.mark = mark  # a hash of the examples, by which pn.compare knows whether two reports are of the same
        self.printed_in: int | None = None  # the notebook cell where evaluate printed it

    if not TYPE_CHECKING:  # type checkers report wrong names by themselves

        def __getattr__(self, name):
            raise no_attribute("a report", self, name, OF_REPORT)

    def samples(self, count: int = 10) -> None:
        """Prints the first examples: label, prediction, confidence; then the proportion of correct ones.

        For regression: label, prediction, mean absolute error; then the mean of these errors.

        Raises:
            ValueError: count is not a whole number of at least 1.
        """
        count = min(whole("report.samples", "count", count), self.n)
        actual = self.labels[:count]
        predicted = self.predictions[:count]
        if self.accuracy is None:
            off = np.abs(predicted.astype(np.float64) - actual).mean(axis=1)
            for number, (one, other, error) in enumerate(zip(actual, predicted, off, strict=True)):
                say([f"#{number} actual {_row(one)} predicted {_row(other)} off {error:.3g}"])
            say([f"mean absolute error of {count}: {Estimate.mean(off.tolist())}"])
            return
        label = self.task.label
        shares = 100 * self.confidence[:count]
        for number, (one, other, share) in enumerate(zip(actual, predicted, shares, strict=True)):
            mark = "ok" if one == other else "wrong"
            say([f"#{number} actual {label(one)} predicted {label(other)} {share:.1f} % {mark}"])
        right = int(np.sum(actual == predicted))
        say([f"{right} of {count} right: {Estimate.share(right, count)}"])

    def to_csv(self, path: str | Path | None = None) -> str:
        """The answers as CSV text, one line per example; also written to `path` if it is given.

        The columns are file (or row, if the data has no files), group (if it has groups), actual, predicted, and
        probability: that of the predicted class, or with two classes that of the positive one, which the column names,
        beside the threshold from which the model answers it.  Regression has actual and predicted values instead.  The
        file is written atomically.

        Raises:
            OSError: it cannot be written (the folder is missing or not writable, the disk is full).
        """
        import csv  # only here, so that importing pyneural does not take longer

        lines: list[str] = []
        kept = SimpleNamespace(write=lines.append)
        csv.writer(kept, lineterminator="\r\n").writerows(self._rows())  # it quotes what is in the end of its lines
        text = "".join(f"{line[:-2]}\n" for line in lines)
        if path is not None:
            write_whole("to_csv", path, text.encode(errors="surrogateescape"))  # names of files as they are
        return text

    def _rows(self) -> Iterator[list[object]]:
        """The cells of the CSV."""
        first = "row" if self.files is None else "file"
        names = range(self.n) if self.files is None else self.files.tolist()
        group = [] if self.groups is None else ["group"]
        answers = self._answers()
        yield [first, *group, *next(answers)]
        of_group = [[]] * self.n if self.groups is None else [[group] for group in self.groups.tolist()]
        for name, group, row in zip(names, of_group, answers, strict=True):
            yield [name, *group, *row]

    def _answers(self) -> Iterator[list[object]]:
        """The cells of the CSV for labels and predictions: the names of the columns, then each example's."""
        if self.accuracy is None:
            K = self.outputs.shape[1]
            of = [""] if K == 1 else [f"_{self.task.label(i)}" for i in range(K)]
            yield [*(f"actual{i}" for i in of), *(f"predicted{i}" for i in of)]
            for values in np.hstack([self.labels, self.predictions]).tolist():
                yield [f"{value:.9g}" for value in values]
            return
        positive = self.positive
        label = self.task.label
        probability = self.confidence if positive is None else positive
        threshold = [] if positive is None else [f"{self.task.threshold:.9g}"]
        yield ["actual", "predicted", self._probability, *(["threshold"] if threshold else [])]
        pairs = zip(self.labels.tolist(), self.predictions.tolist(), probability.tolist(), strict=True)
        for actual, other, share in pairs:
            yield [label(actual), label(other), f"{share:.9g}", *threshold]

    @property
    def _probability(self) -> str:
        return f"probability of {self.task.label(1)}" if self.task.is_two_class else "probability"

    @cached_property
    def by_target(self) -> dict[str, "Report"]:
        """The report of each of several values, by name or number, whose loss is the MSE; {} for classes."""
        if self.task.kind != "values":
            return {}
        known: dict[str, Any] = {"groups": self.groups, "files": self.files, "mark": self.mark}
        found = {}
        for number, name in enumerate(self.task.names[: self.task.outputs]):
            predicted, actual = (values[:, number : number + 1] for values in (self.predictions, self.labels))
            off = (predicted.astype(np.float64) - actual)[:, 0]
            what = f"{self.name}: {name}" if self.name else name
            found[name] = Report(Task("values", 1), predicted, actual, off**2, what, self.note, "mse", **known)
        return found

    @property
    def parts(self) -> list[str]:
        """The parts of its line: accuracy, baseline, loss, examples."""
        return [*line(self), *([self.note] if self.note else [])]

    def __repr__(self) -> str:
        return encodable(" · ".join(self.parts))

    def __str__(self) -> str:
        columns = min(_WIDTH, terminal_columns() or _WIDTH)
        return encodable(as_text(tables(self), self._title, notes(self), columns))

    def _repr_html_(self) -> str:
        return as_html(tables(self), self._title, notes(self))

    @property
    def _title(self) -> list[str]:
        return [title(self, self.name), *([self.note] if self.note else [])]

    def _ipython_display_(self) -> None:
        """Shows nothing where a notebook cell ends in the call of pn.evaluate, which printed the line."""
        if not _was_just_printed(self, self):
            raise NotImplementedError  # then IPython shows _repr_html_, or repr in a terminal


class Reports(dict[str, Report]):
    """The reports of a model with heads, by head; `all_right` is the score of all of them together."""

    if not TYPE_CHECKING:  # type checkers report wrong names by themselves

        def __getattr__(self, name):
            if name.startswith("_"):
                raise AttributeError(name)
            which = f"report['{next(iter(self), 'head')}'].{name}"
            raise AttributeError(f"a report of heads has no '{name}': it has the heads {', '.join(self)}: give {which}")

    @cached_property
    def all_right(self) -> Estimate | None:
        """The share of examples that every head predicts correctly; None for one head, or if one has values.

        A head of several labels is correct if all of them are.
        """
        if len(self) < 2 or any(report.accuracy is None for report in self.values()):
            return None
        first = next(iter(self.values()))
        right = [(report.predictions == report.labels).reshape(first.n, -1).all(axis=1) for report in self.values()]
        return intervals.share(np.all(right, axis=0), first.units)

    @property
    def lines(self) -> list[list[str]]:
        """The parts of the line of each head, and of the one of all heads together, if there is one."""
        found = []
        for head, report in self.items():
            first, *others = report.parts
            found.append([f"{head}: {first}", *others])
        return [*found, *([together] if (together := self._together) else [])]

    @property
    def _together(self) -> list[str]:
        """The parts of the line of all heads together; [] if there is none."""
        if self.all_right is None:
            return []
        first = next(iter(self.values()))
        which = "both" if len(self) == 2 else f"all {len(self)}"
        note = [first.note] if first.note else []
        return [f"{which} right: {self.all_right}", f"n = {first.n:,}{in_groups(first)}", *note]

    def __str__(self) -> str:
        found = [f"{head}: {report}" for head, report in self.items()]
        return "\n\n".join([*found, *([encodable(SEPARATOR.join(self._together))] if self._together else [])])

    def _repr_html_(self) -> str:
        found = "".join(f"<h4>{escaped(head)}</h4>{report._repr_html_()}" for head, report in self.items())
        return found + (f"<p>{escaped(SEPARATOR.join(self._together))}</p>" if self._together else "")

    def _ipython_display_(self) -> None:
        """Shows nothing where a notebook cell ends in the call of pn.evaluate, which printed the lines."""
        if not _was_just_printed(self, *self.values()):
            raise NotImplementedError


def _was_just_printed(shown: Report | Reports, *reports: Report) -> bool:
    """Whether pn.evaluate printed them in this cell, and the cell does not ask for them by a name."""
    cell = this_cell()
    if cell is None or any(report.printed_in != cell for report in reports):
        return False
    named = ipython_shell().user_ns.values()
    return not any(value is shown for value in named)


def this_cell() -> int | None:
    """The number of the running notebook cell; None outside of notebooks and IPython."""
    shell = ipython_shell()
    return None if shell is None else int(shell.execution_count)


def _row(values: Array) -> str:
    shown = ", ".join(f"{value:.4g}" for value in values[:_SHOWN])
    return shown if len(values) <= _SHOWN else f"{shown}, ..."
