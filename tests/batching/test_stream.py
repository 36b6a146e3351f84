"""Data in batches: lists, loaders and custom re-iterable classes; and folders of images."""

import re

import numpy as np
import pytest
from PIL import Image

import pyneural as pn


class Loader:
    """A re-iterable loader: batches of (x, y), in a new order each time."""

    def __init__(self, x: np.ndarray, y: np.ndarray, size: int, shuffle: int | None = None) -> None:
        self.x, self.y, self.size, self.shuffle, self.passes = x, y, size, shuffle, 0

    def __iter__(self):
        order = np.arange(len(self.x))
        if self.shuffle is not None:
            order = np.random.default_rng([self.shuffle, self.passes]).permutation(len(self.x))
        self.passes += 1
        for start in range(0, len(order), self.size):
            rows = order[start : start + self.size]
            yield [self.x[rows], self.y[rows]]


class Once:
    """Gives its batches `passes` times, and later `later` of them."""

    def __init__(self, batches: list, passes: int, later: int) -> None:
        self.batches, self.passes, self.later = batches, passes, later

    def __iter__(self):
        self.passes -= 1
        return iter(self.batches if self.passes >= 0 else self.batches[: self.later])


def small() -> pn.Sequential:
    return pn.Sequential(pn.Dense(32, "relu"), pn.BatchNorm(), pn.Dropout(0.1), pn.Dense(3))


def batches(x: np.ndarray, y: np.ndarray, size: int) -> list:
    return [(x[start : start + size], y[start : start + size]) for start in range(0, len(x), size)]


def test_batches_train_as_the_same_arrays_do(rings, monkeypatch):
    """Where arrays come in the order in which a list gives its batches, every bit is the same."""
    x, y = rings
    monkeypatch.setattr("pyneural._core.permutation", lambda n, *_: pn.tensor(np.arange(n)))
    first, second = small(), small()
    one = pn.fit(first, (x, y), epochs=3, batch_size=50, validation=(x[:70], y[:70]), verbose=0)
    two = pn.fit(second, batches(x, y, 50), epochs=3, validation=batches(x[:70], y[:70], 70), verbose=0)
    assert one.fingerprint == two.fingerprint
    assert one["loss"] == two["loss"]
    assert one["val_accuracy"] == two["val_accuracy"]
    assert one.steps == two.steps == 18
    assert first.card.data_hash == second.card.data_hash


def test_a_shuffling_loader_trains_and_is_iterated_over_once_per_epoch(rings, capsys):
    x, y = rings
    loader = Loader(x, y, 32, shuffle=0)
    model = small()
    history = pn.fit(model, loader, epochs=20, learning_rate=0.02)
    assert loader.passes == 2 + 20  # one to learn its contents, one begun to check that it is re-iterable
    assert history.steps == 200
    out = capsys.readouterr().out
    assert "data: 300 train, no validation (batches cannot be split: give validation=)" in out
    assert "batches as they come" in out
    report = pn.evaluate(model, loader)
    assert report.accuracy > 0.8
    assert report.n == 300
    assert pn.evaluate(model, iter(batches(x, y, 100)), verbose=0).n == 300  # one pass is enough here


def test_moments_of_batches_are_those_of_all_pixels(sample):
    x, y = sample.train.x[:1000], sample.train.y[:1000]
    cards = []
    for data in ((x, y), Loader(x, y, 64)):
        model = pn.Sequential(pn.Flatten(), pn.Dense(10))
        pn.fit(model, data, epochs=1, validation=None, verbose=0)
        cards.append(model.card)
    assert cards[0].preprocessing.dtype == cards[1].preprocessing.dtype == "uint8"
    assert cards[0].preprocessing.mean == pytest.approx(cards[1].preprocessing.mean, rel=1e-12)
    assert cards[0].preprocessing.deviation == pytest.approx(cards[1].preprocessing.deviation, rel=1e-12)
    assert cards[0].data_hash == cards[1].data_hash


def test_grey_images_in_batches_get_their_axis(sample):
    x, y = sample.train.x[:200, :, :, 0], sample.train.y[:200]
    model = pn.Sequential(pn.Conv2D(2, 5), pn.Flatten(), pn.Dense(10))
    pn.fit(model, batches(x / np.float32(255), y, 50), epochs=1, verbose=0)
    assert model.input_shape == (28, 28, 1)


def test_any_number_of_threads_gives_the_same_bits(sample):
    x, y = sample.train.x[:600], sample.train.y[:600]
    threads, prints = pn.get_threads(), set()
    try:
        for count in (1, 2, 4):
            pn.set_threads(count)
            model = pn.Sequential(pn.Conv2D(8, 3, activation="relu"), pn.Flatten(), pn.Dropout(0.2), pn.Dense(10))
            prints.add(pn.fit(model, batches(x, y, 100), epochs=2, verbose=0).fingerprint)
    finally:
        pn.set_threads(threads)
    assert len(prints) == 1


def test_heads_names_and_values_come_in_batches_too(rings):
    x, ring = rings
    names = np.array(["in", "mid", "out"])[ring]
    model = small()
    pn.fit(model, batches(x, names, 64), epochs=2, verbose=0)
    assert model.card.task.classes == ("in", "mid", "out")
    at = pn.Input((2,))
    two = pn.Model(at, {"ring": pn.Dense(3)(at), "place": pn.Dense(2)(at)})
    pairs = [(x[s : s + 60], {"ring": ring[s : s + 60], "place": x[s : s + 60]}) for s in range(0, 300, 60)]
    history = pn.fit(two, pairs, epochs=2, validation=pairs, verbose=0)
    assert "val_ring_accuracy" in history
    assert pn.evaluate(two, pairs, verbose=0)["ring"].n == 300


def test_a_folder_of_images_is_data(sample, tmp_path):
    for part, count in (("train", 60), ("test", 30)):
        for number, (image, digit) in enumerate(getattr(sample, part)[:count]):
            place = tmp_path / part / str(digit)
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image[:, :, 0]).save(place / f"{number}.png")
    model = pn.Sequential(pn.Flatten(), pn.Dense(10))
    pn.fit(model, str(tmp_path), epochs=1, validation=None, verbose=0)
    assert model.card.task.classes == tuple(map(str, range(10)))
    assert pn.evaluate(model, tmp_path, verbose=0).n == 30
    assert pn.evaluate(model, tmp_path / "train", verbose=0).n == 60
    with pytest.raises(FileNotFoundError, match="folder"):
        pn.fit(pn.Sequential(pn.Flatten(), pn.Dense(10)), tmp_path / "nowhere", verbose=0)


def test_ctrl_c_and_an_error_of_the_loader_leave_the_model_usable(rings):
    x, y = rings

    class Broken(Loader):
        def __iter__(self):
            for number, batch in enumerate(super().__iter__()):
                if self.passes == 4 and number == 2:
                    raise OSError("the disk is gone")
                yield batch

    model = small()
    with pytest.raises(OSError, match="the disk is gone"):
        pn.fit(model, Broken(x, y, 50), epochs=5, verbose=0)
    assert np.isfinite(pn.predict(model, x)).all()


# ---- what it refuses

X, Y = np.ones((20, 4), np.float32), np.arange(20) % 3
GOOD = batches(X, Y, 5)


def generator():
    yield from GOOD


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        (
            generator,
            TypeError,
            "fit: data is function: give a pn.Dataset or a pair of arrays (x, y), splits, a folder of images, an ",
        ),
        (
            generator(),
            TypeError,
            "fit: data is a generator, which is exhausted after one epoch: give a list of batches, or a re-iterable "
            "object: its __iter__ must start over",
        ),
        (map(tuple, GOOD), TypeError, "fit: data is a map, which is exhausted after one epoch"),
        (Once(GOOD, 1, 0), ValueError, "fit: data returned batches once and then none: give a list of batches"),
        (Once([], 1, 0), ValueError, "fit: data is empty"),
        (Once([*GOOD, (X[:, :3], Y)], 9, 9), ValueError, "fit: batch 5 has inputs (3,), the first batch (4,)"),
        (Once([*GOOD, (X, Y[:3])], 9, 9), ValueError, "fit: batch 5: x has 20 examples, y has 3"),
        (
            Once([*GOOD, (X.astype(np.uint8), Y)], 9, 9),
            ValueError,
            "fit: batch 5 has x of uint8, the first batch float",
        ),
        (Once([*GOOD, (X[:0], Y[:0])], 9, 9), ValueError, "fit: batch 5 is empty"),
        (Once([*GOOD, (X * np.nan, Y)], 9, 9), ValueError, "fit: batch 5: x has 80 values that are NaN or infinite"),
        (Once([*GOOD, (X, np.eye(3)[Y])], 9, 9), ValueError, "fit: batch 5 has labels (20, 3), the first batch (5,)"),
        (Once([*GOOD, X], 9, 9), TypeError, "fit: batch 5 is ndarray: give pairs (x, y)"),
        (Once([(X, Y, Y)], 9, 9), TypeError, "fit: batch 1 is 3 things: give pairs (x, y)"),
        (Once([(X[0], Y[0])], 9, 9), ValueError, "fit: batch 1 is a single example: give batches"),
        (Once([(X[:, 0], Y)], 9, 9), ValueError, "fit: batch 1: x is (20,): give (n, ...), one row per example"),
        (Once([(X, Y % 2 * 5)], 9, 9), ValueError, "fit: y has 2 classes, the labels 0, 5, and the model has 3"),
        (Once([([[1.0], [2.0, 3.0]], [0, 1])], 9, 9), ValueError, "fit: batch 1: x has rows of different lengths"),
        (((X, Y), (X, Y)), TypeError, "fit: data is a pair of pairs: give one pair (x, y)"),
        ({"x": X, "y": Y}, TypeError, "fit: data is dict"),
    ],
)
def test_invalid_batches_raise_a_clear_error_and_leave_the_model_unchanged(data, error, words):
    model = small()
    with pytest.raises(error, match=re.escape(words)):
        pn.fit(model, data, verbose=0)
    assert model.input_shape is None
    assert model.card == small().card


def test_a_built_model_refuses_batches_of_another_shape():
    model = small()
    model.build((3,))
    before = model.fingerprint()
    with pytest.raises(ValueError, match=r"fit: batch 1: the model was built for inputs \(3,\), this data has \(4,\)"):
        pn.fit(model, GOOD, verbose=0)
    assert model.fingerprint() == before


@pytest.mark.parametrize(("later", "many"), [(1, "1"), (5, "more")])
def test_an_epoch_of_a_different_length_raises_a_clear_error(later, many):
    data = Once(GOOD, 3, later)
    if many == "more":
        data.batches = [*GOOD, *GOOD]
        data.__class__ = type("Growing", (Once,), {"__iter__": growing})
    with pytest.raises(
        ValueError, match=rf"fit: data returned 4 batches in the first pass and {many} in a later one: give a"
    ):
        pn.fit(small(), data, epochs=3, verbose=0)


def growing(self):
    self.passes -= 1
    return iter(GOOD if self.passes >= 0 else self.batches)


def test_a_share_of_batches_cannot_be_held_out():
    with pytest.raises(ValueError, match=r"fit: validation=0.2 needs arrays, but data is batches: give the"):
        pn.fit(small(), GOOD, validation=0.2, verbose=0)
    with pytest.raises(TypeError, match="fit: validation: data is a generator, which is exhausted after one epoch"):
        pn.fit(small(), GOOD, validation=generator(), verbose=0)
    with pytest.raises(ValueError, match=r"fit: validation has inputs \(3,\), the training data \(4,\)"):
        pn.fit(small(), GOOD, validation=[(X[:, :3], Y)], verbose=0)


class Slices:
    """Batches by number, as Keras' sequences have them: past the last one, slices are empty, and nothing is raised."""

    def __init__(self, x: np.ndarray, y: np.ndarray, size: int) -> None:
        self.x, self.y, self.size = x, y, size

    def __len__(self) -> int:
        return -(-len(self.x) // self.size)

    def __getitem__(self, number: int):
        rows = slice(number * self.size, (number + 1) * self.size)
        return self.x[rows], self.y[rows]


class Repeating(Slices):
    """Begins anew past the last batch, without end."""

    def __getitem__(self, number: int):
        return super().__getitem__(number % len(self))


@pytest.mark.parametrize("kind", [Slices, Repeating])
def test_batches_by_number_end_where_their_length_says(rings, kind):
    x, y = rings
    first, second = small(), small()
    one = pn.fit(first, kind(x, y, 50), epochs=2, validation=kind(x[:70], y[:70], 20), verbose=0)
    two = pn.fit(second, batches(x, y, 50), epochs=2, validation=batches(x[:70], y[:70], 20), verbose=0)
    assert one.fingerprint == two.fingerprint
    assert one["val_loss"] == two["val_loss"]
    reports = [pn.evaluate(first, data, verbose=0) for data in (kind(x, y, 50), batches(x, y, 50))]
    assert reports[0].n == reports[1].n == len(x)
    assert reports[0].accuracy == reports[1].accuracy
