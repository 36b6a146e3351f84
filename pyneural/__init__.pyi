"""The names of the package.  Made from HOMES in __init__.py by tools/make_stubs.py."""

import pyneural.apps as apps
import pyneural.callbacks as callbacks
import pyneural.datasets as datasets
import pyneural.initializers as initializers
import pyneural.losses as losses
import pyneural.metrics as metrics
import pyneural.ops as ops
import pyneural.plot as plot
import pyneural.schedules as schedules
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
from pyneural.apps.exporting import export
from pyneural.batching.augmentation import Augment
from pyneural.datasets.dataset import Dataset
from pyneural.datasets.idx import read_idx
from pyneural.datasets.splits import Splits
from pyneural.evaluation.comparison import compare
from pyneural.evaluation.drift import record_pixels
from pyneural.evaluation.evaluate import evaluate
from pyneural.evaluation.heat_maps import heat_map
from pyneural.evaluation.importance import importance
from pyneural.evaluation.predict import LabelPrediction, Prediction, classify, predict
from pyneural.evaluation.report import Report
from pyneural.evaluation.temperature import calibrate
from pyneural.evaluation.threshold import choose_threshold
from pyneural.files.safetensors import load, save
from pyneural.images.ascii_art import ascii
from pyneural.images.digit import examine_digit, prepare_digit
from pyneural.layers.activations import Activation
from pyneural.layers.convolution import AvgPool2D, Conv2D, DepthwiseConv2D, GlobalAvgPool2D, MaxPool2D
from pyneural.layers.dense import Dense, Embedding
from pyneural.layers.embed_columns import EmbedColumns
from pyneural.layers.joins import Add, Concatenate, Multiply
from pyneural.layers.layer import Layer
from pyneural.layers.nodes import Input, Node
from pyneural.layers.norms import BatchNorm, Dropout, LayerNorm
from pyneural.layers.reshaping import Flatten, Reshape
from pyneural.metrics.estimate import Estimate
from pyneural.models.ensemble import Ensemble
from pyneural.models.model import Model
from pyneural.models.sequential import Sequential
from pyneural.ops import concat, stack, where
from pyneural.training.classifier import Classifier
from pyneural.training.fit import fit
from pyneural.training.gradcheck import check_gradients
from pyneural.training.history import History
from pyneural.training.learning_rate import LearningRateCurve, find_learning_rate
from pyneural.training.optimizers import SGD, Adam, AdamW, Optimizer, RMSprop
from pyneural.training.regressor import Regressor
from pyneural.version import VERSION

__version__ = VERSION

__all__ = [
    "SGD",
    "Activation",
    "Adam",
    "AdamW",
    "Add",
    "Augment",
    "AvgPool2D",
    "BatchNorm",
    "Classifier",
    "Concatenate",
    "Conv2D",
    "Dataset",
    "Dense",
    "DepthwiseConv2D",
    "Dropout",
    "EmbedColumns",
    "Embedding",
    "Ensemble",
    "Estimate",
    "Flatten",
    "GlobalAvgPool2D",
    "History",
    "Input",
    "LabelPrediction",
    "Layer",
    "LayerNorm",
    "LearningRateCurve",
    "MaxPool2D",
    "Model",
    "Multiply",
    "Node",
    "Optimizer",
    "Prediction",
    "RMSprop",
    "Regressor",
    "Report",
    "Reshape",
    "Sequential",
    "Splits",
    "Tensor",
    "__version__",
    "apps",
    "arange",
    "ascii",
    "calibrate",
    "callbacks",
    "check_gradients",
    "choose_threshold",
    "classify",
    "compare",
    "concat",
    "datasets",
    "evaluate",
    "examine_digit",
    "export",
    "find_learning_rate",
    "fit",
    "full",
    "get_threads",
    "heat_map",
    "importance",
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
    "record_pixels",
    "save",
    "schedules",
    "set_memory_limit",
    "set_threads",
    "stack",
    "tensor",
    "where",
    "zeros",
]
