"""table_app.py -- a network for a table in a CSV file, end to end: training, test, file."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

import pyneural._core as _core
import pyneural.training.optimizers as optimizers
from pyneural.apps.digits_app import Run
from pyneural.apps.train_app import check_files
from pyneural.arguments.checks import in_the_name_of, is_number
from pyneural.arguments.spelling import check_keywords, choose
from pyneural.card.classes import in_order
from pyneural.card.columns import Columns
from pyneural.datasets.csv_file import csv
from pyneural.datasets.dataset import Dataset
from pyneural.evaluation.evaluate import evaluate
from pyneural.files.safetensors import save
from pyneural.models.model import Model
from pyneural.printing import put
from pyneural.schedules import Schedule
from pyneural.training.estimator_defaults import (
    CLASSIFIER,
    REGRESSOR,
    Defaults,
    epochs_for,
    hidden_for,
    learning_rate_for,
    validation_for,
    weight_decay_for,
)
from pyneural.training.estimator_network import perceptron
from pyneural.training.fit import fit
from pyneural.training.optimizers import Optimizer


@check_keywords(lr="learning_rate", data="path", output_path="output", test_size="test", y="target")
def train_table(
    path: str | Path,
    *,
    target: str | Sequence[str],
    groups: str | None = None,
    drop: str | Sequence[str] = (),
    categories: str | Sequence[str] = (),
    header: bool | None = None,
    values: bool = False,
    test: float | None = 0.2,
    epochs: int | Literal["auto"] | None = None,
    batch_size: int | None = None,
    optimizer: str | Optimizer | None = None,
    learning_rate: float | None = None,
    schedule: str | Schedule | None = None,
    validation: float | None = None,
    class_weight: str | None = None,
    checkpoint: str | Path | None = None,
    seed: int = 0,
    threads: int | None = None,
    output: str | Path | None = None,
    verbose: int = 1,
) -> Run:
    """Trains a network on a table in a CSV file, evaluates it on rows that were held out, and saves it.

    The network and its training are those of pn.Classifier, or of pn.Regressor for values.

    Args:
        path: the file's path, as pn.datasets.csv takes it.
        target: the column to predict, or several of numbers.
        groups: the column with the group of each row, such as its patient: no group is in two parts.
        drop: the columns to leave out.
        categories: columns of numbers that are names, such as postcodes.
        header: False if the first line has values; True if it has names that look like values.
        values: whether whole numbers in the target are values, though they look like classes.
        test: the share of rows that are held out for the test, at random; None or 0 for none.
        epochs: passes over the data; None is that of pn.Classifier or pn.Regressor, as below.
        batch_size: rows per step.
        optimizer: a name or an optimizer, as pn.fit takes it.
        learning_rate: at the schedule's peak.
        schedule: a name or a function, as pn.fit takes it.
        validation: the share of the other rows that choose the epoch; None or 0 for none, the last epoch then.
        class_weight: "balanced" weights the classes inversely to their number, as pn.fit does.
        checkpoint: a file from which the same call resumes after the program was killed, as pn.fit has it.
        seed: the seed of weights, splits, order and dropout.
        threads: the number of threads; None keeps the current setting.
        output: the .safetensors file to save the model to; None does not save.
        verbose: 0 silent, 1 the columns and one line per epoch, 2 each step.

    Returns:
        The model, its History, and the Report on the test rows, which is None if there are none.
    """
    check_files(output, checkpoint)
    if test is not None and not (is_number(test) and 0 <= test < 1):
        raise ValueError(f"train: --test is {test!r}: give the share of rows to hold out, such as 0.2, or 0 for none")
    if threads is not None:
        _core.set_threads(threads)
    asked: dict[str, Any] = {"groups": groups, "drop": drop, "categories": categories, "header": header}
    data = _labelled(csv(path, target=target, verbose=verbose, **asked), values)
    with in_the_name_of("train: --test", re.escape(f"{data.name}: split: share")):
        rest, held = data.split(float(test), seed=seed, verbose=verbose) if test else (data, None)
    defaults = REGRESSOR if data.y.dtype.kind == "f" else CLASSIFIER
    given: dict[str, Any] = {"epochs": epochs, "batch_size": batch_size, "optimizer": optimizer}
    given |= {"learning_rate": learning_rate, "schedule": schedule, "validation": validation}
    options = _options(defaults, rest, {name: value for name, value in given.items() if value is not None})
    options |= {"class_weight": class_weight, "checkpoint": checkpoint, "seed": seed, "verbose": verbose}
    model = _network(rest, defaults)
    history = fit(model, rest, **options)
    saved = None if output is None else save(model, output)  # first, so that Ctrl-C in the test keeps the model
    report = None
    try:
        if not history.interrupted and held is not None:
            if verbose:
                put("test: ", end="")
            report = evaluate(model, held, verbose=verbose)
    finally:
        if saved is not None and verbose:
            put(f"saved {saved} ({saved.stat().st_size:,} bytes)")
    return Run(model, history, report)


def _labelled(data: Dataset, values: bool) -> Dataset:
    """The data with the names of its classes, which are whole numbers in some files; or with values."""
    kind = data.y.dtype.kind
    if values and kind == "U":
        raise ValueError(
            f"train: the target '{data.y_names[0]}' has text, such as {data.classes[0]!r}, which has no values: leave "
            "out --values (values=True)"
        )
    if values:
        data.y = data.y.astype(np.float64)
    elif kind == "i" and data.y.ndim == 1:
        data.y = data.y.astype(str)
        data.classes = in_order(data.y.tolist())
    return data


def _network(data: Dataset, defaults: Defaults) -> Model:
    """The network of an estimator for training rows: two classes are one output."""
    classes = len(data.classes) if data.y.dtype.kind == "U" else 0
    outputs = data.y.shape[1] if data.y.ndim == 2 else classes if classes > 2 else 1
    hidden = hidden_for(defaults.hidden, len(data))
    which = hidden, defaults.activation, defaults.dropout, defaults.batch_norm, "float32"
    return perceptron("train", data.x.shape[1], outputs, *which)


def _options(defaults: Defaults, data: Dataset, given: dict[str, Any]) -> dict[str, Any]:
    """The options of fit for training rows: those given, and else an estimator's."""
    rows, features = len(data), len(Columns.learn(data.x, None, "train").features)
    names = ("epochs", "batch_size", "optimizer", "learning_rate", "schedule", "validation", "patience", "keep")
    found = {name: getattr(defaults, name) for name in names} | given
    optimizer = found["optimizer"]
    found["epochs"] = epochs_for(found["epochs"], rows, found["batch_size"])
    found["learning_rate"] = learning_rate_for(found["learning_rate"], optimizer, found["schedule"])
    found["validation"] = validation_for(found["validation"], found["patience"] is not None)
    decay = weight_decay_for(defaults.weight_decay, rows, features, optimizer)
    if decay is not None and isinstance(optimizer, str):
        found["optimizer"] = choose("train: optimizer", optimizer, optimizers.NAMES)(weight_decay=decay)
    return found
