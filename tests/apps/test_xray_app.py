"""The chest X-ray detector, on small images made for it: what it trains on, chooses, prints and saves."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from child import environment
from PIL import Image

import pyneural as pn
from pyneural.apps.xray_data import divided
from pyneural.apps.xray_words import Lines, say_found
from pyneural.card.task import Task
from pyneural.commands.command_line import main

COUNTS = {"train": (48, 80), "test": (20, 28)}  # images of NORMAL and PNEUMONIA
SIDE = 32


def chest(sick: bool, generator: np.random.Generator) -> np.ndarray:
    """A grey image with noise; a bright spot on one side if it is of a sick chest, except for one in ten."""
    image = generator.normal(100, 20, (SIDE, SIDE))
    if sick != (generator.random() < 0.1):
        across = generator.choice([8, 22])
        image[12:20, across - 3 : across + 4] += 80
    return image.clip(0, 255).astype(np.uint8)


def write_folder(root: Path) -> Path:
    """Images in the layout of the published ones; each patient has two."""
    generator = np.random.default_rng(0)
    for part, (normal, sick) in COUNTS.items():
        start = 1000 if part == "test" else 0
        for name, count in (("NORMAL", normal), ("PNEUMONIA", sick)):
            (root / part / name).mkdir(parents=True)
            for i in range(count):
                patient = start + i // 2
                file = f"IM-{patient:04}-{i:04}.png" if name == "NORMAL" else f"person{patient}_virus_{i}.png"
                Image.fromarray(chest(name == "PNEUMONIA", generator)).save(root / part / name / file)
    return root


@pytest.fixture(scope="module")
def xrays(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("xrays"))


@pytest.fixture(scope="module")
def run(xrays: Path, tmp_path_factory: pytest.TempPathFactory):
    """A run, the file that it saved, and what it printed."""
    file = tmp_path_factory.mktemp("model") / "xray.safetensors"
    return pn.apps.xray(xrays, size=SIDE, epochs=6, output=file, verbose=0), file


def test_the_network_is_that_of_the_benchmarks():
    model = pn.apps.xray_cnn(48)
    model.build((48, 48, 1))
    shapes = [tuple(t.shape) for t in model.parameters.values()]
    assert sum(map(np.prod, shapes)) == 307_506
    assert [shape for shape in shapes if shape[0:2] == (1, 1)] == [(1, 1, 16, 32), (1, 1, 32, 64), (1, 1, 64, 128)]
    assert model.output_shape == (2,)


def test_a_run_returns_and_saves_a_model_whose_choices_come_from_validation(run):
    done, file = run
    assert not done.history.interrupted
    task = done.model.card.task
    assert task.names == ("NORMAL", "PNEUMONIA")
    assert task.threshold != 0.5
    assert done.report.n == 48
    assert done.report.roc_auc > 0.8, done.report.roc_auc  # of the best possible answers about 0.9
    assert done.report.groups.tolist() == done.data.test.groups.tolist()
    again = pn.load(file)
    assert again.card.task == task
    report = pn.evaluate(again, done.data.test, verbose=0)
    assert report.accuracy == done.report.accuracy
    assert again.card.best_epoch == 6, "the weights are those of the last epoch"


def test_the_saved_model_warns_of_images_that_are_unlike_x_rays(run):
    again = pn.load(run[1])
    pn.predict(again, run[0].data.test)  # without a warning, which would be an error
    noise = np.random.default_rng(0).integers(0, 256, (3, SIDE, SIDE, 1), dtype=np.uint8)
    with pytest.warns(UserWarning, match="predict: 3 of 3 images are unlike the training images, the first at index 0"):
        pn.predict(again, noise)


def test_the_validation_part_has_no_patient_of_the_training_part_and_gives_the_threshold(run):
    done, _ = run
    train, held = next(iter(done.data.train.folds(8)))
    assert not set(train.groups) & set(held.groups)
    report = pn.evaluate(done.model, held, verbose=0)
    assert report.specificity >= 0.995, "for images of fewer than 64 pixels a side"
    copy = pn.load(run[1])
    assert pn.choose_threshold(copy, held, min_specificity=0.995, verbose=0) == pytest.approx(report.task.threshold)


def test_the_lines_say_what_the_result_rests_on(run):
    lines = run[0].lines
    text = "\n".join(lines)
    assert "chest_xray: 128 train, 48 test · patients: 64 and 24, none in both" in lines[0]
    for words in (
        "validation: fold 1 of 8",
        "recipe: a residual CNN for 32 x 32 pixels, 307,506 parameters, trained from scratch · 6 epochs",
        "(at least 99.5 % specificity on the validation images)",
        "on which they were chosen",
        "prevalence of PNEUMONIA 58.33 %",
        "always PNEUMONIA",
        "sensitivity",
        "Intervals are by group.",
        "calibration error",
        "another distribution",
        "not a medical device",
    ):
        assert words in text, words
    assert re.search(r"^threshold 0\.\d+ ", text, re.MULTILINE)
    assert re.search(r"^(the 10 worst of \d+ mistakes|mistakes: \d), with the prob", text, re.MULTILINE)
    assert re.search(r"^    [\d.e-]+ +(NORMAL|PNEUMONIA)  test/\w+/\S+\.png$", text, re.MULTILINE)


def test_the_probabilities_of_mistakes_have_four_digits_however_small_they_are(capsys):
    outputs = np.array([[1 - p, p] for p in (6.251e-6, 0.0123456, 0.4, 0.1)])
    report = pn.Report(Task("classes", 2), outputs, np.array([1, 1, 1, 0]), np.ones(4), "x", "")
    say_found(report, report, Lines(1))
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines if "  image " in line] == [
        ["6.251e-06", "1", "image", "0"],
        ["0.01235", "1", "image", "1"],
        ["0.4", "1", "image", "2"],
    ]


def test_the_same_seed_gives_the_same_weights_and_another_one_another_fold(xrays):
    runs = [pn.apps.xray(xrays, size=SIDE, epochs=1, seed=seed, verbose=0) for seed in (3, 3, 4)]
    one, same, other = (done.history.fingerprint for done in runs)
    assert one == same != other
    folds = [next(line for line in done.lines if line.startswith("validation")) for done in runs]
    assert [re.search(r"fold (\d)", line)[1] for line in folds] == ["4", "4", "5"]


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"size": 8}, ValueError, "xray: size is 8: give a whole number of at least 16"),
        ({"epochs": 0}, ValueError, "xray: epochs is 0"),
        ({"seed": -1}, ValueError, "xray: seed is -1"),
        ({"folds": 1}, ValueError, "xray: folds is 1: give a whole number of at least 2, or leave it out"),
        ({"seeds": 0}, ValueError, "xray: seeds is 0"),
        ({"folds": 2, "seeds": 2}, ValueError, "xray: folds and seeds are both given"),
        ({"output": "xray.h5"}, ValueError, "models are .safetensors files"),
        ({"verbose": 3}, ValueError, "xray: verbose is 3"),
        ({"csv": "no/such/folder/x.csv"}, FileNotFoundError, "xray: --csv: there is no folder"),
        ({"folder": "x"}, TypeError, "path"),
    ],
)
def test_wrong_options_are_refused_before_data_is_read(options, error, words, monkeypatch):
    from pyneural.apps import xray_app

    monkeypatch.setattr(xray_app, "read_xrays", lambda *_: pytest.fail("data was read"))
    with pytest.raises(error) as caught:
        pn.apps.xray(**options)
    assert words in str(caught.value)


def test_a_folder_without_a_class_is_refused(tmp_path):
    write_folder(tmp_path)
    for part in COUNTS:
        (tmp_path / part / "PNEUMONIA").rename(tmp_path / part / "BACTERIA")
    with pytest.raises(ValueError, match="it needs NORMAL and PNEUMONIA"):
        pn.apps.xray(tmp_path)


@pytest.mark.parametrize(
    ("options", "words"), [([], "interrupted"), (["--folds", "2"], "the first of 2 networks, without a threshold")]
)
def test_ctrl_c_saves_what_was_trained_and_ends_with_130(xrays, tmp_path, options, words):
    file = tmp_path / "xray.safetensors"
    command = [
        sys.executable,
        "-m",
        "pyneural",
        "xray",
        str(xrays),
        "--size",
        "32",
        "--epochs",
        "2000",
        "-o",
        str(file),
        *options,
    ]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment({}))
    assert child.stdout is not None
    for line in child.stdout:
        if line.startswith("epoch ") and not line.startswith("epoch 1/"):
            break
    child.send_signal(signal.SIGINT)
    out, error = child.communicate(timeout=60)
    assert child.returncode == 130, error
    assert words in out
    assert f"saved {file}" in out
    assert "test:" not in out
    assert pn.load(file).card.epochs >= 2


def test_the_command_prints_the_lines_of_the_run_and_writes_files(xrays, tmp_path, capsys):
    file = str(tmp_path / "x.safetensors")
    outputs = ["--plots", str(tmp_path / "plots"), "--csv", str(tmp_path / "x.csv"), "--html", str(tmp_path / "x.html")]
    assert main(["xray", str(xrays), "--size", "32", "--epochs", "1", "-o", file, *outputs]) == 0
    out = capsys.readouterr().out
    assert out.startswith("chest_xray: 128 train, 48 test")
    assert "not a medical device" in out
    assert f"\nsaved {file}" in out
    assert out.splitlines()[-1] == f"page in {tmp_path / 'x.html'}"
    assert len((tmp_path / "x.csv").read_text().splitlines()) == 49
    assert (tmp_path / "plots" / "roc.png").is_file()
    assert "not a medical device" in (tmp_path / "x.html").read_text()


# ---- several networks


@pytest.fixture(scope="module")
def crossed(xrays: Path, tmp_path_factory: pytest.TempPathFactory):
    """A run with three folds, and the file that it saved."""
    file = tmp_path_factory.mktemp("folds") / "xray.safetensors"
    return pn.apps.xray(xrays, size=SIDE, epochs=4, folds=3, output=file, verbose=0), file


def test_folds_make_an_ensemble_with_a_threshold_from_the_pooled_validation_scores(crossed):
    done, file = crossed
    assert isinstance(done.model, pn.Ensemble)
    assert len(done.model) == 3
    scores, labels = [], []
    for model, (train, held) in zip(done.model, done.data.train.folds(3), strict=True):
        scores.append(pn.predict(model, held.x)[:, 1])
        labels.append(held.y)
        assert model.card.seed == len(scores) - 1
        assert not set(train.groups) & set(held.groups)
    assert sum(map(len, labels)) == 128
    wanted = pn.metrics.threshold(np.concatenate(labels), np.concatenate(scores), min_specificity=0.995)
    assert done.model.card.task.threshold == pytest.approx(wanted)
    again = pn.load(file)
    assert again.card.task == done.model.card.task
    assert pn.evaluate(again, done.data.test, verbose=0).accuracy == done.report.accuracy
    text = "\n".join(done.lines)
    for words in (
        "validation: fold 3 of 3",
        "3 networks, each on its own validation images: mean ROC AUC 0.",
        "(at least 99.5 % specificity on the pooled validation images of 3 networks)",
        "n = 128, on which they were chosen",
        "test: 48 images in 24 groups",
    ):
        assert words in text, words
    assert text.count("\ntest: ") == 1


@pytest.mark.parametrize("options", [{"folds": 3}, {"seeds": 8}])
def test_a_class_of_one_patient_is_refused_before_the_first_network_is_trained(options, tmp_path, monkeypatch):
    from pyneural.apps import xray_app

    write_folder(tmp_path)
    for file in (tmp_path / "train" / "NORMAL").iterdir():
        if not file.name.startswith("IM-0000"):
            file.unlink()
    monkeypatch.setattr(xray_app, "fit", lambda *_, **__: pytest.fail("training began"))
    with pytest.raises(ValueError, match=r"xray: all 2 images of NORMAL are in fold .*: give images of more patients"):
        pn.apps.xray(tmp_path, size=SIDE, epochs=1, verbose=0, **options)


@pytest.mark.parametrize("name", ["csv", "html"])
def test_no_output_of_a_run_replaces_its_model(name, xrays, tmp_path):
    file = tmp_path / "x.safetensors"
    with pytest.raises(ValueError, match=rf"xray: --{name} is .*x\.safetensors, the file of the model"):
        pn.apps.xray(xrays, output=file, verbose=0, **{name: file})


def test_seeds_give_mean_spread_and_an_ensemble(xrays):
    done = pn.apps.xray(xrays, size=SIDE, epochs=3, seeds=2, seed=5, verbose=0)
    assert [model.card.seed for model in done.model] == [5, 6]
    text = "\n".join(done.lines)
    assert "fold 6 of 8" in text
    assert "fold 7 of 8" in text
    tests = [pn.evaluate(model, done.data.test, verbose=0) for model in done.model]
    for seed, test in zip((5, 6), tests, strict=True):
        assert f"seed {seed}: ROC AUC " in text
        assert f"on test {test.roc_auc:.4f}, accuracy {100 * test.accuracy:.2f} %" in text
    mean, spread = np.mean([t.accuracy for t in tests]), np.std([t.accuracy for t in tests], ddof=1)
    assert f"accuracy {100 * mean:.2f} % ± {100 * spread:.2f}" in text
    assert done.report.n == 48


def test_ctrl_c_in_a_later_network_keeps_the_ones_before(xrays, tmp_path, monkeypatch):
    from pyneural.apps import xray_app

    fits = []

    def interrupted(*arguments, **options):
        history = fit(*arguments, **options)
        fits.append(history)
        history.interrupted = len(fits) == 3
        return history

    fit = xray_app.fit
    monkeypatch.setattr(xray_app, "fit", interrupted)
    file = tmp_path / "xray.safetensors"
    done = pn.apps.xray(xrays, size=SIDE, epochs=1, folds=4, output=file, verbose=0)
    assert len(fits) == 3
    assert done.report is None
    assert [len(done.model), len(pn.load(file))] == [2, 2]
    assert done.history is fits[0]
    assert "interrupted: the model has the 2 networks that were trained before" in "\n".join(done.lines)


# ---- the saved model


def test_evaluate_finds_the_data_of_a_detector_with_its_patients(run, xrays, capsys, monkeypatch):
    done, file = run
    monkeypatch.setenv("PYNEURAL_DATA", str(xrays))
    for data in ([], [str(xrays)]):
        assert main(["evaluate", str(file), *data]) == 0
        out = capsys.readouterr().out
        assert out.startswith(f"chest_xray test: {done.report!r}")
        assert "n = 48 in 24 groups" in out


def test_evaluate_does_not_give_mnist_to_a_detector_of_its_size(tmp_path, capsys, monkeypatch):
    x = np.random.default_rng(0).integers(0, 256, (40, 28, 28, 1)).astype(np.uint8)
    model = pn.Sequential(pn.Flatten(), pn.Dense(2))
    monkeypatch.chdir(tmp_path)
    for name, words in {
        "scans": "evaluate: the model was trained on scans, which is none of the sets that are looked for (mnist, ",
        "chest_xray": "evaluate: the model was trained on chest_xray, and there is no folder of that name in ",
    }.items():
        pn.fit(model, pn.Dataset(x, np.arange(40) % 2, name=name), epochs=1, validation=None, verbose=0)
        pn.save(model, "small.safetensors")
        monkeypatch.setenv("PYNEURAL_DATA", str(tmp_path))
        assert main(["evaluate", "small.safetensors"]) == 1
        assert words in capsys.readouterr().err


def test_a_digits_model_refuses_x_rays_by_name(xrays, tmp_path, capsys):
    file = str(tmp_path / "digits.safetensors")
    pn.apps.digits(model="mlp", data="sample", samples=100, epochs=1, output=file, verbose=0)
    assert main(["evaluate", file, str(xrays)]) == 1
    error = capsys.readouterr().err
    assert "has images of 'NORMAL, PNEUMONIA', but the model's classes are 0, 1, 2" in error
    assert "(it was trained on mnist (EMBEDDED SAMPLE" in error


# ---- PneumoniaMNIST


def test_without_a_folder_it_takes_pneumonia_mnist_and_says_so_wherever_it_quotes_a_result(monkeypatch):
    monkeypatch.setenv("PYNEURAL_DATA", "sample")
    done = pn.apps.xray(epochs=1, verbose=0)
    assert done.lines[0].startswith("no folder of chest X-rays is given or found, so this run is on PneumoniaMNIST")
    quoting = [line for line in done.lines if re.search(r"on which|ROC AUC .* on |^test:", line)]
    assert len(quoting) >= 3
    for line in quoting:
        assert "EMBEDDED SAMPLE: " in line, line
    assert done.model.input_shape == (28, 28, 1)
    assert done.report.groups is None


def test_the_size_of_pneumonia_mnist_is_given():
    with pytest.raises(ValueError, match="xray: size is 64, and the images of PneumoniaMNIST are 28 x 28"):
        pn.apps.xray("sample", size=64, verbose=0)


def test_a_validation_part_of_the_data_is_used_and_joins_the_folds():
    x = np.random.default_rng(0).integers(0, 256, (90, 28, 28, 1)).astype(np.uint8)
    y = np.arange(90) % 2
    data = pn.Splits(pn.Dataset(x[:60], y[:60]), pn.Dataset(x[:9], y[:9]), pn.Dataset(x[60:], y[60:]))
    own = divided(data, None)
    for seed in (0, 5):
        train, held, rows = own.parts(seed)
        assert np.array_equal(train.x, x[:60])
        assert np.array_equal(held.x, x[60:])
        assert rows.tolist() == list(range(60, 90))
        assert own.fold(seed) == "the validation part of the data"
    folds = divided(data, 3)
    assert np.array_equal(np.sort(np.concatenate(folds.held)), np.arange(90))
    assert [len(folds.parts(seed)[1]) for seed in range(3)] == [30, 30, 30]
    assert folds.fold(4) == "fold 2 of 3 of the training images"
