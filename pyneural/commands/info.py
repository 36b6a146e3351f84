"""info.py -- the command info: what a model file contains."""

import json
from collections.abc import Iterator
from pathlib import Path

from pyneural.arguments.paths import as_path
from pyneural.evaluation.facts import facts
from pyneural.files.safetensors import load
from pyneural.models.ensemble import Ensemble
from pyneural.models.model import Model
from pyneural.printing import SEPARATOR, put, put_parts


def info(model: str | Path) -> None:
    """Prints what a model file contains.

    Args:
        model: the path of the .safetensors file.

    Raises:
        ValueError, OSError: it cannot be read.
    """
    source = as_path("info", model)
    loaded = load(source)
    if not isinstance(loaded, Ensemble):  # whose summary begins with its line
        put_parts([str(loaded)])
        put()
    loaded.summary()
    put()
    known = list(_facts(source, loaded))
    width = max(len(name) for name, _ in known) + 2
    for name, text in known:
        put_parts(text.split(SEPARATOR), indent=" " * width, first=f"{name:<{width}}")


def _facts(source: Path, model: Model | Ensemble) -> Iterator[tuple[str, str]]:
    yield from facts(model)
    yield "versions", ", ".join(f"{name} {version}" for name, version in _versions(source).items())
    yield "fingerprint", model.fingerprint()
    yield "file", f"{source}, {source.stat().st_size:,} bytes"


def _versions(source: Path) -> dict[str, str]:
    from safetensors import safe_open

    with safe_open(source, framework="np") as file:
        return dict(json.loads(file.metadata()["pyneural"]).get("versions", {}))
