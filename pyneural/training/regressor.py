"""regressor.py -- Regressor: a network that predicts values, as an estimator of scikit-learn."""

from typing import Any, Self

import numpy as np

import pyneural.training.scikit_learn as scikit_learn
from pyneural.arguments.arrays import Array
from pyneural.arguments.familiar_estimators import OF_ESTIMATORS
from pyneural.arguments.spelling import check_keywords
from pyneural.evaluation.predict import predict
from pyneural.training.estimator_base import unchanged_by_errors
from pyneural.training.estimator_defaults import REGRESSOR
from pyneural.training.estimator_inputs import as_array, checked, inputs
from pyneural.training.estimator_partial import PartialEstimator
from pyneural.training.estimator_targets import Coded, coded_values


class Regressor(scikit_learn.RegressorMixin, PartialEstimator):  # type: ignore[misc]
    """A network that predicts values, as an estimator of scikit-learn; it needs the package scikit-learn.

    y = f(x), where f has the hidden layers h = dropout(activation(norm(h W + b))) and a last layer h W + b.  pn.fit
    trains it, by these arguments of pn.fit.

    Args:
        hidden: the sizes of the hidden layers, such as 128 or (64, 64); () for a linear model; "auto" is (128, 64) for
            6000 training rows and more, else (128,), as in partial_fit, which cannot know how many rows follow.
        activation: of the hidden layers: a name, such as "relu", "tanh" or "gelu", or a function of a tensor.
        dropout: the share of each hidden layer that is set to 0 at random in training, from 0 to below 1.
        batch_norm: whether each hidden layer is normalized before its activation.
        model: a pn.Sequential or pn.Model instead of these four, or a function of the numbers of inputs and outputs
            that returns one.  A model is copied, with its weights if it has any.  With it X may have more axes, such as
            images (n, height, width, channels).
        epochs: passes over the data; "auto" is max(5, 2560 / √n) for n training rows, and at least 500 steps.
        batch_size: examples per step.
        optimizer: a name ("sgd", "rmsprop", "adam", "adamw"), or pn.Adam(beta1=0.8).
        learning_rate: at the schedule's peak; None is 0.01 for adam and adamw with one-cycle, else what pn.fit chooses.
        schedule: "one-cycle", "cosine", "step", "constant", or a function (step, steps) -> multiplier.
        weight_decay: that of the optimizer, if it is given by name; "auto" is min(1, 3 √(d / n)) for adamw with d
            features, and otherwise, as None, the optimizer's default.
        loss: "mse", "mae", "huber", or a function of (outputs, targets).
        scale_targets: whether y is standardized in training, by the mean and deviation of the training rows;
            predictions are in its units.
        validation: the share of the examples to hold out, a pair (X, y), or None; "auto" is 0.1 if patience or
            validation_scorer is given, else None.
        validation_scorer: a scorer of scikit-learn, such as "r2", or a function of (estimator, X, y): the best epoch
            then has the highest score on the held-out examples, instead of the lowest validation loss.
        patience: stops this many epochs after the best one; None for never.
        keep: the epoch whose weights are kept: "best" or "last".
        ema: the decay per step of the running mean of the weights, such as 0.99; None for no mean.
        seconds: a time budget.
        preprocess: as in pn.fit.
        callbacks: as in pn.fit.
        dtype: "float32" or "float64", for parameters and computation.
        warm_start: whether fit goes on from the weights of the fit before, if there was one.
        random_state: the seed of initial weights, order, dropout and held-out examples: a number, or None for another
            one at each fit.
        verbose: 0 silent, also on what is strange about the data; 1 one line per epoch, 2 one line per step.

    Attributes:
        model_: the pn model, for pn.save, pn.evaluate and pn.plot.
        history_: the pn.History, a dict of lists with one entry per epoch.
        n_iter_: the number of finished epochs.
        n_features_in_: the number of features; `feature_names_in_` their names, if X was a DataFrame.
        n_outputs_: the number of columns of y.

    Equal rows of up to 10,000 are trained on as one row with the sum of their weights, so a weight of 2 gives the bits
    of an example that is there twice.

    >>> X = np.random.default_rng(0).uniform(-1, 1, size=(300, 2))
    >>> y = X[:, 0] ** 2 + X[:, 1]
    >>> bool(pn.Regressor().fit(X[:200], y[:200]).score(X[200:], y[200:]) > 0.9)
    True
    """

    _values = True

    @check_keywords(positional="write the others by name, such as epochs=50", **OF_ESTIMATORS)
    def __init__(
        self,
        hidden: Any = REGRESSOR.hidden,
        *,
        activation: Any = REGRESSOR.activation,
        dropout: float = REGRESSOR.dropout,
        batch_norm: bool = REGRESSOR.batch_norm,
        model: Any = None,
        epochs: Any = REGRESSOR.epochs,
        batch_size: int = REGRESSOR.batch_size,
        optimizer: Any = REGRESSOR.optimizer,
        learning_rate: float | None = REGRESSOR.learning_rate,
        schedule: Any = REGRESSOR.schedule,
        weight_decay: Any = REGRESSOR.weight_decay,
        loss: Any = "mse",
        scale_targets: bool = True,
        validation: Any = REGRESSOR.validation,
        validation_scorer: Any = None,
        patience: int | None = REGRESSOR.patience,
        keep: str = REGRESSOR.keep,
        ema: float | None = None,
        seconds: float | None = None,
        preprocess: str | None = "auto",
        callbacks: Any = (),
        dtype: str = "float32",
        warm_start: bool = False,
        random_state: Any = 0,
        verbose: int = 0,
    ) -> None:
        self.hidden = hidden
        self.activation = activation
        self.dropout = dropout
        self.batch_norm = batch_norm
        self.model = model
        self.epochs = epochs
        self.batch_size = batch_size
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.weight_decay = weight_decay
        self.loss = loss
        self.scale_targets = scale_targets
        self.validation = validation
        self.validation_scorer = validation_scorer
        self.patience = patience
        self.keep = keep
        self.ema = ema
        self.seconds = seconds
        self.preprocess = preprocess
        self.callbacks = callbacks
        self.dtype = dtype
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    def _labels(self, y: Any, *, again: bool) -> Coded:
        found = coded_values(self._who, as_array(y))
        outputs = found.tasks[""].outputs
        if again and hasattr(self, "model_") and outputs != self.n_outputs_:
            many = f", {self.n_outputs_}" if self.n_outputs_ > 1 else ","
            raise ValueError(f"{self._who}: y is {found.y.shape}: give ({len(found.y)}{many}), as in the first fit")
        return found

    def _of_task(self) -> dict[str, Any]:
        return {"loss": self.loss, "scale_targets": self.scale_targets}

    def _class_weighted(self, coded: Coded, weights: Array | None) -> Array | None:
        return weights

    def _decoded(self, y: Array) -> Array:
        return y

    @unchanged_by_errors
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """One pass over some examples, such as a part of the data; the optimizer goes on from call to call.

        The learning rate is constant; epochs, keep, callbacks, ema and seconds are for fit alone.  With patience or
        validation_scorer a share of the examples is held out, chosen by their content, so that an example that comes
        again stays on its side.  After each call the network has the weights with the lowest loss, or the highest
        score, on all that is held out; `stopped_` is True once that was `patience` calls ago.

        Args:
            X: (n, features).
            y: (n,), or (n, outputs).
            sample_weight: (n,), as in fit.

        Returns:
            The estimator itself.
        """
        first = not hasattr(self, "model_")
        x, values = checked(self, X, y, reset=first, values=True)
        self._pass(x, self._labels(values, again=not first), self._weights(sample_weight, x))
        return self

    def predict(self, X: Any) -> Array:
        """The predicted values, float64: (n,), or (n, outputs) as y was."""
        x = inputs(self, X)
        found = np.asarray(predict(self.model_, x), np.float64)
        return found if self._many else found[:, 0]
