"""Keywords that public functions do not have: the error names ours, for words of other libraries too."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import pyneural as pn

RESULTS = (  # made by pyneural, not by users
    "Curve", "Calibration", "Estimate", "History", "LearningRateCurve", "Node", "Prediction", "Report", "Run", "Splits",
    "LabelPrediction", "Metric", "Callback", "Optimizer",
)  # fmt: skip
MODULES = (pn, pn.datasets, pn.metrics, pn.plot, pn.callbacks, pn.apps)


def takes_keywords(module: ModuleType, name: str) -> bool:
    """Whether it is a function or class in Python that users call with arguments."""
    value = getattr(module, name)
    if name in RESULTS or not (inspect.isfunction(value) or inspect.isclass(value)):
        return False
    return value.__module__ != "pyneural._core" and bool(inspect.signature(value).parameters)


PUBLIC = [
    (f"{module.__name__}.{name}", getattr(module, name))
    for module in MODULES
    for name in module.__all__
    if takes_keywords(module, name)
]
DATA = pn.Dataset(np.zeros((4, 2)), [0, 1, 0, 1])


@pytest.mark.parametrize(
    ("name", "function"),
    [*PUBLIC, ("data.split", DATA.split)],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_an_unknown_keyword_gets_a_sentence_of_ours(name: str, function: Callable[..., Any]) -> None:
    with pytest.raises(TypeError, match=rf"^{name.split('.')[-1]}\(\) has no 'no_such_word'; it takes \w+"):
        function(no_such_word=1)


@pytest.mark.parametrize(
    ("call", "use"),
    [
        (lambda: DATA.split(test_size=0.2), "use share"),
        (lambda: DATA.split(0.2, random_state=1), "use seed"),
        (lambda: DATA.split(0.2, stratify=True), "not needed"),
        (lambda: pn.Dataset([[1.0]], [0], weights=[1]), "use sample_weight"),
        (lambda: pn.Dataset([[1.0]], target=[0]), "use y"),
        (lambda: pn.callbacks.EarlyStopping(restore_best_weights=True), "not needed"),
        (lambda: pn.callbacks.ReduceLROnPlateau(min_lr=1e-5), "use min_factor"),
        (lambda: pn.callbacks.Checkpoint("a.safetensors", save_best_only=True), "not needed"),
        (lambda: pn.callbacks.TensorBoard(log_dir="runs"), "use folder"),
        (lambda: pn.callbacks.LogFile(filename="run.csv"), "use path"),
        (lambda: pn.datasets.mnist(root="data"), "use path"),
        (lambda: pn.datasets.fashion_mnist(download=True), "not needed"),
        (lambda: pn.datasets.folder("images", validation_split=0.1), "validation=0.1"),
        (lambda: pn.metrics.roc_auc(y_true=[0, 1], y_score=[0, 1]), "use labels"),
        (lambda: pn.metrics.calibration_error([0, 1], [0, 1], n_bins=5), "use bins"),
        (lambda: pn.plot.roc(None, figsize=(3, 3)), "use ax=plt.subplots"),
        (lambda: pn.load("a.safetensors", custom_objects={}), "use layers"),
        (lambda: pn.classify(None, image=0, threshold=0.3), "use pn.choose_threshold"),
        (lambda: pn.evaluate(None, data=0, threshold=0.3), "use pn.choose_threshold"),
        (lambda: pn.compare(None, None, data=0), "not needed"),
        (lambda: pn.fit(None, None, clip_norm=1.0), r"use optimizer=pn.Adam\(clip_norm=1.0\)"),
        (lambda: pn.fit(None, None, resume=True), "use checkpoint"),
        (lambda: pn.fit(None, None, time_budget=5), "use seconds"),
        (lambda: pn.fit(None, None, freeze=True), "use layer.trainable = False"),
        (lambda: pn.find_learning_rate(None, None, start_lr=1e-6), "use lowest"),
        (lambda: pn.importance(None, None, scoring="r2"), "use metric"),
        (lambda: pn.importance(None, None, n_repeats=3), "use repeats"),
    ],
)
def test_the_words_of_other_libraries_are_known(call: Callable[[], Any], use: str) -> None:
    with pytest.raises(TypeError, match=use):
        call()


def test_too_many_arguments_name_the_right_call() -> None:
    with pytest.raises(TypeError, match=r"compare\(\) takes 2 positional arguments, got 3: give two results"):
        pn.compare(1, 2, 3)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"split\(\) takes 1 positional argument, got 2: write data.split"):
        DATA.split(0.2, 1)  # type: ignore[misc]


@pytest.mark.parametrize(
    "function",
    [
        value
        for _, value in PUBLIC
        if next(iter(inspect.signature(value).parameters)) == "model" and value is not pn.check_gradients
    ],  # check_gradients takes functions, too
    ids=lambda one: str(one.__name__),
)
@pytest.mark.parametrize("wrong", [None, 3, "model.safetensors", pn.Dense(2), pn.Dense, DATA], ids=repr)
def test_what_is_not_a_model_is_refused_by_name(function: Callable[..., Any], wrong: Any) -> None:
    others = [
        one.name
        for one in list(inspect.signature(function).parameters.values())[1:]
        if one.default is inspect.Parameter.empty
    ]
    arguments: dict[str, Any] = dict.fromkeys(others, DATA if function is not pn.save else "a.safetensors")
    if function is pn.choose_threshold:
        arguments["youden"] = True
    with pytest.raises(TypeError, match=rf"{function.__name__}: model is "):
        function(wrong, **arguments)
