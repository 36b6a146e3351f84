"""csrc/model, models without Python: it must predict, look inside and write exactly what pyneural does, or refuse.

One C program (tests/c/run_model.c) answers all tests, each command in a line.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pyneural as pn
from pyneural.card.preprocessing import Preprocessing
from pyneural.card.task import Task
from pyneural.files.architecture import KINDS
from pyneural.files.safetensors import dumps

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = "build/release/tests/c/run_model"
ROWS = 5


class Program:
    """The running program, and a folder for the files that it reads and writes."""

    def __init__(self, folder: Path) -> None:
        built = subprocess.run(["make", "-s", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=False)
        assert built.returncode == 0, built.stderr
        self.folder = folder
        self.process = subprocess.Popen([ROOT / PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, *words: object) -> str:
        """The answer to a command."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\t".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().rstrip("\n")
        assert answer, f"the program died at {words}"
        assert "memory is left" not in answer, (words, answer)
        return answer

    def given(self, x: np.ndarray[Any, Any]) -> Path:
        """Inputs as a file."""
        x.tofile(self.folder / "x.bin")
        return self.folder / "x.bin"

    def run(self, command: str, data: bytes, x: np.ndarray[Any, Any], *words: object) -> np.ndarray[Any, Any] | str:
        """The bytes that a command wrote, or its error."""
        model, out = self.folder / "model.safetensors", self.folder / "out.bin"
        model.write_bytes(data)
        answer = self.ask(command, model, *words, x.dtype.name, len(x), self.given(x), out)
        return np.frombuffer(out.read_bytes(), np.uint8) if answer == "ok" else answer


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    started = Program(tmp_path_factory.mktemp("c_model"))
    with started.process:
        yield started
    assert started.process.returncode == 0


def finished(model: pn.Model, shape: tuple[int, ...], *, seed: int, **task: Any) -> pn.Model:
    """The model with random values everywhere, a preprocessing, and a task for each head."""
    rng = np.random.default_rng(seed)
    model.build(shape)
    for path, tensor in model.blocks().tensors.items():
        low = 0.5 if path.endswith("running_var") else -0.6
        tensor.assign(rng.uniform(low, 1, tensor.shape).astype(tensor.dtype))
    kind = task.pop("preprocess", "dataset")
    moments = ((0.5,) * shape[-1], (2.0,) * shape[-1]) if kind == "dataset" else ((), ())
    model.card.preprocessing = Preprocessing(kind, task.pop("dtype", "float"), *moments)
    model.card.loss = task.pop("loss", None)
    shapes = model.output_shape if isinstance(model.output_shape, dict) else {"": model.output_shape}
    kinds = task.pop("kinds", {})
    tasks = {name: Task(kinds.get(name, "classes"), one[-1], **task) for name, one in shapes.items()}
    model.card.task = tasks.get("", tasks)
    return model


def inputs(shape: tuple[int, ...], dtype: str, seed: int, n: int = ROWS) -> np.ndarray[Any, Any]:
    rng = np.random.default_rng(seed)
    return (
        rng.integers(0, 256, (n, *shape)).astype(np.uint8)
        if dtype == "uint8"
        else rng.normal(0.5, 2, (n, *shape)).astype(dtype)
    )


def check(program: Program, model: pn.Model, x: np.ndarray[Any, Any]) -> None:
    """The program must predict what pn.predict does, bit for bit, and write the file that it has read."""
    data = dumps(model)
    expected = pn.predict(pn.files.safetensors.loads(data), x)
    parts = expected.values() if isinstance(expected, dict) else [expected]
    found = program.run("predict", data, x)
    assert not isinstance(found, str), found
    assert found.tobytes() == b"".join(part.tobytes() for part in parts)
    again = program.folder / "again.safetensors"
    assert program.ask("write", program.folder / "model.safetensors", again) == "ok"
    assert again.read_bytes() == data


IMAGE, ROW, WORDS = (8, 9, 3), (6,), (4,)


def with_ends(*layers: pn.Layer) -> pn.Sequential:
    return pn.Sequential(*layers, pn.Flatten(), pn.Dense(3))


def graph(*shape: int) -> tuple[Any, Any]:
    x = pn.Input(shape)
    return x, pn.Conv2D(3, 3, padding="same")(x)


def joined(join: Any) -> pn.Model:
    x, y = graph(*IMAGE)
    return pn.Model(x, pn.Dense(3)(pn.Flatten()(join(x, y))))


def broadcast(join: Any) -> pn.Model:
    x, y = graph(*IMAGE)
    gate = pn.Reshape((1, 1, 3))(pn.GlobalAvgPool2D()(y))
    return pn.Model(x, pn.Dense(3)(pn.Flatten()(join(x, gate))))


FUSED = ("relu", "leaky_relu", "sigmoid", "tanh")
OTHERS = ("elu", "gelu", "gelu_tanh", "softplus", "softmax", "log_softmax", "step", "abs", "exp")
CASES: dict[str, tuple[Any, tuple[int, ...]]] = {
    "Dense": (lambda: pn.Sequential(pn.Dense(5, "relu"), pn.Dense(4, bias=False), pn.Dense(3)), ROW),
    "Dense of rows": (lambda: with_ends(pn.Dense(5, "tanh")), (4, 6)),
    "Embedding": (lambda: with_ends(pn.Embedding(9, 4)), WORDS),
    "Conv2D": (lambda: with_ends(pn.Conv2D(4, (3, 2), stride=(2, 1), padding=((1, 0), (2, 1)))), IMAGE),
    "Conv2D, bias=False": (lambda: with_ends(pn.Conv2D(4, 3, bias=False, padding=1), pn.MaxPool2D(2)), IMAGE),
    "Conv2D, softmax, pool": (lambda: with_ends(pn.Conv2D(4, 3, activation="softmax"), pn.MaxPool2D(2)), IMAGE),
    "DepthwiseConv2D": (lambda: with_ends(pn.DepthwiseConv2D(3, multiplier=2, activation="elu")), IMAGE),
    "MaxPool2D": (lambda: with_ends(pn.Conv2D(4, 3, activation="relu"), pn.MaxPool2D((2, 3))), IMAGE),
    "MaxPool2D overlapping": (lambda: with_ends(pn.Conv2D(4, 3), pn.MaxPool2D(3, stride=2, padding="same")), IMAGE),
    "AvgPool2D": (lambda: with_ends(pn.AvgPool2D(2, stride=(1, 2), padding=(1, 0))), IMAGE),
    "GlobalAvgPool2D": (lambda: pn.Sequential(pn.GlobalAvgPool2D(), pn.Dense(3)), IMAGE),
    "BatchNorm": (lambda: with_ends(pn.BatchNorm(activation="relu", epsilon=0.01)), IMAGE),
    "BatchNorm with a residual": (lambda: joined(pn.BatchNorm(activation="sigmoid")), IMAGE),
    "LayerNorm": (lambda: with_ends(pn.LayerNorm(epsilon=0.1)), IMAGE),
    "Dropout": (lambda: with_ends(pn.Dropout(0.3)), IMAGE),
    "Flatten": (lambda: pn.Sequential(pn.Flatten(), pn.Dense(3)), IMAGE),
    "Reshape": (lambda: with_ends(pn.Reshape((4, -1, 3)), pn.Conv2D(2, 2)), IMAGE),
    "Activation": (lambda: pn.Sequential(pn.Dense(4), pn.Activation("softmax")), ROW),
    "Add": (lambda: joined(pn.Add()), IMAGE),
    "Add of three": (lambda: joined(lambda x, y: pn.Add()(x, y, x)), IMAGE),
    "Multiply": (lambda: broadcast(pn.Multiply()), IMAGE),
    "Concatenate": (lambda: joined(pn.Concatenate(axis=2)), IMAGE),
    "Arithmetic": (lambda: joined(lambda x, y: 1 - (x - y) / 3 + 2 * y), IMAGE),
    "Arithmetic of two": (lambda: broadcast(lambda x, y: x / (y + 3)), IMAGE),
    "nested": (
        lambda: pn.Sequential(pn.Sequential(pn.Conv2D(4, 3), pn.MaxPool2D(2)), pn.MaxPool2D(2), pn.Flatten(),
                              pn.Sequential(pn.Dense(5, "relu"), pn.Dense(3, "softmax"))),
        IMAGE,
    ),
    **{f"Dense {name}": (lambda name=name: pn.Sequential(pn.Dense(4, name), pn.Dense(3)), ROW) for name in FUSED},
    **{f"Activation {name}": (lambda name=name: with_ends(pn.Activation(name)), IMAGE) for name in (*FUSED, *OTHERS)},
    **{f"last {name}": (lambda name=name: pn.Sequential(pn.Dense(3, name)), ROW) for name in (*FUSED, *OTHERS)},
}  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", CASES)
def test_every_layer_has_the_bits_of_predict(program: Program, case: str, dtype: str) -> None:
    make, shape = CASES[case]
    model = make()
    model.dtype = dtype
    words = case == "Embedding"
    model = finished(model, shape, seed=len(case), preprocess="none" if words else "dataset")
    x = inputs(shape, "float32", 1)
    check(program, model, np.clip(np.abs(x.round()), 0, 8) if words else x)


def test_every_kind_of_layer_has_a_case() -> None:
    assert set(KINDS) <= {case.split(",")[0].split(" ")[0] for case in CASES}
