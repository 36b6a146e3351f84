"""chosen.py -- what is chosen on validation data once a model is trained, its threshold and its temperature."""

from pathlib import Path
from typing import Any

from pyneural.batching.inputs import check_model
from pyneural.batching.opening import open_data
from pyneural.card.task import Task
from pyneural.evaluation.heads import Head, trained
from pyneural.models.ensemble import Ensemble
from pyneural.models.entrances import inherit
from pyneural.models.model import Model

_CALLS = {"the temperature": "pn.calibrate", "the threshold": "pn.choose_threshold"}


def outdated(task: Any) -> str:
    """What a further fit says of a task, or a dict of them, with a threshold or a temperature; "" if it has neither."""
    tasks = task.values() if isinstance(task, dict) else () if task is None else (task,)
    temperature = ["the temperature"] * any(one.temperature != 1 for one in tasks)
    parts = temperature + ["the threshold"] * any(one.threshold != 0.5 or one.thresholds for one in tasks)
    if not parts:
        return ""
    were = "was" if len(parts) == 1 else "were"
    calls = [_CALLS[part] for part in parts]
    return f"{' and '.join(parts)} {were} chosen for the earlier weights: afterwards call {' and '.join(calls)} again"


def opened(model: Any, validation: Any, who: str) -> tuple[tuple[Head, ...], Any]:
    """The heads of a trained model, and the validation data.

    Raises:
        RuntimeError: the model is not trained yet.
        TypeError: the data is a path.
    """
    check_model(model, who)
    if isinstance(model, Model):
        inherit(model)
    if model.card.task is None:
        raise RuntimeError(f"{who}: the model is not trained yet: call pn.fit(model, data) first")
    if isinstance(validation, str | Path):
        raise TypeError(
            f"{who}: validation is the path '{validation}', of which pn.evaluate takes the test part: give validation "
            "data, such as pn.datasets.folder(path).validation"
        )
    return trained(model), open_data(validation, who, model, part="validation")


def store(model: Model | Ensemble, head: str, task: Task) -> None:
    """Records a task on the model's card; the dict of a model with heads is replaced, as copies may share it."""
    model.card.task = {**model.card.task, head: task} if head else task
