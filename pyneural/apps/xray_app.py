"""xray_app.py -- the chest X-ray detector, end to end: data, network, training, choices on validation, test, file.

Nothing is chosen with the test part: it is evaluated once, when the threshold and the temperature are in the model and
the model is in its file.  docs/xray.md says where the recipe comes from.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pyneural._core as _core
from pyneural.apps.xray_data import read_xrays
from pyneural.apps.xray_result import XrayRun
from pyneural.apps.xray_words import Lines, chosen, found_on_test, held_out
from pyneural.arguments.checks import is_whole, verbosity, whole
from pyneural.arguments.objects import brief
from pyneural.arguments.paths import model_path
from pyneural.arguments.spelling import check_keywords
from pyneural.batching.augmentation import Augment
from pyneural.datasets.dataset import Dataset, Splits
from pyneural.datasets.splitting import fold_rows
from pyneural.evaluation.drift import record_pixels
from pyneural.evaluation.evaluate import evaluate
from pyneural.evaluation.report import Report
from pyneural.evaluation.temperature import calibrate
from pyneural.evaluation.threshold import choose_threshold
from pyneural.files.safetensors import save
from pyneural.layers.convolution import Conv2D, GlobalAvgPool2D
from pyneural.layers.dense import Dense
from pyneural.layers.nodes import Input, Node
from pyneural.layers.norms import BatchNorm, Dropout
from pyneural.models.model import Model
from pyneural.training.fit import fit
from pyneural.training.history import History
from pyneural.training.optimizers import AdamW

_FOLDS = 8  # of which one is held out for validation
_SPECIFICITY = 0.99  # that the threshold must have on the validation part
_SMALLEST = 16  # pixels of a side


@check_keywords(shape="size", input_size="size", image_size="size")
def xray_cnn(size: int = 144, *, stride: int = 2) -> Model:
    """A small residual CNN for greyscale images of size x size and two classes: 307,506 parameters.

    Args:
        size: the side of the images, in pixels.
        stride: that of the first convolution; 1 for images of fewer than about 64 pixels.

    Source: He et al., "Deep Residual Learning for Image Recognition" (2016).
    """
    x = y = Input((whole("xray_cnn", "size", size, least=_SMALLEST), size, 1))
    y = BatchNorm(activation="relu")(Conv2D(16, 3, stride=stride, padding=1, bias=False)(y))
    for filters in (16, 32, 64, 128):
        y = _block(y, filters)
    return Model(x, Dense(2)(Dropout(0.3)(GlobalAvgPool2D()(y))))


def _block(x: Node, filters: int) -> Node:
    """relu(norm(conv(relu(norm(conv(x))))) + x); where the number of channels changes, x is halved in size, too."""
    stride = 1 if x.shape[-1] == filters else 2
    y = BatchNorm(activation="relu")(Conv2D(filters, 3, stride=stride, padding=1, bias=False)(x))
    y = Conv2D(filters, 3, padding=1, bias=False)(y)
    if stride == 2:
        x = BatchNorm()(Conv2D(filters, 1, stride=2, bias=False)(x))
    joined: Node = BatchNorm(activation="relu")(y, x)
    return joined


class Recipe(NamedTuple):
    """What xray trains, and how.

    Attributes:
        network: makes the network.
        epochs: passes over the training part.
        options: the other arguments of fit.
    """

    network: Callable[[], Model]
    epochs: int
    options: dict[str, Any]


def _recipe(size: int) -> Recipe:
    """The recipe for images of size x size."""
    return Recipe(
        partial(xray_cnn, size, stride=2 if size >= 64 else 1),
        20,
        {
            "batch_size": 32,
            "optimizer": AdamW(weight_decay=0.2),
            "learning_rate": 6e-3,
            "preprocess": "image",
            "augment": Augment(
                shift=0.15, rotate=15, scale=0.2, shear=0, flip=True, gamma=0.6, contrast=0.3, brightness=0.15
            ),
            "balance": True,
            "label_smoothing": 0.1,
            "ema": 0.99,
            "keep": "last",
            "test_time": "flip",
        },
    )


@check_keywords(data="path", folder="path", output_path="output")
def xray(
    path: str | Path | None = None,
    *,
    size: int | None = None,
    epochs: int | None = None,
    seed: int = 0,
    threads: int | None = None,
    output: str | Path | None = None,
    verbose: int = 1,
) -> XrayRun:
    """Trains a pneumonia detector on chest X-rays, evaluates it on the test images, and saves it.

    An eighth of the training images is held out for validation, by patient.  The weights are the averaged ones of the
    last epoch; the temperature and the threshold, of at least 99 % specificity, are chosen on the validation images.
    The test images are evaluated once, at the end.

    Args:
        path: a folder as pn.datasets.chest_xray takes it; or pneumoniamnist.npz or "sample", as
            pn.datasets.pneumonia_mnist does.  None is the folder chest_xray in $PYNEURAL_DATA or the user's cache, or
            if there is none, PneumoniaMNIST.
        size: images of a folder are resized to size x size; None is 144.
        epochs: passes over the training images; None is 20.
        seed: the seed of weights, order, dropout and augmentation; the validation part is the fold seed % 8.
        threads: the number of threads; None keeps the current setting.
        output: the .safetensors file to save the model to; None does not save.
        verbose: 0 silent, 1 one line per epoch, 2 one line per step.

    Returns:
        The model, its History, the Report on the test images (None if training was interrupted), the images, and the
        lines that were printed.

    Raises:
        ValueError, TypeError, OSError: an option or the data is wrong; raised before training starts.
    """
    _check(size, epochs, seed, output)
    lines = Lines(verbosity("xray", verbose, "1 (one line per epoch) or 2 (one line per step)"))
    if threads is not None:
        _core.set_threads(threads)
    data = read_xrays(path, size, lines)
    return _run(data, epochs, seed, output, lines)


def _check(size: Any, epochs: Any, seed: Any, output: Any) -> None:
    """Checks the options."""
    if size is not None:
        whole("xray", "size", size, least=_SMALLEST)
    if epochs is not None:
        whole("xray", "epochs", epochs)
    if not is_whole(seed) or not 0 <= seed < 2**64:
        raise ValueError(f"xray: seed is {brief(seed)}: give a whole number of at least 0, and below 2**64")
    if output is not None:
        model_path("save", output)


class _Network(NamedTuple):
    """A trained network; its report on the validation part, with which its threshold was chosen."""

    model: Model
    history: History
    validation: Report | None


def _run(data: Splits, epochs: int | None, seed: int, output: str | Path | None, lines: Lines) -> XrayRun:
    """The run on data that was read."""
    network = _trained(data, epochs, seed, output, lines)
    model, history, validation = network
    report = None
    saved = None if output is None else save(model, output)
    try:
        if validation is not None and data.test is not None:
            report = evaluate(model, data.test, verbose=0)
            found_on_test(report, validation, lines)
    finally:
        if saved is not None:
            lines.say(f"saved {saved} ({saved.stat().st_size:,} bytes)")
    return XrayRun(model, history, report, data, tuple(lines.kept))


def _trained(data: Splits, epochs: int | None, seed: int, output: str | Path | None, lines: Lines) -> _Network:
    """Trains a network, and chooses its temperature and its threshold; it is saved before, as they take seconds."""
    train, held = _parts(data, seed, lines)
    recipe = _recipe(train.x.shape[1])
    model = recipe.network()
    count = recipe.epochs if epochs is None else epochs
    history = fit(model, train, validation=held, epochs=count, seed=seed, verbose=lines.verbose, **recipe.options)
    record_pixels(model, train)
    if output is not None:
        save(model, output)
    return _Network(model, history, None if history.interrupted else _chosen(model, held, lines))


def _parts(data: Splits, seed: int, lines: Lines) -> tuple[Dataset, Dataset]:
    """The training and the validation part: the data's own, or all folds but one, and that one."""
    if data.validation is not None:
        lines.say(*held_out(data.validation, ""))
        return data.train, data.validation
    folds = fold_rows(data.train, _FOLDS, 0, "xray: validation")
    number = seed % _FOLDS
    rest = [row for other, rows in enumerate(folds) if other != number for row in rows.tolist()]
    train, held = data.train.take(sorted(rest)), data.train.take(folds[number])
    lines.say(*held_out(held, f"fold {number + 1} of {_FOLDS}"))
    return train, held


def _chosen(model: Model, held: Dataset, lines: Lines) -> Report:
    """Chooses the temperature and the threshold; where the data does not determine one, it stays as it is."""
    for choose in (calibrate, partial(choose_threshold, min_specificity=_SPECIFICITY)):
        try:
            choose(model, held, verbose=0)
        except ValueError as error:
            lines.say(f"not chosen: {error}")
    report: Report = evaluate(model, held, verbose=0)
    lines.say(*chosen(report, f"at least {100 * _SPECIFICITY:g} % specificity on the validation images"))
    return report
