"""xray.py -- the command xray: a pneumonia detector for chest X-rays."""

from argparse import SUPPRESS, ArgumentParser
from typing import Any


def arguments(parser: ArgumentParser) -> None:
    """Adds the arguments of the command."""
    add = parser.add_argument
    add(
        "path",
        metavar="FOLDER",
        nargs="?",
        default=SUPPRESS,
        help="the folder with train and test, each with NORMAL and PNEUMONIA; or pneumoniamnist.npz, or the word "
        "sample; default: chest_xray in $PYNEURAL_DATA or the cache, or if it is not there, PneumoniaMNIST",
    )
    add("--size", type=int, default=SUPPRESS, metavar="N", help="resize the images of a folder to N x N (default: 144)")
    add("--epochs", type=int, default=SUPPRESS, metavar="N", help="passes over the training images (default: 20)")
    add(
        "--folds",
        type=int,
        default=SUPPRESS,
        metavar="K",
        help="cross-validation by patient: K networks, each validated on one fold, as one ensemble",
    )
    add(
        "--seeds",
        type=int,
        default=SUPPRESS,
        metavar="N",
        help="N networks with different seeds: the mean and the spread of their results, and their ensemble",
    )
    add("--seed", type=int, default=0, metavar="N", help="the seed of weights, validation part, order and dropout")
    add("--threads", type=int, default=SUPPRESS, metavar="N", help="the number of threads")
    add("-o", "--output", default="xray.safetensors", metavar="FILE", help="the file to save the model to")
    add("--plots", default=SUPPRESS, metavar="DIR", help="write plots and heat maps of the test images to a folder")
    add("--csv", default=SUPPRESS, metavar="FILE", help="write the answer to each test image to a CSV file")
    add("--html", default=SUPPRESS, metavar="FILE", help="write the whole report as one HTML page, to send to others")


def run(*, debug: bool = False, **options: Any) -> int:
    """Runs the command; returns the exit code."""
    from pyneural.apps.xray_app import xray

    return 0 if xray(**options).report is not None else 130
