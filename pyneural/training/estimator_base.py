"""estimator_base.py -- what pn.Classifier and pn.Regressor share: data, model, training."""

import copy
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

import numpy as np

import pyneural.training.optimizers as optimizers
import pyneural.training.scikit_learn as scikit_learn
from pyneural.arguments.arrays import Array, as_weights
from pyneural.arguments.checks import in_the_name_of, is_number
from pyneural.arguments.familiar_estimators import OF_ESTIMATORS, OF_ESTIMATORS_FIT, OF_FITTED
from pyneural.arguments.objects import brief
from pyneural.arguments.spelling import check_keywords, check_known, choose, instead
from pyneural.callbacks.callback import checked as listeners
from pyneural.card.columns import Columns
from pyneural.card.table import Table
from pyneural.card.task import Task
from pyneural.datasets.dataset import Dataset
from pyneural.evaluation.outputs import outputs_of
from pyneural.models.model import Model
from pyneural.training.equal_rows import Weighted, merged
from pyneural.training.estimator_defaults import (
    epochs_for,
    hidden_for,
    learning_rate_for,
    validation_for,
    weight_decay_for,
)
from pyneural.training.estimator_inputs import X_, beside, checked, inputs
from pyneural.training.estimator_network import copied, perceptron
from pyneural.training.estimator_targets import Coded
from pyneural.training.fit import fit as train
from pyneural.training.inspection import uninspected
from pyneural.training.optimizers import Optimizer
from pyneural.training.scored_epochs import ScoredEpochs, held_out
from pyneural.training.worker_threads import share_processors

_OF_NETWORK = ("hidden", "activation", "dropout", "batch_norm", "dtype", "model")  # what a network is made of

_Method = TypeVar("_Method", bound=Callable[..., Any])


def unchanged_by_errors(fit: _Method) -> _Method:
    """A method after whose errors an estimator has the attributes that it had before, and so is fitted as before."""

    @wraps(fit)
    def method(self: Any, *args: Any, **options: Any) -> Any:
        before = dict(vars(self))
        try:
            return fit(self, *args, **options)
        except Exception:  # a fit that Ctrl-C ends is one
            vars(self).clear()
            vars(self).update(before)
            raise

    return cast(_Method, method)


class Estimator(scikit_learn.BaseEstimator):  # type: ignore[misc]
    """An estimator of scikit-learn that trains a network by pn.fit.

    Subclasses define `__init__`, `_labels` and what they predict.
    """

    _passes: Any = None  # the state of partial_fit
    _made_of: dict[str, Any] | None = None
    stopped_: bool

    @check_keywords(**OF_ESTIMATORS_FIT)
    @unchanged_by_errors
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Trains a new network; with warm_start=True, an existing one goes on from its weights.

        Args:
            X: (n, features), an array, a sparse matrix (made dense) or a DataFrame.
            y: labels (n,), or (n, outputs).
            sample_weight: (n,), how much each example counts in the loss and in the validation loss; 2 is the same as
                having the example twice, and 0 as leaving it out.

        Returns:
            The estimator itself.

        Raises:
            KeyboardInterrupt: Ctrl-C was pressed; the estimator is fitted, with the best weights so far, but a search
                or a cross-validation stops.
        """
        share_processors()
        again = bool(self.warm_start and hasattr(self, "model_"))
        if again:
            self._check_network()
        else:
            self.__dict__.pop("model_", None)  # the validation data need not fit the old one
        x, labels = checked(self, X, y, reset=not again, values=self._values)
        weights = self._weights(sample_weight, x)
        coded = self._labels(labels, again=again)
        rows = merged(x, coded.y, self._class_weighted(coded, weights))
        seed = self._seed()
        model = self.model_ if again else self._model(x, coded.tasks, len(rows.x))
        self._train(model, rows, coded, seed)
        return self

    def set_params(self, **params: Any) -> Self:
        """Sets parameters by name, as in a search; an unknown name raises a ValueError that names ours."""
        known = self.get_params(deep=False)
        try:
            check_known(self._who, [name for name in params if "__" not in name], known, OF_ESTIMATORS)
        except TypeError as error:  # scikit-learn's is a ValueError
            raise ValueError(*error.args) from None
        super().set_params(**params)
        return self

    # ---- data

    def _weights(self, sample_weight: Any, x: X_) -> Array | None:
        if sample_weight is None:
            return None
        weights = as_weights(f"{self._who}: sample_weight", np.asarray(sample_weight), len(x))
        if not weights.any():
            raise ValueError(f"{self._who}: all sample weights are zero: give a weight above 0 to some examples")
        return weights

    def _seed(self) -> int:
        """The seed of a training: random_state itself, if it is a number."""
        if isinstance(self.random_state, int | np.integer):
            return int(self.random_state)
        return int(scikit_learn.utils.check_random_state(self.random_state).randint(2**31))

    # ---- model

    def _check_network(self) -> None:
        """Refuses arguments that the network which goes on was not made of."""
        for name, before in (self._made_of or {}).items():
            now = getattr(self, name)
            if before is not now and before != now:
                raise ValueError(
                    f"{self._who}: {name} is {brief(now)}, and the network of the first fit, which goes on, has "
                    f"{brief(before)}: give that, or begin with a new estimator, sklearn.base.clone(estimator)"
                )

    def _model(self, x: X_, tasks: dict[str, Task], rows: int | None) -> Model:
        """A new model for inputs like x, and that many training rows; None if their number is not known."""
        sizes = {head: task.outputs for head, task in tasks.items()}
        outputs = sizes.get("", sizes)
        shape = (len(Columns.learn(x, None, self._who).features),) if isinstance(x, Table) else x.shape[1:]
        self._made_of = {name: getattr(self, name) for name in _OF_NETWORK}
        if self.model is None:
            hidden = hidden_for(self.hidden, rows)
            which = hidden, self.activation, self.dropout, self.batch_norm, self.dtype
            model = perceptron(self._who, shape[0], outputs, *which)
        else:
            model = copied(self._who, self.model, shape[0], outputs)
            if isinstance(x, Table):  # fit may put an embedding in front of it, and infers its tasks
                return model
            model.infer_shapes(shape)
            tasks = {head: _of_model(task, head, model) for head, task in tasks.items()}
            if not callable(self.loss):
                _check_outputs(self._who, model, tasks)
        model.card.task = tasks.get("", tasks)
        return model

    def _optimizer(self, rows: int | None) -> str | Optimizer:
        """The optimizer for pn.fit, with the weight decay; None rows if their number is not known."""
        optimizer: str | Optimizer = self.optimizer
        decay = self.weight_decay
        if rows:
            decay = weight_decay_for(decay, rows, self.n_features_in_, optimizer)
        decay = None if decay == "auto" else decay
        if decay is None:
            return optimizer
        if not isinstance(optimizer, str):
            raise ValueError(
                f"{self._who}: weight_decay goes with an optimizer by name: write weight_decay into {optimizer!r}"
            )
        kind = choose(f"{self._who}: optimizer", optimizer, optimizers.NAMES)
        return kind(weight_decay=decay)

    # ---- training

    def _train(self, model: Model, rows: Weighted, coded: Coded, seed: int) -> None:
        """Trains the model by pn.fit, and sets what an estimator knows then."""
        data = dataset(rows, coded)
        validation = self._validation(rows.x)
        with in_the_name_of(self._who), uninspected(not self.verbose):
            scored = None
            if self.validation_scorer is not None:
                data, validation = held_out(self._who, data, validation, seed)
                view = self._view(model, coded)
                scored = ScoredEpochs(view, self.validation_scorer, validation, self._decoded, self.patience)
            history = train(
                model,
                data,
                validation=validation,
                patience=self.patience if scored is None and validation else None,
                keep="last" if scored else self.keep,
                callbacks=[*listeners(self.callbacks), scored] if scored else self.callbacks,
                seed=seed,
                **self._of_fit(len(data)),
            )
        if scored:
            scored.restore_best(history)
        self._know(model, coded)
        self._passes = None
        self.history_ = history
        self.n_iter_ = history.epochs
        if history.interrupted:  # so that a search stops, instead of scoring what is half trained
            raise KeyboardInterrupt(
                f"{self._who}: interrupted after {history.epochs} epochs, whose best weights it has"
            )

    def _know(self, model: Model, coded: Coded) -> None:
        """Sets what predictions need."""
        self.model_ = model
        self._many = coded.y.ndim == 2
        self.n_outputs_ = coded.y.shape[1] if self._many else 1

    def _of_fit(self, rows: int) -> dict[str, Any]:
        """The arguments of pn.fit for that many training rows."""
        names = ("batch_size", "schedule", "preprocess", "ema", "seconds", "verbose")
        given: dict[str, Any] = {name: getattr(self, name) for name in names} | self._of_task()
        return given | {
            "epochs": epochs_for(self.epochs, rows, self.batch_size),
            "optimizer": self._optimizer(rows),
            "learning_rate": learning_rate_for(self.learning_rate, self.optimizer, self.schedule),
        }

    @property
    def _needs_validation(self) -> bool:
        return self.patience is not None or self.validation_scorer is not None

    def _validation(self, x: X_) -> Any:
        """The validation argument of pn.fit, beside the training inputs x: a share, a Dataset or None."""
        given = validation_for(self.validation, self._needs_validation)
        if given is None and self.patience is not None:
            raise ValueError(
                f"{self._who}: patience={self.patience!r} needs held-out examples, and validation is None: give "
                "validation=0.1 or (X, y)"
            )
        if given is None:
            return None
        if is_number(given) and 0 <= given < 1:
            return given if 0 < round(given * len(x)) < len(x) else None
        if not isinstance(given, tuple | list) or len(given) != 2:
            raise ValueError(
                f"{self._who}: validation is {brief(given)}: give a share between 0 and 1, a pair (X, y), or None"
            )
        held, labels = checked(self, *given, reset=False, values=self._values)
        coded = self._labels(labels, again=True)
        return dataset(Weighted(beside(held, given[0], x, f"{self._who}: validation: X"), coded.y, None), coded)

    def _view(self, model: Model, coded: Coded) -> Self:
        """A copy with that model for scorers, which takes checked inputs, without the names of their features."""
        view = copy.copy(self)
        view._know(model, coded)
        if hasattr(view, "feature_names_in_"):
            del view.feature_names_in_
        return view

    def _outputs(self, X: Any) -> Any:
        """The heads, and the outputs by head, for inputs X."""
        x = inputs(self, X)
        return outputs_of(self.model_, x, self._who)

    @property
    def _who(self) -> str:
        return type(self).__name__

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.target_tags.multi_output = True
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model_")

    if not TYPE_CHECKING:  # type checkers report wrong names by themselves

        def __getattr__(self, name):
            if name in OF_FITTED:
                raise AttributeError(f"{type(self).__name__} has no '{name}'; {instead(OF_FITTED[name])}")
            return object.__getattribute__(self, name)  # raises the usual error, or that of a property


def _of_model(task: Task, head: str, model: Model) -> Task:
    """Two classes may be two outputs of a given model."""
    shape: Any = model.output_shape
    units = shape[head] if head else shape
    if task.kind == "binary" and units == (2,):
        return Task("classes", 2, task.classes)
    return task


def _check_outputs(who: str, model: Model, tasks: dict[str, Task]) -> None:
    """Rejects a given model that has another number of outputs than y needs."""
    shape: Any = model.output_shape
    for head, task in tasks.items():
        units = shape.get(head) if isinstance(shape, dict) else None if head else shape
        if units != (task.outputs,):
            count = 2 if task.kind == "binary" else task.outputs
            plural = {"values": "targets", "labels": "labels"}.get(task.kind, "classes")
            has = "1 target" if count == 1 else f"{count:,} {plural}"
            where = f"its output '{head}'" if head else "it"
            raise ValueError(
                f"{who}: model has the output shape {shape}, and y has {has}: end {where} in pn.Dense({count})"
            )


def dataset(rows: Weighted, coded: Coded) -> Dataset:
    """The data for pn.fit."""
    y: Any = rows.y
    if "" not in coded.tasks:
        y = {head: rows.y[:, number] for number, head in enumerate(coded.tasks)}
    classes = {head: task.classes for head, task in coded.tasks.items()}
    return Dataset(rows.x, y, classes=classes.get("", classes), sample_weight=rows.weights)
