"""scored_epochs.py -- the best epoch by a scorer of scikit-learn, on held-out examples."""

from collections.abc import Callable
from typing import Any

import pyneural.training.scikit_learn as scikit_learn
from pyneural.arguments.arrays import Array
from pyneural.arguments.checks import is_number
from pyneural.callbacks.callback import Callback, Logs
from pyneural.datasets.dataset import Dataset
from pyneural.datasets.splitting import split_rows
from pyneural.training.history import History
from pyneural.training.passes import is_higher


def held_out(who: str, data: Dataset, validation: Any, seed: int) -> tuple[Dataset, Dataset]:
    """The training data and the validation data.

    Args:
        who: the prefix of messages.
        data: what is trained on.
        validation: a share of it, or a Dataset of its own.
        seed: of the shuffle.

    Raises:
        ValueError: there is no validation data.
    """
    if validation is None:
        raise ValueError(
            f"{who}: validation_scorer scores held-out examples, and there are none: give validation=0.1 and more "
            "examples, or validation=(X, y)"
        )
    if not is_number(validation):
        return data, validation
    rows, held = split_rows(data, float(validation), seed, what=f"{who}: validation")
    return data.take(rows), data.take(held)


class ScoredEpochs(Callback):
    """Scores the model after each epoch, and keeps the weights with the highest score; the first of equal ones.

    Args:
        estimator: what is scored, which predicts with the model of the training.
        scorer: the name of a scorer, such as "f1_macro", or a function of (estimator, X, y).
        held: the examples to score.
        decoded: turns their labels into those of the user.
        patience: ends the training this many epochs after the highest score; None for never.
    """

    def __init__(
        self, estimator: Any, scorer: Any, held: Dataset, decoded: Callable[[Any], Array], patience: int | None
    ) -> None:
        self.estimator = estimator
        self.scorer = scikit_learn.metrics.check_scoring(estimator, scoring=scorer)
        self.x = held.x
        self.y = decoded(held.y)
        self.weights = held.sample_weight
        self.patience = patience
        self.scores: list[float] = []
        self.best = 0
        self.kept: Any = None

    def on_epoch_end(self, epoch: int, logs: Logs) -> str | None:
        """Scores the model."""
        score = self._score()
        self.scores.append(score)
        if self.best == 0 or is_higher(score, self.scores[self.best - 1]):
            self.best = epoch
            self.kept = self.run.model.blocks().snapshot()
        return "stop" if self.patience is not None and epoch - self.best >= self.patience else None

    def _score(self) -> float:
        """The score with the weights of the examples, if it takes some."""
        if self.weights is not None:
            try:
                return float(self.scorer(self.estimator, self.x, self.y, sample_weight=self.weights))
            except TypeError:  # such as max_error, or a function of (estimator, X, y)
                self.weights = None
        return float(self.scorer(self.estimator, self.x, self.y))

    def restore_best(self, history: History) -> None:
        """Gives the model the weights of the best epoch, and the history the scores as `val_score`."""
        if self.kept is None:
            return
        blocks = self.run.model.blocks()
        blocks.restore(self.kept)
        self.kept = None
        history["val_score"] = self.scores
        history.best_epoch = self.best
        card = self.run.model.card
        card.best_epoch += self.best - history.epochs
        card.kept = "best"
        card.metrics = {name: float(history[name][self.best - 1]) for name in (*card.metrics, "val_score")}
        history.fingerprint = blocks.fingerprint()

    def __repr__(self) -> str:
        return "validation_scorer"
