"""loop.py -- the training loop: epochs, steps, validation, the best weights."""

import math
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from functools import partial
from itertools import islice
from typing import Any

import pyneural._core as _core
import pyneural.training.nonfinite as nonfinite
import pyneural.training.stuck as stuck
from pyneural.evaluation.objective import losses_of, mean_loss_and_metrics
from pyneural.layers.context import position
from pyneural.metrics.estimate import Estimate
from pyneural.training.accumulating import Batch, Groups
from pyneural.training.diverged import warn_if_diverged
from pyneural.training.doubled import warn_of_probabilities
from pyneural.training.history import History
from pyneural.training.state import State


class Training(State):
    """The loop of one training."""

    def train(self) -> History:
        """Runs the epochs.

        The first Ctrl-C stops after the current batch, in training and in validation; a second one stops at once.  Both
        return the History; while that is completed, Ctrl-C is only recorded.
        """
        self._say_resumed()
        if self.complete:
            return self._end()
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
            self.progress.end()
        with _core.Interrupt() as stop:
            history = self._end()
            try:
                self._complete()
                self.listeners.end()
            except KeyboardInterrupt:
                if not stop.pressed:
                    raise
        warn_if_diverged(history, self.model, self.plan.objective.parts, self.first, self.recipe.learning_rate)
        return history

    def _epochs(self, stop: _core.Interrupt) -> None:
        """Runs all epochs, or stops at Ctrl-C."""
        self.stopped = self.listeners.tell("on_train_begin") or self.stopped
        if self.file.state is not None:
            self.listeners.restore(self.file.state["callbacks"])
        acts = self._acts()
        while self.epoch <= self.options.epochs and not (self.stopped and self.step == 0):
            if self.step == 0:
                self.begun = time.perf_counter()
                self.stopped = self.listeners.tell("on_epoch_begin", self.epoch)
                if self.stopped:
                    break
            if not self.stopped:  # a resumed training may have stopped within the epoch
                self._epoch(acts, stop)
            finished = not stop.pressed and self._finish(stop)
            if finished:
                self.epoch += 1
                self.step = 0
                self.means = self.plan.objective.means()
            ends = stop.pressed
            if self.file.is_due_after_epoch(self.options.epochs) or ends if finished else self.step:
                self._save()
            if ends:
                break

    def _acts(self) -> list[Callable[[], None]]:
        """The functions to call after each step."""
        acts: list[Callable[[], None]] = []
        if self.averaging is not None:
            acts.append(self.averaging.step)
        if self.listeners.hear("on_batch_end"):
            acts.append(self._tell_batch)
        if self.options.seconds is not None:
            acts.append(self._look_at_clock)
        if self.file.path is not None:
            acts.append(self._save_if_due)
        return acts

    def _tell_batch(self) -> None:
        self.at.begin(None)  # the model may be called on other examples
        logs = {"loss": self.value, "learning_rate": self.bound.learning_rate}
        self.stopped = self.listeners.tell("on_batch_end", self.step, logs)

    def _look_at_clock(self) -> None:
        if self.pace.is_over():
            self.stopped = f"seconds={self.options.seconds:g}"

    def _save_if_due(self) -> None:
        if self.file.is_due():
            self._save()

    def _save(self) -> None:
        """Writes the checkpoint."""
        if self.file.path is not None:
            self.file.save(self.blocks.arrays(self.finished.weights), self.state())

    def _complete(self) -> None:
        """Writes the checkpoint of a training that has ended other than by Ctrl-C."""
        if not self.history.interrupted:
            self.complete = True
            self._save()

    def _say_resumed(self) -> None:
        if self.complete:
            self.progress.say(f"{self.file.name}: this training is complete; delete the file to start over")
        elif self.file.state is not None:
            self.progress.say(f"resuming from {self.file.name} at epoch {self.epoch}, step {self.step + 1}")

    def _epoch(self, acts: list[Callable[[], None]], stop: _core.Interrupt) -> None:
        """The rest of one pass over the training data."""
        self.at.step = self.model.card.epochs
        self.progress.open(self.epoch, self.step)
        try:
            self._steps(acts, stop)
        finally:
            self.progress.close()
            self.at.begin(None)

    def _steps(self, acts: list[Callable[[], None]], stop: _core.Interrupt) -> None:
        """The remaining steps of the epoch; what every step reads is looked up once."""
        at = self.at
        history = self.history
        progress = self.progress
        shown = progress.steps_shown
        run = self.plan.objective.run
        loss = self.plan.objective.loss
        in_units = self.plan.objective.shown
        means = self.means
        engine = self.bound.engine
        rate = self.recipe.learning_rate
        multiplier = self.pace.multiplier
        steps = self.pace.steps
        groups = Groups(self._batches(), self.options.accumulate, self.plan.objective)
        for x, y, weights, samples in groups:
            at.begin(samples)
            outputs = run(x, training=True)
            del x  # so that the next batch can reuse its memory
            error = loss(outputs, y, weights)
            value = error.item()
            if not math.isfinite(value):
                self._fail(f"loss became {value} in epoch {self.epoch}, step {self.step + 1}", self._batch_again)
            if in_units is not None:
                value = in_units(value)
            self.value = value
            if not history.steps and groups.first:
                self._look_at_first(outputs, value)
            groups.backward(error)
            means.add(outputs, y, value, len(samples), weights)
            if not groups.last:
                continue
            engine.learning_rate = rate * self.run.learning_rate_factor * multiplier(history.steps, steps)
            engine.step()
            history.steps += 1
            self.step += 1
            if shown:
                progress.step(self.step, value)
            for act in acts:
                act()
            if stop.pressed or self.stopped:
                break

    def _look_at_first(self, outputs: Any, value: float) -> None:
        """Remembers the loss of the first batch, and looks at its outputs."""
        self.first = value
        warn_of_probabilities(outputs, self.model.card)

    def _batches(self) -> Iterator[Batch]:
        """The remaining batches of the epoch."""
        batches = self.plan.feed.epoch(self.options.batch_size, self.options.seed, self.at.step)
        return islice(batches, self.step * self.options.accumulate, None)

    def _finish(self, stop: _core.Interrupt) -> bool:
        """Validates, keeps the weights if they are the best so far, and prints the line of the epoch.

        With ema these are the averaged weights.  Returns False if Ctrl-C interrupted the validation.
        """
        with nullcontext() if self.averaging is None else self.averaging.applied():
            return self._judge(stop)

    def _judge(self, stop: _core.Interrupt) -> bool:
        """Validates the weights that the model has, and records the epoch."""
        epoch = self.epoch
        values = self.means.result()
        if self.plan.held is not None:
            self.progress.open_validation(len(self.plan.held))
            try:
                found = mean_loss_and_metrics(self.plan.judge, self.plan.held, stop, self.progress.validated)
            finally:
                self.progress.close()
            if stop.pressed:
                return False
            values |= {f"val_{name}": value for name, value in found.items()}
            if not math.isfinite(found["loss"]):
                again = partial(losses_of, self.plan.judge, self.plan.held)
                self._fail(f"validation loss became {found['loss']} in epoch {epoch}", again)
        seconds = time.perf_counter() - self.begun
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
        self.stopped = self.listeners.tell("on_epoch_end", epoch, logs) or self.stopped
        return True

    def _keep(self, values: dict[str, float]) -> None:
        """Adds an epoch to the finished ones, with the weights if they are the ones to keep so far."""
        best = self.options.keep == "last" or self.finished.improved_by(values)
        self.finished = self.finished.then(values, self.blocks.snapshot() if best else None)
        self._record()

    def _fail(self, what: str, batches: Callable[[], Iterable[Any]]) -> None:
        """Raises the error for a loss that is not finite; `batches` runs what it was computed from once more."""
        fault = nonfinite.find(self.model, lambda: list(batches()))
        fix = nonfinite.fix(
            fault, self.model, self.value, self.recipe.learning_rate, self.plan.objective.has_custom_loss
        )
        why = f"; {fault}" if str(fault) else ""
        raise FloatingPointError(f"fit: the {what}; restored the weights {self._restored()}{why}: {fix}")

    def _batch_again(self) -> Iterator[Any]:
        """Computes the loss of the current batch once more; of all batches of the step, if they are several."""
        for x, y, weights, samples in islice(self._batches(), self.options.accumulate):
            self.at.begin(samples)
            yield self.plan.objective.loss(self.plan.objective.run(x, training=True), y, weights)

    def _end(self) -> History:
        """Restores the best weights and prints the last line."""
        history = self.history
        best = self.finished.best
        say = self.progress.parts
        if best:
            self._restore()
        self.finished.cut()
        history.update(self.finished.values)
        history.best_epoch = best
        history.seconds = self.pace.elapsed
        history.stopped = self.stopped
        history.fingerprint = self.blocks.fingerprint()
        took = f"{history.seconds:.1f} s"
        if history.interrupted:
            state = f"those of epoch {best}, the {self.options.keep}" if best else "the current ones"
            at = min(history.epochs + 1, self.options.epochs)
            say([f"interrupted in epoch {at} after {took}; the weights are {state}"])
            return history
        if self.stopped:
            say([f"stopped by {self.stopped}", f"{history.epochs} of {self.options.epochs} epochs"])
        if "val_loss" in history:
            values = {name: value for name, value in self.finished.of_best().items() if name.startswith("val_")}
            shares = [f"{name} {value}" for name, value in values.items() if isinstance(value, Estimate)]
            found = ", ".join([f"val_loss {values['val_loss']:.4g}", *shares])
            say([f"{self.options.keep} epoch {best} ({found})", *self.progress.note, took])
        elif best:
            say([f"no validation: the weights are those of epoch {best}, the last", took])
        return history
