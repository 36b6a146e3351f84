"""examples/digits.c, the engine without Python: it must train, print and keep exactly what pn.fit and pn.save do."""

from __future__ import annotations

import re
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest

import pyneural as pn

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = "build/release/examples/digits"
TRAIN, TEST, EPOCHS = 1500, 400, 2


@pytest.fixture(scope="module")
def program() -> Path:
    """The example, built as `make digits-c` builds it."""
    built = subprocess.run(["make", "-s", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return ROOT / PROGRAM


@pytest.fixture(scope="module")
def folder(sample: pn.Splits, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some of the sample as the four IDX files."""
    made = tmp_path_factory.mktemp("idx")
    assert sample.test is not None
    for part, data, n in (("train", sample.train, TRAIN), ("t10k", sample.test, TEST)):
        images, labels = data.x[:n, :, :, 0], data.y[:n].astype(np.uint8)
        (made / f"{part}-images-idx3-ubyte").write_bytes(struct.pack(">4B3I", 0, 0, 8, 3, n, 28, 28) + images.tobytes())
        (made / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">4BI", 0, 0, 8, 1, n) + labels.tobytes())
    return made


def run(*arguments: str | Path, status: int = 0) -> str:
    done = subprocess.run([str(a) for a in arguments], capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stderr
    return done.stdout if status == 0 else done.stderr


def test_it_does_what_fit_and_save_do(
    program: Path, folder: Path, sample: pn.Splits, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "c.safetensors"
    printed = run(program, "train", folder, path, str(EPOCHS)).splitlines()

    model = pn.Sequential(pn.Flatten(), pn.Dense(128, "relu"), pn.Dense(10))
    history = pn.fit(model, (sample.train.x[:TRAIN], sample.train.y[:TRAIN]), epochs=EPOCHS, validation=None)
    ours = [line for line in capsys.readouterr().out.splitlines() if line.startswith("epoch ")]
    seconds = re.compile(r" · \d+\.\d s · ")
    assert [seconds.sub(" · ", line) for line in printed[:EPOCHS]] == [seconds.sub(" · ", line) for line in ours]

    loaded = pn.load(path)
    assert loaded.fingerprint() == history.fingerprint, "the C program's weights are not Python's, bit for bit"
    assert loaded.card.prepare == "digit"
    assert sample.test is not None
    report = pn.evaluate(loaded, (sample.test.x[:TEST], sample.test.y[:TEST]), verbose=0)
    assert f"accuracy {report.accuracy}" in printed[EPOCHS]
    assert f"loss {float(report.loss):.4f}" in printed[EPOCHS]

    saved = pn.save(model, tmp_path / "python.safetensors")
    assert run(program, "test", folder, saved).strip() == printed[EPOCHS], "it reads what pn.save wrote"


def test_bad_files_raise_a_clear_error(program: Path, folder: Path, tmp_path: Path) -> None:
    assert "usage" in run(program, status=2)
    foreign = tmp_path / "model.h5"
    foreign.write_bytes(b"\x89HDF\r\n\x1a\n")
    assert "model.h5 is an HDF5 (Keras) file" in run(program, "test", folder, foreign, status=1)
    assert "cannot be opened" in run(program, "train", tmp_path, tmp_path / "model.safetensors", status=1)
