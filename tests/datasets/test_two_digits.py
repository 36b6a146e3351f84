"""Pairs of overlapping digits."""

import numpy as np
import pytest

import pyneural as pn


@pytest.fixture(scope="module")
def data() -> pn.Splits:
    return pn.datasets.two_digits("sample")


def parts_of(data: pn.Splits) -> dict[str, pn.Dataset]:
    return {"train": data.train, "validation": data.validation, "test": data.test}


def digits_of(part: pn.Dataset) -> tuple[set[bytes], set[bytes]]:
    """The rows of pixels that belong to one digit only, of all top digits and of all bottom ones."""
    return {x.tobytes() for x in part.x[:, :14]}, {x.tobytes() for x in part.x[:, 28:]}


def test_an_image_is_the_pixelwise_maximum_of_both_digits(data, sample):
    tops = {image[:14].tobytes(): number for number, image in enumerate(sample.test.x)}
    bottoms = {image[14:].tobytes(): number for number, image in enumerate(sample.test.x)}
    assert len(tops) == len(bottoms) == 1000
    for row in range(0, 1000, 7):
        x, y = data.test[row]
        top, bottom = tops[x[:14].tobytes()], bottoms[x[28:].tobytes()]
        np.testing.assert_array_equal(x[14:28], np.maximum(sample.test.x[top][14:], sample.test.x[bottom][:14]))
        assert (y["top"], y["bottom"]) == (sample.test.y[top], sample.test.y[bottom]), row


def test_there_are_as_many_pairs_as_digits_and_a_tenth_for_validation(data):
    assert {name: part.x.shape for name, part in parts_of(data).items()} == {
        "train": (6000, 42, 28, 1),
        "validation": (600, 42, 28, 1),
        "test": (1000, 42, 28, 1),
    }
    for part in parts_of(data).values():
        assert part.x.dtype == np.uint8
        assert list(part.y) == ["top", "bottom"]
        assert {labels.dtype for labels in part.y.values()} == {np.dtype("int64")}
        assert part.note.startswith("EMBEDDED SAMPLE: ")


def test_no_digit_is_in_two_parts(data):
    train, held, test = (digits_of(part) for part in parts_of(data).values())
    for place in (0, 1):
        assert len(train[place]) > 3000
        assert not train[place] & held[place]
        assert not train[place] & test[place]
        assert not held[place] & test[place]


def test_all_hundred_pairs_of_classes_are_drawn_alike(data):
    y = data.train.y
    counts = np.bincount(10 * y["top"] + y["bottom"], minlength=100)
    shares = np.bincount(y["top"], minlength=10) / 6000
    expected = 6000 * np.outer(shares, np.bincount(y["bottom"], minlength=10) / 6000).ravel()
    chi = float(np.sum((counts - expected) ** 2 / expected))
    assert chi < 126, f"chi squared {chi:.1f} of 81 degrees of freedom: beyond 126 with probability 0.001"


def test_the_same_seed_gives_the_same_pairs_and_another_one_others(data):
    again, other = pn.datasets.two_digits("sample"), pn.datasets.two_digits("sample", seed=1)
    for name, part in parts_of(data).items():
        np.testing.assert_array_equal(part.x, getattr(again, name).x)
        assert np.mean(part.y["top"] == getattr(other, name).y["top"]) < 0.2


def test_the_number_of_training_pairs_changes_nothing_else(data):
    few, many = pn.datasets.two_digits("sample", pairs=10), pn.datasets.two_digits("sample", pairs=7000)
    np.testing.assert_array_equal(few.train.x, data.train.x[:10])
    np.testing.assert_array_equal(many.train.x[:6000], data.train.x)
    for found in (few, many):
        np.testing.assert_array_equal(found.validation.x, data.validation.x)
        np.testing.assert_array_equal(found.test.y["bottom"], data.test.y["bottom"])


def test_real_digits_give_sixty_thousand_pairs(mnist, is_sample):
    found = pn.datasets.two_digits()
    counts = [len(part) for part in parts_of(found).values()]
    assert counts == ([6000, 600, 1000] if is_sample else [60_000, 6000, 10_000])
    assert bool(found.train.note) == is_sample


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"pairs": 0}, ValueError, "two_digits: pairs is 0: give a whole number of at least 1"),
        ({"seed": -1}, ValueError, "two_digits: seed is -1"),
        ({"path": "/no/such/folder"}, FileNotFoundError, "mnist: path is /no/such/folder"),
        ({"root": "sample"}, TypeError, "use path"),
        ({"n": 5}, TypeError, "use pairs"),
    ],
)
def test_bad_arguments_are_named(options, error, words):
    with pytest.raises(error) as caught:
        pn.datasets.two_digits(**options)
    assert words in str(caught.value)
