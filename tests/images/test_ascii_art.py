"""Pictures in letters: their size, their ink, and what is said of what is no picture."""

import numpy as np
import pytest

import pyneural as pn

RAMP = " .:-=+*#%@"


def lines(image, **options) -> list[str]:
    return pn.ascii(image, **options).split("\n")


def test_a_digit_is_56_columns_of_28_lines_pixel_by_pixel(sample):
    image = sample.test.x[0]
    drawn = lines(image)
    assert {len(line) for line in drawn} == {56}
    steps = np.rint(image[..., 0] / 255 * 9).astype(int)
    assert drawn == ["".join(2 * RAMP[step] for step in row) for row in steps]


@pytest.mark.parametrize(
    ("shape", "options", "size"),
    [
        ((28, 28), {}, (28, 56)),
        ((28, 28, 1), {"columns": 28}, (14, 28)),
        ((224, 224, 3), {}, (40, 80)),
        ((100, 300), {}, (13, 80)),
        ((300, 100), {"columns": 40}, (60, 40)),
        ((1, 1), {}, (1, 2)),
        ((1, 500), {}, (1, 80)),
        ((500, 1), {}, (500, 2)),
    ],
)
def test_the_shape_of_a_picture_is_kept_with_letters_twice_as_high_as_wide(shape, options, size):
    drawn = lines(np.full(shape, 255, np.uint8), **options)
    assert (len(drawn), len(drawn[0])) == size
    assert set("".join(drawn)) == {"@"}


def test_what_is_made_smaller_is_averaged():
    stripes = np.zeros((160, 160), np.uint8)
    stripes[:, ::2] = 255
    assert set("".join(lines(stripes))) <= {"=", "+"}  # a half, on either side of rounding
    third = np.zeros((1, 3))
    third[0, 2] = 1
    assert lines(third, columns=2) == [" " + RAMP[6]]  # the right letter is half a pixel of 0 and one of 1: 2/3


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_floats_from_0_to_1_are_as_uint8(sample, dtype):
    image = sample.test.x[3]
    assert pn.ascii((image / 255).astype(dtype)) == pn.ascii(image)


def test_other_numbers_run_from_the_least_to_the_greatest():
    assert lines(np.array([[-3.0, 0.0, 6.0]])) == ["  --@@"]
    assert lines(np.array([[0, 100, 300]])) == ["  --@@"]
    assert lines(np.full((2, 1), 7.0)) == ["  ", "  "]
    assert lines(np.array([[True, False]])) == ["@@  "]


def test_colours_weigh_as_eyes_see_them():
    drawn = lines(np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]], np.uint8))
    assert drawn == ["--++..@@"]  # 0.299, 0.587, 0.114, 1 of nine steps


def test_a_tensor_and_a_list_are_pictures_too():
    assert pn.ascii(pn.tensor([[0.0, 1.0]])) == pn.ascii([[0.0, 1.0]]) == "  @@"


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (np.zeros((10, 28, 28, 1)), "image is float64 (10, 28, 28, 1): give one image, (height, width) or with 1 or 3"),
        (np.zeros((10, 28, 28)), "channels, such as images[0]"),
        (np.zeros(784), "image is float64 (784,)"),
        (np.zeros((0, 28)), "image is float64 (0, 28)"),
        (np.zeros((2, 2), complex), "image is complex128 (2, 2)"),
        (np.array([["a"]]), "image is <U1 (1, 1)"),
        (np.array([[0, np.nan]]), "the image contains NaN or infinity"),
    ],
)
def test_data_that_is_not_a_picture_raises_a_clear_error(image, words):
    with pytest.raises(ValueError, match=r"^ascii: ") as caught:
        pn.ascii(image)
    assert words in str(caught.value)


@pytest.mark.parametrize("columns", [1, 0, -5, 3.5, "80", True])
def test_columns_are_a_number_that_letters_fit_into(columns):
    with pytest.raises(ValueError, match="ascii: columns is"):
        pn.ascii(np.zeros((2, 2)), columns=columns)
