"""Means over batches: they divide by what the loss of a batch divides by, whatever the order of the rows."""

from functools import partial

import numpy as np
import pytest

import pyneural as pn

fit = partial(pn.fit, preprocess=None, scale_targets=False)  # formulas are checked on data as it is

WEIGHTS = np.array([10.0, 1.0, 0.1], np.float32)
STILL = {"epochs": 1, "learning_rate": 1e-30, "verbose": 0}


def rows(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    return generator.normal(size=(n, 4)).astype(np.float32), generator.choice(3, n, p=[0.1, 0.2, 0.7])


def weighted(outputs, targets):
    return pn.ops.cross_entropy(outputs, targets, class_weights=WEIGHTS)


def in_one(model, function, x, y) -> float:
    """The function on all rows at once."""
    return float(function(pn.tensor(model.logits(pn.tensor(x), training=False).numpy()), pn.tensor(y)))


LOSSES = {
    "class weights": weighted,
    "ignored labels": partial(pn.ops.cross_entropy, ignore=2),
    "by hand": lambda o, t: (
        pn.ops.cross_entropy(o, t, reduction="none") * pn.tensor(WEIGHTS[t.numpy()])
    ).sum() / float(WEIGHTS[t.numpy()].sum()),
}  # fmt: skip


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("batches", [False, True])
def test_val_loss_does_not_depend_on_the_order_of_rows(name, batches):
    x, y = rows(1203)
    losses = []
    for order in (np.arange(len(y)), np.argsort(y, kind="stable"), np.argsort(-y, kind="stable")):
        model = pn.Sequential(pn.Dense(3))
        held = (x[order], y[order])
        if batches:
            held = [(held[0][start : start + 301], held[1][start : start + 301]) for start in range(0, len(y), 301)]
        history = fit(model, rows(60, seed=1), validation=held, loss=LOSSES[name], **STILL)
        losses.append(float(history["val_loss"][0]))
        assert losses[-1] == pytest.approx(in_one(model, LOSSES[name], x, y), rel=1e-5)
    assert losses == pytest.approx([losses[0]] * 3, rel=1e-5)


def test_the_training_mean_divides_by_the_weights_too():
    x, y = rows(403)
    model = pn.Sequential(pn.Dense(3))
    history = fit(model, (x, y), validation=(x, y), loss=weighted, batch_size=7, **STILL)
    assert float(history["loss"][0]) == pytest.approx(float(history["val_loss"][0]), rel=1e-5)


def test_heads_and_metrics_divide_by_the_weights_too():
    x, y = rows(1203)
    inputs = pn.Input((4,))
    model = pn.Model(inputs, {"a": pn.Dense(3)(inputs), "b": pn.Dense(3)(inputs)})
    order = np.argsort(y, kind="stable")
    history = fit(
        model, (x, {"a": y, "b": y}), validation=(x[order], {"a": y[order], "b": y[order]}),
        loss={"a": weighted}, metrics={"b": [weighted]}, **STILL,
    )  # fmt: skip
    outputs = {head: tensor.numpy() for head, tensor in model.logits(pn.tensor(x), training=False).items()}
    for part in ("a_loss", "b_weighted"):
        expected = float(weighted(pn.tensor(outputs[part[0]]), pn.tensor(y)))
        assert float(history[part][0]) == pytest.approx(expected, rel=1e-5)
        assert float(history[f"val_{part}"][0]) == pytest.approx(expected, rel=1e-5)
    assert float(history["val_loss"][0]) == pytest.approx(
        float(history["val_a_loss"][0]) + float(history["val_b_loss"][0]), rel=1e-6
    )


def test_a_sum_stays_the_mean_of_its_batches():
    def total(outputs, targets):
        return pn.ops.cross_entropy(outputs, targets, reduction="sum")

    x, y = rows(1000)
    model = pn.Sequential(pn.Dense(3))
    history = fit(model, (x, y), validation=(x, y), loss=total, batch_size=500, **STILL)
    assert float(history["val_loss"][0]) == pytest.approx(in_one(model, total, x, y) / 2, rel=1e-5)


def test_a_batch_of_ignored_labels_alone_does_not_end_a_validation():
    x, y = rows(1203)
    y = np.sort(y)[::-1]  # the first 500 rows are all of class 2
    model = pn.Sequential(pn.Dense(3))
    function = LOSSES["ignored labels"]
    history = fit(model, rows(64, seed=1), validation=(x, y), loss=function, batch_size=64, **STILL)
    assert float(history["val_loss"][0]) == pytest.approx(in_one(model, function, x, y.copy()), rel=1e-5)


def test_many_rows_are_called_in_parts():
    counts = []

    def counted(outputs, targets):
        counts.append(len(targets.numpy()))
        return pn.ops.mse(outputs, targets)

    x = np.zeros((20_000, 1), np.float32)
    history = fit(pn.Sequential(pn.Dense(1)), (x[:64], x[:64]), validation=(x, x), loss=counted, **STILL)
    assert max(counts) < 9000
    assert float(history["val_loss"][0]) == 0
