"""Optimizers as Python sees them, and schedules."""

import re

import numpy as np
import pytest

import pyneural as pn
from pyneural import _core, schedules
from pyneural.training import optimizers


def test_every_optimizer_of_the_engine_has_its_class():
    assert set(optimizers.NAMES) == set(_core.optimizer_table())
    for name, kind in optimizers.NAMES.items():
        assert getattr(pn, kind.__name__) is kind
        for hyper, value in _core.optimizer_table()[name]["defaults"].items():
            assert f"{hyper}={value}" in kind.__doc__


@pytest.mark.parametrize("kind", list(optimizers.NAMES.values()))
def test_every_optimizer_trains_by_default(kind, rings):
    model = pn.Sequential(pn.Dense(32, "relu"), pn.Dense(3))
    history = pn.fit(model, rings, epochs=20, batch_size=16, optimizer=kind.kind, verbose=0)
    assert history["val_loss"][-1] < 0.97 * history["val_loss"][0]


def test_a_recipe_makes_a_fresh_optimizer_each_time(rings):
    recipe = pn.SGD(learning_rate=0.1, momentum=0.9)
    prints = {
        pn.fit(pn.Sequential(pn.Dense(3)), rings, epochs=1, optimizer=recipe, verbose=0).fingerprint for _ in range(2)
    }
    assert len(prints) == 1
    assert recipe.steps == 0


def test_by_hand_over_tensors():
    w = pn.tensor([3.0, -2.0], requires_grad=True)
    optimizer = pn.SGD([w], learning_rate=0.25, momentum=0.0)
    for _ in range(3):
        (w * w).sum().backward()
        optimizer.step()
    np.testing.assert_allclose(w.numpy(), [0.375, -0.25])
    optimizer.learning_rate = 0.5
    assert optimizer.learning_rate == 0.5
    assert optimizer.steps == 3


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: pn.Adam(lr=0.1), TypeError, "Adam() has no 'lr'; did you mean 'learning_rate'"),
        (lambda: pn.SGD(momentun=0.1), TypeError, "did you mean 'momentum'"),
        (lambda: pn.Adam(learning_rate=0), ValueError, "learning_rate is 0: give a number above 0"),
        (lambda: pn.Adam(learning_rate="fast"), TypeError, "learning_rate is 'fast': give a number"),
        (lambda: pn.Adam(beta1=-1.0), ValueError, "beta1 is -1.0"),
        (lambda: pn.Adam().step(), RuntimeError, "create it as pn.Adam(model), or pass it to pn.fit"),
        (lambda: pn.Adam(pn.Sequential(pn.Dense(3))), RuntimeError, "call model.build(shape)"),
        (lambda: pn.Optimizer(), TypeError, "make one of sgd"),
    ],
)
def test_what_an_optimizer_refuses(make, error, words):
    with pytest.raises(error) as caught:
        make()
    assert words in str(caught.value)


def test_schedules_have_their_shapes():
    steps = 100
    run = {name: [schedule(step, steps) for step in range(steps)] for name, schedule in schedules.NAMES.items()}
    assert set(run["constant"]) == {1.0}
    assert [run["step"][s] for s in (0, 33, 34, 67)] == pytest.approx([1, 1, 0.1, 0.01])
    assert run["cosine"][0] == 1
    assert run["cosine"][50] == pytest.approx(0.5)
    assert max(run["one-cycle"]) == run["one-cycle"][25] == 1
    assert run["one-cycle"][0] == pytest.approx(0.04)
    assert run["one-cycle"][-1] < 0.01
    for name, values in run.items():
        assert all(0 < value <= 1 for value in values), name


@pytest.mark.parametrize("schedule", list(schedules.NAMES.values()))
def test_schedules_bear_a_single_step(schedule):
    assert 0 < schedule(0, 1) <= 1


def test_a_function_is_a_schedule(rings):
    seen = []

    def half(step, steps):
        seen.append((step, steps))
        return 0.5

    history = pn.fit(pn.Sequential(pn.Dense(3)), rings, epochs=2, learning_rate=0.1, schedule=half, verbose=0)
    assert seen == [(step, 18) for step in range(18)]
    assert history["learning_rate"] == pytest.approx([0.05, 0.05])


@pytest.mark.parametrize("value", [None, "a", float("nan"), float("inf"), -1.0, [1, 2]])
def test_a_schedule_that_returns_no_multiplier_is_reported(rings, value):
    def falling(step, steps):
        return 1.0 if step < 3 else value

    with pytest.raises(
        ValueError, match=rf"^fit: schedule falling returned {re.escape(repr(value))} for step 3 of 18: "
    ):
        pn.fit(pn.Sequential(pn.Dense(3)), rings, schedule=falling, epochs=2, verbose=0)
