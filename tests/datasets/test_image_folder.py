"""Folders of images: what is read from them, in what order, as what; and what is said of those that are not right."""

import os
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pyneural as pn

SIZE = (6, 5)  # height, width


def grey(seed: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, size).astype(np.uint8)


def coloured(seed: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (*size, 3)).astype(np.uint8)


def write(path: Path, pixels: np.ndarray, mode: str | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(pixels)
    (image if mode is None else image.convert(mode)).save(path)
    return path


@pytest.fixture
def animals(tmp_path: Path) -> Path:
    """Two classes, three grey images, written in another order than that of their names."""
    for name, seed in (("dog/b.png", 2), ("dog/a.bmp", 1), ("cat/c.PNG", 0)):
        write(tmp_path / "animals" / name, grey(seed))
    return tmp_path / "animals"


# ---- what is read


def test_folders_are_classes_and_names_are_the_order(animals):
    data = pn.datasets.folder(animals)
    assert data.train.x.dtype == np.uint8
    assert data.train.classes == ("cat", "dog")
    assert data.train.y.dtype == np.int64
    assert data.train.y.tolist() == [0, 1, 1]
    assert np.array_equal(data.train.x[..., 0], np.stack([grey(0), grey(1), grey(2)]))
    assert data.train.groups is None
    assert (data.train.name, data.name) == ("animals", "animals")
    assert data.test is None
    assert data.validation is None


@pytest.mark.parametrize("names", [("train", "val", "test"), ("Train", "VALIDATION", "Testing")])
def test_parts_have_folders_of_their_own(tmp_path, names):
    for seed, part in enumerate(names):
        for name in ("b", "a"):
            for number in range(seed + 1):
                write(tmp_path / part / name / f"{number}.png", grey(10 * seed + number))
    write(tmp_path / "train_copy" / "a" / "0.png", grey(0))
    (tmp_path / "notes").mkdir()  # has no images, so it is not mentioned
    with pytest.warns(UserWarning, match=f"^folder: 'train_copy' beside '{names[0]}' in .* is not read: the parts are"):
        data = pn.datasets.folder(tmp_path)
    for seed, part in enumerate((data.train, data.validation, data.test)):
        assert part.y.tolist() == [0] * (seed + 1) + [1] * (seed + 1)
        assert np.array_equal(part.x[0, :, :, 0], grey(10 * seed))
        assert part.classes == ("a", "b")


def test_a_part_may_lack_a_class_but_not_have_one_more(tmp_path):
    for name in ("train/a/1.png", "train/b/1.png", "test/b/1.png"):
        write(tmp_path / name, grey(0))
    assert pn.datasets.folder(tmp_path).test.y.tolist() == [1]
    write(tmp_path / "test/c/1.png", grey(0))
    with pytest.raises(ValueError, match="has the class 'c' for test but not for training"):
        pn.datasets.folder(tmp_path)


def test_what_is_hidden_or_no_image_is_passed_over(animals):
    for name in (
        ".DS_Store",
        "cat/.hidden.png",
        "cat/Thumbs.db",
        "cat/desktop.ini",
        "notes.txt",
        "__MACOSX/._x.png",
        ".git/x.png",
        "@eaDir/x.png",
    ):
        path = animals / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"no image")
    assert len(pn.datasets.folder(animals).train) == 3


def test_one_image_with_a_colour_makes_all_coloured(animals):
    write(animals / "dog" / "aa.png", coloured(7))
    x = pn.datasets.folder(animals).train.x
    assert x.shape == (4, *SIZE, 3)
    assert np.array_equal(x[2], coloured(7))
    for row, seed in ((0, 0), (1, 1), (3, 2)):
        assert np.array_equal(x[row], np.repeat(grey(seed)[..., None], 3, axis=2))


def test_grey_stored_as_colour_is_grey(animals):
    write(animals / "dog" / "d.jpg", grey(3), "RGB")
    assert pn.datasets.folder(animals).train.x.shape == (4, *SIZE, 1)


def test_channels_decide_on_colour(animals):
    write(animals / "dog" / "d.png", coloured(7))
    one, three = (pn.datasets.folder(animals, channels=channels).train.x for channels in (1, 3))
    assert one.shape == (4, *SIZE, 1)
    assert three.shape == (4, *SIZE, 3)
    assert np.array_equal(one[3, :, :, 0], np.asarray(Image.fromarray(coloured(7)).convert("L")))


@pytest.mark.parametrize(("size", "shape"), [(4, (4, 4)), ((3, 8), (3, 8)), (SIZE, SIZE)])
def test_size_makes_all_alike(animals, size, shape):
    write(animals / "dog" / "d.png", np.full((40, 60), 77, np.uint8))
    write(animals / "dog" / "e.jpg", np.full((90, 50), 99, np.uint8))
    x = pn.datasets.folder(animals, size=size).train.x
    assert x.shape == (5, *shape, 1)
    assert np.all(x[3] == 77)
    assert np.all(np.abs(x[4].astype(int) - 99) <= 1), "JPEG may be off by one"


def test_a_large_jpeg_is_scaled_with_averaging(animals):
    fine = np.zeros((512, 512), np.uint8)
    fine[:, ::2] = 255  # stripes of one pixel: picking pixels would give 0 or 255
    write(animals / "dog" / "d.jpg", fine)
    assert np.all(np.abs(pn.datasets.folder(animals, size=16).train.x[3].astype(int) - 127) <= 3)


@pytest.mark.parametrize(
    ("pixels", "expected"),
    [
        (Image.fromarray(np.full(SIZE, 32896, np.uint16)), 128),
        (Image.fromarray(np.ones(SIZE, bool)), 255),
        (Image.new("RGBA", SIZE[::-1], (0, 0, 0, 0)), 255),
        (Image.new("LA", SIZE[::-1], (0, 128)), 127),
        (Image.new("P", SIZE[::-1], 0), 0),
    ],
    ids=["16 bits", "1 bit", "transparent", "half transparent", "palette"],
)
def test_every_kind_of_pixel_becomes_8_bits(animals, pixels, expected):
    pixels.save(animals / "dog" / "d.png")
    assert np.all(pn.datasets.folder(animals).train.x[3] == expected)


def test_cameras_say_what_is_up(animals):
    side = Image.fromarray(grey(5, SIZE[::-1]))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    side.save(animals / "dog" / "d.png", exif=exif)
    assert np.array_equal(pn.datasets.folder(animals).train.x[3, :, :, 0], np.rot90(grey(5, SIZE[::-1]), -1))


def test_groups_come_from_names_or_a_function(tmp_path):
    for name in ("sick/person1_bacteria_1.png", "sick/person1_virus_2.png", "well/IM-0115-0001.png"):
        write(tmp_path / name, grey(0))
    pattern = r"^(person\d+_[a-z]+|IM-\d+)"
    for groups in (pattern, re.compile(pattern), r"^person\d+_[a-z]+|^IM-\d+"):
        found = pn.datasets.folder(tmp_path, groups=groups).train.groups
        assert found.tolist() == ["person1_bacteria", "person1_virus", "IM-0115"]
    assert pn.datasets.folder(tmp_path, groups=lambda file: file.parent.name).train.groups.tolist() == [
        "sick",
        "sick",
        "well",
    ]
    with pytest.raises(ValueError, match=r"does not match the file name 'IM-0115-0001.png'"):
        pn.datasets.folder(tmp_path, groups=r"person\d+")


def test_a_folder_trains_and_names_its_classes(tmp_path, capsys):
    for number in range(8):
        write(tmp_path / "dark" / f"{number}.png", grey(number) // 4)
        write(tmp_path / "light" / f"{number}.png", 255 - grey(number) // 4)
    data = pn.datasets.folder(tmp_path)
    model = pn.Sequential(pn.Flatten(), pn.Dense(2))
    pn.fit(model, data, epochs=5, batch_size=4, learning_rate=0.1, validation=None)
    assert pn.classify(model, data.train.x[15]).label == "light"
    assert tmp_path.name in capsys.readouterr().out


def layout(root: Path, *names: str) -> Path:
    for seed, name in enumerate(names):
        write(root / name, grey(seed))
    return root


@pytest.mark.parametrize("names", [("train", "test", "car"), ("valid", "car"), ("Train", "Validation", "plane")])
def test_classes_may_be_called_as_parts_are(tmp_path, names):
    data = pn.datasets.folder(layout(tmp_path, *(f"{name}/{number}.png" for name in names for number in range(2))))
    assert data.train.classes == tuple(sorted(names))
    assert len(data.train) == 2 * len(names)
    assert data.test is None


def test_folders_that_are_all_called_as_parts_are_classes_with_a_warning(tmp_path):
    layout(tmp_path, "train/1.png", "test/1.png", "valid/1.png")
    with pytest.warns(UserWarning, match="folder: 'test', 'train', 'valid' in .* are taken as classes") as found:
        data = pn.datasets.folder(tmp_path)
    assert found[0].filename == __file__
    assert data.train.classes == ("test", "train", "valid")


def test_a_part_may_hold_classes_called_as_parts_are(tmp_path):
    data = pn.datasets.folder(
        layout(tmp_path, *(f"{part}/{name}/1.png" for part in ("train", "test") for name in "ab"))
    )
    assert len(data.test) == 2
    other = layout(tmp_path / "other", *(f"train/{name}/{i}.png" for name in ("test", "train") for i in range(2)))
    with pytest.warns(UserWarning, match="are taken as classes"):
        assert pn.datasets.folder(other / "train").train.classes == ("test", "train")
    assert pn.datasets.folder(other).train.classes == ("test", "train")


def test_images_below_a_class_belong_to_it(tmp_path):
    names = ("cat/1.png", "cat/home/2.png", "cat/home/old/3.png", "cat/zoo/4.png", "dog/garden/5.png")
    data = pn.datasets.folder(layout(tmp_path, *names, "cat/.hidden/6.png", "dog/__MACOSX/garden/._7.png"))
    assert data.train.y.tolist() == [0, 0, 0, 0, 1]
    assert np.array_equal(data.train.x[..., 0], np.stack([grey(seed) for seed in range(5)]))
    (tmp_path / "cat" / "again").symlink_to(tmp_path / "cat", target_is_directory=True)
    assert len(pn.datasets.folder(tmp_path).train) == 5


@pytest.mark.parametrize("part", ["", "train/"])
def test_an_image_beside_the_folders_of_classes_is_left_out_with_a_warning(tmp_path, part):
    layout(tmp_path, f"{part}cat/1.png", f"{part}dog/2.png", f"{part}cover.png")
    with pytest.warns(
        UserWarning, match="folder: 1 of the images in .* are outside of .* such as 'cover.png', and are skipped"
    ):
        data = pn.datasets.folder(tmp_path)
    assert len(data.train) == 2


# ---- links, and folders in folders


def link(path: Path, target: Path) -> None:
    path.symlink_to(target, target_is_directory=True)


@pytest.mark.parametrize("part", ["", "train/"])
def test_a_link_does_not_put_one_class_into_another(tmp_path, part):
    root = layout(tmp_path / "data", f"{part}cat/1.png", f"{part}dog/2.png", f"{part}dog/old/3.png")
    place = root / part
    outside = layout(tmp_path / "outside", "4.png")
    plain = pn.datasets.folder(root).train.y.tolist()
    for number, (where, target) in enumerate(
        [("cat", root), ("cat", place), ("cat", tmp_path), ("cat", place / "dog"), ("cat", place / "dog" / "old"),
         ("dog", place / "cat"), ("dog/old", place / "dog"), (".", place), (".", tmp_path)]
    ):  # fmt: skip
        link(place / where / f"link_{number}", target)
        assert pn.datasets.folder(root).train.y.tolist() == plain, f"cat={where} -> {target}"
    link(outside / "back", root)
    link(place / "cat" / "more", outside)
    assert pn.datasets.folder(root).train.counts() == {"cat": 2, "dog": 2}


def test_classes_may_be_links(tmp_path):
    layout(tmp_path / "all", "1.png", "special/2.png", "special/3.png")
    root = tmp_path / "data"
    root.mkdir()
    link(root / "cat", tmp_path / "all")
    link(root / "dog", tmp_path / "all" / "special")
    assert pn.datasets.folder(root).train.counts() == {"cat": 1, "dog": 2}
    link(root / "eel", tmp_path / "all")
    with pytest.raises(ValueError, match=r"'cat' and 'eel' in '.*data' are links to one folder: remove one"):
        pn.datasets.folder(root)


PARTS = [f"{part}/{name}/{number}.png" for part in ("train", "test") for name in ("a", "b") for number in range(2)]


@pytest.mark.parametrize("inner", ["data", "Data", "data/data", "other", "other/data"])
def test_a_folder_in_a_folder_is_opened(tmp_path, inner):
    layout(tmp_path / "data", *(f"{inner}/{name}" for name in PARTS), "__MACOSX/data/._x.png")
    data = pn.datasets.folder(tmp_path / "data")
    assert (len(data.train), len(data.test)) == (4, 4)


def test_classes_in_a_folder_of_the_same_name_are_read(tmp_path):
    layout(tmp_path / "animals", "animals/cat/1.png", "animals/dog/2.png")
    assert pn.datasets.folder(tmp_path / "animals").train.classes == ("cat", "dog")


def test_a_copy_of_the_folder_in_itself_is_named(tmp_path):
    """As the archive of the chest X-rays has it: chest_xray/train beside chest_xray/chest_xray/train."""
    layout(tmp_path / "xray", *PARTS, *(f"xray/{name}" for name in PARTS))
    with pytest.warns(UserWarning, match="folder: 'xray' beside 'train' in .* is not read"):
        assert len(pn.datasets.folder(tmp_path / "xray").train) == 4


# ---- what is not right


def test_damaged_images_are_named(animals):
    whole = (animals / "dog" / "b.png").read_bytes()
    (animals / "dog" / "b.png").write_bytes(whole[: len(whole) // 2])
    (animals / "dog" / "a.bmp").write_bytes(b"no image at all")
    (animals / "dog" / "c.jpg").write_bytes(b"")
    Image.fromarray(np.zeros(SIZE, np.float32)).save(animals / "dog" / "d.tif")
    (animals / "dog" / "e.png").write_bytes(whole[:40])
    (animals / "dog" / "f.jpg").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(ValueError, match="folder: 6 of 7 images cannot be read: ") as caught:
        pn.datasets.folder(animals)
    assert f"'{Path('dog') / 'a.bmp'}' (not an image), '{Path('dog') / 'b.png'}' (" in str(caught.value)
    assert "and 1 more: fetch them again" in str(caught.value)


def test_images_of_two_sizes_ask_for_one(animals):
    write(animals / "dog" / "c.png", grey(0, (9, 7)))
    with pytest.raises(
        ValueError, match=r"c.PNG' is 5 x 6 pixels, 'dog.c.png' is 7 x 9: resize all of them: .* size=5"
    ):
        pn.datasets.folder(animals)


@pytest.mark.parametrize(
    ("files", "error", "words"),
    [
        ([], FileNotFoundError, "has no images in class folders, such as cat/1.png; it reads .png"),
        (["a.txt"], FileNotFoundError, "has no images in class folders"),
        (["a/b.txt", "c/d.png"], ValueError, "a' has no images: add some, or remove it"),
        (["1.png", "2.png"], ValueError, "has images outside of class folders, such as '1.png': put each"),
        (["a/1.png"], ValueError, "has one class, 'a': give at least two classes"),
        (["test/a/1.png"], ValueError, "has test but no train: put the training images there"),
        (["val/a/1.png", "test/a/1.png"], ValueError, "has test and validation but no train"),
        (["train/a/1.png", "val/a/1.png", "valid/a/1.png"], ValueError, "has both 'val' and 'valid': keep one"),
        (["inner/a/1.png", "inner/b/1.png"], FileNotFoundError, "inner'?"),
        (["train/1.png"], ValueError, "train' has images outside"),
        (["train/a/1.png", "train/b/1.png", "test/x.txt"], FileNotFoundError, "test' has no images"),
    ],
)
def test_another_layout_raises_a_clear_error(tmp_path, files, error, words):
    for name in files:
        if name.endswith(".png"):
            write(tmp_path / name, grey(0))
        else:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text("words")
    with pytest.raises(error) as caught:
        pn.datasets.folder(tmp_path)
    assert words in str(caught.value)
    assert str(caught.value).startswith("folder: ")


def test_a_folder_that_is_none_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no' is not there: give a folder"):
        pn.datasets.folder(tmp_path / "no")
    (tmp_path / "file").write_text("")
    with pytest.raises(FileNotFoundError, match="file' is a file: give a folder"):
        pn.datasets.folder(tmp_path / "file")


@pytest.mark.parametrize("options", [{"size": 0}, {"size": (3,)}, {"size": "28"}, {"size": True}, {"channels": 2}])
def test_invalid_arguments_raise_an_error_before_anything_is_read(animals, options):
    with pytest.raises(ValueError, match=f"folder: {next(iter(options))} is "):
        pn.datasets.folder(animals, **options)


def test_a_trained_model_brings_a_folders_images_to_its_size(tmp_path):
    for name, light in (("cat", 30), ("dog", 220)):
        (tmp_path / name).mkdir()
        for number in range(8):
            Image.new("RGB", (20 + number, 30), (light, light, 90)).save(tmp_path / name / f"{number}.png")
    model = pn.Sequential(pn.Flatten(), pn.Dense(2))
    with pytest.raises(ValueError, match=r"resize all of them: pn\.datasets\.folder\(path, size=20\)"):
        pn.fit(model, tmp_path, verbose=0)
    data = pn.datasets.folder(tmp_path, size=(12, 8))
    pn.fit(model, data, epochs=30, verbose=0)
    found = pn.evaluate(model, tmp_path, verbose=0)
    assert np.array_equal(found.outputs, pn.predict(model, data.train))
    assert found.accuracy == 1
    pn.fit(model, tmp_path, epochs=1, verbose=0)


@pytest.mark.parametrize(
    ("groups", "error", "words"),
    [
        ("((", ValueError, "folder: groups is '((', which is not a regular expression: missing )"),
        ([1, 2], TypeError, "folder: groups is list: give a regular expression or a function of the path"),
        (lambda path: None, ValueError, "folder: groups returned None for '"),
    ],
)
def test_groups_that_name_no_group_are_refused(animals, groups, error, words):
    """A function without a return put every image into a group called None."""
    with pytest.raises(error, match=re.escape(words)):
        pn.datasets.folder(animals, groups=groups)


def test_a_size_beyond_all_memory_is_refused_before_anything_is_read(animals):
    with pytest.raises(ValueError, match=r"^folder: size is 1000000: give at most 67,108,864 pixels"):
        pn.datasets.folder(animals, size=1_000_000)


def test_names_that_are_not_utf_8_are_trained_on_saved_and_reported(tmp_path):
    """As archives of other systems have them."""
    for number in range(24):
        place = tmp_path / os.fsdecode(b"cat\xff" if number % 2 else b"dog")
        place.mkdir(exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 256, (4, 4), dtype=np.uint8)
        Image.fromarray(pixels).save(place / os.fsdecode(b"%d\xfe.png" % number))
    data = pn.datasets.folder(tmp_path)
    model = pn.Sequential(pn.Flatten(), pn.Dense(2))
    pn.fit(model, data, epochs=1, verbose=0, checkpoint=tmp_path / "run.ckpt")
    again = pn.load(pn.save(model, tmp_path / "model.safetensors"))
    assert again.classes == data.train.classes == (os.fsdecode(b"cat\xff"), "dog")
    pn.evaluate(again, data.train, verbose=0).to_csv(tmp_path / "answers.csv")
    lines = (tmp_path / "answers.csv").read_bytes().splitlines()
    assert lines[1].startswith(os.fsencode(data.train.files[0]) + b",cat\xff,")
