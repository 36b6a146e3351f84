"""consistency.py -- whether what a model file says of inputs and outputs fits its layers."""

from typing import Any

from pyneural.models.model import Model


def check_card(model: Model) -> None:
    """Rejects a card that does not fit the model whose shapes are known, since its predictions would be wrong.

    Raises:
        ValueError: it does not; the message says where.
    """
    card = model.card
    _check_inputs(model)
    if card.task is None:
        return
    shapes = _by_head(model.output_shape)
    tasks, scales = _by_head(card.task), _by_head(card.target_scale)
    if set(tasks) != set(shapes):
        raise ValueError(f"its tasks are of the outputs {sorted(tasks)}, the model has {sorted(shapes)}")
    for head, task in tasks.items():
        if task is None or shapes[head] != (task.outputs,):
            raise ValueError(f"its task{_of(head)} does not fit the outputs {shapes[head]}")
        scale = scales.get(head)
        if scale is not None and (task.kind != "values" or len(scale.mean) != task.outputs):
            raise ValueError(f"its target_scale{_of(head)} does not fit the task")
    if not all(scale is None or head in tasks for head, scale in scales.items()):
        raise ValueError("its target_scale has other heads than the model")


def _check_inputs(model: Model) -> None:
    shape, card = model.input_shape, model.card
    preprocessing = card.preprocessing
    if preprocessing is not None and shape and len(preprocessing.mean) not in (0, 1, shape[-1]):
        raise ValueError(f"its preprocessing is for {len(preprocessing.mean)} channels, its inputs are {shape}")
    if card.table is not None and shape and len(card.table.features) != shape[-1]:
        raise ValueError(f"its table becomes {len(card.table.features)} numbers, its inputs are {shape}")


def _by_head(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {"": value}


def _of(head: str) -> str:
    return f" of the head {head!r}" if head else ""
