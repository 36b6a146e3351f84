"""Soft labels, rows of probabilities: the loss by its formula, what they mean, where they go."""

import re
from functools import partial

import numpy as np
import pytest

import pyneural as pn

fit = partial(pn.fit, preprocess=None, scale_targets=False)  # formulas are checked on data as it is

STILL = {"epochs": 1, "learning_rate": 1e-30, "verbose": 0}
STEPS = {"epochs": 3, "optimizer": "sgd", "learning_rate": 0.1, "verbose": 0}


def rows(n: int = 120, classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    return generator.normal(size=(n, 4)), generator.dirichlet(np.full(classes, 0.5), size=n)


def linear() -> pn.Sequential:
    return pn.Sequential(pn.Dense(3), dtype="float64")


def log_p(model, x) -> np.ndarray:
    logits = x @ model["dense_1"].weight.numpy() + model["dense_1"].bias.numpy()
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("batches", [False, True])
def test_they_train_with_cross_entropy_and_the_first_line_says_so(capsys, dtype, batches):
    x, y = rows()
    y = y.astype(dtype)
    model = linear()
    held = (x[:50], y[:50])
    data = [(x[start : start + 31], y[start : start + 31]) for start in range(0, 120, 31)] if batches else (x, y)
    history = fit(model, data, validation=held, **STILL | {"verbose": 1})
    assert "3 classes, soft labels · cross_entropy" in capsys.readouterr().out
    assert (model.card.task.kind, model.card.loss) == ("classes", "cross_entropy")
    found = log_p(model, x)
    assert history["loss"][0] == pytest.approx(-(y * found).sum(axis=1).mean(), rel=1e-6)
    assert history["val_loss"][0] == pytest.approx(-(y * found).sum(axis=1)[:50].mean(), rel=1e-6)
    hits = found.argmax(axis=1) == y.argmax(axis=1)
    assert history["accuracy"][0] == pytest.approx(hits.mean())
    assert history["val_accuracy"][0] == pytest.approx(hits[:50].mean())
    report = pn.evaluate(model, held, verbose=0)
    assert report.loss == pytest.approx(history["val_loss"][0], rel=1e-6)
    assert report.accuracy == history["val_accuracy"][0]
    assert np.array_equal(report.labels, y[:50].argmax(axis=1))
    np.testing.assert_allclose(pn.predict(model, x).sum(axis=1), 1)


def test_hard_rows_that_are_a_little_soft_train_like_class_numbers():
    x, y = rows()
    numbers = y.argmax(axis=1)
    one, other = linear(), linear()
    soft = np.eye(3)[numbers]
    soft[0] = (soft[0] + 1e-15) / (soft[0] + 1e-15).sum()
    fit(one, (x, soft), validation=None, **STEPS)
    fit(other, (x, numbers), validation=None, **STEPS)
    np.testing.assert_allclose(one["dense_1"].weight.numpy(), other["dense_1"].weight.numpy(), rtol=1e-12)


def test_class_weights_are_expected_ones_and_smoothing_mixes():
    x, y = rows()
    model = linear()
    history = fit(model, (x, y), class_weight={0: 3, 2: 0.5}, label_smoothing=0.1, validation=None, **STILL)
    each = -((0.9 * y + 0.1 / 3) * log_p(model, x)).sum(axis=1)
    assert history["loss"][0] == pytest.approx(np.average(each, weights=y @ [3, 1, 0.5]), rel=1e-12)


def test_balanced_counts_by_probability_and_balance_by_the_greatest():
    x, y = rows()
    model = linear()
    history = fit(model, (x, y), class_weight="balanced", validation=None, **STILL)
    each = -(y * log_p(model, x)).sum(axis=1)
    assert history["loss"][0] == pytest.approx(np.average(each, weights=y @ (120 / 3 / y.sum(axis=0))), rel=1e-12)
    assert fit(linear(), (x, y), balance=True, **STILL).epochs == 1


def test_soft_and_hard_labels_mix_in_batches_validation_and_later_fits():
    x, y = rows()
    hard = y.argmax(axis=1)
    one_hot = np.eye(3)[hard]
    model = linear()

    def spread(outputs, targets):
        return float(targets.numpy().std())

    fit(model, [(x, y), (x, one_hot)], validation=(x, hard), metrics=[spread], **STEPS)
    fit(model, (x, hard), validation=(x, y), metrics=[spread], **STEPS)
    fit(model, (x, y), validation=None, **STEPS)
    assert pn.evaluate(model, (x, hard), verbose=0).accuracy == pn.evaluate(model, (x, y), verbose=0).accuracy
    batches = [(x[:60], one_hot[:60]), (x[60:], y[60:])]
    assert np.array_equal(pn.evaluate(model, batches, verbose=0).labels, hard)
    whole = np.concatenate([one_hot[:60], y[60:]])
    assert pn.calibrate(model, batches, verbose=0) == pytest.approx(pn.calibrate(model, (x, whole), verbose=0))


def test_columns_are_matched_by_name():
    x, y = rows()
    model, other = linear(), linear()
    fit(model, pn.Dataset(x, y, classes=["ant", "bee", "cat"]), **STEPS)
    report = pn.evaluate(model, pn.Dataset(x, y[:, [2, 0, 1]], classes=["cat", "ant", "bee"]), verbose=0)
    assert report.loss == pytest.approx(float(pn.evaluate(model, (x, y), verbose=0).loss), rel=1e-12)
    assert np.array_equal(report.labels, y.argmax(axis=1))
    fewer = y[:, [2, 0]] / y[:, [2, 0]].sum(axis=1, keepdims=True)
    assert pn.evaluate(model, pn.Dataset(x, fewer, classes=["cat", "ant"]), verbose=0).n == 120
    with pytest.raises(ValueError, match="the data has the classes dog; the model's classes are ant, bee, cat"):
        pn.evaluate(model, pn.Dataset(x, y, classes=["ant", "dog", "cat"]), verbose=0)
    with pytest.raises(ValueError, match=r"y is \(120, 2\), and the model has 3 outputs: give a column for each class"):
        pn.evaluate(model, (x, fewer), verbose=0)
    with pytest.raises(ValueError, match="the labels are 2 classes, the model has 3 outputs"):
        fit(other, pn.Dataset(x, y, classes=["ant", "bee"]), **STEPS)


def test_data_sets_count_the_most_probable_class():
    x, y = rows()
    counts = pn.Dataset(x, y, classes=["ant", "bee", "cat"]).counts()
    assert counts == dict(zip(["ant", "bee", "cat"], np.bincount(y.argmax(axis=1)).tolist(), strict=True))
    train, test = pn.Dataset(x, y).split(0.25, verbose=0)
    assert (len(train), len(test)) == (90, 30)


def test_a_regression_loss_keeps_them_as_values():
    x, y = rows()
    model = linear()
    history = fit(model, (x, y), loss="mse", **STILL)
    assert model.card.task.kind == "values"
    assert "accuracy" not in history


def test_a_model_of_classes_and_mse_takes_them_too():
    x, y = rows()
    model = linear()
    fit(model, (x, y.argmax(axis=1)), loss="mse", **STEPS)
    report = pn.evaluate(model, (x, y), verbose=0)
    expected = ((np.array(model(x)) - y) ** 2).mean()
    assert report.loss == pytest.approx(expected, rel=1e-12)


def test_heads_may_have_soft_labels():
    x, y = rows()
    inputs = pn.Input((4,))
    model = pn.Model(inputs, {"a": pn.Dense(3)(inputs), "b": pn.Dense(3)(inputs)})
    history = fit(model, (x, {"a": y, "b": y.argmax(axis=1)}), class_weight={"a": "balanced"}, **STEPS)
    assert history["val_a_accuracy"][0] >= 0
    reports = pn.evaluate(model, (x, {"a": y, "b": y}), verbose=0)
    assert np.array_equal(reports["a"].labels, reports["b"].labels)


def test_a_custom_loss_gets_logits_and_rows():
    x, y = rows()
    seen = set()

    def own(outputs, targets):
        seen.add((targets.shape[1:], targets.dtype))
        return pn.ops.cross_entropy(outputs, targets)

    one, other = linear(), linear()
    fit(one, (x, y), loss=own, validation=(x, y.argmax(axis=1)), **STEPS)
    fit(other, (x, y), validation=(x, y.argmax(axis=1)), **STEPS)
    assert seen == {((3,), "float64")}
    np.testing.assert_allclose(one["dense_1"].weight.numpy(), other["dense_1"].weight.numpy(), rtol=1e-12)


def test_gradients_of_soft_labels_are_right():
    x, y = rows(12)
    pn.check_gradients(pn.Sequential(pn.Dense(4, "tanh"), pn.Dense(3), dtype="float64"), x, y, verbose=0)


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda y: y * 1.0005, "classes"),  # sums within 0.001
        (lambda y: y * 1.01, "values"),
        (lambda y: np.where(y == y.max(), 1.2, y), "values"),
        (lambda y: y - 0.3, "values"),
        (lambda y: y[:, :2], "values"),
    ],
)
def test_what_counts_as_probabilities(change, kind):
    x, y = rows()
    y = change(y)
    model = pn.Sequential(pn.Dense(y.shape[1]))
    fit(model, (x, y), **STILL)
    assert model.card.task.kind == kind


def test_labels_that_are_no_probabilities_are_refused_by_a_model_of_classes():
    x, y = rows()
    model = linear()
    fit(model, (x, y), **STILL)
    for wrong, words in ((y * 0.9, "row 0 sums to 0.9"), (y - 0.5, "row 0 has -0.")):
        with pytest.raises(ValueError, match=f"evaluate: y is .*: {re.escape(words)}"):
            pn.evaluate(model, (x, wrong), verbose=0)


def test_all_rows_equal_is_nothing_to_learn():
    x, y = rows()
    with pytest.raises(ValueError, match="fit: all 120 labels are"):
        fit(linear(), (x, np.tile(y[0], (120, 1))), **STILL)
