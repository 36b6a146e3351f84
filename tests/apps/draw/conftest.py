"""Fixtures of the drawing page: a small model of digits, and drawings."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pyneural as pn
from pyneural.apps.draw.answers import Reader
from pyneural.apps.draw.examples import Examples
from pyneural.apps.draw.learning import Pupil
from pyneural.apps.draw.server import page


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
def client(pupil: Pupil) -> "Client":
    """A client of the page's app, without a network."""
    app = page(pupil, "digits.safetensors", "127.0.0.1")
    app.testing = False  # errors are answered, as they are to users
    return Client(app.test_client())


class Client:
    """Flask's test client, which asks as a program on this computer does."""

    def __init__(self, flask: object) -> None:
        self.flask = flask

    def __call__(self, method: str, path: str, body: bytes = b"", **headers: str):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.flask.open(
            path, method=method, data=body, buffered=True, headers={"Host": "127.0.0.1:5000"} | named
        )


def square(digit: np.ndarray) -> bytes:
    """A digit as the page sends a drawing: 140 x 140 grey pixels."""
    return np.kron(digit[..., 0], np.ones((5, 5), np.uint8)).tobytes()


def encoded(pixels: np.ndarray, kind: str = "PNG", **options) -> bytes:
    file = BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()
