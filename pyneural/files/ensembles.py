"""ensembles.py -- the part of a file that makes its models an ensemble.

The description has the card of the ensemble, and `ensemble`, a list of what the file of each model would have.  The
names of tensors begin with the number of their model, 0/ and so on.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pyneural.arguments.arrays import Array
from pyneural.card.card import Card
from pyneural.card.task import Task
from pyneural.models.ensemble import Ensemble
from pyneural.models.model import Model

KEY = "ensemble"
_DAMAGE = (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError, RuntimeError)
ReadModel = Callable[[dict[str, Any], dict[str, Array], str], Model]  # description, tensors, prefix of messages


def described(ensemble: Ensemble, describe_model: Callable[[Model], dict[str, Any]]) -> dict[str, Any]:
    """What a file says of an ensemble, whose models agree."""
    card = replace(ensemble.card, preprocessing=None)  # which each model has
    return {KEY: [describe_model(model) for model in ensemble], **card.as_json()}


def tensors_of(ensemble: Ensemble) -> dict[str, Array]:
    """The tensors of all models, by their names in the file."""
    return {
        f"{number}/{path}": tensor.numpy()
        for number, model in enumerate(ensemble)
        for path, tensor in model.blocks().tensors.items()
    }


def read_ensemble(description: dict[str, Any], tensors: dict[str, Array], name: str, read: ReadModel) -> Ensemble:
    """The ensemble of a description and tensors.

    Raises:
        ValueError: they do not describe an ensemble; messages start with `name`.
    """
    described = description[KEY]
    if not isinstance(described, list) or not all(isinstance(one, dict) for one in described):
        raise ValueError(f"{name}: its description of the models is damaged (it is not a list of them)")
    parts: dict[str, dict[str, Array]] = {str(number): {} for number in range(len(described))}
    for path, tensor in tensors.items():
        number, _, rest = path.partition("/")
        if number not in parts:
            raise ValueError(f"{name}: tensor {path} belongs to none of its {len(parts):,} models")
        parts[number][rest] = tensor
    pairs = zip(described, parts.items(), strict=True)
    models = [read(one, part, f"{name}: model {number}") for one, (number, part) in pairs]
    try:
        card = Card.from_json(description)
        ensemble = Ensemble(models)
        task = ensemble.card.task
        if not isinstance(card.task, Task) or (card.task.kind, card.task.outputs) != (task.kind, task.outputs):
            raise ValueError("its task is not that of its models")
        vars(ensemble.card).update(vars(card))
        ensemble.refresh()
    except _DAMAGE as error:
        raise ValueError(f"{name}: its description of the ensemble is damaged ({error})") from error
    return ensemble
