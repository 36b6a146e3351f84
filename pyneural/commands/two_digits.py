"""two_digits.py -- the command two-digits: two overlapping digits in one image."""

from argparse import SUPPRESS, ArgumentParser
from typing import Any


def arguments(parser: ArgumentParser) -> None:
    """Adds the arguments of the command."""
    add = parser.add_argument
    add("--epochs", type=int, default=8, metavar="N", help="passes over the data")
    add("--model", choices=("cnn", "mlp"), default="cnn", help="the network")
    add("--data", default=SUPPRESS, metavar="DIR", help="a folder with the four MNIST files, or the word sample")
    add(
        "--pairs",
        type=int,
        default=SUPPRESS,
        metavar="N",
        help="the number of training images; default: 60,000, or 6,000 of the sample",
    )
    add("--batch-size", type=int, default=64, metavar="N", help="images per step")
    add("--optimizer", default="adam", metavar="NAME", help="sgd, rmsprop, adam or adamw")
    add("--learning-rate", type=float, default=SUPPRESS, metavar="X", help="at the schedule's peak")
    add("--schedule", default="one-cycle", metavar="NAME", help="one-cycle, cosine, step or constant")
    add("--seed", type=int, default=0, metavar="N", help="the seed of weights, order and dropout")
    add("--threads", type=int, default=SUPPRESS, metavar="N", help="the number of threads")
    add("-o", "--output", default="two_digits.safetensors", metavar="FILE", help="the file to save the model to")


def run(*, debug: bool = False, **options: Any) -> int:
    """Runs the command; returns the exit code."""
    from pyneural.apps.two_digits_app import two_digits

    return 130 if two_digits(**options).history.interrupted else 0
