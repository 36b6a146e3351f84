"""The command line: what it prints and how it ends."""

from __future__ import annotations

import os
import re
import signal
import stat
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from child import environment
from PIL import Image

import pyneural as pn
from pyneural.commands.command_line import COMMANDS, main

QUICK = ["digits", "--model", "mlp", "--data", "sample", "--samples", "300", "--epochs", "1"]
PROGRAM = [sys.executable, "-P", "-W", "error", "-m", "pyneural"]


def run(*arguments: str | Path, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *map(str, arguments)],
        text=True,
        timeout=120,
        check=False,
        env=environment({}),
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options,
    )


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that digits saved."""
    path = tmp_path_factory.mktemp("model") / "digits.safetensors"
    pn.apps.digits(model="mlp", data="sample", epochs=2, output=path, verbose=0)
    return path


@pytest.fixture(scope="module")
def pictures(sample: pn.Splits, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The first ten test digits as a person would scan them: large, dark on light, off the middle; odd ones as JPEG."""
    folder, files = tmp_path_factory.mktemp("pictures"), []
    assert sample.test is not None
    for number, digit in enumerate(sample.test.x[:10, :, :, 0]):
        page = 255 - np.pad(np.kron(digit, np.ones((6, 6), "uint8")), ((20, 60), (90, 10)))
        files.append(folder / f"{number}.{'jpg' if number % 2 else 'png'}")
        Image.fromarray(page).save(files[-1])
    return files


# ---- digits --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("columns", [40, 80])
@pytest.mark.parametrize("command", ["", *(command.name for command in COMMANDS)])
def test_usage_and_help_fit_the_terminal(command, columns, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", str(columns))
    assert main([*filter(None, [command]), "--help"]) == 0
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= columns, shown
    assert not re.search(r"default:\s+(None|False)\b", shown)
    if command:
        assert main([command, "--wibble"]) == 2
        *usage, error = capsys.readouterr().err.splitlines()
        assert shown.splitlines()[: len(usage)] == usage
        assert "[--debug]" in " ".join(usage)
        assert error.startswith(f"pyneural {command}: error: ")


def test_digits_trains_evaluates_and_saves(tmp_path):
    done = run(*QUICK, "-o", str(tmp_path / "digits.safetensors"))
    assert done.returncode == 0, done.stderr
    assert "epoch 1/1" in done.stdout
    assert "accuracy" in done.stdout.splitlines()[-2]
    assert done.stdout.splitlines()[-1].startswith("saved ")
    assert done.stderr == ""
    assert pn.load(tmp_path / "digits.safetensors").card.task.kind == "classes"


def test_every_option_reaches_fit(tmp_path, capsys):
    code = main([
        *QUICK, "--batch-size", "50", "--optimizer", "sgd", "--learning-rate", "0.07", "--schedule", "cosine",
        "--validation", "0.2", "--seed", "9", "--threads", "1", "-o", str(tmp_path / "x.safetensors"),
    ])  # fmt: skip
    first = capsys.readouterr().out.splitlines()[0]
    pn.set_threads(2)
    assert code == 0
    assert "240 train, 60 validation" in first
    assert "sgd, cosine 0.07 · batch 50 · seed 9" in first


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["digits", "--model", "forest"], 2, "invalid choice: 'forest'"),
        (["digits", "--epochs", "many"], 2, "invalid int value"),
        ([], 2, "COMMAND"),
        (["digitz"], 2, "invalid choice"),
        (["digits", "--unknown"], 2, "usage: pyneural digits [-h]"),
        (["train", "x.npz", "--lr", "0.1"], 2, "unrecognized arguments: --lr 0.1: did you mean --learning-rate\n"),
        (["train", "x.npz", "--batchsize=3"], 2, "unrecognized arguments: --batchsize=3: did you mean --batch-size\n"),
        (["train", "x.npz", "--resume"], 2, "unrecognized arguments: --resume: did you mean --checkpoint\n"),
        (["info", "model", "--lr", "0.1"], 2, "unrecognized arguments: --lr 0.1\n"),
        (["predict", "model", "file", "--unknown"], 2, "pyneural predict: error: unrecognized arguments: --unknown"),
        (["digits", "--data", "/no/such/folder"], 1, "pyneural: mnist: path is /no/such/folder"),
        (["digits", "--epochs", "0", "--data", "sample"], 1, "pyneural: fit: epochs is 0"),
        (["digits", "-o", "digits.h5"], 1, "pyneural: save: digits.h5: models are .safetensors files"),
        (["digits", "--optimizer", "adamm", "--data", "sample"], 1, "did you mean 'adam'"),
        (["digits", "--learning-rate", "-1", "--data", "sample"], 1, "learning_rate is -1.0"),
    ],
)
def test_how_it_ends_when_it_cannot(arguments, code, words, tmp_path):
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == code
    assert words in done.stderr
    if code == 1:
        assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_your_own_digits_are_added_to_the_training_part(tmp_path, sample, capsys):
    np.savez(tmp_path / "mine.npz", x=sample.test.x[:5, :, :, 0], y=sample.test.y[:5])
    quick = [*QUICK[:5], "--epochs", "1", "-o", str(tmp_path / "x.safetensors")]
    assert main([*quick, "--extra", str(tmp_path / "mine.npz")]) == 0
    assert "with 5 extra from mine.npz" in capsys.readouterr().out.splitlines()[0]
    assert main([*quick, "--extra", str(tmp_path / "yours.npz")]) == 1
    assert "there is no file" in capsys.readouterr().err


def test_debug_shows_the_traceback(tmp_path):
    done = run("digits", "--debug", "-o", "digits.h5", cwd=tmp_path)
    assert done.returncode == 1
    assert "Traceback" in done.stderr


def test_ctrl_c_saves_and_ends_with_130(tmp_path):
    path = tmp_path / "digits.safetensors"
    child = subprocess.Popen(
        [*PROGRAM, *QUICK[:5], "--epochs", "100000", "-o", str(path)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment({"PYTHONUNBUFFERED": "1"}),
    )  # fmt: skip
    assert child.stdout is not None
    assert any("epoch 1/" in line for line in iter(child.stdout.readline, "")), "it ended before its first epoch"
    time.sleep(0.2)
    child.send_signal(signal.SIGINT)
    try:
        out, err = child.communicate(timeout=60)
    finally:
        child.kill()
    assert child.returncode == 130
    assert err == ""
    assert "interrupted in epoch" in out
    assert pn.load(path).card.epochs >= 1


def test_the_digits_come_out_the_same_from_python(tmp_path, capsys):
    code = main([*QUICK, "--seed", "3", "-o", str(tmp_path / "x.safetensors")])
    printed = capsys.readouterr().out
    assert code == 0, printed
    ours = pn.apps.digits(model="mlp", data="sample", samples=300, epochs=1, seed=3, verbose=0)
    assert pn.load(tmp_path / "x.safetensors").fingerprint() == ours.history.fingerprint
    assert repr(ours.report) in printed


def test_a_folder_that_is_not_writable_is_reported_before_training_starts():
    """Root may write anywhere, so for the question whether it may the program becomes somebody else."""
    folder = Path(tempfile.mkdtemp())
    try:
        folder.chmod(stat.S_IRUSR | stat.S_IXUSR | stat.S_IROTH | stat.S_IXOTH)
        script = (
            "import os; from pyneural.__main__ import main\n"
            "os.geteuid() or os.setreuid(65534, 0)\n"
            f"raise SystemExit(main([*{QUICK!r}, '-o', {str(folder / 'x.safetensors')!r}]))"
        )
        done = subprocess.run(
            [sys.executable, "-P", "-c", script], capture_output=True, text=True, check=False, env=environment({})
        )
    finally:
        folder.chmod(stat.S_IRWXU)
        folder.rmdir()
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"pyneural: save: the folder {folder} is not writable: give another\n"


def test_the_model_is_kept_when_the_test_is_interrupted(tmp_path, monkeypatch, capsys):
    def pressed(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("pyneural.apps.digits_app.evaluate", pressed)
    code = main([*QUICK[:5], "--epochs", "1", "-o", str(tmp_path / "x.safetensors")])
    said = capsys.readouterr()
    assert code == 130
    assert said.out.splitlines()[-1].startswith("saved ")
    assert said.err == "pyneural: interrupted\n"
    assert pn.load(tmp_path / "x.safetensors").card.epochs == 1


def test_without_a_network_connection_the_sample_is_used_with_a_warning(tmp_path):
    """Nothing listens at the proxy, and the cache is empty."""
    nowhere = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache"), "no_proxy": "", "NO_PROXY": ""}
    nowhere |= dict.fromkeys(("http_proxy", "https_proxy", "HTTPS_PROXY"), "http://127.0.0.1:9")
    there = {name: value for name, value in environment(nowhere).items() if name != "PYNEURAL_DATA"}
    command = [word for word in PROGRAM if word not in ("-W", "error")]
    done = subprocess.run(
        [*command, *QUICK[:3], "--samples", "300", "--epochs", "1"],
        cwd=tmp_path, env=there, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("pyneural: mnist: the download failed (")
    assert "the host cannot be reached" in done.stderr
    assert "so this is the EMBEDDED SAMPLE" in done.stderr
    quoting = [line for line in done.stdout.splitlines() if " n = " in line or " train, " in line]
    assert len(quoting) == 3
    assert all("EMBEDDED SAMPLE" in line for line in quoting), done.stdout


# ---- predict -------------------------------------------------------------------------------------------------------


def test_predict_tells_the_digit_and_what_was_done(model, pictures):
    done = run("predict", model, *pictures)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert len(lines) == 20
    truth = pn.datasets.mnist("sample").test.y[:10]
    loaded = pn.load(model)
    right = 0
    for number, file in enumerate(pictures):
        prepared = pn.examine_digit(file)
        answer = pn.classify(loaded, prepared.digit)
        assert lines[2 * number].startswith(f"{file}: {answer} · trained on mnist (EMBEDDED SAMPLE")
        assert lines[2 * number + 1] == f"    {prepared}"
        right += answer.label == str(truth[number])
    assert right >= 9, done.stdout


def test_an_unreadable_file_is_reported_and_the_others_are_processed(model, pictures, tmp_path):
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.png").write_text("seven")
    Image.fromarray(np.full((50, 40), 255, "uint8")).save(tmp_path / "blank.png")
    (tmp_path / "cut.png").write_bytes(pictures[0].read_bytes()[:300])
    chunk = b"IHDR" + struct.pack(">2I5B", 100_000, 100_000, 8, 0, 0, 0, 0)
    header = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    idat = b"IDAT" + zlib.compress(bytes(1000))
    (tmp_path / "huge.png").write_bytes(
        header + struct.pack(">I", len(idat) - 4) + idat + struct.pack(">I", zlib.crc32(idat))
    )
    wrong = {
        "empty.png": "is empty; give a PNG or JPEG",
        "text.png": "is not an image that Pillow can read; give a PNG or JPEG",
        "blank.png": "there is no digit in this image (50, 40)",
        "cut.png": "cannot be read",
        "huge.png": "cannot be read: it has 10,000,000,000 pixels, but at most 67,108,864 are decoded",
        "nowhere.png": "there is no file",
        "": f"is a folder: give the images in it, {tmp_path / '*'}",
    }
    done = run("predict", model, pictures[0], *(tmp_path / name for name in wrong), pictures[1])
    assert done.returncode == 1
    assert [line.split(": ")[0] for line in done.stdout.splitlines()[::2]] == list(map(str, pictures[:2]))
    told = done.stderr.splitlines()
    assert len(told) == len(wrong), done.stderr
    for line, (name, words) in zip(told, wrong.items(), strict=True):
        assert line.startswith(f"pyneural: {'prepare_digit' if name else 'predict'}: ")
        assert words in line
        assert f"'{tmp_path / name}'" in line


def test_the_model_of_six_lines_of_python_prepares_digits_too(tmp_path, sample, pictures):
    """What mnist() gives says how a picture becomes such an image, and fit notes it."""
    six = pn.Sequential(pn.Flatten(), pn.Dense(32, "relu"), pn.Dense(10))
    pn.fit(six, sample, epochs=1, verbose=0)
    done = run("predict", pn.save(six, tmp_path / "six.safetensors"), pictures[0])
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[1] == f"    {pn.examine_digit(pictures[0])}"


def test_a_model_without_preparation_takes_images_at_its_size(tmp_path, sample):
    rows = np.arange(600)
    plain = pn.Sequential(pn.Flatten(), pn.Dense(32, "relu"), pn.Dense(10))
    pn.fit(plain, (sample.train.x[rows], sample.train.y[rows]), epochs=2, validation=None, verbose=0)
    path = pn.save(plain, tmp_path / "plain.safetensors")
    Image.fromarray(sample.test.x[0, :, :, 0]).save(tmp_path / "right.png")
    Image.fromarray(np.kron(sample.test.x[1, :, :, 0], np.ones((3, 2), "uint8"))).save(tmp_path / "tall.png")
    (tmp_path / "text.png").write_text("seven")
    done = run("predict", path, tmp_path / "right.png", tmp_path / "text.png", tmp_path / "tall.png")
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert lines[:2] == [f"{tmp_path / 'right.png'}: {pn.classify(plain, sample.test.x[0])}", "    not changed"]
    assert lines[2].startswith(f"{tmp_path / 'tall.png'}: {pn.classify(plain, sample.test.x[1]).label} (")
    assert lines[3] == "    scaled from 56 x 84 to 28 x 28"
    assert done.stderr.startswith("pyneural: predict: ")
    assert done.stderr.endswith("text.png' is not an image that Pillow can read; give a PNG or JPEG\n")


# ---- evaluate and info ---------------------------------------------------------------------------------------------


def test_evaluate_says_what_pn_evaluate_does(model, sample):
    done = run("evaluate", model, "sample")
    assert (done.returncode, done.stderr) == (0, "")
    report = pn.evaluate(pn.load(model), sample.test, verbose=0)
    assert done.stdout.startswith(f"mnist test: {report!r} · trained on mnist (EMBEDDED SAMPLE")
    assert "\n\nmnist test · n = 1,000 · 10 classes\n" in done.stdout


def write_idx(folder: Path, seed: int) -> Path:
    """The four files of a set like MNIST: 200 and 50 images, whose brightness is their class."""
    folder.mkdir(parents=True)
    for prefix, n in (("train", 200), ("t10k", 50)):
        y = (np.arange(n) % 10).astype(np.uint8)
        noise = np.random.default_rng(seed).integers(0, 5, (n, 28, 28))
        x = (y[:, None, None] * 25 + noise).astype(np.uint8)
        for kind, array in (("images-idx3", x), ("labels-idx1", y)):
            header = bytes((0, 0, 8, array.ndim)) + b"".join(size.to_bytes(4, "big") for size in array.shape)
            (folder / f"{prefix}-{kind}-ubyte").write_bytes(header + array.tobytes())
    return folder


def test_fashion_is_a_word_that_the_model_remembers(tmp_path, capsys, monkeypatch):
    write_idx(tmp_path / "fashion_mnist", 0)
    monkeypatch.setenv("PYNEURAL_DATA", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert main(["digits", "--model", "mlp", "--data", "fashion", "--epochs", "2", "-o", "clothes.safetensors"]) == 0
    assert capsys.readouterr().out.startswith("fashion_mnist: 180 train, 20 validation")
    for data in ([], ["fashion"], ["fashion_mnist"], ["."]):
        assert main(["evaluate", "clothes.safetensors", *data]) == 0
        assert capsys.readouterr().out.startswith("fashion_mnist test: accuracy")
    assert main(["evaluate", "clothes.safetensors", "sample"]) == 1
    words = "fashion_mnist: path is sample, but pyneural comes with samples of mnist and pneumonia_mnist only"
    assert words in capsys.readouterr().err
    assert main(["digits", "--data", "fashion", "--extra", "mine.npz"]) == 1
    assert "extra has digits, which are not among the clothes" in capsys.readouterr().err


def test_a_folder_named_as_a_word_needs_a_dot(tmp_path, capsys, monkeypatch):
    write_idx(tmp_path / "fashion" / "mnist", 0)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYNEURAL_DATA", str(tmp_path))
    options = ["digits", "--model", "mlp", "--epochs", "1", "-o", "a.safetensors", "--data"]
    assert main([*options, "./fashion"]) == 0
    assert capsys.readouterr().out.startswith("mnist: 180 train")
    assert main([*options, "fashion"]) == 1
    assert "fashion_mnist: PYNEURAL_DATA is" in capsys.readouterr().err


def test_evaluate_takes_an_npz(model, sample, tmp_path):
    np.savez(tmp_path / "test.npz", x=sample.test.x[:100], y=sample.test.y[:100])
    done = run("evaluate", model, str(tmp_path / "test.npz"))
    assert (done.returncode, done.stderr) == (0, "")
    report = pn.evaluate(pn.load(model), (sample.test.x[:100], sample.test.y[:100]), verbose=0)
    assert done.stdout.startswith(f"test: {report!r} · trained on mnist (EMBEDDED SAMPLE")


def test_evaluate_looks_where_mnist_looks(model):
    default = run("evaluate", model)
    assert (default.returncode, default.stderr) == (0, "")
    report = pn.evaluate(pn.load(model), pn.datasets.mnist().test, verbose=0)
    assert default.stdout.startswith(f"mnist test: {report!r}")


@pytest.fixture(scope="module")
def scans(pictures: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pictures in folders of their digits, and nothing in any of a digit that is not among them."""
    root = tmp_path_factory.mktemp("scans")
    truth = pn.datasets.mnist("sample").test.y
    for number, file in enumerate(pictures):
        (root / str(truth[number])).mkdir(exist_ok=True)
        (root / str(truth[number]) / file.name).write_bytes(file.read_bytes())
    return root


def test_evaluate_reads_a_folder_as_predict_reads_files(model, scans):
    done = run("evaluate", model, scans)
    assert (done.returncode, done.stderr) == (0, "")
    answers = run("predict", model, *sorted(scans.glob("*/*"))).stdout.splitlines()[::2]
    right = sum(Path(line.split(": ")[0]).parent.name == line.split(": ")[1].split()[0] for line in answers)
    assert done.stdout.startswith(f"{scans.name}: accuracy {10 * right:.2f} % [")
    assert "· n = 10 ·" in done.stdout


def test_evaluate_tells_what_is_wrong_with_a_folder(model, tmp_path, pictures):
    assert "has neither the four MNIST files nor subfolders" in run("evaluate", model, tmp_path).stderr
    for name in ("7", "cat"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.png").write_bytes(pictures[0].read_bytes())
    done = run("evaluate", model, tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "has images of 'cat', but the model's classes are 0, 1, 2" in done.stderr
    (tmp_path / "cat").rename(tmp_path / "8")
    (tmp_path / "8" / "a.png").write_text("eight")
    done = run("evaluate", model, tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"'{tmp_path / '8' / 'a.png'}' is not an image" in done.stderr


def test_a_model_of_a_folder_is_evaluated_as_it_was_trained(tmp_path):
    """The pixels come the same way in training, evaluate and predict."""
    generator = np.random.default_rng(0)
    for part, count in (("train", 12), ("test", 6)):
        for name, shade in (("dark", 60), ("light", 190)):
            (tmp_path / "data" / part / name).mkdir(parents=True)
            for number in range(count):
                page = generator.integers(shade - 50, shade + 50, (20, 30, 3)).astype("uint8")
                Image.fromarray(page).save(tmp_path / "data" / part / name / f"{number}.png")
    data = pn.datasets.folder(tmp_path / "data", size=12)
    trained = pn.Sequential(pn.Flatten(), pn.Dense(2))
    pn.fit(trained, data, epochs=8, validation=None, verbose=0)
    path = pn.save(trained, tmp_path / "shades.safetensors")
    done = run("evaluate", path, tmp_path / "data")
    report = pn.evaluate(trained, data.test, verbose=0)
    assert done.stdout == f"data test: {report!r}\n\n{str(report).replace(report.name, 'data test', 1)}\n"
    done = run("predict", path, tmp_path / "data" / "test" / "dark" / "0.png")
    label, _, (_, light) = pn.classify(trained, data.test.x[0])
    assert done.stdout.splitlines()[0].endswith(f"0.png: {label} (probability of light is {light:.4g}, threshold 0.5)")
    assert done.stdout.splitlines()[1] == "    scaled from 30 x 20 to 12 x 12"
    assert re.search(r"^image files +scaled to 12 x 12$", run("info", path).stdout, re.MULTILINE)


def test_info_tells_what_the_file_knows(model):
    done = run("info", model)
    assert (done.returncode, done.stderr) == (0, "")
    loaded = pn.load(model)
    card = loaded.card
    assert done.stdout.splitlines()[0] == str(loaded) == "784x128x10 | relu, softmax | cross-entropy"
    for words in (
        "10 classes",
        "0, 1, 2, 3, 4, 5, 6, 7, 8, 9",
        "input: uint8 (28, 28, 1) -> dataset mean, std\n",
        "dataset mean, std (mean ",
        "pn.prepare_digit",
        "mnist (EMBEDDED SAMPLE: 6,000 of 60,000), sha256 " + card.data_hash[:16],
        "2 epochs, cross_entropy, seed 0",
        f"best epoch     {card.best_epoch} of 2 · loss ",
        f"val_accuracy {100 * card.metrics['val_accuracy']:.2f} %",
        f"pyneural {pn.__version__}",
        loaded.fingerprint(),
        f"{model.stat().st_size:,} bytes",
    ):
        assert words in done.stdout, words
    for line in done.stdout.splitlines():
        assert "accuracy" not in line or "EMBEDDED SAMPLE" in line


def test_info_of_a_model_that_was_never_trained(tmp_path):
    bare = pn.Sequential(pn.Dense(3))
    bare.build((4,))
    done = run("info", pn.save(bare, tmp_path / "bare.safetensors"))
    assert (done.returncode, done.stderr) == (0, "")
    assert "it was never trained" in done.stdout


@pytest.fixture(scope="module")
def strange(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of files that are no models of digits."""
    folder = tmp_path_factory.mktemp("strange")
    (folder / "text.safetensors").write_text("not a model, but a text of some length")
    bare = pn.Sequential(pn.Flatten(), pn.Dense(3))
    bare.build((28, 28, 1))
    pn.save(bare, folder / "bare.safetensors")
    rows = pn.Sequential(pn.Dense(2))
    x = np.eye(4, dtype=np.float32)
    pn.fit(rows, (x, [0, 1, 0, 1]), epochs=1, validation=None, verbose=0)
    pn.save(rows, folder / "rows.safetensors")
    floats = pn.Sequential(pn.Flatten(), pn.Dense(2))
    pn.fit(floats, (np.zeros((4, 28, 28, 1), np.float32), [0, 1, 0, 1]), epochs=1, validation=None, verbose=0)
    pn.save(floats, folder / "floats.safetensors")
    return folder


@pytest.mark.parametrize("command", ["predict", "evaluate", "info"])
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nothing.safetensors", "there is no file"),
        ("", "is a folder"),
        ("text.safetensors", "is not a safetensors file"),
    ],
)
def test_a_file_that_is_not_a_model_is_reported_in_one_line(command, name, words, strange, pictures):
    done = run(command, strange / name, *(pictures[:1] if command == "predict" else []))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("pyneural: ")
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["predict", "bare.safetensors", "7.png"], "predict: the model in this file was never trained"),
        (["evaluate", "bare.safetensors"], "evaluate: the model in this file was never trained"),
        (["predict", "rows.safetensors", "7.png"], "predict: the model takes inputs (4,), not images"),
        (
            ["evaluate", "rows.safetensors"],
            "evaluate: the model was trained on data, which is none of the sets",
        ),
        (["evaluate", "rows.safetensors", "sample"], "evaluate: the model was"),
        (["predict", "floats.safetensors", "7.png"], "predict: the model was trained on floats"),
        (["evaluate", "floats.safetensors", "sample"], "evaluate: the model was trained on floats"),
        (["evaluate", "floats.safetensors", "/no/such/folder"], "mnist: path is /no/such/folder"),
    ],
)
def test_an_unsuitable_model_is_reported_in_one_line(arguments, words, strange):
    done = run(*arguments, cwd=strange)
    assert (done.returncode, done.stdout) == (1, "")
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


# ---- the ends ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [command.name for command in COMMANDS])
def test_each_command_explains_itself(command):
    done = run(command, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "--debug" in done.stdout
    assert "exit codes: 0 success; 1 an error" in done.stdout


def test_debug_shows_the_traceback_of_every_command(strange):
    for arguments in (["predict", "x.safetensors", "7.png"], ["evaluate", "x.safetensors"], ["info", "x.safetensors"]):
        done = run(*arguments, "--debug", cwd=strange)
        assert done.returncode == 1
        assert "Traceback" in done.stderr
        assert "there is no file 'x.safetensors'" in done.stderr


@pytest.mark.parametrize("arguments", [["info", "MODEL"], ["predict", "MODEL", "PICTURE"], QUICK])
def test_a_reader_that_has_gone_ends_it_quietly(arguments, model, pictures, tmp_path):
    there = {"MODEL": str(model), "PICTURE": str(pictures[0])}
    read, write = os.pipe()
    os.close(read)
    try:
        done = run(*(there.get(word, word) for word in arguments), stdout=write, cwd=tmp_path)
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (1, "")


def test_a_closed_stdout_is_borne(model, pictures, tmp_path):
    command = " ".join(map(repr, PROGRAM))
    for arguments in (f"info {model}", f"predict {model} {pictures[0]}", " ".join(QUICK)):
        done = subprocess.run(
            ["sh", "-c", f"{command} {arguments} >&-"], cwd=tmp_path, env=environment({}), stderr=subprocess.PIPE,
            text=True, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")
    assert pn.load(tmp_path / "digits.safetensors").card.prepare == "digit"


def test_a_full_disk_is_reported(model):
    with Path("/dev/full").open("w") as full:
        done = run("info", model, stdout=full)
    assert (done.returncode, done.stderr) == (1, "pyneural: [Errno 28] No space left on device\n")


def test_help_and_version():
    assert run("--help").returncode == 0
    assert "--learning-rate" in run("digits", "--help").stdout
    assert run("--version").stdout.strip() == f"pyneural {pn.__version__}"


def test_importing_is_light():
    heavy = ("safetensors", "PIL", "tqdm", "pooch", "matplotlib", "requests", "argparse", "scipy")
    code = f"import sys, pyneural; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert done.stdout.strip() == "[]"


def test_without_a_command_it_lists_them(capsys):
    assert main([]) == 2
    listed = capsys.readouterr().err
    assert [command.name for command in COMMANDS if f"\n    {command.name}" not in listed] == []
