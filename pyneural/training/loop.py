"""loop.py -- the training loop: epochs, steps, validation, the best weights."""

import math
import time
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

import pyneural._core as _core
import pyneural.schedules as schedules
import pyneural.training.stuck as stuck
from pyneural.callbacks.callback import Callback, Listeners, Run
from pyneural.evaluation.objective import are_finite, mean_loss_and_metrics, outputs_of
from pyneural.layers.context import Position, position
from pyneural.metrics.estimate import Estimate
from pyneural.models.model import Model
from pyneural.training.best import Finished
from pyneural.training.doubled import warn_of_probabilities
from pyneural.training.history import History
from pyneural.training.optimizers import Optimizer
from pyneural.training.pace import Pace
from pyneural.training.plan import Plan
from pyneural.training.progress import Progress

_LARGE = 1e6  # a loss above it may have overflowed in backward


class Options(NamedTuple):
    """The arguments of fit that the loop reads."""

    epochs: int
    batch_size: int
    seed: int
    verbose: int
    patience: int | None
    seconds: float | None


class Training:
    """The state and the loop of one training."""

    def __init__(
        self,
        model: Model,
        plan: Plan,
        optimizer: Optimizer,
        schedule: schedules.Schedule,
        options: Options,
        callbacks: list[Callback],
    ) -> None:
        self.model = model
        self.plan = plan
        self.recipe = optimizer
        self.options = options
        each = plan.feed.steps(options.batch_size)
        self.progress = Progress(options.verbose, options.epochs, each, plan.note)
        self.bound = optimizer.bound(model)
        self.blocks = model.blocks()
        self.finished = Finished.none(self.blocks.snapshot())
        self.before = stuck.values(model, optimizer.undecayed) if options.verbose else {}
        self.earlier = model.card.epochs
        self.at = Position(options.seed)
        self.history = History()
        self.value = math.inf
        self.epoch = 1
        self.step = 0
        self.means = plan.objective.means()
        self.stopped = ""
        self.run = Run(model, options.epochs, each, plan.names)
        self.listeners = Listeners(callbacks, self.run)
        self.pace = Pace(schedule, options.epochs * each, options.seconds)

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
            self.listeners.end(error)
            raise
        finally:
            position.reset(token)
        with _core.Interrupt() as stop:
            history = self._end()
            try:
                self.listeners.end()
            except KeyboardInterrupt:
                if not stop.pressed:
                    raise
        return history

    def _epochs(self, stop: _core.Interrupt) -> None:
        """Runs all epochs, or stops at Ctrl-C."""
        self.stopped = self.listeners.tell("on_train_begin")
        acts = self._acts()
        while self.epoch <= self.options.epochs and not self.stopped:
            begun = time.perf_counter()
            if self.step == 0:
                self.means = self.plan.objective.means()
                self.stopped = self.listeners.tell("on_epoch_begin", self.epoch)
                if self.stopped:
                    break
            self._epoch(acts, stop)
            if not stop.pressed:
                self._finish(begun, stop)
            if stop.pressed:
                break
            self.epoch += 1
            self.step = 0

    def _acts(self) -> list[Callable[[], None]]:
        """What is done after each step, besides the training."""
        acts: list[Callable[[], None]] = []
        if self.listeners.hear("on_batch_end"):
            acts.append(self._tell_batch)
        if self.options.seconds is not None:
            acts.append(self._look_at_clock)
        return acts

    def _tell_batch(self) -> None:
        logs = {"loss": self.value, "learning_rate": self.bound.learning_rate}
        self.stopped = self.listeners.tell("on_batch_end", self.step, logs)

    def _look_at_clock(self) -> None:
        if self.pace.is_over():
            self.stopped = f"seconds={self.options.seconds:g}"

    def _epoch(self, acts: list[Callable[[], None]], stop: _core.Interrupt) -> None:
        """The rest of one pass over the training data."""
        at = self.at
        history = self.history
        progress = self.progress
        objective = self.plan.objective
        means = self.means
        engine = self.bound.engine
        rate = self.recipe.learning_rate
        multiplier = self.pace.multiplier
        at.step = self.model.card.epochs
        progress.open(self.epoch, self.step)
        shown = progress.steps_shown
        batches = self.plan.feed.epoch(self.options.batch_size, self.options.seed, at.step)
        try:
            for x, y, weights, samples in islice(batches, self.step, None):
                at.begin(samples)
                outputs = objective.run(x, training=True)
                if not history.steps:
                    warn_of_probabilities(outputs, self.model.card)
                del x  # so that the next batch can reuse its memory
                error = objective.loss(outputs, y, weights)
                value = error.item()
                if not math.isfinite(value):
                    self._fail(f"loss became {value} in epoch {self.epoch}, step {self.step + 1}", [outputs])
                self.value = value
                error.backward()
                engine.learning_rate = rate * self.run.learning_rate_factor * multiplier(history.steps)
                engine.step()
                history.steps += 1
                self.step += 1
                means.add(outputs, y, value, len(samples), weights)
                if shown:
                    progress.step(self.step, value)
                for act in acts:
                    act()
                if stop.pressed or self.stopped:
                    break
        finally:
            progress.close()
            at.begin(None)

    def _finish(self, begun: float, stop: _core.Interrupt) -> None:
        """Validates, keeps the weights if they are the best so far, and prints the line of the epoch."""
        epoch = self.epoch
        values = self.means.result()
        if self.plan.held is not None:
            found = mean_loss_and_metrics(self.plan.judge, self.plan.held, stop)
            if stop.pressed:
                return
            values |= {f"val_{name}": value for name, value in found.items()}
            if not math.isfinite(found["loss"]):
                outputs = outputs_of(self.plan.judge, self.plan.held)
                self._fail(f"validation loss became {found['loss']} in epoch {epoch}", outputs)
        seconds = time.perf_counter() - begun
        logs = values | {"learning_rate": self.bound.learning_rate, "seconds": seconds}
        self._keep(logs)
        self.progress.epoch(epoch, seconds, values)
        if epoch == 1 and self.progress.verbose:
            hint = stuck.layers_without_gradient(self.model, self.before)
            self.before.clear()
            if hint:
                self.progress.say(hint)
        if self.options.patience is not None and self.finished.since >= self.options.patience:
            self.stopped = self.stopped or f"patience={self.options.patience}"
        self.stopped = self.stopped or self.listeners.tell("on_epoch_end", epoch, logs)

    def _keep(self, values: dict[str, float]) -> None:
        """Adds an epoch to the finished ones, with the weights if they are the best so far."""
        best = self.finished.improved_by(values)
        self.finished = self.finished.then(values, self.blocks.snapshot() if best else None)
        self._record()

    def _record(self) -> None:
        """Records the finished epochs on the model's card, and for the callbacks."""
        finished = self.finished
        card = self.model.card
        card.epochs = self.earlier + finished.epochs
        if finished.best:
            card.best_epoch = self.earlier + finished.best
            values = finished.of_best().items()
            card.metrics = {name: float(value) for name, value in values if name not in ("learning_rate", "seconds")}
        self.run.values = finished.values
        self.run.best_epoch = finished.best
        self.run.learning_rate = self.bound.learning_rate

    def _restore(self) -> None:
        """Restores the best weights so far, and records their metrics on the model's card."""
        self.blocks.restore(self.finished.weights)
        self._record()

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
        history.seconds = self.pace.elapsed
        history.stopped = self.stopped
        history.fingerprint = self.blocks.fingerprint()
        took = f"{history.seconds:.1f} s"
        if history.interrupted:
            state = f"those of epoch {best}, the best" if best else "the current ones"
            at = min(history.epochs + 1, self.options.epochs)
            say([f"interrupted in epoch {at} after {took}; the weights are {state}"])
            return history
        if self.stopped:
            say([f"stopped by {self.stopped}", f"{history.epochs} of {self.options.epochs} epochs"])
        if "val_loss" in history:
            values = {name: value for name, value in self.finished.of_best().items() if name.startswith("val_")}
            shares = [f"{name} {value}" for name, value in values.items() if isinstance(value, Estimate)]
            found = ", ".join([f"val_loss {values['val_loss']:.4g}", *shares])
            say([f"best epoch {best} ({found})", *self.progress.note, took])
        elif best:
            say([f"no validation: the weights are those of epoch {best}, the last", took])
        return history
