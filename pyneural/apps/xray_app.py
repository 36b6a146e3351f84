"""xray_app.py -- the chest X-ray detector, end to end: data, network, training, choices on validation, test, file.

Nothing is chosen with the test part: it is evaluated once, when the threshold and the temperature are in the model and
the model is in its file.  docs/xray.md says where the recipe comes from.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pyneural._core as _core
from pyneural.apps.xray_choices import Network, chosen, chosen_together
from pyneural.apps.xray_data import Division, divided, read_xrays
from pyneural.apps.xray_files import check_outputs, write_outputs
from pyneural.apps.xray_result import XrayRun
from pyneural.apps.xray_words import Lines, say_each, say_found, say_parts, say_recipe
from pyneural.arguments.checks import checked_seed, verbosity, whole
from pyneural.arguments.paths import model_path
from pyneural.arguments.spelling import check_keywords
from pyneural.batching.augmentation import Augment
from pyneural.datasets.splits import Splits
from pyneural.evaluation.drift import record_pixels
from pyneural.evaluation.evaluate import evaluate
from pyneural.files.safetensors import save
from pyneural.layers.convolution import Conv2D, GlobalAvgPool2D
from pyneural.layers.dense import Dense
from pyneural.layers.nodes import Input, Node
from pyneural.layers.norms import BatchNorm, Dropout
from pyneural.models.ensemble import Ensemble
from pyneural.models.model import Model
from pyneural.training.fit import fit
from pyneural.training.history import History
from pyneural.training.optimizers import AdamW

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


@check_keywords(data="path", folder="path", output_path="output", cv="folds", n_splits="folds")
def xray(
    path: str | Path | None = None,
    *,
    size: int | None = None,
    epochs: int | None = None,
    folds: int | None = None,
    seeds: int | None = None,
    seed: int = 0,
    threads: int | None = None,
    output: str | Path | None = None,
    plots: str | Path | None = None,
    csv: str | Path | None = None,
    html: str | Path | None = None,
    verbose: int = 1,
) -> XrayRun:
    """Trains a pneumonia detector on chest X-rays, evaluates it on the test images, and saves it.

    An eighth of the training images is held out for validation, by patient.  The weights are the averaged ones of the
    last epoch; the temperature and the threshold, of at least 99 % specificity (99.5 % for images of fewer than 64
    pixels a side), are chosen on the validation images.  The test images are evaluated once, at the end.

    Several networks become one pn.Ensemble.  Its threshold, of at least 99.5 % specificity, is chosen on the pooled
    validation probabilities: those that each network gives the images that it was not trained on.

    Args:
        path: a folder as pn.datasets.chest_xray takes it; or pneumoniamnist.npz or "sample", as
            pn.datasets.pneumonia_mnist does.  None is the folder chest_xray in $PYNEURAL_DATA or the user's cache, or
            if there is none, PneumoniaMNIST.
        size: images of a folder are resized to size x size; None is 144.
        epochs: passes over the training images; None is 20.
        folds: the number of folds of a cross-validation, which trains one network per fold.
        seeds: the number of networks, with the seeds seed, seed + 1 and so on; each is also evaluated on test.
        seed: the seed of weights, order, dropout and augmentation; the validation part is the fold number seed % 8.
        threads: the number of threads; None keeps the current setting.
        output: the .safetensors file to save the model to; None does not save.
        plots: a folder for the plots and heat maps of the test images, made if it does not exist.
        csv: a file for the answer to each test image.
        html: a file for the whole report as an HTML page.
        verbose: 0 silent, 1 one line per epoch, 2 one line per step.

    Returns:
        The model or Ensemble, the History of the first network, the Report on the test images (None if training was
        interrupted), the images, and the lines that were printed.

    Raises:
        ValueError, TypeError, OSError: an option or the data is wrong; raised before training starts.
        ImportError: plots or a page are asked for, and matplotlib is not installed.
    """
    plan = _plan(size, epochs, folds, seeds, seed, output)
    lines = Lines(verbosity("xray", verbose, "1 (one line per epoch) or 2 (one line per step)"))
    check_outputs(plots, csv, html, model=output)
    if threads is not None:
        _core.set_threads(threads)
    run = _run(read_xrays(path, size, lines), plan, lines)
    for line in write_outputs(run, plots=plots, csv=csv, html=html):
        lines.say(line)
    return run._replace(lines=tuple(lines.kept))


class _Plan(NamedTuple):
    """The options of xray that were checked.

    Attributes:
        epochs: None for those of the recipe.
        folds: None for one fold of eight, or the validation part of the data.
        seeds: those of the networks.
        output: the file for the model, or None.
    """

    epochs: int | None
    folds: int | None
    seeds: range
    output: str | Path | None


def _plan(size: Any, epochs: Any, folds: Any, seeds: Any, seed: Any, output: Any) -> _Plan:
    """Checks the options."""
    if size is not None:
        whole("xray", "size", size, least=_SMALLEST)
    if epochs is not None:
        whole("xray", "epochs", epochs)
    if folds is not None and seeds is not None:
        raise ValueError("xray: folds and seeds are both given: give one, as the network of each fold has its own seed")
    for name, count in (("folds", folds), ("seeds", seeds)):
        if count is not None:
            whole("xray", name, count, ", or leave it out for one network", least=2)
    seed = checked_seed("xray", seed, bits=63)
    if output is not None:
        model_path("save", output)
    return _Plan(epochs, folds, range(seed, seed + (folds or seeds or 1)), output)


def _run(data: Splits, plan: _Plan, lines: Lines) -> XrayRun:
    """The run on data that was read."""
    division = divided(data, plan.folds)
    division.check(plan.seeds)
    networks, history = _networks(division, plan, lines)
    reports = [network.report for network in networks if network.report is not None]
    model: Any = networks[0].model
    validation = reports[0] if reports else None
    if len(networks) > 1:
        model, validation = chosen_together(networks, lines)
        record_pixels(model, division.images)
    saved = None if plan.output is None else save(model, plan.output)
    report = None
    try:
        if validation is not None and data.test is not None and len(networks) == len(plan.seeds):
            if plan.folds is None and len(networks) > 1:
                say_each(plan.seeds, reports, [evaluate(one.model, data.test, verbose=0) for one in networks], lines)
            report = evaluate(model, data.test, verbose=0)
            say_found(report, validation, lines)
    finally:
        if saved is not None:
            lines.say(f"saved {saved} ({saved.stat().st_size:,} bytes)")
    return XrayRun(model, history, report, data, tuple(lines.kept))


def _networks(division: Division, plan: _Plan, lines: Lines) -> tuple[list[Network], History]:
    """Trains the networks until Ctrl-C, and keeps an interrupted one only if it is the first; the History is its."""
    networks: list[Network] = []
    for seed in plan.seeds:
        network, history = _trained(division, plan, seed, networks, lines)
        if not networks:
            first = history
        if network.report is None and networks:
            lines.say(f"interrupted: the model has the {len(networks)} networks that were trained before")
            break
        networks.append(network)
        if network.report is None:
            if len(plan.seeds) > 1:
                lines.say(f"interrupted: the model is the first of {len(plan.seeds)} networks, without a threshold")
            break
    return networks, first


def _trained(
    division: Division, plan: _Plan, seed: int, before: list[Network], lines: Lines
) -> tuple[Network, History]:
    """Trains a network, and chooses its temperature and threshold.

    All networks so far are saved before the choices, as these take seconds, during which Ctrl-C raises an error.
    """
    train, held, rows = division.parts(seed)
    say_parts(held, division.fold(seed), lines)
    recipe = _recipe(train.x.shape[1])
    model = recipe.network()
    count = recipe.epochs if plan.epochs is None else plan.epochs
    model.build(train.x.shape[1:], seed=seed)
    if not before:
        say_recipe(model, count, lines)
    history = fit(model, train, validation=held, epochs=count, seed=seed, verbose=lines.verbose, **recipe.options)
    if plan.output is not None:
        save(Ensemble([*(one.model for one in before), model]) if before else model, plan.output)
    report = None if history.interrupted else chosen(model, held, lines)
    record_pixels(model, train)
    return Network(model, rows, report), history
