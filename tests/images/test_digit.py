"""prepare_digit: what was MNIST's comes back, whatever it was drawn on; and what is no digit gets a sentence."""

from __future__ import annotations

import io
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pyneural as pn
from pyneural import _core, examine_digit, prepare_digit
from pyneural.images.digit import Preparation


def enlarged(digit: np.ndarray, times: int = 10) -> np.ndarray:
    return np.kron(digit.reshape(28, 28), np.ones((times, times), "uint8"))


def framed(page: np.ndarray, top: int, left: int, bottom: int, right: int, shade: int) -> np.ndarray:
    return np.pad(page, ((top, bottom), (left, right)), constant_values=shade)


FAINT = 16  # of 255: what is fainter at the edge is cropped


def off_by(got: np.ndarray, want: np.ndarray) -> float:
    """Mean difference; a centre of mass between two pixels may have been rounded the other way."""
    moved = [np.roll(got, (y, x), axis=(0, 1)) for y in (-1, 0, 1) for x in (-1, 0, 1)]
    return min(float(abs(m.astype(float) - want.astype(float)).mean()) for m in moved)


@pytest.fixture(scope="module")
def digits() -> np.ndarray:
    """100 real digits, uint8 (100, 28, 28, 1)."""
    return np.asarray(pn.datasets.mnist("sample").test.x)[:100]


# ---- digits --------------------------------------------------------------------------------------------------------


def test_a_real_digit_stays_as_it_is(digits: np.ndarray) -> None:
    for i, digit in enumerate(digits):
        got, did = _core.prepare_digit(digit)
        assert (got.shape, got.dtype) == ((28, 28, 1), np.uint8)
        assert not did["inverted"], f"digit {i}"
        assert abs(got.astype(int) - digit).max() <= FAINT, f"digit {i}"


def test_a_digit_enlarged_inverted_and_shifted_comes_back(digits: np.ndarray) -> None:
    for i, digit in enumerate(digits):
        page = 255 - framed(enlarged(digit), 37, 5, 60, 113, 0)
        got, did = _core.prepare_digit(page)
        assert did["inverted"], f"digit {i}"
        assert abs(got.astype(int) - digit).max() <= FAINT, f"digit {i}"


@pytest.mark.parametrize("size", [21, 56, 97, 131, 400, 777])
def test_a_digit_of_any_size_comes_back_nearly(digits: np.ndarray, size: int) -> None:
    for i, digit in enumerate(digits[:30]):
        page = np.asarray(Image.fromarray(digit[..., 0]).resize((size, size), Image.Resampling.BICUBIC))
        off = off_by(prepare_digit(page), digit)
        # Of 255: a page smaller than 28 has lost detail; elsewhere the box's edge moves by a fraction of a pixel.
        assert off < (20 if size < 28 else 13), f"digit {i} at {size}: off by {off:.1f}"


def test_a_photograph_of_one_comes_back_nearly(digits: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    for i, digit in enumerate(digits[:20]):
        page = framed(enlarged(digit, 8), 60, 80, 30, 40, 0)
        light = np.linspace(190, 205, page.shape[1])  # paper, brighter to the right
        photo = light - page * (150 / 255) + rng.normal(0, 3, page.shape)
        file = io.BytesIO()
        Image.fromarray(photo.astype("uint8")).convert("RGB").save(file, "JPEG", quality=85)
        off = off_by(prepare_digit(Image.open(file)), digit)
        assert off < 12, f"digit {i}: off by {off:.1f}"


def test_channels_and_kinds_of_number_do_not_matter(digits: np.ndarray) -> None:
    digit = digits[0]
    grey = 255 - enlarged(digit)
    want = prepare_digit(grey)
    opaque = np.full_like(grey, 255)
    for same in (
        grey[..., None],
        np.stack([grey, opaque], -1),
        np.stack([grey] * 3, -1),
        np.stack([grey] * 3 + [opaque], -1),
        grey.astype("int64"),
        grey.astype("uint16") * 257,
        grey.astype("float32"),
        grey / 255,
        grey[::-1][::-1],
        np.asfortranarray(grey),
        _core.tensor(grey),
    ):
        np.testing.assert_array_equal(prepare_digit(same), want)


def test_ink_on_a_transparent_canvas_is_found_whatever_its_colour(digits: np.ndarray) -> None:
    page = enlarged(digits[3])
    want = prepare_digit(page)
    for ink in ((0, 0, 0), (255, 255, 255), (200, 30, 30)):
        rgba = np.concatenate([np.full((*page.shape, 3), ink, "uint8"), page[..., None]], -1)
        did = examine_digit(rgba)
        assert did.transparent
        assert off_by(did.digit, want) < 1


# ---- files and Pillow ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I", "I;16", "F"])
def test_pillow_images_of_every_mode_are_taken(digits: np.ndarray, mode: str) -> None:
    page = np.where(enlarged(digits[1]) > 127, 0, 255).astype("uint8")
    image = Image.fromarray(page).convert("I" if mode == "I;16" else mode)
    image = Image.fromarray(page.astype("uint16") * 257) if mode == "I;16" else image
    assert image.mode == mode
    assert off_by(prepare_digit(image), prepare_digit(page)) < 1


def test_files_are_read_and_turned_as_the_camera_says(digits: np.ndarray, tmp_path: Path) -> None:
    page = 255 - enlarged(digits[2])
    want = prepare_digit(page)
    Image.fromarray(page).save(tmp_path / "digit.png")
    np.testing.assert_array_equal(prepare_digit(tmp_path / "digit.png"), want)
    np.testing.assert_array_equal(prepare_digit(str(tmp_path / "digit.png")), want)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    Image.fromarray(np.ascontiguousarray(np.rot90(page))).save(tmp_path / "turned.png", exif=exif)
    np.testing.assert_array_equal(prepare_digit(tmp_path / "turned.png"), want)
    palette = Image.fromarray(page).convert("P")
    palette.save(tmp_path / "palette.gif", transparency=palette.getpixel((0, 0)))
    assert off_by(prepare_digit(tmp_path / "palette.gif"), want) < 2


def test_what_was_done_is_said(digits: np.ndarray) -> None:
    page = framed(255 - enlarged(digits[0]), 20, 30, 0, 0, 255)
    did = examine_digit(page)
    assert isinstance(did, Preparation)
    top, left, height, width = did.box
    inside = page[top : top + height, left : left + width] < 255
    assert inside.any(axis=1)[[0, -1]].all()
    assert inside.any(axis=0)[[0, -1]].all()
    assert max(did.place[2:]) == 20
    assert str(did).startswith("inverted (it was dark on light), cropped to the ink, ")
    assert "transparent" not in str(did)


# ---- what is no digit ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(1, 1), (28, 28), (28, 28, 1), (300, 200, 3), (50, 60, 4)])
@pytest.mark.parametrize("shade", [0, 255, 77])
def test_an_empty_image_is_an_error(shape: tuple[int, ...], shade: int) -> None:
    with pytest.raises(ValueError, match=r"prepare_digit: there is no digit in this image \(.*\): it is blank"):
        prepare_digit(np.full(shape, shade, "uint8"))


@pytest.mark.parametrize(
    ("image", "error", "says"),
    [
        (np.zeros((3, 28, 28), "uint8"), ValueError, r"the image is \(3, 28, 28\); give \(height, width\) or"),
        (np.zeros(784, "uint8"), ValueError, r"the image is \(784,\); give \(height, width\) or"),
        (np.zeros((0, 28), "uint8"), ValueError, r"the image is \(0, 28\) and has no pixels"),
        (np.array([[0.0, np.nan]]), ValueError, "contains NaN or infinity"),
        (np.array([[-1.0, 1.0]]), ValueError, "ranges from -1 to 1; give 0 to 255, or floats from 0 to 1"),
        (np.array([[0, 70000]]), ValueError, "int64 and ranges from 0 to 70000"),
        (np.array([[0, 1j]]), TypeError, "complex"),
        (np.array([["a"]]), TypeError, "does not hold plain numbers"),
        (None, TypeError, "prepare_digit"),
        ("nowhere.png", FileNotFoundError, "there is no file 'nowhere.png'"),
    ],
)
def test_data_that_is_not_an_image_raises_a_clear_error(image: object, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        prepare_digit(image)  # type: ignore[arg-type]


def test_the_engine_takes_uint8_alone() -> None:
    with pytest.raises(TypeError, match="prepare_digit: the image is float32; give uint8, 0 to 255"):
        _core.prepare_digit(np.zeros((28, 28), "float32"))


def test_files_that_are_not_images_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("seven")
    with pytest.raises(ValueError, match=r"text\.png' is not an image that Pillow can read"):
        prepare_digit(tmp_path / "text.png")
    Image.fromarray(np.arange(10000, dtype="uint8").reshape(100, 100)).save(tmp_path / "whole.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "whole.png").read_bytes()[:200])
    with pytest.raises(ValueError, match=r"cut\.png' cannot be read"):
        prepare_digit(tmp_path / "cut.png")
    (tmp_path / "empty.png").touch()
    with pytest.raises(ValueError, match=r"empty\.png' is empty; give a PNG or JPEG"):
        prepare_digit(tmp_path / "empty.png")
    Image.new("L", (20, 20)).save(tmp_path / "blank.png")
    with pytest.raises(ValueError, match=r"there is no digit in this image \(20, 20\).*\(in '.*blank\.png'\)"):
        prepare_digit(tmp_path / "blank.png")
    with pytest.raises(IsADirectoryError, match="is a folder: give an image file"):
        prepare_digit(tmp_path)


# ---- size ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(1, 2), (2, 1), (1, 5000), (5000, 1), (3, 4000)])
def test_thin_images_are_taken(shape: tuple[int, int]) -> None:
    page = np.zeros(shape, "uint8")
    page[0, 0] = 255
    assert prepare_digit(page).max() == 255


def test_a_huge_image_takes_no_memory(digits: np.ndarray) -> None:
    page = 255 - enlarged(digits[5], 140)  # 15 million pixels
    before = _core.memory_stats()["requests"], _core.memory_stats()["peak_bytes"]
    tracemalloc.start()
    got, _ = _core.prepare_digit(page)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert abs(got.astype(int) - digits[5]).max() <= FAINT
    assert peak < 100_000
    assert _core.memory_stats()["peak_bytes"] == before[1]
