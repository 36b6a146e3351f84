"""Drawing classes evenly: counts, order, sample numbers."""

import numpy as np
import pytest

import pyneural as pn
from pyneural.batching.balancing import Draws


@pytest.mark.parametrize(("counts", "n_classes"), [((90, 9, 1), 3), ((5, 5), 2), ((7, 100, 3, 1), 4), ((1, 12), 2)])
@pytest.mark.parametrize("epoch", [0, 1, 2])
def test_every_class_is_drawn_equally_often(counts, n_classes, epoch):
    classes = np.random.default_rng(0).permutation(np.repeat(np.arange(n_classes) * 3, counts))
    n = len(classes)
    places, copies = Draws(classes).of_epoch(5, epoch)
    assert len(places) == len(copies) == n
    per_class = [int((classes[places] == 3 * number).sum()) for number in range(n_classes)]
    assert sum(per_class) == n
    assert max(per_class) - min(per_class) <= 1
    for number, (count, draws) in enumerate(zip(counts, per_class, strict=True)):
        times = np.bincount(places, minlength=n)[classes == 3 * number]
        assert set(times.tolist()) <= {draws // count, draws // count + 1}
        assert times.sum() == draws
    for place in np.unique(places):  # copies are numbered from 0
        assert sorted(copies[places == place]) == list(range(int((places == place).sum())))


def test_the_order_depends_on_seed_and_epoch_alone():
    classes = np.repeat([0, 1], [50, 5])
    draws = {(seed, epoch): Draws(classes).of_epoch(seed, epoch) for seed in (0, 1) for epoch in (0, 1)}
    again = Draws(classes).of_epoch(1, 1)
    assert np.array_equal(draws[1, 1], again)
    assert len({places.tobytes() for places, _ in draws.values()}) == 4


def test_leftover_draws_and_examples_change_from_epoch_to_epoch():
    classes = np.repeat([0, 1, 2], [30, 3, 2])  # 35 = 3 * 11 + 2
    times, extra = np.zeros(35, int), set()
    for epoch in range(40):
        places, _ = Draws(classes).of_epoch(0, epoch)
        times += np.bincount(places, minlength=35)
        extra.add(tuple(np.bincount(classes[places])))
    assert extra == {(12, 12, 11), (12, 11, 12), (11, 12, 12)}
    assert (times[:30] > 5).all(), "every example of the common class has its turn"


class Samples(pn.Layer):
    """Records the sample numbers of the batches."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = []

    def call(self, x, *, training):
        from pyneural.layers.context import current_position

        if training and (at := current_position()) is not None:
            self.seen.append((np.rint(100 * np.array(x)[:, 0]).astype(int), np.array(at.samples)))
        return x


def test_fit_draws_evenly_and_numbers_repeated_examples_apart(capsys):
    y = np.repeat([0, 1], [90, 10])
    x = np.stack([np.arange(100.0) / 100, y], axis=1).astype(np.float32)
    layer = Samples()
    pn.fit(pn.Sequential(layer, pn.Dense(2)), (x, y), preprocess=None, balance=True, validation=None, epochs=2,
           batch_size=25, learning_rate=1e-9)  # fmt: skip
    assert "classes drawn evenly" in capsys.readouterr().out
    rows = np.concatenate([rows for rows, _ in layer.seen])
    samples = np.concatenate([samples for _, samples in layer.seen])
    for epoch in (slice(0, 100), slice(100, 200)):
        assert np.bincount(y[rows[epoch]]).tolist() == [50, 50]
        assert len(np.unique(samples[epoch])) == 100
        assert np.array_equal(samples[epoch] % 100, rows[epoch])
    assert not np.array_equal(rows[:100], rows[100:])


def heads(*kinds: str) -> pn.Model:
    inputs = pn.Input((2,))
    return pn.Model(inputs, {name: pn.Dense(1 if name == "v" else 2)(inputs) for name in kinds})


def test_what_cannot_be_balanced_is_refused():
    x, y = np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32), np.arange(40) % 2
    labels = {"a": y, "b": 1 - y, "v": x[:, 0]}
    for model, data, options, words in (
        (pn.Sequential(pn.Dense(1)), (x, x[:, 0]), {"balance": True}, "fit: balance draws classes evenly, and the la"),
        (pn.Sequential(pn.Dense(2)), [(x, y)], {"balance": True}, "fit: balance needs arrays, but data is batches"),
        (pn.Sequential(pn.Dense(2)), (x, y), {"balance": 2}, "fit: balance is 2: give True, False$"),
        (pn.Sequential(pn.Dense(2)), (x, y), {"balance": "a"}, "fit: balance is 'a': give True, False$"),
        (heads(*"abv"), (x, labels), {"balance": True}, "fit: balance=True is for one head of classes, and the model"),
        (heads(*"abv"), (x, labels), {"balance": "v"}, r"give True, False or the name of a head \(a, b\)"),
        (pn.Sequential(pn.Dense(2)), (x, y), {"balance": True, "class_weight": "balanced"}, "both make the classes ev"),
    ):
        with pytest.raises(ValueError, match=words):
            pn.fit(model, data, verbose=0, **options)
        assert not model.is_built


def test_a_head_may_be_named():
    x, y = np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32), np.arange(40) % 4
    labels = {"a": (y == 0).astype(int), "b": y % 2, "v": x[:, 0]}
    for model, parts, balance in ((heads(*"abv"), "abv", "a"), (heads(*"av"), "av", True)):
        history = pn.fit(model, (x, {name: labels[name] for name in parts}), balance=balance, epochs=2, verbose=0)
        assert history.epochs == 2
