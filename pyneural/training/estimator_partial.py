"""estimator_partial.py -- partial_fit: an estimator that is given its examples call by call."""

from functools import partial
from typing import Any

import pyneural.schedules as schedules
import pyneural.training.scikit_learn as scikit_learn
from pyneural.arguments.arrays import Array
from pyneural.arguments.checks import in_the_name_of, is_number, warn, whole
from pyneural.card.table import Table
from pyneural.training.equal_rows import Weighted, merged
from pyneural.training.estimator_base import Estimator, dataset
from pyneural.training.estimator_defaults import SHARE, validation_for
from pyneural.training.estimator_inputs import X_
from pyneural.training.estimator_targets import Coded
from pyneural.training.history import History
from pyneural.training.inspection import uninspected
from pyneural.training.optimizers import recipe
from pyneural.training.passes import Passes, Score, low_loss
from pyneural.training.plan import Request


class PartialEstimator(Estimator):
    """An estimator with partial_fit, on checked and encoded examples."""

    def _pass(self, x: X_, coded: Coded, weights: Array | None) -> None:
        """One pass over some examples; see Passes."""
        if hasattr(self, "model_"):
            self._check_network()
        passes = self._passes_so_far(x, coded)
        if self.stopped_ and self.patience is not None:
            warn(
                f"{self._who}: partial_fit has stopped, {self.patience} calls after the best one, and learned nothing "
                "from this call: set patience=None to go on, or call fit to begin anew"
            )
            return
        rows = merged(x, coded.y, weights)
        validation = None
        if self._needs_validation:
            rows, validation = self._held_out(passes, rows, coded)
        if len(rows.x):
            with in_the_name_of(self._who), uninspected():
                self._learn(passes, rows, coded, validation)
        self.stopped_ = self.patience is not None and passes.since >= whole(self._who, "patience", self.patience)

    def _passes_so_far(self, x: X_, coded: Coded) -> Passes:
        """The state of the calls before, or a new one, which goes on from a fitted model if there is one."""
        if self._passes is None:
            model = self.model_ if hasattr(self, "model_") else self._model(x, coded.tasks, None)
            self._passes = Passes(model, self._seed())
            self.stopped_ = False
        found: Passes = self._passes
        return found

    def _held_out(self, passes: Passes, rows: Weighted, coded: Coded) -> tuple[Weighted, Any]:
        """The rows to train on, and what is held out by now."""
        share = SHARE if self.validation is None else validation_for(self.validation, True)
        if not is_number(share) or not 0 <= share < 1:
            return rows, self._validation(rows.x)
        if isinstance(rows.x, Table):
            raise ValueError(
                f"{self._who}: partial_fit holds no rows of a frame with categories out: give validation=(X, y), or "
                "patience=None and validation_scorer=None"
            )
        rest = passes.split(rows, float(share))
        held = passes.held
        return rest, None if held is None else dataset(held, coded)

    def _learn(self, passes: Passes, rows: Weighted, coded: Coded, validation: Any) -> None:
        preprocess = self.preprocess if passes.model.card.preprocessing is None else "auto"
        request = Request(
            validation,
            preprocess,
            **self._of_task(),
            seed=passes.seed,
            batch_size=self.batch_size,
        )
        made = recipe(self._optimizer(None), self.learning_rate, schedules.name("constant"))
        history, plan = passes.train(
            dataset(rows, coded), request, made, whole(self._who, "batch_size", self.batch_size)
        )
        self._know(passes.model, coded)
        self._record(history)
        if validation is None:
            return
        score: Score = partial(low_loss, plan)
        if self.validation_scorer is not None:
            view = self._view(passes.model, coded)
            scorer = scikit_learn.metrics.check_scoring(view, scoring=self.validation_scorer)
            score = partial(scorer, view, validation.x, self._decoded(validation.y))
        passes.judge(score)

    def _record(self, history: History) -> None:
        """Adds the values of a call to those of the calls and epochs before."""
        if not hasattr(self, "history_"):
            self.history_ = history
        else:
            self.history_.append(**{name: values[-1] for name, values in history.items()})
        self.n_iter_ = self.history_.epochs
