"""train.py -- the command train: a network for a folder of images or an .npz."""

from argparse import SUPPRESS, ArgumentParser, ArgumentTypeError
from typing import Any


def arguments(parser: ArgumentParser) -> None:
    """Adds the arguments of the command."""
    add = parser.add_argument
    add(
        "data",
        metavar="DATA",
        help="a folder of images, with one subfolder per class, or with train, val and test that have them; or an .npz "
        "of x and y, or of x_train, y_train, x_test and y_test",
    )
    add(
        "--epochs",
        type=int,
        default=SUPPRESS,
        metavar="N",
        help="passes over the data; default: 10, up to 25 for fewer than 3,200 examples",
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
        metavar="REGEX",
        help=r"finds the group, such as the patient, in a file's name, as '^person\d+' does: none is in two parts",
    )
    add("--skip-bad", action="store_true", default=SUPPRESS, help="leave out images that cannot be read")
    add(
        "--batch-size",
        type=int,
        default=SUPPRESS,
        metavar="N",
        help="examples per step; default: 64, down to 8 for fewer than 1,280 examples",
    )
    add("--optimizer", default="adam", metavar="NAME", help="sgd, rmsprop, adam or adamw")
    add("--learning-rate", type=float, default=SUPPRESS, metavar="X", help="at the peak; default: by the batch size")
    add("--schedule", default="one-cycle", metavar="NAME", help="one-cycle, cosine, step or constant")
    add("--validation", type=float, default=0.1, metavar="X", help="the share held out for validation; 0 for none")
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


def run(*, balanced: bool = False, debug: bool = False, **options: Any) -> int:
    """Runs the command; returns the exit code."""
    from pyneural.apps.train_app import train

    return 130 if train(class_weight="balanced" if balanced else None, **options).history.interrupted else 0


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
