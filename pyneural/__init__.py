"""pyneural -- neural networks on one small C engine.

>>> import pyneural as pn
>>> model = pn.Sequential(pn.Flatten(), pn.Dense(32, activation="relu"), pn.Dense(10))
"""

import pyneural.built as _  # first: raises a clear error if the engine is not built

# isort: split
import pyneural.files.copies as _  # noqa: F401, F811 -- what every program needs: tensors, layers, models
import pyneural.ops as ops
from pyneural.arguments.spelling import names_of
from pyneural.first_use import load_name
from pyneural.version import VERSION

__version__ = VERSION

# Each name with its module, which loads when the name is first used.  Type checkers read __init__.pyi instead, which
# tools/make_stubs.py makes of this table.
HOMES = {
    "Activation": "layers.activations",
    "Adam": "training.optimizers",
    "AdamW": "training.optimizers",
    "Add": "layers.joins",
    "Augment": "batching.augmentation",
    "AvgPool2D": "layers.convolution",
    "BatchNorm": "layers.norms",
    "Classifier": "training.classifier",
    "Concatenate": "layers.joins",
    "Conv2D": "layers.convolution",
    "Dataset": "datasets.dataset",
    "Dense": "layers.dense",
    "DepthwiseConv2D": "layers.convolution",
    "Dropout": "layers.norms",
    "EmbedColumns": "layers.embed_columns",
    "Embedding": "layers.dense",
    "Ensemble": "models.ensemble",
    "Estimate": "metrics.estimate",
    "Flatten": "layers.reshaping",
    "GlobalAvgPool2D": "layers.convolution",
    "History": "training.history",
    "Input": "layers.nodes",
    "LabelPrediction": "evaluation.predict",
    "Layer": "layers.layer",
    "LayerNorm": "layers.norms",
    "LearningRateCurve": "training.learning_rate",
    "MaxPool2D": "layers.convolution",
    "Model": "models.model",
    "Multiply": "layers.joins",
    "Node": "layers.nodes",
    "Optimizer": "training.optimizers",
    "Prediction": "evaluation.predict",
    "RMSprop": "training.optimizers",
    "Regressor": "training.regressor",
    "Report": "evaluation.report",
    "Reshape": "layers.reshaping",
    "SGD": "training.optimizers",
    "Sequential": "models.sequential",
    "Splits": "datasets.splits",
    "Tensor": "_core",
    "apps": "apps",
    "arange": "_core",
    "ascii": "images.ascii_art",
    "calibrate": "evaluation.temperature",
    "callbacks": "callbacks",
    "check_gradients": "training.gradcheck",
    "choose_threshold": "evaluation.threshold",
    "classify": "evaluation.predict",
    "compare": "evaluation.comparison",
    "concat": "ops",
    "datasets": "datasets",
    "evaluate": "evaluation.evaluate",
    "examine_digit": "images.digit",
    "export": "apps.exporting",
    "find_learning_rate": "training.learning_rate",
    "fit": "training.fit",
    "full": "_core",
    "get_threads": "_core",
    "heat_map": "evaluation.heat_maps",
    "importance": "evaluation.importance",
    "initializers": "initializers",
    "is_recording": "_core",
    "load": "files.safetensors",
    "losses": "losses",
    "memory_stats": "_core",
    "memory_trim": "_core",
    "metrics": "metrics",
    "no_grad": "_core",
    "ones": "_core",
    "ops": "ops",
    "plot": "plot",
    "predict": "evaluation.predict",
    "prepare_digit": "images.digit",
    "read_idx": "datasets.idx",
    "record_pixels": "evaluation.drift",
    "save": "files.safetensors",
    "schedules": "schedules",
    "set_memory_limit": "_core",
    "set_threads": "_core",
    "stack": "ops",
    "tensor": "_core",
    "where": "ops",
    "zeros": "_core",
}

__all__ = sorted([*HOMES, "__version__"])


def __getattr__(name: str) -> object:
    if name in HOMES:
        return load_name(globals(), HOMES, name)
    from pyneural.arguments.familiar_names import OF_PACKAGE
    from pyneural.arguments.familiar_scikit_learn import OF_SCIKIT_LEARN
    from pyneural.arguments.familiar_tutorials import OF_TUTORIALS

    known = {op: f"pn.ops.{op}" for op in ops.__all__} | OF_TUTORIALS | OF_SCIKIT_LEARN | OF_PACKAGE
    return names_of("pyneural", __all__, known)(name)


def __dir__() -> list[str]:
    return __all__
