"""two_digits_app.py -- two overlapping digits in one image, end to end: a network with two heads."""

from pathlib import Path
from typing import NamedTuple

import pyneural._core as _core
from pyneural.arguments.paths import model_path
from pyneural.arguments.spelling import check_keywords, choose
from pyneural.datasets.two_digits_pairs import two_digits as pairs_of_digits
from pyneural.evaluation.evaluate import evaluate
from pyneural.evaluation.lines import say
from pyneural.evaluation.report import Reports
from pyneural.files.safetensors import save
from pyneural.layers.convolution import Conv2D, MaxPool2D
from pyneural.layers.dense import Dense
from pyneural.layers.nodes import Input, Node
from pyneural.layers.norms import BatchNorm, Dropout
from pyneural.layers.reshaping import Flatten
from pyneural.models.model import Model
from pyneural.schedules import Schedule
from pyneural.training.fit import fit
from pyneural.training.history import History
from pyneural.training.optimizers import Optimizer

_SHAPE = (42, 28, 1)
_HEADS = ("top", "bottom")


def two_digits_cnn() -> Model:
    """A CNN for two overlapping digits: three blocks of two convolutions, then two dense layers for each head."""
    image = Input(_SHAPE)
    found = image
    for filters in (16, 32, 64):
        found = BatchNorm(activation="relu")(Conv2D(filters, 3, padding="same", bias=False)(found))
        found = BatchNorm(activation="relu")(Conv2D(filters, 3, bias=False)(found))
        found = MaxPool2D(2)(found)
    found = Flatten()(found)
    return Model(image, {head: _head(found) for head in _HEADS})


def _head(found: Node) -> Node:
    """The dense layers of one head; batch norm after all but the last."""
    units = BatchNorm(activation="relu")(Dense(64, bias=False)(Dropout(0.3)(found)))
    output: Node = Dense(10)(Dropout(0.3)(units))
    return output


def two_digits_mlp() -> Model:
    """The simplest network for two digits: 1176-128, and a dense layer of 10 units for each head."""
    image = Input(_SHAPE)
    units = Dense(128, "relu")(Flatten()(image))
    return Model(image, {head: Dense(10)(units) for head in _HEADS})


_MODELS = {"cnn": two_digits_cnn, "mlp": two_digits_mlp}
_RATES = {"cnn": 0.01}  # as in pn.apps.digits: batch norm allows a higher peak than fit's default


class TwoDigitsRun(NamedTuple):
    """The result of two_digits; report is None if training was interrupted."""

    model: Model
    history: History
    report: Reports | None


@check_keywords(lr="learning_rate", path="data", output_path="output", samples="pairs")
def two_digits(
    *,
    epochs: int = 8,
    model: str = "cnn",
    data: str | Path | None = None,
    pairs: int | None = None,
    batch_size: int = 64,
    optimizer: str | Optimizer = "adam",
    learning_rate: float | None = None,
    schedule: str | Schedule = "one-cycle",
    seed: int = 0,
    threads: int | None = None,
    output: str | Path | None = None,
    verbose: int = 1,
) -> TwoDigitsRun:
    """Trains a network with two heads on pn.datasets.two_digits(), evaluates it on the test pairs, and saves it.

    The best epoch is chosen on the validation pairs.

    Args:
        epochs: passes over the data.
        model: "cnn" or "mlp".
        data: where MNIST is, as pn.datasets.mnist takes it, or "sample".
        pairs: the number of training pairs; None is 60,000, or 6,000 of the sample.
        batch_size: images per step.
        optimizer: a name or an optimizer, as pn.fit takes it.
        learning_rate: at the schedule's peak; None is 0.01 for the CNN with the default optimizer and schedule, else
            fit chooses.
        schedule: a name or a function, as pn.fit takes it.
        seed: the seed of weights, order and dropout; the pairs are those of pn.datasets.two_digits(seed=0).
        threads: the number of threads; None keeps the current setting.
        output: the .safetensors file to save the model to; None does not save.
        verbose: 0 silent, 1 one line per epoch, 2 one line per step.

    Returns:
        The model, its History, and the reports on the test pairs: report["top"], report["bottom"] and
        report.all_right, the share of pairs with both digits right.
    """
    made = choose("model", model, _MODELS)()
    if output is not None:
        model_path("save", output)
    if threads is not None:
        _core.set_threads(threads)
    if learning_rate is None and (optimizer, schedule) == ("adam", "one-cycle"):
        learning_rate = _RATES.get(model)
    found = pairs_of_digits(data, pairs=pairs)
    history = fit(
        made,
        found,
        epochs=epochs,
        batch_size=batch_size,
        optimizer=optimizer,
        learning_rate=learning_rate,
        schedule=schedule,
        seed=seed,
        verbose=verbose,
    )
    saved = None if output is None else save(made, output)  # first, so that Ctrl-C in the test keeps the model
    try:
        report = None if history.interrupted else evaluate(made, found.test, verbose=min(verbose, 1))
    finally:
        if saved is not None and verbose:
            say([f"saved {saved} ({saved.stat().st_size:,} bytes)"])
    return TwoDigitsRun(made, history, report)
