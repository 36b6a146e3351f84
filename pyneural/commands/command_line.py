"""command_line.py -- the command line: pyneural digits, predict, evaluate, info.

A command is a row of COMMANDS: its name, what it does, its arguments, and the function that runs it and gives the exit
code.  Whatever goes wrong becomes one line on stderr; what a command needs is imported when it runs.
"""

import argparse
import os
import sys
import warnings
from argparse import SUPPRESS, ArgumentParser
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from pyneural.printing import put
from pyneural.version import VERSION

EXIT_CODES = (
    "exit codes: 0 done; 1 an error, told in one line on stderr; 2 a wrong usage; 130 interrupted, after saving "
    "what there was to save"
)


# ---- the commands: their arguments, and what runs them -------------------------------------------------------------


def _digits_arguments(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("--epochs", type=int, default=5, metavar="N", help="passes over the data")
    add("--model", choices=("cnn", "mlp"), default="cnn", help="the network")
    add("--data", default=SUPPRESS, metavar="DIR", help="a folder with the four MNIST files, or sample")
    add("--extra", default=SUPPRESS, metavar="FILE", help="an .npz of x and y: digits of your own to train on, too")
    add("--samples", type=int, default=SUPPRESS, metavar="N", help="train on N images only")
    add("--batch-size", type=int, default=64, metavar="N", help="images a step")
    add("--optimizer", default="adam", metavar="NAME", help="sgd, rmsprop, adam or adamw")
    add("--learning-rate", type=float, default=SUPPRESS, metavar="X", help="at the schedule's peak")
    add("--schedule", default="one-cycle", metavar="NAME", help="one-cycle, cosine, step or constant")
    add("--validation", type=float, default=0.1, metavar="X", help="the share held back; 0 for none")
    add("--seed", type=int, default=0, metavar="N", help="of weights, split, order and dropout")
    add("--threads", type=int, default=SUPPRESS, metavar="N", help="to compute with")
    add("-o", "--output", default="digits.safetensors", metavar="FILE", help="where the model goes")


def _digits(*, debug: bool = False, **options: Any) -> int:
    from pyneural.apps.digits_app import digits

    return 130 if digits(**options).history.interrupted else 0


def _predict_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="a .safetensors file that pn.save or a command wrote")
    parser.add_argument(
        "files",
        metavar="FILE",
        nargs="+",
        help="an image, PNG or JPEG; one that cannot be read is told of on stderr, the others go on, the code is 1",
    )


def _predict(**options: Any) -> int:
    from pyneural.commands.saved import predict

    return 0 if predict(**options) else 1


def _evaluate_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="a .safetensors file that pn.save or a command wrote")
    parser.add_argument(
        "data",
        metavar="DATA",
        nargs="?",
        default=SUPPRESS,
        help="a folder with the four MNIST files, or of images in folders of classes, or sample; "
        "else MNIST from $PYNEURAL_DATA, the cache or a download",
    )


def _evaluate(*, debug: bool = False, **options: Any) -> int:
    from pyneural.commands.saved import evaluate

    evaluate(**options)
    return 0


def _info_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="a .safetensors file that pn.save or a command wrote")


def _info(*, debug: bool = False, **options: Any) -> int:
    from pyneural.commands.saved import info

    info(**options)
    return 0


class Command(NamedTuple):
    """One command."""

    name: str
    does: str
    arguments: Callable[[ArgumentParser], None]
    run: Callable[..., int]


COMMANDS = (
    Command("digits", "train on handwritten digits (MNIST), test, save", _digits_arguments, _digits),
    Command("predict", "say what a saved model sees in image files", _predict_arguments, _predict),
    Command("evaluate", "measure a saved model on test data", _evaluate_arguments, _evaluate),
    Command("info", "tell what is in a model file", _info_arguments, _info),
)


# ---- running one ---------------------------------------------------------------------------------------------------


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="pyneural", description="A neural-network library that is one small C engine.", epilog=EXIT_CODES
    )
    parser.add_argument("--version", action="version", version=f"pyneural {VERSION}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        one = commands.add_parser(
            command.name,
            help=command.does,
            description=f"{command.does[0].upper()}{command.does[1:]}.",
            epilog=EXIT_CODES,
            formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        )
        command.arguments(one)
        one.add_argument("--debug", action="store_true", default=SUPPRESS, help="show the traceback of an error")
        one.set_defaults(run=command.run)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command.

    Returns:
        0; 1 after an error, told in one line, or where nobody reads on; 2 for a wrong usage; 130 when interrupted.
    """
    for stream in ("stdout", "stderr"):
        if getattr(sys, stream) is None:  # it was closed before we came
            nowhere = os.open(os.devnull, os.O_WRONLY)
            setattr(sys, stream, open(nowhere, "w", closefd=False))  # noqa: SIM115 -- as long as we live
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_, **__: _tell(message)
        code = _run(arguments)
    try:
        sys.stdout.flush()
    except OSError as error:
        code = code or _ended(error)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the interpreter's own last flush
    return code


def _run(arguments: Sequence[str] | None) -> int:
    """The exit code of a command, with whatever went wrong told."""
    debug = False
    try:
        options = vars(_parser().parse_args(arguments))
        run, debug = options.pop("run"), options.get("debug", False)
        return int(run(**options))
    except SystemExit as end:  # argparse's: help, version, or a wrong usage
        return end.code if isinstance(end.code, int) else 0
    except KeyboardInterrupt:
        _tell("interrupted")
        return 130
    except Exception as error:  # whatever it is, a person at a terminal gets one line
        if debug and not isinstance(error, BrokenPipeError):
            raise
        return _ended(error)


def _ended(error: Exception) -> int:
    """1, after a line; without one where whoever read ours has gone: `pyneural info m | head -1`."""
    if not isinstance(error, BrokenPipeError):
        _tell(error)
    return 1


def _tell(what: object) -> None:
    """One line on stderr."""
    put(f"pyneural: {' '.join(str(what).split()) or type(what).__name__}", stream=sys.stderr)
