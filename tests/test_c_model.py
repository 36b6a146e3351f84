"""csrc/model, models without Python: it must predict, look inside and write exactly what pyneural does, or refuse.

One C program (tests/c/run_model.c) answers all tests, each command in a line.
"""

from __future__ import annotations

import os
import platform
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pyneural as pn
from pyneural.apps.xray_app import xray_cnn
from pyneural.card.preprocessing import Preprocessing
from pyneural.card.target_scale import TargetScale
from pyneural.card.task import Task
from pyneural.files.architecture import KINDS
from pyneural.files.safetensors import dumps

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = "build/release/tests/c/run_model"
ROWS = 5


class Program:
    """The running program, and a folder for the files that it reads and writes."""

    def __init__(self, folder: Path, **environment: str) -> None:
        built = subprocess.run(["make", "-s", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=False)
        assert built.returncode == 0, built.stderr
        self.folder = folder
        self.process = subprocess.Popen(
            [ROOT / PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | environment
        )

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
    "EmbedColumns": (lambda: pn.Sequential(pn.EmbedColumns([3, 1], [9, 7], [2, 5]), pn.Dense(3)), ROW),
    "EmbedColumns alone": (lambda: pn.Sequential(pn.EmbedColumns([2, 0, 1, 3], [9, 9, 9, 9]), pn.Dense(3)), WORDS),
    "EmbedColumns of the first": (lambda: pn.Sequential(pn.EmbedColumns([0, 5], [9, 9]), pn.Dense(3)), ROW),
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
    words = case.startswith("Embed")
    model = finished(model, shape, seed=len(case), preprocess="none" if words else "dataset")
    x = inputs(shape, "float32", 1)
    check(program, model, np.clip(np.abs(x.round()), 0, 6) if words else x)


@pytest.mark.parametrize("case", CASES)
def test_initial_values_are_those_of_a_new_model(program: Program, case: str) -> None:
    make, shape = CASES[case]
    model = pn.save(finished(make(), shape, seed=1), program.folder / "old.safetensors")
    started = program.folder / "started.safetensors"
    assert program.ask("start", model, started, 7) == "ok"
    fresh = make()
    fresh.build(shape, seed=7)
    assert pn.load(started).fingerprint() == fresh.fingerprint()


@pytest.mark.parametrize("init", ["he_normal", "glorot_normal", "glorot_uniform", "normal", "uniform", "ones", 0.25])
def test_initializers_give_the_same_values(program: Program, init: str | float) -> None:
    layers = pn.DepthwiseConv2D(3, multiplier=2, init=init), pn.Flatten(), pn.Dense(3, init=init)
    model = pn.save(finished(pn.Sequential(*layers), IMAGE, seed=1), program.folder / "old.safetensors")
    started = program.folder / "started.safetensors"
    assert program.ask("start", model, started, 7) == "ok"
    layers = pn.DepthwiseConv2D(3, multiplier=2, init=init), pn.Flatten(), pn.Dense(3, init=init)
    fresh = pn.Sequential(*layers)
    fresh.build(IMAGE, seed=7)
    assert pn.load(started).fingerprint() == fresh.fingerprint()


def test_every_kind_of_layer_has_a_case() -> None:
    assert set(KINDS) <= {case.split(",")[0].split(" ")[0] for case in CASES}


# ---- graphs ---------------------------------------------------------------------------------------------------------


def step(rng: np.random.Generator, a: Any, b: Any, shared: pn.Layer, block: pn.Layer) -> Any:
    """A random layer on the image a, or on a and b."""
    name = str(rng.choice(["relu", "sigmoid", "gelu"]))
    choices = [
        lambda: pn.Conv2D(3, 3, padding="same", activation=name)(a),
        lambda: pn.BatchNorm(activation="relu")(a),
        lambda: shared(a),
        lambda: block(a) if a.shape == (8, 8, 3) else pn.Activation(name)(a),
        lambda: pn.Add()(a, b) if a.shape == b.shape else pn.Activation("elu")(a),
        lambda: pn.Conv2D(3, 1)(pn.Concatenate()(a, b)) if a.shape == b.shape else pn.LayerNorm()(a),
        lambda: pn.Multiply()(a, pn.Reshape((1, 1, 3))(pn.GlobalAvgPool2D()(b))),
        lambda: pn.MaxPool2D(2)(pn.Conv2D(3, 3, padding="same")(a)) if a.shape[0] >= 4 else 0.5 * a + 1,
    ]
    return choices[rng.integers(len(choices))]()


def grown(rng: np.random.Generator) -> pn.Model:
    """A random graph over images: branches, joins, shared layers, models inside, one output or two heads."""
    x = pn.Input((8, 8, 3))
    images = [x]
    shared = pn.Conv2D(3, 1, activation="tanh")
    block = pn.Sequential(pn.Conv2D(3, 3, padding="same", activation="relu"), pn.BatchNorm(), pn.Dropout(0.4))
    for _ in range(rng.integers(3, 12)):
        a, b = (images[i] for i in rng.integers(0, len(images), 2))
        images.append(step(rng, a, b, shared, block))
    ends = [pn.Dense(3, end)(pn.Flatten()(image)) for image, end in zip(images[-2:], (None, "softmax"), strict=True)]
    if rng.random() < 0.5:
        return pn.Model(x, ends[0])
    return pn.Model(x, {"left": ends[0], "right": pn.Activation("softmax")(ends[1])})


@pytest.mark.parametrize("seed", range(50))
def test_random_graphs_have_the_bits_of_predict(program: Program, seed: int) -> None:
    rng = np.random.default_rng(seed)
    kinds = {"left": "classes", "right": "values"} if seed % 2 else {}
    loss = {"left": "mse", "right": "cross_entropy"}
    model = finished(
        grown(rng),
        (8, 8, 3),
        seed=seed,
        kinds=kinds,
        preprocess=str(rng.choice(["dataset", "image", "none"])),
        dtype="uint8",
        temperature=1.5 if seed % 3 else 1.0,
        loss=loss if seed % 5 == 0 else None,
    )
    check(program, model, inputs((8, 8, 3), "uint8", seed))


# ---- inputs and answers ---------------------------------------------------------------------------------------------


def classifier(units: int = 3, **more: Any) -> pn.Model:
    layers = pn.Conv2D(4, 3, activation="relu"), pn.MaxPool2D(2), pn.Flatten(), pn.Dense(units)
    return finished(pn.Sequential(*layers), IMAGE, seed=1, **more)


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64", "int64"])
@pytest.mark.parametrize("preprocess", ["dataset", "image", "none"])
@pytest.mark.parametrize("n", [0, 1, 2, 503])
def test_inputs_are_prepared_as_predict_prepares_them(program: Program, preprocess: str, dtype: str, n: int) -> None:
    pixels = dtype == "uint8"
    model = classifier(preprocess=preprocess, dtype="uint8" if pixels else "float")
    check(program, model, inputs(IMAGE, dtype, 2, n))


@pytest.mark.parametrize("test_time", [None, "flip"])
@pytest.mark.parametrize("temperature", [1.0, 0.7])
@pytest.mark.parametrize("kind", ["classes", "binary", "values", "labels", "classes with mse"])
def test_answers_are_those_of_predict(program: Program, kind: str, temperature: float, test_time: str | None) -> None:
    kind, _, loss = kind.partition(" with ")
    model = classifier(
        1 if kind == "binary" else 2,
        kinds={"": kind},
        temperature=temperature if not loss and kind != "values" else 1.0,
        loss=loss or None,
        dtype="uint8",
    )
    model.card.test_time = test_time
    check(program, model, inputs(IMAGE, "uint8", 3))


def test_the_network_for_xrays_has_the_bits_of_predict(program: Program) -> None:
    model = finished(xray_cnn(32), (32, 32, 1), seed=2, preprocess="image", dtype="uint8", temperature=0.8)
    model.card.test_time = "flip"
    check(program, model, inputs((32, 32, 1), "uint8", 2, 3))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("test_time", [None, "flip"])
def test_values_are_in_the_units_of_the_targets(program: Program, test_time: str | None, dtype: str) -> None:
    layers = pn.Conv2D(4, 3), pn.Flatten(), pn.Dense(2)
    model = finished(pn.Sequential(*layers, dtype=dtype), IMAGE, seed=9, kinds={"": "values"}, dtype="uint8")
    model.card.target_scale = TargetScale((3.7, -1e6), (0.013, 77.0))
    model.card.test_time = test_time
    check(program, model, inputs(IMAGE, "uint8", 9))


def test_each_head_has_its_scale(program: Program) -> None:
    x = pn.Input((6,))
    heads = {"a": pn.Dense(2)(x), "b": pn.Dense(1)(x)}
    model = finished(pn.Model(x, heads), (6,), seed=9, kinds={"a": "classes", "b": "values"})
    model.card.target_scale = {"a": None, "b": TargetScale((3.7,), (0.013,))}
    check(program, model, inputs((6,), "float64", 9))


def test_a_model_trained_by_hand_gives_its_outputs(program: Program) -> None:
    model = pn.Sequential(pn.Dense(4, "relu"), pn.Dense(2, "softmax"))
    model.build((6,))
    x = inputs((6,), "float32", 4)
    found = program.run("predict", dumps(model), x)
    assert not isinstance(found, str), found
    assert found.tobytes() == model(x).numpy().tobytes()


def test_the_outputs_of_layers_are_those_in_a_prediction(program: Program) -> None:
    model = classifier(dtype="uint8")
    x = inputs(IMAGE, "uint8", 5)
    inner = pn.Model(model.input, model["conv2d_1"].output)
    found = program.run("look", dumps(model), x, "conv2d_1")
    assert not isinstance(found, str), found
    prepared = model.card.preprocessing.gather(x.dtype, "float32")(pn.tensor(x), pn.tensor(np.arange(ROWS)))
    assert found.tobytes() == inner(prepared).numpy().tobytes()
    assert "no layer dense_7" in str(program.run("look", dumps(model), x, "dense_7"))


def test_facts_are_those_of_the_card(program: Program) -> None:
    model = classifier(dtype="uint8", classes=("é", "b", "c"), temperature=0.5)
    model.card.prepare = "digit"
    (program.folder / "facts.safetensors").write_bytes(dumps(model))
    assert program.ask("facts", program.folder / "facts.safetensors") == (
        "float32 (8, 9, 3) pixels=1 preprocess=1 prepare='digit' flip=0 parameters=223 "
        "head='' task=0 outputs=3 threshold=0.5 temperature=0.5 classes=é|b|c| conv2d_1:Conv2D:(6, 7, 4) "
        "max_pool2d_1:MaxPool2D:(3, 3, 4) flatten_1:Flatten:(36,) dense_1:Dense:(3,) ok"
    )


# ---- training -------------------------------------------------------------------------------------------------------


def trained_in_c(program: Program, model: object, x: Any, y: Any, *more: object) -> pn.Model:
    """What the program makes of a model file, or of a new network, in two epochs."""
    labels, out = program.folder / "y.bin", program.folder / "trained.safetensors"
    y.astype(np.int64).tofile(labels)
    answer = program.ask("train", model, program.given(x), labels, len(x), out, 2, *more)
    assert answer.endswith("ok"), answer
    trained: pn.Model = pn.load(out)
    return trained


def test_a_new_network_is_trained_as_fit_does(program: Program) -> None:
    x, y = inputs((28, 28, 1), "uint8", 6, 129), np.arange(129) % 10  # the last one joins the batch before it
    model = pn.Sequential(pn.Flatten(), pn.Dense(128, "relu"), pn.Dense(10))
    history = pn.fit(model, (x, y), epochs=2, validation=None, seed=3, verbose=0)
    trained = trained_in_c(program, "mlp", x, y, "adam", 3)
    assert trained.fingerprint() == history.fingerprint
    assert trained.card.preprocessing == model.card.preprocessing
    assert trained.card.epochs == 2
    assert trained.card.metrics == pytest.approx(model.card.metrics, rel=1e-6)


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "adamw", "rmsprop"])
@pytest.mark.parametrize("kind", ["classes", "binary"])
def test_a_loaded_model_is_trained_further_as_fit_does(program: Program, kind: str, optimizer: str) -> None:
    x, y = inputs(IMAGE, "uint8", 7, 130), np.arange(130) % 2
    units = 1 if kind == "binary" else 2
    block = pn.Sequential(pn.Dropout(0.3), pn.Conv2D(4, 3, padding="same", activation="relu"), pn.MaxPool2D(2))
    node = pn.Input(IMAGE)
    y1 = pn.Dropout(0.2, name="drop")
    inside = pn.BatchNorm(activation="relu")(block(y1(node)))
    gate = pn.Reshape((1, 1, 4))(pn.Dense(4, "sigmoid")(pn.GlobalAvgPool2D()(inside)))
    model = pn.Model(node, pn.Dense(units)(y1(pn.Flatten()(inside * gate + inside))))
    model = finished(model, IMAGE, seed=8, kinds={"": kind}, dtype="uint8", temperature=0.5, threshold=0.3)
    model.card.epochs = 4  # the numbers of the epochs go on
    model["dense_1"].trainable = False
    path = pn.save(model, program.folder / "before.safetensors")
    trained = trained_in_c(program, path, x, y, optimizer, 5)
    model = pn.load(path)
    pn.fit(model, (x, y), epochs=2, validation=None, optimizer=optimizer, seed=5, verbose=0)
    assert trained.fingerprint() == model.fingerprint()
    assert trained.card.task == model.card.task
    assert (trained.card.epochs, trained.card.loss, trained.card.seed) == (6, model.card.loss, 5)


# ---- what the surroundings change -----------------------------------------------------------------------------------


def write_locale(folder: Path) -> None:
    """A locale of the GNU C library, named xx, that has a decimal comma and nothing else."""
    parts = [b",\0", b".\0", b"\3\3\0\0", struct.pack("<I", ord(",")), struct.pack("<I", ord(".")), b"UTF-8\0"]
    start = 4 * (2 + len(parts))
    offsets = [start + sum(map(len, parts[:i])) for i in range(len(parts))]
    (folder / "xx").mkdir()
    header = struct.pack(f"<{2 + len(parts)}I", 0x20031114, len(parts), *offsets)
    (folder / "xx" / "LC_NUMERIC").write_bytes(header + b"".join(parts))


def test_numbers_in_files_have_points_in_every_locale(program: Program, tmp_path: Path) -> None:
    write_locale(tmp_path)
    model = classifier(2, dtype="uint8", temperature=0.25, threshold=0.75)
    abroad = Program(tmp_path, LOCPATH=str(tmp_path), LC_NUMERIC="xx", LC_ALL="")
    with abroad.process:
        check(abroad, model, inputs(IMAGE, "uint8", 3))
        facts = abroad.ask("facts", tmp_path / "model.safetensors")
        assert "temperature=0,25" in facts or platform.libc_ver()[0] != "glibc"
        x, y = inputs((28, 28, 1), "uint8", 6, 129), np.arange(129) % 10
        trained = [trained_in_c(one, "mlp", x, y, "adam", 3) for one in (program, abroad)]
    assert dumps(trained[0]) == dumps(trained[1])
    assert trained[1].card.metrics["loss"] % 1 > 0


def test_a_card_may_have_numbers_that_are_not_finite(program: Program) -> None:
    model = classifier(dtype="uint8")
    model.card.metrics = {"loss": float("inf"), "auc": float("nan"), "mine": -float("inf")}
    check(program, model, inputs(IMAGE, "uint8", 3))
