"""The engine in WebAssembly, in node: its size, and its bits, which are those of PYNEURAL_ISA=baseline."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import child
import numpy as np
import pytest

import pyneural as pn

COUNT = 100
MOST_BYTES = 500_000


def native(folder: str) -> None:
    """Predicts and trains as web_run.js does."""
    from pathlib import Path

    import numpy as np

    import pyneural as pn

    x = np.fromfile(Path(folder, "x.bin"), np.uint8).reshape(-1, 28, 28, 1)
    y = np.fromfile(Path(folder, "y.bin"), np.uint8).astype(np.int64)
    plain = {"validation": None, "verbose": 0}
    for path in sorted(Path(folder).glob("*.safetensors")):
        model = pn.load(path)
        pn.predict(model, x).tofile(f"{path}.predicted.native")
        pn.fit(model, (x, y), epochs=1, learning_rate=0.001, **plain)
        pn.predict(model, x).tofile(f"{path}.trained.native")
    fresh = pn.apps.digits_mlp()
    pn.fit(fresh, (x, y), epochs=2, learning_rate=0.002, batch_size=32, seed=3, preprocess="dataset", **plain)
    pn.predict(fresh, x).tofile(f"{folder}/fresh.trained.native")


def every_kind() -> list[pn.Model]:
    """Small untrained models of digits with every activation, and with every kind of layer that takes images."""
    kinds = pn.Input((28, 28, 1))
    x = pn.Conv2D(6, 3, stride=2, padding="same")(kinds)
    x = pn.BatchNorm(activation="tanh")(x)
    x = pn.Concatenate()([pn.MaxPool2D(2)(x), pn.AvgPool2D(2)(x)])
    x = pn.DepthwiseConv2D(3, padding="same", activation="leaky_relu")(x)
    x = pn.Add()([x, pn.Activation("sigmoid")(x)])
    x = pn.Multiply()([x, 1 - x * 0.5])
    wide = pn.GlobalAvgPool2D()(x)
    x = pn.LayerNorm()(pn.Flatten()(pn.Reshape((7, -1))(x)))
    models = [pn.Model(kinds, pn.Dense(10)(pn.Concatenate()([pn.Dropout(0.2)(x), wide])))]
    names = ("elu", "gelu", "gelu_tanh", "softplus", "step", "abs", "exp", "log_softmax")
    layers = [layer for name in names for layer in (pn.Dense(12), pn.Activation(name))]
    return [*models, pn.Sequential(pn.Flatten(), pn.Dense(12, "relu"), *layers, pn.Dense(10))]


@pytest.fixture(scope="module")
def answers(
    web_module: Path, digit_file: Path, sample: pn.Splits, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict]:
    folder = tmp_path_factory.mktemp("web")
    sample.train.x[:COUNT].tofile(folder / "x.bin")
    sample.train.y[:COUNT].astype(np.uint8).tofile(folder / "y.bin")
    (folder / "digits.safetensors").write_bytes(digit_file.read_bytes())
    for number, model in enumerate(every_kind()):
        pn.fit(model, sample.train.take(range(60)), epochs=1, validation=None, verbose=0)
        pn.save(model, folder / f"kinds_{number}.safetensors")
    del model
    child.run(native, str(folder), PYNEURAL_ISA="baseline")
    script = Path(__file__).with_name("web_run.js")
    done = subprocess.run(["node", script, web_module.parent, folder], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return folder, json.loads(done.stdout)


def test_the_module_is_small(web_module):
    assert web_module.stat().st_size <= MOST_BYTES


@pytest.mark.parametrize("step", ["predicted", "trained"])
def test_every_model_has_the_bits_of_the_native_engine(answers, step):
    folder, _ = answers
    found = sorted(folder.glob(f"*.{step}"))
    assert len(found) == (3 if step == "predicted" else 4)
    for path in found:
        ours, theirs = np.fromfile(path, np.float32), np.fromfile(f"{path}.native", np.float32)
        assert len(ours) == 10 * COUNT
        np.testing.assert_array_equal(ours.view(np.uint32), theirs.view(np.uint32), err_msg=path.name)


def test_damage_gets_a_sentence_and_blank_paper_is_empty(answers):
    said = answers[1]["said"]
    assert said.startswith("the model: ")
    assert answers[1]["isEmpty"]
