"""The tests that cover the entries of docs/lists.md, and the check that they do; lists.py makes the page."""

import importlib.util
import inspect
import re
import sys
from functools import lru_cache
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = "tests/test_ops.py::test_forward_equals_the_reference"
GRADIENT = "tests/test_ops.py::test_gradient_equals_central_differences"
LAYERS = "tests/layers/test_layers.py::"
GRAPHS = "tests/models/test_graph.py::"
SCORES = "tests/metrics/test_scores.py::"
CALLBACKS = "tests/callbacks/test_callbacks.py::"
RIGHT_SHAPE = f"{LAYERS}test_the_shape_inferred_in_build_is_the_shape_computed"
IN_A_LAYER = f"{LAYERS}test_an_activation_in_a_layer_equals_one_after_it"
ARITHMETIC = f"{GRAPHS}test_arithmetic_on_nodes_is_arithmetic_on_their_values"

OF_LAYERS = {
    "Dense": f"{LAYERS}test_dense_is_x_times_weight_plus_bias",
    "Embedding": f"{LAYERS}test_embedding_takes_whole_numbers_of_any_kind",
    "EmbedColumns": "tests/layers/test_embed_columns.py::test_gradients_are_right_in_float64",
    "Conv2D": RIGHT_SHAPE,
    "DepthwiseConv2D": f"{LAYERS}test_a_depthwise_convolution_is_one_of_each_channel",
    "MaxPool2D": f"{GRAPHS}test_a_convolution_and_its_pooling_are_one_step_of_the_same_values",
    "AvgPool2D": RIGHT_SHAPE,
    "GlobalAvgPool2D": RIGHT_SHAPE,
    "BatchNorm": f"{LAYERS}test_batch_norm_normalises_in_training_and_remembers",
    "LayerNorm": f"{LAYERS}test_layer_norm_normalises_each_row",
    "Dropout": f"{LAYERS}test_dropout_keeps_the_mean_and_two_layers_differ",
    "Flatten": RIGHT_SHAPE,
    "Reshape": f"{LAYERS}test_shapes_can_be_empty_batches",
    "Activation": IN_A_LAYER,
    "Add": ARITHMETIC,
    "Multiply": ARITHMETIC,
    "Concatenate": ARITHMETIC,
}
OF_CALLBACKS = {
    "Checkpoint": f"{CALLBACKS}test_a_checkpoint_holds_the_best_model_so_far",
    "EarlyStopping": f"{CALLBACKS}test_early_stopping_watches_any_value",
    "LogFile": f"{CALLBACKS}test_a_log_file_has_a_line_for_each_epoch",
    "ReduceLROnPlateau": f"{CALLBACKS}test_reduce_lr_on_plateau_multiplies_the_schedule",
    "TensorBoard": f"{CALLBACKS}test_tensorboard_writes_every_value",
}
OF_SCORES = {
    **dict.fromkeys(
        ("average_precision", "brier", "calibration_curve", "calibration_error", "precision_recall_curve", "roc_auc",
         "roc_curve"),
        f"{SCORES}test_scores_of_two_classes_are_those_of_scikit_learn",
    ),
    **dict.fromkeys(
        ("balanced_accuracy", "mae", "mse", "r2", "top_k"),
        f"{SCORES}test_scores_of_classes_and_values_are_those_of_scikit_learn",
    ),
    "threshold": f"{SCORES}test_a_threshold_of_pooled_scores_needs_no_model",
}  # fmt: skip


@lru_cache
def module_of(file: str) -> ModuleType:
    """A test file, imported as pytest imports it."""
    path = ROOT / file
    sys.path[:0] = [folder for folder in (str(ROOT / "tests"), str(path.parent)) if folder not in sys.path]
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None or not path.exists():
        raise SystemExit(f"tools/covering.py: {file} does not exist")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def check_test(test: str, word: str, entry: str) -> None:
    """Fails if a test does not exist, or has the word neither in its source nor in its parameters."""
    file, function = test.split("::")
    found = getattr(module_of(file), function, None)
    if found is None:
        raise SystemExit(f"tools/covering.py: {test}, which covers {entry}, does not exist")
    values = [str(list(mark.args[1])) for mark in getattr(found, "pytestmark", ()) if mark.name == "parametrize"]
    if not re.search(rf"(?<!\w){re.escape(word)}(?!\w)", "\n".join([*values, inspect.getsource(found)])):
        raise SystemExit(f"tools/covering.py: {test} does not cover {entry}: it never has {word}")


def test_of(tests: dict[str, str], name: str) -> str:
    """The test that a table has for an entry."""
    if name not in tests:
        raise SystemExit(f"tools/covering.py: {name} has no test: name the one that covers it in its table")
    return tests[name]
