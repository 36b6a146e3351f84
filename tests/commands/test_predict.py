"""The command predict: answers for two classes, kinds of image files, warnings, heat maps."""

import re
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pyneural as pn
from pyneural.commands.command_line import main
from pyneural.commands.predict import input_of

SIZE = 24


def scans(n: int, seed: int, height: int = SIZE, width: int = SIZE) -> tuple[np.ndarray, np.ndarray]:
    """Greyscale images uint8 (n, height, width), half of them with a bright spot, and whether they have it."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width] / np.array([height, width]).reshape(2, 1, 1)
    spot = np.arange(n) % 2
    images = 60 + 80 * (1 - y) + generator.normal(0, 8, (n, 1, 1)) + generator.normal(0, 1.5, (n, height, width))
    images += 90 * spot[:, None, None] * np.exp(-(((x - 0.7) / 0.1) ** 2) - ((y - 0.6) / 0.1) ** 2)
    return images.clip(0, 255).astype(np.uint8), spot


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of two classes, with a threshold and statistics of its training images, under the name of X-rays."""
    x, y = scans(200, 0)
    data = pn.Dataset(x[..., None], y, classes=("NORMAL", "PNEUMONIA"), name="chest_xray")
    made = pn.Sequential(pn.Conv2D(4, 3, activation="relu"), pn.MaxPool2D(4), pn.Flatten(), pn.Dense(2))
    pn.fit(made, data, epochs=10, learning_rate=0.01, validation=None, verbose=0)
    pn.choose_threshold(made, data, min_specificity=0.99, verbose=0)
    pn.record_pixels(made, data)
    return pn.save(made, tmp_path_factory.mktemp("model") / "xray.safetensors")


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    """One scan with a spot, larger than the model takes it."""
    Image.fromarray(np.kron(scans(2, 7)[0][1], np.ones((3, 2), np.uint8))).save(tmp_path / "scan.png")
    return tmp_path / "scan.png"


def test_two_classes_come_with_probability_threshold_and_verdict(model, scan, capsys):
    assert main(["predict", str(model), str(scan)]) == 0
    out, err = capsys.readouterr()
    loaded = pn.load(model)
    found = pn.classify(loaded, input_of(loaded, scan)[0])
    assert found.label == "PNEUMONIA"
    probability, threshold = found.probabilities[1], loaded.card.task.threshold
    assert out.splitlines() == [
        f"{scan}: PNEUMONIA (probability of PNEUMONIA is {probability:.4g}, threshold {threshold:.4g})",
        "    scaled from 48 x 72 to 24 x 24",
        "This is not a medical device: do not use it for diagnosis.",
    ]
    assert threshold != 0.5
    assert err == ""


def test_one_output_has_a_threshold_too_and_other_data_no_caveat(tmp_path, scan, capsys):
    x, y = scans(40, 0)
    made = pn.Sequential(pn.Flatten(), pn.Dense(1))
    pn.fit(made, (x[..., None], y), epochs=2, validation=None, verbose=0)
    assert main(["predict", str(pn.save(made, tmp_path / "one.safetensors")), str(scan)]) == 0
    out = capsys.readouterr().out
    assert re.fullmatch(r".*: [01] \(probability of 1 is [\d.e-]+, threshold 0.5\)\n    scaled .*\n", out)


# ---- kinds of files --------------------------------------------------------------------------------------------------


def kinds(folder: Path) -> list[Path]:
    """Image files of one scan in every mode and format that may come, 90 x 60 pixels."""
    grey = Image.fromarray(scans(2, 7, 90, 60)[0][1])
    turned = Image.Exif()
    turned[0x0112] = 6
    clear = grey.convert("RGBA")
    clear.putalpha(Image.fromarray(np.linspace(0, 255, 5400).reshape(90, 60).astype("uint8")))
    palette = grey.quantize(16)
    palette.save(folder / "palette_clear.png", transparency=3)
    palette.save(folder / "palette.png")
    grey.save(folder / "grey.png")
    grey.convert("RGB").save(folder / "colour.jpg", quality=90)
    grey.convert("CMYK").save(folder / "cmyk.jpg")
    grey.convert("1").save(folder / "bits.png")
    grey.convert("LA").save(folder / "grey_alpha.png")
    clear.save(folder / "clear.png")
    Image.fromarray(np.asarray(grey).astype(np.uint16) * 257).save(folder / "sixteen.png")
    Image.fromarray(np.asarray(grey).astype(np.uint16) * 257).save(folder / "sixteen.tif")
    grey.save(folder / "turned.jpg", exif=turned)
    (folder / "png_named.jpeg").write_bytes((folder / "grey.png").read_bytes())
    grey.resize((600, 900)).save(folder / "large.jpg")  # which is decoded at a reduced size
    return sorted(folder.iterdir())


def test_a_file_gets_the_answer_that_its_pixels_from_a_folder_get(model, tmp_path, capsys):
    for name in ("NORMAL", "PNEUMONIA"):
        (tmp_path / name).mkdir()
    files = kinds(tmp_path / "PNEUMONIA")
    Image.new("L", (60, 90)).save(tmp_path / "NORMAL" / "other.png")
    loaded = pn.load(model)
    data = pn.datasets.folder(tmp_path, size=SIZE, channels=1).train
    of = {Path(file).name: row for row, file in enumerate(data.files)}
    assert main(["predict", str(model), *map(str, files)]) == 0
    answers = dict(re.findall(r"([^/\n]+): \w+ \(probability of PNEUMONIA is ([\d.e-]+),", capsys.readouterr().out))
    assert answers.keys() == {file.name for file in files}
    for file in files:
        pixels = data.x[of[file.name]]
        assert np.array_equal(input_of(loaded, file)[0], pixels), file.name
        with np.errstate(all="raise"), pytest.MonkeyPatch.context() as patch:
            patch.setattr(loaded.card, "pixels", None)  # the warnings are not what is asked here
            assert answers[file.name] == f"{pn.predict(loaded, pixels)[0, 1]:.4g}", file.name


def test_files_that_cannot_be_read_are_reported_and_the_others_are_answered(model, scan, tmp_path, capsys):
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">2I5B", 100_000, 100_000, 8, 0, 0, 0, 0))
    (tmp_path / "huge.png").write_bytes(head + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b""))
    (tmp_path / "empty.jpeg").touch()
    (tmp_path / "cut.png").write_bytes(scan.read_bytes()[:200])
    Image.fromarray(np.zeros((30, 30), np.float32)).save(tmp_path / "floats.tif")
    wrong = {
        "huge.png": "has 10,000,000,000 pixels", "empty.jpeg": "is empty", "cut.png": "cannot be read",
        "floats.tif": "its pixels are floats", "none.png": "there is no file", ".": "is a folder",
    }  # fmt: skip
    assert main(["predict", str(model), *(str(tmp_path / name) for name in wrong), str(scan)]) == 1
    out, err = capsys.readouterr()
    assert out.startswith(f"{scan}: PNEUMONIA")
    assert len(err.splitlines()) == len(wrong)
    for line, (name, words) in zip(err.splitlines(), wrong.items(), strict=True):
        assert line.startswith("pyneural: predict: ")
        assert words in line
        assert str(tmp_path / name) in line


def test_an_image_that_is_unlike_the_training_images_gets_a_warning_with_its_name(model, scan, tmp_path, capsys):
    noise = np.random.default_rng(0).integers(0, 256, (50, 50), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    assert main(["predict", str(model), str(scan), str(tmp_path / "noise.png")]) == 0
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 5
    assert err.startswith(f"pyneural: {tmp_path / 'noise.png'}: the image is unlike the training images: ")
    assert err.endswith(": do not trust the answer\n")
    assert err.count("\n") == 1


# ---- heat maps -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", [None, "occlusion"])
def test_a_heat_map_is_written_to_a_file(model, scan, tmp_path, method, capsys):
    target = tmp_path / "map.PNG"
    assert (
        main(["predict", str(model), str(scan), "--heat-map", str(target), *(["--method", method] if method else [])])
        == 0
    )
    assert f"scaled from 48 x 72 to 24 x 24 · heat map in {target}" in " ".join(capsys.readouterr().out.split())
    with Image.open(target) as image:
        assert image.format == "PNG"
        assert min(image.size) > 100
    assert sorted(path.name for path in tmp_path.iterdir()) == ["map.PNG", "scan.png"]


def test_heat_maps_of_several_images_are_written_to_a_folder_and_replace_no_image(model, scan, tmp_path, capsys):
    (tmp_path / "b").mkdir()
    twin, strange = tmp_path / "b" / "scan.jpg", tmp_path / "scan_heat_map.png"
    Image.open(scan).save(twin)
    strange.write_bytes(scan.read_bytes())
    before = strange.read_bytes()
    (tmp_path / "text.png").write_text("text")
    files = [str(scan), str(tmp_path / "text.png"), str(twin), str(strange)]
    assert main(["predict", str(model), *files, "--heat-map", str(tmp_path)]) == 1  # one cannot be read
    assert strange.read_bytes() == before
    assert {path.name for path in tmp_path.glob("*heat_map*")} == {
        "scan_heat_map.png", "scan_heat_map_2.png", "scan_heat_map_3.png", "scan_heat_map_heat_map.png"
    }  # fmt: skip
    assert main(["predict", str(model), *files[:1], "--heat-map", str(tmp_path / "new")]) == 0
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["scan_heat_map.png"]
    capsys.readouterr()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["{scan}", "{scan}", "--heat-map", "{folder}/map.png"],
            "/map.png: 2 images need a folder: give '{folder}/map'\n",
        ),
        (
            ["{scan}", "--heat-map", "{folder}/map.jpg"],
            "heat maps are .png files: give '{folder}/map.png', or '{folder}/map' for a folder\n",
        ),
        (["{scan}", "--heat-map", "{scan}"], "is the image itself"),
        (["{scan}", "--heat-map", "{folder}/none/map.png"], "there is no folder"),
        (["{scan}", "--heat-map", "{scan}/maps"], "is a file: give the path of a folder"),
        (["{scan}", "--method", "occlusion"], "--method is for heat maps: give --heat-map as well"),
    ],
)
def test_what_cannot_be_written_is_reported_before_the_work_starts(model, scan, tmp_path, arguments, words, capsys):
    given = [one.format(scan=scan, folder=tmp_path) for one in arguments]
    assert main(["predict", str(model), *given]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert words.format(folder=tmp_path) in err
    assert err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["scan.png"]


def test_evaluate_of_an_x_ray_model_without_x_rays_shows_the_command_with_a_folder(
    model, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("PYNEURAL_DATA", str(tmp_path))
    assert main(["evaluate", str(model)]) == 1
    err = capsys.readouterr().err
    assert "the model was trained on chest_xray, and there is no folder of that name in $PYNEURAL_DATA" in err
    assert err.endswith("give the folder that has train and test, pyneural evaluate MODEL FOLDER\n")


def test_a_missing_matplotlib_is_reported_before_the_work_starts(model, scan, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.pyplot", None)
    assert main(["predict", str(model), str(scan), "--heat-map", str(tmp_path / "map.png")]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "predict: --heat-map needs matplotlib: run pip install" in err


def test_a_model_with_several_answers_or_without_a_convolution_says_what_to_do(tmp_path, scan, capsys):
    x, y = scans(40, 0)
    values = pn.Sequential(pn.Flatten(), pn.Dense(2))
    pn.fit(values, (x[..., None], np.stack([y, y], axis=1) + 0.25), epochs=1, validation=None, verbose=0)
    arguments = [
        "predict",
        str(pn.save(values, tmp_path / "m.safetensors")),
        str(scan),
        "--heat-map",
        str(tmp_path / "m.png"),
    ]
    assert main(arguments) == 1
    assert "use pn.plot.heat_map(model, image), which takes head= and label=" in capsys.readouterr().err
    flat = pn.Sequential(pn.Flatten(), pn.Dense(2))
    pn.fit(flat, (x[..., None], y), epochs=1, validation=None, verbose=0)
    pn.save(flat, tmp_path / "m.safetensors")
    assert main(arguments) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "occlusion" in err
    assert main([*arguments, "--method", "occlusion"]) == 0
    capsys.readouterr()
