"""training.py -- fit: trains a model on data."""

import math
import time
from typing import Any

import numpy as np

from pyneural import _core, optimizers, schedules, stuck
from pyneural.estimate import Estimate
from pyneural.history import History
from pyneural.inputs import check_model
from pyneural.measure import measure
from pyneural.model import Model
from pyneural.optimizers import Optimizer
from pyneural.plan import Losses, Metrics, Plan, Request
from pyneural.plan import plan as make_plan
from pyneural.position import Position, position
from pyneural.progress import Progress
from pyneural.spelling import words

FAMILIAR = {
    "validation_split": "validation=0.1 (shuffled, stratified)",
    "validation_data": "validation=(x, y)",
    "lr": "learning_rate",
    "batch": "batch_size",
    "callbacks": "nothing: best weights are always restored, and Ctrl-C returns what there is",
    "shuffle": "nothing: training data is always shuffled",
    "x": "the second argument: pn.fit(model, (x, y))",
    "y": "the second argument: pn.fit(model, (x, y))",
    "criterion": "loss",
    "loss_fn": "loss",
    "loss_weights": "loss, a function for each weighted head: 0.3 * pn.ops.cross_entropy(outputs, targets)",
    "nb_epoch": "epochs",
    "n_epochs": "epochs",
    "num_epochs": "epochs",
    "max_iter": "epochs",
    "random_state": "seed",
    "steps_per_epoch": "nothing: an epoch is one pass over the data",
    "device": "nothing: all computing is on the processor (pn.set_threads(n) says how many threads)",
    "early_stopping": "nothing: the weights of the best epoch are restored",
    "sample_weight": "loss, with a function that weights its rows: pn.ops.cross_entropy(outputs, targets, row_weights)",
    "class_weight": "loss, with a function: pn.ops.cross_entropy(outputs, targets, class_weights=[...])",
    "scheduler": "schedule",
    "generator": "the second argument: batches that can be gone over again",
}


@words(
    positional="give x and y as one pair, pn.fit(model, (x, y)), and all else by name, as epochs=5",
    **FAMILIAR,
)
def fit(
    model: Model,
    data: Any,
    *,
    epochs: int = 5,
    batch_size: int = 64,
    optimizer: str | Optimizer = "adam",
    learning_rate: float | None = None,
    schedule: str | schedules.Schedule = "one-cycle",
    loss: Losses = "auto",
    metrics: Metrics = (),
    validation: Any = 0.1,
    preprocess: str | None = "auto",
    seed: int = 0,
    verbose: int = 1,
) -> History:
    """Trains a model; its best weights stay in it.

    A second fit goes on from the present weights, with a fresh optimizer.  Equal arguments and weights give equal
    weights, bit for bit, for any number of threads.  Ctrl-C ends the training and returns what there is.

    Args:
        model: a pn.Sequential or a pn.Model; built here where it is not.
        data: what pn.datasets gives, a pn.Dataset, arrays (x, y), the path of a folder of images (pn.datasets.folder),
            or batches: a list of pairs (x, y), or an object whose __iter__ gives such pairs anew each epoch, as loaders
            do.  x is uint8 (n, height, width, channels) or floats (n, ...), y class numbers or names (n,), one-hot
            rows (n, K), 0 and 1 for one output, or floats for values; for a model with heads a dict of these.
        epochs: passes over the data.
        batch_size: examples a step, the last one of an epoch perhaps fewer; one alone goes with those before it.  Where
            the data comes in batches, those are taken as they are.
        optimizer: a name ("sgd", "rmsprop", "adam", "adamw"), or pn.Adam(beta1=0.8).
        learning_rate: at the schedule's peak; None is one that suits the optimizer.
        schedule: "one-cycle", "cosine", "step", "constant", or a function (step, steps) -> multiplier.
        loss: "auto" (cross_entropy for classes, binary_cross_entropy for one output with labels 0 and 1, mse for
            values), a name ("mae" and "huber", too), or a function of (outputs, targets) that gives a scalar; or a dict
            of these by head, and their sum is trained.  "mse", "mae" and "huber" take class numbers for several outputs
            as one-hot rows, and the outputs as the model writes them: those are then its probabilities.
        metrics: names or functions of (outputs, targets), shown beside the loss; or a dict of these by head.  Accuracy
            is there by itself.
        validation: a share of the training data (shuffled, stratified, seeded) that data.validation replaces where
            the data has it; a Dataset, (x, y) or batches; None or 0 for none.  No share can be held back from batches,
            and 0.1 of 5 examples or fewer is none.
        preprocess: "dataset" (the training set's mean and deviation a channel), "image" (each image's own), None, or
            "auto": dataset for uint8, nothing for floats.  Saved, and obeyed by evaluate and predict.
        seed: of the initial weights, the split, the order and the dropout.
        verbose: 0 silent, 1 a line an epoch, 2 a line a step.

    Returns:
        The History; best is the lowest validation loss, or the last epoch without validation.  Of heads it has the
        losses and metrics by name (`top_loss`, `val_top_accuracy`) beside the summed `loss`.

    Raises:
        ValueError, TypeError: an argument, or the data, is wrong; before work starts.
        FloatingPointError: the loss became NaN or infinite; the best weights so far are put back.

    >>> import pyneural as pn
    >>> x = np.linspace(-1, 1, 64, dtype=np.float32).reshape(-1, 1)
    >>> history = pn.fit(pn.Sequential(pn.Dense(8, "tanh"), pn.Dense(1)), (x, x * x), epochs=2, verbose=0)
    >>> history.epochs, history.steps
    (2, 2)
    """
    check_model(model, "fit")
    _check_counts(epochs=epochs, batch_size=batch_size)
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**64:
        raise ValueError(f"fit: seed is {seed!r}: give a whole number of at least 0, and below 2**64")
    if verbose not in (0, 1, 2):
        raise ValueError(f"fit: verbose is {verbose!r}: give 0 (silent), 1 (a line an epoch) or 2 (a line a step)")
    rate_name = schedules.name(schedule)
    shape, recipe = schedules.find(schedule), optimizers.recipe(optimizer, learning_rate, rate_name)
    again = model.card.epochs
    seed = int(seed)
    plan = make_plan(model, data, Request(validation, preprocess, loss, metrics, seed, batch_size))
    training = _Training(model, plan, recipe, shape, epochs, batch_size, seed, verbose)
    training.progress.parts(
        [*plan.words, f"{recipe.kind}, {rate_name} {recipe.learning_rate:g}", plan.batches, f"seed {seed}"]
    )
    if again:
        training.progress.say(f"going on from the weights of {again} epoch{'s' * (again > 1)}, with a fresh optimizer")
    return training.train()


def _check_counts(**counts: Any) -> None:
    for name, value in counts.items():
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
            raise ValueError(f"fit: {name} is {value!r}: give a whole number of at least 1")


class _Training:
    """One training: its state, then its loop."""

    def __init__(
        self,
        model: Model,
        plan: Plan,
        optimizer: Optimizer,
        schedule: schedules.Schedule,
        epochs: int,
        batch_size: int,
        seed: int,
        verbose: int,
    ) -> None:
        self.model, self.plan, self.recipe, self.schedule = model, plan, optimizer, schedule
        self.epochs, self.batch_size, self.seed = epochs, batch_size, seed
        each = plan.feed.steps(batch_size)
        self.steps, self.progress = epochs * each, Progress(verbose, epochs, each, plan.note)
        self.bound = optimizer.bound(model)
        self.blocks = model.blocks()
        self.kept, self.best = self.blocks.snapshot(), math.inf
        self.before = stuck.values(model, optimizer.undecayed) if verbose else {}
        self.at, self.history = Position(seed), History()
        self.started = time.perf_counter()

    def train(self) -> History:
        """The epochs."""
        token = position.set(self.at)
        try:
            with _core.Interrupt() as stop:
                for epoch in range(1, self.epochs + 1):
                    begun = time.perf_counter()
                    values = self._epoch(epoch, stop)
                    if stop.pressed:
                        break
                    self._finish(epoch, values, time.perf_counter() - begun)
            self.history.interrupted = stop.pressed
        finally:
            position.reset(token)
        return self._end()

    def _epoch(self, epoch: int, stop: _core.Interrupt) -> dict[str, float]:
        """One pass over the training data; returns the means of the loss and the metrics."""
        at, history, progress = self.at, self.history, self.progress
        run, loss, metrics, _ = self.plan.objective
        engine, rate, schedule = self.bound.engine, self.recipe.learning_rate, self.schedule
        functions = list(metrics.values())
        totals, total, n, step = [0.0] * len(functions), 0.0, 0, 0
        at.step = self.model.card.epochs
        progress.open(epoch)
        shown = progress.steps_shown
        try:
            for x, y, samples in self.plan.feed.epoch(self.batch_size, self.seed, at.step):
                step, rows, at.samples = step + 1, len(samples), samples
                outputs = run(x, training=True)
                del x  # the next batch may then take its place
                error = loss(outputs, y)
                value = error.item()
                if not math.isfinite(value):
                    self._fail(epoch, step, value)
                error.backward()
                engine.learning_rate = rate * schedule(history.steps, self.steps)
                engine.step()
                history.steps += 1
                n += rows
                total += value * rows
                for index, function in enumerate(functions):
                    totals[index] += float(function(outputs, y)) * rows
                if shown:
                    progress.step(step, value)
                if stop.pressed:
                    break
        finally:
            progress.close()
            at.samples = None
        return {"loss": total / max(1, n)} | {name: t / max(1, n) for name, t in zip(metrics, totals, strict=True)}

    def _finish(self, epoch: int, values: dict[str, float], seconds: float) -> None:
        """Validates, keeps the weights where they are the best, and says so."""
        if self.plan.held is not None:
            begun = time.perf_counter()
            found = measure(self.plan.objective, self.plan.held)
            values |= {f"val_{name}": value for name, value in found.items()}
            seconds += time.perf_counter() - begun
            if not math.isfinite(found["loss"]):
                self._fail(epoch, self.history.steps, found["loss"])
        self.history.append(**values, learning_rate=self.bound.learning_rate, seconds=seconds)
        self.model.card.epochs += 1
        if self.plan.held is None or values["val_loss"] < self.best:
            self.best = values.get("val_loss", math.inf)
            self.kept = self.blocks.snapshot()
            self.history.best_epoch = epoch
            self.model.card.metrics = {name: float(value) for name, value in values.items()}
            self.model.card.best_epoch = self.model.card.epochs
        self.progress.epoch(epoch, seconds, values)
        if epoch == 1 and self.progress.verbose:
            hint = stuck.look(self.model, self.before)
            self.before.clear()
            if hint:
                self.progress.say(hint)

    def _fail(self, epoch: int, step: int, value: float) -> None:
        self.blocks.restore(self.kept)
        best = self.history.best_epoch
        put = f"those of epoch {best}, the best," if best else "those before this fit"
        raise FloatingPointError(
            f"fit: the loss became {value} in epoch {epoch}, step {step}; the weights are {put} again: lower the "
            f"learning rate (it is {self.recipe.learning_rate:g}), or look for strange values in the data"
        )

    def _end(self) -> History:
        """Puts the best weights back and says the last line."""
        history, best, say = self.history, self.history.best_epoch, self.progress.parts
        if best:
            self.blocks.restore(self.kept)
        history.seconds = time.perf_counter() - self.started
        history.fingerprint = self.blocks.fingerprint()
        took = f"{history.seconds:.1f} s"
        if history.interrupted:
            state = f"those of epoch {best}, the best" if best else "those of this moment"
            say([f"interrupted in epoch {history.epochs + 1} after {took}; the weights are {state}"])
        elif "val_loss" in history:
            values = {name: history[name][best - 1] for name in history if name.startswith("val_")}
            shares = [f"{name} {value}" for name, value in values.items() if isinstance(value, Estimate)]
            found = ", ".join([f"val_loss {values['val_loss']:.4g}", *shares])
            say([f"best epoch {best} ({found})", *self.progress.note, took])
        else:
            say([f"no validation: the weights are those of epoch {best}, the last", took])
        return history
