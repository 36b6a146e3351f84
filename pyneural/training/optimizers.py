"""optimizers.py -- the engine's optimizers: recipes for pn.fit, or bound to a model and stepped by hand."""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import pyneural._core as _core
from pyneural._core import Tensor
from pyneural.arguments.checks import is_number, is_whole
from pyneural.arguments.familiar_training import OF_HYPER, OF_OPTIMIZERS
from pyneural.arguments.objects import brief
from pyneural.arguments.spelling import choose, closest, no_attribute
from pyneural.models.blocks import Blocks
from pyneural.models.model import Model

_TABLE: dict[str, dict[str, Any]] = _core.optimizer_table()


class Optimizer:
    """Updates parameters by their gradients.

    Without a target it is a recipe for pn.fit(optimizer=...); with one it is ready to step.

    >>> import pyneural as pn
    >>> w = pn.tensor([3.0], requires_grad=True)
    >>> optimizer = pn.SGD([w], learning_rate=0.5, momentum=0.0)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.item()
    0.0
    """

    kind: ClassVar[str] = ""

    def __init__(self, target: Model | Sequence[Tensor] | None = None, *more: float, **hyper: float | bool) -> None:
        """Creates a recipe, or an optimizer that is ready to step.

        Args:
            target: a built model, or a list of tensors that require a gradient; None makes a recipe.
            more: not allowed; only for the error message.
            hyper: hyperparameters by name, such as learning_rate=0.01; the class docstring lists them with defaults.
        """
        if not self.kind:
            raise TypeError(f"Optimizer: make one of {', '.join(NAMES)}")
        if more:
            raise TypeError(
                f"{type(self).__name__}() takes one positional argument, a model or a list of tensors; give numbers by "
                f"name: learning_rate={more[0]!r}"
            )
        defaults = _TABLE[self.kind]["defaults"]
        for name in hyper:
            if name not in defaults:
                ours = [word for word in OF_HYPER.get(name, ()) if word.split("'")[0] in defaults]
                near = ours[0] if ours else closest(name, defaults)
                hint = f"did you mean '{near}'" if near else f"it takes {', '.join(defaults)}"
                raise TypeError(f"{type(self).__name__}() has no '{name}'; {hint}")
        self.hyper: dict[str, float | bool] = _checked(type(self).__name__, hyper)
        self._core: _core.Optimizer | None = None
        self._blocks: Blocks | None = None
        if target is not None:
            self._bind(target)

    def _bind(self, target: Model | Sequence[Tensor]) -> None:
        if isinstance(target, Model):
            self._blocks = target.blocks()
            if self._blocks.parameters is None:
                raise ValueError(f"{type(self).__name__}: the model has no parameters to train")
            self._core = _core.Optimizer(self.kind, self._blocks.parameters, **self.hyper)
        else:
            tensors = list(target.values()) if isinstance(target, dict) else _tensors(type(self).__name__, target)
            self._core = _core.Optimizer(self.kind, tensors, **self.hyper)

    def bound(self, model: Model, **hyper: float) -> "Optimizer":
        """A fresh optimizer for a model from this recipe."""
        return type(self)(model, **(self.hyper | hyper))

    @property
    def engine(self) -> _core.Optimizer:
        """The engine's optimizer.

        Raises:
            RuntimeError: this is a recipe.
        """
        if self._core is None:
            name = type(self).__name__
            raise RuntimeError(f"{name}: it has no parameters; create it as pn.{name}(model), or pass it to pn.fit")
        return self._core

    def step(self) -> None:
        """Updates every trainable parameter by its gradient.

        Raises:
            RuntimeError: it is a recipe, or another model has taken the parameters since.
        """
        if self._blocks is not None and not self._blocks.current:
            name = type(self).__name__
            raise RuntimeError(f"{name}: another model now owns these parameters; create a new pn.{name}(model)")
        self.engine.step()

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next step; may be set."""
        if self._core is None:
            return float(self.hyper.get("learning_rate", _TABLE[self.kind]["defaults"]["learning_rate"]))
        return self._core.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        checked = _checked(type(self).__name__, {"learning_rate": value})
        if self._core is None:
            self.hyper |= checked
        else:
            self._core.learning_rate = checked["learning_rate"]

    @property
    def steps(self) -> int:
        """The number of steps made."""
        return self._core.steps if self._core else 0

    @property
    def undecayed(self) -> tuple[str, ...]:
        """The groups of parameters without weight decay."""
        hyper = _TABLE[self.kind]["defaults"] | self.hyper
        if not hyper["weight_decay"]:
            return ("weight", "bias")
        return () if hyper["decay_all"] else ("bias",)

    def __getattr__(self, name: str) -> Any:
        raise no_attribute("an optimizer", self, name, OF_OPTIMIZERS)

    def __repr__(self) -> str:
        hyper = ", ".join(f"{name}={value!r}" for name, value in self.hyper.items())
        return f"{type(self).__name__}({'model' if self._core else ''}{', ' if self._core and hyper else ''}{hyper})"


def _checked(who: str, hyper: dict[str, Any]) -> dict[str, Any]:
    """Checks hyperparameters, and converts NumPy numbers to Python ones."""
    found = dict(hyper)
    for name, value in hyper.items():
        if isinstance(value, bool) and name in ("nesterov", "decay_all"):
            continue
        if not is_number(value):
            raise TypeError(f"{who}: {name} is {brief(value)}: give a number{_words_of_rates(name, value)}")
        if not 0 <= value < float("inf") or (name == "learning_rate" and value == 0):
            raise ValueError(f"{who}: {name} is {value!r}: give a number above 0")
        found[name] = int(value) if is_whole(value) else float(value)
    return found


def _words_of_rates(name: str, value: Any) -> str:
    """What to write instead of learning_rate="adaptive" and other words, which are schedules elsewhere."""
    if name != "learning_rate" or not isinstance(value, str):
        return ""
    return (
        "; how it changes is the schedule of the training, such as schedule='constant' or 'one-cycle', and "
        "callbacks=[pn.callbacks.ReduceLROnPlateau()] lowers it when the loss stops falling"
    )


class SGD(Optimizer):
    """Gradient descent with momentum."""

    kind = "sgd"


class RMSprop(Optimizer):
    """Gradients divided by their running root mean square."""

    kind = "rmsprop"


class Adam(Optimizer):
    """Running means of the gradient and its square, with bias correction."""

    kind = "adam"


class AdamW(Optimizer):
    """Adam with decoupled weight decay."""

    kind = "adamw"


NAMES: dict[str, type[Optimizer]] = {kind.kind: kind for kind in (SGD, RMSprop, Adam, AdamW)}


for _name, _class in NAMES.items():  # docstrings from the engine's table
    _row = _TABLE[_name]
    _defaults = ", ".join(f"{key}={value}" for key, value in _row["defaults"].items())
    _class.__doc__ = f"{_row['doc']}\n\nDefaults: {_defaults}"


# A learning rate that decays to 0 can start higher: fit's default is the table's rate times this.
_PEAKS = {"one-cycle": 3.0, "cosine": 2.0}


def recipe(optimizer: str | Optimizer, learning_rate: float | None, schedule: str) -> Optimizer:
    """The recipe from fit's arguments, with its learning rate.

    Raises:
        TypeError, ValueError: the rate is given twice, the name is unknown, or the optimizer is already bound.
    """
    if isinstance(optimizer, type) and issubclass(optimizer, Optimizer):
        raise TypeError(f"fit: {optimizer.__name__} is a class; write pn.{optimizer.__name__}()")
    if isinstance(optimizer, str):
        optimizer = choose("fit: optimizer", optimizer, NAMES)()
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"fit: optimizer is {brief(optimizer)}: give a name ({', '.join(NAMES)}) or pn.Adam(...)")
    if optimizer._core is not None:
        name = type(optimizer).__name__
        raise ValueError(f"fit: this optimizer is bound to a model; give a fresh pn.{name}(...) without one")
    _try(optimizer)
    if learning_rate is not None and "learning_rate" in optimizer.hyper:
        raise ValueError("fit: the learning rate is given twice, in optimizer= and as learning_rate=: give it once")
    if learning_rate is not None:
        return type(optimizer)(None, **(optimizer.hyper | _checked("fit", {"learning_rate": learning_rate})))
    if "learning_rate" in optimizer.hyper:
        return optimizer
    rate = optimizer.learning_rate * _PEAKS.get(schedule, 1.0)
    return type(optimizer)(None, **(optimizer.hyper | {"learning_rate": rate}))


def _tensors(who: str, target: Any) -> list[Tensor]:
    if is_number(target):
        raise TypeError(f"{who}: {target!r} is not a model: write pn.{who}(learning_rate={target!r})")
    if isinstance(target, str | Tensor) or not isinstance(target, Iterable):
        raise TypeError(f"{who}: target is {type(target).__name__}: give a model, or a list of tensors")
    return list(target)


def _try(recipe: Optimizer) -> None:
    """Lets the engine check the recipe's hyperparameters before a model is changed.

    Raises:
        ValueError: one is out of its range.
    """
    _core.Optimizer(recipe.kind, [_core.tensor([0.0], "float32", requires_grad=True)], **recipe.hyper)
