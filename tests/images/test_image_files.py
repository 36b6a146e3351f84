"""Image files that unpack to more than memory: a limit of our own, before a pixel is decoded."""

import struct
import threading
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pyneural as pn
from pyneural.commands.predict import predict
from pyneural.images.files import MOST_PIXELS, opened


def png(path: Path, width: int, height: int) -> Path:
    """A small file that promises so many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">2I5B", width, height, 8, 6, 0, 0, 0))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(9999))) + chunk(b"IEND", b""))
    return path


def gif(path: Path, width: int, height: int) -> Path:
    """An animation whose frames are larger than its screen, which is 1 x 1."""
    frame = b"," + struct.pack("<4HB", 0, 0, width, height, 0) + b"\x02\x02L\x01\x00"
    path.write_bytes(b"GIF89a" + struct.pack("<2H3B", 1, 1, 0x80, 0, 0) + bytes(6) + frame * 2 + b";")
    return path


SIZES = [
    (8193, 8192),  # a little more than is decoded
    (9400, 9400),  # Pillow alone would allow it
    (13_000, 13_000),  # Pillow alone would warn
    (60_000, 60_000),  # Pillow alone would refuse it
]


@pytest.mark.parametrize("make", [png, gif])
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_an_image_of_too_many_pixels_is_refused_before_it_is_decoded(width, height, make, tmp_path):
    file = make(tmp_path / "huge.png", width, height)
    words = f"it has {width * height:,} pixels, but at most 67,108,864 are decoded: scale it down first"
    before = list(warnings.filters)
    with pytest.raises(ValueError, match=f"^prepare_digit: '.*huge.png' cannot be read: {words}$"):
        pn.prepare_digit(file)
    with pytest.raises(ValueError, match=f"^anybody: '.*huge.png' cannot be read: {words}$"), opened(file, "anybody"):
        pass
    assert warnings.filters == before


@pytest.mark.parametrize("size", [None, 16])
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_a_folder_names_the_images_that_are_too_large(width, height, size, tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        Image.new("L", (16, 16)).save(tmp_path / name / "1.png")
    png(tmp_path / "cat" / "2.png", width, height)
    words = f"'cat.2.png' .it has {width * height:,} pixels, but at most 67,108,864 are decoded: scale it down first."
    with pytest.raises(ValueError, match=f"folder: 1 of 3 images cannot be read: {words}: fetch them again, remove"):
        pn.datasets.folder(tmp_path, size=size)


def test_the_limit_holds_whatever_pillows_is(tmp_path, monkeypatch):
    file = png(tmp_path / "huge.png", 9400, 9400)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    with pytest.raises(ValueError, match="it has 88,360,000 pixels"):
        pn.prepare_digit(file)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    small = tmp_path / "small.png"
    Image.new("L", (30, 30)).save(small)
    with pytest.raises(ValueError, match=r"cannot be read: Image size \(900 pixels\) exceeds limit of"):
        pn.prepare_digit(small)


def test_a_large_photograph_is_decoded_at_the_size_that_is_wanted(tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        Image.new("L", (16, 16), 128).save(tmp_path / name / "1.png")
    Image.new("L", (8200, 8200), 128).save(tmp_path / "cat" / "2.jpg", quality=20)  # 128: exact in JPEG
    assert MOST_PIXELS < 8200 * 8200
    assert np.all(pn.datasets.folder(tmp_path, size=16).train.x == 128)


def test_predict_refuses_it_too(tmp_path):
    model = pn.Sequential(pn.Flatten(), pn.Dense(2))
    pn.fit(model, (np.arange(8 * 4 * 4, dtype=np.uint8).reshape(8, 4, 4, 1), np.arange(8) % 2), epochs=1, verbose=0)
    file = png(tmp_path / "huge.png", 13_000, 13_000)
    with pytest.raises(ValueError, match=r"predict: '.*huge.png' cannot be read: it has 169,000,000 pixels"):
        predict(pn.save(model, tmp_path / "m.safetensors"), [file], debug=True)


def test_threads_that_open_images_leave_the_filters_of_warnings_as_they_were(tmp_path):
    file, before = png(tmp_path / "huge.png", 13_000, 13_000), list(warnings.filters)

    def refused() -> None:
        for _ in range(50):
            with pytest.raises(ValueError, match="it has 169,000,000 pixels"):
                pn.prepare_digit(file)

    threads = [threading.Thread(target=refused) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert warnings.filters == before


@pytest.mark.parametrize("last", [False, True])
def test_damage_for_which_pillow_raises_an_unusual_error_is_reported_with_the_name_of_the_file(last, tmp_path):
    """A compressed text of 3 MB, before the pixels or behind them, is a ValueError about something else."""
    Image.new("L", (30, 30), 7).save(tmp_path / "a.png")
    whole, text = (tmp_path / "a.png").read_bytes(), b"zTXta\0\0" + zlib.compress(bytes(3 << 20))
    chunk = struct.pack(">I", len(text) - 4) + text + struct.pack(">I", zlib.crc32(text))
    place = len(whole) - 12 if last else 33
    (tmp_path / "a.png").write_bytes(whole[:place] + chunk + whole[place:])
    with pytest.raises(ValueError, match=r"^prepare_digit: '.*a.png' cannot be read: Decompressed data too large"):
        pn.prepare_digit(tmp_path / "a.png")
    words = r"^anybody: '.*a.png' cannot be read: Decompressed data too large"
    with pytest.raises(ValueError, match=words), opened(tmp_path / "a.png", "anybody") as image:
        image.load()


def test_what_is_said_of_an_image_that_can_be_read_passes_through(tmp_path):
    Image.new("L", (30, 30), 7).save(tmp_path / "a.png")
    words = "somebody: it is too dark"
    with pytest.raises(ValueError, match=f"^{words}$"), opened(tmp_path / "a.png", "somebody"):
        raise ValueError(words)
