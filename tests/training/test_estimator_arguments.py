"""pn.Classifier and pn.Regressor: labels, weights and arguments that other libraries' estimators had trouble with."""

import copy

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sparse

import pyneural as pn
from pyneural.arguments.familiar_estimators import OF_FITTED

X = np.random.default_rng(4).normal(size=(60, 3))
Y = (X[:, 0] > 0).astype(int)
THREE = np.digitize(X[:, 0], [-0.5, 0.5])
VALUE = 2 * X[:, 0] + 1


def classifier(**options):
    return pn.Classifier(4, **{"epochs": 2} | options)


def regressor(**options):
    return pn.Regressor(4, **{"epochs": 2} | options)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({0: -1.0}, "class_weight has -1.0 for the class 0: give a number of at least 0"),
        ({0: np.nan}, "class_weight has nan for the class 0"),
        ({1: np.inf}, "class_weight has inf for the class 1"),
        ({1: "2"}, "class_weight has '2' for the class 1"),
        ({0: 0, 1: 0}, "class_weight is 0 for all examples: give a weight above 0 to some classes"),
    ],
)
def test_class_weights_are_numbers_of_at_least_0(weights, message):
    with pytest.raises(ValueError, match=f"Classifier: {message}"):
        classifier(class_weight=weights).fit(X, Y)
    with pytest.raises(ValueError, match=f"Classifier: {message}"):
        classifier(class_weight=weights).partial_fit(X, Y, classes=[0, 1])


def test_numbers_in_an_array_of_objects_are_numbers():
    for labels in (Y, Y.astype(bool)):
        fitted = classifier().fit(X, labels.astype(object))
        assert fitted.classes_.dtype == labels.dtype
        assert fitted.score(X, labels.astype(object)) == fitted.score(X, labels)
        passed = classifier().partial_fit(X, labels.astype(object), classes=[0, 1])
        np.testing.assert_array_equal(passed.predict(X), classifier().partial_fit(X, labels, [0, 1]).predict(X))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.where(Y, "a", np.array(1, object)), r"labels such as .*'a' \(str\).*: give all as text, or all"),
        (pd.DataFrame({"p": np.where(Y, "a", "b"), "q": Y}), "give all as text, or all as numbers"),
        (np.array([{}] * 60), r"labels such as \{\} \(dict\): give all as text"),
    ],
)
def test_labels_without_an_order_are_refused_by_type(labels, message):
    with pytest.raises(TypeError, match=f"Classifier: y has .*{message}"):
        classifier().fit(X, labels)


def test_messages_tell_text_from_numbers():
    with pytest.raises(ValueError, match="y has the class '0', and the classes are 0, 1"):
        classifier(warm_start=True).fit(X, Y).fit(X, Y.astype(str))


def test_an_error_leaves_an_estimator_as_it_was():
    fitted = classifier().fit(X, np.where(Y, "a", "b"))
    before = fitted.predict(X)
    with pytest.raises(ValueError, match="learning_rate is -1"):
        fitted.set_params(learning_rate=-1).fit(X[:, :2], np.where(Y, "c", "d"))
    np.testing.assert_array_equal(fitted.predict(X), before)
    assert fitted.n_features_in_ == 3
    passed = classifier(loss="nope")
    with pytest.raises(ValueError, match="nope"):
        passed.partial_fit(X, Y, classes=[0, 1])
    assert passed.set_params(loss="auto").partial_fit(X, THREE, classes=[0, 1, 2]).predict_proba(X).shape == (60, 3)


@pytest.mark.parametrize("given", ["none", True, 1, 20, -0.1, (X, Y, Y), pn.Dataset(X, Y)])
def test_validation_is_a_share_or_a_pair(given):
    for fit in (classifier(patience=2, validation=given).fit, regressor(patience=2, validation=given).partial_fit):
        with pytest.raises(ValueError, match=r"validation is .*: give a share between 0 and 1"):
            fit(X, Y)


def test_patience_needs_validation():
    with pytest.raises(
        ValueError, match="Classifier: patience=2 needs held-out examples, and validation is None: give"
    ):
        classifier(patience=2, validation=None).fit(X, Y)


def test_a_score_that_is_not_a_number_is_the_lowest():
    scores = [float("nan"), 1.0, 2.0, float("nan"), 0.5]
    rest = iter(scores)
    fitted = classifier(epochs=5, validation_scorer=lambda *_: next(rest)).fit(X, Y)
    assert fitted.history_.best_epoch == 3
    of_calls = iter([1.0, float("nan"), 1.0])  # of the first call, the second one, and again of the weights before
    passed = classifier(validation_scorer=lambda *_: next(of_calls)).partial_fit(X, Y, classes=[0, 1])
    first = passed.predict_proba(X)
    np.testing.assert_array_equal(passed.partial_fit(X, Y).predict_proba(X), first)


def test_values_may_be_sparse_and_not_dates():
    two = np.stack([VALUE, Y], axis=1)
    same = regressor().fit(X, sparse.csr_matrix(two)).predict(X)
    np.testing.assert_array_equal(same, regressor().fit(X, two).predict(X))
    with pytest.raises(TypeError, match=r"Regressor: y has dtype datetime64.s.: give numbers, such"):
        regressor().fit(X, VALUE.astype("datetime64[s]"))
    with pytest.raises(TypeError, match=r"Regressor: X has dtype timedelta64.s.: give numbers"):
        regressor().fit(X.astype("timedelta64[s]"), VALUE)


def test_another_number_of_values_names_the_first_fit():
    two = np.stack([VALUE, Y], axis=1)
    with pytest.raises(ValueError, match=r"Regressor: y is \(60, 2\): give \(60,\), as in the first fit"):
        regressor(warm_start=True).fit(X, VALUE).fit(X, two)
    with pytest.raises(ValueError, match=r"Regressor: y is \(60,\): give \(60, 2\), as in the first fit"):
        regressor().partial_fit(X, two).partial_fit(X, VALUE)


def test_a_new_fit_may_have_validation_data_of_another_kind():
    two = np.stack([VALUE, Y], axis=1)
    fitted = regressor().fit(X, VALUE).set_params(validation=(X, two), patience=2).fit(X, two)
    assert fitted.predict(X).shape == (60, 2)
    frame = pd.DataFrame({"kind": np.where(Y, "a", "b"), "n": X[:, 1]})
    fitted.set_params(validation=(frame, VALUE)).fit(frame, VALUE)
    assert fitted.set_params(validation=(X, VALUE)).fit(X, VALUE).predict(X).shape == (60,)


def test_a_network_that_goes_on_has_the_arguments_that_it_was_made_of():
    fitted = regressor(warm_start=True).fit(X, VALUE)
    before = fitted.predict(X)
    for changed in ({"hidden": (8,)}, {"activation": "tanh"}, {"dropout": 0.5}, {"dtype": "float64"}):
        again = copy.deepcopy(fitted).set_params(**changed)
        with pytest.raises(
            ValueError, match=f"Regressor: {next(iter(changed))} is .* and the network of the first fit"
        ):
            again.fit(X, VALUE)
        assert np.array_equal(again.predict(X), before)
    fitted.set_params(hidden=4, epochs=3).fit(X, VALUE)
    with pytest.raises(ValueError, match="hidden is 5"):
        regressor().partial_fit(X, VALUE).set_params(hidden=5).partial_fit(X, VALUE)


def test_callbacks_are_those_of_fit():
    seen = []
    classifier(callbacks=lambda epoch, logs: seen.append(epoch)).fit(X, Y)
    classifier(callbacks=lambda epoch, logs: seen.append(epoch), validation_scorer="accuracy").fit(X, Y)
    assert seen == [1, 2, 1, 2]
    for wrong in (None, 3):
        with pytest.raises(TypeError, match=f"Classifier: callbacks is {wrong}: give a list of callbacks"):
            classifier(callbacks=wrong).fit(X, Y)


def test_arrays_with_missing_values_name_the_fix():
    missing = X.copy()
    missing[3, 1] = np.nan
    with pytest.raises(ValueError, match=r"Classifier: X contains NaN: give a DataFrame, in which NaN is a missing"):
        classifier().fit(missing, Y)
    with pytest.raises(ValueError, match=r"Regressor: X contains NaN: give a DataFrame"):
        regressor().fit(X, VALUE).predict(missing)
    assert classifier().fit(pd.DataFrame(missing), Y).predict(pd.DataFrame(missing)).shape == (60,)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"activation": "logistic"}, r"activation 'logistic'\? did you mean 'sigmoid'"),
        ({"activation": "identity"}, r"activation 'identity': a layer without an activation is linear"),
        (
            {"learning_rate": "adaptive"},
            r"learning_rate is 'adaptive': give a number; .*ReduceLROnPlateau\(\)\] lowers it",
        ),
        ({"learning_rate": "constant"}, r"learning_rate is 'constant': give a number; .* schedule='constant'"),
    ],
)
def test_words_of_scikit_learn_get_a_hint(options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        classifier(**options).fit(X, Y)


def test_attributes_of_scikit_learn_get_a_hint():
    fitted = classifier(validation=0.2, patience=2, validation_scorer="accuracy").fit(X, Y)
    with pytest.raises(AttributeError, match=r"^Classifier has no 'loss_curve_'; use estimator.history_\['loss'\]$"):
        fitted.loss_curve_  # noqa: B018
    for name, ours in OF_FITTED.items():
        assert not hasattr(fitted, name)
        assert eval(ours.split(",")[0], {"estimator": fitted, "min": min}) is not None or "summary" in ours
    with pytest.raises(AttributeError, match=r"^'Classifier' object has no attribute 'nothing_'$"):
        fitted.nothing_  # noqa: B018
    assert not hasattr(copy.deepcopy(classifier()), "model_")
