"""info.py -- the command info: what a model file contains."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from pyneural.arguments.paths import as_path
from pyneural.batching.image_input import reads_images
from pyneural.commands.saved import class_names, sample_note, tasks_by_head
from pyneural.evaluation.lines import shown
from pyneural.files.safetensors import load
from pyneural.images.modes import TWELVE_BITS
from pyneural.models.model import Model
from pyneural.printing import SEPARATOR, put, put_parts

PREPARED = {
    "digit": "pn.prepare_digit: cropped to the ink, in a 20 x 20 box, centred in 28 x 28",
    TWELVE_BITS: "16-bit images have 12 bits: 4095 is white",
}


def info(model: str | Path) -> None:
    """Prints what a model file contains.

    Args:
        model: the path of the .safetensors file.

    Raises:
        ValueError, OSError: it cannot be read.
    """
    source = as_path("info", model)
    loaded = load(source)
    put_parts([str(loaded)])
    put()
    loaded.summary()
    put()
    facts = list(_facts(source, loaded))
    width = max(len(name) for name, _ in facts) + 2
    for name, text in facts:
        put_parts(text.split(SEPARATOR), indent=" " * width, first=f"{name:<{width}}")


def _facts(source: Path, model: Model) -> Iterator[tuple[str, str]]:
    card = model.card
    found = tasks_by_head(model)
    if not found:
        yield "task", "none: it was never trained"
    for head, task in found.items():
        means = {"classes": f"{task.outputs} classes", "binary": "binary"}
        yield f"task {head}".rstrip(), means.get(task.kind, f"{task.outputs} values")
        if task.is_two_class:
            yield f"threshold {head}".rstrip(), f"{task.label(1)} from a probability of {task.threshold:.4g}"
        if task.temperature != 1:
            yield f"temperature {head}".rstrip(), f"{task.temperature:.4g}"
        if task.kind != "values":
            yield f"classes {head}".rstrip(), ", ".join(class_names(task))
    if card.preprocessing is not None:
        rule = f"{card.preprocessing}"
        if card.preprocessing.mean:
            rule += f" (mean {_few(card.preprocessing.mean)}, std {_few(card.preprocessing.deviation)})"
        yield "preprocessing", rule
    if card.columns:
        yield "columns", ", ".join(card.columns)
    if card.prepare:
        yield "image files", PREPARED[card.prepare]
    elif reads_images(model):
        assert model.input_shape is not None
        yield "image files", "scaled to {} x {}".format(*model.input_shape)
    if card.data:
        yield "trained on", card.data + (f", sha256 {card.data_hash[:16]}…" if card.data_hash else "")
        losses = [" ".join(pair) for pair in card.loss.items()] if isinstance(card.loss, dict) else [str(card.loss)]
        yield "training", f"{card.epochs} epoch{'s' * (card.epochs != 1)}, {', '.join(losses)}, seed {card.seed}"
    if card.augment:
        yield "augmented", card.augment
    if card.metrics:
        order = sorted(card.metrics, key=lambda name: (name.startswith("val_"), not name.endswith("loss")))
        values = [shown(name, card.metrics[name]) for name in order]
        which = [f"{card.best_epoch} of {card.epochs}"] if card.best_epoch else []
        yield "best epoch", " · ".join((*which, *values, *sample_note(model)))
    yield "versions", ", ".join(f"{name} {version}" for name, version in _versions(source).items())
    yield "fingerprint", model.fingerprint()
    yield "file", f"{source}, {source.stat().st_size:,} bytes"


def _few(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.4g}" for value in np.asarray(values))


def _versions(source: Path) -> dict[str, str]:
    from safetensors import safe_open

    with safe_open(source, framework="np") as file:
        return dict(json.loads(file.metadata()["pyneural"]).get("versions", {}))
