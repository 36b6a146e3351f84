"""ensemble.py -- Ensemble: several trained models as one, whose probabilities are the means of theirs."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from pyneural.arguments.checks import Shape, batched, is_whole
from pyneural.arguments.familiar import OF_ENSEMBLES
from pyneural.arguments.objects import brief
from pyneural.arguments.spelling import check_keywords, no_attribute
from pyneural.card.card import Card
from pyneural.card.mixed import Mixed
from pyneural.card.preprocessing import Preprocessing
from pyneural.card.side_by_side import SideBySide, widths_of
from pyneural.card.task import REGRESSION, Task
from pyneural.models.model import Model
from pyneural.printing import encodable, put_parts


class Ensemble:
    """Several trained models as one.

    Its probabilities are the means of theirs, p(x) = 1/N sum over i of p_i(x); for regression, its values.

    pn.predict, pn.classify, pn.evaluate, pn.calibrate, pn.choose_threshold, pn.heat_map, the plots, pn.save and pn.load
    take it like a model.  Each model prepares the inputs itself, and keeps its own temperature and test_time.  The
    ensemble has a threshold, which is compared with p, and a temperature T of its own: softmax(log(p) / T).  The models
    run one after another.  They stay the objects that were given: train, calibrate or change them as before, and choose
    threshold and temperature of the ensemble again.

    Args:
        models: trained models with one output each, of the same inputs, task, classes and dtype.  One that is given
            twice counts twice.

    Attributes:
        models: the models, a tuple; len, iteration and indices are its own.
        card: the task of the ensemble, with its threshold and temperature.
        classes: the names of the classes, in order; () if there are none.

    Raises:
        TypeError, ValueError, RuntimeError: something is not a trained model, or they do not agree; the message says in
            what.

    >>> import pyneural as pn
    >>> x = np.linspace(-1, 1, 60, dtype=np.float32).reshape(-1, 1)
    >>> models = [pn.Sequential(pn.Dense(8, "tanh"), pn.Dense(2)) for _ in range(3)]
    >>> for seed, model in enumerate(models):
    ...     history = pn.fit(model, (x, (x[:, 0] > 0.2).astype(int)), seed=seed, verbose=0)
    >>> ensemble = pn.Ensemble(models)
    >>> len(ensemble), pn.predict(ensemble, x).shape
    (3, (60, 2))
    >>> mean = np.mean([pn.predict(model, x) for model in ensemble], axis=0)
    >>> np.allclose(pn.predict(ensemble, x), mean)
    True
    """

    models: tuple[Model, ...]
    card: Card

    @check_keywords(
        positional="give the models as one list, pn.Ensemble([first, second])",
        **dict.fromkeys(("estimators", "members", "networks", "nets"), "models"),
    )
    def __init__(self, models: Iterable[Model]) -> None:
        vars(self).update(models=_checked(models), card=Card())
        task: Task = self.models[0].card.task
        self.card.task = Task(task.kind, task.outputs)
        self.refresh()

    def refresh(self) -> None:
        """Checks the models, which may have been trained since, and takes over from their cards what they share.

        Raises:
            ValueError: they do not agree.
        """
        check_alike(self.models)
        first, *_ = cards = [model.card for model in self.models]
        card = self.card
        card.task = replace(card.task, classes=next((one.task.classes for one in cards if one.task.classes), ()))
        rules = tuple(one.preprocessing or Preprocessing("none", "float") for one in cards)
        tables = tuple(one.table for one in cards)
        card.preprocessing = Mixed.of(rules, widths_of(tables))
        card.table, card.prepare = SideBySide.of(tables), first.prepare
        card.target = first.target if all(one.target == first.target for one in cards) else ()
        card.pixels = card.pixels or next((one.pixels for one in cards if one.pixels), None)
        same = first.loss in REGRESSION or all(one.loss == first.loss for one in cards)
        card.loss = first.loss if same else None
        card.data = " and ".join(dict.fromkeys(one.data for one in cards if one.data))

    # ---- what its models share

    @property
    def input_shape(self) -> Shape | None:
        """The shape of one input, without the batch axis."""
        return self.models[0].input_shape

    @property
    def output_shape(self) -> Any:
        """The shape of one output, without the batch axis."""
        return self.models[0].output_shape

    @property
    def dtype(self) -> str:
        """The dtype of its models."""
        return self.models[0].dtype

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, in order; () if there are none."""
        task: Task = self.card.task
        return () if task.kind == "values" else task.names

    # ---- looking

    def __len__(self) -> int:
        return len(self.models)

    def __iter__(self) -> Iterator[Model]:
        return iter(self.models)

    def __getitem__(self, number: Any) -> Model:
        if not is_whole(number):
            raise TypeError(f"Ensemble: give the number of a model, such as ensemble[0]; it has {len(self)}")
        if not -len(self) <= number < len(self):
            raise IndexError(f"Ensemble: no model {number}: it has {len(self)}, numbered from 0")
        return self.models[int(number)]

    def fingerprint(self) -> str:
        """The sha256 of the fingerprints of its models: equal for equal ensembles."""
        return hashlib.sha256("".join(model.fingerprint() for model in self.models).encode()).hexdigest()

    def parts(self, x: Any) -> list[Any]:
        """The inputs for each model: all of x, or its own columns of a table (card/side_by_side.py)."""
        rule: Any = self.card.preprocessing
        found: list[Any] = rule.parts(x)
        return found

    def summary(self) -> None:
        """Prints a line for each model: its layers, its parameters, and what it was trained on."""
        put_parts([repr(self)])
        for number, model in enumerate(self.models):
            put_parts(_described(model), first=f"{number}: ", indent="   ")

    def __repr__(self) -> str:
        lines = set(map(str, self.models))
        alike = f": {lines.pop()}" if len(lines) == 1 else " with different layers or losses"
        return encodable(f"ensemble of {len(self)} model{'s' * (len(self) > 1)}{alike}")

    def __call__(self, *_: Any, **__: Any) -> None:
        """Raises an error that shows pn.predict."""
        raise TypeError("Ensemble: it cannot be called on inputs: use pn.predict(ensemble, x)")

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "test_time":
            raise AttributeError(
                "Ensemble: test_time is set on its models: for model in ensemble: model.test_time = 'flip'"
            )
        raise AttributeError(
            f"Ensemble: {name} cannot be set: its models are fixed, pn.Ensemble([...]) makes another one; "
            "ensemble.card.task has its threshold and temperature"
        )

    def __getattr__(self, name: str) -> Any:
        raise no_attribute("an ensemble", self, name, OF_ENSEMBLES)


def _described(model: Model) -> list[str]:
    count = sum(tensor.size for tensor in model.parameters.values())
    trained = f"{model.card.epochs} epoch{'s' * (model.card.epochs > 1)}, seed {model.card.seed}"
    return [f"{model}", f"{count:,} parameters", *([trained] if model.card.epochs else [])]


def _checked(models: Any) -> tuple[Model, ...]:
    """The models of an ensemble, all of them trained.

    Raises:
        TypeError, ValueError, RuntimeError: they are not; the message says which.
    """
    if isinstance(models, Model | Ensemble | str) or not isinstance(models, Iterable):
        kind = f"one {type(models).__name__}" if isinstance(models, Model | Ensemble) else brief(models)
        raise TypeError(f"Ensemble: models is {kind}: give a list of trained models, pn.Ensemble([first, second])")
    found = tuple(models)
    if not found:
        raise ValueError("Ensemble: models is empty: give at least one trained model")
    for number, model in enumerate(found):
        who = f"Ensemble: models[{number}]"
        if isinstance(model, Ensemble):
            raise TypeError(f"{who} is an ensemble: give its models, pn.Ensemble([*ensemble.models, other])")
        if not isinstance(model, Model):
            what = f"{model.__name__}, a class" if isinstance(model, type) else brief(model)
            raise TypeError(f"{who} is {what}: give trained models, such as pn.load(path)")
        if model.card.task is None:
            raise RuntimeError(
                f"{who} is not trained yet: call pn.fit(model, data) first; if it was trained by hand, "
                "pn.evaluate(model, (x, y)) once"
            )
        if isinstance(model.output_shape, dict):
            raise ValueError(
                f"{who} has the heads {', '.join(model.output_shape)}: an ensemble is of models with one output"
            )
    return found


# ---- what must be the same


def _task(model: Model) -> str:
    task: Task = model.card.task
    many = "s" * (task.outputs > 1)
    return {
        "classes": f"{task.outputs} classes",
        "binary": "one output for two classes",
        "labels": f"{task.outputs} labels, each yes or no",
    }.get(task.kind, f"{task.outputs} value{many}")


def _answers(model: Model) -> str:
    task: Task = model.card.task
    raw = task.kind == "values" or model.card.loss in REGRESSION
    return "its raw outputs, as trained with mse, mae or huber" if raw else "probabilities"


def _pixels(model: Model) -> str:
    rule = model.card.preprocessing
    return "uint8 pixels" if rule is not None and rule.dtype == "uint8" else "floats"


def _shape(model: Model) -> str:
    """The shape of the inputs; tables may become other numbers in each model."""
    table = model.card.table
    return batched(model.input_shape or ()) if table is None or table.is_plain else "a table"


_ALIKE: dict[str, Callable[[Model], str]] = {
    "takes inputs of the shape": _shape,
    "has the dtype": lambda model: model.dtype,
    "was trained on": _pixels,
    "has": _task,
    "has the classes": lambda model: ", ".join(model.card.task.names),
    "answers with": _answers,
    "has the columns": lambda model: ", ".join(model.card.columns) or "without names",
    "prepares image files by": lambda model: model.card.prepare or "scaling",
}


def check_alike(models: tuple[Model, ...]) -> None:
    """Raises an error if models do not agree in what an ensemble needs.

    Raises:
        ValueError: they do not; the message says in what.
    """
    first = models[0]
    for number, other in enumerate(models):
        for what, of in _ALIKE.items():
            one, two = of(first), of(other)
            if one != two:
                raise ValueError(
                    f"Ensemble: models[0] {what} {one}, and models[{number}] {what} {two}: give models that agree"
                )
