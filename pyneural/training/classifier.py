"""classifier.py -- Classifier: a network that classifies, as an estimator of scikit-learn."""

from typing import Any, Self

import numpy as np

import pyneural.training.scikit_learn as scikit_learn
from pyneural.arguments.arrays import Array
from pyneural.arguments.familiar_estimators import OF_ESTIMATORS
from pyneural.arguments.spelling import check_keywords
from pyneural.training.estimator_base import unchanged_by_errors
from pyneural.training.estimator_defaults import CLASSIFIER
from pyneural.training.estimator_inputs import as_array, checked
from pyneural.training.estimator_partial import PartialEstimator
from pyneural.training.estimator_targets import Coded, Indicators, announced, learned
from pyneural.training.plain_labels import plain_labels


class Classifier(scikit_learn.ClassifierMixin, PartialEstimator):  # type: ignore[misc]
    """A network that classifies, as an estimator of scikit-learn; it needs the package scikit-learn.

    p(class | x) = softmax(f(x)), for two classes σ(f(x)), where f has the hidden layers
    h = dropout(activation(norm(h W + b))) and a last layer h W + b.  pn.fit trains it, by these arguments of pn.fit.

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
        loss: "auto" is cross-entropy; also "mse", "mae" and "huber", or a function of (outputs, targets).
        label_smoothing: s, from 0 to below 1: trains on targets (1 - s) y + s / K.
        class_weight: a dict of weights by label, with 1 for missing ones, or "balanced": Σ w / (K Σ_c w), which is
            n / (K count) where all examples weigh the same.  It multiplies the weights of the examples, in the
            validation loss, too.  For labels (n, K) of 0 and 1 it is the class_weight of pn.fit.
        validation: the share of the examples to hold out, a pair (X, y), or None; "auto" is 0.1 if patience or
            validation_scorer is given, else None.
        validation_scorer: a scorer of scikit-learn, such as "f1_macro", or a function of (estimator, X, y): the best
            epoch then has the highest score on the held-out examples, instead of the lowest validation loss.
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
        classes_: the classes, in the order of the columns of predict_proba.
        n_features_in_: the number of features; `feature_names_in_` their names, if X was a DataFrame.
        n_outputs_: the number of columns of y.

    Equal rows of up to 10,000 are trained on as one row with the sum of their weights, so a weight of 2 gives the bits
    of an example that is there twice.

    >>> from sklearn.model_selection import cross_val_score
    >>> X = np.random.default_rng(0).normal(size=(200, 3))
    >>> y = np.where(X[:, 0] * X[:, 1] > 0, "same", "other")
    >>> bool(cross_val_score(pn.Classifier(), X, y, cv=3).mean() > 0.85)
    True
    """

    _values = False

    @check_keywords(positional="write the others by name, such as epochs=50", **OF_ESTIMATORS)
    def __init__(
        self,
        hidden: Any = CLASSIFIER.hidden,
        *,
        activation: Any = CLASSIFIER.activation,
        dropout: float = CLASSIFIER.dropout,
        batch_norm: bool = CLASSIFIER.batch_norm,
        model: Any = None,
        epochs: Any = CLASSIFIER.epochs,
        batch_size: int = CLASSIFIER.batch_size,
        optimizer: Any = CLASSIFIER.optimizer,
        learning_rate: float | None = CLASSIFIER.learning_rate,
        schedule: Any = CLASSIFIER.schedule,
        weight_decay: Any = CLASSIFIER.weight_decay,
        loss: Any = "auto",
        label_smoothing: float = 0.0,
        class_weight: Any = None,
        validation: Any = CLASSIFIER.validation,
        validation_scorer: Any = None,
        patience: int | None = CLASSIFIER.patience,
        keep: str = CLASSIFIER.keep,
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
        self.label_smoothing = label_smoothing
        self.class_weight = class_weight
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
        """Class numbers; learns the classes, or checks them against those that are known."""
        labels = plain_labels(self._who, as_array(y))
        if not again:
            self._kind = learned(self._who, labels)
            self.classes_ = self._kind.classes
        return self._kind.coded(labels)

    def _class_weighted(self, coded: Coded, weights: Array | None) -> Array | None:
        return self._kind.weighted(coded.y, weights, self.class_weight)

    def _decoded(self, y: Any) -> Array:
        return self._kind.decoded(y)

    def _of_task(self) -> dict[str, Any]:
        of_labels = self.class_weight if isinstance(self._kind, Indicators) else None
        return {"loss": self.loss, "label_smoothing": self.label_smoothing, "class_weight": of_labels}

    @unchanged_by_errors
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """One pass over some examples, such as a part of the data; the optimizer goes on from call to call.

        The learning rate is constant; epochs, keep, callbacks, ema and seconds are for fit alone.  With patience or
        validation_scorer a share of the examples is held out, chosen by their content, so that an example that comes
        again stays on its side.  After each call the network has the weights with the lowest loss, or the highest
        score, on all that is held out; `stopped_` is True once that was `patience` calls ago.

        Args:
            X: (n, features).
            y: (n,), or (n, outputs).
            classes: all classes, in the first call; for several columns of classes a list of these.  Not needed for
                labels (n, K) of 0 and 1.
            sample_weight: (n,), as in fit.

        Returns:
            The estimator itself.
        """
        first = not hasattr(self, "model_")
        if isinstance(self.class_weight, str):
            raise ValueError(
                f"{self._who}: class_weight={self.class_weight!r} needs all examples: give a dict by label"
            )
        x, labels = checked(self, X, y, reset=first, values=False)
        weights = self._weights(sample_weight, x)
        if first:
            self._kind = announced(self._who, plain_labels(self._who, as_array(labels)), classes)
            self.classes_ = self._kind.classes
        coded = self._labels(labels, again=True)
        self._pass(x, coded, self._class_weighted(coded, weights))
        return self

    def predict(self, X: Any) -> Array:
        """The predicted classes (n,), or (n, outputs) as y was."""
        found = self._outputs(X)
        return self._kind.predicted(*found)

    def predict_proba(self, X: Any) -> Any:
        """The probabilities of the classes (n, K), float64, in the order of `classes_`; rows sum to 1.

        For labels (n, K) of 0 and 1 the probability of each one (n, K); for several columns of classes a list.
        """
        found = self._outputs(X)
        return self._kind.probabilities(*found)

    def predict_log_proba(self, X: Any) -> Any:
        """The logarithms of the probabilities."""
        found = self.predict_proba(X)
        with np.errstate(divide="ignore"):
            return [np.log(part) for part in found] if isinstance(found, list) else np.log(found)

    def decision_function(self, X: Any) -> Any:
        """The logits (n, K), float64; of two classes (n,), the log odds of the second one.

        For labels (n, K) of 0 and 1 the log odds of each one (n, K); for several columns of classes a list.
        """
        found = self._outputs(X)
        return self._kind.decisions(*found)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The accuracy: the share of the examples whose labels, in all columns, are right."""
        found = self.predict(X)
        labels = plain_labels(self._who, as_array(y))
        if found.ndim == 1:
            return float(scikit_learn.metrics.accuracy_score(labels, found, sample_weight=sample_weight))
        return float(np.average(np.all(found == labels, axis=1), weights=sample_weight))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
