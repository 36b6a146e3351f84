"""The statistics of training images in a model's card: kept whole in a file, and checked when they are read."""

import json

import pytest

from pyneural.card.card import Card
from pyneural.card.pixels import Pixels

GOOD = {
    "count": 30,
    "grid": [1, 2],
    "centre": [1, -2, 3, 4],
    "directions": [[5000, 0, 0, 1]],
    "ranges": {"mean": [3.5, 90.0]},
}


def test_they_come_back_from_json_as_they_were():
    made = Pixels.from_json(json.loads(json.dumps(GOOD)))
    assert made.as_json() == GOOD
    assert made.arrays[0].tolist() == pytest.approx([0.0001, -0.0002, 0.0003, 0.0004])
    assert made.arrays[1].shape == (1, 4)


@pytest.mark.parametrize(
    "changed",
    [
        {"grid": [2, 2]},
        {"grid": [0, 2]},
        {"grid": [-1, -2]},
        {"grid": [100, 100]},
        {"grid": [2]},
        {"centre": [1, 2, 3]},
        {"centre": "none"},
        {"centre": [1, 2, 3, 10**300]},
        {"directions": [[1, 2]]},
        {"directions": [[0, 0, 0, 0]] * 100},
        {"ranges": {"mean": [5.0, 1.0]}},
        {"ranges": {"mean": [float("nan"), 1.0]}},
        {"ranges": {"mean": [1.0]}},
        {"count": "many"},
    ],
)
def test_damaged_statistics_are_refused(changed):
    with pytest.raises((ValueError, TypeError)):
        Pixels.from_json(GOOD | changed)


def test_a_card_of_an_older_file_has_none():
    record = Card().as_json()
    assert record.pop("pixels") is None
    assert Card.from_json(record).pixels is None
