"""Kinds of pixels: a folder of images and prepare_digit read one file alike."""

import tracemalloc

import numpy as np
import pytest
from PIL import Image

import pyneural as pn
from pyneural.images.modes import plain


def page() -> np.ndarray:
    """Grey ink on a white page, (40, 30) of 0 to 255."""
    values = np.full((40, 30), 255, np.int64)
    values[8:32, 12:18] = 60
    values[8:14, 12:24] = 20
    return values


def read(path) -> np.ndarray:
    """A file's pixels as pn.datasets.folder reads them."""
    other = path.parent.parent / "other"
    other.mkdir(exist_ok=True)
    Image.new("L", (30, 40)).save(other / "0.png")
    data = pn.datasets.folder(path.parent.parent)
    return data.train.x[1]


@pytest.mark.parametrize("ending", ["png", "tif"])
@pytest.mark.parametrize("scale", [257, 100, 20])
def test_16_bits_are_scaled_by_their_range_everywhere(tmp_path, ending, scale):
    path = tmp_path / "page" / f"page.{ending}"
    path.parent.mkdir()
    Image.fromarray((page() * scale).astype(np.uint16)).save(path)
    expected = np.rint(page() * scale / 257).astype(np.uint8)
    assert np.array_equal(read(path)[..., 0], expected)
    assert np.array_equal(pn.prepare_digit(path), pn.prepare_digit(expected))
    with Image.open(path) as image:
        assert np.array_equal(pn.prepare_digit(image), pn.prepare_digit(expected))


def test_white_of_16_bits_is_white(tmp_path):
    path = tmp_path / "page" / "page.png"
    path.parent.mkdir()
    Image.fromarray(np.full((40, 30), 65535, np.uint16)).save(path)
    assert np.all(read(path) == 255)


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_colour_that_is_named_transparent_is_so_everywhere(tmp_path, mode):
    path = tmp_path / "page" / "page.png"
    path.parent.mkdir()
    image = Image.fromarray(page().astype(np.uint8)).convert(mode)
    image.putpixel((0, 0), 60 if mode == "L" else (60, 60, 60))
    image.save(path, transparency=255 if mode == "L" else (255, 255, 255))
    assert np.array_equal(read(path)[..., 0] == 255, np.asarray(image.convert("L")) == 255)
    with Image.open(path) as opened:
        assert np.array_equal(pn.prepare_digit(path), pn.prepare_digit(opened.convert("RGBA")))


@pytest.mark.parametrize("mode", ["I", "I;16"])
def test_many_pixels_of_16_or_32_bits_take_little_more_memory_than_the_image(mode):
    image = Image.new(mode, (4000, 4000), 200)
    tracemalloc.start()
    plain(image)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 * 4000 * 4000, "what Pillow hands over twice, the bytes, and some rows between"
