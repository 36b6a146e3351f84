"""exporting.py -- writes a model in the format of another program: a table, by the ending of the file."""

from collections.abc import Callable
from pathlib import Path

import pyneural.apps.draw.web_page as web_page
from pyneural.arguments.paths import as_path, writable, write_whole
from pyneural.arguments.spelling import check_keywords
from pyneural.models.ensemble import Ensemble
from pyneural.models.model import Model

FORMATS: dict[str, tuple[str, Callable[[Model | Ensemble, str], bytes]]] = {
    ".html": ("a page that draws, reads and learns digits in the browser, without a server", web_page.page),
}
"""Endings, each with what the file is, and what makes its bytes of a model and its name."""


@check_keywords(title="name", **dict.fromkeys(("filepath", "filename", "file", "f", "output"), "path"))
def export(model: Model | Ensemble, path: str | Path, *, name: str = "digits") -> Path:
    """Writes a model as a file for another program; the ending of the path says which.

    .html: one self-contained page with the model and the engine in it, which draws, reads and learns digits in any
    browser; nothing is sent anywhere.  The model must read digits, as those of `pyneural digits` do.

    Args:
        model: a trained model.
        path: where to write; written as a whole or not at all.
        name: what the file calls the model.

    Returns:
        The path.

    Raises:
        ValueError: the ending is unknown, or the model does not fit the format.
        OSError: it cannot be written; or this installation of pyneural has no WebAssembly module.
    """
    if not isinstance(model, Model | Ensemble):
        raise TypeError(f"export: model is {type(model).__name__}: give a pn.Model: pn.export(model, path)")
    target = as_path("export", path)
    if target.suffix.lower() not in FORMATS:
        known = ", ".join(f"{ending} ({what})" for ending, (what, _) in FORMATS.items())
        raise ValueError(f"export: {target.name} has the ending '{target.suffix}': give one of {known}")
    target = writable("export", path)
    write_whole("export", target, FORMATS[target.suffix.lower()][1](model, name))
    return target
