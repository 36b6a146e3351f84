"""train.py -- the command train: a network for a folder of images, an .npz, or a table in a CSV file."""

from argparse import SUPPRESS, ArgumentParser, ArgumentTypeError, BooleanOptionalAction
from typing import Any

_OF_TABLES = ("drop", "category", "values", "header", "test")
_OF_IMAGES = ("size", "skip_bad", "augment")


def arguments(parser: ArgumentParser) -> None:
    """Adds the arguments of the command."""
    add = parser.add_argument
    add(
        "data",
        metavar="DATA",
        help="a folder of images, with one subfolder per class, or with train, val and test that have them; or an .npz "
        "of x and y, or of x_train, y_train, x_test and y_test; or a CSV file, with --target",
    )
    _table_arguments(parser)
    add(
        "--epochs",
        type=int,
        default=SUPPRESS,
        metavar="N",
        help="passes over the data; default: 10, up to 25 for fewer than 3,200 examples; for tables by their size",
    )
    add(
        "--size",
        type=int,
        default=SUPPRESS,
        metavar="N",
        help="resize images to N x N; default: keep one size of up to 128 pixels, else 96",
    )
    add(
        "--groups",
        default=SUPPRESS,
        metavar="GROUPS",
        help=r"a regular expression that finds the group, such as the patient, in a file's name, as '^person\d+' does; "
        "for a table the column of the groups: none is in two parts",
    )
    add("--skip-bad", action="store_true", default=SUPPRESS, help="leave out images that cannot be read")
    add(
        "--batch-size",
        type=int,
        default=SUPPRESS,
        metavar="N",
        help="examples per step; default: 64, down to 8 for fewer than 1,280 examples; for tables 32",
    )
    add(
        "--optimizer",
        default=SUPPRESS,
        metavar="NAME",
        help="sgd, rmsprop, adam or adamw; default: adam, for tables adamw",
    )
    add("--learning-rate", type=float, default=SUPPRESS, metavar="X", help="at the peak; default: by the batch size")
    add(
        "--schedule",
        default=SUPPRESS,
        metavar="NAME",
        help="one-cycle, cosine, step or constant; default: one-cycle",
    )
    add(
        "--validation",
        type=float,
        default=SUPPRESS,
        metavar="X",
        help="the share held out for validation; 0 for none; default: 0.1, for tables 0",
    )
    add("--balanced", action="store_true", default=SUPPRESS, help="weight rare classes more: class_weight='balanced'")
    add(
        "--augment",
        nargs="?",
        const="",
        type=_augment,
        default=SUPPRESS,
        metavar="STRENGTHS",
        help="change the training images at random in each epoch: turn by up to 10 degrees, shift, scale and slant by "
        "up to 10 %%, change the tones (pn.Augment); with other strengths flip,rotate=20,erase=0.2, where 0 is off",
    )
    add(
        "--checkpoint",
        default=SUPPRESS,
        metavar="FILE",
        help="write the state of the training to a file; after a kill, the same command resumes from it",
    )
    add("--seed", type=int, default=0, metavar="N", help="the seed of weights, split, order, dropout and augmentation")
    add("--threads", type=int, default=SUPPRESS, metavar="N", help="the number of threads")
    add("-o", "--output", default="model.safetensors", metavar="FILE", help="the file to save the model to")


def _table_arguments(parser: ArgumentParser) -> None:
    add = parser.add_argument_group("tables in CSV files").add_argument
    again: dict[str, Any] = {"action": "append", "default": SUPPRESS, "metavar": "COLUMN"}
    add("--target", help="the column to predict; several times for several columns of numbers", **again)
    add("--drop", help="a column to leave out; may be given several times", **again)
    add("--category", help="a column of numbers that are names, as postcodes are; may be given several times", **again)
    add("--values", action="store_true", default=SUPPRESS, help="whole numbers in the target are values, not classes")
    add(
        "--header",
        action=BooleanOptionalAction,
        default=SUPPRESS,
        help="the first line has names, even if they look like values; --no-header: it has values",
    )
    add(
        "--test",
        type=float,
        default=SUPPRESS,
        metavar="X",
        help="the share of rows held out for the test; 0 for none; default: 0.2",
    )


def run(*, data: str, balanced: bool = False, debug: bool = False, **options: Any) -> int:
    """Runs the command; returns the exit code."""
    from pyneural.datasets.csv_path import is_csv

    options["class_weight"] = "balanced" if balanced else None
    if is_csv(data) or "target" in options:
        return _of_table(data, options)
    for name in _OF_TABLES:
        if name in options:
            raise ValueError(f"train: --{name.replace('_', '-')} is for a CSV file, and '{data}' is not one: drop it")
    from pyneural.apps.train_app import train

    return 130 if train(data, **options).history.interrupted else 0


def _of_table(path: str, options: dict[str, Any]) -> int:
    """Trains on a CSV file."""
    for name in _OF_IMAGES:
        if name in options:
            raise ValueError(f"train: --{name.replace('_', '-')} is for images, and '{path}' is a table: leave it out")
    if "target" not in options:
        raise ValueError(f"train: --target is missing: name the column of '{path}' to predict, --target COLUMN")
    from pyneural.apps.table_app import train_table

    targets = options.pop("target")
    options["target"] = targets[0] if len(targets) == 1 else targets
    options["categories"] = options.pop("category", ())
    return 130 if train_table(path, **options).history.interrupted else 0


def _augment(strengths: str) -> Any:
    """The pn.Augment of "flip,rotate=20"; strengths that are not named have the default."""
    from pyneural.batching.augmentation import Augment

    given = [part.partition("=") for part in strengths.replace(" ", "").split(",") if part]
    try:
        return Augment(**{name: _strength(name, value) for name, _, value in given})
    except (TypeError, ValueError) as error:
        raise ArgumentTypeError(str(error)) from None


def _strength(name: str, value: str) -> Any:
    if name == "flip":
        if value not in ("", "0", "1"):
            raise ValueError(f"flip is '{value}': write flip, or flip=0")
        return value != "0"
    if not value:
        raise ValueError(f"'{name}' is not a strength: write flip,rotate=20 or the like, and DATA before --augment")
    try:
        return float(value)
    except ValueError:
        raise ValueError(f"{name} is '{value}': give a number, such as {name}=0.2") from None
