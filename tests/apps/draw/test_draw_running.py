"""The commands draw and serve, as programs, over the network of this computer."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from asking import Running, square

import pyneural as pn
import pyneural.apps.draw.starting as starting
from pyneural.commands.command_line import main


@pytest.fixture(scope="module")
def running(digit_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    made = Running("draw", str(digit_file), "--no-browser", "--port", "0", folder=tmp_path_factory.mktemp("here"))
    yield made
    assert made.stop() == "stopped\n"


def test_it_reads_digits_over_the_network(running, sample):
    status, found = running.ask("POST", "/api/predict", square(sample.test.x[0]))
    assert status == 200
    assert found["label"] in range(10)
    assert running.ask("GET", "/healthz") == (200, {"status": "ok", "version": pn.__version__})
    assert running.ask("GET", "/nothing")[0] == 404


def test_a_client_that_never_finishes_does_not_hold_up_others(running, sample):
    slow = [socket.create_connection(("127.0.0.1", running.port)) for _ in range(20)]
    for one in slow:
        one.sendall(b"POST /api/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 784\r\n\r\n" + bytes(10))
    began = time.perf_counter()
    assert running.ask("POST", "/api/predict", square(sample.test.x[0]))[0] == 200
    assert time.perf_counter() - began < 5
    for one in slow:
        one.close()


def test_a_body_that_is_far_too_large_is_refused_before_it_is_read(running):
    with socket.create_connection(("127.0.0.1", running.port)) as one:
        one.sendall(b"POST /api/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n")
        assert b" 413 " in one.recv(1000)


def test_what_is_not_http_is_refused(running):
    for body in (
        b"\x16\x03\x01" + bytes(100) + b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
    ):
        with socket.create_connection(("127.0.0.1", running.port), timeout=10) as one:
            one.sendall(body)
            assert re.match(rb"HTTP/1\.[01] [45]\d\d ", one.recv(1000)), body
    assert running.ask("GET", "/healthz")[0] == 200


def test_it_predicts_while_it_learns(running, sample):
    for digit, label in zip(sample.test.x[:3], sample.test.y[:3].tolist(), strict=True):
        assert running.ask("POST", f"/api/examples?label={label}", digit.tobytes())[0] == 201
    answers: list[tuple[int, dict]] = []
    learners = [threading.Thread(target=lambda: answers.append(running.ask("POST", "/api/learn"))) for _ in range(3)]
    for one in learners:
        one.start()
    count = 0
    while any(one.is_alive() for one in learners):
        assert running.ask("POST", "/api/predict", square(sample.test.x[count % 50]))[0] == 200
        count += 1
    statuses = sorted(status for status, _ in answers)
    assert statuses[0] == 200
    assert set(statuses) <= {200, 409}, answers
    assert count > 10


def test_serve_is_the_api_without_the_page(digit_file, tmp_path, sample):
    server = Running("serve", str(digit_file), "--port", "0", folder=tmp_path)
    assert server.ask("POST", "/api/predict", sample.test.x[0].tobytes())[0] == 200
    assert server.ask("GET", "/")[0] == 404
    assert server.ask("POST", "/api/learn")[0] == 404
    assert server.stop() == "stopped\n"


def test_a_busy_port_is_reported_and_the_next_one_taken(digit_file, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        server = Running("serve", str(digit_file), "--port", str(port), folder=tmp_path)
        assert server.port != port
        assert server.lines[0] == f"port {port} is busy: {server.port} is taken instead\n"
        server.stop()


def test_without_a_model_it_trains_and_calibrates_one_first(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYNEURAL_DATA", "sample")
    monkeypatch.setattr(starting, "digits", partial(pn.apps.digits, model="mlp"))
    model, name = starting.model_of(None)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("there is no digits.safetensors here yet")
    assert any("epoch 5/5" in line for line in lines)
    assert name == "digits.safetensors"
    assert model.card.task.temperature != 1
    assert starting.model_of(None)[0].fingerprint() == model.fingerprint()
    assert capsys.readouterr().out == ""


def test_a_training_that_is_interrupted_saves_nothing(tmp_path, monkeypatch):
    interrupted = SimpleNamespace(history=SimpleNamespace(interrupted=True))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(starting, "digits", lambda: interrupted)
    assert main(["draw"]) == 130
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["draw", "nothing.safetensors"], "there is no file 'nothing.safetensors'"),
        (["serve", "nothing.safetensors"], "there is no file 'nothing.safetensors'"),
        (["draw", "--port", "70000"], "--port is 70000"),
        (["draw", "--examples", "my.txt"], "'my.txt' must end in .npz"),
    ],
)
def test_what_cannot_be_served_is_reported_in_a_line(arguments, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main([*arguments]) == 1
    err = capsys.readouterr().err
    assert words in err
    assert err.count("\n") == 1


def test_a_model_of_other_images_is_not_drawn(digit_file, tmp_path, monkeypatch, capsys):
    x = np.random.default_rng(0).integers(0, 255, (40, 8, 8, 1), dtype=np.uint8)
    model = pn.Sequential(pn.Flatten(), pn.Dense(2))
    pn.fit(model, (x, np.arange(40) % 2), epochs=1, verbose=0)
    pn.save(model, tmp_path / "other.safetensors")
    monkeypatch.chdir(tmp_path)
    assert main(["draw", "other.safetensors"]) == 1
    assert "serve it: pyneural serve other.safetensors" in capsys.readouterr().err
    assert main(["draw", str(digit_file), "--xray", str(digit_file)]) == 1
    assert "does not have two classes: make one with pyneural xray" in capsys.readouterr().err


def test_without_flask_it_says_how_to_install_it(monkeypatch, capsys):
    monkeypatch.setattr("pyneural.commands.draw.find_spec", lambda name: None if name == "flask" else object())
    assert main(["draw"]) == 1
    assert capsys.readouterr().err == (
        "pyneural: draw needs Flask and waitress: run pip install '.[draw]' in the checkout\n"
    )


def test_an_ensemble_is_served_and_not_drawn(digit_file, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    pn.save(pn.Ensemble([pn.load(digit_file)]), "e.safetensors")
    assert main(["draw", "e.safetensors"]) == 1
    assert "e.safetensors is an ensemble, which cannot learn drawn digits" in capsys.readouterr().err
