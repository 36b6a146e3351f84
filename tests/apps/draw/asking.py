"""Asks the server of the drawing page: in this process, and as a program of its own."""

from __future__ import annotations

import http.client
import json
import re
import signal
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
from child import environment
from PIL import Image

PROGRAM = [sys.executable, "-P", "-W", "error", "-m", "pyneural"]


class Running:
    """A command that serves."""

    def __init__(self, *arguments: str, folder: Path) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [*PROGRAM, *arguments], cwd=folder, env=environment({"PYNEURAL_DATA": "sample"}), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self.lines: list[str] = []
        while not self.lines or "http://" not in self.lines[-1]:
            line = self.process.stdout.readline()
            assert line, self.process.communicate()
            self.lines.append(line)
        self.port = int(re.search(r"http://127\.0\.0\.1:(\d+)", self.lines[-1])[1])

    def ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, dict]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body)
            response = connection.getresponse()
            return response.status, json.loads(response.read() or b"{}")
        finally:
            connection.close()

    def stop(self) -> str:
        """Presses Ctrl-C; what it still printed."""
        self.process.send_signal(signal.SIGINT)
        out, err = self.process.communicate(timeout=30)
        assert (self.process.returncode, err) == (0, "")
        return out


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
