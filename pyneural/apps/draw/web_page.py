"""web_page.py -- the drawing page as one file: a model, the engine in WebAssembly, and the sample of MNIST."""

import base64
import copy
import gzip
import hashlib
import json
from importlib.resources import files

from pyneural.apps.draw.markup import FOLDER, filled, text_of
from pyneural.arguments.arrays import Array
from pyneural.card.task import Task
from pyneural.datasets.mnist_files import mnist
from pyneural.files.architecture import KINDS
from pyneural.files.safetensors import dumps
from pyneural.images.digit import DOUBTS
from pyneural.layers.layer import walk
from pyneural.layers.norms import BatchNorm
from pyneural.models.ensemble import Ensemble
from pyneural.models.model import Model

MODULE = "web/engine.wasm"
MOST_WEIGHTS = 16_000_000
"""The largest file of a model that goes into a page, in bytes: the page is 1.4 times as large, and mailed."""
_BLANK = "there is no digit on the image: it is blank, or nothing stands out from the background"
_WORKER = ("web/engine.js", "web/worker.js")
_SCRIPT = ("web/alone.js", "static/page.js", "web/training.js")


def page(model: Model | Ensemble, name: str) -> bytes:
    """The page of a model, in UTF-8.

    Args:
        model: a model of digits.
        name: what the page calls it.

    Raises:
        ValueError: the model does not read digits, or is too large.
        OSError: this installation has no WebAssembly module.
    """
    weights = _weights(model)
    data = mnist("sample")
    assert data.test is not None
    style, script = text_of("static/page.css"), "\n".join(map(text_of, _SCRIPT))
    values = {
        "style": style,
        "script": script,
        "policy": _policy(style, script),
        "icon": f"data:image/svg+xml;base64,{_base64(text_of('static/icon.svg').encode())}",
        "facts": _facts(model, name, len(data.train), len(data.test)),
        "train": f"{len(data.train):,}",
        "module": _base64(_zipped(module())),
        "weights": _base64(weights),
        "images": _base64(_zipped(_joined(data.train.x, data.test.x))),
        "labels": _base64(_zipped(_joined(data.train.y, data.test.y))),
        "worker": "\n".join(map(text_of, _WORKER)),
    }
    return filled("alone", values).encode()


def _weights(model: Model | Ensemble) -> bytes:
    """The file of a model, checked; its batch norms are frozen, as those of a learning are (learning.py)."""
    if isinstance(model, Ensemble):
        raise ValueError("export: the model is an ensemble, which a page cannot teach: export one of its models")
    if not _reads_drawings(model):
        raise ValueError(
            "export: the model does not read digits as pyneural digits trains it, and the page is for drawing digits: "
            "give one that does; pyneural serve answers with any model of images or tables"
        )
    if str(model.dtype) != "float32":
        raise ValueError(
            f"export: the model computes in {model.dtype}, but pages compute in float32: train it with that"
        )
    frozen = copy.deepcopy(model)
    for path, layer in walk(frozen):
        if not isinstance(layer, Model) and type(layer) not in KINDS.values():
            raise ValueError(f"export: layer {path} is a custom {type(layer).__name__}, which only Python can run")
        if isinstance(layer, BatchNorm):
            layer.trainable = False
    found = dumps(frozen)
    if len(found) > MOST_WEIGHTS:
        raise ValueError(
            f"export: the model has {len(found) / 1e6:.1f} MB, but a page holds {MOST_WEIGHTS / 1e6:.0f}: "
            "train a smaller network, such as pyneural digits --model cnn"
        )
    return found


def _reads_drawings(model: Model) -> bool:
    """Whether it takes what the page gives, 28 x 28 grey bytes, and gives what the page shows, ten probabilities."""
    task, rule = model.card.task, model.card.preprocessing
    return (
        isinstance(task, Task)
        and (task.kind, task.names) == ("classes", tuple(map(str, range(10))))
        and model.card.prepare == "digit"
        and model.input_shape in ((28, 28, 1), (784,))
        and rule is not None
        and rule.dtype == "uint8"
    )


def module() -> bytes:
    """The engine as WebAssembly.

    Raises:
        OSError: this installation has none.
    """
    path = files(FOLDER).joinpath(MODULE)
    if not path.is_file():
        raise FileNotFoundError(
            "export: this installation of pyneural has no WebAssembly module: run make web in the checkout (it needs "
            "emscripten; Debian: apt install emscripten), and install pyneural again: pip install ."
        )
    return path.read_bytes()


def _facts(model: Model | Ensemble, name: str, train: int, test: int) -> str:
    rule = model.card.preprocessing
    facts = {
        "name": name,
        "train": train,
        "test": f"{test:,} test digits of MNIST",
        "note": "",
        "mean": round(rule.mean[0]) if rule and rule.mean else 0,
        "sentences": DOUBTS | {"empty": _BLANK},
    }
    return json.dumps(facts).replace("<", "\\u003c")  # so that no name ends the script


def _policy(style: str, script: str) -> str:
    """A Content-Security-Policy: our style, our script and a worker of ours, and no network."""
    return (
        f"default-src 'none'; script-src '{_hash(script)}' 'wasm-unsafe-eval'; style-src '{_hash(style)}'; "
        "worker-src blob:; img-src data:; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"sha256-{_base64(hashlib.sha256(text.encode()).digest())}"


def _joined(*arrays: Array) -> bytes:
    return b"".join(array.astype("uint8").tobytes() for array in arrays)


def _zipped(data: bytes) -> bytes:
    return gzip.compress(data, 9, mtime=0)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
