"""pn.Ensemble: its answers are the means of those of its models, wherever a model is taken."""

import copy
import pickle

import child
import numpy as np
import pytest
from scipy import special

import pyneural as pn
from pyneural.commands.info import info
from pyneural.models.ensemble import check_alike

RANDOM = np.random.default_rng(0)
X = RANDOM.integers(0, 256, (80, 6, 7, 1), np.uint8)
SCORE = X[:, :, :4, 0].mean(axis=(1, 2)) + RANDOM.normal(0, 8, 80)
Y = np.digitize(SCORE, np.quantile(SCORE, [0.3, 0.6]))
VALUES = SCORE / 100
NAMED = pn.Dataset(X, (Y > 0).astype(int), classes=("no", "yes"), name="halves")


def net(outputs: int, dtype: str = "float64") -> pn.Sequential:
    return pn.Sequential(pn.Conv2D(3, 3, activation="relu"), pn.Flatten(), pn.Dense(outputs), dtype=dtype)


def fitted(outputs: int, data: object, dtype: str = "float64", **options: object) -> pn.Sequential:
    model = net(outputs, dtype)
    pn.fit(model, data, **({"epochs": 2, "verbose": 0} | options))
    return model


def three(outputs: int, data: object, **options: object) -> list[pn.Sequential]:
    """Models that prepare their inputs differently; the second one averages mirror images."""
    return [
        fitted(outputs, data, seed=seed, preprocess=preprocess, test_time=test_time, learning_rate=3e-4, **options)
        for seed, (preprocess, test_time) in enumerate([("auto", None), ("image", "flip"), (None, None)])
    ]


@pytest.fixture(scope="module")
def ensemble() -> pn.Ensemble:
    models = three(3, (X, Y))
    pn.calibrate(models[0], (X, Y), verbose=0)
    return pn.Ensemble(models)


@pytest.fixture(scope="module")
def halves() -> pn.Ensemble:
    return pn.Ensemble(three(1, NAMED))


# ---- the mean


@pytest.mark.parametrize(
    ("outputs", "y", "loss"),
    [
        (3, Y, "auto"),
        (2, Y > 0, "auto"),
        (1, (Y > 0).astype(int), "auto"),
        (3, Y, "mse"),
        (1, VALUES, "auto"),
        (2, RANDOM.normal(size=(80, 2)), "mae"),
    ],
    ids=["classes", "two classes", "one output", "classes by mse", "a value", "values"],
)
def test_its_answers_are_the_means_of_its_models(outputs, y, loss):
    models = three(outputs, (X, y), loss=loss)
    each = np.stack([pn.predict(model, X) for model in models])
    assert each.std(axis=0).max() > 1e-3
    found = pn.predict(pn.Ensemble(models), X)
    np.testing.assert_allclose(found, each.mean(axis=0), rtol=1e-15, atol=1e-15)  # float64 rounding
    assert np.array_equal(pn.evaluate(pn.Ensemble(models), (X, y), verbose=0).outputs, found)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("outputs", "y"), [(3, Y), (1, (Y > 0).astype(int)), (1, VALUES)], ids=["3", "binary", "value"]
)
def test_copies_of_a_model_answer_like_the_model(outputs, y, dtype):
    model = fitted(outputs, (X, y), dtype)
    alone = pn.evaluate(model, (X, y), verbose=0)
    for count in (1, 2, 3, 8):
        together = pn.evaluate(pn.Ensemble([copy.deepcopy(model) for _ in range(count)]), (X, y), verbose=0)
        if dtype == "float32":
            assert np.array_equal(together.outputs, alone.outputs)
        np.testing.assert_allclose(together.outputs, alone.outputs, rtol=1e-15)  # rounding of float64 sums
        assert together.loss == pytest.approx(alone.loss, rel=0 if count == 1 else 1e-6)
        if y is not VALUES:
            assert together.accuracy == alone.accuracy


def test_the_loss_is_that_of_the_mean(ensemble, halves):
    p = pn.predict(ensemble, X)
    report = pn.evaluate(ensemble, (X, Y), verbose=0)
    assert report.loss == pytest.approx(-np.log(p[np.arange(80), Y]).mean(), rel=1e-12)
    p = pn.predict(halves, X)[:, 0]
    expected = -np.log(np.where(NAMED.y == 1, p, 1 - p)).mean()
    assert pn.evaluate(halves, NAMED, verbose=0).loss == pytest.approx(expected, rel=1e-12)


def test_a_model_given_twice_counts_twice(ensemble):
    first, second, _ = ensemble
    p, q = pn.predict(first, X), pn.predict(second, X)
    np.testing.assert_allclose(pn.predict(pn.Ensemble([first, first, second]), X), (2 * p + q) / 3, rtol=1e-14)


def test_tables_and_loaders_work_too(ensemble):
    batches = [(X[:30], Y[:30]), (X[30:], Y[30:])]
    one, other = (pn.evaluate(ensemble, data, verbose=0) for data in (batches, (X, Y)))
    assert np.array_equal(one.outputs, other.outputs)
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(RANDOM.normal(size=(40, 3)), columns=["a", "b", "c"])
    models = []
    for seed, preprocess in enumerate([None, "dataset"]):
        model = pn.Sequential(pn.Dense(2))
        pn.fit(model, (frame, np.arange(40) % 2), epochs=1, seed=seed, preprocess=preprocess, verbose=0)
        models.append(model)
    found = pn.predict(pn.Ensemble(models), frame[["c", "a", "b"]])
    np.testing.assert_allclose(found, np.mean([pn.predict(one, frame) for one in models], axis=0), atol=1e-7)


def test_numbers_that_only_some_of_its_models_can_take_are_refused():
    far = np.array([0, 1e39])
    x = RANDOM.normal(size=(40, 2))
    models = []
    for preprocess in ("dataset", None):
        model = pn.Sequential(pn.Dense(2))
        pn.fit(model, (x, np.arange(40) % 2), epochs=1, preprocess=preprocess, verbose=0)
        models.append(model)
    with pytest.raises(ValueError, match="predict: x has"):
        pn.predict(pn.Ensemble(models), x + far)


# ---- time and memory


def measure_many_models() -> None:
    """Prints the peak of memory with one model and with eight, and whether Ctrl-C ends a thousand."""
    import os
    import signal
    import threading

    import numpy as np

    import pyneural as pn

    x = np.zeros((600, 40, 40, 1), np.uint8)
    model = pn.Sequential(pn.Conv2D(8, 3), pn.GlobalAvgPool2D(), pn.Dense(2))
    few = np.random.default_rng(0).integers(0, 256, (40, 40, 40, 1), np.uint8)
    pn.fit(model, (few, np.arange(40) % 2), epochs=1, verbose=0)
    peaks = []
    for count in (1, 8):
        pn.predict(pn.Ensemble([model] * count), x)
        peaks.append(pn.memory_stats()["peak_bytes"])
    print(peaks[1] <= 1.01 * peaks[0])
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
    try:
        pn.predict(pn.Ensemble([model] * 1000), x)
    except KeyboardInterrupt:
        print("interrupted")


def test_more_models_need_no_more_memory_and_ctrl_c_ends_them():
    assert child.run(measure_many_models) == "True\ninterrupted\n"


# ---- what is chosen and kept


def test_classify_obeys_its_threshold(halves):
    model = copy.deepcopy(halves)
    pn.choose_threshold(model, NAMED, min_specificity=0.9, verbose=0)
    p = pn.predict(model, X)[:, 0]
    report = pn.evaluate(model, NAMED, verbose=0)
    assert report.specificity >= 0.9
    assert model.card.task.threshold != 0.5
    assert np.array_equal(report.predictions, p >= model.card.task.threshold)
    for row in range(10):
        assert pn.classify(model, X[row]).label == ("yes" if p[row] >= model.card.task.threshold else "no")
    assert all(one.card.task.threshold == 0.5 for one in model)


def test_its_temperature_divides_the_logarithms_of_the_mean(ensemble, halves):
    for given, data in ((ensemble, (X, Y)), (halves, NAMED)):
        model = copy.deepcopy(given)
        before = pn.predict(model, X)
        own = [one.card.task.temperature for one in model]
        T = pn.calibrate(model, data, verbose=0)
        assert [one.card.task.temperature for one in model] == own
        if model.card.task.kind == "classes":
            expected = special.softmax(np.log(before) / T, axis=1)
        else:
            expected = special.expit(special.logit(before) / T)
        np.testing.assert_allclose(pn.predict(model, X), expected, rtol=1e-10)
        assert pn.evaluate(model, data, verbose=0).loss < pn.evaluate(given, data, verbose=0).loss


def test_files_pickles_and_copies_are_the_same_ensemble(halves, tmp_path):
    model = copy.deepcopy(halves)
    pn.calibrate(model, NAMED, verbose=0)
    pn.choose_threshold(model, NAMED, youden=True, verbose=0)
    path = pn.save(model, tmp_path / "e.safetensors")
    for one in (pn.load(path), pickle.loads(pickle.dumps(model)), copy.deepcopy(model), copy.copy(model)):
        assert isinstance(one, pn.Ensemble)
        assert one.card == model.card
        assert [each.card for each in one] == [each.card for each in model]
        assert one.fingerprint() == model.fingerprint()
        assert one.classes == ("no", "yes")
        assert np.array_equal(pn.predict(one, X), pn.predict(model, X))
    assert pn.save(pn.load(path), tmp_path / "again.safetensors").read_bytes() == path.read_bytes()


def test_a_model_that_is_trained_further_changes_it(ensemble):
    model = copy.deepcopy(ensemble)
    before = pn.predict(model, X)
    pn.fit(model[0], (X, Y), epochs=1, verbose=0)
    after = pn.predict(model, X)
    assert not np.array_equal(before, after)
    np.testing.assert_allclose(after, np.mean([pn.predict(one, X) for one in model], axis=0), rtol=1e-14)
    pn.fit(model[0], (X / 255, Y), epochs=1, preprocess=None, verbose=0)
    with pytest.raises(ValueError, match=r"models\[0\] was trained on floats, and models\[1\] was trained on uint8"):
        pn.predict(model, X)


def test_it_warns_of_images_that_are_unlike_those_of_its_models(halves, tmp_path):
    models = [copy.deepcopy(model) for model in halves]
    pn.record_pixels(models[1], X)
    ensemble = pn.Ensemble(models)
    for one in (ensemble, pn.load(pn.save(ensemble, tmp_path / "e.safetensors"))):
        with pytest.warns(UserWarning, match="predict: the image is unlike the training images: it is brighter"):
            pn.predict(one, np.full((6, 7, 1), 255, np.uint8))
        pn.predict(one, X)


# ---- looking


def test_it_is_a_sequence_of_its_models(ensemble):
    assert len(ensemble) == len(list(ensemble)) == 3
    assert ensemble[0] is ensemble.models[0] is next(iter(ensemble))
    assert ensemble[-1] is ensemble.models[2]
    assert ensemble[0] in ensemble
    assert ensemble.classes == ("0", "1", "2")
    assert (ensemble.input_shape, ensemble.output_shape, ensemble.dtype) == ((6, 7, 1), (3,), "float64")


def test_info_and_summary_show_the_models(halves, tmp_path, capsys):
    info(pn.save(halves, tmp_path / "e.safetensors"))
    shown = capsys.readouterr().out
    assert shown.startswith("ensemble of 3 models: 6x7x1-3c3-1 | relu, sigmoid | binary-cross-entropy\n0: 6x7x1-3c3-1")
    for part in (
        "models         3, whose probabilities are averaged",
        "threshold      yes from a probability of 0.5",
        "preprocessing  dataset mean, std or image mean, std or unchanged, by each model",
        "trained on     halves",
        "model 1        training 2 epochs, binary_cross_entropy, seed 1 · predictions mean of image and mirror image",
    ):
        assert part in shown.replace("\n                 ", " "), part


@pytest.mark.parametrize("method", ["grad-cam", "occlusion"])
def test_its_heat_map_is_the_mean_of_its_models_maps(ensemble, method):
    options = {"method": method, "label": 2, "normalize": False}
    each = [pn.heat_map(model, X[0], **options) for model in ensemble]
    np.testing.assert_allclose(pn.heat_map(ensemble, X[0], **options), np.mean(each, axis=0), rtol=1e-5, atol=1e-7)
    normalized = pn.heat_map(ensemble, X[0], method=method, label=2)
    assert normalized.max() == 1
    assert pn.plot.heat_map(ensemble, X[0], method=method, label=2)[0, 1].get_title().endswith("for 2")


def test_plots_take_it(halves):
    assert pn.plot.predictions(halves, NAMED, count=3).shape == (2, 3)
    assert pn.plot.confusion(pn.evaluate(halves, NAMED, verbose=0)).get_ylabel() == "actual"


# ---- what is refused


def heads() -> pn.Model:
    x = pn.Input((6, 7, 1))
    h = pn.Flatten()(x)
    model = pn.Model(x, {"a": pn.Dense(2)(h), "b": pn.Dense(2)(h)})
    pn.fit(model, (X, {"a": Y > 0, "b": Y > 1}), epochs=1, verbose=0)
    return model


def test_what_is_not_a_list_of_trained_models_gets_a_sentence(ensemble):
    model = ensemble[0]
    for given, error, words in (
        ([], ValueError, "models is empty: give at least one trained model"),
        (model, TypeError, r"models is one Sequential: give a list of trained models"),
        ("e.safetensors", TypeError, "models is 'e.safetensors': give a list of trained models"),
        (["e.safetensors"], TypeError, r"models\[0\] is 'e.safetensors': give trained models, such as pn.load\(path\)"),
        ([model, ensemble], TypeError, r"models\[1\] is an ensemble: give its models, pn.Ensemble\(\[\*ensemble"),
        ([model, net(3)], RuntimeError, r"models\[1\] is not trained yet: call pn.fit"),
        ([heads()], ValueError, r"models\[0\] has the heads a, b: an ensemble is of models with one output"),
        (3, TypeError, "models is 3: give a list"),
    ):
        with pytest.raises(error, match=f"^Ensemble: {words}"):
            pn.Ensemble(given)
    with pytest.raises(TypeError, match="give the models as one list"):
        pn.Ensemble(model, model)


def test_models_that_do_not_agree_get_a_sentence(ensemble, halves):
    model, half = ensemble[0], halves[0]
    swapped = fitted(1, pn.Dataset(X, 1 - NAMED.y, classes=("yes", "no")))
    for first, other, words in (
        (model, fitted(2, (X, Y > 0)), "has 3 classes, and .* has 2 classes"),
        (model, fitted(3, (X, Y), "float32"), "has the dtype float64, and .* float32"),
        (model, fitted(3, (X[:, :5], Y)), r"shape \(n, 6, 7, 1\), and .* \(n, 5, 7, 1\)"),
        (model, fitted(3, (X / 255, Y)), "was trained on uint8 pixels, and .* floats"),
        (model, fitted(3, (X, Y), loss="mse"), "answers with probabilities, and .* its raw outputs.*"),
        (half, swapped, r"has the classes no, yes, and models\[1\] has the classes yes, no"),
        (half, fitted(1, (X, VALUES)), "has one output for two classes, and .* has 1 value"),
    ):
        with pytest.raises(ValueError, match=rf"^Ensemble: models\[0\] .*{words}: give models that agree"):
            pn.Ensemble([first, other])
    check_alike(ensemble.models)


def test_what_it_cannot_do_gets_a_sentence(ensemble):
    for call, error, words in (
        (lambda: pn.fit(ensemble, (X, Y)), TypeError, "fit: model is an ensemble: train its models"),
        (lambda: pn.find_learning_rate(ensemble, (X, Y)), TypeError, "model is an ensemble: train its models"),
        (lambda: ensemble(X), TypeError, r"cannot be called on inputs: use pn.predict\(ensemble, x\)"),
        (lambda: ensemble.fit, AttributeError, r"an ensemble has no 'fit'; use pn.fit\(model, data\) for each"),
        (lambda: ensemble.threshold, AttributeError, r"no 'threshold'; use ensemble\.card\.task\.threshold"),
        (lambda: ensemble.temperature, AttributeError, r"no 'temperature'; use ensemble\.card\.task\.temperature"),
        (lambda: ensemble.test_time, AttributeError, r"no 'test_time'; use that of its models, such as ensemble\[0\]"),
        (lambda: ensemble.estimators_, AttributeError, "use ensemble.models"),
        (lambda: setattr(ensemble, "test_time", "flip"), AttributeError, "set on its models: for model in ensemble"),
        (lambda: setattr(ensemble, "models", []), AttributeError, "its models are fixed"),
        (lambda: ensemble[3], IndexError, "no model 3: it has 3, numbered from 0"),
        (lambda: ensemble["first"], TypeError, "give the number of a model"),
        (lambda: pn.predict(ensemble, X[:, :5]), ValueError, "predict: the model was built for images"),
        (lambda: pn.predict(ensemble, X / 255), ValueError, "the model was trained on uint8 pixels"),
    ):
        with pytest.raises(error, match=words):
            call()
