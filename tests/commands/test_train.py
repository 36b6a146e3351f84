"""The commands train, and evaluate with files: your own data from the command line."""

import csv
import re
import signal
from pathlib import Path

import child
import numpy as np
import pytest
from PIL import Image

import pyneural as pn
from pyneural.apps.train_app import image_cnn
from pyneural.commands.command_line import main


def pictures(
    root: Path, count: int, sizes: tuple[int, ...] = (20,), classes: tuple[str, ...] = ("dark", "light")
) -> None:
    """Images whose brightness tells the class, in one folder per class."""
    generator = np.random.default_rng(0)
    for number, name in enumerate(classes):
        (root / name).mkdir(parents=True)
        for i in range(count):
            side = sizes[i % len(sizes)]
            grey = 60 + 80 * number + generator.integers(-50, 50, (side, side))
            Image.fromarray(grey.astype(np.uint8)).save(root / name / f"person{i // 2}_{i}.png")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with two parts, the model file that train made of it, and what was printed."""
    root = tmp_path_factory.mktemp("train")
    pictures(root / "data" / "train", 40)
    pictures(root / "data" / "test", 10)
    options = ["--epochs", "3", "--batch-size", "16", "--groups", r"(person\d+)_", "-o", str(root / "m.safetensors")]
    assert main(["train", str(root / "data"), *options]) == 0
    return root / "data", root / "m.safetensors"


def test_train_makes_a_model_of_a_folder_that_evaluate_measures(trained, tmp_path, capsys):
    data, model = trained
    assert pn.load(model).card.task.classes == ("dark", "light")
    files = ["--csv", str(tmp_path / "a.csv"), "--plots", str(tmp_path / "p"), "--html", str(tmp_path / "a.html")]
    assert main(["evaluate", str(model), str(data), *files]) == 0
    out = capsys.readouterr().out
    report = pn.evaluate(pn.load(model), data, verbose=0)
    assert out.startswith(f"data test: {report!r}\n\n")
    assert "\n\n\n" not in out
    *_, last = out.split("\n\n")
    assert [line.split(":")[0] for line in last.splitlines()] == [
        f"answers in {tmp_path / 'a.csv'}", f"plots in {tmp_path / 'p'}", f"page in {tmp_path / 'a.html'}"
    ]  # fmt: skip
    assert "sensitivity" in out
    assert report.accuracy > 0.8
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert f"{100 * report.accuracy:.2f} %" in page
    assert pn.load(model).fingerprint() in page
    rows = list(csv.DictReader((tmp_path / "a.csv").read_text().splitlines()))
    assert len(rows) == 20
    assert list(rows[0]) == ["file", "actual", "predicted", "probability of light", "threshold"]
    assert all(Path(row["file"]).is_file() and row["actual"] in row["file"] for row in rows)
    names = {"confusion.png", "calibration.png", "roc.png", "precision_recall.png", "mistakes.png"}
    assert {file.name for file in (tmp_path / "p").iterdir()} == names
    for name in names:
        with Image.open(tmp_path / "p" / name) as image:
            assert min(image.size) >= 150


def test_evaluate_takes_groups_as_train_does(trained, tmp_path, capsys):
    data, model = trained
    file = tmp_path / "a.csv"
    assert main(["evaluate", str(model), str(data), "--groups", r"(person\d+)_", "--csv", str(file)]) == 0
    out = capsys.readouterr().out
    assert "n = 20 in 5 groups" in out
    assert "Intervals are by group." in out
    rows = list(csv.DictReader(file.read_text().splitlines()))
    assert {row["group"] for row in rows} == {f"person{number}" for number in range(5)}
    assert main(["evaluate", str(model), str(data), "--groups", "cat"]) == 1
    assert "the pattern for groups, 'cat', does not match" in capsys.readouterr().err


def test_train_takes_an_npz_of_many_classes_and_of_values(tmp_path, capsys, rings):
    x, y = rings
    np.savez(tmp_path / "rings.npz", x_train=x[:250], y_train=y[:250], x_test=x[250:], y_test=y[250:])
    model = str(tmp_path / "m.safetensors")
    assert main(["train", str(tmp_path / "rings.npz"), "--epochs", "10", "--learning-rate", "0.02", "-o", model]) == 0
    out = capsys.readouterr().out
    assert re.search(r"^test: accuracy \d+", out, re.MULTILINE)
    assert "3 classes" in out
    assert main(["evaluate", model, str(tmp_path / "rings.npz"), "--plots", str(tmp_path / "plots")]) == 0
    assert {file.name for file in (tmp_path / "plots").iterdir()} == {"confusion.png", "calibration.png"}
    np.savez(tmp_path / "values.npz", x=x, y=x.sum(axis=1) + 0.5)
    assert main(["train", str(tmp_path / "values.npz"), "--epochs", "1", "-o", model]) == 0
    assert pn.load(model).card.task.kind == "values"
    capsys.readouterr()
    assert main(["evaluate", model, str(tmp_path / "values.npz"), "--plots", str(tmp_path / "plots")]) == 1
    assert "--plots is for classes, and the model has values" in capsys.readouterr().err
    assert main(["evaluate", model, str(tmp_path / "values.npz"), "--html", str(tmp_path / "a.html")]) == 1
    assert "--html is for classes, and the model has values" in capsys.readouterr().err
    assert main(["evaluate", model, str(tmp_path / "values.npz"), "--csv", str(tmp_path / "v.csv")]) == 0
    assert (tmp_path / "v.csv").read_text().startswith("row,actual,predicted\n0,")


def test_few_images_train_without_jumps_of_the_validation_loss(tmp_path, sample):
    """Of 180 digits; with 10 epochs of 3 steps at a rate of 0.01 it rose to 4 times the first one."""
    np.savez(tmp_path / "few.npz", x=sample.train.x[:180], y=sample.train.y[:180])
    run = pn.apps.train(tmp_path / "few.npz", verbose=0)
    losses = run.history["val_loss"]
    assert max(losses) < 1.5 * losses[0]
    assert losses[-1] < losses[0] / 2
    assert (run.history.epochs, run.history.steps) == (25, 25 * 18)
    assert max(run.history["learning_rate"]) <= 0.0038


@pytest.mark.parametrize(("count", "kept"), [(60, "last"), (200, "best")])
def test_fewer_than_ten_validation_examples_do_not_choose_the_epoch(tmp_path, count, kept):
    draw = np.random.default_rng(0)  # noise, on which the validation loss rises from the first epoch on
    np.savez(tmp_path / "noise.npz", x=draw.normal(size=(count, 5)).astype(np.float32), y=draw.integers(0, 2, count))
    history = pn.apps.train(tmp_path / "noise.npz", epochs=20, learning_rate=0.02, verbose=0).history
    lowest = int(np.argmin(history["val_loss"])) + 1
    assert lowest < 20
    assert (history.best_epoch == 20) == (kept == "last"), history["val_loss"]


def test_given_epochs_batches_and_rates_are_kept(tmp_path, rings):
    np.savez(tmp_path / "few.npz", x=rings[0], y=rings[1])
    run = pn.apps.train(tmp_path / "few.npz", epochs=2, batch_size=100, learning_rate=0.5, validation=None, verbose=0)
    assert run.history.steps == 6
    assert max(run.history["learning_rate"]) > 0.1
    with pytest.raises(ValueError, match="batch_size is 0"):
        pn.apps.train(tmp_path / "few.npz", batch_size=0)


def test_images_of_several_sizes_are_resized_and_that_is_said(tmp_path, capsys):
    pictures(tmp_path / "data", 4, sizes=(20, 24))
    run = pn.apps.train(tmp_path / "data", epochs=1, validation=None)
    assert "images are resized to 96 x 96" in capsys.readouterr().out
    assert run.model.input_shape == (96, 96, 1)
    assert run.report is None
    run = pn.apps.train(tmp_path / "data", epochs=1, size=16, class_weight="balanced", verbose=0)
    assert run.model.input_shape == (16, 16, 1)


def killed_at_its_checkpoint(arguments: list[str]) -> None:
    """Runs a command that is killed as soon as it has written a checkpoint: from outside, a kill may come too late."""
    import os
    import signal

    import pyneural.files.checkpoint as checkpoint
    from pyneural.commands.command_line import main

    write = checkpoint.write

    def last(*given: object) -> None:
        write(*given)
        os.kill(os.getpid(), signal.SIGKILL)

    checkpoint.write = last
    main(arguments)


def test_train_resumes_a_killed_training_from_its_checkpoint(tmp_path, capsys, monkeypatch):
    """kill -9, the same command again: the model file is that of a training that was never killed."""
    pictures(tmp_path / "data", 6, sizes=(8,))
    monkeypatch.chdir(tmp_path)
    arguments = ["train", "data", "--epochs", "20", "--augment", "rotate=20,flip", "--seed", "3"]
    resuming = [*arguments, "--checkpoint", "run.ckpt", "-o", "resumed.safetensors"]
    program = child.start(killed_at_its_checkpoint, resuming)
    _, errors = program.communicate(timeout=child.SECONDS)
    assert program.returncode == -signal.SIGKILL, errors
    assert not Path("resumed.safetensors").exists()
    assert main(resuming) == 0
    assert "resuming from run.ckpt at epoch " in capsys.readouterr().out
    assert main([*arguments, "-o", "whole.safetensors"]) == 0
    resumed, whole = pn.load("resumed.safetensors"), pn.load("whole.safetensors")
    assert resumed.fingerprint() == whole.fingerprint()
    assert resumed.card.augment == whole.card.augment == str(pn.Augment(rotate=20, flip=True))


@pytest.mark.parametrize(
    ("given", "augment"),
    [
        ([], None),
        (["--augment"], pn.Augment()),
        (["--augment", "flip"], pn.Augment(flip=True)),
        (["--augment", " shift = 0.2 , flip=0,rotate=0"], pn.Augment(shift=0.2, rotate=0)),
    ],
)
def test_train_augments_as_asked(tmp_path, given, augment):
    pictures(tmp_path / "data", 3, sizes=(8,))
    model = str(tmp_path / "m.safetensors")
    assert main(["train", str(tmp_path / "data"), "--epochs", "1", "-o", model, *given]) == 0
    assert pn.load(model).card.augment == ("" if augment is None else str(augment))


@pytest.mark.parametrize("shape", [(1, 1, 1), (8, 8, 3), (28, 28, 1), (96, 64, 3), (200, 300, 1)])
def test_the_cnn_suits_any_size(shape):
    model = image_cnn(shape, 4)
    model.build(shape)
    assert model.output_shape == (4,)
    assert model(np.zeros((2, *shape), np.float32)).shape == (2, 4)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "missing"], "train: 'missing' does not exist: give a folder of images, or an .npz"),
        (["train", "file.txt"], "train: 'file.txt' is not an .npz"),
        (["train", "x.npz", "--size", "8"], "train: size is for a folder of images"),
        (["train", "x.npz", "--epochs", "0"], "epochs is 0"),
        (["train", "x.npz", "-o", "m.h5"], "models are .safetensors files"),
        (["evaluate", "m.safetensors", "--csv", "nowhere/a.csv"], "there is no folder"),
        (["evaluate", "m.safetensors", "--html", "no/a.html"], "evaluate: --html: there is no folder "),
        (["evaluate", "m.safetensors", "--html", "a", "--csv", "a"], "--csv and --html are both a: give two files"),
        (
            ["evaluate", "m.safetensors", "--plots", "file.txt"],
            "--plots: file.txt is a file: give the path of a folder",
        ),
        (["evaluate", "m.safetensors", "--plots", "file.txt/a"], "--plots: file.txt is a file: give the path of a fol"),
        (["evaluate", "m.safetensors", "--plots", "/proc/a"], "--plots: the folder /proc/a cannot be made ("),
        (["evaluate", "m.safetensors", "x.npz", "--groups", "a"], "--groups is for a folder of images"),
        (["evaluate", "m.safetensors", "x.npz", "--groups", "(("], "groups is '((', which is not a regular expression"),
        (["train", "x.npz", "--augment"], "augment is for images (n, height, width, channels), and x is (n, 2)"),
        (["train", "missing", "--checkpoint", "nowhere/run.ckpt"], "train: checkpoint: there is no folder"),
        (["train", "missing", "--checkpoint", "a.safetensors", "-o", "a.safetensors"], "is both the checkpoint and"),
        (["train", "x.npz", "--skip-bad"], "train: skip_bad is for a folder of images"),
    ],
)
def test_mistakes_are_one_line(arguments, words, tmp_path, monkeypatch, capsys, rings):
    monkeypatch.chdir(tmp_path)
    Path("file.txt").write_text("x")
    np.savez("x.npz", x=rings[0], y=rings[1])
    model = pn.Sequential(pn.Dense(3))
    pn.fit(model, rings, epochs=1, verbose=0)
    pn.save(model, "m.safetensors")
    del model
    assert main(arguments) == 1
    err = capsys.readouterr().err
    assert words in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("strengths", "words"),
    [
        ("x.npz", "'x.npz' is not a strength: write flip,rotate=20 or the like, and DATA before --augment"),
        ("rotate", "'rotate' is not a strength: write flip,rotate=20"),
        ("rotate=a", "rotate is 'a': give a number, such as rotate=0.2"),
        ("flip=2", "flip is '2': write flip, or flip=0"),
        ("rotate=200", "Augment: rotate is 200.0: give degrees, from 0 (off) to 180"),
        ("rotate=nan", "Augment: rotate is nan: give degrees, from 0 (off) to 180"),
        ("rotation=9", "Augment() has no 'rotation'; use rotate"),
    ],
)
def test_wrong_strengths_are_usage_errors(strengths, words, capsys):
    assert main(["train", "--augment", strengths]) == 2
    assert f"error: argument --augment: {words}" in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore:folder. 1 of 13 images cannot be read. 'dark/damaged.png' .* they are left out")
def test_damaged_images_are_left_out_when_asked(tmp_path, capsys):
    pictures(tmp_path / "data", 6)
    (tmp_path / "data" / "dark" / "damaged.png").write_bytes(b"no image")
    arguments = ["train", str(tmp_path / "data"), "--epochs", "1", "-o", str(tmp_path / "m.safetensors")]
    assert main(arguments) == 1
    assert "or leave them out: skip_bad=True (pyneural train: --skip-bad)" in capsys.readouterr().err
    assert main([*arguments, "--skip-bad"]) == 0
    assert ": 11 train, 1 validation" in capsys.readouterr().out


@pytest.mark.filterwarnings("ignore:folder. no 16-bit image")
def test_predict_says_what_it_did_to_each_image(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, level in (("dark", 500), ("light", 3000)):
        (Path("data") / name).mkdir(parents=True)
        for i in range(4):
            Image.fromarray(np.full((20, 20), level + i, np.uint16)).save(f"data/{name}/{i}.png")
    pn.save(pn.apps.train("data", epochs=1, validation=None, verbose=0).model, "m.safetensors")
    Image.new("RGB", (30, 20), "red").save("red.png")
    Image.new("L", (20, 20)).save("same.png")
    capsys.readouterr()
    assert main(["predict", "m.safetensors", "data/dark/0.png", "red.png", "same.png"]) == 0
    said = [line.strip() for line in capsys.readouterr().out.splitlines()[1::2]]
    assert said == ["reduced to 8 bits (4095 is white)", "made grey, scaled from 30 x 20 to 20 x 20", "not changed"]
