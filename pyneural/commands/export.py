"""export.py -- the command export: a model as a file for another program."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any


def arguments(parser: ArgumentParser) -> None:
    """Adds the arguments of export."""
    parser.add_argument("model", metavar="MODEL", help="a .safetensors file that pn.save or a command wrote")
    parser.add_argument(
        "file",
        metavar="FILE",
        help="what to write: page.html is a page that draws, reads and learns digits in the browser, without a server",
    )


def run(*, model: str, file: str, debug: bool = False, **_: Any) -> int:
    """Runs the command export."""
    from pyneural.apps.exporting import export
    from pyneural.files.safetensors import load
    from pyneural.printing import put

    path = export(load(model), file, name=Path(model).name)
    put(f"wrote {path}, {path.stat().st_size / 1e6:.1f} MB: open it in a browser, mail it, or put it on a web server")
    return 0
