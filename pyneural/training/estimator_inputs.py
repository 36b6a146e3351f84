"""estimator_inputs.py -- what an estimator is given, by scikit-learn's rules: arrays, sparse matrices and data frames.

A data frame that has more than plain numbers stays a Table, whose columns pn.fit learns; anything else becomes an array
of floats, as for every estimator of scikit-learn.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import numpy as np

import pyneural.training.scikit_learn as scikit_learn
from pyneural.arguments.arrays import Array
from pyneural.arguments.objects import missing_rows
from pyneural.card.frames import is_frame, rows_of_frame, table_of
from pyneural.card.table import Table
from pyneural.training.plain_labels import refuse_dates

X_ = Array | Table


def checked(estimator: Any, X: Any, y: Any, *, reset: bool, values: bool) -> tuple[X_, Array]:
    """X as floats or as a Table, and y; learns or checks the number and the names of the features.

    Args:
        estimator: whose attributes are set or compared.
        X: (n, features).
        y: (n,) or (n, outputs).
        reset: whether to learn the features, instead of comparing them with those that are known.
        values: whether y has numbers.
    """
    _check_present(type(estimator).__name__, y)
    if values:
        _refuse_text(type(estimator).__name__, y)
    table = _table(estimator, X, known=not reset)
    if table is None:
        with _missing_explained(estimator):
            found, labels = scikit_learn.validate_data(
                estimator, X, y, reset=reset, **_rules(estimator), multi_output=True, y_numeric=values
            )
        return _dense(estimator, found), labels
    scikit_learn.validate_data(estimator, X, reset=reset, skip_check_array=True)
    labels = scikit_learn.validation.check_array(
        y, ensure_2d=False, dtype="numeric" if values else None, accept_sparse="csr", input_name="y"
    )
    scikit_learn.validation.check_consistent_length(X, labels)
    return table, labels


@contextmanager
def _missing_explained(estimator: Any) -> Iterator[None]:
    """Names the fix for arrays with missing values, where scikit-learn would advise other estimators."""
    try:
        yield
    except ValueError as error:
        if not str(error).startswith("Input X contains NaN"):
            raise
        raise ValueError(
            f"{type(estimator).__name__}: X contains NaN: give a DataFrame, in which NaN is a missing value, or fill "
            "them, for example with sklearn.impute.SimpleImputer"
        ) from None


def beside(x: X_, X: Any, train: X_, who: str) -> X_:
    """Inputs that were given as X, as the kind that the training inputs are: an array or a Table."""
    if isinstance(train, Table) and is_frame(X):
        return table_of(X, who)
    if not isinstance(x, Table) or isinstance(train, Table):
        return x
    numbers = x.numbers
    return refuse_table(who, x) if numbers is None else numbers


def _refuse_text(who: str, y: Any) -> None:
    """Refuses text where values are needed."""
    if scikit_learn.sparse.issparse(y):
        return
    given = np.asarray(y)
    first = next((one for one in given.flat if isinstance(one, str)), None) if given.dtype.kind in "OU" else None
    if first is not None:
        raise ValueError(
            f"{who}: y has text, such as {str(first)!r}: give numbers; pn.Classifier takes names of classes"
        )


def inputs(estimator: Any, X: Any) -> X_:
    """Inputs for a prediction.

    Raises:
        NotFittedError: the estimator is not fitted.
        ValueError, TypeError: X has other features than in fit.
    """
    if isinstance(X, Table):  # the held-out examples of a scorer
        return X
    scikit_learn.validation.check_is_fitted(estimator)
    known = estimator.model_.card.table
    if known is not None and not known.is_plain and not is_frame(X):
        raise TypeError(
            f"{type(estimator).__name__}: it was fitted on a data frame with the columns {', '.join(known.names)}, and "
            f"X is {type(X).__name__}: give a frame with these columns"
        )
    table = _table(estimator, X, known=True)
    if table is None:
        with _missing_explained(estimator):
            return _dense(estimator, scikit_learn.validate_data(estimator, X, reset=False, **_rules(estimator)))
    scikit_learn.validate_data(estimator, X, reset=False, skip_check_array=True)
    if known is None:
        refuse_table(f"{type(estimator).__name__}: X", table)
    if not len(table):
        raise ValueError(f"{type(estimator).__name__}: X has 0 rows: give at least one")
    return table


def _table(estimator: Any, X: Any, *, known: bool) -> Table | None:
    """A data frame as a Table, if it has more than plain numbers, or the one before had; else None."""
    if scikit_learn.sparse.issparse(X) or not is_frame(X):
        return None
    who = f"{type(estimator).__name__}: X"
    columns = estimator.model_.card.table if known and hasattr(estimator, "model_") else None
    if columns is not None:
        return None if columns.is_plain else table_of(X, who)
    found, _ = rows_of_frame(who, X)
    return found if isinstance(found, Table) else None


def refuse_table(who: str, table: Table) -> NoReturn:
    """Refuses a table that has more than plain numbers, where the training data had only these."""
    column = next(one for one in table.columns if one.kind == "category" or one.missing.any())
    if column.kind == "category":
        raise TypeError(f"{who} has text in the column {column.name!r}, and the training data has numbers: give these")
    missing = np.flatnonzero(column.missing)
    raise ValueError(
        f"{who} has {len(missing):,} missing values in the column {column.name!r}, the first in row {missing[0]}, and "
        "the training data had none: fill them, or remove those rows"
    )


def _check_present(who: str, y: Any) -> None:
    """Refuses labels of which some are None or NA, which NumPy cannot sort."""
    labels = np.asarray(None if scikit_learn.sparse.issparse(y) else y)
    missing = missing_rows(labels) if labels.dtype.kind == "O" and labels.ndim else []
    if missing:
        raise ValueError(
            f"{who}: y has {len(missing):,} labels that are missing (None, NaN or NA), the first at {missing[0]}: "
            "remove those examples"
        )


def _rules(estimator: Any) -> dict[str, Any]:
    """Which arrays are taken; a given model may be one for images, (n, height, width, channels)."""
    return {"accept_sparse": "csr", "dtype": "numeric", "allow_nd": estimator.model is not None}


def as_array(values: Any) -> Array:
    """An array of what may be a sparse matrix, a list or a DataFrame."""
    return np.asarray(values.toarray() if scikit_learn.sparse.issparse(values) else values)


def _dense(estimator: Any, x: Any) -> Array:
    """An array of floats; images of bytes stay as they are.

    Raises:
        TypeError: it has dates.
    """
    found = as_array(x)
    refuse_dates(f"{type(estimator).__name__}: X", found)
    if found.dtype in (np.float32, np.float64) or (found.ndim > 2 and found.dtype == np.uint8):
        return found
    return found.astype(np.float64)
