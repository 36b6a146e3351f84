"""pn.Classifier and pn.Regressor in scikit-learn's pipelines, searches and ensembles, and in joblib's workers."""

import io
import os
import time

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy import sparse
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import AdaBoostClassifier, BaggingClassifier, StackingRegressor, VotingClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.inspection import permutation_importance
from sklearn.linear_model import Ridge
from sklearn.model_selection import (
    GridSearchCV,
    HalvingRandomSearchCV,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
)
from sklearn.multioutput import ClassifierChain
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import pyneural as pn

rng = np.random.default_rng(5)
X = rng.normal(size=(120, 3))
CLASS = np.where(X[:, 0] * 2 > X[:, 1], "up", "down")
VALUE = X[:, 0] - X[:, 1]


def tiny() -> pn.Classifier:
    return pn.Classifier(8, epochs=60, learning_rate=0.03)


def values() -> pn.Regressor:
    return pn.Regressor(8, epochs=60, learning_rate=0.03)


def threads_of_fit(estimator: pn.Classifier, seconds: float = 0.0) -> tuple[int, int]:
    estimator.fit(X, CLASS)
    time.sleep(seconds)  # so that each worker takes one
    return os.getpid(), pn.get_threads()


def test_a_pipeline_scales_fits_and_scores():
    fitted = make_pipeline(StandardScaler(), tiny()).fit(X, CLASS)
    assert fitted.score(X, CLASS) > 0.9
    assert fitted.predict_proba(X).shape == (120, 2)
    assert "Classifier" in fitted._repr_html_()


def test_a_grid_is_searched_in_two_processes():
    search = GridSearchCV(tiny(), {"hidden": [2, (8, 8)], "optimizer": ["adam", pn.SGD(momentum=0.9)]}, cv=2, n_jobs=2)
    search.fit(X, CLASS)
    assert search.best_score_ > 0.9
    assert search.best_estimator_.predict(X).shape == (120,)
    alone = GridSearchCV(tiny(), search.param_grid, cv=2).fit(X, CLASS)
    np.testing.assert_array_equal(search.cv_results_["mean_test_score"], alone.cv_results_["mean_test_score"])


def test_a_halving_search_gives_more_examples_to_better_ones():
    search = HalvingRandomSearchCV(tiny(), {"hidden": [1, 4, 8]}, n_candidates=3, cv=2, random_state=0)
    assert search.fit(X, CLASS).score(X, CLASS) > 0.8


def test_cross_validation():
    assert cross_val_score(tiny(), X, CLASS, cv=3).mean() > 0.9
    assert cross_val_score(values(), X, VALUE, cv=3, scoring="neg_mean_squared_error").mean() > -0.2
    probabilities = cross_val_predict(tiny(), X, CLASS, cv=3, method="predict_proba")
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert cross_validate(tiny(), X, CLASS, cv=2, scoring=["roc_auc", "neg_log_loss"])["test_roc_auc"].min() > 0.9
    sizes, _, scores = learning_curve(tiny(), X, CLASS, cv=3, train_sizes=[0.3, 1.0])
    assert scores.shape == (2, 3)
    assert sizes.tolist() == [24, 80]


def test_important_features_are_found():
    found = permutation_importance(tiny().fit(X, CLASS), X, CLASS, n_repeats=3, random_state=0)
    assert found.importances_mean.argmax() == 0


def test_a_data_frame_goes_through_a_column_transformer():
    frame = pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "town": np.where(X[:, 2] > 0, "Ulm", "Bonn")})
    columns = ColumnTransformer([("words", OneHotEncoder(), ["town"])], remainder="passthrough")
    assert make_pipeline(columns, tiny()).fit(frame, CLASS).score(frame, CLASS) > 0.9
    names = pn.Classifier(8, epochs=2).fit(frame[["a", "b"]], CLASS)
    assert names.feature_names_in_.tolist() == ["a", "b"]
    with pytest.raises(ValueError, match="The feature names should match those that were passed during fit"):
        names.predict(frame[["b", "a"]])


def test_probabilities_are_calibrated():
    fitted = CalibratedClassifierCV(tiny(), method="isotonic", cv=2).fit(X, CLASS)
    assert fitted.score(X, CLASS) > 0.9


def test_ensembles_of_estimators():
    voting = VotingClassifier([("network", tiny()), ("bayes", GaussianNB())], voting="soft").fit(X, CLASS)
    assert voting.score(X, CLASS) > 0.9
    stacking = StackingRegressor([("network", values()), ("ridge", Ridge())], cv=2).fit(X, VALUE)
    assert stacking.score(X, VALUE) > 0.9
    boosted = AdaBoostClassifier(tiny(), n_estimators=2, random_state=0).fit(X, CLASS)
    assert boosted.score(X, CLASS) > 0.9
    bagged = BaggingClassifier(tiny(), n_estimators=2, random_state=0).fit(X, CLASS)
    prints = {one.history_.fingerprint for one in bagged.estimators_}
    assert len(prints) == 2
    chain = ClassifierChain(tiny(), order=[0, 1]).fit(X, (X[:, :2] > 0).astype(int))
    assert chain.predict(X).shape == (120, 2)
    scaled = TransformedTargetRegressor(values(), transformer=StandardScaler()).fit(X, 1000 * VALUE)
    assert scaled.score(X, 1000 * VALUE) > 0.9


def test_sample_weights_are_routed():
    weights = np.where(CLASS == "up", 3.0, 1.0)
    with sklearn.config_context(enable_metadata_routing=True):
        weighted = pn.Classifier(8, epochs=3).set_fit_request(sample_weight=True).set_score_request(sample_weight=False)
        search = GridSearchCV(weighted, {"hidden": [8]}, cv=2).fit(X, CLASS, sample_weight=weights)
    same = pn.Classifier(8, epochs=3).fit(X, CLASS, sample_weight=weights)
    assert search.best_estimator_.history_.fingerprint == same.history_.fingerprint


def test_a_sparse_matrix_is_as_good_as_an_array():
    plain = pn.Classifier(8, epochs=3).fit(X, CLASS)
    for kind in (sparse.csr_array, sparse.csc_matrix):
        fitted = pn.Classifier(8, epochs=3).fit(kind(X), CLASS)
        np.testing.assert_array_equal(fitted.decision_function(kind(X)), plain.decision_function(X))


def test_a_fitted_estimator_is_a_file_of_joblib():
    file = io.BytesIO()
    fitted = tiny().fit(X, CLASS)
    joblib.dump(fitted, file)
    file.seek(0)
    np.testing.assert_array_equal(joblib.load(file).predict_proba(X), fitted.predict_proba(X))


@pytest.mark.parametrize("backend", ["loky", "multiprocessing"])
def test_two_processes_do_not_use_more_threads_than_there_are_processors(backend):
    with joblib.parallel_config(backend=backend, n_jobs=2):
        found = joblib.Parallel()(joblib.delayed(threads_of_fit)(tiny(), 0.3) for _ in range(2))
    assert len({process for process, _ in found}) == 2
    each = 1 if backend == "multiprocessing" else max(1, joblib.cpu_count() // 2)
    assert [threads for _, threads in found] == [each, each]


def test_threads_of_joblib_give_the_same_results():
    alone = [pn.Classifier(8, epochs=5, random_state=seed).fit(X, CLASS).history_.fingerprint for seed in range(4)]
    with joblib.parallel_config(backend="threading", n_jobs=2):
        found = joblib.Parallel()(
            joblib.delayed(pn.Classifier(8, epochs=5, random_state=seed).fit)(X, CLASS) for seed in range(4)
        )
    assert [one.history_.fingerprint for one in found] == alone
