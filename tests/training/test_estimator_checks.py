"""Every check that scikit-learn has for estimators, on pn.Classifier and pn.Regressor with their defaults."""

import warnings
from functools import partial

import pytest
from sklearn.utils.estimator_checks import estimator_checks_generator

import pyneural as pn


def name_of(check: partial) -> str:
    return check.func.__name__


def checks(estimator: object) -> list[object]:
    """The estimator with each check; that of the array API needs an environment variable, else it skips itself."""
    return [
        pytest.param(estimator, check, id=f"{type(estimator).__name__}-{number}-{name_of(check)}")
        for number, (estimator, check) in enumerate(estimator_checks_generator(estimator))
        if name_of(check) != "check_array_api_input"
    ]


@pytest.mark.parametrize(("estimator", "check"), [*checks(pn.Classifier()), *checks(pn.Regressor())])
def test_it_is_an_estimator_of_scikit_learn(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the checks have labels that no fit would call good data
        check(estimator)
