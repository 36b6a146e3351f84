"""Hints: a name of another library says ours, what is said can be done, and a guess is made only where it is close."""

from __future__ import annotations

import copy
import importlib
import pkgutil
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import pyneural as pn
from pyneural import arguments
from pyneural.arguments.spelling import closest, hint

TABLES = {
    f"{table}: {name}": ours
    for module in pkgutil.iter_modules(arguments.__path__)
    if module.name.startswith("familiar")
    for table, entries in vars(importlib.import_module(f"pyneural.arguments.{module.name}")).items()
    if table.startswith("OF_") and table not in ("OF_WORDS", "OF_HYPER")
    for name, ours in entries.items()
}
OURS = r"(?:pn|model|ensemble|layer|history|report|data|x|loss|optimizer|copy)\.|pn\.[A-Z]|model\[|ensemble\[|history\["
START = re.compile(rf"(?<![\w.])(?=(?:{OURS})\w|(?:model|ensemble|history)\[)")


def code(text: str) -> list[str]:
    """The expressions in a hint: each begins with one of ours, and goes on while names, dots and brackets do."""
    found = []
    for match in START.finditer(text):
        depth, end = 0, match.start()
        while end < len(text) and (depth or re.match(r"[\w\[(]|\.\w", text[end:])):
            depth += (text[end] in "([") - (text[end] in ")]")
            end += 1
        found.append(text[match.start() : end])
    return found


def meanings(tmp_path: Path) -> dict[str, Any]:
    """What the names in hints mean."""
    for kind in ("a", "b"):
        (tmp_path / "path" / kind).mkdir(parents=True)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(12, 4)).astype("f4"), np.arange(12) % 3
    model = pn.Sequential(pn.Dense(4, "relu"), pn.Dense(3))
    history = pn.fit(model, (x, y), epochs=1, verbose=0)
    part = pn.Dataset(x, y)
    return {
        "pn": pn, "np": np, "copy": copy, "rng": rng, "x": x, "y": y, "w": np.ones(12, "f4"), "model": model, "n": 2,
        "ensemble": pn.Ensemble([model, model]),
        "history": history, "report": pn.evaluate(model, part, verbose=0), "data": part, "classes": 3, "rows": [0, 1],
        "layer": model["dense_1"], "path": str(tmp_path / "x.safetensors"), "values": [1.0, 2.0], "value": 1.0,
        "optimizer": pn.Adam(model), "shape": (4,), "start": 0, "stop": 1, "function": np.negative, "array": None,
        "outputs": pn.tensor(x[:, :3]), "targets": y, "tensors": [pn.zeros((2, 3)), pn.zeros((2, 3))], "filters": 2,
        "a": pn.zeros((2, 2)), "b": pn.zeros((2, 2)), "h": pn.Input((4,)), "size": 3, "train": part, "test": part,
        "batches": [(x, y)], "image": x[0], "array_": x, "validation": part,
        "frame": pd.DataFrame(x, columns=list("abcd")).assign(y=y),
        "report_a": pn.evaluate(model, part, verbose=0), "report_b": pn.evaluate(model, part, verbose=0),
    }  # fmt: skip


def test_every_expression_in_a_hint_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    world = meanings(tmp_path)
    wrong, tried = [], set()
    rng = np.random.default_rng(0)
    for name, ours in TABLES.items():
        for expression in code(ours):
            if (
                re.search(
                    r"\.\.\.|folder\(path|fashion_mnist|pneumonia_mnist|chest_xray|set_threads|"
                    r"apps\.(digits|xray|two_digits)\(",
                    expression,
                )
                or expression in tried
            ):
                continue
            tried.add(expression)
            here = dict(world)
            if "pn.fit(" in expression:  # anew, since other hints hold other examples back
                here["model"] = copy.deepcopy(world["model"])
            if re.search(r"pn\.(ops|tensor|zeros|ones|full|concat)|x\.numpy", expression):
                here["x"] = pn.tensor(here["x"])
            if "loss.backward" in expression:
                here["loss"] = pn.tensor([1.0], requires_grad=True).sum()
            if re.search(r"mse|mae|huber|binary", expression):  # not for classes
                here["targets"] = pn.tensor(np.zeros((12, 3), "f4"))
                here["data"] = pn.Dataset(
                    world["x"], (world["y"] > 0) * 1 if "binary" in expression else world["x"][:, 0]
                )
                here["model"] = pn.Sequential(pn.Dense(1))
            if re.search(r"plot\.(predictions|mistakes)|heat_map|ascii", expression):  # of images
                here["x"] = rng.integers(0, 255, (12, 8, 8, 1)).astype("u1")
                here["image"] = here["x"][0]
                here["model"] = pn.Sequential(pn.Conv2D(2, 3), pn.Flatten(), pn.Dense(3))
                here["data"] = pn.Dataset(here["x"], world["y"])
                pn.fit(here["model"], here["data"], epochs=1, verbose=0)
                here["report"] = pn.evaluate(here["model"], here["data"], verbose=0)
            if "npz(" in expression:
                here["path"] = str(tmp_path / "x.npz")
                np.savez(here["path"], x=world["x"], y=world["y"])
            if "OF_SPLITS" in name:
                here["data"] = pn.Splits(here["data"], here["data"], here["data"])
            if expression.startswith(("pn.fit", "pn.evaluate")):
                expression = re.sub(r"\)(?=[^)]*$)", ", verbose=0)", expression, count=1)
            try:
                eval(expression, here)
            except Exception as error:
                wrong.append(f"{name}: {expression}: {type(error).__name__}: {error}")
    assert len(tried) > 100, tried
    assert not wrong, "\n".join(wrong)


def test_weights_and_soft_labels_have_hints(rings: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = rings

    def model() -> pn.Sequential:
        return pn.Sequential(pn.Dense(16, "relu"), pn.Dense(3))

    for word in ("sample_weights", "class_weights", "smoothing"):
        with pytest.raises(TypeError, match=rf"^fit\(\) has no '{word}'; use "):
            pn.fit(model(), rings, **{word: None})
    near = np.eye(3, dtype="f4")[y] * 0.8
    with pytest.raises(
        ValueError, match="soft labels are rows of probabilities, from 0 to 1, whose sum is 1 to within"
    ):
        pn.fit(model(), (x, near), loss="cross_entropy", verbose=0)


@pytest.mark.parametrize(
    ("word", "ours"),
    [
        ("Dence", "Dense"), ("dense", "Dense"), ("Sequental", "Sequential"), ("Con2D", "Conv2D"), ("Flaten", "Flatten"),
        ("evalute", "evaluate"), ("batch_norm", "BatchNorm"), ("maxpool2d", "MaxPool2D"), ("predcit", "predict"),
        ("check_gradient", "check_gradients"), ("lod", "load"), ("Conv", "Conv2D"), ("Lambda", None), ("Conv1D", None),
        ("set_seed", None), ("MaxPool1D", None), ("LSTM", None), ("SVC", None), ("Lion", None), ("SiLU", None),
        ("Mish", None), ("Permute", None), ("Average", None), ("seed", None), ("max", None), ("normal", None),
    ],
)  # fmt: skip
def test_a_guess_is_made_only_where_it_is_close(word: str, ours: str | None) -> None:
    assert closest(word, pn.__all__) == ours


FOREIGN = """
    Conv1D Conv2DTranspose LSTM GRU Lambda BatchNormalization LayerNormalization GroupNorm LeakyReLU MaxPooling2D
    EarlyStopping ModelCheckpoint to_categorical load_model set_random_seed image_dataset_from_directory optimizers
    nn optim Linear Conv2d MaxPool2d BatchNorm2d ReLU GELU CrossEntropyLoss MSELoss BCEWithLogitsLoss DataLoader
    TensorDataset lr_scheduler manual_seed from_numpy cat einsum cuda MLPClassifier LogisticRegression StandardScaler
    OneHotEncoder train_test_split accuracy_score confusion_matrix f1_score roc_auc_score KFold load_digits clone
    set_seed Adagrad Subtract
"""


@pytest.mark.parametrize("name", FOREIGN.split())
def test_a_name_of_keras_pytorch_or_scikit_learn_is_known(name: str) -> None:
    with pytest.raises(AttributeError) as caught:
        getattr(pn, name)
    assert "dir(pn)" not in str(caught.value)
    assert "did you mean" not in str(caught.value)


@pytest.mark.parametrize(
    ("owner", "name", "text"),
    [
        (pn.losses, "MSELoss", "pyneural.losses has no 'MSELoss'; use pn.fit(model, data, loss='mse'), or pn.ops.mse"),
        (pn.losses, "fnd", "pyneural.losses has no 'fnd'; did you mean pn.losses.find"),
        (pn.losses, "wibble", "pyneural.losses has no 'wibble'; it has Loss, NAMES, find, spelled"),
        (pn.metrics, "AUC", "pyneural.metrics has no 'AUC'; use pn.metrics.roc_auc"),
        (pn.schedules, "StepLR", "pyneural.schedules has no 'StepLR'; use pn.fit(model, data, schedule='step')"),
        (pn.initializers, "xavier_uniform_", "no 'xavier_uniform_'; use pn.initializers.glorot_uniform"),
        (pn.initializers, "HeNormal", "no 'HeNormal'; use pn.initializers.he_normal"),
        (pn.datasets, "MNIST", "pyneural.datasets has no 'MNIST'; use pn.datasets.mnist()"),
        (pn.datasets, "medmnist", "pyneural.datasets has no 'medmnist'; use pn.datasets.pneumonia_mnist()"),
        (pn.datasets, "cifar10", "no 'cifar10'; use arrays of your own: pn.fit(model, (x, y))"),
        (pn.plot, "imshow", "pyneural.plot has no 'imshow'; use pn.plot.images(x)"),
        (pn.plot, "histroy", "pyneural.plot has no 'histroy'; did you mean pn.plot.history"),
        (pn.apps, "digit", "pyneural.apps has no 'digit'; use pn.apps.digits()"),
        (pn.ops, "nll_loss", "pyneural.ops has no 'nll_loss'; use pn.ops.cross_entropy"),
        (pn.ops, "clamp", "pyneural.ops has no 'clamp'; use pn.ops.clip"),
        (pn.History(), "n_iter_", "a history has no 'n_iter_'; use history.epochs"),
        (pn.History(), "second", "a history has no 'second'; did you mean seconds"),
        (pn.Dataset([[0.0]], [0]), "labels", "a data set has no 'labels'; use data.y"),
        (pn.Dataset([[0.0]], [0]), "clases", "a data set has no 'clases'; did you mean classes"),
        (pn.Dataset([[0.0]], [0]), "shape", "a data set has no 'shape'; use data.x.shape, and len(data)"),
        (pn.Splits(pn.Dataset([[0.0]], [0])), "x_train", "data in parts has no 'x_train'; use data.train.x"),
        (pn.Splits(pn.Dataset([[0.0]], [0])), "wibble", "it has name, test, train, validation"),
        (pn.Adam(), "zero_grad", "an optimizer has no 'zero_grad'; not needed: backward overwrites every gradient"),
        (pn.Adam(), "setp", "an optimizer has no 'setp'; did you mean step"),
        (pn.Dense(3), "unit", "dense: a Dense has no 'unit'; did you mean units"),
        (pn.Sequential(pn.Dense(3)), "sumary", "sequential: a Sequential has no 'sumary'; did you mean summary"),
    ],
)
def test_modules_and_results_have_hints_too(owner: object, name: str, text: str) -> None:
    with pytest.raises(AttributeError) as caught:
        getattr(owner, name)
    assert text in str(caught.value)
    assert not hasattr(owner, name)


@pytest.mark.parametrize(
    ("name", "ours"),
    [("acc", "report.accuracy"), ("confusion_matrix", "report.confusion"), ("y_pred", "report.predictions"),
     ("f1_score", "report.f1"), ("mistake", "mistakes")],
)  # fmt: skip
def test_a_report_has_hints_too(name: str, ours: str, rings: tuple[np.ndarray, np.ndarray]) -> None:
    pn.fit(model := pn.Sequential(pn.Dense(3)), rings, epochs=1, verbose=0)
    report = pn.evaluate(model, rings, verbose=0)
    with pytest.raises(AttributeError, match=rf"^a report has no '{name}'; (use|did you mean) {re.escape(ours)}"):
        getattr(report, name)
    assert copy.copy(report).n == copy.deepcopy(report).n == 300


@pytest.mark.parametrize(
    ("wrong", "ours"),
    [
        (lambda data: data["train"], "use data.train"),
        (lambda data: data["val"], "use data.validation"),
        (lambda data: data["x_test"], "use data.test.x"),
        (lambda data: data["wibble"], "use data.train, .test and .validation"),
        (lambda data: data[0], "use data.train, .test and .validation"),
        (lambda data: data[:10], "use data.train, .test and .validation"),
        (lambda data: (lambda train, test: train)(*data), "use data.train, .test and .validation"),
    ],
)
def test_data_in_parts_is_not_indexed(wrong: Callable[[pn.Splits], object], ours: str) -> None:
    with pytest.raises(TypeError, match=rf"data in parts is neither a dict nor a sequence: {re.escape(ours)}$"):
        wrong(pn.Splits(pn.Dataset([[0.0]], [0])))


def test_a_history_is_a_mapping_of_its_lists() -> None:
    history = pn.History()
    history.append(loss=0.5, val_loss=0.25)
    history.append(loss=0.4, val_loss=0.2)
    assert dict(history) == {"loss": [0.5, 0.4], "val_loss": [0.25, 0.2]} == history
    assert list(history) == list(history.keys()) == ["loss", "val_loss"]
    assert dict(history.items()) == dict(history)
    assert (len(history), history.epochs) == (2, 2)
    assert history.get("accuracy", []) == []
    with pytest.raises(KeyError, match="the history has no 'acc': loss, val_loss"):
        history["acc"]


def test_a_hint_of_letters_is_found_in_another_spelling() -> None:
    assert hint("early_stopping", {"EarlyStopping": "not needed: of no use"}, [], "") == "not needed: of no use"


@pytest.mark.parametrize(
    "word", ["validation_spilt", "val_split", "optimzer", "bach_size", "num_workers", "weight_decay"]
)
def test_a_keyword_of_fit_says_ours(word: str) -> None:
    with pytest.raises(TypeError, match=rf"^fit\(\) has no '{word}'; (use|did you mean) "):
        pn.fit(pn.Sequential(pn.Dense(1)), ([[0.0]], [0.0]), **{word: 1})
