"""Two overlapping digits in one image: the networks, the app and the commands."""

import numpy as np
import pytest

import pyneural as pn
from pyneural.commands.command_line import main

QUICK = ["two-digits", "--model", "mlp", "--data", "sample", "--pairs", "600", "--epochs", "1"]


def test_the_networks_have_two_heads_of_ten_classes():
    mlp, cnn = pn.apps.two_digits_mlp(), pn.apps.two_digits_cnn()
    for model in (mlp, cnn):
        model.build((42, 28, 1))
        assert model.output_shape == {"top": (10,), "bottom": (10,)}
    assert [tuple(t.shape) for t in mlp.parameters.values()] == [
        (1176, 128), (128,), (128, 10), (10,), (128, 10), (10,)
    ]  # fmt: skip
    assert sum(np.prod(t.shape) for t in cnn.parameters.values()) < 500_000


def test_the_networks_read_two_digits(capsys):
    # The sample's 1,000 test pairs after one epoch on 6,000 (CNN) and two (MLP); a guess is right in 1 %.
    for model, epochs, bar in (("cnn", 1, 0.75), ("mlp", 2, 0.5)):
        run = pn.apps.two_digits(model=model, data="sample", epochs=epochs, verbose=0)
        assert run.report.all_right > bar, f"seed 0: {run.report.all_right}"
        assert run.report.all_right <= min(report.accuracy for report in run.report.values())
    assert capsys.readouterr().out == ""


def test_the_command_prints_each_head_and_both_and_saves(tmp_path, capsys):
    path = tmp_path / "two.safetensors"
    assert main([*QUICK, "-o", str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "600 train, 600 validation (given)" in lines[0]
    assert [line.split(": ")[0] for line in lines[-4:-1]] == ["top", "bottom", "both right"]
    assert lines[-1].startswith(f"saved {path}")
    for line in lines:
        if "n = " in line or "train," in line:
            assert "EMBEDDED SAMPLE" in line, line

    assert main(["evaluate", str(path), "sample"]) == 0  # the same pairs
    again = capsys.readouterr().out.splitlines()
    for line, other in zip(lines[-4:-1], again[:3], strict=True):
        assert other.startswith(f"two_digits test: {line}")
    assert again[-1] == lines[-2]

    for option in ("--csv", "--plots", "--html"):
        assert main(["evaluate", str(path), "sample", option, str(tmp_path / "x")]) == 1
        assert f"{option} is for models with one output, and this one has the heads top, bottom" in (
            capsys.readouterr().err
        )


def test_a_saved_model_answers_for_an_image_file(tmp_path, capsys):
    from PIL import Image

    run = pn.apps.two_digits(model="mlp", data="sample", pairs=600, epochs=1, output=tmp_path / "x.safetensors")
    image = pn.datasets.two_digits("sample").test.x[0]
    Image.fromarray(image[..., 0]).save(tmp_path / "pair.png")
    found = pn.classify(run.model, image)
    capsys.readouterr()
    assert main(["predict", str(tmp_path / "x.safetensors"), str(tmp_path / "pair.png")]) == 0
    assert f"top {found['top']}, bottom {found['bottom']}" in capsys.readouterr().out


def test_every_option_reaches_fit(tmp_path, capsys):
    more = [
        "--batch-size", "50", "--optimizer", "sgd", "--learning-rate", "0.07", "--schedule", "cosine", "--seed", "9",
        "--threads", "1",
    ]  # fmt: skip
    assert main([*QUICK, *more, "-o", str(tmp_path / "x.safetensors")]) == 0
    assert "sgd, cosine 0.07 · batch 50 · seed 9" in capsys.readouterr().out.splitlines()[0]
    assert pn.get_threads() == 1
    pn.set_threads(2)


def test_an_interrupted_training_is_saved_and_not_evaluated(tmp_path, monkeypatch):
    path = tmp_path / "x.safetensors"
    monkeypatch.setattr("pyneural.apps.two_digits_app.fit", interrupted(pn.fit))
    assert main([*QUICK, "-o", str(path)]) == 130
    assert pn.load(path).output_shape == {"top": (10,), "bottom": (10,)}


def interrupted(fit):
    """fit, stopped by Ctrl-C after the first epoch."""

    def stopped(model, data, **options):
        history = fit(model, data, **options)
        history.interrupted = True
        return history

    return stopped


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"model": "cmn"}, ValueError, "model 'cmn'? did you mean 'cnn'"),
        ({"pairs": 0}, ValueError, "two_digits: pairs is 0"),
        ({"samples": 10}, TypeError, "use pairs"),
        ({"output": "digits.h5"}, ValueError, "models are .safetensors files"),
        ({"lr": 0.1}, TypeError, "use learning_rate"),
    ],
)
def test_bad_options_are_reported_before_work_starts(options, error, words):
    with pytest.raises(error) as caught:
        pn.apps.two_digits(**options)
    assert words in str(caught.value)
