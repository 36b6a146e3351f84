"""fit with weights of examples and classes: formulas in float64, equivalences, bad input."""

import re
from functools import partial

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

import pyneural as pn

fit = partial(pn.fit, preprocess=None, scale_targets=False)  # formulas are checked on data as it is

STILL = {"epochs": 1, "learning_rate": 1e-30, "verbose": 0}  # the weights do not move
STEPS = {"epochs": 3, "optimizer": "sgd", "learning_rate": 0.1, "schedule": "constant", "verbose": 0}


def rows(n: int, classes: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    return generator.normal(size=(n, 4)), generator.choice(classes, n, p=np.arange(1, classes + 1) / 6)


def weights(n: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0.1, 5, n)


def linear(units: int = 3) -> pn.Sequential:
    return pn.Sequential(pn.Dense(units), dtype="float64")


def each_loss(model, x, y) -> np.ndarray:
    """Minus the log probability of each label, in NumPy."""
    logits = x @ model["dense_1"].weight.numpy() + model["dense_1"].bias.numpy()
    logits -= logits.max(axis=1, keepdims=True)
    return np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(y)), y]


def same(one: pn.Sequential, other: pn.Sequential, tolerance: float) -> None:
    for name, tensor in one.parameters.items():
        np.testing.assert_allclose(tensor.numpy(), other.parameters[name].numpy(), rtol=tolerance, atol=tolerance)


# ---- formulas


@pytest.mark.parametrize("batch_size", [7, 64, 1000])
def test_the_losses_are_weighted_means_whatever_the_batches_and_the_order(batch_size):
    x, y = rows(203)
    w = weights(203)
    for order in (np.arange(203), np.argsort(w), np.argsort(-w)):
        model = linear()
        part = pn.Dataset(x[order], y[order], sample_weight=w[order])
        history = fit(model, part, validation=part, batch_size=batch_size, **STILL)
        expected = np.average(each_loss(model, x, y), weights=w)
        assert history["loss"][0] == pytest.approx(expected, rel=1e-12)
        assert history["val_loss"][0] == pytest.approx(expected, rel=1e-12)


def test_the_step_is_the_gradient_of_the_weighted_mean():
    x, y = rows(50)
    w = weights(50)
    model = linear()
    model.build((4,), seed=0)
    before = np.array(model["dense_1"].weight)
    logits = x @ before
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    table = np.array([2.0, 1.0, 5.0])
    both = w * table[y]
    gradient = x.T @ ((p - np.eye(3)[y]) * both[:, None]) / both.sum()
    fit(model, (x, y), sample_weight=w, class_weight={0: 2, 2: 5}, validation=None, batch_size=50,
        **STEPS | {"epochs": 1})  # fmt: skip
    np.testing.assert_allclose(model["dense_1"].weight.numpy(), before - 0.1 * gradient, rtol=1e-12, atol=1e-15)


def test_balanced_class_weights_are_those_of_scikit_learn():
    x, y = rows(300)
    model = linear()
    history = fit(model, (x, y), class_weight="balanced", validation=None, **STILL)
    table = compute_class_weight("balanced", classes=np.arange(3), y=y)
    assert history["loss"][0] == pytest.approx(np.average(each_loss(model, x, y), weights=table[y]), rel=1e-12)


def test_balanced_weights_count_the_training_rows_and_the_classes_that_occur(capsys):
    x, y = rows(300)
    data = pn.Dataset(x, np.where(y == 1, 2, y), classes=["ant", "bee", "cat"])
    fit(linear(), data, class_weight="balanced", **STILL | {"verbose": 1})
    kept = int((y == 0).sum()) - round(0.1 * int((y == 0).sum()))
    assert f"class weights ant {270 / 2 / kept:.3g}, bee 0, cat {270 / 2 / (270 - kept):.3g}" in capsys.readouterr().out


def test_validation_is_not_weighted_by_class():
    x, y = rows(100)
    model = linear()
    history = fit(model, (x, y), class_weight="balanced", validation=(x, y), **STILL)
    assert history["val_loss"][0] == pytest.approx(each_loss(model, x, y).mean(), rel=1e-12)


@pytest.mark.parametrize("loss", ["mse", "mae", "huber", "cross_entropy"])
def test_every_loss_takes_weights(loss):
    x, y = rows(100)
    w = weights(100)
    target = y if loss == "cross_entropy" else x[:, :3] * 2
    model = linear()
    history = fit(model, (x, target), loss=loss, sample_weight=w, validation=None, batch_size=32, **STILL)
    outputs = model(x)
    op = getattr(pn.ops, loss)
    each = op(outputs, target, reduction="none").numpy()
    assert history["loss"][0] == pytest.approx(np.average(each, weights=w), rel=1e-12)


def test_a_binary_model_takes_both_kinds_of_weights():
    x, y = rows(100, 3)
    y = (y > 1).astype(int)
    w = weights(100)
    model = linear(1)
    history = fit(model, (x, y), sample_weight=w, class_weight={1: 3}, validation=None, **STILL)
    z = np.array(model(x))[:, 0]
    each = np.log1p(np.exp(z)) - z * y
    assert history["loss"][0] == pytest.approx(np.average(each, weights=w * np.where(y, 3, 1)), rel=1e-12)


@pytest.mark.parametrize("keys", [(0, 2), ("0", "2"), (0.0, np.float32(2)), (np.int64(0), np.uint8(2)), (False, 2)])
def test_classes_are_named_by_number_or_text(keys):
    x, y = rows(100)
    model = linear()
    history = fit(model, (x, y), class_weight=dict(zip(keys, (2, 7), strict=True)), validation=None, **STILL)
    expected = np.average(each_loss(model, x, y), weights=np.array([2, 1, 7])[y])
    assert history["loss"][0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("keys", [("ant", "cat"), (0, 2), (np.str_("ant"), np.int32(2))])
def test_names_of_classes_are_keys_too(keys):
    x, y = rows(100)
    model = linear()
    data = pn.Dataset(x, y, classes=["ant", "bee", "cat"])
    history = fit(model, data, class_weight=dict(zip(keys, (2, 7), strict=True)), validation=None, **STILL)
    expected = np.average(each_loss(model, x, y), weights=np.array([2, 1, 7])[y])
    assert history["loss"][0] == pytest.approx(expected, rel=1e-12)


def test_labels_that_are_numbers_are_names():
    x, y = rows(100)
    model = linear()
    history = fit(model, (x, y * 10 + 10), class_weight={10: 2, "30": 7}, validation=None, **STILL)
    expected = np.average(each_loss(model, x, y), weights=np.array([2, 1, 7])[y])
    assert history["loss"][0] == pytest.approx(expected, rel=1e-12)
    with pytest.raises(ValueError, match="fit: class_weight has 0: the classes are 10, 20, 30"):
        fit(linear(), (x, y * 10 + 10), class_weight={0: 2}, **STILL)


def test_classes_trained_with_a_regression_loss_are_weighted():
    x, y = rows(100)
    model = linear()
    history = fit(model, (x, y), loss="mse", class_weight={1: 4}, validation=None, **STILL)
    each = ((np.array(model(x)) - np.eye(3)[y]) ** 2).mean(axis=1)
    assert history["loss"][0] == pytest.approx(np.average(each, weights=np.where(y == 1, 4, 1)), rel=1e-12)


def heads() -> pn.Model:
    inputs = pn.Input((4,))
    return pn.Model(inputs, {"a": pn.Dense(3)(inputs), "b": pn.Dense(3)(inputs), "c": pn.Dense(1)(inputs)},
                    dtype="float64")  # fmt: skip


def test_heads_have_their_own_class_weights():
    x, y = rows(203)
    labels = {"a": y, "b": y[::-1].copy(), "c": x[:, 0]}
    w = weights(203)
    model = heads()
    history = fit(model, (x, labels), class_weight={"a": {0: 7}}, sample_weight=w, validation=None, batch_size=8,
                     **STILL)  # fmt: skip
    outputs = {name: out.numpy() for name, out in model.logits(pn.tensor(x), training=False).items()}
    expected = {
        "a": np.average(pn.ops.cross_entropy(outputs["a"], y, reduction="none"), weights=w * np.where(y == 0, 7, 1)),
        "b": np.average(pn.ops.cross_entropy(outputs["b"], labels["b"], reduction="none"), weights=w),
        "c": np.average((outputs["c"][:, 0] - labels["c"]) ** 2, weights=w),
    }
    for head, value in expected.items():
        assert history[f"{head}_loss"][0] == pytest.approx(value, rel=1e-12)
    assert history["loss"][0] == pytest.approx(sum(expected.values()), rel=1e-12)


def test_balanced_applies_to_every_head_of_classes():
    x, y = rows(203)
    labels = {"a": y, "b": 2 - y, "c": x[:, 0]}
    history = fit(heads(), (x, labels), class_weight="balanced", validation=None, **STILL)
    assert history["b_loss"][0] > 0
    assert history.epochs == 1


def test_batches_take_class_weights():
    x, y = rows(203)
    model = linear()
    batches = [(x[start : start + 50], y[start : start + 50]) for start in range(0, 203, 50)]
    history = fit(model, batches, class_weight={0: 0, 1: 3}, **STILL)
    expected = np.average(each_loss(model, x, y), weights=np.array([0, 3, 1])[y])
    assert history["loss"][0] == pytest.approx(expected, rel=1e-12)


# ---- equivalences


@pytest.mark.parametrize("batch_size", [16, 1000])
def test_an_example_of_weight_0_is_left_out(batch_size):
    x, y = rows(90)
    w = np.where(np.random.default_rng(3).random(90) < 0.3, 0.0, 1.0)
    one, other = linear(), linear()
    fit(one, (x, y), sample_weight=w, validation=None, preprocess="dataset", batch_size=batch_size, **STEPS)
    fit(other, (x[w > 0], y[w > 0]), validation=None, preprocess="dataset", batch_size=batch_size, **STEPS)
    same(one, other, 1e-13)


def test_weight_2_is_like_having_the_example_twice():
    x, y = rows(60)
    w = np.random.default_rng(3).integers(1, 4, 60)
    one, other = linear(), linear()
    fit(one, (x, y), sample_weight=w, validation=None, batch_size=1000, **STEPS)
    fit(other, (np.repeat(x, w, axis=0), np.repeat(y, w)), validation=None, batch_size=1000, **STEPS)
    same(one, other, 1e-12)


@pytest.mark.parametrize("scale", [2.0**-1040, 1e-300, 1e-9, 3.0, 1e200])
def test_the_scale_of_weights_does_not_matter(scale):
    x, y = rows(60)
    w = weights(60)
    one, other = pn.Sequential(pn.Dense(3)), pn.Sequential(pn.Dense(3))
    fit(one, (x, y), sample_weight=w, **STEPS)
    fit(other, (x, y), sample_weight=w * scale, class_weight={0: scale, 1: scale, 2: scale}, **STEPS)
    same(one, other, 1e-6)  # float32


def test_the_dataset_keeps_its_weights():
    x, y = rows(60)
    w = weights(60)
    data = pn.Dataset(x, y, sample_weight=w)
    assert np.array_equal(data.take([3, 1]).sample_weight, w[[3, 1]])
    one, other = linear(), linear()
    fit(one, data, **STEPS)
    fit(other, (x, y), sample_weight=w, **STEPS)
    same(one, other, 0)


def test_small_weights_of_one_kind_meet_small_ones_of_the_other():
    x, y = rows(60)
    w = np.where(y == 0, 1.0, 1e-30)
    one, other = pn.Sequential(pn.Dense(3)), pn.Sequential(pn.Dense(3))
    fit(one, (x, y), sample_weight=w, class_weight={0: 1e-30}, validation=None, **STEPS)
    fit(other, (x, y), validation=None, **STEPS)
    same(one, other, 1e-6)  # float32


def test_weights_may_be_assigned_to_a_data_set():
    x, y = rows(60)
    data = pn.Dataset(x, y)
    data.sample_weight = [1, 2] * 30
    one, other = linear(), linear()
    fit(one, data, **STEPS)
    fit(other, (x, y), sample_weight=np.tile([1, 2], 30), **STEPS)
    same(one, other, 0)
    data.sample_weight = [-1] * 60
    with pytest.raises(ValueError, match="data: sample_weight has 60 weights that are negative"):
        fit(linear(), data, **STEPS)


def test_a_batch_in_which_every_example_weighs_nothing_trains_nothing():
    x, y = rows(64)
    y = np.repeat([0, 1, 2, 2], 16)
    model = linear()
    batches = [(x[start : start + 16], y[start : start + 16]) for start in range(0, 64, 16)]
    history = fit(model, batches, class_weight={0: 0}, **STEPS)
    assert np.isfinite(history["loss"]).all()


# ---- bad input

X, Y = rows(20)
BAD = [
    ({"sample_weight": np.ones(19)}, ValueError, "fit: sample_weight is (19,): give one weight per example, (20,)"),
    ({"sample_weight": np.ones((20, 2))}, ValueError, "fit: sample_weight is (20, 2): give one weight per example"),
    ({"sample_weight": -np.ones(20)}, ValueError, "fit: sample_weight has 20 weights that are negative, NaN or infi"),
    ({"sample_weight": [np.nan] + [1.0] * 19}, ValueError, "fit: sample_weight has 1 weights that are negative, NaN"),
    ({"sample_weight": np.zeros(20)}, ValueError, "fit: all 18 examples have weight 0: give a weight above 0 to some"),
    ({"sample_weight": "balanced"}, TypeError, "fit: sample_weight "),
    ({"class_weight": {"dog": 2}}, ValueError, "fit: class_weight has dog: the classes are 0, 1, 2"),
    ({"class_weight": {3: 2}}, ValueError, "fit: class_weight has 3: the classes are 0, 1, 2"),
    ({"class_weight": {0: -1}}, ValueError, "fit: class_weight: the weight of class 0 is -1: give a number of at"),
    ({"class_weight": {0: np.nan}}, ValueError, "fit: class_weight: the weight of class 0 is nan: give a number"),
    ({"class_weight": {0: "a"}}, TypeError, "fit: class_weight: the weight of class 0 is 'a': give a number"),
    ({"class_weight": {0: 0, 1: 0, 2: 0}}, ValueError, "fit: class_weight is 0 for every class"),
    ({"class_weight": {0: 1, "0": 2}}, ValueError, "fit: class_weight has a class twice"),
    ({"class_weight": "even"}, ValueError, "fit: class_weight is 'even': give 'balanced', or a dict such as {'1': "),
    ({"class_weight": [1, 2, 3]}, TypeError, "fit: class_weight is list: give 'balanced', or a dict by class such as"),
    ({"class_weight": "balanced", "loss": lambda o, t: pn.ops.cross_entropy(o, t)}, ValueError,
     "fit: class_weight cannot weight the custom loss 'custom loss', which returns one number per batch"),
]  # fmt: skip


@pytest.mark.parametrize(("options", "error", "words"), BAD, ids=range(len(BAD)))
def test_weights_that_are_wrong(options, error, words):
    model = pn.Sequential(pn.Dense(3))
    with pytest.raises(error, match=re.escape(words)):
        fit(model, (X, Y), verbose=0, **options)
    assert not model.is_built
    assert model.card.task is None


def test_weights_that_do_not_fit_the_data():
    weighted = pn.Dataset(X, Y, sample_weight=np.ones(20))
    with pytest.raises(ValueError, match="sample_weight is given twice"):
        fit(linear(), weighted, sample_weight=np.ones(20))
    with pytest.raises(ValueError, match="sample_weight needs arrays, but data is batches"):
        fit(linear(), [(X, Y)], sample_weight=np.ones(20))
    with pytest.raises(ValueError, match="class_weight needs classes, and the labels are values: give sample_weight"):
        fit(linear(1), (X, X[:, 0]), class_weight="balanced")
    with pytest.raises(ValueError, match=r"^data: sample_weight is \(19,\)"):
        pn.Dataset(X, Y, sample_weight=np.ones(19))
    with pytest.raises(ValueError, match="class_weight has 0, which is not a head: the model's heads are a, b, c"):
        fit(heads(), (X, {"a": Y, "b": Y, "c": Y * 1.5}), class_weight={0: 2})
    with pytest.raises(ValueError, match="fit: validation: all 20 examples have weight 0"):
        fit(linear(), (X, Y), validation=pn.Dataset(X, Y, sample_weight=np.zeros(20)))


def test_weights_as_a_third_array_have_a_hint():
    for data in ((X, Y, weights(20)), [X, Y, weights(20)]):
        with pytest.raises(TypeError, match=r"fit: data is three arrays: give \(x, y\); if the third is the weights"):
            fit(linear(), data)
        with pytest.raises(TypeError, match=r"fit: validation: data is three arrays"):
            fit(linear(), (X, Y), validation=data)

    class Batches:
        def __iter__(self):
            return iter([(X, Y, weights(20))])

    with pytest.raises(
        TypeError, match=r"batch 1 is 3 things: give pairs .*weights of examples need arrays, pn.Dataset"
    ):
        fit(linear(), Batches())


@pytest.mark.parametrize("word", ["class_weights", "sample_weights", "pos_weight"])
def test_other_spellings_point_here(word):
    with pytest.raises(TypeError, match=rf"^fit\(\) has no '{word}'; use (class|sample)_weight$"):
        fit(linear(), (X, Y), **{word: None})


# ---- weights of heads, label smoothing


def test_loss_weights_multiply_the_losses_of_heads():
    x, y = rows(100)
    labels = {"a": y, "b": 2 - y, "c": x[:, 0]}
    one = heads()
    history = fit(one, (x, labels), loss_weights={"a": 0.5, "c": 0}, validation=(x, labels), **STEPS)
    for prefix in ("", "val_"):
        expected = 0.5 * history[f"{prefix}a_loss"][0] + history[f"{prefix}b_loss"][0]
        assert history[f"{prefix}loss"][0] == pytest.approx(expected, rel=1e-12)
    other = heads()
    by_hand = {
        "a": lambda o, t: 0.5 * pn.ops.cross_entropy(o, t), "b": pn.ops.cross_entropy,
        "c": lambda o, t: 0 * pn.ops.mse(o, t),
    }  # fmt: skip
    fit(other, (x, labels), loss=by_hand, validation=(x, labels), **STEPS)
    same(one, other, 1e-14)


@pytest.mark.parametrize("weighted", [False, True])
def test_label_smoothing_is_the_formula_in_training_alone(weighted):
    x, y = rows(100)
    w = weights(100) if weighted else None
    model = linear()
    part = pn.Dataset(x, y, sample_weight=w)
    history = fit(model, part, label_smoothing=0.2, validation=part, batch_size=32, **STILL)
    logits = x @ model["dense_1"].weight.numpy() + model["dense_1"].bias.numpy()
    log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    target = 0.8 * np.eye(3)[y] + 0.2 / 3
    assert history["loss"][0] == pytest.approx(np.average(-(target * log_p).sum(axis=1), weights=w), rel=1e-12)
    assert history["val_loss"][0] == pytest.approx(np.average(each_loss(model, x, y), weights=w), rel=1e-12)


def test_label_smoothing_of_a_binary_model():
    x, y = rows(100)
    y = (y > 1).astype(int)
    model = linear(1)
    history = fit(model, (x, y), label_smoothing=0.2, validation=(x, y), **STILL)
    z = np.array(model(x))[:, 0]
    assert history["loss"][0] == pytest.approx((np.log1p(np.exp(z)) - z * (0.8 * y + 0.1)).mean(), rel=1e-12)
    assert history["val_loss"][0] == pytest.approx((np.log1p(np.exp(z)) - z * y).mean(), rel=1e-12)


def test_the_first_line_says_what_is_weighted(capsys):
    x, y = rows(60)
    fit(linear(), pn.Dataset(x, y, sample_weight=weights(60)), label_smoothing=0.1, class_weight={1: 2},
           **STILL | {"verbose": 1})  # fmt: skip
    line = capsys.readouterr().out.splitlines()[0]
    assert "cross_entropy · class weights 0 1, 1 2, 2 1 · sample weights · label smoothing 0.1 · adam" in line
    fit(heads(), (x, {"a": y, "b": y, "c": x[:, 0]}), loss_weights={"b": 0.3}, **STILL | {"verbose": 1})
    assert "b: 3 classes, 0.3 x cross_entropy · c: 1 value, mse" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"label_smoothing": 1.0}, "fit: label_smoothing is 1.0: give a number of at least 0 and below 1, such as 0.1"),
        ({"label_smoothing": -0.1}, "fit: label_smoothing is -0.1: give a number"),
        ({"label_smoothing": np.nan}, "fit: label_smoothing is nan: give a number"),
        ({"label_smoothing": "0.1"}, "fit: label_smoothing is '0.1': give a number"),
        ({"label_smoothing": True}, "fit: label_smoothing is True: give a number"),
        ({"label_smoothing": 0.1, "loss": "mse"}, "fit: label_smoothing=0.1 is for cross-entropy of classes, the loss"),
        ({"label_smoothing": 0.1, "loss": lambda o, t: o.sum()}, "the loss is custom loss: omit it"),
        ({"loss_weights": {"a": 1}}, "fit: loss_weights is for models with several heads"),
    ],
)
def test_shapes_of_the_loss_that_are_wrong(options, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        fit(linear(), (X, Y), verbose=0, **options)


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"d": 1}, ValueError, "fit: loss_weights has d, which is not a head: the model's heads are a, b, c"),
        ({"a": -1}, ValueError, "fit: the loss weight of a is -1: give a number of at least 0"),
        ({"a": np.inf}, ValueError, "fit: the loss weight of a is inf"),
        (dict.fromkeys("abc", 0), ValueError, "fit: every loss weight is 0"),
        ([1, 2, 3], TypeError, "fit: loss_weights is list: give a dict by head, {'a': ..., 'b': ..., 'c': ...}"),
    ],
)
def test_loss_weights_that_are_wrong(given, error, words):
    with pytest.raises(error, match=re.escape(words)):
        fit(heads(), (X, {"a": Y, "b": Y, "c": X[:, 0]}), loss_weights=given, verbose=0)


def test_a_checkpoint_belongs_to_the_weights_of_its_data(tmp_path):
    path = tmp_path / "run.ckpt"
    fit(linear(), pn.Dataset(X, Y, sample_weight=weights(20)), checkpoint=path, **STEPS)
    for other in (None, weights(20, seed=2)):
        with pytest.raises(ValueError, match=r"run\.ckpt is of other data \(the weights of the examples differ\)"):
            fit(linear(), pn.Dataset(X, Y, sample_weight=other), checkpoint=path, **STEPS)
    with pytest.raises(ValueError, match=r"is of another recipe .class_weight is None there and 'balanced' here"):
        fit(linear(), pn.Dataset(X, Y, sample_weight=weights(20)), class_weight="balanced", checkpoint=path, **STEPS)
