"""partial_fit: training call by call, with one optimizer, and with early stopping."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone

import pyneural as pn

rng = np.random.default_rng(3)
X = rng.normal(size=(120, 3))
CLASS = np.where(X[:, 0] + 0.3 * rng.normal(size=120) > 0, "up", "down")
VALUE = X[:, 0] ** 2 + 0.3 * rng.normal(size=120)
NAMES = ["down", "up"]


def test_calls_with_all_examples_are_the_epochs_of_fit():
    fitted = pn.Classifier(8, epochs=6, schedule="constant", weight_decay=0.01).fit(X, CLASS)
    called = clone(fitted)
    for _ in range(3):
        called.partial_fit(X, CLASS, classes=NAMES)
    called = pickle.loads(pickle.dumps(called))  # the optimizer's means are in it
    for _ in range(3):
        called.partial_fit(X, CLASS)
    np.testing.assert_array_equal(called.decision_function(X), fitted.decision_function(X))
    assert called.history_["loss"] == fitted.history_["loss"]
    assert called.n_iter_ == 6


def test_parts_of_the_data_may_lack_classes():
    ups = np.flatnonzero(CLASS == "up")[:20]
    called = pn.Classifier(16).partial_fit(X[ups], CLASS[ups], classes=NAMES)
    assert called.predict_proba(X).shape == (120, 2)
    for _ in range(40):
        called.partial_fit(X, CLASS)
    assert called.partial_fit(X[ups], CLASS[ups]).score(X, CLASS) > 0.7
    with pytest.raises(ValueError, match="the first call of partial_fit needs all classes: give classes="):
        pn.Classifier().partial_fit(X, CLASS)
    with pytest.raises(ValueError, match="y has the class 'left', and the classes are 'down', 'up'"):
        called.partial_fit(X, ["left"] * 120)
    with pytest.raises(ValueError, match="class_weight='balanced' needs all examples: give a dict by label"):
        pn.Classifier(class_weight="balanced").partial_fit(X, CLASS, classes=NAMES)


@pytest.mark.parametrize("scorer", [None, "r2"])
def test_early_stopping_keeps_the_best_weights(scorer):
    called = pn.Regressor(64, patience=4, validation=0.3, validation_scorer=scorer, learning_rate=0.02)
    calls = 0
    while not getattr(called, "stopped_", False):
        called.partial_fit(X, VALUE)
        calls += 1
        assert calls < 300, "it never stopped"
    losses = called.history_["val_loss"]
    held = called._passes.held
    assert 20 < len(held.x) < 52
    if scorer is None:
        best = int(np.argmin(losses))
        assert calls == best + 1 + 4
        found = float(np.mean((called.predict(held.x) - held.y) ** 2))
        assert found == pytest.approx(losses[best], rel=1e-5)  # float32
    before = called.predict(X)
    with pytest.warns(UserWarning, match="partial_fit has stopped, 4 calls after the best one, and learned nothing"):
        called.partial_fit(X, VALUE)
    np.testing.assert_array_equal(called.predict(X), before)
    called.set_params(patience=None, validation_scorer=None).partial_fit(X, VALUE)
    assert not np.array_equal(called.predict(X), before)


def test_an_example_stays_on_its_side_whichever_call_brings_it():
    called = pn.Regressor(4, patience=10, validation=0.3)
    for start in range(0, 120, 40):
        called.partial_fit(X[start : start + 40], VALUE[start : start + 40])
    held = {row.tobytes() for row in called._passes.held.x}
    called.partial_fit(X[::-1], VALUE[::-1])
    assert {row.tobytes() for row in called._passes.held.x} == held


def test_fit_begins_anew_and_partial_fit_goes_on_from_it():
    called = pn.Classifier(8, epochs=5, patience=3).partial_fit(X, CLASS, classes=NAMES)
    fitted = called.fit(X, CLASS)
    assert fitted.n_iter_ <= 5
    assert fitted.partial_fit(X, CLASS).model_.card.epochs == fitted.n_iter_
