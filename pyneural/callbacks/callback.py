"""callback.py -- Callback: code that pn.fit calls during training; Listeners: all callbacks of a training."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pyneural.arguments.checks import is_number, named
from pyneural.arguments.familiar_training import OF_CALLBACK, OF_EVENTS, OF_RUN
from pyneural.arguments.objects import brief, is_layer
from pyneural.arguments.spelling import closest
from pyneural.files.checkpoint import can_hold
from pyneural.models.model import Model

Logs = dict[str, float]
EVENTS: dict[str, tuple[str, ...]] = {
    "on_train_begin": (),
    "on_epoch_begin": ("epoch",),
    "on_batch_end": ("step", "logs"),
    "on_epoch_end": ("epoch", "logs"),
    "on_train_end": (),
}  # the methods of a callback, and their arguments
_GIVE = "give functions of (epoch, logs) or instances such as pn.callbacks.EarlyStopping(patience=5)"


@dataclass
class Run:
    """A training as its callbacks see it.

    Attributes:
        model: the model, with its current weights.
        epochs: the requested number of epochs.
        steps: the number of steps per epoch.
        names: the names in the logs of an epoch.
        values: the finished epochs, a list per name, as in a History.
        best_epoch: the best epoch so far, from 1; 0 for none.
        learning_rate: that of the last step.
        learning_rate_factor: multiplies the learning rate of every following step; callbacks may set it.
    """

    model: Model
    epochs: int
    steps: int
    names: tuple[str, ...]
    values: Mapping[str, list[float]] = field(default_factory=dict)
    best_epoch: int = 0
    learning_rate: float = 0.0
    learning_rate_factor: float = 1.0

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "learning_rate_factor":
            if not is_number(value) or not 0 <= value < math.inf:
                raise ValueError(f"self.run.learning_rate_factor is {brief(value)}: give a number of at least 0")
        elif name not in self.__dataclass_fields__ or name in vars(self):  # it would have no effect
            ours = OF_RUN.get(name, "set learning_rate_factor, or return 'stop' to end the training")
            raise AttributeError(f"self.run.{name} cannot be set: {ours}")
        super().__setattr__(name, value)

    def record(self, values: Mapping[str, list[float]], best_epoch: int, learning_rate: float) -> None:
        """Records the finished epochs."""
        vars(self).update(values=values, best_epoch=best_epoch, learning_rate=learning_rate)


class Callback:
    """Methods that pn.fit calls during training; subclasses define those they need.

    `self.run` is the training: its model, its values so far, its learning rate.  Epochs and steps count from 1.
    Returning "stop" ends the training: from on_epoch_begin before that epoch; from on_batch_end the epoch ends there,
    and is validated.  The best weights are restored at the end.

    >>> class StopAtAccuracy(pn.callbacks.Callback):
    ...     def __init__(self, least):
    ...         self.least = least
    ...     def on_epoch_end(self, epoch, logs):
    ...         if logs["accuracy"] >= self.least:
    ...             return "stop"
    >>> x, y = np.random.default_rng(0).normal(size=(99, 4)).astype("float32"), np.arange(99) % 3
    >>> history = pn.fit(pn.Sequential(pn.Dense(3)), (x, y), epochs=9, callbacks=[StopAtAccuracy(0.0)], verbose=0)
    >>> history.epochs
    1
    """

    run: Run

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name in dir(cls):
            if name.startswith("on_") and name not in EVENTS:
                near = OF_EVENTS.get(name) or closest(name, EVENTS)
                hint = f"did you mean {near}" if near else f"they are {', '.join(EVENTS)}"
                raise TypeError(f"{cls.__name__}: {name} is not an event of pn.fit, so it would not be called: {hint}")

    def on_train_begin(self) -> Any:
        """Called before the first epoch."""

    def on_epoch_begin(self, epoch: int) -> Any:
        """Called before each epoch."""

    def on_batch_end(self, step: int, logs: Logs) -> Any:
        """Called after each step; logs has loss and learning_rate."""

    def on_epoch_end(self, epoch: int, logs: Logs) -> Any:
        """Called after each epoch and its validation; logs has what a History has."""

    def on_train_end(self) -> Any:
        """Called when the best weights have been restored, also after Ctrl-C or an error."""

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps: numbers, text, None, arrays of numbers, and lists and dicts of these.

        By default all attributes of these kinds; others, such as open files, are left out.
        """
        return {name: value for name, value in vars(self).items() if name != "run" and can_hold(value)}

    def restore(self, state: dict[str, Any]) -> None:
        """Restores what `state` returned, after on_train_begin, when a training is resumed."""
        vars(self).update(state)

    if not TYPE_CHECKING:  # type checkers report wrong names by themselves

        def __getattr__(self, name):
            ours = f"; use {OF_CALLBACK[name]}" if name in OF_CALLBACK else ""
            raise AttributeError(f"the callback {type(self).__name__} has no '{name}'{ours}")

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class _Function(Callback):
    """A function of (epoch, logs) as a callback."""

    def __init__(self, function: Callable[[int, Logs], Any]) -> None:
        self.function = function

    def on_epoch_end(self, epoch: int, logs: Logs) -> Any:
        """Calls the function."""
        return self.function(epoch, logs)

    def __repr__(self) -> str:
        return named(self.function, "lambda")


def checked(callbacks: Any) -> list[Callback]:
    """The callbacks given to fit.

    Raises:
        TypeError: one is not a callback, or a method takes other arguments; the message says which.
    """
    if isinstance(callbacks, Callback) or callable(callbacks) or isinstance(callbacks, str | type):
        callbacks = [callbacks]
    if not isinstance(callbacks, list | tuple):
        raise TypeError(f"fit: callbacks is {brief(callbacks)}: give a list of callbacks: {_GIVE}")
    return [_callback(one) for one in callbacks]


def _callback(one: Any) -> Callback:
    if isinstance(one, type):
        raise TypeError(f"fit: callbacks has the class {one.__name__}: give an instance, {one.__name__}(...)")
    if isinstance(one, Callback):
        for event, names in EVENTS.items():
            _check_signature(getattr(one, event), names, f"{type(one).__name__}.{event}")
        return one
    methods = [name for name in dir(one) if name.startswith("on_")]
    if methods:
        kind = type(one).__name__
        raise TypeError(
            f"fit: callbacks has a {kind} with {methods[0]}: make {kind} a subclass of pn.callbacks.Callback"
        )
    if callable(one) and not is_layer(one):
        _check_signature(one, EVENTS["on_epoch_end"], named(one, "lambda"))
        return _Function(one)
    raise TypeError(f"fit: callbacks has {brief(one)}: {_GIVE}")


def _check_signature(function: Callable[..., Any], names: tuple[str, ...], who: str) -> None:
    try:
        signature = inspect.signature(function)
    except ValueError:  # a function written in C may have no signature
        return
    try:
        signature.bind(*names)
    except TypeError:
        raise TypeError(f"fit: callback {who}{signature}: define it as a function of ({', '.join(names)})") from None


class Listeners:
    """The callbacks of a training, in order."""

    def __init__(self, callbacks: list[Callback], run: Run) -> None:
        self.callbacks = callbacks
        self.run = run
        self._methods = {
            event: [
                (one, getattr(one, event))
                for one in callbacks
                if getattr(type(one), event) is not getattr(Callback, event) or event in vars(one)
            ]
            for event in EVENTS
        }
        for one in callbacks:
            one.run = run

    def hear(self, event: str) -> bool:
        """Whether a callback has a method for the event."""
        return bool(self._methods[event])

    def tell(self, event: str, *arguments: Any) -> str:
        """Calls the methods for an event; returns which callback stops the training, or "".

        Raises:
            TypeError: one returned anything else than None or "stop".
        """
        stops = ""
        for one, method in self._methods[event]:
            try:
                answer = method(*arguments)
            except Exception as error:
                error.add_note(
                    f"fit: raised by the callback {one!r}{'' if isinstance(one, _Function) else f', {event}'}"
                )
                raise
            if answer is not None and not (isinstance(answer, str) and answer == "stop"):
                raise TypeError(
                    f"fit: the callback {one!r} returned {answer!r} from {event}: return 'stop' to end the training, "
                    "or nothing"
                )
            stops = stops or (repr(one) if answer else "")
        return stops

    def end(self, error: BaseException | None = None) -> None:
        """Calls on_train_end; errors in it after an error in training become notes of that error."""
        if error is None:
            self.tell("on_train_end")
            return
        try:
            self.tell("on_train_end")
        except Exception as second:
            error.add_note(f"fit: and {type(second).__name__} in on_train_end: {second}")

    def state(self) -> list[dict[str, Any]]:
        """The states of all callbacks."""
        return [one.state() for one in self.callbacks]

    def restore(self, states: list[dict[str, Any]]) -> None:
        """Restores what state returned."""
        for one, state in zip(self.callbacks, states, strict=True):
            one.restore(state)
