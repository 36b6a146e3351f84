"""Two heads: labels, losses, metrics, predictions and reports are dicts of the heads' names; and mse on classes."""

import json
import re
from functools import partial

import numpy as np
import pytest

import pyneural as pn
from pyneural import losses
from pyneural.card.card import Card
from pyneural.card.task import Task
from pyneural.datasets.splitting import split_rows
from pyneural.evaluation import heads
from pyneural.evaluation.labels_report import report_of
from pyneural.evaluation.report import Report, Reports

fit = partial(pn.fit, preprocess=None, scale_targets=False)  # formulas are checked on data as it is


def two(top: str | None = None, bottom: str | None = None, units: int = 1) -> pn.Model:
    x = pn.Input((2,))
    h = pn.Dense(32, "relu")(x)
    return pn.Model(x, {"top": pn.Dense(3, top)(h), "bottom": pn.Dense(units, bottom)(h)})


@pytest.fixture
def labelled(rings):
    x, ring = rings
    return x, {"top": ring, "bottom": (x[:, 0] > 0).astype(int)}


def test_two_heads_are_trained_measured_and_asked(labelled, capsys):
    x, y = labelled
    model = two()
    history = fit(model, (x, y), epochs=30, learning_rate=0.02, batch_size=32)
    out = capsys.readouterr().out
    assert "top: 3 classes, cross_entropy · bottom: binary, binary_cross_entropy" in out
    assert "best epoch" in out
    assert "val_top_accuracy" in out.splitlines()[-1]
    assert list(history)[:5] == ["loss", "top_loss", "top_accuracy", "bottom_loss", "bottom_accuracy"]
    for prefix in ("", "val_"):
        summed = np.add(history[f"{prefix}top_loss"], history[f"{prefix}bottom_loss"])
        np.testing.assert_allclose(history[f"{prefix}loss"], summed, rtol=1e-5)  # float32 means of batches
    assert isinstance(history["val_bottom_accuracy"][0], pn.Estimate)

    reports = pn.evaluate(model, (x, y))
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(": ")[0] for line in lines] == ["top", "bottom", "both right"]
    assert list(reports) == ["top", "bottom"]
    assert reports["top"].accuracy > 0.9
    assert reports["bottom"].accuracy > 0.9

    found = pn.predict(model, x)
    assert {head: values.shape for head, values in found.items()} == {"top": (300, 3), "bottom": (300, 1)}
    np.testing.assert_allclose(found["top"].sum(axis=1), 1, rtol=1e-5)
    said = pn.classify(model, x[0])
    assert list(said) == ["top", "bottom"]
    assert said["top"].label == str(found["top"][0].argmax())
    assert {head: empty.shape for head, empty in pn.predict(model, x[:0]).items()} == {"top": (0, 3), "bottom": (0, 1)}


def head_of(predictions, y, **known) -> Report:
    """The report of a head with three classes, or of several labels, with those predictions."""
    several = np.ndim(y) == 2
    outputs = np.array(predictions, float) if several else np.eye(3)[predictions]
    task = Task("labels" if several else "classes", outputs.shape[1])
    return report_of(task, outputs, np.array(y), np.zeros(len(y)), "", known.pop("note", ""), **known)


def test_the_report_of_heads_has_the_share_of_examples_that_all_predict_correctly():
    top = head_of([0, 1, 2, 0, 1], [0, 1, 2, 0, 0], note="A SAMPLE")
    bottom = head_of([2, 1, 0, 0, 0], [2, 1, 1, 0, 1], note="A SAMPLE")
    both = Reports(top=top, bottom=bottom)
    assert both.all_right == 0.6
    assert (both.all_right.low, both.all_right.high) == (pn.Estimate.share(3, 5).low, pn.Estimate.share(3, 5).high)
    words = "both right: 60.00 % [23.07, 88.24] · n = 5 · A SAMPLE"
    assert [" · ".join(parts) for parts in both.lines][-1] == words
    assert str(both).splitlines()[-1] == words
    assert both._repr_html_().endswith(f"<p>{words}</p>")

    labels = head_of([[1, 0], [1, 1], [0, 0], [1, 0], [1, 1]], [[1, 0], [0, 1], [0, 0], [1, 0], [1, 1]])
    three = Reports(top=top, bottom=bottom, labels=labels)  # the second example has one wrong label of two
    assert three.all_right == 0.4
    assert three.lines[-1][0].startswith("all 3 right: 40.00 %")


def test_it_is_by_group_where_there_are_groups():
    y = np.arange(12) % 3
    groups = np.repeat([0, 1, 2, 3], 3)
    heads = [head_of(np.where(groups == wrong, (y + 1) % 3, y), y, groups=groups) for wrong in (0, 1)]
    both = Reports(a=heads[0], b=heads[1])
    assert both.all_right == 0.5
    assert both.all_right.low < pn.Estimate.share(6, 12).low  # groups count, not examples
    assert both.lines[-1][1] == "n = 12 in 4 groups"


def test_it_is_none_of_one_head_and_of_values():
    one = head_of([0, 1], [0, 1])
    values = Report(Task("values", 1), np.ones((2, 1)), np.ones((2, 1)), np.zeros(2), "", "")
    for reports in (Reports(top=one), Reports(top=one, size=values)):
        assert reports.all_right is None
        assert len(reports.lines) == len(reports)
        assert "right: " not in str(reports)
        assert "right: " not in reports._repr_html_()


def test_one_head_of_two_counts_as_much_as_alone(rings):
    """With the other head's loss times 0, a model of two heads learns what one of one head does, bit for bit."""
    x, ring = rings

    def alone() -> pn.Model:
        at = pn.Input((2,))
        return pn.Model(at, pn.Dense(3, name="out")(pn.Dense(16, "relu")(at)))

    at = pn.Input((2,))
    h = pn.Dense(16, "relu")(at)
    both = pn.Model(at, {"top": pn.Dense(3, name="out")(h), "other": pn.Dense(2, name="other")(h)})

    def nothing(outputs, targets):
        return 0 * pn.ops.cross_entropy(outputs, targets)

    one = alone()
    first = fit(one, (x, ring), epochs=3, verbose=0)
    second = fit(both, (x, {"top": ring, "other": ring % 2}), epochs=3, loss={"top": "auto", "other": nothing},
                    verbose=0)  # fmt: skip
    assert second["top_loss"] == first["loss"] == second["loss"]
    assert np.array_equal(both["out"].weight.numpy(), one["out"].weight.numpy())


def test_each_head_has_its_own_task_loss_and_metrics(rings, capsys):
    x, ring = rings
    model = two("softmax", "sigmoid")
    y = {"top": np.array(["in", "mid", "out"])[ring], "bottom": np.abs(np.tanh(x[:, 0]))}
    history = fit(model, (x, y), epochs=20, learning_rate=0.02, loss={"top": "cross-entropy", "bottom": "mae"},
                     metrics={"bottom": ["mse"]})  # fmt: skip
    assert "bottom: 1 value, mae" in capsys.readouterr().out
    assert {"val_bottom_mse", "val_top_accuracy"} <= set(history)
    assert "val_top_mse" not in history
    assert model.card.task["top"].classes == ("in", "mid", "out")
    assert model.card.loss == {"top": "cross_entropy", "bottom": "mae"}
    found, written = pn.predict(model, x), model(x)
    np.testing.assert_allclose(found["top"], written["top"].numpy(), rtol=1e-5)  # softmax once
    assert np.array_equal(found["bottom"], written["bottom"].numpy())  # the sigmoid as it is
    reports = pn.evaluate(model, (x, y), verbose=0)
    assert repr(reports["bottom"]).startswith("mae ")
    assert reports["bottom"].loss == pytest.approx(np.abs(found["bottom"][:, 0] - y["bottom"]).mean(), rel=1e-4)


def test_a_logits_head_beside_a_written_one_trains_as_it_would_alone(rings):
    """The softmax of one head is fused into its loss though the other head's sigmoid is not."""
    x, ring = rings
    y = {"top": ring, "bottom": (ring == 0).astype(np.float32)}
    plain = fit(two(None, "sigmoid"), (x, y), loss={"top": "auto", "bottom": "mse"}, epochs=2, verbose=0)
    at = pn.Input((2,))
    h = pn.Dense(32, "relu")(at)
    heads_ = {"top": pn.Dense(3, "softmax", init="he_uniform")(h), "bottom": pn.Dense(1, "sigmoid")(h)}
    other = pn.Model(at, heads_)
    fused = fit(other, (x, y), loss={"top": "auto", "bottom": "mse"}, epochs=2, verbose=0)
    assert plain["bottom_loss"][0] == pytest.approx(fused["bottom_loss"][0], rel=0.5)
    found = pn.predict(other, x)["top"]
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(found, other(x)["top"].numpy(), rtol=1e-5)


def test_the_same_bits_come_of_any_number_of_threads(labelled):
    x, y = labelled
    threads, prints = pn.get_threads(), set()
    try:
        for count in (1, 2):
            pn.set_threads(count)
            prints.add(fit(two(), (x, y), epochs=2, verbose=0).fingerprint)
    finally:
        pn.set_threads(threads)
    assert len(prints) == 1


def test_heads_go_to_files_and_back(labelled, tmp_path):
    x, y = labelled
    model = two()
    fit(model, (x, y), epochs=2, verbose=0)
    model.card.task["bottom"] = Task("binary", 1, threshold=0.3)
    again = pn.load(pn.save(model, tmp_path / "two.safetensors"))
    assert again.card.task == model.card.task
    assert list(again.card.task) == ["top", "bottom"]
    assert again.card.loss == {"top": "cross_entropy", "bottom": "binary_cross_entropy"}
    for head, values in pn.predict(model, x).items():
        assert np.array_equal(pn.predict(again, x)[head], values)
    assert list(pn.predict(again, x)) == ["top", "bottom"]
    fit(again, (x, y), epochs=1, verbose=0)


def test_a_card_of_one_task_is_read_as_before():
    card = Card(task=Task("classes", 3, ("a", "b", "c")), loss="cross_entropy")
    record = json.loads(json.dumps(card.as_json(), sort_keys=True))
    assert record["task"]["kind"] == "classes"
    assert Card.from_json(record) == card
    del record["prepare"]  # older files have none
    assert Card.from_json(record) == card


def test_the_split_has_the_shares_of_every_head(labelled):
    x, y = labelled
    data = pn.Dataset(x, y)
    assert "top int64 (), bottom int64 ()" in repr(data)
    _, held = split_rows(data, 0.2, 0)
    for head in y.values():
        share = np.bincount(head[held]) / len(held) - np.bincount(head) / len(head)
        assert np.abs(share).max() < 0.05
    part = data.take(held)
    assert np.array_equal(part.y["top"], y["top"][held])


X, TOP = np.zeros((20, 2), np.float32), np.arange(20) % 3
BOTTOM = np.arange(20) % 2
PAIR = {"top": TOP, "bottom": BOTTOM}


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: fit(two(), (X, TOP)), "fit: the model has the heads top, bottom: give y as a dict, {'top': ..., "),
        (lambda: fit(two(), (X, {"top": TOP})), "fit: y has no bottom: the model's heads are top, bottom"),
        (
            lambda: fit(two(), (X, {"top": TOP, "botom": BOTTOM})),
            "fit: y has no bottom and botom, which is not a head: the model's heads are top, bottom",
        ),
        (lambda: fit(two(), (X, PAIR | {"x": TOP})), "fit: y has x, which is not a head"),
        (lambda: fit(two(), (X, PAIR), loss={"tip": "mse"}), "fit: loss has tip, which is not a head"),
        (lambda: fit(two(), (X, PAIR), metrics={"tip": "mse"}), "fit: metrics has tip, which is not a head"),
        (lambda: fit(two(), (X, PAIR), loss={"top": "crossentropy"}), "did you mean 'cross_entropy'"),
        (
            lambda: fit(two(), (X, {"top": TOP % 2 * 5, "bottom": BOTTOM})),
            "fit: top: y has 2 classes, the labels 0, 5, and the model has 3 outputs: end it in pn.Dense(2)",
        ),
        (
            lambda: fit(two(), (X, {"top": TOP, "bottom": BOTTOM[:3]})),
            "data: x has 20 examples, y['bottom'] is (3,): give one label per example",
        ),
        (
            lambda: fit(pn.Sequential(pn.Dense(3)), (X, PAIR)),
            "fit: y is a dict (top, bottom), the model has one output: give one y",
        ),
        (
            lambda: fit(pn.Sequential(pn.Dense(3)), (X, TOP), loss={"top": "mse"}),
            "fit: loss is a dict (top), the model has one output: give one loss",
        ),
    ],
)
def test_what_does_not_fit_the_heads_is_named(call, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        call()


def test_evaluate_names_the_heads_too(labelled):
    x, y = labelled
    model = two(units=2)
    fit(model, (x, y), epochs=1, verbose=0)
    with pytest.raises(ValueError, match="evaluate: y has no bottom"):
        pn.evaluate(model, (x, {"top": y["top"]}))
    values = two()
    fit(values, (x, y | {"bottom": x[:, 0]}), epochs=1, verbose=0)
    with pytest.raises(ValueError, match="classify: the head bottom is for regression"):
        pn.classify(values, x[0])


# ---- losses of values on classes


def test_a_network_of_sigmoids_learns_classes_by_mse(sample):
    """On all of MNIST, 5 epochs, seed 0: 96.14 % by mse, 96.68 % by cross-entropy; 3 points is twice the noise here."""
    found = {}
    for loss in ("mse", "cross_entropy"):
        model = pn.Sequential(pn.Flatten(), pn.Dense(32, "relu"), pn.Dense(10, "sigmoid"))
        pn.fit(model, sample, epochs=20, loss=loss, seed=0, verbose=0)
        found[loss] = pn.evaluate(model, sample.test, verbose=0).accuracy
    assert found["mse"] > 0.88
    assert found["mse"] > found["cross_entropy"] - 0.03


@pytest.mark.parametrize("loss", ["mse", "mae", "huber"])
@pytest.mark.parametrize("last", ["sigmoid", "softmax", None])
def test_a_loss_of_values_takes_class_numbers_as_one_hot_rows(rings, loss, last):
    x, ring = rings
    model = pn.Sequential(pn.Dense(32, "relu"), pn.Dense(3, last))
    history = fit(model, rings, epochs=1, loss=loss, optimizer="sgd", learning_rate=1e-30, validation=None,
                     batch_size=300, verbose=0)  # fmt: skip
    assert model.card.task.kind == "classes"
    assert "accuracy" in history
    outputs = model(x).numpy().astype(np.float64)
    apart = np.abs(outputs - np.eye(3)[ring])
    expected = {"mse": apart**2, "mae": apart, "huber": np.where(apart <= 1, apart**2 / 2, apart - 0.5)}[loss]
    assert history["loss"][0] == pytest.approx(expected.mean(), rel=1e-5)  # float32 sums
    assert np.array_equal(pn.predict(model, x), model(x).numpy())
    report = pn.evaluate(model, rings, verbose=0)
    assert report.loss == pytest.approx(expected.mean(), rel=1e-5)
    assert report.accuracy == np.mean(outputs.argmax(axis=1) == ring)
    assert 0 <= pn.classify(model, x[0]).confidence <= 1


@pytest.mark.parametrize("form", [lambda y: y.astype(float), lambda y: y[:, None], lambda y: np.eye(3)[y]])
def test_class_labels_of_any_form_are_classes_for_mse_too(rings, form):
    x, ring = rings
    prints = [
        fit(pn.Sequential(pn.Dense(3, "sigmoid")), (x, y), epochs=1, loss="mse", verbose=0).fingerprint
        for y in (ring, form(ring))
    ]
    assert prints[0] == prints[1]


def test_numbers_that_are_not_classes_stay_values_for_mse(rings):
    x, ring = rings
    for y, units in ((ring, 1), (np.hstack([x, x]), 4), (np.stack([ring, ring], 1), 2)):
        model = pn.Sequential(pn.Dense(units))
        fit(model, (x, y), epochs=1, loss="mse", verbose=0)
        assert model.card.task.kind == "values"


def test_our_own_op_as_a_loss_is_the_name_and_a_function_of_that_name_is_not(rings):
    def mse(outputs, targets):
        return pn.ops.cross_entropy(outputs, targets)

    made = []
    for loss in ("mse", pn.ops.mse, mse):
        model = pn.Sequential(pn.Dense(3, "sigmoid"))
        fit(model, rings, epochs=1, loss=loss, verbose=0)
        made.append(model)
    assert made[0].fingerprint() == made[1].fingerprint() != made[2].fingerprint()
    assert [model.card.loss for model in made] == ["mse", "mse", "custom mse"]
    np.testing.assert_allclose(pn.predict(made[2], rings[0]).sum(axis=1), 1, rtol=1e-5)


def test_a_second_fit_may_take_the_other_loss(rings):
    model = pn.Sequential(pn.Dense(16, "relu"), pn.Dense(3, "sigmoid"))
    fit(model, rings, epochs=1, verbose=0)
    fit(model, rings, epochs=1, loss="mse", verbose=0)
    assert model.card.loss == "mse"
    assert heads.written(heads.trained(model)[0])
    assert losses.rows("mse", model.card.task).name == "mse"


@pytest.mark.parametrize("name", ["loss", "learning_rate", "seconds", "epoch", "val_loss", "val_mine"])
def test_a_metric_does_not_take_the_name_of_something_else_in_the_history(rings, name):
    """A metric called `loss` stood in for the loss, and chose the best epoch."""

    def mine(outputs, targets):
        return 0.1

    mine.__name__ = name
    model = pn.Sequential(pn.Dense(3))
    with pytest.raises(ValueError, match=rf"named '{name}' in the history, .*: rename the function"):
        fit(model, rings, epochs=1, metrics=[mine], verbose=0)
    assert not model.is_built


@pytest.mark.parametrize("heads", [("val", "b"), ("a", "val_a"), ("a", "a_b")])
def test_heads_do_not_share_names_in_the_history(rings, heads):
    x, y = rings

    def b_loss(outputs, targets):
        return 0.1

    start = pn.Input(x.shape[1:])
    model = pn.Model(start, {head: pn.Dense(3)(start) for head in heads})
    shown = {"a": [b_loss]} if "a_b" in heads else ()
    with pytest.raises(ValueError, match=r"named '.*' in the history.*: rename"):
        fit(model, (x, dict.fromkeys(heads, y)), epochs=1, metrics=shown, verbose=0)
