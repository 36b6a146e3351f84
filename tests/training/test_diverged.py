"""A training that ends finite but useless is reported with its learning rate; no other one is."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

import pyneural as pn

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (200, 8, 8, 1), np.uint8)
DIGITS = np.arange(200) % 10
X = RNG.normal(size=(200, 3))
Y = 1000 * X[:, 0] + 5000


def cnn(end: int = 10) -> pn.Sequential:
    return pn.Sequential(pn.Conv2D(4, 3, activation="relu"), pn.MaxPool2D(2), pn.Flatten(), pn.Dense(end))


def values() -> pn.Sequential:
    return pn.Sequential(pn.Dense(8, "tanh"), pn.Dense(1))


def heads() -> pn.Model:
    x = pn.Input((3,))
    h = pn.Dense(8, "tanh")(x)
    return pn.Model(x, {"kind": pn.Dense(2)(h), "price": pn.Dense(1)(h)})


@pytest.mark.parametrize(
    ("make", "data", "rate", "words"),
    [
        (cnn, (IMAGES, DIGITS), 1e6, r"^fit: val_loss is [\d,.e+]+ at best, where the same answer .* has about 2.3: "),
        (partial(cnn, 1), (IMAGES, DIGITS % 2), 1e4, r"has about 0.693: .* diverged, so the learning rate of 10000 "),
        (values, (X, Y), 2.0, r"has about [\d.e+]+: the training diverged"),
        (heads, (X, {"kind": DIGITS % 2, "price": Y}), 10.0, r"has about 1.69: the training diverged"),
    ],
    ids=["classes", "binary", "values", "heads"],
)
def test_a_diverged_training_is_reported_with_its_learning_rate(make, data, rate, words):
    with pytest.warns(UserWarning, match=words) as found:
        pn.fit(make(), data, epochs=1, optimizer=pn.SGD(learning_rate=rate), schedule="constant", verbose=0)
    assert len(found) == 1


def test_without_validation_the_training_loss_tells():
    with pytest.warns(UserWarning, match=r"^fit: loss is .* at best"):
        pn.fit(cnn(), (IMAGES, DIGITS), epochs=1, optimizer=pn.SGD(learning_rate=1e6), validation=None, verbose=0)


def test_other_bad_trainings_are_not_reported():
    """Overfitting, a strange scale, and a training that recovers; a warning would be an error."""
    noise = RNG.integers(0, 2, 40)
    wide = pn.Sequential(pn.Dense(64, "relu"), pn.Dense(2))
    history = pn.fit(
        wide, (X[:40], noise), validation=(X[:40], 1 - noise), epochs=100, keep="last", learning_rate=0.03, verbose=0
    )
    assert history["val_loss"][-1] > 2 > history["val_loss"][0]
    pixels = IMAGES.reshape(200, 64)
    pn.fit(pn.Sequential(pn.Dense(10)), (pixels, DIGITS), epochs=1, preprocess=None, learning_rate=1e-6, verbose=0)

    class Late(pn.callbacks.Callback):
        def on_epoch_end(self, epoch, logs):
            self.run.learning_rate_factor = 1e6

    pn.fit(cnn(), (IMAGES, DIGITS), epochs=2, optimizer="sgd", schedule="constant", callbacks=[Late()], verbose=0)
