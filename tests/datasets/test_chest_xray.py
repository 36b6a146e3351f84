"""The chest X-ray folder: its patients and groups, the layouts that are read, and what is said of wrong ones."""

import errno
import gzip
import hashlib
import os
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pyneural as pn
from pyneural.datasets.cache_folder import cache_folder
from pyneural.datasets.chest_xray_folder import in_words, joined_patients, patient, patients
from pyneural.datasets.identical import copies

LIST = Path(__file__).parent / "chest_xray_files.txt.gz"  # the path of each file, and 32 bits of the MD5 of its bytes
DATA = Path(os.environ.get("PYNEURAL_DATA", "nowhere")) / "chest_xray"
FILES = (
    "train/NORMAL/IM-0115-0001.jpeg",
    "train/NORMAL/IM-0117-0001.jpeg",
    "train/PNEUMONIA/person1_bacteria_1.jpeg",
    "train/PNEUMONIA/person1_bacteria_2.jpeg",
    "test/NORMAL/NORMAL2-IM-0115-0001.jpeg",
    "test/PNEUMONIA/person1_virus_6.jpeg",
)


def listed() -> dict[str, list[tuple[str, int]]]:
    """The names and hashes of the published files, by part."""
    rows = [line.rsplit(" ", 1) for line in gzip.decompress(LIST.read_bytes()).decode().splitlines()]
    return {
        part: [(name, int(number, 16)) for name, number in rows if name.startswith(part)] for part in ("train", "test")
    }


def write(root: Path, name: str, seed: int) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (12, 10)).astype(np.uint8)).save(path, quality=95)
    return path


def fill(root: Path, *more: str) -> Path:
    for seed, name in enumerate((*FILES, *more)):
        write(root, name, seed)
    return root


@pytest.fixture
def xrays(tmp_path: Path) -> Path:
    return fill(tmp_path / "chest_xray")


def load(root: Path | None = None, **options):
    return pn.datasets.chest_xray(root, **{"size": 8, "verbose": 0, **options})


# ---- the published files


def test_the_published_names_give_3654_and_428_patients_none_in_both_and_427_groups():
    assert LIST.stat().st_size < 300_000
    parts = listed()
    found = {part: [patient(name) for name, _ in rows] for part, rows in parts.items()}
    assert {part: len(names) for part, names in found.items()} == {"train": 5216, "test": 624}
    assert "" not in found["train"] + found["test"]
    assert (len(set(found["train"])), len(set(found["test"]))) == (3654, 428)
    assert not set(found["train"]) & set(found["test"])
    same = {part: copies(np.array([number for _, number in rows])[:, None]) for part, rows in parts.items()}
    groups = {part: joined_patients(np.array(found[part]), same[part]) for part in parts}
    assert {part: len(rows) for part, rows in same.items()} == {"train": 24, "test": 6}
    assert {part: len(set(names.tolist())) for part, names in groups.items()} == {"train": 3654, "test": 427}
    twin = {name: group for name, group in zip(found["test"], groups["test"].tolist(), strict=True) if name != group}
    assert twin == {"NORMAL2-IM-0096": "NORMAL2-IM-0095"}
    assert not {number for _, number in parts["train"]} & {number for _, number in parts["test"]}


def test_the_files_are_the_published_ones_where_they_are_present():
    for rows in listed().values() if DATA.is_dir() else []:
        for name, number in rows:
            data = (DATA / name).read_bytes()
            assert int(hashlib.md5(data).hexdigest()[:8], 16) == number, name


def test_the_files_give_the_same_patients_and_groups_where_they_are_present(capsys, tmp_path, monkeypatch):
    if not DATA.is_dir():
        return
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    data = pn.datasets.chest_xray()
    assert capsys.readouterr().out == (
        "chest_xray: 5,216 train, 624 test · patients: 3,654 and 428, none in both · "
        "3,654 and 427 groups, by identical images\n"
    )
    assert data.train.counts() == {"NORMAL": 1341, "PNEUMONIA": 3875}
    assert data.test.counts() == {"NORMAL": 234, "PNEUMONIA": 390}
    assert data.test.x.shape == (624, 144, 144, 1)
    assert (len(set(patients(data.test))), len(set(data.test.groups))) == (428, 427)


# ---- patients and groups


def test_groups_are_patients_with_their_prefix(xrays):
    data = load(xrays)
    assert data.train.groups.tolist() == ["IM-0115", "IM-0117", "person1_bacteria", "person1_bacteria"]
    assert data.test.groups.tolist() == ["NORMAL2-IM-0115", "person1_virus"]
    assert data.train.y.tolist() == [0, 0, 1, 1]
    assert (data.name, data.test.name, data.validation, data.train.classes) == (
        "chest_xray",
        "chest_xray",
        None,
        ("NORMAL", "PNEUMONIA"),
    )
    assert data.train.x.shape == (4, 8, 8, 1)


def test_patients_with_identical_images_are_one_group_and_both_numbers_are_printed(xrays, capsys):
    write(xrays, "train/NORMAL/IM-0120-0001.jpeg", 1)
    data = load(xrays, verbose=1)
    assert data.train.groups.tolist()[:3] == ["IM-0115", "IM-0117", "IM-0117"]
    assert patients(data.train).tolist()[:3] == ["IM-0115", "IM-0117", "IM-0120"]
    line = "chest_xray: 5 train, 2 test · patients: 4 and 2, none in both · 3 and 2 groups, by identical images"
    assert capsys.readouterr().out == line + "\n"
    assert in_words(data.train, data.test) == line


def test_the_folder_val_is_read_as_training_images_and_printed(xrays, capsys):
    fill(xrays, "val/NORMAL/NORMAL2-IM-1427-0001.jpeg", "val/PNEUMONIA/person1946_bacteria_4874.jpeg")
    data = load(xrays, verbose=1)
    assert capsys.readouterr().out.startswith("chest_xray: 6 train (with 2 from val), 2 test · patients: 5 and 2, none")
    assert data.validation is None
    assert data.train.y.tolist() == [0, 0, 0, 1, 1, 1]
    assert data.train.files[2].endswith("NORMAL2-IM-1427-0001.jpeg")


def test_names_without_a_patient_are_groups_of_their_own_and_reported_once(xrays, recwarn):
    fill(xrays, "train/NORMAL/scan.jpeg", "train/PNEUMONIA/scan.jpeg", "test/NORMAL/b.jpeg")
    data = load(xrays)
    assert len(set(data.train.groups.tolist())) == 5
    [warning] = recwarn
    assert re.match(r"chest_xray: 3 file names do not start with a patient .*such as '", str(warning.message))
    assert "each such image counts as a patient of its own" in str(warning.message)
    assert warning.filename == __file__


def test_an_image_in_both_parts_is_reported_with_both_names(xrays, recwarn):
    write(xrays, "test/NORMAL/IM-0200-0001.jpeg", 0)
    load(xrays)
    [warning] = recwarn
    assert str(warning.message) == (
        "chest_xray: 1 image of test is also in train, such as 'train/NORMAL/IM-0115-0001.jpeg' and "
        "'test/NORMAL/IM-0200-0001.jpeg': results on test are too good; remove one of each pair"
    )


def test_a_patient_in_both_parts_is_reported(xrays):
    write(xrays, "test/NORMAL/IM-0115-0002.jpeg", 50)
    with pytest.warns(UserWarning, match="1 patient is in both train and test, such as 'IM-0115'"):
        assert "· patients: 3 and 3, 1 in both ·" in in_words(
            *[getattr(load(xrays), part) for part in ("train", "test")]
        )


def test_a_split_of_the_training_part_keeps_patients_together(tmp_path):
    names = [f"train/NORMAL/IM-{who:04}-000{image}.jpeg" for who in range(500, 520) for image in (1, 2)]
    names += [f"train/PNEUMONIA/person{who}_virus_{image}.jpeg" for who in range(500, 520) for image in (1, 2)]
    data = load(fill(tmp_path, *names))
    rest, held = data.train.split(0.25, verbose=0)
    assert not set(rest.groups.tolist()) & set(held.groups.tolist())


# ---- where it is looked for


@pytest.mark.parametrize("below", ["", "chest_xray", "chest_xray/chest_xray"])
def test_it_is_found_by_the_path_and_by_the_variable(tmp_path, monkeypatch, below):
    fill(tmp_path / "data" / below)
    monkeypatch.setenv("PYNEURAL_DATA", str(tmp_path / "data"))
    for data in (load(), load(tmp_path / "data")):
        assert (len(data.train), len(data.test)) == (4, 2)


def test_it_is_found_in_the_cache_or_the_message_says_where_to_get_it(tmp_path, monkeypatch):
    monkeypatch.delenv("PYNEURAL_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(
        FileNotFoundError,
        match=r"^chest_xray: no path was given, PYNEURAL_DATA is not set, and there is no folder train \(tried .*"
        r"download it from https://www.kaggle.com/.*pn.datasets.chest_xray\(path\)",
    ):
        load()
    fill(cache_folder("chest_xray"))
    assert len(load().train) == 4


def test_a_path_without_the_data_is_reported(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match=r"^chest_xray: path is .*, but there is no folder train \(tried "):
        load(tmp_path)
    monkeypatch.setenv("PYNEURAL_DATA", "sample")
    with pytest.raises(FileNotFoundError, match=r"^chest_xray: PYNEURAL_DATA is sample, but there is no folder train"):
        load()
    with pytest.raises(TypeError, match=r"^chest_xray: path is 5"):
        load(5)


# ---- wrong layouts and files


def test_classes_may_be_spelt_in_another_case(xrays):
    (xrays / "train" / "NORMAL").rename(xrays / "train" / "Normal")
    (xrays / "test" / "PNEUMONIA").rename(xrays / "test" / "pneumonia")
    data = load(xrays)
    assert data.train.classes == data.test.classes == ("NORMAL", "PNEUMONIA")
    assert (data.train.y.tolist(), data.test.y.tolist()) == ([0, 0, 1, 1], [0, 1])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda root: (root / "train/NORMAL").rename(root / "train/HEALTHY"), "has the class folders HEALTHY, PNEUMON"),
        (lambda root: write(root, "train/normal/IM-0300-0001.jpeg", 9), "folders NORMAL, PNEUMONIA, normal: it needs"),
        (lambda root: write(root, "test/COVID/IM-0300-0001.jpeg", 9), "test' has the class folders COVID, NORMAL, PN"),
        (lambda root: (root / "test/NORMAL").rename(root / "gone"), r"has the class folders PNEUMONIA: .*once each"),
    ],
    ids=["another name", "twice", "a third", "missing in test"],
)
@pytest.mark.filterwarnings("ignore:folder. 'gone' beside")
def test_other_classes_are_refused(xrays, change, words):
    change(xrays)
    with pytest.raises(ValueError, match=rf"^chest_xray: '.*{words}"):
        load(xrays)


def test_a_folder_without_test_is_refused(xrays):
    (xrays / "test").rename(xrays / ".hidden")
    with pytest.raises(
        FileNotFoundError, match=r"^chest_xray: '.*' has no folder test with images: it needs train and"
    ):
        load(xrays)


def test_the_archive_as_kaggle_has_it_is_read_without_a_warning(tmp_path):
    root = tmp_path / "chest_xray"
    for copy in ("", "chest_xray/", "__MACOSX/chest_xray/"):
        fill(root / copy)
    assert (len(load(tmp_path).train), len(load(root).train)) == (4, 4)
    write(root, "more/NORMAL/IM-0400-0001.jpeg", 50)
    with pytest.warns(UserWarning, match=r"folder: 'more' beside 'train' in .* is not read"):
        load(tmp_path)


def test_parts_of_a_swapped_size_are_reported(xrays):
    (xrays / "test").rename(xrays / "old")
    (xrays / "train").rename(xrays / "test")
    (xrays / "old").rename(xrays / "train")
    with pytest.warns(UserWarning, match=r"has more images in test, 4, than in train, 2: rename the folders if they"):
        load(xrays)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("archive.zip", "a file: unpack it, and give the folder that has train and test, each with the folders NORMAL"),
        ("pneumoniamnist.npz", r"a file: pn.datasets.pneumonia_mnist\(path\) reads PneumoniaMNIST"),
        ("x.jpeg", "a file: give the folder that has train and test"),
    ],
)
def test_a_file_in_place_of_the_folder_is_refused(tmp_path, name, words):
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(NotADirectoryError, match=f"^chest_xray: path is .*{name}, {words}"):
        load(tmp_path / name)


def test_the_path_of_one_part_is_refused(xrays):
    with pytest.raises(FileNotFoundError, match=r"^chest_xray: path is .*train, which has classes but no train and te"):
        load(xrays / "train")


@pytest.mark.parametrize("denied", ["", "train", "train/NORMAL"])
@pytest.mark.parametrize("call", ["chest_xray", "folder"])
def test_a_folder_that_may_not_be_read_is_reported(xrays, monkeypatch, denied, call):
    real = Path.iterdir

    def iterdir(path):
        if path.resolve() == (xrays / denied).resolve():  # root may read every folder
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    with pytest.raises(PermissionError, match=rf"{call}: Permission denied; make the folder readable: .*{denied}"):
        getattr(pn.datasets, call)(xrays, size=8)


def test_damaged_images_are_refused_or_left_out(xrays):
    (xrays / "train/NORMAL/IM-0116-0001.jpeg").write_bytes(b"")
    with pytest.raises(ValueError, match=r"1 of 7 images cannot be read: 'train/NORMAL/IM-0116.*skip_bad=True"):
        load(xrays)
    with pytest.warns(UserWarning, match="they are left out"):
        assert len(load(xrays, skip_bad=True).train) == 4
    for file in (xrays / "test").rglob("*.jpeg"):
        file.write_bytes(b"")
    with (
        pytest.raises(ValueError, match=r"^chest_xray: no image for test in '.*' can be read: fetch them again"),
        pytest.warns(UserWarning, match="they are left out"),
    ):
        load(xrays, skip_bad=True)


def test_other_kinds_of_images_become_grey(xrays):
    colours = np.random.default_rng(7).integers(0, 256, (12, 10, 3)).astype(np.uint8)
    Image.fromarray(colours).convert("CMYK").save(xrays / "train/NORMAL/IM-0300-0001.jpeg")
    Image.fromarray(colours).quantize(16).save(xrays / "train/NORMAL/IM-0301-0001.png")
    Image.fromarray(colours).convert("RGBA").save(xrays / "train/NORMAL/IM-0302-0001.jpeg", format="PNG")
    Image.fromarray(np.arange(120, dtype=np.uint16).reshape(12, 10) * 500).save(xrays / "train/NORMAL/IM-0303-0001.png")
    assert load(xrays).train.x.shape == (8, 8, 8, 1)


def test_wrong_options_are_refused(xrays):
    with pytest.raises(ValueError, match="size is 0"):
        load(xrays, size=0)
    with pytest.raises(ValueError, match=r"^chest_xray: verbose is 7"):
        load(xrays, verbose=7)
    with pytest.raises(TypeError, match="use size"):
        load(xrays, image_size=64)
    for call in (pn.datasets.chest_xray, pn.datasets.folder):
        with pytest.raises(TypeError, match=r"skip_bad is 'no': give True or False"):
            call(xrays, size=8, skip_bad="no")
