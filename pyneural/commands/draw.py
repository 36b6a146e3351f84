"""draw.py -- the commands draw and serve: the page for drawing digits, and an image model as a JSON API."""

from argparse import ArgumentParser
from importlib.util import find_spec
from typing import Any


def draw_arguments(parser: ArgumentParser) -> None:
    """Adds the arguments of draw."""
    parser.add_argument(
        "model",
        metavar="MODEL",
        nargs="?",
        help="a model of digits; default: digits.safetensors in this folder, which is trained if it does not exist",
    )
    _address(parser)
    parser.add_argument(
        "--examples", default="my_digits.npz", metavar="FILE", help="the .npz of the digits that you correct"
    )
    parser.add_argument(
        "--xray",
        metavar="MODEL",
        help="a model of X-rays; default: xray.safetensors in this folder, if it exists",
    )
    parser.add_argument("--no-browser", action="store_true", help="do not open the page in a browser")


def serve_arguments(parser: ArgumentParser) -> None:
    """Adds the arguments of serve."""
    parser.add_argument(
        "model", metavar="MODEL", help="a model of images or of a table, which pn.save or a command wrote"
    )
    _address(parser)


def draw(*, no_browser: bool, debug: bool = False, **options: Any) -> int:
    """Runs the command draw."""
    _check_installed("draw")
    from pyneural.apps.draw.starting import draw as run

    run(browser=not no_browser, **options)
    return 0


def serve(*, debug: bool = False, **options: Any) -> int:
    """Runs the command serve."""
    _check_installed("serve")
    from pyneural.apps.draw.starting import serve as run

    run(**options)
    return 0


def _address(parser: ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", metavar="HOST", help="the address to listen on")
    parser.add_argument("--port", type=int, default=5000, metavar="N", help="the port; the next free one if it is busy")


def _check_installed(who: str) -> None:
    if not (find_spec("flask") and find_spec("waitress")):
        raise ImportError(f"{who} needs Flask and waitress: run pip install '.[draw]' in the checkout")
