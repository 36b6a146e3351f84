"""PneumoniaMNIST: where it is looked for, the download, the sample, and what tells it from other files."""

import hashlib
import os
import runpy
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from checkout import ROOT

import pyneural as pn
from pyneural.commands.command_line import main
from pyneural.datasets import pneumonia_mnist_file
from pyneural.datasets.mnist_files import SAMPLE

COUNTS = {"train": 30, "val": 6, "test": 10}


def arrays() -> dict[str, np.ndarray]:
    """A small file in the same layout."""
    generator = np.random.default_rng(0)
    found = {}
    for part, n in COUNTS.items():
        found[f"{part}_images"] = generator.integers(0, 256, (n, 28, 28)).astype(np.uint8)
        found[f"{part}_labels"] = (np.arange(n) % 2).astype(np.uint8).reshape(-1, 1)
    return found


def write(folder: Path, given: dict[str, np.ndarray]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / "pneumoniamnist.npz", **given)
    return folder / "pneumoniamnist.npz"


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, np.ndarray]:
    """The small file's rows are the right ones; no variable, an empty cache, no address."""
    given = arrays()
    parts = {
        part: (short, COUNTS[short], pneumonia_mnist_file.rows_md5(given[f"{short}_images"], given[f"{short}_labels"]))
        for part, short in (("train", "train"), ("validation", "val"), ("test", "test"))
    }
    monkeypatch.setattr(pneumonia_mnist_file, "PARTS", parts)
    monkeypatch.delenv("PYNEURAL_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(pneumonia_mnist_file, "ADDRESSES", ())
    return given


def shuffled(given: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The rows of the training part in another order."""
    order = np.random.default_rng(1).permutation(COUNTS["train"])
    return given | {name: given[name][order] for name in ("train_images", "train_labels")}


def test_the_official_parts_have_their_shapes_counts_and_classes():
    if not (Path(os.environ.get("PYNEURAL_DATA", "")) / "pneumoniamnist" / "pneumoniamnist.npz").is_file():
        return
    data = pn.datasets.pneumonia_mnist()
    assert data.train.counts() == {"NORMAL": 1214, "PNEUMONIA": 3494}
    assert data.validation.counts() == {"NORMAL": 135, "PNEUMONIA": 389}
    assert data.test.counts() == {"NORMAL": 234, "PNEUMONIA": 390}
    assert (data.test.x.shape, data.test.x.dtype, data.test.y.dtype) == ((624, 28, 28, 1), np.uint8, np.int64)
    assert (data.name, data.train.name, data.train.note) == ("pneumonia_mnist", "pneumonia_mnist", "")


@pytest.mark.parametrize("place", ["", "pneumoniamnist", "pneumonia_mnist"])
def test_it_is_found_in_a_folder_by_its_path_and_by_the_variable(small, tmp_path, monkeypatch, place):
    file = write(tmp_path / "data" / place, shuffled(small))
    monkeypatch.setenv("PYNEURAL_DATA", str(tmp_path / "data"))
    for data in (pn.datasets.pneumonia_mnist(), pn.datasets.pneumonia_mnist(tmp_path / "data")):
        assert np.array_equal(data.test.x[..., 0], small["test_images"])
        assert np.array_equal(data.validation.y, small["val_labels"][:, 0])
        assert data.train.classes == ("NORMAL", "PNEUMONIA")
    assert len(pn.datasets.pneumonia_mnist(file).train) == 30


def test_a_missing_file_is_reported_with_each_place(small, tmp_path, monkeypatch):
    with pytest.raises(
        FileNotFoundError, match=r"^pneumonia_mnist: path is .*tried .*pneumoniamnist.npz.*no path.*'sample'"
    ):
        pn.datasets.pneumonia_mnist(tmp_path)
    monkeypatch.setenv("PYNEURAL_DATA", str(tmp_path))
    with pytest.raises(
        FileNotFoundError, match=r"^pneumonia_mnist: PYNEURAL_DATA is .*, unset it to download it, or use PYNEURAL_DATA"
    ):
        pn.datasets.pneumonia_mnist()
    with pytest.raises(FileNotFoundError, match=r"^pneumonia_mnist: there is no file"):
        pn.datasets.pneumonia_mnist(tmp_path / "x.npz")
    with pytest.raises(TypeError, match=r"^pneumonia_mnist: path is 5: give the path of pneumoniamnist.npz"):
        pn.datasets.pneumonia_mnist(5)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("val_labels", lambda y: 1 - y, "the validation part has other images or labels than PneumoniaMNIST"),
        ("test_images", lambda x: x ^ (np.arange(len(x)) == 3)[:, None, None], "the test part has other images or"),
        ("train_images", lambda x: x[:, :14], r"the train part has images uint8 \(30, 14, 28\) and labels \(30, 1\)"),
        ("train_labels", lambda y: y[1:], r"labels \(29, 1\); PneumoniaMNIST has uint8 \(30, 28, 28\) and \(30, 1\)"),
        ("test_images", lambda x: x.astype("f4"), r"the test part has images float32 .*pn.datasets.npz\(path\) reads"),
    ],
    ids=["other labels", "one other pixel", "other size", "a label too few", "floats"],
)
def test_another_file_of_that_name_is_refused(small, tmp_path, name, value, words):
    write(tmp_path, small | {name: value(small[name])})
    with pytest.raises(ValueError, match=rf"^pneumonia_mnist: '.*pneumoniamnist.npz': .*{words}"):
        pn.datasets.pneumonia_mnist(tmp_path)


def test_a_damaged_or_incomplete_file_is_refused(small, tmp_path):
    file = write(tmp_path, {name: array for name, array in small.items() if name != "val_images"})
    with pytest.raises(ValueError, match=r"has no val_images, but .*download pneumoniamnist.npz again"):
        pn.datasets.pneumonia_mnist(tmp_path)
    file.write_bytes(file.read_bytes()[:500])
    with pytest.raises(ValueError, match=r"^pneumonia_mnist: .* cannot be read \(it is not an .npz, or incomplete\)"):
        pn.datasets.pneumonia_mnist(tmp_path)


def test_a_file_that_unpacks_to_too_much_is_refused_before_memory_is_taken(small, tmp_path):
    images = np.zeros((30, 28, 28, 3000), np.uint8)
    np.savez_compressed(tmp_path / "pneumoniamnist.npz", **small | {"train_images": images})
    del images
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"cannot be read \(its arrays have 70,5.*the limit is 67"):
        pn.datasets.pneumonia_mnist(tmp_path)
    assert tracemalloc.get_traced_memory()[1] < 3_000_000
    tracemalloc.stop()


@pytest.mark.parametrize("name", ["MNIST.NPZ", "pneumonia.zip", "pneumonia"])
def test_a_file_of_another_name_is_read(small, tmp_path, name):
    file = write(tmp_path / "elsewhere", small).rename(tmp_path / name)
    assert len(pn.datasets.pneumonia_mnist(file).train) == 30
    file.write_bytes(b"x")
    with pytest.raises(ValueError, match=rf"^pneumonia_mnist: '.*{name}' cannot be read \(it is not an .npz"):
        pn.datasets.pneumonia_mnist(file)


def test_it_is_downloaded_once_and_checked_by_its_checksum(small, tmp_path, monkeypatch):
    import pooch

    data = write(tmp_path / "server", small).read_bytes()
    asked = []

    def answer(downloader, address, output, _):
        asked.append(address)
        output.write(b"<html>" if "broken" in address else data)

    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", answer)
    monkeypatch.setattr(pneumonia_mnist_file, "ADDRESSES", ("https://broken/x.npz?download=1", "https://one/x.npz"))
    with pytest.warns(
        UserWarning,
        match=r"^pneumonia_mnist: the download failed \(pneumoniamnist.npz: https://broken/.*has MD5 .*expected 28209e"
        r".*; https://one/.*, so this is the EMBEDDED SAMPLE: 600 \+ 200 images instead of 4,708 \+ 624; fetch "
        r"pneumoniamnist.npz elsewhere, and name it: pn.datasets.pneumonia_mnist\(path\)",
    ) as caught:
        assert len(pn.datasets.pneumonia_mnist().train) == 600
    assert caught[0].filename == __file__
    monkeypatch.setattr(pneumonia_mnist_file, "MD5", hashlib.md5(data).hexdigest())
    assert len(pn.datasets.pneumonia_mnist().train) == 30
    del asked[:]
    assert len(pn.datasets.pneumonia_mnist().train) == 30
    assert not asked
    assert not list(tmp_path.rglob("*.part"))


# ---- the embedded sample


def test_the_sample_is_used_where_it_is_named(monkeypatch):
    monkeypatch.setenv("PYNEURAL_DATA", "sample")
    for data in (pn.datasets.pneumonia_mnist(), pn.datasets.pneumonia_mnist("sample")):
        assert (data.train.note, data.test.note) == ("EMBEDDED SAMPLE: 600 of 4,708", "EMBEDDED SAMPLE: 200 of 624")
        assert (data.name, data.validation) == ("pneumonia_mnist", None)


def test_the_sample_is_the_one_that_was_drawn():
    data = pn.datasets.pneumonia_mnist("sample")
    found = [hashlib.sha256(part.x.tobytes() + part.y.tobytes()).hexdigest()[:8] for part in (data.train, data.test)]
    assert found == ["8a286890", "28ca3729"]
    assert sum(file.stat().st_size for file in (SAMPLE / "pneumonia_mnist").iterdir()) < 430_000


def test_the_sample_is_stratified_and_every_stretch_of_it_has_both_classes():
    data = pn.datasets.pneumonia_mnist("sample")
    assert data.train.counts() == {"NORMAL": 155, "PNEUMONIA": 445}  # 1214 : 3494
    assert data.test.counts() == {"NORMAL": 75, "PNEUMONIA": 125}  # 234 : 390
    assert (data.train.x.shape, data.train.x.dtype, data.train.y.dtype) == ((600, 28, 28, 1), np.uint8, np.int64)
    for start in range(0, 600, 100):
        assert abs(data.train.y[start : start + 100].mean() - 445 / 600) < 0.02


def test_the_sample_can_be_drawn_again_from_the_rows_in_any_order():
    tool = runpy.run_path(str(ROOT / "tools" / "make_sample.py"))
    data = pn.datasets.pneumonia_mnist("sample")
    if (Path(os.environ["PYNEURAL_DATA"]) / "pneumoniamnist" / "pneumoniamnist.npz").is_file():
        data = pn.datasets.pneumonia_mnist()
    for part, (count, _) in tool["COUNTS"].items():
        whole, embedded = getattr(data, part), getattr(pn.datasets.pneumonia_mnist("sample"), part)
        order = np.random.default_rng(0).permutation(len(whole))
        drawn = tool["xrays"](whole.x[order, ..., 0], whole.y[order], count, tool["PNEUMONIA_SEED"])
        for number, images in enumerate(drawn):
            ours = embedded.x[embedded.y == number][..., 0]
            assert {image.tobytes() for image in images} == {image.tobytes() for image in ours}
            assert len(images) == len(ours)


def test_a_model_of_the_sample_says_so_in_every_line_with_a_result(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PYNEURAL_DATA", "sample")
    data = pn.datasets.pneumonia_mnist()
    model = pn.Sequential(pn.Flatten(), pn.Dense(8, "relu"), pn.Dense(2))
    pn.fit(model, data, epochs=1)
    pn.evaluate(model, data.test)
    pn.save(model, tmp_path / "x.safetensors")
    lines = [line for line in capsys.readouterr().out.splitlines() if "train," in line or "n = " in line]
    assert len(lines) >= 2
    assert all("EMBEDDED SAMPLE" in line for line in lines), lines
    sheet = SAMPLE / "pneumonia_mnist" / "test_NORMAL.png"
    main(["predict", str(tmp_path / "x.safetensors"), str(sheet)])
    assert "trained on pneumonia_mnist (EMBEDDED SAMPLE: 600 of 4,708)" in capsys.readouterr().out
    for words in ([], ["sample"]):
        main(["evaluate", str(tmp_path / "x.safetensors"), *words])
        said = capsys.readouterr().out
        assert said.startswith("pneumonia_mnist test: "), said
        assert "EMBEDDED SAMPLE: 200 of 624" in said.splitlines()[0]
