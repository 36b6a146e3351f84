"""digits_app.py -- handwritten digits, end to end: data, model, training, evaluation, file."""

from pathlib import Path
from typing import NamedTuple

import pyneural._core as _core
from pyneural.arguments.checks import is_whole
from pyneural.arguments.paths import model_path
from pyneural.arguments.spelling import check_keywords, choose
from pyneural.batching.augmentation import Augment
from pyneural.datasets.dataset import Dataset
from pyneural.datasets.mnist_files import fashion_mnist, mnist
from pyneural.datasets.splits import Splits
from pyneural.datasets.splitting import split_rows
from pyneural.evaluation.evaluate import evaluate
from pyneural.evaluation.lines import say
from pyneural.evaluation.report import Report
from pyneural.files.safetensors import save
from pyneural.layers.convolution import Conv2D, MaxPool2D
from pyneural.layers.dense import Dense
from pyneural.layers.layer import Layer
from pyneural.layers.norms import BatchNorm, Dropout
from pyneural.layers.reshaping import Flatten
from pyneural.models.model import Model
from pyneural.models.sequential import Sequential
from pyneural.schedules import Schedule
from pyneural.training.fit import fit
from pyneural.training.history import History
from pyneural.training.optimizers import AdamW, Optimizer


def digits_cnn() -> Sequential:
    """A CNN for digits: two blocks of two convolutions, then two dense layers; batch norm after all but the last."""
    return Sequential(
        Conv2D(16, 3, padding="same", bias=False),
        BatchNorm(activation="relu"),
        Conv2D(16, 3, bias=False),
        BatchNorm(activation="relu"),
        MaxPool2D(2),
        Conv2D(32, 3, padding="same", bias=False),
        BatchNorm(activation="relu"),
        Conv2D(32, 3, bias=False),
        BatchNorm(activation="relu"),
        MaxPool2D(2),
        Flatten(),
        Dropout(0.3),
        Dense(128, bias=False),
        BatchNorm(activation="relu"),
        Dropout(0.3),
        Dense(10),
    )


def digits_mlp() -> Sequential:
    """The simplest network for digits, 784-128-10."""
    return Sequential(Flatten(), Dense(128, "relu"), Dense(10))


def digits_large() -> Sequential:
    """The CNN of the recipe "best": four convolutions with batch norm, 2.5 times the arithmetic of digits_cnn."""
    return Sequential(
        Conv2D(24, 5, padding="same", bias=False),
        BatchNorm(activation="relu"),
        MaxPool2D(2),
        Conv2D(48, 3, padding="same", bias=False),
        BatchNorm(activation="relu"),
        MaxPool2D(2),
        Conv2D(64, 3, padding="same", bias=False),
        BatchNorm(activation="relu"),
        Conv2D(96, 3, padding="same", bias=False),
        BatchNorm(activation="relu"),
        MaxPool2D(2),
        Flatten(),
        Dense(10),
    )


def clothes_cnn() -> Sequential:
    """The CNN of the recipe "best" for clothes: three blocks of two convolutions; it costs 4.4 times digits_large."""
    layers: list[Layer] = []
    for filters in (32, 64, 128):
        for _ in range(2):
            layers += [Conv2D(filters, 3, padding="same", bias=False), BatchNorm(activation="relu")]
        layers += [MaxPool2D(2), Dropout(0.2)]
    return Sequential(*layers, Flatten(), Dense(10))


FASHION = "fashion"  # as data: a word, not a folder
MODELS = {"cnn": digits_cnn, "large": digits_large, "clothes": clothes_cnn, "mlp": digits_mlp}
RATES = {"cnn": 0.01}  # batch norm allows a higher peak than fit's default: +0.6 points on 6,000 images


class Recipe(NamedTuple):
    """What digits takes for the options that are None."""

    model: str
    epochs: int
    batch_size: int
    optimizer: str | Optimizer
    learning_rate: float | None
    validation: float
    augment: Augment | None
    label_smoothing: float
    test_time: str | None = None


_BEST = Recipe(
    "large",
    12,
    128,
    AdamW(weight_decay=0.02),
    0.008,
    0.0,
    Augment(shift=0.12, rotate=12, scale=0.1, shear=0.15, gamma=0, brightness=0, contrast=0),
    0.05,
)
RECIPES = {"quick": Recipe("cnn", 5, 64, "adam", None, 0.1, None, 0.0), "best": _BEST}
CLOTHES = _BEST._replace(  # clothes stand upright, and differ by details: a larger network, and flips for rotations
    model="clothes",
    epochs=24,
    augment=Augment(
        shift=0.06, rotate=0, scale=0.05, shear=0, flip=True, erase=0.15, gamma=0, brightness=0, contrast=0
    ),
    test_time="flip",
)


class Run(NamedTuple):
    """The result of digits; report is None if training was interrupted."""

    model: Model
    history: History
    report: Report | None


@check_keywords(lr="learning_rate", path="data", output_path="output")
def digits(
    *,
    recipe: str = "quick",
    epochs: int | None = None,
    model: str | None = None,
    data: str | Path | None = None,
    extra: str | Path | None = None,
    samples: int | None = None,
    batch_size: int | None = None,
    optimizer: str | Optimizer | None = None,
    learning_rate: float | None = None,
    schedule: str | Schedule = "one-cycle",
    validation: float | str | None = "recipe",
    seed: int = 0,
    threads: int | None = None,
    output: str | Path | None = None,
    verbose: int = 1,
) -> Run:
    """Trains a network on MNIST or Fashion-MNIST, evaluates it on the test images, and saves it.

    Args:
        recipe: the values of the options that are None: "quick" (the network "cnn", 5 epochs, batch size 64, Adam, 0.1
            held out), or "best" (the network "large", 12 epochs, batch size 128, AdamW with weight decay 0.02 and
            learning rate 0.008, nothing held out), which also augments the images (shift 0.12, rotate 12, scale 0.1,
            shear 0.15) and smooths the labels (0.05).  For data="fashion", "best" takes the network "clothes", 24
            epochs, shift 0.06, scale 0.05, flips and erasing (0.15), and averages mirror images at prediction.
        epochs: passes over the data.
        model: "cnn", "large", "clothes" or "mlp".
        data: a path, as pn.datasets.mnist takes it, "sample", or "fashion" for pn.datasets.fashion_mnist(); a folder of
            that name is "./fashion".
        extra: your own digits to train on as well, as pn.datasets.mnist takes them.
        samples: train on this many images only, a stratified random sample; None takes all.
        batch_size: images per step.
        optimizer: a name or an optimizer, as pn.fit takes it.
        learning_rate: at the schedule's peak; for other optimizers than the recipe's, None chooses by the optimizer.
        schedule: a name or a function, as pn.fit takes it.
        validation: the share held out for validation, None or 0 for none, or "recipe".
        seed: the seed of weights, split, order and dropout.
        threads: the number of threads; None keeps the current setting.
        output: the .safetensors file to save the model to; None does not save.
        verbose: 0 silent, 1 one line per epoch, 2 one line per step.

    Returns:
        The model, its History, and the Report on the test images.
    """
    plan = choose("recipe", recipe, RECIPES)
    if plan is _BEST and data == FASHION:
        plan = CLOTHES
    name = plan.model if model is None else model
    made = choose("model", name, MODELS)()
    if output is not None:
        model_path("save", output)
    if threads is not None:
        _core.set_threads(threads)
    if optimizer is None:
        optimizer = plan.optimizer
    if learning_rate is None and (optimizer, schedule) == ("adam", "one-cycle"):
        learning_rate = RATES.get(name)
    elif learning_rate is None and optimizer is plan.optimizer:
        learning_rate = plan.learning_rate
    found = _data(data, extra)
    train = found.train if samples is None else _some(found.train, samples, seed)
    history = fit(
        made,
        train,
        epochs=plan.epochs if epochs is None else epochs,
        batch_size=plan.batch_size if batch_size is None else batch_size,
        optimizer=optimizer,
        learning_rate=learning_rate,
        schedule=schedule,
        validation=plan.validation if validation == "recipe" else validation,
        augment=plan.augment,
        label_smoothing=plan.label_smoothing,
        test_time=plan.test_time,
        seed=seed,
        verbose=verbose,
    )
    saved = None if output is None else save(made, output)  # first, so that Ctrl-C in the test keeps the model
    try:
        report = _tested(made, train if samples is not None else None, found.test, history, verbose)
    finally:
        if saved is not None and verbose:
            say([f"saved {saved} ({saved.stat().st_size:,} bytes)"])
    return Run(made, history, report)


def _data(data: str | Path | None, extra: str | Path | None) -> Splits:
    if data != FASHION:
        return mnist(data, extra=extra)
    if extra is not None:
        raise ValueError("digits: extra has digits, which are not among the clothes of data='fashion': leave one out")
    return fashion_mnist()


def _tested(model: Model, train: Dataset | None, test: Dataset | None, history: History, verbose: int) -> Report | None:
    """The report on the test images; prints the one on the training images first if they are given."""
    if train is not None and verbose:
        say(evaluate(model, train, verbose=0).parts, first="train: ")
    if history.interrupted or test is None:
        return None
    report: Report = evaluate(model, test, verbose=0)
    if verbose:
        say(report.parts, first="" if train is None else "test: ")
    return report


def _some(data: Dataset, samples: int, seed: int) -> Dataset:
    if not is_whole(samples) or not 1 <= samples <= len(data):
        raise ValueError(f"digits: samples is {samples!r}: give a whole number from 1 to {len(data):,}")
    if samples == len(data):
        return data
    return data.take(split_rows(data, samples / len(data), seed)[1])
