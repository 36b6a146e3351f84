"""fit(accumulate=k): the gradient of k batches together."""

import weakref

import numpy as np
import pytest

import pyneural as pn
from pyneural.training.accumulating import Groups

STEPS = {"epochs": 3, "optimizer": "sgd", "learning_rate": 0.1, "verbose": 0, "validation": None}


def rows(n: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    return generator.normal(size=(n, 4)), generator.integers(0, 3, n)


def network() -> pn.Sequential:
    return pn.Sequential(pn.Dense(5, "tanh"), pn.Dropout(0.2), pn.Dense(3), dtype="float64")


def heads() -> pn.Model:
    inputs = pn.Input((4,))
    return pn.Model(inputs, {"a": pn.Dense(3)(inputs), "b": pn.Dense(3)(inputs)}, dtype="float64")


def same(one: pn.Model, other: pn.Model) -> None:
    for name, tensor in one.parameters.items():
        np.testing.assert_allclose(tensor.numpy(), other.parameters[name].numpy(), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", pn.SGD(clip_norm=0.05)])
@pytest.mark.parametrize("n", [192, 203])
def test_k_batches_train_like_one_of_k_times_the_size(optimizer, n):
    data = rows(n)
    one, other = network(), network()
    options = STEPS | {"optimizer": optimizer}
    first = pn.fit(one, data, batch_size=16, accumulate=4, **options)
    second = pn.fit(other, data, batch_size=64, **options)
    same(one, other)
    assert first.steps == second.steps == 3 * -(-n // 64)
    assert first["learning_rate"] == second["learning_rate"]
    np.testing.assert_allclose(first["loss"], second["loss"], rtol=1e-12)
    np.testing.assert_allclose(first["accuracy"], second["accuracy"], rtol=1e-12)


def test_weights_share_the_step_by_their_totals():
    x, y = rows(100)
    w = np.random.default_rng(1).exponential(size=100) ** 3
    one, other = network(), network()
    options = STEPS | {"sample_weight": w, "class_weight": {0: 0.1, 2: 8}}
    pn.fit(one, (x, y), batch_size=10, accumulate=3, **options)
    pn.fit(other, (x, y), batch_size=30, **options)
    same(one, other)


def test_every_head_shares_by_its_own_weights():
    x, y = rows(100)
    labels = {"a": y, "b": (y + 1) % 3}
    options = STEPS | {"class_weight": {"a": {0: 9}, "b": {1: 0}}, "loss_weights": {"b": 0.3}}
    one, other = heads(), heads()
    first = pn.fit(one, (x, labels), batch_size=4, accumulate=5, **options)
    second = pn.fit(other, (x, labels), batch_size=20, **options)
    same(one, other)
    for name in ("loss", "a_loss", "b_loss"):
        np.testing.assert_allclose(first[name], second[name], rtol=1e-12)


def test_batches_of_any_size_share_by_their_rows():
    x, y = rows(60)
    cuts = [(0, 5), (5, 30), (30, 33), (33, 60)]
    one, other = network(), network()
    pn.fit(one, [(x[start:end], y[start:end]) for start, end in cuts], accumulate=2, **STEPS)
    pn.fit(other, [(x[:30], y[:30]), (x[30:], y[30:])], **STEPS)
    same(one, other)


class Steps(pn.callbacks.Callback):
    def __init__(self) -> None:
        self.seen = []

    def on_batch_end(self, step, logs):
        self.seen.append(step)


def test_steps_are_those_of_the_optimizer(capsys):
    seen = Steps()
    model = network()
    history = pn.fit(model, rows(70), batch_size=16, accumulate=2, callbacks=[seen], ema=0.5,
                     **STEPS | {"verbose": 2, "epochs": 2})  # fmt: skip
    assert seen.seen == [1, 2, 3] * 2  # 16, 16 | 16, 16 | 6
    assert history.steps == 6
    out = capsys.readouterr().out
    assert "batch 16 x 2 ·" in out
    assert "step 3/3" in out
    assert "step 4" not in out


@pytest.mark.filterwarnings("ignore:fit. x runs from")
def test_a_loss_that_is_not_finite_is_found_in_any_batch_of_a_step():
    x, y = rows(64)
    x[40:] = 1e160  # whose square overflows
    with pytest.raises(FloatingPointError, match=r"loss became (nan|inf) in epoch 1, step 1.*the op mse in the loss"):
        pn.fit(pn.Sequential(pn.Dense(1), dtype="float64"), (x, y * 1.0), batch_size=8, accumulate=4,
               preprocess=None, loss="mse", **STEPS)  # fmt: skip


@pytest.mark.parametrize("given", [0, -1, 1.5, "2", True, None])
def test_what_is_not_a_number_of_batches_is_refused(given):
    with pytest.raises(ValueError, match=r"^fit: accumulate is .*: give a whole number of at least 1$"):
        pn.fit(network(), rows(20), accumulate=given, **STEPS)


def test_a_batch_is_freed_before_the_next_one_is_made():
    """So that it can have the same memory."""
    made: list[weakref.ref] = []

    def batch():
        assert all(one() is None for one in made)
        x = pn.ones(4)
        made.append(weakref.ref(x))
        return x, None, None, x

    for x, _, _, samples in Groups((batch() for _ in range(3)), 1, None):
        del x, samples
    assert len(made) == 3
