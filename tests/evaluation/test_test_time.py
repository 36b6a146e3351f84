"""test_time="flip": whatever answers with a model averages each image and its mirror image."""

import copy
import json
import pickle
import re

import numpy as np
import pytest
from scipy import special

import pyneural as pn
from pyneural.commands.info import info
from pyneural.files.copies import converted
from pyneural.files.safetensors import dumps

RANDOM = np.random.default_rng(0)
X = RANDOM.integers(0, 256, (90, 6, 7, 2), np.uint8)
SCORE = X[:, :, :4, 0].mean(axis=(1, 2)) + RANDOM.normal(0, 10, 90)
CLASSES = np.digitize(SCORE, np.quantile(SCORE, [0.3, 0.6]))
MIRRORED = np.ascontiguousarray(X[:, :, ::-1])


def net(outputs: int, dtype: str = "float64", **options: object) -> pn.Sequential:
    return pn.Sequential(pn.Conv2D(4, 3, activation="relu"), pn.Flatten(), pn.Dense(outputs), dtype=dtype, **options)


def fitted(outputs: int, y: np.ndarray, **options: object) -> pn.Sequential:
    model = net(outputs)
    pn.fit(model, (X, y), **({"epochs": 3, "test_time": "flip", "verbose": 0} | options))
    return model


@pytest.fixture(scope="module")
def classes() -> pn.Sequential:
    return fitted(3, CLASSES)


def both_sides(model: pn.Model) -> np.ndarray:
    """The outputs of single passes over the images and their mirror images, (2, n, outputs)."""
    once = copy.deepcopy(model)
    once.test_time = None
    return np.stack([pn.predict(once, X), pn.predict(once, MIRRORED)])


@pytest.mark.parametrize("preprocess", ["dataset", "image", None])
@pytest.mark.parametrize(
    ("outputs", "y", "loss"),
    [
        (3, CLASSES, "auto"),
        (2, CLASSES > 0, "auto"),
        (1, (CLASSES > 0).astype(int), "auto"),
        (3, CLASSES, "mse"),
        (1, SCORE / 100, "auto"),
        (3, RANDOM.normal(size=(90, 3)), "huber"),
    ],
    ids=["classes", "two classes", "one output", "classes by mse", "a value", "values"],
)
def test_probabilities_and_values_are_the_means_of_both_passes(outputs, y, loss, preprocess):
    model = fitted(outputs, y, loss=loss, preprocess=preprocess, epochs=1, learning_rate=1e-4)
    sides = both_sides(model)
    assert np.abs(sides[0] - sides[1]).max() > 1e-4
    np.testing.assert_allclose(pn.predict(model, X), sides.mean(axis=0), rtol=0, atol=1e-15)  # float64 rounding


def test_a_reports_outputs_and_loss_are_those_of_the_mean(classes):
    report = pn.evaluate(classes, (X, CLASSES), verbose=0)
    mean = both_sides(classes).mean(axis=0)
    assert np.array_equal(report.outputs, pn.predict(classes, X))
    assert report.loss == pytest.approx(-np.log(mean[np.arange(90), CLASSES]).mean(), rel=1e-12)
    binary = fitted(1, (CLASSES > 0).astype(int))
    p = both_sides(binary).mean(axis=0)[:, 0]
    expected = -np.log(np.where(CLASSES > 0, p, 1 - p)).mean()
    assert pn.evaluate(binary, (X, CLASSES > 0), verbose=0).loss == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("outputs", "y"), [(3, CLASSES), (1, (CLASSES > 0).astype(int))], ids=["classes", "binary"])
def test_the_validation_of_fit_is_that_of_evaluate_on_the_same_rows(outputs, y):
    model = net(outputs)
    history = pn.fit(model, (X[:60], y[:60]), epochs=2, validation=(X[60:], y[60:]), test_time="flip", verbose=0)
    report = pn.evaluate(model, (X[60:], y[60:]), verbose=0)
    best = history.best_epoch - 1
    assert history["val_loss"][best] == pytest.approx(report.loss, rel=1e-12)
    assert history["val_accuracy"][best] == report.accuracy
    model.test_time = None
    assert pn.evaluate(model, (X[60:], y[60:]), verbose=0).loss != pytest.approx(report.loss, rel=1e-6)


def test_training_itself_is_the_same(classes):
    plain, flipped = (fitted(3, CLASSES, test_time=one, validation=None) for one in (None, "flip"))
    assert plain.fingerprint() == flipped.fingerprint()


def test_it_is_kept_by_files_pickles_and_copies_and_shown(classes, tmp_path, capsys):
    path = pn.save(classes, tmp_path / "m.safetensors")
    info(path)
    assert "predictions    mean of image and mirror image (test_time='flip')" in re.sub(
        " {2,}", "    ", capsys.readouterr().out
    )
    for one in (pn.load(path), pickle.loads(pickle.dumps(classes)), copy.deepcopy(classes)):
        assert one.test_time == one.card.test_time == "flip"
        assert np.array_equal(pn.predict(one, X), pn.predict(classes, X))
    assert converted(classes, "float32").test_time == "flip"
    classes.summary()
    assert "predictions: mean of image and mirror image" in capsys.readouterr().out
    pn.fit(net(3), (X, CLASSES), epochs=1, test_time="flip")
    assert " · validated on the mean of image and mirror image · " in capsys.readouterr().out


def test_versions_that_do_not_know_it_refuse_its_files_and_read_all_others(classes):
    def format_of(model: pn.Model) -> int:
        data = dumps(model)
        return json.loads(json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]["pyneural"])[
            "format"
        ]

    plain = copy.deepcopy(classes)
    plain.test_time = None
    assert (format_of(plain), format_of(classes)) == (1, 2)


def test_classify_obeys_it(classes):
    for row, p in enumerate(pn.predict(classes, X[:20])):
        answer = pn.classify(classes, X[row])
        assert answer.label == str(p.argmax())
        np.testing.assert_allclose(answer.probabilities, p, rtol=0, atol=1e-15)


def test_the_temperature_divides_the_logits_of_the_mean_and_changes_no_answer(classes):
    model = copy.deepcopy(classes)
    before = pn.predict(model, X)
    T = pn.calibrate(model, (X, CLASSES), verbose=0)
    after = pn.predict(model, X)
    np.testing.assert_allclose(after, special.softmax(np.log(before) / T, axis=1), rtol=1e-12)
    assert np.array_equal(before.argmax(axis=1), after.argmax(axis=1))
    report = pn.evaluate(model, (X, CLASSES), verbose=0)
    for other in (0.95 * T, 1.05 * T):
        p = special.softmax(np.log(before) / other, axis=1)
        assert report.loss < -np.log(p[np.arange(90), CLASSES]).mean()


def test_the_threshold_is_one_of_the_mean_and_kept_by_a_calibration():
    model = fitted(1, (CLASSES > 0).astype(int), epochs=2)
    data = (X, (CLASSES > 0).astype(int))
    pn.choose_threshold(model, data, min_specificity=0.9, verbose=0)
    report = pn.evaluate(model, data, verbose=0)
    assert report.specificity >= 0.9
    mean = both_sides_quietly(model)
    assert np.array_equal(report.predictions, mean >= model.card.task.threshold)
    pn.calibrate(model, data, verbose=0)
    assert np.array_equal(pn.evaluate(model, data, verbose=0).predictions, report.predictions)


def both_sides_quietly(model: pn.Model) -> np.ndarray:
    with pytest.warns(UserWarning, match="test_time changes the probabilities for which the threshold"):
        return both_sides(model).mean(axis=0)[:, 0]


def test_sure_models_have_finite_losses():
    model = pn.Sequential(pn.Flatten(), pn.Dense(2))
    pn.fit(model, (X, CLASSES > 0), epochs=1, test_time="flip", verbose=0)
    model["dense_1"].weight = 1e4 * np.random.default_rng(0).normal(size=(84, 2))
    report = pn.evaluate(model, (X, CLASSES > 0), verbose=0)
    assert 100 < report.loss < np.inf
    assert np.isfinite(pn.predict(model, X)).all()


def test_a_heat_map_is_that_of_the_mirror_image_mirrored(classes):
    for method in ("grad-cam", "occlusion"):
        options = {"method": method, "label": 2, "normalize": False, **({"patch": 1} if method == "occlusion" else {})}
        one, other = (pn.heat_map(classes, image, **options) for image in (X[0], MIRRORED[0]))
        np.testing.assert_allclose(one, other[:, ::-1], rtol=1e-5, atol=1e-6)  # the maps are float32
        assert np.abs(one - one[:, ::-1]).max() > 1e-3


# ---- setting it


def test_a_trained_model_can_change_it_and_a_fit_sets_it_anew(classes):
    model = copy.deepcopy(classes)
    model.test_time = None
    assert np.array_equal(pn.predict(model, X), both_sides(classes)[0])
    model.test_time = "flip"
    assert np.array_equal(pn.predict(model, X), pn.predict(classes, X))
    pn.fit(model, (X, CLASSES), epochs=1, verbose=0)
    assert model.test_time is None


def test_changing_it_after_a_calibration_warns():
    model = fitted(3, CLASSES)
    pn.calibrate(model, (X, CLASSES), verbose=0)
    model.test_time = "flip"
    with pytest.warns(UserWarning, match=r"call pn.calibrate and pn.choose_threshold again"):
        model.test_time = None


def table() -> pn.Sequential:
    return pn.Sequential(pn.Dense(2))


def two_heads() -> pn.Model:
    x = pn.Input((6, 7, 2))
    h = pn.Flatten()(x)
    return pn.Model(x, {"a": pn.Dense(3)(h), "b": pn.Dense(3)(h)})


@pytest.mark.parametrize(
    ("model", "data", "value", "error", "words"),
    [
        (table(), (X[:, 0, :, 0] / 1.0, CLASSES > 0), "flip", ValueError, r"but inputs are \(n, 7\), not images"),
        (two_heads(), (X, {"a": CLASSES, "b": CLASSES}), "flip", ValueError, "but this one has the heads a, b"),
        (net(3), (X, CLASSES), "flop", ValueError, "test_time 'flop'\\? did you mean 'flip'"),
        (net(3), (X, CLASSES), True, TypeError, r"test_time is True: give a name \(flip\)"),
    ],
    ids=["a table", "heads", "another word", "not a word"],
)
def test_fit_refuses_it_before_work_starts(model, data, value, error, words):
    built = model.is_built
    with pytest.raises(error, match=f"^fit: .*{words}"):
        pn.fit(model, data, epochs=1, test_time=value, verbose=0)
    assert model.is_built == built
    assert model.card == type(model.card)()


def test_the_property_refuses_what_fit_refuses():
    for build in (table, two_heads):
        model = build()
        if not model.has_graph:
            with pytest.raises(RuntimeError, match=r"test_time is for a trained model: give it to pn\.fit"):
                model.test_time = "flip"
            model.build((7,))
        with pytest.raises(ValueError, match=r"test_time is .flip., the mean over each image"):
            model.test_time = "flip"
        assert model.test_time is None


def test_other_spellings_are_shown_ours(classes):
    with pytest.raises(TypeError, match="use test_time"):
        pn.fit(net(3), (X, CLASSES), tta=True)
    for call in (lambda: pn.predict(classes, X, test_time="flip"), lambda: pn.evaluate(classes, (X, CLASSES), tta=1)):
        with pytest.raises(TypeError, match=r"use model.test_time = 'flip' before, or give it to pn.fit"):
            call()


def test_a_checkpoint_of_another_one_is_refused(tmp_path):
    file = tmp_path / "run.ckpt"
    pn.fit(net(3), (X, CLASSES), epochs=1, checkpoint=file, test_time="flip", verbose=0)
    with pytest.raises(ValueError, match="test_time is 'flip' there and None here"):
        pn.fit(net(3), (X, CLASSES), epochs=1, checkpoint=file, verbose=0)
    assert pn.load(file).test_time == "flip"
