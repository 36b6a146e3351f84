"""xray.py -- what the X-ray page says of an image: probability, operating point, verdict, where the model looked."""

from typing import Any

from pyneural.apps.draw.answers import Reader
from pyneural.apps.xray_words import CAVEAT
from pyneural.card.task import Task

MODEL = "xray.safetensors"
COMMAND = "pyneural xray"
"""The command that makes it."""


def check(reader: Reader, name: str) -> None:
    """Refuses a model that does not choose between two classes.

    Raises:
        ValueError: it does not.
    """
    task: Any = reader.model.card.task
    if not isinstance(task, Task) or not task.is_two_class:
        raise ValueError(f"draw: --xray: the model in {name} does not have two classes: make one with {COMMAND}")


def facts(reader: Reader | None, name: str) -> dict[str, Any]:
    """What the page says of the model before an image; without one, the command that makes it."""
    if reader is None:
        return {"available": False, "command": COMMAND, "file": MODEL}
    task: Any = reader.model.card.task
    found = {"available": True, "name": name, "classes": list(task.names), "threshold": task.threshold}
    return found | {"caveat": CAVEAT, "trained_on": reader.model.card.data}


def examined(reader: Reader, body: bytes) -> dict[str, Any]:
    """The answer to an X-ray: the probability of the second class, and the verdict at the operating point.

    Raises:
        RefusedError: it is not a PNG or JPEG.
    """
    task: Any = reader.model.card.task
    image = reader.picture(body)
    answer = reader.answer_to(image, ())
    positive = task.label(1)
    probability = answer["probabilities"][-1]
    side = "at or above" if probability >= task.threshold else "below"
    verdict = f"the probability of {positive} is {side} the operating point"
    found = {"label": answer["label"], "positive": positive, "probability": probability, "threshold": task.threshold}
    heat = reader.heat(image, label=positive)
    return found | {"verdict": verdict, "caveat": CAVEAT, "notes": answer.get("notes", []), "heat": heat}
