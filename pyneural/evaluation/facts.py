"""facts.py -- what is known about a trained model, as names and texts, for the command info and for pages."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from pyneural.batching.image_input import reads_images
from pyneural.card.rules import Rule
from pyneural.card.task import Task
from pyneural.datasets.mnist_files import SAMPLE_NOTE
from pyneural.evaluation.heads import scales_of
from pyneural.evaluation.lines import shown
from pyneural.images.modes import TWELVE_BITS
from pyneural.models.ensemble import Ensemble
from pyneural.models.model import Model
from pyneural.models.test_time import IN_WORDS
from pyneural.printing import SEPARATOR

_PREPARED = {
    "digit": "pn.prepare_digit: cropped to the ink, in a 20 x 20 box, centred in 28 x 28",
    TWELVE_BITS: "16-bit images have 12 bits: 4095 is white",
}


def facts(model: Model | Ensemble) -> Iterator[tuple[str, str]]:
    """Task, threshold, classes, preprocessing, training, kept epoch: those that the model's card has."""
    if isinstance(model, Ensemble):
        what = "values" if model.card.task.kind == "values" else "probabilities"
        yield "models", f"{len(model)}, whose {what} are averaged"
    yield from _of_outputs(model)
    yield from _of_inputs(model)
    card = model.card
    if card.data:
        yield "trained on", card.data + (f", sha256 {card.data_hash[:16]}…" if card.data_hash else "")
    if not isinstance(model, Ensemble):
        yield from _of_training(model)
        return
    for number, one in enumerate(model):
        cooled = one.card.task.temperature
        own = [*_of_training(one), *([("temperature", f"{cooled:.4g}")] if cooled != 1 else [])]
        yield f"model {number}", SEPARATOR.join(f"{name} {text}" for name, text in own) or "trained by hand"


def _of_outputs(model: Model | Ensemble) -> Iterator[tuple[str, str]]:
    found = tasks_by_head(model)
    if not found:
        yield "task", "none: it was never trained"
    for head, task in found.items():
        means = {
            "classes": f"{task.outputs} classes",
            "binary": "binary",
            "labels": f"{task.outputs} labels, each yes or no",
        }
        yield f"task {head}".rstrip(), means.get(task.kind, f"{task.outputs} value{'s' * (task.outputs > 1)}")
        if isinstance(model, Model) and (scale := scales_of(model).get(head)):
            yield f"targets {head}".rstrip(), f"standardized (mean {_few(scale.mean)}, std {_few(scale.deviation)})"
        if task.is_two_class:
            yield f"threshold {head}".rstrip(), f"{task.label(1)} from a probability of {task.threshold:.4g}"
        if task.temperature != 1:
            yield f"temperature {head}".rstrip(), f"{task.temperature:.4g}"
        if task.thresholds:
            pairs = zip(task.names, task.thresholds, strict=True)
            yield f"thresholds {head}".rstrip(), ", ".join(f"{name} {share:.4g}" for name, share in pairs)
        if task.kind != "values" or task.classes:
            what = "classes" if task.kind in ("classes", "binary") else task.kind
            yield f"{what} {head}".rstrip(), ", ".join(task.names)


def _of_inputs(model: Model | Ensemble) -> Iterator[tuple[str, str]]:
    card = model.card
    if card.preprocessing is not None:
        rule = f"{card.preprocessing}"
        if card.preprocessing.mean:
            rule += f" (mean {_few(card.preprocessing.mean)}, std {_few(card.preprocessing.deviation)})"
        yield "preprocessing", rule
    if card.table is not None:
        yield "columns", ", ".join(map(_column, card.table.rules))
        if not card.table.is_plain:
            yield "table", str(card.table)
    if card.target:
        yield "target", ", ".join(card.target)
    if card.prepare:
        yield "image files", _PREPARED[card.prepare]
    elif reads_images(model):
        assert model.input_shape is not None
        yield "image files", "scaled to {} x {}".format(*model.input_shape)


def _column(rule: Rule) -> str:
    """A column with its kind, if it is not numbers."""
    kinds = {"boolean": "boolean", "category": f"{len(rule.names):,} categories"}
    return f"{rule.name} ({kinds[rule.kind]})" if rule.kind in kinds else rule.name


def _of_training(model: Model) -> Iterator[tuple[str, str]]:
    card = model.card
    if card.data:
        losses = [" ".join(pair) for pair in card.loss.items()] if isinstance(card.loss, dict) else [str(card.loss)]
        yield "training", f"{card.epochs} epoch{'s' * (card.epochs != 1)}, {', '.join(losses)}, seed {card.seed}"
    if card.augment:
        yield "augmented", card.augment
    if card.test_time:
        yield "predictions", f"{IN_WORDS} (test_time='{card.test_time}')"
    if card.metrics:
        order = sorted(card.metrics, key=lambda name: (name.startswith("val_"), not name.endswith("loss")))
        values = [shown(name, card.metrics[name]) for name in order]
        which = [f"{card.best_epoch} of {card.epochs}"] if card.best_epoch else []
        yield f"{card.kept or 'best'} epoch", SEPARATOR.join((*which, *values, *sample_note(model)))


def sample_note(model: Model | Ensemble) -> tuple[str, ...]:
    """A note if the model was trained on the embedded sample."""
    return (f"trained on {model.card.data}",) if SAMPLE_NOTE in model.card.data else ()


def class_names(task: Task) -> list[str]:
    """The names of a task's classes, in order; none for regression."""
    return [] if task.kind == "values" else [task.label(number) for number in range(max(2, task.outputs))]


def tasks_by_head(model: Model | Ensemble) -> dict[str, Task]:
    """The tasks by head; a model with one output has the head ""."""
    task: Any = model.card.task
    if task is None:
        return {}
    return dict(task) if isinstance(task, dict) else {"": task}


def _few(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.4g}" for value in np.asarray(values))
