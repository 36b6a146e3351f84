"""pn.Classifier and pn.Regressor: estimators of scikit-learn."""

import os
import pickle
import signal
import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

import pyneural as pn

X = np.random.default_rng(1).normal(size=(90, 3))
CLASS = np.array(["high", "low", "mid"])[np.digitize(X[:, 0] + X[:, 1], [-0.7, 0.7])]
VALUE = 1000 * X[:, 0] ** 2 + 500 * X[:, 1]


def test_classes_are_predicted_as_they_were_given_with_their_probabilities():
    fitted = pn.Classifier(32, epochs=200).fit(X, CLASS)
    assert fitted.classes_.tolist() == ["high", "low", "mid"]
    assert fitted.score(X, CLASS) > 0.9
    probabilities = fitted.predict_proba(X)
    assert probabilities.dtype == np.float64
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-15)
    np.testing.assert_allclose(probabilities, pn.predict(fitted.model_, X), atol=1e-6)  # which is float32
    assert fitted.model_.card.task.classes == ("high", "low", "mid")
    np.testing.assert_array_equal(fitted.classes_[fitted.decision_function(X).argmax(axis=1)], fitted.predict(X))


@pytest.mark.parametrize("labels", [[False, True], [3, 7], ["no", "yes"], [-1.0, 1.0]])
def test_two_classes_have_log_odds(labels):
    y = np.array(labels)[(X[:, 0] > 0).astype(int)]
    fitted = pn.Classifier(16, epochs=200).fit(X, y)
    odds = fitted.decision_function(X)
    assert odds.shape == (90,)
    np.testing.assert_allclose(1 / (1 + np.exp(-odds)), fitted.predict_proba(X)[:, 1], rtol=1e-12)
    assert fitted.predict(X).dtype == y.dtype
    assert fitted.score(X, y) > 0.9


def test_a_weight_is_the_same_as_repeated_rows_to_the_last_bit():
    weights = np.arange(90) % 4
    for estimator, y in ((pn.Classifier(8, epochs=3), CLASS), (pn.Regressor(8, epochs=3), VALUE)):
        weighted = clone(estimator).fit(X, y, sample_weight=weights)
        repeated = clone(estimator).fit(np.repeat(X, weights, axis=0), np.repeat(y, weights))
        assert weighted.history_.fingerprint == repeated.history_.fingerprint


def test_class_weights_are_by_label():
    y = np.where(X[:, 0] > 1.3, "rare", "usual")
    plain = pn.Classifier(8, epochs=40).fit(X + 0.5, y)
    by_label = clone(plain).set_params(class_weight={"rare": 50.0}).fit(X + 0.5, y)
    assert (by_label.predict_proba(X)[:, 0] > plain.predict_proba(X)[:, 0]).mean() > 0.9
    counts = {name: float((y == name).sum()) for name in ("rare", "usual")}
    same = clone(plain).set_params(class_weight={name: 90 / (2 * count) for name, count in counts.items()}).fit(X, y)
    balanced = clone(plain).set_params(class_weight="balanced").fit(X, y)
    assert balanced.history_.fingerprint == same.history_.fingerprint
    with pytest.raises(ValueError, match="Classifier: class_weight has 'rar', which is not a class; they are 'rare'"):
        clone(plain).set_params(class_weight={"rar": 2.0}).fit(X, y)


def test_several_values_are_predicted_together():
    y = np.column_stack([X[:, 0], X[:, 1] - X[:, 2]])
    fitted = pn.Regressor(32, epochs=100).fit(X, y)
    assert fitted.predict(X).shape == (90, 2)
    assert fitted.score(X, y) > 0.9
    assert fitted.n_outputs_ == 2


def test_one_hot_values_are_values():
    fitted = pn.Regressor(8, epochs=2).fit(X, np.eye(3)[np.arange(90) % 3])
    assert fitted.model_.card.task.kind == "values"


def test_a_model_is_copied_and_a_function_makes_one():
    model = pn.Sequential(pn.Dense(8, "tanh"), pn.BatchNorm(), pn.Dense(2))
    fitted = pn.Classifier(model=model, epochs=5).fit(X, X[:, 0] > 0)
    assert not model.is_built
    assert clone(fitted).fit(X, X[:, 0] > 0).history_.fingerprint == fitted.history_.fingerprint
    assert fitted.predict_proba(X).shape == (90, 2)
    sizes = []

    def make(inputs, outputs):
        sizes.append((inputs, outputs))
        return pn.Sequential(pn.Dense(outputs))

    pn.Classifier(model=make, epochs=2).fit(X, CLASS)
    pn.Regressor(model=make, epochs=2).fit(X, VALUE)
    assert sizes == [(3, 3), (3, 1)]
    with pytest.raises(TypeError, match=r"Classifier: model returned None for \(inputs, outputs\): let it return"):
        pn.Classifier(model=lambda inputs, outputs: None).fit(X, CLASS)
    with pytest.raises(TypeError, match="Classifier: model is 'mlp': give a "):
        pn.Classifier(model="mlp").fit(X, CLASS)


def test_images_are_for_a_given_model():
    images = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 1), np.uint8)
    y = images.mean(axis=(1, 2, 3)) > 128
    model = pn.Sequential(pn.Conv2D(4, 3, activation="relu"), pn.Flatten(), pn.Dense(2))
    assert pn.Classifier(model=model, epochs=2).fit(images, y).predict(images).shape == (40,)
    with pytest.raises(ValueError, match="Found array with dim 4"):
        pn.Classifier().fit(images, y)


def test_the_best_epoch_is_chosen_by_a_scorer():
    fitted = pn.Classifier(8, epochs=30, validation_scorer="balanced_accuracy").fit(X, CLASS)
    scores = fitted.history_["val_score"]
    assert len(scores) == 30
    assert fitted.history_.best_epoch == 1 + scores.index(max(scores)) < 30
    card = fitted.model_.card
    assert (card.kept, card.best_epoch) == ("best", fitted.history_.best_epoch)
    assert card.metrics["val_score"] == max(scores)
    assert card.metrics["loss"] == fitted.history_["loss"][card.best_epoch - 1]
    stopped = pn.Classifier(8, epochs=200, patience=3, validation_scorer="accuracy").fit(X, CLASS)
    assert stopped.n_iter_ == stopped.history_.best_epoch + 3
    given = pn.Regressor(8, epochs=4, validation=(X[:30], VALUE[:30]), validation_scorer="r2").fit(X[30:], VALUE[30:])
    best = given.history_["val_score"][given.history_.best_epoch - 1]
    assert given.score(X[:30], VALUE[:30]) == pytest.approx(best, abs=1e-12)
    with pytest.raises(ValueError, match="validation_scorer scores held-out examples, and there are none"):
        pn.Classifier(validation=None, validation_scorer="accuracy").fit(X, CLASS)


def test_a_scorer_takes_the_weights_if_it_can():
    weights = np.arange(90) % 3
    for scorer in ("accuracy", lambda estimator, X, y: estimator.score(X, y)):
        weighted = pn.Classifier(8, epochs=3, validation_scorer=scorer).fit(X, CLASS, sample_weight=weights)
        repeated = clone(weighted).fit(np.repeat(X, weights, axis=0), np.repeat(CLASS, weights))
        assert weighted.history_["val_score"] == repeated.history_["val_score"]


def test_warm_start_goes_on():
    fitted = pn.Classifier(8, epochs=2, warm_start=True).fit(X, CLASS)
    model = fitted.model_
    assert fitted.fit(X, CLASS).model_ is model
    assert model.card.epochs == 4
    with pytest.raises(ValueError, match="y has the class 'other', and the classes are 'high', 'low', 'mid'"):
        fitted.fit(X, np.where(X[:, 0] > 0, "other", "high"))


def test_dropout_batch_norm_and_weight_decay_are_arguments():
    fitted = pn.Classifier((8, 4), dropout=0.1, batch_norm=True, weight_decay=0.1, optimizer="adamw", epochs=2)
    fitted.fit(X, CLASS)
    kinds = [type(layer).__name__ for layer in fitted.model_.layers]
    assert kinds == ["Dense", "BatchNorm", "Dropout", "Dense", "BatchNorm", "Dropout", "Dense"]
    with pytest.raises(ValueError, match="weight_decay goes with an optimizer by name: write weight_decay into AdamW"):
        pn.Classifier(weight_decay=0.1, optimizer=pn.AdamW()).fit(X, CLASS)
    with pytest.raises(ValueError, match=r"Classifier: dropout is 1\.5: give a number from 0 to below 1"):
        pn.Classifier(dropout=1.5).fit(X, CLASS)
    with pytest.raises(TypeError, match="Classifier: hidden is 'many': give the sizes of the hidden layers"):
        pn.Classifier("many").fit(X, CLASS)


def test_a_fitted_estimator_is_pickled():
    for fitted in (pn.Classifier(8, epochs=2).fit(X, CLASS), pn.Regressor(8, epochs=2).fit(X, VALUE)):
        again = pickle.loads(pickle.dumps(fitted))
        np.testing.assert_array_equal(again.predict(X), fitted.predict(X))
        assert again.history_.best_epoch == fitted.history_.best_epoch


@pytest.mark.parametrize(
    ("word", "ours"),
    [("hidden_layer_sizes", "hidden"), ("max_iter", "epochs"), ("alpha", "weight_decay"), ("seed", "random_state")],
)
def test_familiar_arguments_get_ours(word, ours):
    with pytest.raises(TypeError, match=rf"Classifier\(\) has no '{word}'; use {ours}"):
        pn.Classifier(**{word: 1})


def test_familiar_parameters_of_a_search_get_ours():
    with pytest.raises(ValueError, match=r"Classifier\(\) has no 'max_iter'; use epochs"):
        pn.Classifier().set_params(max_iter=10)
    assert pn.Classifier().set_params(epochs=10).epochs == 10


def test_one_class_is_an_error():
    with pytest.raises(ValueError, match="Classifier: all labels are of one class, spam: give at least two classes"):
        pn.Classifier().fit(X, ["spam"] * 90)


def test_scikit_learn_is_an_extra():
    code = """
import sys
import pyneural as pn
assert "sklearn" not in sys.modules
sys.modules["sklearn"] = None
try:
    pn.Classifier(hidden=(8,))
except ImportError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Classifier needs scikit-learn 1.6 or newer: run pip install '.[sklearn]'")


def test_labels_of_0_and_1_are_predicted_together():
    y = np.stack([X[:, 0] > 0, X[:, 1] > 0.5, X[:, 2] < 0], axis=1).astype(int)
    fitted = pn.Classifier(32, epochs=400).fit(X, y)
    assert fitted.predict_proba(X).shape == (90, 3)
    assert fitted.score(X, y) > 0.9  # of rows with all three right
    np.testing.assert_array_equal(fitted.predict(X), fitted.decision_function(X) > 0)


def test_several_columns_of_classes_are_predicted_together():
    y = np.stack([CLASS, np.where(X[:, 2] > 0, "up", "down")], axis=1)
    fitted = pn.Classifier(32, epochs=400).fit(X, y)
    assert [classes.tolist() for classes in fitted.classes_] == [["high", "low", "mid"], ["down", "up"]]
    assert [part.shape for part in fitted.predict_proba(X)] == [(90, 3), (90, 2)]
    assert fitted.score(X, y) > 0.9
    with pytest.raises(ValueError, match="y has several: give sample_weight"):
        clone(fitted).set_params(class_weight="balanced").fit(X, y)
    with pytest.raises(ValueError, match=r"column 1 of y: all labels are of one class, a: give at least two classes"):
        clone(fitted).fit(X, np.stack([CLASS, ["a"] * 90], axis=1))


def test_auto_follows_the_number_of_rows():
    fitted = pn.Classifier(8).fit(X, CLASS)
    assert fitted.n_iter_ == 270  # 2560 / sqrt(90), which is more than 500 steps
    assert "val_loss" not in fitted.history_
    assert max(fitted.history_["learning_rate"]) == pytest.approx(0.01, rel=0.02)
    stopped = pn.Classifier(8, patience=2).fit(X, CLASS)
    assert "val_loss" in stopped.history_
    assert stopped.n_iter_ < 270
    assert pn.Regressor(8, epochs=2, optimizer="sgd", schedule="constant").fit(X, VALUE / 1000).n_iter_ == 2


def units(model):
    return [layer.units for layer in model.layers]


@pytest.mark.parametrize("kind", [pn.Classifier, pn.Regressor])
def test_auto_has_a_second_hidden_layer_for_many_rows(kind):
    x = np.random.default_rng(0).normal(size=(6000, 2))
    y = (x[:, 0] > 0).astype(int)
    quick = {"epochs": 1, "batch_size": 1000}
    assert kind().get_params()["hidden"] == "auto"
    assert units(kind(**quick).fit(x, y).model_) == [128, 64, 1]
    assert units(kind(**quick).fit(x[1:], y[1:]).model_) == [128, 1]
    assert units(kind((128,), **quick).fit(x, y).model_) == [128, 1]
    stream = kind(batch_size=1000)
    stream.partial_fit(x, y, **({"classes": [0, 1]} if kind is pn.Classifier else {}))
    assert units(stream.model_) == [128, 1]  # as in a stream of smaller parts


def test_the_data_is_inspected_only_where_something_is_printed(capsys):
    constant = np.column_stack([X, np.ones(90)])
    pn.Classifier(4, epochs=1).fit(constant, CLASS)
    with pytest.warns(UserWarning, match="Classifier: columns of x have the same value in all rows, 3"):
        pn.Classifier(4, epochs=1, verbose=1).fit(constant, CLASS)


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (
            lambda: pn.evaluate(pn.Classifier(epochs=1).fit(X, CLASS), (X, CLASS)),
            "Classifier: give the model in it, its",
        ),
        (
            lambda: pn.save(pn.Regressor(epochs=1).fit(X, VALUE), "m.safetensors"),
            "Regressor: give the model in it, its",
        ),
        (lambda: pn.predict(pn.Classifier(), X), "its model_, which it has once it is fitted"),
        (
            lambda: pn.Classifier().fit(X, CLASS, eval_set=[(X, CLASS)]),
            r"fit\(\) has no 'eval_set'; use the constructor's",
        ),
        (lambda: pn.Regressor().fit(X, VALUE, epochs=3), r"fit\(\) has no 'epochs'; use the constructor's epochs"),
        (
            lambda: pn.Regressor().fit(X, CLASS),
            "Regressor: y has text, such as '.*': give numbers; pn.Classifier takes",
        ),
        (lambda: pn.Regressor().fit(X, CLASS.astype(object)), "Regressor: y has text"),
    ],
)
def test_mistakes_with_estimators_are_refused_with_the_fix(act, words):
    with pytest.raises((TypeError, ValueError), match=words):
        act()


@pytest.mark.parametrize(
    ("kind", "outputs", "y", "words"),
    [
        (pn.Classifier, 3, X[:, 0] > 0, r"\(3,\), and y has 2 classes: end it in pn.Dense\(2\)"),
        (pn.Classifier, 1, CLASS, r"\(1,\), and y has 3 classes: end it in pn.Dense\(3\)"),
        (pn.Classifier, 3, (X[:, :2] > 0).astype(int), r"\(3,\), and y has 2 labels: end it in pn.Dense\(2\)"),
        (pn.Regressor, 2, VALUE, r"\(2,\), and y has 1 target: end it in pn.Dense\(1\)"),
        (pn.Regressor, 3, X[:, :2], r"\(3,\), and y has 2 targets: end it in pn.Dense\(2\)"),
    ],
)
def test_a_model_with_another_number_of_outputs_is_refused(kind, outputs, y, words):
    with pytest.raises(ValueError, match=f"{kind.__name__}: model has the output shape {words}"):
        kind(model=pn.Sequential(pn.Dense(outputs)), epochs=1).fit(X, y)


def test_ctrl_c_stops_a_cross_validation_and_leaves_a_fitted_estimator():
    epochs = []

    def press(epoch, logs):
        epochs.append(epoch)
        if len(epochs) == 2:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        cross_val_score(pn.Classifier(callbacks=[press], epochs=9), X, CLASS, cv=3)
    assert len(epochs) < 9
    epochs.clear()
    estimator = pn.Classifier(callbacks=[press], epochs=9)
    with pytest.raises(KeyboardInterrupt, match=r"Classifier: interrupted after \d epochs, whose best weights it has"):
        estimator.fit(X, CLASS)
    assert estimator.n_iter_ < 9
    assert estimator.predict(X).shape == (90,)
