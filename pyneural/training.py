"""training.py -- fit: trains a model on data."""

import math
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from pyneural import _core, losses, ops, optimizers, schedules
from pyneural.dataset import Dataset
from pyneural.estimate import Estimate
from pyneural.history import History
from pyneural.measure import forward, measure
from pyneural.metrics import Metric
from pyneural.model import Model
from pyneural.optimizers import Optimizer
from pyneural.plan import Plan, Request
from pyneural.plan import plan as make_plan
from pyneural.position import Position, position
from pyneural.progress import Progress
from pyneural.spelling import words


@words(
    positional="give x and y as one pair, pn.fit(model, (x, y))",
    validation_split="validation=0.1 (shuffled, stratified)",
    validation_data="validation=(x, y)",
    lr="learning_rate",
    batch="batch_size",
    callbacks="nothing: best weights are always restored, and Ctrl-C returns what there is",
    shuffle="nothing: training data is always shuffled",
    x="the second argument: pn.fit(model, (x, y))",
    y="the second argument: pn.fit(model, (x, y))",
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
    loss: str | losses.LossFunction = "auto",
    metrics: Sequence[str | Metric] = (),
    validation: float | Dataset | tuple[Any, Any] | None = 0.1,
    preprocess: str | None = "auto",
    seed: int = 0,
    verbose: int = 1,
) -> History:
    """Trains a model; its best weights stay in it.

    A second fit goes on from the present weights, with a fresh optimizer.  Equal arguments and weights give equal
    weights, bit for bit, for any number of threads.  Ctrl-C ends the training and returns what there is.

    Args:
        model: a pn.Sequential; built here where it is not.
        data: what pn.datasets gives, a pn.Dataset, or arrays (x, y): x uint8 (n, height, width, channels) or floats
            (n, ...), y class numbers or names (n,), 0 and 1 for one output, or floats for values.
        epochs: passes over the data.
        batch_size: examples a step.
        optimizer: a name ("sgd", "rmsprop", "adam", "adamw"), or pn.Adam(beta1=0.8).
        learning_rate: at the schedule's peak; None is one that suits the optimizer.
        schedule: "one-cycle", "cosine", "step", "constant", or a function (step, steps) -> multiplier.
        loss: "auto" (cross_entropy for classes, binary_cross_entropy for one output with labels 0 and 1, mse for
            values), a name, or a function of (outputs, targets) that gives a scalar.
        metrics: names or functions of (outputs, targets), shown beside the loss; accuracy is there by itself.
        validation: a share of the training data (shuffled, stratified, seeded) that data.validation replaces where
            the data has it; a Dataset or (x, y); None or 0 for none.
        preprocess: "dataset" (the training set's mean and deviation a channel), "image" (each image's own), None, or
            "auto": dataset for uint8, nothing for floats.  Saved, and obeyed by evaluate and predict.
        seed: of the initial weights, the split, the order and the dropout.
        verbose: 0 silent, 1 a line an epoch, 2 a line a step.

    Returns:
        The History; best is the lowest validation loss, or the last epoch without validation.

    Raises:
        ValueError, TypeError: an argument, or the data, is wrong; before work starts.
        FloatingPointError: the loss became NaN or infinite; the best weights so far are put back.

    >>> import pyneural as pn
    >>> x = np.linspace(-1, 1, 64, dtype=np.float32).reshape(-1, 1)
    >>> history = pn.fit(pn.Sequential(pn.Dense(8, "tanh"), pn.Dense(1)), (x, x * x), epochs=2, verbose=0)
    >>> history.epochs, history.steps
    (2, 2)
    """
    if not isinstance(model, Model):
        raise TypeError(f"fit: model is {type(model).__name__}: give a pn.Sequential")
    _check_counts(epochs=epochs, batch_size=batch_size)
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise ValueError(f"fit: seed is {seed!r}: give a whole number of at least 0")
    rate_name = schedules.name(schedule)
    shape, recipe = schedules.find(schedule), optimizers.recipe(optimizer, learning_rate, rate_name)
    again = model.card.epochs
    plan = make_plan(model, data, Request(validation, preprocess, loss, metrics, seed, batch_size))
    training = _Training(model, plan, recipe, shape, epochs, batch_size, seed, verbose)
    say = training.progress.say
    say(
        f"{plan.words} · {plan.loss.name} · {recipe.kind}, {rate_name} {recipe.learning_rate:g} · batch {batch_size}"
        f" · seed {seed}"
    )
    if again:
        say(f"going on from the weights of {again} epoch{'s' * (again > 1)}, with a fresh optimizer")
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
        each = math.ceil(len(plan.feed) / batch_size)
        self.steps, self.progress = epochs * each, Progress(verbose, epochs, each)
        self.bound = optimizer.bound(model)
        self.blocks = model.blocks()
        self.kept, self.best = self.blocks.snapshot(), math.inf
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
        feed, size, at, history = self.plan.feed, self.batch_size, self.at, self.history
        loss, run, batch, x, n = self.plan.loss.mean, forward(self.model), feed.batch, feed.x, len(feed)
        engine, rate, schedule = self.bound.engine, self.recipe.learning_rate, self.schedule
        functions = list(self.plan.metrics.values())
        totals, total = [0.0] * len(functions), 0.0
        at.step = self.model.card.epochs
        order = feed.shuffled(self.seed, at.step)
        assert feed.y is not None
        targets = ops.gather(feed.y, order)
        self.progress.open(epoch)
        shown = self.progress.steps_shown
        try:
            for start in range(0, n, size):
                end = min(start + size, n)
                at.samples = rows = order[start:end]
                y = targets[start:end]
                outputs = run(batch(x, rows), training=True)
                error = loss(outputs, y)
                value = error.item()
                if not math.isfinite(value):
                    self._fail(epoch, start // size + 1, value)
                error.backward()
                engine.learning_rate = rate * schedule(history.steps, self.steps)
                engine.step()
                history.steps += 1
                total += value * (end - start)
                for index, function in enumerate(functions):
                    totals[index] += function(outputs, y).item() * (end - start)
                if shown:
                    self.progress.step(start // size + 1, value)
                if stop.pressed:
                    break
        finally:
            self.progress.close()
            at.samples = None
        return {"loss": total / n} | {name: t / n for name, t in zip(self.plan.metrics, totals, strict=True)}

    def _finish(self, epoch: int, values: dict[str, float], seconds: float) -> None:
        """Validates, keeps the weights where they are the best, and says so."""
        if self.plan.held is not None:
            begun = time.perf_counter()
            found = measure(self.model, self.plan.held, self.plan.loss.mean, self.plan.metrics)
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
        self.progress.epoch(epoch, seconds, values)

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
        history, best = self.history, self.history.best_epoch
        if best:
            self.blocks.restore(self.kept)
        history.seconds = time.perf_counter() - self.started
        history.fingerprint = self.blocks.fingerprint()
        if history.interrupted:
            state = (
                f"the weights are those of epoch {best}, the best" if best else "the weights are those of this moment"
            )
            self.progress.say(f"interrupted in epoch {history.epochs + 1} after {history.seconds:.1f} s; {state}")
        elif "val_loss" in history:
            value = history["val_loss"][best - 1]
            accuracy = history["val_accuracy"][best - 1] if "val_accuracy" in history else None
            also = f", val_accuracy {accuracy}" if isinstance(accuracy, Estimate) else ""
            self.progress.say(f"best epoch {best} (val_loss {value:.4g}{also}) · {history.seconds:.1f} s")
        else:
            self.progress.say(
                f"no validation: the weights are those of epoch {best}, the last · {history.seconds:.1f} s"
            )
        return history
