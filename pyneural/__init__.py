"""pyneural -- neural networks on one small C engine.

>>> import pyneural as pn
>>> model = pn.Sequential(pn.Flatten(), pn.Dense(32, activation="relu"), pn.Dense(10))
"""

from pyneural import apps, datasets, initializers, losses, metrics, ops, schedules, version
from pyneural._core import (
    Tensor,
    get_threads,
    is_recording,
    memory_stats,
    no_grad,
    set_memory_limit,
    set_threads,
    tensor,
    zeros,
)
from pyneural.dataset import Dataset, Splits
from pyneural.estimate import Estimate
from pyneural.evaluate import Prediction, classify, evaluate, predict
from pyneural.files import load, save
from pyneural.gradcheck import check_gradients
from pyneural.history import History
from pyneural.idx import read_idx
from pyneural.layer import Layer
from pyneural.layers import (
    Activation,
    AvgPool2D,
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAvgPool2D,
    MaxPool2D,
)
from pyneural.model import Model, Sequential
from pyneural.optimizers import SGD, Adam, AdamW, Optimizer, RMSprop
from pyneural.report import Report
from pyneural.training import fit

__version__ = version.VERSION

__all__ = [
    "SGD",
    "Activation",
    "Adam",
    "AdamW",
    "AvgPool2D",
    "BatchNorm",
    "Conv2D",
    "Dataset",
    "Dense",
    "Dropout",
    "Estimate",
    "Flatten",
    "GlobalAvgPool2D",
    "History",
    "Layer",
    "MaxPool2D",
    "Model",
    "Optimizer",
    "Prediction",
    "RMSprop",
    "Report",
    "Sequential",
    "Splits",
    "Tensor",
    "__version__",
    "apps",
    "check_gradients",
    "classify",
    "datasets",
    "evaluate",
    "fit",
    "get_threads",
    "initializers",
    "is_recording",
    "load",
    "losses",
    "memory_stats",
    "metrics",
    "no_grad",
    "ops",
    "predict",
    "read_idx",
    "save",
    "schedules",
    "set_memory_limit",
    "set_threads",
    "tensor",
    "zeros",
]
