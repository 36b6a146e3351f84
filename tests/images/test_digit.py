"""prepare_digit: what was MNIST's comes back, whatever it was drawn on; and what is no digit gets a sentence."""

from __future__ import annotations

import io
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from photographs import LIGHTS, PAPERS, photograph
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


# ---- photographs ---------------------------------------------------------------------------------------------------


def lit(page: np.ndarray, seed: int, least: float = 0.6) -> np.ndarray:
    """A page under light that falls to a share of it from left to right, with the noise of a camera."""
    light = np.linspace(1, least, page.shape[1])
    return np.clip(page * light + np.random.default_rng(seed).normal(0, 3, page.shape), 0, 255).astype("uint8")


def nearest(got: np.ndarray, digits: np.ndarray) -> int:
    """The digit that a prepared one is most like, moved by a pixel at most."""
    return int(np.argmin([off_by(got, digit) for digit in digits]))


def test_most_photographs_come_back_as_the_digit_that_was_drawn(digits: np.ndarray) -> None:
    """Of 60 photographs of 60 digits; benchmarks/photographs.py classifies 1,000."""
    right, wrong = 0, []
    for i in range(60):
        taken = photograph(
            digits[i, :, :, 0], np.random.default_rng([1, i]), PAPERS[i % len(PAPERS)], LIGHTS[i % len(LIGHTS)]
        )
        try:
            found = nearest(examine_digit(taken.image).digit, digits[:60])
        except ValueError:
            found = -1
        right += found == i
        wrong += [(i, found, taken.paper, taken.light, f"{taken.share:.2f}")] if found != i else []
    assert right >= 54, wrong


def test_the_light_does_not_matter(digits: np.ndarray) -> None:
    for i, digit in enumerate(digits[:20]):
        page = framed(230 - 0.7 * enlarged(digit), 60, 80, 30, 40, 230)
        for least in (1.0, 0.7, 0.5):
            did = examine_digit(lit(page, i, least))
            assert did.uneven
            assert did.inverted
            assert did.warnings == ()
            assert did.contrast == pytest.approx(0.7 * 255 / 230, abs=0.15)
            assert off_by(did.digit, digit) < 8, f"digit {i}, light {least}"


def test_photographs_of_any_kind_are_taken(digits: np.ndarray) -> None:
    page = lit(framed(230 - 0.7 * enlarged(digits[2]), 60, 80, 30, 40, 230), 0)
    want = prepare_digit(page)
    opaque = np.full_like(page, 255)
    for same in (np.stack([page] * 3, -1), np.stack([page] * 3 + [opaque], -1), np.stack([page, opaque], -1)):
        np.testing.assert_array_equal(prepare_digit(same), want)
    np.testing.assert_array_equal(prepare_digit(page.astype("uint16") * 257), want)
    np.testing.assert_array_equal(prepare_digit(Image.fromarray(page.astype("uint16") * 257)), want)
    negative = examine_digit(255 - page)
    assert not negative.inverted
    np.testing.assert_array_equal(negative.digit, want)


def test_lines_and_specks_are_dropped(digits: np.ndarray) -> None:
    for i, digit in enumerate(digits[:20]):
        drawn = framed(enlarged(digit, 8), 60, 80, 30, 40, 0) / 255
        paper = np.full(drawn.shape, 230.0)
        paper[11::29] *= 0.8
        if i % 2:
            paper[:, 7::29] *= 0.8
        paper[20:23, 20:23] = paper[-9:-6, -60:-58] = 60
        did = examine_digit(lit(np.minimum(paper, 230 - 170 * drawn), i))
        assert did.warnings == ()
        assert nearest(did.digit, digits[:20]) == i


def test_ruled_paper_of_one_shade_is_taken(digits: np.ndarray) -> None:
    for i, digit in enumerate(digits[:20]):
        drawn = framed(enlarged(digit, 8), 60, 80, 30, 40, 0)
        page = np.full(drawn.shape, 255)
        page[11::29] = 242  # 5 % darker than the paper
        did = examine_digit(np.minimum(page, 255 - drawn).astype("uint8"))
        assert off_by(did.digit, digit) < 8, f"digit {i}"


# ---- doubts --------------------------------------------------------------------------------------------------------


def doubts() -> dict[str, np.ndarray]:
    """Pages of one shade, each with one fault."""
    pages = {name: np.full((200, 200), 240.0) for name in ("touches the border", "several marks", "hardly stands out")}
    pages["touches the border"][:90, 90:100] = 30
    pages["several marks"][30:90, 40:50] = pages["several marks"][110:170, 140:150] = 30
    pages["hardly stands out"][60:140, 90:100] = 220
    return pages


@pytest.mark.parametrize("name", doubts())
@pytest.mark.parametrize("photo", [False, True])
def test_a_doubtful_digit_is_reported(name: str, photo: bool) -> None:
    page = lit(doubts()[name], 0, 0.8) if photo else doubts()[name].astype("uint8")
    did = examine_digit(page)
    assert len(did.warnings) == 1
    assert name in did.warnings[0]
    assert str(did).endswith("; but " + did.warnings[0])
    with pytest.warns(UserWarning, match=name) as caught:
        np.testing.assert_array_equal(prepare_digit(page), did.digit)
    assert [str(warning.message) for warning in caught] == [f"prepare_digit: {did.warnings[0]}"]
    assert caught[0].filename == __file__


def test_a_detached_bar_belongs_to_its_digit() -> None:
    page = np.full((200, 200), 240.0)
    page[60:140, 60:70] = page[60:70, 78:110] = 30
    for image in (page.astype("uint8"), lit(page, 0)):
        did = examine_digit(image)
        assert did.warnings == ()
        assert did.box == pytest.approx((60, 60, 80, 50), abs=2)


# ---- what is no digit ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(1, 1), (28, 28), (28, 28, 1), (300, 200, 3), (50, 60, 4)])
@pytest.mark.parametrize("shade", [0, 255, 77])
def test_an_empty_image_is_an_error(shape: tuple[int, ...], shade: int) -> None:
    with pytest.raises(ValueError, match=r"prepare_digit: there is no digit in this image \(.*\): it is blank"):
        prepare_digit(np.full(shape, shade, "uint8"))


def never_silent(image: np.ndarray) -> bool:
    """Whether the image is refused, or taken with a warning."""
    try:
        return bool(examine_digit(image).warnings)
    except ValueError as error:
        return "there is no digit in this image" in str(error)


@pytest.mark.parametrize("least", [1.0, 0.75, 0.5])
@pytest.mark.parametrize("lines", [0, 1, 2])
def test_a_photograph_of_an_empty_page_is_never_silently_a_digit(least: float, lines: int) -> None:
    for shape in ((300, 400), (60, 45), (28, 28), (900, 700)):
        page = np.full(shape, 225.0)
        if lines:
            page[shape[0] // 19 :: shape[0] // 13] *= 0.85
        if lines == 2:
            page[:, shape[1] // 17 :: shape[0] // 13] *= 0.85
        assert never_silent(lit(page, shape[0], least)), shape


def test_noise_is_never_silently_a_digit() -> None:
    rng = np.random.default_rng(0)
    for shape in ((28, 28), (60, 50), (280, 280), (900, 700), (28, 28, 3), (200, 300, 4), (1, 500), (500, 2)):
        for _ in range(5):
            assert never_silent(rng.integers(0, 256, shape, "uint8")), shape
            assert never_silent(rng.normal(128, 20, shape).clip(0, 255).astype("uint8")), shape


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
    with pytest.warns(UserWarning, match="touches the border"):
        assert prepare_digit(page).max() == 255


def test_a_huge_image_takes_little_memory(digits: np.ndarray) -> None:
    page = 255 - enlarged(digits[5], 140)  # 15 million pixels
    before = _core.memory_stats()["peak_bytes"]
    tracemalloc.start()
    got, _ = _core.prepare_digit(page)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert abs(got.astype(int) - digits[5]).max() <= FAINT
    assert peak < 100_000
    assert _core.memory_stats()["peak_bytes"] < before + 2**24


def test_a_failed_allocation_is_a_memory_error(digits: np.ndarray) -> None:
    _core._fail_after(1)
    with pytest.raises(MemoryError):
        _core.prepare_digit(digits[0])
    assert _core.prepare_digit(digits[0])[0].max() == 255
