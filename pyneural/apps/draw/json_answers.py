"""json_answers.py -- what the outputs of a model mean, as JSON."""

from typing import Any

from pyneural.arguments.arrays import Array
from pyneural.card.task import Task
from pyneural.evaluation.predict import LabelPrediction, prediction_of


def as_json(tasks: dict[str, Task], outputs: dict[str, Array], row: int) -> dict[str, Any]:
    """The answer to one input: that of the only head, or {"heads": {name: answer}}.

    Args:
        tasks: the task of each head.
        outputs: the outputs (n, K) of each head.
        row: the input's number.
    """
    found = {head: _answer(task, outputs[head][row]) for head, task in tasks.items()}
    return found.get("", {"heads": found})


def _answer(task: Task, row: Array) -> dict[str, Any]:
    """Values; or a label with its confidence and the probabilities; or the labels that apply, with theirs."""
    if task.kind == "values":
        return {"values": row.tolist()}
    given = prediction_of(task, row)
    if isinstance(given, LabelPrediction):
        return {
            "labels": list(given.labels),
            "confidences": [round(share, 6) for share in given.confidences],
            "probabilities": [round(float(share), 6) for share in given.probabilities],
        }
    found: dict[str, Any] = {
        "label": given.label if task.classes else int(given.label),
        "confidence": round(given.confidence, 6),
        "probabilities": [round(float(share), 6) for share in given.probabilities],
    }
    if task.is_two_class:
        found["threshold"] = task.threshold
    return found
