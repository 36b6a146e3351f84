"""models.py -- random models on random data, through pn.fit, evaluate, predict, save, pickle and deepcopy.

Each of these must hold.  Equal trainings give equal weights, with one thread and with two.  A copy of a model, from a
file, a pickle or deepcopy, predicts the same and shares no memory with it.  Evaluate on the validation data gives what
fit measured in its best epoch.  A prediction depends neither on the rows beside it nor on their order.  The summary
counts each parameter once.  Frozen layers keep their values.  Columns of tables are found by name.  Wrong arguments
raise ValueError or TypeError; right ones are accepted.
"""

from __future__ import annotations

import contextlib
import copy
import io
import math
import pickle
import random
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from case import Case, Finding

import pyneural as pn

ACTIVATIONS = (None, "relu", "leaky_relu", "sigmoid", "tanh", "elu", "gelu", "softplus", "softmax")
REFUSED = (ValueError, TypeError)
CLOSE = {"float32": 2e-3, "float64": 1e-9}  # relative: batch norm of few rows may divide by a small deviation
WRONG: dict[str, tuple[Any, ...]] = {
    "epochs": (0, -1, 1.5, "3", None, True), "batch_size": (0, -1, 2.5, "all", None), "optimizer": ("adm", 3, None),
    "learning_rate": (0, -1.0, float("nan"), "fast", True), "schedule": ("cycle", 3, None), "loss": ("mes", 3, None),
    "metrics": (["acc"], [3], 3, {"a": 1}), "validation": (1, -0.1, [], (1, 2, 3), float("nan")),
    "preprocess": ("none", 3, "image"), "augment": (True, "strong", pn.Augment),
    "seed": (-1, 2**64, 1.5, None, True), "verbose": (3, -1, None),
}  # fmt: skip


class Scale(pn.Layer):
    """A custom layer with a parameter, and another layer inside."""

    def __init__(self, start: float = 0.5, *, name: str | None = None) -> None:
        super().__init__(name=name)
        self.start = start
        self.inside = pn.LayerNorm()

    def build(self, shape: tuple[int, ...]) -> None:
        """Declares the parameter."""
        self.parameter("factor", shape[-1:], pn.initializers.constant(self.start))

    def call(self, x: Any, *, training: bool) -> Any:
        """Computes y, (n, ...), from x."""
        return self.inside(x * self.factor, training=training)


class Table:
    """What a table has to have: columns by name, and to_numpy."""

    def __init__(self, values: np.ndarray, columns: list[str]) -> None:
        self.values, self.columns = values, columns

    def __getitem__(self, name: str) -> np.ndarray:
        return self.values[:, self.columns.index(name)]

    def __len__(self) -> int:
        return len(self.values)

    def to_numpy(self) -> np.ndarray:
        """The numbers."""
        return self.values


def _largest(outputs: Any, targets: Any) -> Any:
    """A metric of the user's own."""
    return outputs.max()


OWN = {
    "classes": lambda outputs, targets: pn.ops.cross_entropy(outputs, targets, label_smoothing=0.1),
    "binary": lambda outputs, targets: pn.ops.binary_cross_entropy(outputs, targets) * 2,
    "values": lambda outputs, targets: (outputs - targets).abs().mean(),
}


# ---- models


def _flat(draw: random.Random) -> Any:
    """A layer that takes (n, features)."""
    width = draw.choice((1, 3, 4, 7))
    return draw.choice((
        lambda: pn.Dense(width, activation=draw.choice(ACTIVATIONS)), lambda: pn.Dense(width, "relu", bias=False),
        lambda: pn.BatchNorm(activation=draw.choice(ACTIVATIONS[:5])), lambda: pn.LayerNorm(), lambda: pn.Dropout(0.3),
        lambda: pn.Activation(draw.choice(ACTIVATIONS[1:])), lambda: Scale(draw.choice((0.5, 2.0))),
        lambda: pn.Sequential(pn.Dense(width), pn.BatchNorm(), pn.Dropout(0.2)),
    ))()  # fmt: skip


def _image(draw: random.Random) -> Any:
    """A layer that takes (n, height, width, channels), and leaves at least one pixel."""
    return draw.choice((
        lambda: pn.Conv2D(draw.choice((1, 3)), 3, padding="same", activation=draw.choice(ACTIVATIONS[:5])),
        lambda: pn.DepthwiseConv2D(3, padding="same"), lambda: pn.BatchNorm(activation="relu"),
        lambda: pn.MaxPool2D(2, padding="same"), lambda: pn.AvgPool2D(2, padding="same"), lambda: pn.Dropout(0.2),
        lambda: pn.Sequential(pn.Conv2D(2, 1), pn.BatchNorm(activation="relu")),
    ))()  # fmt: skip


def _model(seed: float, shape: tuple[int, ...], heads: dict[str, int], dtype: str) -> Any:
    """The same model, each time anew."""
    draw = random.Random(seed)
    images, layers = len(shape) == 3, []
    if images:
        layers += [_image(draw) for _ in range(draw.randrange(3))]
        layers.append(draw.choice((pn.Flatten, pn.GlobalAvgPool2D))())
    layers += [_flat(draw) for _ in range(draw.randrange(4))]
    if "" in heads and draw.random() < 0.5:
        return pn.Sequential(*layers, pn.Dense(heads[""], draw.choice((None, None, _last(heads[""])))), dtype=dtype)
    start = x = pn.Input(shape)
    for layer in layers:
        x = layer(x)
    if not images and len(x.shape) == 1:
        shared, width = pn.Dense(x.shape[0], "tanh"), x.shape[0]
        x = draw.choice((
            lambda: x + shared(x), lambda: shared(shared(x)), lambda: pn.Concatenate()(x, shared(x)),
            lambda: x * shared(x), lambda: pn.Model(start, shared(x))(pn.Dense(shape[0])(x)),
            lambda: pn.BatchNorm(activation="relu")(x, pn.Dense(width)(x)),
        ))()  # fmt: skip
    ends = {head: pn.Dense(units)(x) for head, units in heads.items()}
    return pn.Model(start, ends.get("", ends), dtype=dtype)


def _last(units: int) -> str:
    return "sigmoid" if units == 1 else "softmax"


# ---- data


def _inputs(case: Case, n: int, shape: tuple[int, ...]) -> np.ndarray:
    if len(shape) == 3 and case.chance(0.7):
        return case.numbers.integers(0, 256, (n, *shape)).astype("uint8")
    x = case.numbers.normal(0, 1, (n, *shape)).astype(case.pick(("float32", "float64")))
    return np.asfortranarray(x) if case.chance(0.2) else x


def _labels(case: Case, n: int, units: int, kind: str) -> Any:
    """Labels in one of the forms that mean the task."""
    if kind == "values":
        y = case.numbers.normal(0, 1, (n, units))
        return case.pick((y, y.astype("float32"), y[:, 0] if units == 1 else y))
    classes = max(2, units)
    y = np.concatenate([np.arange(classes), case.numbers.integers(0, classes, n)])[:n]
    forms: list[Callable[[], Any]] = [
        lambda: y, lambda: y.astype("uint8"), lambda: y.astype("int32")[:, None], lambda: y.tolist(),
        lambda: y * 10 + 5, lambda: np.array([f"class {number}" for number in range(classes)])[y],
    ]  # fmt: skip
    if units > 1:
        soft = case.numbers.dirichlet(np.ones(classes), n)
        forms += [lambda: np.eye(classes)[y], lambda: y.astype(float), lambda: soft, lambda: soft.astype("float32")]
    else:
        forms.append(lambda: y > 0)
    return case.pick(forms)()


def _data(case: Case, x: np.ndarray, y: Any) -> Any:
    """The examples as a pair, a Dataset, with groups, a table, or batches."""
    n = len(x)
    if isinstance(y, dict):
        return case.pick(((x, y), pn.Dataset(x, y)))
    kind = case.random.randrange(5)
    if kind == 0:
        return pn.Dataset(x, y)
    if kind == 1:
        return pn.Dataset(x, y, groups=np.arange(n) % max(2, n // 3))
    if kind == 2 and x.ndim == 2:
        return Table(x, [f"column {number}" for number in range(x.shape[1])]), y
    if kind == 3:
        size, y = case.pick((5, n)), np.asarray(y)  # which leave no single example over
        return [(x[start : start + size], y[start : start + size]) for start in range(0, n, size)]
    return (x, y) if case.chance(0.8) else (x.tolist() if x.dtype != np.uint8 else x, y)


def _options(case: Case, images: bool) -> dict[str, Any]:
    return {
        "epochs": case.pick((1, 2, 3)),
        "batch_size": case.pick((1, 2, 7, 64)),
        "optimizer": case.pick(("sgd", "rmsprop", "adam", "adamw", pn.SGD(momentum=0.5), pn.AdamW(weight_decay=0.1))),
        "learning_rate": case.pick((None, 1e-3, 0.01)),
        "schedule": case.pick(("one-cycle", "cosine", "step", "constant")),
        "preprocess": case.pick(("auto", "auto", "dataset", "image" if images else None)),
        "augment": case.pick((None, pn.Augment(flip=True, erase=0.5), pn.Augment(rotate=180, gamma=0)))
        if images
        else None,
        "seed": case.random.randrange(4),
        "verbose": 0,
    }


def _weights(case: Case, kinds: dict[str, str], n: int, data: Any) -> dict[str, Any]:
    """Options that weight, smooth, draw, average and accumulate; they suit the labels, the data and built-in losses."""
    words: dict[str, Any] = {}
    arrays = not isinstance(data, list)
    able = [head for head, kind in kinds.items() if kind != "values"]
    if case.chance(0.2):
        words["ema"] = case.pick((0.5, 0.99))
    if case.chance(0.2):
        words["accumulate"] = case.pick((2, 3))
    if able and case.chance(0.2):
        words["label_smoothing"] = case.pick((0.1, 0.5))
    if able and case.chance(0.2):
        words["class_weight"] = "balanced" if "" in kinds or case.chance(0.5) else {able[0]: "balanced"}
    elif able and arrays and case.chance(0.2):
        words["balance"] = able[0] or True
    if arrays and case.chance(0.2):
        words["sample_weight"] = case.numbers.exponential(size=n) + 1e-3
    if "" not in kinds and case.chance(0.2):
        words["loss_weights"] = {"a": 0.5}
    return words


# ---- what must hold


def _same(what: str, one: Any, other: Any, close: float = 0.0) -> None:
    """Arrays, or dicts of them by head, are equal, or close where a tolerance is given."""
    if isinstance(one, dict):
        for head in one:
            _same(f"{what} of the head {head}", one[head], other[head], close)
        return
    if one.shape != other.shape or one.dtype != other.dtype:
        raise Finding(f"{what}: {one.dtype} {one.shape} and {other.dtype} {other.shape}")
    if not np.allclose(one, other, rtol=close, atol=close * max(1.0, float(np.abs(one).max(initial=0)))):
        raise Finding(f"{what}: off by {np.abs(one - other).max():g}")


def _rows(found: Any, rows: Any) -> Any:
    return {head: part[rows] for head, part in found.items()} if isinstance(found, dict) else found[rows]


def _predictions(case: Case, model: Any, x: np.ndarray) -> Any:
    """A prediction depends neither on the rows beside it nor on their order."""
    said, close = pn.predict(model, x), CLOSE[model.dtype]
    order = case.numbers.permutation(len(x))
    _same("predictions of permuted rows", _rows(said, order), pn.predict(model, x[order]), close)
    for row in range(min(3, len(x))):
        rows = slice(row, row + 1)
        _same("the prediction of one row alone", _rows(said, rows), pn.predict(model, x[rows]), close)
    return said


def _copies(model: Any, x: np.ndarray, said: Any, again: Callable[[Any], Any]) -> None:
    """Copies predict the same, and training one leaves the model as it is."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as root:
        pn.save(model, Path(root) / "model.safetensors")
        loaded = pn.load(Path(root) / "model.safetensors", layers=[Scale])
    for what, copied in (
        ("load", loaded), ("pickle", pickle.loads(pickle.dumps(model))), ("deepcopy", copy.deepcopy(model)),
    ):  # fmt: skip
        if copied.fingerprint() != model.fingerprint():
            raise Finding(f"a model from {what} has other weights")
        _same(f"predictions of a model from {what}", said, pn.predict(copied, x))
        again(copied)
        _same(f"predictions after a copy from {what} was trained", said, pn.predict(model, x))


def _columns(case: Case, model: Any, x: np.ndarray, said: Any) -> None:
    """Columns of a table are found by name."""
    columns = model.card.columns
    if columns:
        order = case.numbers.permutation(len(columns))
        _same(
            "predictions of permuted columns", said, pn.predict(model, Table(x[:, order], [columns[i] for i in order]))
        )


def _frozen(model: Any, again: Callable[[Any], Any]) -> None:
    """Frozen layers keep their parameters and statistics, whatever the optimizer."""
    copied = copy.deepcopy(model)
    *frozen, last = copied.layers
    kept = {}
    for layer in frozen:
        layer.trainable = False
        for name, value in vars(layer).items():
            if isinstance(value, pn.Tensor):
                kept[layer.name, name] = np.array(value.numpy())
    if not any(isinstance(value, pn.Tensor) for value in vars(last).values()):
        return
    again(copied)
    for (layer, name), value in kept.items():
        _same(f"{name} of a frozen layer", value, np.array(getattr(copied[layer], name).numpy()))


def _summary(model: Any) -> None:
    """The summary counts each parameter once."""
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        model.summary()
    total = re.search(r"^total +([\d,]+)", text.getvalue(), re.MULTILINE)
    count = sum(tensor.size for tensor in model.parameters.values())
    if total is None or int(total[1].replace(",", "")) != count:
        raise Finding(f"the summary counts {total and total[1]} parameters of {count}")


def _evaluated(model: Any, held: Any, history: Any) -> None:
    """What evaluate finds is what fit measured in its best epoch."""
    report, best = pn.evaluate(model, held, verbose=0), history.best_epoch - 1
    reports = report if isinstance(report, dict) else {"": report}
    for head, one in reports.items():
        prefix = f"val_{head}_" if head else "val_"
        for name, found in (("loss", one.loss), ("accuracy", one.accuracy)):
            if found is not None and not math.isclose(found, history[prefix + name][best], rel_tol=1e-4, abs_tol=1e-6):
                raise Finding(f"evaluate: {prefix}{name} {found:.7g}, in fit {history[prefix + name][best]:.7g}")


def _fit(model: Any, data: Any, words: dict[str, Any], right: bool) -> Any:
    """The history of a fit; arguments that are right must be accepted."""
    try:
        return pn.fit(model, data, **words)
    except REFUSED as error:
        if right:
            raise Finding(f"refused: {error}") from error
        raise


def _trained(case: Case, make: Callable[[], Any], data: Any, words: dict[str, Any], right: bool) -> Any:
    """A model and its history; equal ones with one thread and with two; None where fit refuses them."""
    found = []
    before = pn.get_threads()
    try:
        for threads in (1, 2):
            pn.set_threads(threads)
            model = make()
            history = case.attempt(_fit, model, data, words, right)
            if history is None:
                return None
            found.append((model, history))
    finally:
        pn.set_threads(before)
    if found[0][1].fingerprint != found[1][1].fingerprint:
        raise Finding("one thread and two give other weights")
    return found[0]


def run(case: Case) -> None:
    """One model, its data, and options."""
    shape = case.pick(((1,), (4,), (5,), (6, 5, 1), (4, 4, 3)))
    kinds = {head: case.pick(("classes", "binary", "values")) for head in case.pick((("",), ("",), ("a", "b")))}
    heads = {head: {"classes": 3, "binary": 1, "values": case.pick((1, 2))}[kind] for head, kind in kinds.items()}
    seed, dtype, n = case.random.random(), case.pick(("float32", "float32", "float64")), case.pick((4, 9, 30, 70))
    x = _inputs(case, n, shape)
    labels = {head: _labels(case, n, heads[head], kind) for head, kind in kinds.items()}
    y = labels.get("", labels)
    words = _options(case, len(shape) == 3)
    if case.chance(0.3):
        words["metrics"] = [_largest]
    if case.chance(0.3) and "" in kinds:
        words["loss"] = OWN[kinds[""]]
    if case.chance(0.5):
        turned = {head: np.asarray(part)[::-1] for head, part in labels.items()}
        words["validation"] = (x[::-1].copy(), turned.get("", turned))
    elif case.chance(0.3):
        words["validation"] = case.pick((None, 0.3))
    data = _data(case, x, y)
    if "loss" not in words:
        words |= _weights(case, kinds, n, data)
    right = words["batch_size"] > 1 and not (isinstance(data, list) and words.get("validation") == 0.3)
    if case.chance(0.15):
        right = False
        wrong = case.pick(sorted(WRONG))
        words[wrong] = case.pick(WRONG[wrong])
    said = {name: "given" if isinstance(value, tuple) and len(value) == 2 else value for name, value in words.items()}
    case.say(f"{kinds} {shape} n {n} {x.dtype} y {type(y).__name__} data {type(data).__name__} {said}")
    trained = _trained(case, lambda: _model(seed, shape, heads, dtype), data, words, right)
    if trained is None:
        return
    model, history = trained
    case.count()
    said = _predictions(case, model, x)
    _summary(model)
    _columns(case, model, x, said)
    if isinstance(words.get("validation"), tuple) and "loss" not in words:
        _evaluated(model, words["validation"], history)
    _copies(model, x, said, lambda copied: case.attempt(_fit, copied, data, words, right))
    _frozen(model, lambda copied: case.attempt(_fit, copied, data, words, right))
