"""train_app.py -- a network for your own data, end to end: a folder of images or an .npz, training, test, file."""

import math
import os
from pathlib import Path
from typing import Any

import numpy as np

import pyneural._core as _core
from pyneural.apps.digits_app import Run
from pyneural.arguments.checks import is_number, whole
from pyneural.arguments.paths import model_path, writable
from pyneural.arguments.spelling import check_keywords
from pyneural.batching.augmentation import Augment, check_augment
from pyneural.datasets.csv_path import is_csv
from pyneural.datasets.dataset import Dataset
from pyneural.datasets.folder_layout import files_by_class, parts_of
from pyneural.datasets.image_folder import folder
from pyneural.datasets.npz_file import is_npz, npz
from pyneural.datasets.splits import Splits
from pyneural.evaluation.evaluate import evaluate
from pyneural.files.safetensors import save
from pyneural.images.files import opened
from pyneural.layers.convolution import Conv2D, GlobalAvgPool2D, MaxPool2D
from pyneural.layers.dense import Dense
from pyneural.layers.layer import Layer
from pyneural.layers.norms import BatchNorm, Dropout
from pyneural.layers.reshaping import Flatten
from pyneural.models.sequential import Sequential
from pyneural.printing import put
from pyneural.schedules import Schedule
from pyneural.training.fit import fit
from pyneural.training.optimizers import Optimizer

_KEPT = 128  # images of one size, at most this, keep it
_SIDE = 96  # others are resized to this
_WIDEST = 128  # channels
_RATE = 0.01  # at batches of 64: batch norm allows a higher peak than fit's default, as in pn.apps.digits
_BATCHES = 8, 64  # the sizes of batches
_STEPS = 20  # of an epoch, at least, if batches are large enough
_EPOCHS = 10, 25
_HELD = 10  # validation examples, at least, that choose the epoch
_SEEN = 32_000  # examples in a training of few, each counted once an epoch
_LOOKED_AT = 50  # files whose size is looked at


@check_keywords(classes="outputs", num_classes="outputs")
def image_cnn(shape: tuple[int, ...], outputs: int) -> Sequential:
    """A CNN for images of a size: blocks of two convolutions with batch norm, the channels doubling as the side halves.

    The blocks end when the side is below 12 pixels; the mean of each channel then goes to one dense layer.  Images of
    more than 128 pixels are halved by the first convolution.

    Args:
        shape: (height, width, channels).
        outputs: the number of classes, or of values.

    >>> image_cnn((28, 28, 1), 10)
    ?-16c3-16c3-p2-32c3-32c3-p2-64c3-64c3-gap-10 | relu x6, linear
    """
    side = min(shape[:2])
    stride = 2 if side > _KEPT else 1
    layers: list[Layer] = []
    channels = 16
    side //= stride
    while True:
        for step in (stride, 1):
            layers += [Conv2D(channels, 3, padding="same", stride=step, bias=False), BatchNorm(activation="relu")]
        stride = 1
        if side < 12:
            break
        layers.append(MaxPool2D(2))
        side //= 2
        channels = min(2 * channels, _WIDEST)
    return Sequential(*layers, GlobalAvgPool2D(), Dropout(0.3), Dense(outputs))


@check_keywords(classes="outputs", num_classes="outputs")
def table_mlp(outputs: int) -> Sequential:
    """A network for rows of numbers: two hidden layers of 64."""
    return Sequential(Flatten(), Dense(64, "relu"), Dense(64, "relu"), Dense(outputs))


@check_keywords(lr="learning_rate", path="data", output_path="output")
def train(
    data: str | Path,
    *,
    epochs: int | None = None,
    size: int | None = None,
    groups: str | None = None,
    skip_bad: bool = False,
    batch_size: int | None = None,
    optimizer: str | Optimizer = "adam",
    learning_rate: float | None = None,
    schedule: str | Schedule = "one-cycle",
    validation: float | None = 0.1,
    class_weight: str | None = None,
    augment: Augment | None = None,
    checkpoint: str | Path | None = None,
    seed: int = 0,
    threads: int | None = None,
    output: str | Path | None = None,
    verbose: int = 1,
) -> Run:
    """Trains a network on your own data, evaluates it on the test part if there is one, and saves it.

    Images get a CNN for their size, `image_cnn`, and tables an MLP.

    Few examples get more epochs, and small batches, so that an epoch has at least 20 steps.  Else the running means of
    batch norm, which cover about ten steps, lag behind the weights, and the validation loss jumps.

    Args:
        data: a folder of images as pn.datasets.folder takes it, or an .npz as pn.datasets.npz does.
        epochs: passes over the data; None chooses 32,000 / n for n training examples, at least 10 and at most 25.
        size: the images of a folder are resized to size x size; None keeps their size if it is the same for all, up to
            128 pixels, and else takes 96.
        groups: a regular expression that finds the group, such as the patient, in the file names of a folder.
        skip_bad: leave out images of a folder that cannot be read, with a warning, instead of raising an error.
        batch_size: examples per step; None chooses n / 20, at least 8 and at most 64.
        optimizer: a name or an optimizer, as pn.fit takes it.
        learning_rate: at the schedule's peak; None is 0.01 * sqrt(batch_size / 64), at most 0.01, for images with
            "adam" and "one-cycle", and else what pn.fit chooses.
        schedule: a name or a function, as pn.fit takes it.
        validation: the share held out for validation, unless the data has a validation part; None or 0 for none.  With
            fewer than 10 examples in it, whose lowest loss is luck, the model has the weights of the last epoch.
        class_weight: "balanced" weights the classes inversely to their number, as pn.fit does.
        augment: random changes of the training images, new in each epoch, such as pn.Augment(flip=True).
        checkpoint: a file, such as "run.ckpt", that is written after every epoch and every 30 seconds.  After the
            program was killed, the same call resumes from it, with the same result as an uninterrupted training.
        seed: the seed of weights, split, order, dropout and augmentation.
        threads: the number of threads; None keeps the current setting.
        output: the .safetensors file to save the model to; None does not save.
        verbose: 0 silent, 1 one line per epoch, 2 each step.

    Returns:
        The model, its History, and the Report on the test part, which is None if there is none.
    """
    check_files(output, checkpoint)
    check_augment("train", augment)
    for name, value in {"epochs": epochs, "batch_size": batch_size}.items():
        if value is not None:
            whole("train", name, value)
    if threads is not None:
        _core.set_threads(threads)
    found = _read(data, size, groups, skip_bad, verbose)
    shape, outputs = found.train.x.shape[1:], _outputs(found.train)
    is_images = len(shape) == 3
    model = image_cnn(shape, outputs) if is_images else table_mlp(outputs)
    epochs, batch_size = chosen(len(found.train), epochs, batch_size)
    if learning_rate is None and is_images and (optimizer, schedule) == ("adam", "one-cycle"):
        learning_rate = round(_RATE * math.sqrt(min(1.0, batch_size / _BATCHES[1])), 4)
    options: dict[str, Any] = {"optimizer": optimizer, "learning_rate": learning_rate, "schedule": schedule}
    options |= {"validation": validation, "class_weight": class_weight, "augment": augment, "checkpoint": checkpoint}
    options |= {"seed": seed, "verbose": verbose, "keep": _keep(found, validation)}
    history = fit(model, found, epochs=epochs, batch_size=batch_size, **options)
    saved = None if output is None else save(model, output)  # first, so that Ctrl-C in the test keeps the model
    report = None
    try:
        if not history.interrupted and found.test is not None:
            if verbose:
                put("test: ", end="")
            report = evaluate(model, found.test, verbose=verbose)
    finally:
        if saved is not None and verbose:
            put(f"saved {saved} ({saved.stat().st_size:,} bytes)")
    return Run(model, history, report)


def chosen(count: int, epochs: int | None = None, batch_size: int | None = None) -> tuple[int, int]:
    """The epochs and the batch size of a training of `count` examples, those that are given unchanged.

    >>> [chosen(count) for count in (100, 180, 1_000, 2_000, 5_000)]
    [(25, 8), (25, 9), (25, 50), (16, 64), (10, 64)]
    """
    if epochs is None:
        epochs = min(max(_SEEN // count, _EPOCHS[0]), _EPOCHS[1])
    if batch_size is None:
        batch_size = min(max(count // _STEPS, _BATCHES[0]), _BATCHES[1])
    return epochs, batch_size


def _keep(data: Splits, share: Any) -> str:
    """The epoch whose weights are kept; few validation examples cannot choose one."""
    part = len(data.train) * share if is_number(share) else 0
    held = part if data.validation is None else len(data.validation)
    return "last" if held < _HELD else "best"


def check_files(output: str | Path | None, checkpoint: str | Path | None) -> None:
    """Rejects paths that cannot be written, before the data is read."""
    if output is not None:
        model_path("save", output)
    if checkpoint is not None:
        writable("train: checkpoint", checkpoint)
    if output is not None and checkpoint is not None and os.path.realpath(output) == os.path.realpath(checkpoint):
        raise ValueError(f"train: '{output}' is both the checkpoint and the model: give two files")


def _read(data: str | Path, size: int | None, groups: str | None, skip_bad: bool, verbose: int) -> Splits:
    if is_npz(data):
        for name, value in {"size": size, "groups": groups, "skip_bad": skip_bad or None}.items():
            if value is not None:
                raise ValueError(f"train: {name} is for a folder of images, and '{data}' is an .npz: leave it out")
        return npz(data)
    if is_csv(data):
        raise ValueError(f"train: '{data}' is a CSV file: pn.apps.train_table('{data}', target='...') trains on tables")
    if not Path(data).expanduser().is_dir():
        what = "is not an .npz" if Path(data).expanduser().is_file() else "does not exist"
        raise FileNotFoundError(f"train: '{data}' {what}: give a folder of images, or an .npz of x and y")
    if size is None:
        size = _size(Path(data).expanduser())
        if size is not None and verbose:
            put(f"images are resized to {size} x {size}")
    return folder(data, size=size, groups=groups, skip_bad=skip_bad)


def _size(root: Path) -> int | None:
    """The side for a folder's images; None to keep their size."""
    files = [file for images in files_by_class(parts_of(root)["train"]).values() for file in images]
    sizes = set()
    for file in files[:: -(-len(files) // _LOOKED_AT)]:
        try:
            with opened(file, "train") as image:
                sizes.add(image.size)
        except (OSError, ValueError):  # folder names the files that it cannot read
            continue
    return None if len(sizes) == 1 and max(sizes.pop()) <= _KEPT else _SIDE


def _outputs(train: Dataset) -> int:
    """The number of outputs: one per class, or per value."""
    y = train.y
    if train.classes:
        return len(train.classes)
    if y.ndim == 2 and y.shape[1] > 1:
        return int(y.shape[1])
    if y.dtype.kind == "f" and not np.all(y == np.floor(y)):
        return 1
    distinct = np.unique(y.astype(str) if y.dtype.kind == "O" else y)
    if y.dtype.kind in "iub" and int(distinct[0]) >= 0 and int(distinct[-1]) < 2 * len(distinct):
        return max(2, int(distinct[-1]) + 1)
    return max(2, len(distinct))
