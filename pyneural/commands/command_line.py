"""command_line.py -- the command line: pyneural digits, two-digits, train, xray, predict, evaluate, info and others.

A command is a row of COMMANDS: its name, what it does, its arguments, and the function that runs it and returns the
exit code.  Every error becomes one line on stderr; a command imports what it needs when it runs.
"""

import argparse
import os
import re
import shutil
import sys
import warnings
from argparse import SUPPRESS, ArgumentParser
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import pyneural.commands.draw as draw
import pyneural.commands.export as export
import pyneural.commands.train as train
import pyneural.commands.two_digits as two_digits
import pyneural.commands.xray as xray
from pyneural.printing import put
from pyneural.version import VERSION

EXIT_CODES = (
    "exit codes: 0 success; 1 an error, reported in one line on stderr; 2 a usage error; 130 interrupted by Ctrl-C, "
    "after saving"
)


# ---- the commands: their arguments and functions -------------------------------------------------------------------


def _digits_arguments(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("--recipe", choices=("quick", "best"), default="quick", help="the defaults of the options below")
    add(
        "--epochs",
        type=int,
        default=SUPPRESS,
        metavar="N",
        help="passes over the data (quick: 5, best: 12, or 24 for fashion)",
    )
    add(
        "--model",
        choices=("cnn", "large", "clothes", "mlp"),
        default=SUPPRESS,
        help="the network (quick: cnn, best: large, or clothes for fashion)",
    )
    add(
        "--data",
        default=SUPPRESS,
        metavar="DIR",
        help="a folder with the four MNIST files, or the word sample or fashion",
    )
    add("--extra", default=SUPPRESS, metavar="FILE", help="an .npz of x and y: your own digits to train on as well")
    add("--samples", type=int, default=SUPPRESS, metavar="N", help="train on N images only")
    add("--batch-size", type=int, default=SUPPRESS, metavar="N", help="images per step (quick: 64, best: 128)")
    add(
        "--optimizer",
        default=SUPPRESS,
        metavar="NAME",
        help="sgd, rmsprop, adam or adamw (quick: adam, best: adamw with weight decay 0.02)",
    )
    add("--learning-rate", type=float, default=SUPPRESS, metavar="X", help="at the schedule's peak")
    add("--schedule", default="one-cycle", metavar="NAME", help="one-cycle, cosine, step or constant")
    add(
        "--validation",
        type=float,
        default=SUPPRESS,
        metavar="X",
        help="the share held out for validation; 0 for none (quick: 0.1, best: 0)",
    )
    add("--seed", type=int, default=0, metavar="N", help="the seed of weights, split, order and dropout")
    add("--threads", type=int, default=SUPPRESS, metavar="N", help="the number of threads")
    add("-o", "--output", default="digits.safetensors", metavar="FILE", help="the file to save the model to")


def _digits(*, debug: bool = False, **options: Any) -> int:
    from pyneural.apps.digits_app import digits

    return 130 if digits(**options).history.interrupted else 0


def _model_argument(parser: ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="a .safetensors file that pn.save or a command wrote")


def _predict_arguments(parser: ArgumentParser) -> None:
    _model_argument(parser)
    parser.add_argument(
        "files",
        metavar="FILE",
        nargs="+",
        help="an image, PNG or JPEG; unreadable ones are reported on stderr and skipped, and the exit code is 1; or "
        "for a model of tables one CSV file, with or without the target",
    )
    parser.add_argument(
        "--heat-map",
        default=SUPPRESS,
        metavar="PATH",
        help="write each image with where the model looked: one image to a .png, any number to a folder, where the map "
        "of scan.jpeg is scan_heat_map.png",
    )
    parser.add_argument(
        "--method",
        choices=("grad-cam", "occlusion"),
        default=SUPPRESS,
        help="the method of the heat maps; default: grad-cam, which needs a convolution",
    )
    parser.add_argument("--csv", default=SUPPRESS, metavar="FILE", help="write the answers to a table's rows to a file")


def _predict(**options: Any) -> int:
    from pyneural.commands.predict import predict

    return 0 if predict(**options) else 1


def _evaluate_arguments(parser: ArgumentParser) -> None:
    _model_argument(parser)
    parser.add_argument(
        "data",
        metavar="DATA",
        nargs="?",
        default=SUPPRESS,
        help="a folder with the four MNIST files, or with one subfolder of images per class; an .npz; for a model of "
        "tables a CSV file; or the word sample or fashion; default: the set that the model was trained on (MNIST, "
        "Fashion-MNIST, PneumoniaMNIST or chest X-rays), from $PYNEURAL_DATA, the cache or a download",
    )
    parser.add_argument(
        "--groups",
        default=SUPPRESS,
        metavar="GROUPS",
        help="a regular expression that finds the group, such as the patient, in a file's name; of a table the column",
    )
    parser.add_argument("--csv", default=SUPPRESS, metavar="FILE", help="write each example's answer to a CSV file")
    parser.add_argument(
        "--plots",
        default=SUPPRESS,
        metavar="DIR",
        help="write plots to a folder: confusion, calibration, mistakes, and for two classes ROC, precision and recall",
    )
    parser.add_argument("--html", default=SUPPRESS, metavar="FILE", help="write the whole report as one HTML page")


def _evaluate(*, debug: bool = False, **options: Any) -> int:
    from pyneural.commands.evaluate import evaluate

    evaluate(**options)
    return 0


def _info(*, debug: bool = False, **options: Any) -> int:
    from pyneural.commands.info import info

    info(**options)
    return 0


class Command(NamedTuple):
    """One command."""

    name: str
    does: str
    arguments: Callable[[ArgumentParser], None]
    run: Callable[..., int]


COMMANDS = (
    Command("digits", "train on handwritten digits (MNIST) or Fashion-MNIST, test, save", _digits_arguments, _digits),
    Command("two-digits", "train on two overlapping digits in one image", two_digits.arguments, two_digits.run),
    Command("train", "train on your own data: images, a CSV file or an .npz; test, save", train.arguments, train.run),
    Command("xray", "train a pneumonia detector on chest X-rays, test, save", xray.arguments, xray.run),
    Command("predict", "answer for image files, or for a CSV file, with a saved model", _predict_arguments, _predict),
    Command("evaluate", "evaluate a saved model on test data", _evaluate_arguments, _evaluate),
    Command("info", "show what a model file contains", _model_argument, _info),
    Command("draw", "draw digits in the browser, and teach the network yours", draw.draw_arguments, draw.draw),
    Command("serve", "serve a saved model of images or tables as a JSON API", draw.serve_arguments, draw.serve),
    Command("export", "write a saved model as a web page that needs no server", export.arguments, export.run),
)


# ---- running a command ----------------------------------------------------------------------------------------------


class _FoldingParser(ArgumentParser):
    """A parser whose usage is folded, with a short indent, where a line of argparse is too long for the terminal."""

    def format_usage(self) -> str:
        """The usage, folded between arguments."""
        import textwrap  # only here, so that commands start quickly

        text = super().format_usage()
        columns = shutil.get_terminal_size().columns
        if all(len(line) <= columns for line in text.splitlines()):
            return text
        whole = re.sub(r"\[.*?\]+", lambda argument: argument[0].replace(" ", "\0"), " ".join(text.split()))
        lines = textwrap.wrap(whole, columns, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
        return "\n".join(lines).replace("\0", " ") + "\n"

    def format_help(self) -> str:
        """The help, which begins with the usage."""
        return self.format_usage() + super().format_help().removeprefix(super().format_usage())


class _CommandParser(_FoldingParser):
    """The parser of one command, which reports an unknown argument with the usage of this command."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Refuses what ArgumentParser would hand back, for the main parser to refuse."""
        known, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}{self._hint(unknown)}")
        return known, unknown

    def _hint(self, unknown: list[str]) -> str:
        """The option that was meant, if one is close, or known by another name in other libraries."""
        from pyneural.arguments.familiar_training import OF_FIT
        from pyneural.arguments.spelling import closest

        known = {option[2:] for action in self._actions for option in action.option_strings if option[:2] == "--"}
        for option in unknown:
            name = option.lstrip("-").partition("=")[0].replace("-", "_")
            ours = OF_FIT.get(name, "").replace("_", "-")
            near = ours if ours in known else closest(name.replace("_", "-"), known)
            if option.startswith("--") and near:
                return f": did you mean --{near}"
        return ""


class _Help(argparse.ArgumentDefaultsHelpFormatter):
    """Shows the defaults of arguments, but for None and False, which say nothing."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        return action.help if action.default is None or action.default is False else super()._get_help_string(action)


def _parser() -> ArgumentParser:
    parser = _FoldingParser(
        prog="pyneural", description="A neural-network library on a small C engine.", epilog=EXIT_CODES
    )
    parser.add_argument("--version", action="version", version=f"pyneural {VERSION}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_CommandParser)
    for command in COMMANDS:
        one = commands.add_parser(
            command.name,
            help=command.does,
            description=f"{command.does[0].upper()}{command.does[1:]}.",
            epilog=EXIT_CODES,
            formatter_class=_Help,
        )
        command.arguments(one)
        one.add_argument("--debug", action="store_true", default=SUPPRESS, help="show the traceback of an error")
        one.set_defaults(run=command.run)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command.

    Returns:
        0; 1 after an error, reported in one line, or on a closed pipe; 2 for a usage error; 130 if interrupted.
    """
    for stream in ("stdout", "stderr"):
        if getattr(sys, stream) is None:  # closed before Python started
            nowhere = os.open(os.devnull, os.O_WRONLY)
            setattr(sys, stream, open(nowhere, "w", closefd=False))  # noqa: SIM115 -- open until exit
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_, **__: _report(message)
        code = _run(arguments)
    try:
        sys.stdout.flush()
    except OSError as error:
        code = code or _failed(error)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the interpreter's own last flush
    return code


def _run(arguments: Sequence[str] | None) -> int:
    """Runs a command, reports any error, and returns the exit code."""
    debug = False
    try:
        if not (sys.argv[1:] if arguments is None else arguments):
            _parser().print_help(sys.stderr)
            return 2
        options = vars(_parser().parse_args(arguments))
        run = options.pop("run")
        debug = options.get("debug", False)
        return int(run(**options))
    except SystemExit as end:  # raised by argparse: help, version, or a usage error
        return end.code if isinstance(end.code, int) else 0
    except KeyboardInterrupt:
        _report("interrupted")
        return 130
    except Exception as error:  # any error becomes one line
        if debug and not isinstance(error, BrokenPipeError):
            raise
        return _failed(error)


def _failed(error: Exception) -> int:
    """Reports the error in one line and returns 1; silent on a closed pipe: `pyneural info m | head -1`."""
    if not isinstance(error, BrokenPipeError):
        _report(error)
    return 1


def _report(what: object) -> None:
    """One line on stderr."""
    put(f"pyneural: {' '.join(str(what).split()) or type(what).__name__}", stream=sys.stderr)
