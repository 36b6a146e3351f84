"""pn.Classifier and pn.Regressor on data frames with categories, booleans and missing values."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

import pyneural as pn

rng = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {
        "age": rng.normal(40, 10, 240),
        "town": rng.choice(["Ulm", "Bonn", "Kiel"], 240),
        "job": rng.choice([f"job {number}" for number in range(20)], 240),
        "smoker": rng.random(240) > 0.5,
    }
)
CLASS = np.where((FRAME["town"] == "Ulm") | (FRAME["age"] > 50), "ill", "well")
VALUE = 3.0 * (FRAME["town"] == "Kiel") + FRAME["smoker"]
FRAME.loc[::7, "age"] = np.nan


def test_a_frame_with_categories_needs_no_pipeline():
    fitted = pn.Classifier(16).fit(FRAME, CLASS)
    assert fitted.score(FRAME, CLASS) > 0.9
    assert fitted.n_features_in_ == 4
    assert fitted.feature_names_in_.tolist() == ["age", "town", "job", "smoker"]
    assert pn.Regressor(16).fit(FRAME, VALUE).score(FRAME, VALUE) > 0.9
    np.testing.assert_allclose(fitted.predict_proba(FRAME)[:, 1:], pn.predict(fitted.model_, FRAME), atol=1e-6)
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.predict(FRAME[:5]), fitted.predict(FRAME)[:5])
    assert cross_val_score(pn.Classifier(16), FRAME, CLASS, cv=3).mean() > 0.75
    with pytest.raises(TypeError, match="fitted on a data frame with the columns age, town, job, smoker, and X"):
        fitted.predict(FRAME.to_numpy())
    with pytest.raises(ValueError, match="The feature names should match"):
        fitted.predict(FRAME[["town", "age", "job", "smoker"]])


def test_frames_of_polars_are_the_same():
    fitted = pn.Classifier(8, epochs=2).fit(FRAME, CLASS)
    frame = pl.DataFrame({name: FRAME[name].tolist() for name in FRAME}).with_columns(pl.col("age").fill_nan(None))
    np.testing.assert_array_equal(fitted.decision_function(frame), fitted.decision_function(FRAME))
    same = pn.Classifier(8, epochs=2).fit(frame, CLASS)
    np.testing.assert_array_equal(same.decision_function(frame), fitted.decision_function(FRAME))


def test_a_frame_may_have_weights_a_scorer_and_a_model():
    weights = np.arange(240) % 3
    weighted = pn.Classifier(8, epochs=2).fit(FRAME, CLASS, sample_weight=weights)
    repeated = clone(weighted).fit(FRAME.loc[FRAME.index.repeat(weights)], np.repeat(CLASS, weights))
    np.testing.assert_allclose(weighted.decision_function(FRAME), repeated.decision_function(FRAME), rtol=1e-12)
    scored = pn.Classifier(8, epochs=4, validation_scorer="f1_macro").fit(FRAME, CLASS)
    assert len(scored.history_["val_score"]) == 4
    model = pn.Sequential(pn.Dense(8, "relu"), pn.Dense(2))
    assert pn.Classifier(model=model, epochs=2).fit(FRAME, CLASS).predict_proba(FRAME).shape == (240, 2)


def test_partial_fit_takes_frames():
    called = pn.Classifier(8)
    for start in range(0, 240, 80):
        called.partial_fit(FRAME[start : start + 80], CLASS[start : start + 80], classes=["ill", "well"])
    assert called.predict(FRAME).shape == (240,)
    with pytest.raises(ValueError, match="partial_fit holds no rows of a frame with categories out: give validation="):
        pn.Classifier(8, patience=2).partial_fit(FRAME, CLASS, classes=["ill", "well"])
    given = pn.Classifier(8, patience=9, validation=(FRAME, CLASS))
    given.partial_fit(FRAME, CLASS, classes=["ill", "well"])
    assert len(given.history_["val_loss"]) == 1


NUMBERS = FRAME[["age"]].fillna(40.0)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: pn.Classifier(2, epochs=1).fit(FRAME, CLASS).predict(FRAME[:0]), ValueError, "X has 0 rows"),
        (lambda: pn.Classifier(2, epochs=1).fit(NUMBERS, CLASS).predict(FRAME[["age"]]), ValueError,
         "X has 35 missing values in the column 'age', the first in row 0, and the training data had none"),
        (lambda: pn.Classifier(2, epochs=1).fit(NUMBERS, CLASS).predict(NUMBERS.assign(age="x")), TypeError,
         "X has text in the column 'age', and the training data has numbers"),
        (lambda: pn.Classifier(2, epochs=1, validation=(FRAME[["age"]], CLASS)).fit(NUMBERS, CLASS), ValueError,
         "validation: X has 35 missing values in the column 'age'"),
        (lambda: pn.Classifier().fit(FRAME, np.array(["a", None] * 120, object)), ValueError,
         "y has 120 labels that are missing"),
        (lambda: pn.Classifier().fit(NUMBERS, np.array(["a", None] * 120, object)), ValueError,
         "y has 120 labels that are missing"),
        (lambda: pn.Classifier(validation=1.5).fit(FRAME, CLASS), ValueError, "validation is 1.5: give a share"),
        (lambda: pn.Classifier(validation=-0.1).fit(FRAME, CLASS), ValueError, "validation is -0.1: give a share"),
        (lambda: pn.Regressor(validation="x").fit(FRAME, VALUE), ValueError, "validation is 'x': give a share"),
        (lambda: pn.Regressor(validation=1.5, patience=2).partial_fit(NUMBERS, VALUE), ValueError, "validation is 1.5"),
    ],
)  # fmt: skip
def test_mistakes_are_sentences(call, error, words):
    with pytest.raises(error, match=r"^(Classifier|Regressor): ") as caught:
        call()
    assert words in str(caught.value)


def test_validation_may_lack_what_the_training_frame_has():
    for train, held in ((FRAME[["age"]], NUMBERS), (NUMBERS, NUMBERS)):
        fitted = pn.Classifier(2, epochs=1).fit(FRAME, CLASS)  # whose columns a second fit forgets
        fitted.set_params(validation=(held, CLASS)).fit(train, CLASS)
        assert len(fitted.history_["val_loss"]) == 1
