"""loop.py -- the training loop: epochs, steps, validation, the best weights."""

import math
import time
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

import pyneural._core as _core
import pyneural.schedules as schedules
import pyneural.training.stuck as stuck
from pyneural.evaluation.objective import are_finite, mean_loss_and_metrics, outputs_of
from pyneural.layers.context import Position, position
from pyneural.metrics.estimate import Estimate
from pyneural.models.model import Model
from pyneural.training.doubled import warn_of_probabilities
from pyneural.training.history import History
from pyneural.training.optimizers import Optimizer
from pyneural.training.plan import Plan
from pyneural.training.progress import Progress

_LARGE = 1e6  # a loss above it may have overflowed in backward


class _Finished(NamedTuple):
    """The results of the finished epochs, replaced atomically: Ctrl-C never leaves half an epoch here.

    Attributes:
        values: as in History.
        best: the number of the best epoch, from 1; 0 for none.
        lowest: its validation loss.
        weights: the model's weights after it.
    """

    values: dict[str, list[float]]
    best: int
    lowest: float
    weights: list[bytes]

    @property
    def epochs(self) -> int:
        """The number of finished epochs."""
        return len(self.values.get("loss", ()))

    def of_best(self) -> dict[str, float]:
        """The values of the best epoch."""
        return {name: values[self.best - 1] for name, values in self.values.items()}


class Training:
    """The state and the loop of one training."""

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
        self.model = model
        self.plan = plan
        self.recipe = optimizer
        self.schedule = schedule
        self.epochs = epochs
        self.batch_size = batch_size
        self.seed = seed
        each = plan.feed.steps(batch_size)
        self.steps = epochs * each
        self.progress = Progress(verbose, epochs, each, plan.note)
        self.bound = optimizer.bound(model)
        self.blocks = model.blocks()
        self.finished = _Finished({}, 0, math.inf, self.blocks.snapshot())
        self.before = stuck.values(model, optimizer.undecayed) if verbose else {}
        self.earlier = model.card.epochs
        self.at = Position(seed)
        self.history = History()
        self.value = math.inf
        self.started = time.perf_counter()

    def train(self) -> History:
        """Runs the epochs.

        The first Ctrl-C stops after the current batch, in training and in validation; a second one stops at once.  Both
        return the History; while that is completed, Ctrl-C is only recorded.
        """
        token = position.set(self.at)
        try:
            with _core.Interrupt() as stop:
                try:
                    self._epochs(stop)
                except KeyboardInterrupt:
                    if not stop.pressed:  # raised by something else
                        raise
                self.history.interrupted = stop.pressed
        except BaseException as error:
            self._restore()
            if not isinstance(error, FloatingPointError):  # its message says so already
                error.add_note(f"fit: restored the weights {self._restored()}")
            raise
        finally:
            position.reset(token)
        with _core.Interrupt():
            return self._end()

    def _epochs(self, stop: _core.Interrupt) -> None:
        """Runs all epochs, or stops at Ctrl-C."""
        for epoch in range(1, self.epochs + 1):
            begun = time.perf_counter()
            values = self._epoch(epoch, stop)
            if not stop.pressed:
                self._finish(epoch, values, begun, stop)
            if stop.pressed:
                break

    def _epoch(self, epoch: int, stop: _core.Interrupt) -> dict[str, float]:
        """One pass over the training data; returns the means of the loss and the metrics."""
        at = self.at
        history = self.history
        progress = self.progress
        run = self.plan.objective.run
        loss = self.plan.objective.loss
        means = self.plan.objective.means()
        engine = self.bound.engine
        rate = self.recipe.learning_rate
        schedule = self.schedule
        step = 0
        at.step = self.model.card.epochs
        progress.open(epoch)
        shown = progress.steps_shown
        try:
            for x, y, samples in self.plan.feed.epoch(self.batch_size, self.seed, at.step):
                at.begin(samples)
                step += 1
                outputs = run(x, training=True)
                if not history.steps:
                    warn_of_probabilities(outputs, self.model.card)
                del x  # so that the next batch can reuse its memory
                error = loss(outputs, y)
                value = error.item()
                if not math.isfinite(value):
                    self._fail(f"loss became {value} in epoch {epoch}, step {step}", [outputs])
                self.value = value
                error.backward()
                engine.learning_rate = rate * schedule(history.steps, self.steps)
                engine.step()
                history.steps += 1
                means.add(outputs, y, value, len(samples))
                if shown:
                    progress.step(step, value)
                if stop.pressed:
                    break
        finally:
            progress.close()
            at.begin(None)
        return means.result()

    def _finish(self, epoch: int, values: dict[str, float], begun: float, stop: _core.Interrupt) -> None:
        """Validates, keeps the weights if they are the best so far, and prints the line of the epoch."""
        if self.plan.held is not None:
            found = mean_loss_and_metrics(self.plan.objective, self.plan.held, stop)
            if stop.pressed:
                return
            values |= {f"val_{name}": value for name, value in found.items()}
            if not math.isfinite(found["loss"]):
                outputs = outputs_of(self.plan.objective, self.plan.held)
                self._fail(f"validation loss became {found['loss']} in epoch {epoch}", outputs)
        seconds = time.perf_counter() - begun
        self._keep(epoch, values | {"learning_rate": self.bound.learning_rate, "seconds": seconds})
        self.progress.epoch(epoch, seconds, values)
        if epoch == 1 and self.progress.verbose:
            hint = stuck.layers_without_gradient(self.model, self.before)
            self.before.clear()
            if hint:
                self.progress.say(hint)

    def _keep(self, epoch: int, values: dict[str, float]) -> None:
        """Adds an epoch to the finished ones, with the weights if they are the best so far."""
        before = self.finished
        lists = {name: [*before.values.get(name, ()), value] for name, value in values.items()}
        if self.plan.held is None or values["val_loss"] < before.lowest:
            lowest = values.get("val_loss", math.inf)
            self.finished = _Finished(lists, epoch, lowest, self.blocks.snapshot())
        else:
            self.finished = before._replace(values=lists)
        self.model.card.epochs = self.earlier + self.finished.epochs

    def _restore(self) -> None:
        """Restores the best weights so far, and records their metrics on the model's card."""
        finished = self.finished
        card = self.model.card
        self.blocks.restore(finished.weights)
        card.epochs = self.earlier + finished.epochs
        if finished.best:
            card.best_epoch = self.earlier + finished.best
            values = finished.of_best().items()
            card.metrics = {name: float(value) for name, value in values if name not in ("learning_rate", "seconds")}

    def _fail(self, what: str, outputs: Iterable[Any]) -> None:
        """Raises the error for a loss that is not finite; `outputs` are the outputs it was computed from."""
        raise FloatingPointError(f"fit: the {what}; restored the weights {self._restored()}: {self._fix(outputs)}")

    def _fix(self, outputs: Iterable[Any]) -> str:
        """The likely cause of a loss that is not finite, and what to do."""
        if self.plan.objective.has_custom_loss:
            if all(map(are_finite, outputs)):
                return (
                    "the outputs are finite, so the custom loss produced it, like a mean over a batch in which every "
                    "label is ignored or has weight 0: return (outputs * 0).sum() for such batches, or use larger "
                    "batches"
                )
            if abs(self.value) < _LARGE and self._has_nan_gradient():
                return (
                    f"the step before had a loss of {self.value:.4g}, but a gradient of NaN: the custom loss uses a "
                    "function where it has no derivative, like sqrt at 0: add a small number inside, (x + 1e-12).sqrt()"
                )
        return f"lower the learning rate (it is {self.recipe.learning_rate:g}), or look for outliers in the data"

    def _has_nan_gradient(self) -> bool:
        """Whether the last step had NaN in a gradient."""
        gradients = (tensor.grad for tensor in self.model.parameters.values())
        return any(gradient is not None and bool(np.isnan(gradient.numpy()).any()) for gradient in gradients)

    def _restored(self) -> str:
        """Which weights are restored after an error, in words."""
        best = self.finished.best
        return f"of epoch {best}, the best so far" if best else "from before this fit"

    def _end(self) -> History:
        """Restores the best weights and prints the last line."""
        history = self.history
        best = self.finished.best
        say = self.progress.parts
        if best:
            self._restore()
        history.values = self.finished.values
        history.best_epoch = best
        history.seconds = time.perf_counter() - self.started
        history.fingerprint = self.blocks.fingerprint()
        took = f"{history.seconds:.1f} s"
        if history.interrupted:
            state = f"those of epoch {best}, the best" if best else "the current ones"
            at = min(history.epochs + 1, self.epochs)
            say([f"interrupted in epoch {at} after {took}; the weights are {state}"])
        elif "val_loss" in history:
            values = {name: value for name, value in self.finished.of_best().items() if name.startswith("val_")}
            shares = [f"{name} {value}" for name, value in values.items() if isinstance(value, Estimate)]
            found = ", ".join([f"val_loss {values['val_loss']:.4g}", *shares])
            say([f"best epoch {best} ({found})", *self.progress.note, took])
        else:
            say([f"no validation: the weights are those of epoch {best}, the last", took])
        return history
