"""Fixtures of the drawing page: a small model of digits, and drawings."""

import fcntl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from asking import Client
from needs import BROWSER, WEB

import pyneural as pn
from pyneural.apps.draw.answers import Reader
from pyneural.apps.draw.examples import Examples
from pyneural.apps.draw.learning import Learner
from pyneural.apps.draw.server import page

collect_ignore = [
    *(["test_draw_browser.py"] if BROWSER.missing else []),
    *(["test_web_engine.py"] if WEB.missing else []),
    *(["test_web_browser.py"] if WEB.missing or BROWSER.missing else []),
]
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def web_module() -> Path:
    """The module of exported pages, up to date: built by the first process that needs it."""
    (ROOT / "build").mkdir(exist_ok=True)
    with (ROOT / "build" / "web.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run(["make", "-s", "-j2", "web"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return ROOT / "pyneural" / "apps" / "draw" / "web" / "engine.wasm"


@pytest.fixture(scope="session")
def digit_file(sample: pn.Splits, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a small model of digits: 96 % right."""
    model = pn.Sequential(
        pn.Conv2D(8, 5, bias=False), pn.BatchNorm(activation="relu"), pn.MaxPool2D(2),
        pn.Conv2D(16, 5, activation="relu"), pn.MaxPool2D(2), pn.Flatten(), pn.Dense(10),
    )  # fmt: skip
    pn.fit(model, sample.train, epochs=4, learning_rate=0.01, verbose=0)
    return pn.save(model, tmp_path_factory.mktemp("draw") / "digits.safetensors")


@pytest.fixture(scope="session")
def reader(digit_file: Path) -> Reader:
    return Reader(pn.load(digit_file), "draw")


@pytest.fixture
def learner(reader: Reader, sample: pn.Splits, tmp_path: Path) -> Iterator[Learner]:
    made = Learner(reader, Examples(tmp_path / "my_digits.npz"), lambda: sample)
    yield made
    vars(made).clear()  # pytest keeps it for a while, and what it learnt is engine memory


@pytest.fixture
def client(learner: Learner) -> Client:
    """A client of the page's app, without a network."""
    app = page(learner, "digits.safetensors", "127.0.0.1")
    app.testing = False  # errors are answered, as they are to users
    return Client(app.test_client())
