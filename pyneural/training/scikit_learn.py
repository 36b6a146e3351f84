"""scikit_learn.py -- what the estimators take from scikit-learn, and their stand-ins where it is not installed.

`pn.Classifier` and `pn.Regressor` exist without it, with their documentation; making one says what to install.
"""

from typing import Any, NoReturn

__all__ = [
    "BaseEstimator",
    "ClassifierMixin",
    "RegressorMixin",
    "joblib",
    "metrics",
    "multiclass",
    "sparse",
    "utils",
    "validate_data",
    "validation",
]

try:
    import joblib  # comes with scikit-learn, as scipy does
    import scipy.sparse as sparse
    import sklearn.base as base
    import sklearn.metrics as metrics
    import sklearn.utils as utils
    import sklearn.utils.multiclass as multiclass
    import sklearn.utils.validation as validation

    validate_data: Any = validation.validate_data  # new in 1.6
except (ImportError, AttributeError):
    base = joblib = metrics = sparse = utils = multiclass = validation = validate_data = None


class _Missing:
    """A base class of estimators that cannot be made."""

    def __new__(cls, *_: Any, **__: Any) -> NoReturn:
        raise ImportError(
            f"{cls.__name__} needs scikit-learn 1.6 or newer: run pip install '.[sklearn]' in the checkout; pn.fit "
            "needs nothing"
        )


BaseEstimator: Any = base.BaseEstimator if validate_data else _Missing
ClassifierMixin: Any = base.ClassifierMixin if validate_data else type("ClassifierMixin", (), {})
RegressorMixin: Any = base.RegressorMixin if validate_data else type("RegressorMixin", (), {})
