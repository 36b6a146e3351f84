"""information.py -- what the API says of a model."""

from typing import Any

from pyneural.apps.draw.answers import Reader
from pyneural.apps.draw.tables import RowReader, columns_of
from pyneural.models.ensemble import Ensemble
from pyneural.version import VERSION


def of_model(reader: Reader | RowReader, name: str) -> dict[str, Any]:
    """A model as JSON: what it takes, what it answers, and where it came from.

    Args:
        reader: it reads with the model.
        name: the name of the file.
    """
    model = reader.model
    models = model.models if isinstance(model, Ensemble) else (model,)
    card = model.card
    return {
        "name": name,
        "architecture": str(model),
        "input_shape": list(model.input_shape or ()),
        "classes": model.classes,
        "columns": columns_of(model),
        "target": list(card.target),
        "parameters": sum(tensor.size for one in models for tensor in one.parameters.values()),
        "prepare": card.prepare,
        "first_maps": reader.has_maps,
        "trained_on": card.data,
        "epochs": card.epochs,
        "metrics": card.metrics,
        "pyneural": VERSION,
    }
