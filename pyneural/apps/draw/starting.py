"""starting.py -- what the commands draw and serve do: the model, the app, the server."""

from pathlib import Path

import pyneural.apps.draw.xray as of_xrays
from pyneural.apps.digits_app import RECIPES, digits
from pyneural.apps.draw.answers import Reader
from pyneural.apps.draw.examples import Examples
from pyneural.apps.draw.learning import Learner
from pyneural.apps.draw.running import serve as run
from pyneural.apps.draw.server import api, page
from pyneural.apps.draw.tables import RowReader
from pyneural.arguments.paths import model_path
from pyneural.datasets.mnist_files import mnist
from pyneural.evaluation.temperature import calibrate
from pyneural.files.safetensors import load, save
from pyneural.models.ensemble import Ensemble
from pyneural.models.model import Model
from pyneural.printing import put

MODEL = "digits.safetensors"
EXAMPLES = "my_digits.npz"
_HELD_OUT = RECIPES["quick"].validation


def draw(
    model: str | Path | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 5000,
    examples: str | Path = EXAMPLES,
    xray: str | Path | None = None,
    browser: bool = True,
) -> None:
    """Serves the page for drawing digits until Ctrl-C.

    Args:
        model: a model of digits; None: digits.safetensors in this folder, which is trained if it does not exist.
        host: the address to listen on.
        port: the port, or the next free one.
        examples: the .npz of the user's own digits.
        xray: a model of X-rays with two classes; None: xray.safetensors in this folder, if it exists.
        browser: whether to open the page in a browser.

    Raises:
        ValueError, OSError: a file cannot be read or written, or the model does not read digits.
    """
    _check_port("draw", port)
    own = Examples(examples)
    loaded, name = model_of(model)
    if loaded.card.columns:
        raise ValueError(f"draw: the model in {name} takes a table, not drawings: serve it: pyneural serve {name}")
    reader = Reader(loaded, "draw")
    if not reader.is_for_digits or loaded.classes != tuple(map(str, range(10))):
        raise ValueError(
            f"draw: the model in {name} does not read digits as pyneural digits trains it: give one that does, or "
            f"serve it: pyneural serve {name}"
        )
    if isinstance(loaded, Ensemble):
        raise ValueError(f"draw: {name} is an ensemble, which cannot learn drawn digits: give one model, or serve it")
    xrays, xray_name = _xray_reader(xray)
    app = page(Learner(reader, own, mnist), name, host, xrays, xray_name)
    run(app, host, port, what="draw a digit", browser=browser)


def serve(model: str | Path, *, host: str = "127.0.0.1", port: int = 5000) -> None:
    """Serves the API of a model of images or of a table until Ctrl-C.

    Args:
        model: the model.
        host: the address to listen on.
        port: the port, or the next free one.

    Raises:
        ValueError, OSError: the model cannot be read, or takes neither.
    """
    _check_port("serve", port)
    loaded = load(model)
    reader = RowReader(loaded, "serve") if loaded.card.columns else Reader(loaded, "serve")
    app = api(lambda: reader, Path(model).name, host)
    run(app, host, port, what="API", browser=False)


def model_of(path: str | Path | None) -> tuple[Model | Ensemble, str]:
    """The model, and the name of its file; trains it if none is given and none is here."""
    if path is None and not Path(MODEL).exists():
        put(f"there is no {MODEL} here yet, so a network is trained first; this happens once")
        _train()
    found = MODEL if path is None else path
    return load(found), Path(found).name


def _xray_reader(path: str | Path | None) -> tuple[Reader | None, str]:
    """The reader of X-rays, and the name of its file; None if no path is given and no model is here."""
    if path is None and not Path(of_xrays.MODEL).exists():
        return None, ""
    found = Path(of_xrays.MODEL if path is None else path)
    reader = Reader(load(found), "draw: --xray")
    of_xrays.check(reader, found.name)
    return reader, found.name


def _train() -> None:
    """Trains the default network, and calibrates its confidence on the digits that were held out.

    Raises:
        KeyboardInterrupt: the training was interrupted; nothing is saved.
    """
    model_path("draw", MODEL)
    done = digits()
    if done.history.interrupted:
        raise KeyboardInterrupt
    calibrate(done.model, mnist().train.split(_HELD_OUT, seed=0)[1], verbose=0)  # the same digits
    save(done.model, MODEL)


def _check_port(who: str, port: int) -> None:
    if not 0 <= port < 65536:
        raise ValueError(f"{who}: --port is {port}: give a number from 0, which is any free port, to 65535")
