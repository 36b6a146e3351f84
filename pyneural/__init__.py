"""pyneural -- neural networks on one small C engine.

>>> import pyneural as pn
>>> model = pn.Sequential(pn.Flatten(), pn.Dense(32, activation="relu"), pn.Dense(10))
"""

import pyneural.built as _  # noqa: F401 -- first: it has the sentence where there is no engine
from pyneural import apps, datasets, initializers, losses, metrics, ops, plot, schedules, spelling, version
from pyneural._core import (
    Tensor,
    arange,
    full,
    get_threads,
    is_recording,
    memory_stats,
    memory_trim,
    no_grad,
    ones,
    set_memory_limit,
    set_threads,
    tensor,
    zeros,
)
from pyneural.dataset import Dataset, Splits
from pyneural.digit import examine_digit, prepare_digit
from pyneural.estimate import Estimate
from pyneural.evaluate import Prediction, classify, evaluate, predict
from pyneural.files import load, save
from pyneural.gradcheck import check_gradients
from pyneural.graph import Input, Node
from pyneural.history import History
from pyneural.idx import read_idx
from pyneural.layer import Layer
from pyneural.layers import (
    Activation,
    Add,
    AvgPool2D,
    BatchNorm,
    Concatenate,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    Embedding,
    Flatten,
    GlobalAvgPool2D,
    LayerNorm,
    MaxPool2D,
    Multiply,
    Reshape,
)
from pyneural.model import Model, Sequential
from pyneural.ops import concat, stack, where
from pyneural.optimizers import SGD, Adam, AdamW, Optimizer, RMSprop
from pyneural.report import Report
from pyneural.terminal import ascii  # noqa: A004 -- users write pn.ascii
from pyneural.training import fit

__version__ = version.VERSION


__all__ = [
    "SGD",
    "Activation",
    "Adam",
    "AdamW",
    "Add",
    "AvgPool2D",
    "BatchNorm",
    "Concatenate",
    "Conv2D",
    "Dataset",
    "Dense",
    "DepthwiseConv2D",
    "Dropout",
    "Embedding",
    "Estimate",
    "Flatten",
    "GlobalAvgPool2D",
    "History",
    "Input",
    "Layer",
    "LayerNorm",
    "MaxPool2D",
    "Model",
    "Multiply",
    "Node",
    "Optimizer",
    "Prediction",
    "RMSprop",
    "Report",
    "Reshape",
    "Sequential",
    "Splits",
    "Tensor",
    "__version__",
    "apps",
    "arange",
    "ascii",
    "check_gradients",
    "classify",
    "concat",
    "datasets",
    "evaluate",
    "examine_digit",
    "fit",
    "full",
    "get_threads",
    "initializers",
    "is_recording",
    "load",
    "losses",
    "memory_stats",
    "memory_trim",
    "metrics",
    "no_grad",
    "ones",
    "ops",
    "plot",
    "predict",
    "prepare_digit",
    "read_idx",
    "save",
    "schedules",
    "set_memory_limit",
    "set_threads",
    "stack",
    "tensor",
    "where",
    "zeros",
]

# so put, type checkers know that other names are wrong
globals()["__getattr__"] = spelling.names_of_package(__all__, ops.__all__)
