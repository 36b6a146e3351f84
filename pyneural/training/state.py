"""state.py -- State: everything that changes during a training, which is what a checkpoint holds."""

import math
import time
from typing import Any, NamedTuple

import pyneural.schedules as schedules
import pyneural.training.stuck as stuck
from pyneural.callbacks.callback import Callback, Listeners, Run
from pyneural.layers.context import Position
from pyneural.models.model import Model
from pyneural.training.averaging import Averaging
from pyneural.training.best import Finished
from pyneural.training.history import History
from pyneural.training.optimizers import Optimizer
from pyneural.training.pace import Pace
from pyneural.training.plan import Plan
from pyneural.training.progress import Progress
from pyneural.training.resume import CheckpointFile

AUTO = "auto"


class Options(NamedTuple):
    """The arguments of fit that the loop reads; epochs and batch_size are 0 for "auto", until the data is known."""

    epochs: int
    batch_size: int
    seed: int
    verbose: int
    patience: int | None
    seconds: float | None
    ema: float | None
    accumulate: int
    keep: str

    def of_result(self) -> dict[str, Any]:
        """Those that determine the result of a training, by name."""
        values = self._asdict() | {"epochs": self.epochs or AUTO, "batch_size": self.batch_size or AUTO}
        return {name: value for name, value in values.items() if name != "verbose"}


class State:
    """The state of one training.

    Attributes:
        epoch: the current epoch, from 1.
        step: the number of its finished steps.
        means: the means of the loss and the metrics over these steps.
        finished: the finished epochs.
        value: the loss of the last step.
        first: that of the first step, NaN after a resumption.
        earlier: the model's epochs before this training.
        begun: the time at which the epoch began.
        stopped: what ends the training early; "" for nothing.
        complete: whether the training has ended, other than by Ctrl-C.
    """

    def __init__(
        self,
        model: Model,
        plan: Plan,
        optimizer: Optimizer,
        schedule: schedules.Schedule,
        options: Options,
        callbacks: list[Callback],
        file: CheckpointFile,
    ) -> None:
        self.model = model
        self.plan = plan
        self.recipe = optimizer
        self.options = options
        self.file = file
        each = -(-plan.feed.steps(options.batch_size) // options.accumulate)
        self.progress = Progress(options.verbose, options.epochs, each, plan.note)
        self.bound = optimizer.bound(model)
        self.blocks = model.blocks()
        self.finished = Finished.none(self.blocks.snapshot())
        self.averaging = None if options.ema is None else Averaging(self.blocks, options.ema)
        self.before = stuck.values(model, optimizer.undecayed) if options.verbose else {}
        self.earlier = model.card.epochs
        self.at = Position(options.seed)
        self.history = History()
        self.value = math.inf
        self.first = math.nan
        self.epoch = 1
        self.step = 0
        self.means = plan.objective.means()
        self.stopped = ""
        self.begun = time.perf_counter()
        self.complete = False
        self.run = Run(model, options.epochs, each, plan.names)
        self.listeners = Listeners(callbacks, self.run)
        self.pace = Pace(schedule, options.epochs * each, options.seconds)

    def state(self) -> dict[str, Any]:
        """What a checkpoint holds besides the best weights so far."""
        return {
            "epoch": self.epoch,
            "step": self.step,
            "steps": self.history.steps,
            "earlier": self.earlier,
            "seconds": self.pace.elapsed,
            "epoch_seconds": time.perf_counter() - self.begun,
            "value": self.value,
            "stopped": self.stopped,
            "complete": self.complete,
            "learning_rate_factor": self.run.learning_rate_factor,
            "means": self.means.state(),
            "finished": self.finished._asdict(),
            "weights": self.blocks.snapshot(),
            "averaging": None if self.averaging is None else self.averaging.state(),
            "optimizer": {
                "slots": self.bound.engine.slots(),
                "steps": self.bound.steps,
                "learning_rate": self.bound.learning_rate,
            },
            "callbacks": self.listeners.state(),
        }

    def resume(self, state: dict[str, Any]) -> None:
        """Restores what `state` returned; the callbacks' part follows when they have been told of the beginning."""
        self.epoch = state["epoch"]
        self.step = state["step"]
        self.history.steps = state["steps"]
        self.earlier = state["earlier"]
        self.pace.resume(state["seconds"])
        self.begun = time.perf_counter() - state["epoch_seconds"]
        self.value = state["value"]
        self.stopped = state["stopped"]
        self.complete = state["complete"]
        self.run.learning_rate_factor = state["learning_rate_factor"]
        self.means.restore(state["means"])
        self.finished = Finished(**state["finished"])
        self.blocks.restore(state["weights"])
        if self.averaging is not None:
            self.averaging.restore(state["averaging"])
        optimizer = state["optimizer"]
        self.bound.engine.set_slots(optimizer["slots"])
        self.bound.engine.steps = optimizer["steps"]
        self.bound.engine.learning_rate = optimizer["learning_rate"]
        self._record()

    def _record(self) -> None:
        """Records the finished epochs on the model's card, and for the callbacks."""
        finished = self.finished
        finished.cut()
        card = self.model.card
        card.epochs = self.earlier + finished.epochs
        if finished.best:
            card.best_epoch = self.earlier + finished.best
            card.kept = self.options.keep if "val_loss" in finished.values else "last"
            values = finished.of_best().items()
            card.metrics = {name: float(value) for name, value in values if name not in ("learning_rate", "seconds")}
        self.run.record(finished.values, finished.best, self.bound.learning_rate)

    def _restore(self) -> None:
        """Restores the best weights so far, and records their metrics on the model's card."""
        self.blocks.restore(self.finished.weights)
        self._record()

    def _restored(self) -> str:
        """Which weights are restored after an error, in words."""
        best = self.finished.best
        return f"of epoch {best}, the {self.options.keep} so far" if best else "from before this fit"
