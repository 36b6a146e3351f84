"""passes.py -- Passes: a training that is given its examples call by call, for partial_fit.

Each call is one pass over its examples.  The optimizer goes on: its running means are those of all calls.  With early
stopping some examples are held out, chosen by their content, so that an example stays on its side whichever call brings
it; the weights to predict with are the best ones on the held-out examples.
"""

import hashlib
import math
from collections.abc import Callable
from typing import Any

import numpy as np

import pyneural._core as _core
from pyneural.arguments.arrays import Array
from pyneural.datasets.dataset import Dataset
from pyneural.evaluation.objective import mean_loss_and_metrics
from pyneural.models.model import Model
from pyneural.schedules import constant
from pyneural.training.equal_rows import Weighted, keys
from pyneural.training.history import History
from pyneural.training.loop import Training
from pyneural.training.optimizers import Optimizer
from pyneural.training.plan import Plan, Request, plan
from pyneural.training.resume import CheckpointFile
from pyneural.training.state import Options

MOST = 4096  # held-out examples that are kept; later ones replace the oldest
Score = Callable[[], float]  # the score of the model as it is on the held-out examples: higher is better


def is_held_out(x: Array, share: float, seed: int) -> Array:
    """Whether each row is held out: by a hash of its content, so the same row always has the same answer.

    >>> is_held_out(np.array([[1.0], [2.0], [1.0]]), 0.5, seed=1).tolist()
    [False, True, False]
    """
    key = seed.to_bytes(16, "little", signed=True)
    rows = np.ascontiguousarray(x, np.float64).reshape(len(x), -1) + 0.0
    hashes = [int.from_bytes(hashlib.blake2b(row.tobytes(), digest_size=8, key=key).digest()) for row in rows]
    return np.array(hashes, np.float64) < share * 2.0**64


def is_higher(score: float, before: float) -> bool:
    """Whether a score is higher than the best one before; NaN is lower than any number."""
    return score > before or (math.isnan(before) and not math.isnan(score))


class Passes:
    """The state of such a training, which is pickled with the estimator.

    Args:
        model: the model, which predicts with the best weights between calls.
        seed: of the order, dropout and the held-out examples.

    Attributes:
        held: the held-out examples so far, or None.
        since: the number of calls since the best one.
    """

    def __init__(self, model: Model, seed: int) -> None:
        self.model = model
        self.seed = seed
        self.held: Weighted | None = None
        self.since = 0
        self._slots: Any = None
        self._steps = 0
        self._best: Any = None
        self._latest: Any = None  # the weights that training goes on from, if those of the model are better
        self._bound: Optimizer | None = None

    def __getstate__(self) -> dict[str, Any]:
        self._settle()
        return dict(vars(self))

    def split(self, rows: Weighted, share: float) -> Weighted:
        """Puts some of the rows to the held-out ones, and returns the others; the first call keeps some to train on."""
        out = is_held_out(rows.x, share, self.seed)
        if out.all() and not self.model.is_built:
            return rows
        if not out.any():
            return rows
        held = rows.take(np.flatnonzero(out))
        self.held = held if self.held is None else _with_new(self.held, held)
        return rows.take(np.flatnonzero(~out))

    def train(self, data: Dataset, request: Request, recipe: Optimizer, batch_size: int) -> tuple[History, Plan]:
        """One pass over the data, from the latest weights."""
        model = self.model
        made = plan(model, data, request)
        model.card.splits = ()  # one for each call would be many
        self._settle()
        if self._latest is not None:
            model.blocks().restore(self._latest)
            self._latest = None
        options = Options(1, batch_size, self.seed, 0, None, None, None, 1, "last")
        training = Training(model, made, recipe, constant, options, [], CheckpointFile(None, model, {}))
        if self._slots is not None:
            training.bound.engine.set_slots(self._slots)
            training.bound.engine.steps = self._steps
        self._bound = training.bound
        return training.train(), made

    def _settle(self) -> None:
        """Takes the running means and the number of steps out of the optimizer."""
        if self._bound is not None:
            self._slots, self._steps, self._bound = self._bound.engine.slots(), self._bound.steps, None

    def judge(self, score: Score) -> None:
        """Compares the weights after a call with the best ones before it, both on all that is held out by now.

        The model has the better ones then, and of equal ones those before.
        """
        blocks = self.model.blocks()
        now = blocks.snapshot()
        new = score()
        if self._best is not None:
            blocks.restore(self._best)
            if not is_higher(new, score()):
                self.since += 1
                self._latest = now
                return
            blocks.restore(now)
        self.since = 0
        self._best = now


def low_loss(made: Plan) -> float:
    """The validation loss of the model as it is, times -1: higher is better."""
    assert made.held is not None
    with _core.Interrupt() as stop:
        return -mean_loss_and_metrics(made.judge, made.held, stop)["loss"]


def _with_new(before: Weighted, new: Weighted) -> Weighted:
    """The held-out rows with new ones behind them, each once, at most MOST."""
    x, y = np.concatenate([before.x, new.x]), np.concatenate([before.y, new.y])
    weights = None
    if before.weights is not None or new.weights is not None:
        parts = [np.ones(len(rows.x)) if rows.weights is None else rows.weights for rows in (before, new)]
        weights = np.concatenate(parts)
    kept = np.sort(np.unique(keys(x, y), return_index=True)[1])[-MOST:]
    return Weighted(x, y, weights).take(kept)
