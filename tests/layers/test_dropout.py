"""Dropout called several times within one step: a new mask each time, the same masks whenever the step is repeated."""

from __future__ import annotations

import numpy as np
import pytest

import pyneural as pn

X = np.ones((6, 40), np.float32)


class Twice(pn.Layer):
    """Gives what its one dropout makes of x, twice."""

    def __init__(self) -> None:
        super().__init__()
        self.drop = pn.Dropout(0.5)

    def call(self, x: pn.Tensor, *, training: bool) -> pn.Tensor:
        return pn.concat([self.drop(x, training=training), self.drop(x, training=training)], axis=1)


def in_a_layer() -> pn.Model:
    return pn.Sequential(Twice())


def in_a_graph() -> pn.Model:
    x, drop = pn.Input((40,)), pn.Dropout(0.5)
    return pn.Model(x, pn.Concatenate()(drop(x), drop(x)))


def in_a_shared_block() -> pn.Model:
    x, block = pn.Input((40,)), pn.Sequential(pn.Dropout(0.5))
    return pn.Model(x, pn.Concatenate()(block(x), block(x)))


def in_a_block_within_a_layer() -> pn.Model:
    class Block(pn.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.block = pn.Sequential(pn.Dropout(0.5))

        def call(self, x: pn.Tensor, *, training: bool) -> pn.Tensor:
            return pn.concat([self.block(x, training=training), self.block(x, training=training)], axis=1)

    return pn.Sequential(Block())


@pytest.mark.parametrize("make", [in_a_layer, in_a_graph, in_a_shared_block, in_a_block_within_a_layer])
def test_a_second_call_within_a_step_draws_another_mask(make) -> None:
    model = make()
    model.build((40,))
    out = model(X, training=True).numpy()
    first, second = out[:, :40] != 0, out[:, 40:] != 0
    assert 0.3 < np.mean(first != second) < 0.7
    other = make()
    other.build((40,))
    assert np.array_equal(other(X, training=True).numpy(), out)
    assert not np.array_equal(model(X, training=True).numpy(), out), "the next step draws anew"
    assert (model(X).numpy() == 1).all()


def test_the_first_call_draws_what_a_layer_called_once_draws() -> None:
    once = pn.Sequential(pn.Dropout(0.5, name="drop"))
    once.build((40,))
    x, drop = pn.Input((40,)), pn.Dropout(0.5, name="drop")
    twice = pn.Model(x, pn.Concatenate()(drop(x), drop(x)))
    twice.build((40,))
    assert np.array_equal(twice(X, training=True).numpy()[:, :40], once(X, training=True).numpy())


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_a_training_is_the_same_for_any_number_of_threads(threads: int, rings) -> None:
    def train() -> str:
        model = pn.Sequential(pn.Dense(40, "relu"), Twice(), pn.Dense(3))
        return pn.fit(model, rings, epochs=2, verbose=0).fingerprint

    expected = train()
    pn.set_threads(threads)
    assert train() == expected


def test_masks_of_a_training_do_not_depend_on_how_samples_are_batched() -> None:
    from pyneural.layers.context import Position, position

    masks = []
    for order in (np.arange(6), np.array([3, 1, 5, 0, 2, 4])):
        model = in_a_layer()
        model.build((40,))
        at = Position(1, 2)
        token = position.set(at)
        out = np.empty((6, 80), np.float32)
        for half in (order[:2], order[2:]):
            at.begin(pn.tensor(half))
            out[half] = model.call(pn.tensor(X[: len(half)]), training=True).numpy()
        position.reset(token)
        masks.append(out)
    assert np.array_equal(masks[0], masks[1])


def test_gradients_of_a_model_with_repeated_dropout_can_be_checked() -> None:
    model = pn.Sequential(pn.Dense(4, "tanh"), Twice(), pn.Dense(2), dtype="float64")
    pn.check_gradients(model, np.random.default_rng(0).normal(size=(5, 3)), np.array([0, 1, 0, 1, 1]), verbose=0)


def test_a_layer_of_a_model_called_by_hand_draws_new_numbers_each_time() -> None:
    def masks() -> list[np.ndarray]:
        model = pn.Sequential(pn.Dropout(0.5))
        model.build((40,))
        drop = model["dropout_1"]
        return [drop(pn.tensor(X), training=True).numpy() for _ in range(3)]

    first, second, third = masks()
    assert not np.array_equal(first, second)
    assert not np.array_equal(second, third)
    for one, other in zip(masks(), (first, second, third), strict=True):
        assert np.array_equal(one, other)
