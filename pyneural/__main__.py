"""__main__.py -- the command line: pyneural digits."""

import argparse
import sys
from collections.abc import Sequence

from pyneural.version import VERSION


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pyneural", description="A neural-network library that is one small C engine."
    )
    parser.add_argument("--version", action="version", version=f"pyneural {VERSION}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    digits = commands.add_parser(
        "digits",
        help="train on handwritten digits (MNIST), test, save",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    digits.add_argument("--epochs", type=int, default=5, metavar="N", help="passes over the data")
    digits.add_argument("--model", choices=("cnn", "mlp"), default="cnn", help="the network")
    digits.add_argument(
        "--data", default=argparse.SUPPRESS, metavar="DIR", help="a folder with the four MNIST files, or sample"
    )
    digits.add_argument("--samples", type=int, default=argparse.SUPPRESS, metavar="N", help="train on N images only")
    digits.add_argument("--batch-size", type=int, default=64, metavar="N", help="images a step")
    digits.add_argument("--optimizer", default="adam", metavar="NAME", help="sgd, rmsprop, adam or adamw")
    digits.add_argument(
        "--learning-rate", type=float, default=argparse.SUPPRESS, metavar="X", help="at the schedule's peak"
    )
    digits.add_argument("--schedule", default="one-cycle", metavar="NAME", help="one-cycle, cosine, step or constant")
    digits.add_argument("--validation", type=float, default=0.1, metavar="X", help="the share held back; 0 for none")
    digits.add_argument("--seed", type=int, default=0, metavar="N", help="of weights, split, order and dropout")
    digits.add_argument("--threads", type=int, default=argparse.SUPPRESS, metavar="N", help="to compute with")
    digits.add_argument("-o", "--output", default="digits.safetensors", metavar="FILE", help="where the model goes")
    digits.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command.

    Returns:
        0; 1 after an error, told in one line; 2 for a wrong usage; 130 when interrupted.
    """
    options = vars(_parser().parse_args(arguments))
    command, debug = options.pop("command"), options.pop("debug")
    try:
        from pyneural import apps

        run = {"digits": apps.digits}[command](**options)
        return 130 if run.history.interrupted else 0
    except KeyboardInterrupt:
        print("pyneural: interrupted", file=sys.stderr)
        return 130
    except Exception as error:  # whatever it is, a person at a terminal gets one line
        if debug:
            raise
        print(f"pyneural: {' '.join(str(error).split()) or type(error).__name__}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
