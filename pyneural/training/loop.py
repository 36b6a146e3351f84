"""loop.py -- the loop of a training: epochs, steps, validation, the best weights."""

import math
import time

import pyneural._core as _core
import pyneural.schedules as schedules
import pyneural.training.stuck as stuck
from pyneural.evaluation.heads import measure
from pyneural.layers.context import Position, position
from pyneural.metrics.estimate import Estimate
from pyneural.models.model import Model
from pyneural.training.history import History
from pyneural.training.optimizers import Optimizer
from pyneural.training.plan import Plan
from pyneural.training.progress import Progress


class Training:
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
