"""Fixtures of the drawing page: a small model of digits, and drawings."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from asking import Client
from needs import BROWSER

import pyneural as pn
from pyneural.apps.draw.answers import Reader
from pyneural.apps.draw.examples import Examples
from pyneural.apps.draw.learning import Pupil
from pyneural.apps.draw.server import page

collect_ignore = ["test_draw_browser.py"] if BROWSER.missing else []


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
def pupil(reader: Reader, sample: pn.Splits, tmp_path: Path) -> Iterator[Pupil]:
    made = Pupil(reader, Examples(tmp_path / "my_digits.npz"), lambda: sample)
    yield made
    vars(made).clear()  # pytest keeps it for a while, and what it learnt is engine memory


@pytest.fixture
def client(pupil: Pupil) -> Client:
    """A client of the page's app, without a network."""
    app = page(pupil, "digits.safetensors", "127.0.0.1")
    app.testing = False  # errors are answered, as they are to users
    return Client(app.test_client())
