"""table_files.py -- CSV files for the commands predict and evaluate: read as the model of a table takes them."""

import csv as csv_module
import io
from pathlib import Path
from typing import Any

from pyneural.arguments.arrays import Array
from pyneural.arguments.paths import writable, write_whole
from pyneural.card.classes import are_numbers
from pyneural.card.task import Task
from pyneural.datasets.csv_known import known_dataset, known_table
from pyneural.datasets.csv_text import examined
from pyneural.datasets.dataset import Dataset
from pyneural.evaluation.facts import sample_note, tasks_by_head
from pyneural.evaluation.predict import Prediction, prediction_of
from pyneural.evaluation.predict import predict as answer
from pyneural.models.ensemble import Ensemble
from pyneural.models.model import Model
from pyneural.printing import put, put_parts, shortened

_SHOWN = 20  # rows that are printed
_LONGEST = 40  # characters of a cell that is printed
Answers = tuple[tuple[str, ...], list[tuple[Any, ...]]]  # the headings and the rows


def takes_tables(model: Model | Ensemble) -> bool:
    """Whether a model was trained on a table with named columns."""
    return model.card.task is not None and bool(model.card.columns)


def kinds_of(model: Model | Ensemble) -> dict[str, str]:
    """The kinds of the columns that a model takes, by name."""
    table = model.card.table
    return {} if table is None else {rule.name: rule.kind for rule in table.rules}


def predict_rows(model: Model | Ensemble, file: str | Path, csv: str | Path | None = None) -> None:
    """Prints the answers to the rows of a CSV file, the first 20, and writes all of them to another one.

    Args:
        model: a model that takes tables.
        file: the CSV file; columns that the model does not take are ignored.
        csv: a file for the answers: a line per row, with the probability of each class.

    Raises:
        ValueError, OSError: the file does not fit the model, or the other one cannot be written.
    """
    if csv is not None:
        writable("predict: --csv", csv)
        if Path(csv).resolve() == Path(file).resolve():
            raise ValueError(f"predict: --csv: '{csv}' is the file with the rows: give another path")
    outputs = answer(model, known_table(examined("predict", file), kinds_of(model)))
    names, rows = answers(model, outputs, every=False)
    put("\n".join(_aligned(("row", *names), [(str(at), *map(_shown, row)) for at, row in enumerate(rows[:_SHOWN], 1)])))
    if len(rows) > _SHOWN:
        put(f"and {len(rows) - _SHOWN:,} more rows{'' if csv else ': --csv FILE writes all'}")
    if note := sample_note(model):
        put_parts(note)
    if csv is not None:
        names, rows = answers(model, outputs, every=True)
        text = io.StringIO(newline="")
        cells = [[_written(value) for value in row] for row in rows]
        lines = [("row", *names), *([at, *row] for at, row in enumerate(cells, 1))]
        csv_module.writer(text, lineterminator="\n").writerows(lines)
        write_whole("predict: --csv", csv, text.getvalue().encode())
        put_parts([f"answers in {csv}"])


def labelled(model: Model | Ensemble, file: str | Path, groups: str | None) -> Dataset:
    """The rows of a CSV file with their labels, for an evaluation.

    Raises:
        ValueError, OSError: the file does not fit the model, or it is not known which column is the target.
    """
    targets = model.card.target
    if not targets:
        raise ValueError(
            "evaluate: the file of the model does not say which column is the target, since it was not trained on "
            "pn.datasets.csv: use pn.evaluate(model, pn.datasets.csv(path, target='...'))"
        )
    tasks = tasks_by_head(model)
    if len(tasks) > 1:
        raise ValueError("evaluate: the model has heads, each with its own labels: use pn.evaluate(model, data)")
    task = tasks[""]
    inferred = task.kind == "labels" or are_numbers(task.names)
    kind = "number" if task.kind == "values" else "" if inferred else "names"
    return known_dataset("evaluate", file, kinds_of(model), dict.fromkeys(targets, kind), groups)


# ---- answers ---------------------------------------------------------------------------------------------------------


def answers(model: Model | Ensemble, outputs: Any, *, every: bool) -> Answers:
    """What the outputs of a model mean, as the headings and the rows of a table.

    Args:
        model: the model.
        outputs: what pn.predict gave.
        every: whether the probability of each class is in it, or of two classes that of the second, and of more that of
            the answer.
    """
    names: list[str] = []
    columns: list[list[Any]] = []
    for head, task in tasks_by_head(model).items():
        rows = outputs[head] if head else outputs
        target = head or ", ".join(model.card.target) or "predicted"
        found = _values(task, rows, model.card.target) if task.kind == "values" else _classes(task, rows, target, every)
        names += [f"{head} {name}" if head and name != head else name for name in found]
        columns += found.values()
    return tuple(names), list(zip(*columns, strict=True))


def _values(task: Task, rows: Array, target: tuple[str, ...]) -> dict[str, list[Any]]:
    names = target if len(target) == task.outputs else tuple(f"predicted {i}" for i in range(task.outputs))
    return {name: rows[:, at].tolist() for at, name in enumerate(names)}


def _classes(task: Task, rows: Array, target: str, every: bool) -> dict[str, list[Any]]:
    decided = [prediction_of(task, row) for row in rows]
    words = [one.label if isinstance(one, Prediction) else ", ".join(one.labels) for one in decided]
    of_each = [one.probabilities.tolist() for one in decided]
    shown = range(len(task.names)) if every or task.kind == "labels" else (1,) if task.is_two_class else ()
    found: dict[str, list[Any]] = {target: words}
    if not shown:
        found["probability"] = [float(one.probabilities.max()) for one in decided]
    return found | {f"probability of {task.label(at)}": [row[at] for row in of_each] for at in shown}


def _aligned(names: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    lines = [tuple(shortened(cell, _LONGEST) for cell in line) for line in (names, *rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return ["  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _written(value: Any) -> str:
    return f"{value:.9g}" if isinstance(value, float) else str(value)
