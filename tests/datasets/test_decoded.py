"""Decoded images in the cache: the same pixels at the second start, and never those of other files."""

import io
import json
import os
import shutil
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import child
import numpy as np
import pytest
from PIL import Image

import pyneural as pn
from pyneural.batching import moments
from pyneural.datasets import decoded, image_folder, mapped

SIZE = (128, 96)  # height, width: 90 of them are more than a cached megabyte


def grey(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, SIZE).astype(np.uint8)


def write(path: Path, pixels: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    decoded._say_once.cache_clear()
    return tmp_path / "cache" / "pyneural" / "images"


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """90 images in two classes and two parts."""
    for number in range(90):
        part, name = "train" if number < 70 else "test", "ab"[number % 2]
        write(tmp_path / "scans" / part / name / f"{number:02}.png", grey(number))
    return tmp_path / "scans"


@pytest.fixture
def decodings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of files of each decoding."""
    found: list[int] = []
    whole = image_folder.decoded
    monkeypatch.setattr(
        image_folder, "decoded", lambda files, *rest: (found.append(len(files)), whole(files, *rest))[1]
    )
    return found


def same(one: pn.Splits, other: pn.Splits) -> bool:
    return all(
        np.array_equal(getattr(a, name), getattr(b, name))
        for a, b in ((one.train, other.train), (one.test, other.test))
        for name in ("x", "y", "files")
    )


def test_the_second_start_decodes_nothing_and_gives_the_same(cache, scans, decodings):
    first, second = pn.datasets.folder(scans), pn.datasets.folder(scans)
    assert decodings == [90]
    assert same(first, second)
    assert mapped.is_mapped(first.train.x)
    assert mapped.is_mapped(second.test.x)
    assert not second.train.x.flags.writeable
    for file, image in zip(second.test.files, second.test.x, strict=True):
        assert np.array_equal(image[..., 0], np.asarray(Image.open(file)))
    assert len(list(cache.iterdir())) == 1


def test_few_pixels_are_not_cached(cache, scans):
    assert not mapped.is_mapped(pn.datasets.folder(scans, size=16).train.x)
    assert not cache.exists()


def touch(file: Path) -> None:
    state = file.stat()
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns + 1))


CHANGES = {
    "changed": lambda root: write(root / "train" / "a" / "00.png", grey(1000)),
    "touched": lambda root: touch(root / "train" / "a" / "00.png"),
    "added": lambda root: write(root / "test" / "b" / "new.png", grey(1001)),
    "removed": lambda root: (root / "train" / "b" / "01.png").unlink(),
    "renamed": lambda root: (root / "train" / "b" / "01.png").rename(root / "train" / "b" / "zz.png"),
    "moved": lambda root: (root / "train" / "b" / "01.png").rename(root / "train" / "a" / "01.png"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_the_folder_is_noticed(cache, scans, decodings, change):
    pn.datasets.folder(scans)
    CHANGES[change](scans)
    data = pn.datasets.folder(scans)
    assert len(decodings) == 2
    for part in (data.train, data.test):
        for file, image in zip(part.files, part.x, strict=True):
            assert np.array_equal(image[..., 0], np.asarray(Image.open(file)))
    assert len(list(cache.iterdir())) == 1, "the old pixels are gone"


@pytest.mark.parametrize("how", ["in place", "moved over it", "two names swapped"])
def test_other_files_of_the_same_size_and_time_are_noticed(cache, tmp_path, how):
    """As archives have them that were made reproducibly, of images that are not compressed."""
    files = [write(tmp_path / "scans" / "ab"[n % 2] / f"{n:03}.bmp", grey(n)) for n in range(90)]
    for file in files:
        os.utime(file, (0, 0))
    before = pn.datasets.folder(tmp_path / "scans").train
    first, second = before.files[:2]
    pixels = [before.x[1], before.x[0]] if how == "two names swapped" else [255 - before.x[0], before.x[1]]
    new = write(tmp_path / "new.bmp", pixels[0][:, :, 0])
    os.utime(new, (0, 0))
    if how == "in place":
        Path(first).write_bytes(new.read_bytes())
        os.utime(first, (0, 0))
    elif how == "moved over it":
        new.rename(first)
    else:
        Path(first).rename(new)
        Path(second).rename(first)
        new.rename(second)
    after = pn.datasets.folder(tmp_path / "scans").train
    assert np.array_equal(after.x[:2], pixels)
    assert np.array_equal(after.x[2:], before.x[2:])


def test_files_that_another_process_deletes_meanwhile_are_no_error(cache, scans, monkeypatch):
    whole = Path.glob

    def glob(folder, pattern):
        gone = [folder / pattern.replace("*", "gone")] if folder == cache else []
        return iter([*gone, *whole(folder, pattern)])

    monkeypatch.setattr(Path, "glob", glob)
    assert mapped.is_mapped(pn.datasets.folder(scans).train.x)


def test_options_have_pixels_of_their_own(cache, scans, decodings):
    pn.datasets.folder(scans)
    assert pn.datasets.folder(scans, size=110).train.x.shape[1:] == (110, 110, 1)
    assert pn.datasets.folder(scans, channels=3).train.x.shape[3] == 3
    pn.datasets.folder(scans)
    assert decodings == [90, 90, 90]


DAMAGE = {
    "empty": lambda data: b"",
    "half": lambda data: data[: len(data) // 2],
    "longer": lambda data: data + b"x",
    "a byte": lambda data: data[:9000] + bytes([data[9000] ^ 1]) + data[9001:],
    "another": lambda data: b"no pixels at all",
    "facts": lambda data: data[:-60] + b"?" * 40 + data[-20:],
    "length": lambda data: data[:-16] + b"\xff" * 8 + data[-8:],
    "mark": lambda data: data[:-1] + b"?",
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_cache_is_built_again(cache, scans, decodings, damage):
    first = pn.datasets.folder(scans)
    kept = first.train.x.copy()
    (file,) = cache.iterdir()
    data = file.read_bytes()
    file.unlink()  # the mapped one stays as it is
    file.write_bytes(DAMAGE[damage](data))
    second = pn.datasets.folder(scans)
    assert len(decodings) == 2
    assert np.array_equal(second.train.x, kept)
    assert file.read_bytes() == data


def test_400_mutated_files_give_the_same_images_or_none(cache, scans):
    kept = pn.datasets.folder(scans).train.x.copy()
    (file,) = cache.iterdir()
    whole, generator = file.read_bytes(), np.random.default_rng(0)
    for seed in range(400):
        changed = bytearray(whole)
        for place in generator.integers(1, 400 if seed % 2 else len(whole), generator.integers(1, 4)):
            changed[-place] = generator.integers(256)
        if seed % 8 == 0:
            changed = changed[: -int(generator.integers(1, 400))]
        file.unlink()
        file.write_bytes(changed)
        found = decoded.find(file)
        assert found is None or (changed == whole and np.array_equal(found.x[20:], kept)), f"seed {seed}"


def test_a_colour_image_after_grey_ones_makes_all_coloured(cache, scans, decodings):
    write(scans / "test" / "b" / "zz.png", np.stack([grey(1), grey(2), grey(3)], axis=2))
    data = pn.datasets.folder(scans)
    again = pn.datasets.folder(scans)
    assert same(data, again)
    assert len(decodings) == 1
    assert np.array_equal(data.test.x[-1], np.stack([grey(1), grey(2), grey(3)], axis=2))
    assert np.array_equal(data.train.x[0], np.repeat(grey(0)[..., None], 3, axis=2))
    assert len(list(cache.iterdir())) == 1


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_a_bar_while_images_are_decoded(cache, scans, monkeypatch, capsys):
    monkeypatch.setattr("pyneural.datasets.decoding._PATIENCE", 0)
    pn.datasets.folder(scans)
    assert capsys.readouterr() == ("", "")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    pn.datasets.folder(scans, size=100)
    assert "reading scans" in terminal.getvalue()
    assert "/90" in terminal.getvalue()


# ---- where it cannot be kept


def block(cache: Path) -> None:
    cache.parent.parent.mkdir(parents=True)
    cache.parent.write_text("a file where a folder should be")


def test_without_a_cache_the_images_stay_in_memory_and_one_warning_says_so(cache, scans, decodings):
    block(cache)
    with pytest.warns(UserWarning, match="folder: decoded images cannot be kept in .*: make that folder writable"):
        first = pn.datasets.folder(scans)
    second = pn.datasets.folder(scans)
    assert decodings == [90, 90]
    assert same(first, second)
    assert not mapped.is_mapped(second.train.x)


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("after", [0, 40, 89, 90])
def test_a_disk_that_fills_up_changes_nothing_but_the_place(cache, scans, monkeypatch, after, colour):
    if colour:
        write(scans / "train" / "a" / "50.png", np.stack([grey(50)] * 2 + [grey(0)], axis=2))
    expected = pn.datasets.folder(scans)
    whole, count = decoded._write, iter(range(1000))

    def full(file, data):
        if next(count) >= after:
            raise OSError(28, "No space left on device")
        whole(file, data)

    next(cache.iterdir()).unlink()
    monkeypatch.setattr(decoded, "_write", full)
    with pytest.warns(UserWarning, match="No space left on device"):
        found = pn.datasets.folder(scans)
    assert same(found, expected)
    assert not list(cache.iterdir()), "no unfinished file stays"


def test_old_files_make_room_for_new_ones(cache, tmp_path, monkeypatch):
    roots = [tmp_path / f"root{number}" for number in range(3)]
    for root in roots:
        for number in range(90):
            write(root / "ab"[number % 2] / f"{number}.png", np.full(SIZE, number, np.uint8))
    size = 90 * SIZE[0] * SIZE[1]
    monkeypatch.setattr(decoded, "LIMIT", int(2.5 * size))
    names = []
    for root in (*roots[:2], roots[0], roots[2]):
        pn.datasets.folder(root)
        names.append(set(cache.iterdir()))
        time.sleep(0.02)  # the clock of the files goes on
    assert names[0] < names[1] == names[2]
    assert len(names[3]) == 2
    assert names[0] < names[3], "the first was used again, and stays"
    monkeypatch.setattr(decoded, "LIMIT", size // 2)
    pn.datasets.folder(roots[1])
    assert len(list(cache.iterdir())) == 1, "one larger than the limit stays alone"


def test_a_full_disk_is_not_filled_further(cache, scans, monkeypatch):
    pn.datasets.folder(scans)
    touch(scans / "train" / "a" / "00.png")
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=1 << 20))
    with pytest.warns(UserWarning, match=r"0\.0 GiB are free, 1\.0 are needed"):
        pn.datasets.folder(scans)
    assert len(list(cache.iterdir())) == 1, "what would not help is not deleted"


def test_the_remains_of_killed_processes_are_deleted(cache, scans):
    cache.mkdir(parents=True)
    old, new = cache / ".old.part", cache / ".new.part"
    for file in (old, new):
        file.write_bytes(b"half")
    os.utime(old, (0, 0))
    pn.datasets.folder(scans)
    assert not old.exists()
    assert new.exists()


def test_an_error_leaves_no_file(cache, scans):
    write(scans / "train" / "b" / "zz.png", grey(0)[:50])
    with pytest.raises(ValueError, match="resize all of them"):
        pn.datasets.folder(scans)
    assert not list(cache.iterdir())


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_a_mapped_array_of_the_user_is_trained_on_in_place(tmp_path, dtype):
    x = np.memmap(tmp_path / "x", dtype, "w+", shape=(60, 5, 4, 1))
    x[:] = np.random.default_rng(0).integers(0, 9, x.shape)
    data = pn.Dataset(x, np.arange(60) % 2)
    assert mapped.is_mapped(data.x)
    assert mapped.is_mapped(data[10:].x)
    assert np.shares_memory(data.x, x)
    histories = [
        pn.fit(pn.Sequential(pn.Flatten(), pn.Dense(2)), (given, data.y), epochs=1, preprocess="dataset", verbose=0)
        for given in (data.x, np.array(x))
    ]
    assert histories[0].fingerprint == histories[1].fingerprint


def test_moments_of_pixels_have_the_same_bits_in_pieces(monkeypatch):
    x = np.random.default_rng(0).integers(0, 256, (500, 9, 7, 3)).astype(np.uint8)
    rows = np.random.default_rng(1).permutation(500)[:333]
    whole = moments.moments(x[rows])
    for piece in (1, 1000, 30_000):
        monkeypatch.setattr(moments, "_PIECE", piece)
        for one, other in zip(moments.moments_of(x, rows), whole, strict=True):
            assert list(one) == list(other)


# ---- bad images


def test_bad_images_are_left_out_when_asked(cache, scans, decodings):
    for name in ("train/a/00.png", "train/b/69.png", "test/a/70.png"):
        (scans / name).write_bytes(b"no image")
    for number in range(6):
        (scans / "test" / "b" / f"bad{number}.png").write_bytes(b"")
    words = "folder: 9 of 96 images cannot be read: 'test/a/70.png' .not an image., 'test/b/bad0.png' .it is empty., .*"
    for _ in range(2):
        with pytest.raises(ValueError, match=f"{words} and 4 more: fetch them again, remove them, or .*skip_bad=True"):
            pn.datasets.folder(scans)
    for _ in range(2):
        with pytest.warns(UserWarning, match=f"{words} and 4 more: they are left out"):
            data = pn.datasets.folder(scans, skip_bad=True, groups="^.")
    assert (len(data.train), len(data.test)) == (68, 19)
    for part in (data.train, data.test):
        for file, image, label, group in zip(part.files, part.x, part.y, part.groups, strict=True):
            assert np.array_equal(image[..., 0], np.asarray(Image.open(file)))
            assert Path(file).parent.name == "ab"[label]
            assert group == Path(file).name[0]
    assert decodings == [96, 96, 96], "found in the cache the last time"
    with pytest.raises(ValueError, match=f"{words} and 4 more: fetch them again"):
        pn.datasets.folder(scans)


def test_a_class_of_bad_images_only_is_an_error(cache, scans):
    for file in (scans / "train" / "b").iterdir():
        file.write_bytes(b"")
    with pytest.raises(ValueError, match=r"no image of 'b' in '.*scans' can be read: fetch them again"):
        pn.datasets.folder(scans, skip_bad=True)
    for file in scans.rglob("*.png"):
        file.write_bytes(b"")
    with pytest.raises(ValueError, match="90 of 90 images cannot be read"):
        pn.datasets.folder(scans, skip_bad=True)


# ---- 12 bits in 16


@pytest.mark.parametrize("count", [4, 90])
def test_12_bits_in_16_are_found_and_scaled(cache, tmp_path, count):
    root = tmp_path / "scans"
    values = np.random.default_rng(0).integers(0, 4096, (count, *SIZE)).astype(np.uint16)
    for number, pixels in enumerate(values):
        write(root / "ab"[number % 2] / f"{number:02}.png", pixels)
    for _ in range(2):
        with pytest.warns(UserWarning, match="no 16-bit image in '.*scans' has a value above 4,095, so they are taken"):
            data = pn.datasets.folder(root).train
        expected = np.rint(values / 4095 * 255).astype(np.uint8)
        assert np.array_equal(data.x[..., 0], np.concatenate([expected[::2], expected[1::2]]))
        assert data.prepare == "12-bit"
    model = pn.Sequential(pn.Flatten(), pn.Dense(2))
    pn.fit(model, data, epochs=1, validation=None, verbose=0)
    found = pn.evaluate(model, root, verbose=0)
    assert np.array_equal(found.outputs, pn.predict(model, data)), "no second guess: the model knows"
    path = pn.save(model, tmp_path / "model.safetensors")
    assert pn.load(path).card.prepare == "12-bit"
    write(root / "a" / "zz.png", np.full(SIZE, 4096, np.uint16))
    assert pn.datasets.folder(root).train.x.max() == 16


# ---- larger than memory


def train_within(folder: str, limit: int) -> None:
    import json
    import resource
    import warnings
    from pathlib import Path

    import numpy as np
    import PIL.PngImagePlugin  # noqa: F401 -- what is loaded later would count
    import pooch  # noqa: F401

    import pyneural as pn

    pn.fit(pn.Sequential(pn.Dense(2)), (np.eye(8, dtype=np.float32), [0, 1] * 4), epochs=1, verbose=0)
    lines = Path("/proc/self/status").read_text().splitlines()
    used = next(int(line.split()[1]) for line in lines if line.startswith("VmData")) * 1024
    resource.setrlimit(resource.RLIMIT_DATA, (used + limit, used + limit))
    warnings.filterwarnings("default", message="folder: decoded images cannot be kept")
    data = pn.datasets.folder(folder)
    model = pn.Sequential(pn.AvgPool2D(16), pn.Flatten(), pn.Dense(2))
    history = pn.fit(model, data, epochs=1, learning_rate=0.01, verbose=0)
    part = data.train.take(np.arange(len(data.train)) % 7 > 0)  # as large, nearly
    accuracy = pn.evaluate(model, part[::20], verbose=0).accuracy
    found = {"bytes": data.train.x.nbytes, "accuracy": float(accuracy), "fingerprint": history.fingerprint}
    print(json.dumps(found))


if sys.platform == "linux":

    def test_a_folder_larger_than_memory_trains_as_in_memory(tmp_path):
        """RLIMIT_DATA counts private memory, and not the pages of a mapped file, which the system may always drop."""
        for number in range(3200):
            file = tmp_path / "pages" / ("dark" if number % 2 else "light") / f"{number}.png"
            pixels = np.full((224, 224), 60 if number % 2 else 190, np.uint8)
            pixels[0, : number // 16], pixels[1, : number % 16] = 255, 255
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(file, compress_level=1)
        found = [
            json.loads(child.run(train_within, str(tmp_path / "pages"), limit, XDG_CACHE_HOME=str(tmp_path / cache)))
            for limit, cache in ((140 << 20, "cache"), (1 << 40, "other"))
        ]
        assert found[0] == found[1]
        assert found[0]["bytes"] > 150 << 20
        assert found[0]["accuracy"] == 1
        decoded_images = next((tmp_path / "cache").rglob("*.pixels"))
        decoded_images.unlink()
        decoded_images.parent.rmdir()
        decoded_images.parent.write_text("a file where a folder should be")
        blocked = child.start(train_within, str(tmp_path / "pages"), 140 << 20, XDG_CACHE_HOME=str(tmp_path / "cache"))
        assert "take 0.1 GiB, more than the memory, and" in blocked.communicate()[1], "the limit is one"
