"""moved.py -- the modules' earlier names, which pickles hold: a pickle of a History asks for pyneural.history."""

import sys
from importlib import import_module

_NAMES = {
    "activations": "layers.activations",
    "apps.digits": "apps.digits_app",
    "convolution": "layers.convolution",
    "dataset": "datasets.dataset",
    "digit": "images.digit",
    "estimate": "metrics.estimate",
    "evaluate": "evaluation.predict",
    "heads": "evaluation.heads",
    "history": "training.history",
    "joins": "layers.joins",
    "layer": "layers.layer",
    "model": "models.model",
    "norms": "layers.norms",
    "optimizers": "training.optimizers",
    "preprocessing": "card.preprocessing",
    "report": "evaluation.report",
    "shapes": "layers.reshaping",
    "task": "card.task",
}

for _earlier, _now in _NAMES.items():
    sys.modules[f"pyneural.{_earlier}"] = import_module(f"pyneural.{_now}")
