"""Targets of a regression: standardized in training; predictions, losses and metrics have the units of the targets."""

import json
from functools import partial

import numpy as np
import pytest

import pyneural as pn
from pyneural.card.card import Card
from pyneural.card.target_scale import TargetScale

RNG = np.random.default_rng(0)
X = RNG.normal(size=(240, 3))
Y = 1000 * (np.sin(2 * X[:, 0]) + X[:, 1]) + 5000
TWO = np.column_stack([Y, Y / 1000 + X[:, 2]])
LOSSES = ("mse", "mae", "huber")
fit = partial(pn.fit, epochs=3, verbose=0)


def net(units: int = 1, activation: str | None = None, **options) -> pn.Sequential:
    return pn.Sequential(pn.Dense(16, "tanh"), pn.Dense(units, activation), **options)


def formula(loss: str, y: np.ndarray, found: np.ndarray, deviation: np.ndarray) -> float:
    off = found.astype(np.float64) - y.reshape(len(y), -1)
    if loss == "huber":
        d = np.abs(off / deviation)
        return float((deviation**2 * np.where(d <= 1, d * d / 2, d - 0.5)).mean())
    return float((off**2).mean() if loss == "mse" else np.abs(off).mean())


def test_targets_times_a_factor_give_the_same_model():
    found = set()
    for factor in (1.0, 1024.0, 2.0**-20):
        model = net()
        fit(model, (X, Y * factor))
        found.add((model.fingerprint(), (pn.predict(model, X) / np.float32(factor)).tobytes()))
    assert len(found) == 1


def test_large_targets_are_as_good_as_standardized_ones():
    rings = RNG.normal(size=(400, 3))
    y = np.sin(2 * rings[:, 0]) + rings[:, 1]
    scores = {}
    for name, targets in {"standardized": (y - y.mean()) / y.std(), "large": 1000 * y, "far": 1000 * y + 1e5}.items():
        model = net()
        pn.fit(model, (rings[:300], targets[:300]), epochs=60, learning_rate=0.02, verbose=0)
        scores[name] = float(pn.evaluate(model, (rings[300:], targets[300:]), verbose=0).r2)
    assert scores["standardized"] > 0.9
    assert scores["large"] > scores["standardized"] - 0.005
    assert scores["far"] > scores["standardized"] - 0.005


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("y", [Y, TWO], ids=["one", "two"])
def test_losses_and_metrics_have_the_units_of_the_targets(loss, y):
    held = X[160:], y[160:]
    model = net(1 if y.ndim == 1 else 2)
    history = fit(model, (X[:160], y[:160]), validation=held, loss=loss, metrics=["mse", "mae"])
    scale = model.card.target_scale
    np.testing.assert_allclose(scale.mean, np.atleast_1d(y[:160].mean(axis=0)), rtol=1e-12)
    np.testing.assert_allclose(scale.deviation, np.atleast_1d(y[:160].std(axis=0)), rtol=1e-12)
    found = pn.predict(model, held[0])
    expected = {name: formula(name, held[1], found, np.array(scale.deviation)) for name in LOSSES}
    best = history.best_epoch - 1  # float32 predictions about 5,000 are rounded to 5e-4
    assert history["val_loss"][best] == pytest.approx(expected[loss], rel=1e-4)
    assert history["val_mse"][best] == pytest.approx(expected["mse"], rel=1e-4)
    assert history["val_mae"][best] == pytest.approx(expected["mae"], rel=1e-4)
    report = pn.evaluate(model, held, verbose=0)
    assert float(report.loss) == pytest.approx(expected[loss], rel=1e-4)
    assert float(report.mae) == pytest.approx(expected["mae"], rel=1e-4)
    assert history["loss"][0] > 0.1 * expected[loss]


@pytest.mark.parametrize("loss", LOSSES)
def test_weights_of_examples_count_in_these_losses_too(loss):
    w = RNG.integers(1, 5, 240)
    model = net(2, dtype="float64")
    still = {"learning_rate": 1e-30, "epochs": 1, "validation": None}  # the weights do not move
    history = fit(model, (X, TWO), sample_weight=w, loss=loss, **still)
    found, deviation = pn.predict(model, X), np.array(model.card.target_scale.deviation)
    rows = [formula(loss, TWO[i : i + 1], found[i : i + 1], deviation) for i in range(240)]
    assert history["loss"][0] == pytest.approx(np.average(rows, weights=w), rel=1e-9)


def test_the_first_line_the_summary_and_info_say_so(capsys):
    model = net()
    fit(model, (X, Y), verbose=1)
    scale = model.card.target_scale
    words = f"targets standardized (mean {scale.mean[0]:.4g}, std {scale.deviation[0]:.4g})"
    assert f"1 value · mse · {words} · adam" in capsys.readouterr().out
    model.summary()
    assert words in capsys.readouterr().out


def test_the_model_has_them_standardized_and_predict_does_not():
    model = net()
    fit(model, (X, Y), preprocess=None)
    z = model(X.astype(np.float32)).numpy()
    scale = model.card.target_scale
    assert np.abs(z).max() < 10
    np.testing.assert_allclose(pn.predict(model, X), z * scale.deviation[0] + scale.mean[0], rtol=1e-6)
    assert pn.predict(model, X[0]).shape == (1, 1)
    assert pn.predict(model, X[:0]).shape == (0, 1)


def test_it_is_saved_and_old_files_have_none(tmp_path):
    model = net(2)
    fit(model, (X, TWO))
    pn.save(model, tmp_path / "model.safetensors")
    again = pn.load(tmp_path / "model.safetensors")
    assert again.card.target_scale == model.card.target_scale
    assert np.array_equal(pn.predict(again, X), pn.predict(model, X))
    record = json.loads(json.dumps(model.card.as_json()))
    del record["target_scale"]
    assert Card.from_json(record).target_scale is None


@pytest.mark.parametrize(
    "record", [{"mean": [], "deviation": []}, {"mean": [1.0], "deviation": [0.0]}, {"mean": [1.0], "deviation": [1, 2]}]
)
def test_a_damaged_record_is_refused(record):
    with pytest.raises(ValueError, match=r"target_scale .* is invalid"):
        TargetScale.from_json(record)


def test_a_second_fit_keeps_the_scale_unless_told():
    model = net()
    fit(model, (X, Y))
    first = model.card.target_scale
    before = pn.predict(model, X)
    fit(model, (X, 2 * Y), learning_rate=1e-30, epochs=1)
    assert model.card.target_scale == first
    assert np.array_equal(pn.predict(model, X), before)
    fit(model, (X, Y / 1000), scale_targets=False, epochs=1)
    assert model.card.target_scale is None
    fit(model, (X, Y / 1000), epochs=1)
    assert model.card.target_scale is None, "the model was trained on targets as they are"


def test_constant_targets_have_the_deviation_1():
    y = np.full(240, 0.1, np.float32)
    model = net()
    fit(model, (X, y))
    assert model.card.target_scale == TargetScale((float(y[0]),), (1.0,))
    assert np.all(np.isfinite(pn.predict(model, X)))


def test_targets_whose_squares_overflow_are_refused():
    with pytest.raises(ValueError, match=r"fit: y has a standard deviation of .*, whose square float64 cannot hold"):
        fit(net(dtype="float64"), (X, X[:, 0] * 1e300))
    with pytest.raises(ValueError, match="whose square float32 cannot hold: divide y by a constant"):
        fit(net(), (X, Y * 1e17))


@pytest.mark.parametrize("small", [1e-320, 1e-30])
def test_tiny_targets_are_trained_on(small):
    model = net(dtype="float64")
    fit(model, (X, X[:, 0] * small))
    assert np.all(np.isfinite(pn.predict(model, X)))
    assert all(deviation > 0 for deviation in model.card.target_scale.deviation)


def test_timestamps_are_standardized_before_they_are_rounded():
    """Float32 numbers of 1.7e9 are 128 apart."""
    y = 1.7e9 + 10 * X[:, 0]
    model = net()
    with pytest.warns(
        UserWarning, match=r"numbers of float32 are 128 apart there, to which predictions and scores are"
    ):
        history = fit(model, (X, y), epochs=40, learning_rate=0.02)
    assert history["val_loss"][-1] < 0.05 * y.var()


def test_evaluate_reports_targets_that_are_rounded_too():
    """Float32 numbers of 1e12 are 65536 apart: a score of such targets is one of their rounding."""
    model = net()
    fit(model, (X, Y))
    far = 1e12 + X[:, 0]
    with pytest.warns(UserWarning, match=r"^evaluate: y has the mean 1e\+12 .* float32 are 6.55e\+04 apart there, to "):
        pn.evaluate(model, (X, far), verbose=0)
    with pytest.warns(UserWarning, match=r"^evaluate: batch 2: y has the mean 1e\+12 ") as found:
        pn.evaluate(model, [(X[:50], Y[:50]), (X[50:90], far[50:90]), (X[90:], far[90:])], verbose=0)
    assert len(found) == 1
    by_hand = net()
    by_hand.build(X.shape[1:])
    with pytest.warns(UserWarning, match=r"^evaluate: y has the mean 1e\+12 "):
        pn.evaluate(by_hand, (X, far), verbose=0)
    pn.evaluate(model, (X, np.full(len(X), 1e12)), verbose=0)  # equal targets are rounded alike
    exact = net(dtype="float64")
    fit(exact, (X, far))
    pn.evaluate(exact, (X, far), verbose=0)


def test_only_training_rows_give_the_scale():
    model = net()
    fit(model, (X[:160], Y[:160]), validation=(X[160:], Y[160:] + 1e6))
    assert model.card.target_scale.mean[0] == pytest.approx(Y[:160].mean(), rel=1e-12)


def test_batches_have_the_scale_of_arrays():
    made = []
    for data in ((X, TWO), [(X[:128], TWO[:128]), (X[128:], TWO[128:])]):
        model = net(2)
        history = fit(model, data, validation=None, epochs=1, learning_rate=1e-30)
        made.append((model.card.target_scale, history["loss"][0], model.card.data_hash))
    assert made[0][0] == made[1][0]
    assert made[0][1] == pytest.approx(made[1][1], rel=1e-6)
    assert made[0][2] == made[1][2]


# ---- outputs that are not standardized


@pytest.mark.parametrize("activation", ["sigmoid", "relu", "tanh"])
def test_outputs_that_an_activation_bounds_stay_as_they_are(activation):
    model = net(activation=activation)
    fit(model, (X, (Y - Y.min()) / np.ptp(Y)))
    assert model.card.target_scale is None


def test_other_ends_of_a_model_are_looked_through():
    x = pn.Input((3,))
    h = pn.Dense(8, "relu")(x)
    ends = {
        "sum": (pn.Dense(1)(h) + pn.Dense(1, "tanh")(h), True),
        "half": (pn.Dense(1)(h) / 2 + 1, True),
        "inverse": (1 / pn.Dense(1)(h), False),
        "nested": (pn.Sequential(pn.Dense(4), pn.Dense(1))(h), True),
        "flat": (pn.Flatten()(pn.Reshape((1, 1))(pn.Dense(1)(h))), True),
        "both": (pn.Concatenate()([pn.Dense(1)(h), pn.Dense(1, "relu")(h)]), False),
    }
    for name, (node, scaled) in ends.items():
        model = pn.Model(x, node)
        fit(model, (X, (TWO if name == "both" else Y) / 1e4), epochs=1, learning_rate=1e-30)
        assert (model.card.target_scale is not None) == scaled, name


def test_large_targets_that_stay_as_they_are_get_a_warning():
    with pytest.warns(UserWarning, match="large targets train slowly: scale_targets=True standardizes them"):
        fit(net(), (X, Y), scale_targets=False)
    with pytest.warns(UserWarning, match=r"if the last layer has no activation, so end the model in pn.Dense\(1\)"):
        fit(net(activation="relu"), (X, Y))


def test_classes_have_no_scale():
    model = net(2)
    fit(model, (X, (Y > 5000).astype(int)), loss="mse")
    assert model.card.target_scale is None


def test_other_values_of_the_argument_are_refused():
    with pytest.raises(TypeError, match="fit: scale_targets is 'auto': give True or False"):
        fit(net(), (X, Y), scale_targets="auto")


# ---- custom functions


def test_a_custom_loss_gets_targets_as_they_are():
    seen = []

    def own(outputs, targets):
        seen.append(targets.numpy().max())
        return pn.ops.mse(outputs, targets)

    model = net()
    fit(model, (X, Y), loss=own)
    assert model.card.target_scale is None
    assert max(seen) == np.float32(Y.max())


def test_a_custom_loss_on_a_model_with_a_scale_gets_its_predictions():
    def own(outputs, targets):
        return pn.ops.mse(outputs / 1000, targets / 1000)

    model = net()
    fit(model, (X, Y))
    still = {"epochs": 1, "learning_rate": 1e-30, "validation": (X, Y)}
    history = fit(model, (X, Y), loss=own, metrics="mae", **still)
    off = pn.predict(model, X)[:, 0] - Y
    assert history["val_loss"][0] == pytest.approx((off**2).mean() / 1e6, rel=1e-4)
    assert history["val_mae"][0] == pytest.approx(np.abs(off).mean(), rel=1e-4)


def test_a_custom_metric_gets_predictions_and_targets_in_their_units():
    def share_within(outputs, targets):
        return float(np.mean(np.abs(outputs.numpy() / targets.numpy() - 1) < 0.1))

    model = net()
    history = fit(model, (X, Y), metrics=share_within, validation=(X, Y), epochs=1)
    expected = np.mean(np.abs(pn.predict(model, X)[:, 0] / Y - 1) < 0.1)
    assert history["val_share_within"][0] == pytest.approx(expected, abs=1 / 240)


def test_callbacks_see_these_units():
    class Steps(pn.callbacks.Callback):
        def on_batch_end(self, step, logs):
            losses.append(logs["loss"])

    losses = []
    history = fit(net(), (X, Y), callbacks=[Steps()], validation=None, batch_size=60, epochs=1)
    assert np.mean(losses) == pytest.approx(history["loss"][0], rel=1e-6)
    assert min(losses) > 1000


# ---- heads, several passes, ensembles, resuming


def test_heads_have_their_own_scales_and_the_sum_is_that_of_training(tmp_path):
    x = pn.Input((3,))
    h = pn.Dense(8, "tanh")(x)
    model = pn.Model(x, {"price": pn.Dense(1)(h), "both": pn.Dense(2)(h), "kind": pn.Dense(2)(h)})
    y = {"price": Y, "both": TWO, "kind": (X[:, 0] > 0).astype(int)}
    history = fit(model, (X, y), validation=(X, y), loss_weights={"price": 0.5})
    scales = model.card.target_scale
    assert scales["kind"] is None
    assert scales["price"].deviation[0] == pytest.approx(Y.std())
    found = pn.predict(model, X)
    best = history.best_epoch - 1
    assert history["val_price_loss"][best] == pytest.approx(((found["price"][:, 0] - Y) ** 2).mean(), rel=1e-4)
    assert history["val_both_loss"][best] == pytest.approx(((found["both"] - TWO) ** 2).mean(), rel=1e-4)
    assert 0 < history["val_loss"][0] < 10, "each head counts in units of the variance of its targets"
    price = 0.5 * history["val_price_loss"][0] / Y.var()
    both = history["val_both_loss"][0] / TWO.var(axis=0).mean()
    assert history["val_loss"][0] == pytest.approx(price + both + history["val_kind_loss"][0], rel=1e-6)
    pn.save(model, tmp_path / "heads.safetensors")
    again = pn.load(tmp_path / "heads.safetensors")
    assert again.card.target_scale == scales
    assert np.array_equal(pn.predict(again, X)["price"], found["price"])
    reports = pn.evaluate(again, (X, y), verbose=0)
    assert float(reports["price"].mse) == pytest.approx(history["val_price_loss"][best], rel=1e-4)


def test_mirror_images_are_averaged_as_values():
    images = RNG.integers(0, 256, (60, 6, 6, 1)).astype(np.uint8)
    y = images[:, :, :3].mean(axis=(1, 2, 3)) * 100.0
    model = pn.Sequential(pn.Flatten(), pn.Dense(1))
    history = fit(model, (images, y), test_time="flip", validation=(images, y))
    both = pn.predict(model, images)
    model.test_time = None
    one, other = pn.predict(model, images), pn.predict(model, np.ascontiguousarray(images[:, :, ::-1]))
    np.testing.assert_allclose(both, (one + other) / 2, rtol=1e-5)
    off = both[:, 0] - y
    assert history["val_loss"][history.best_epoch - 1] == pytest.approx((off**2).mean(), rel=1e-4)


@pytest.mark.parametrize("loss", LOSSES)
def test_models_of_an_ensemble_have_their_own_scales(loss):
    models = [net(), net()]
    for model, rows in zip(models, (slice(0, 120), slice(120, 240)), strict=True):
        fit(model, (X[rows], Y[rows]), loss=loss)
    assert models[0].card.target_scale != models[1].card.target_scale
    ensemble = pn.Ensemble(models)
    mean = (pn.predict(models[0], X) + pn.predict(models[1], X)) / 2
    np.testing.assert_allclose(pn.predict(ensemble, X), mean, rtol=1e-6)
    report = pn.evaluate(ensemble, (X, Y), verbose=0)
    assert float(report.mae) == pytest.approx(np.abs(mean[:, 0] - Y).mean(), rel=1e-5)


def test_a_resumed_training_has_the_bits_of_an_uninterrupted_one(tmp_path):
    path = tmp_path / "run.ckpt"

    def stop(epoch, logs):
        if epoch == stops:
            raise RuntimeError("stop")

    stops = 0
    whole = net(2)
    history = fit(whole, (X, TWO), epochs=4, callbacks=[stop])
    stops = 3
    with pytest.raises(RuntimeError, match="stop"):
        fit(net(2), (X, TWO), epochs=4, checkpoint=path, callbacks=[stop])
    stops = 0
    again = net(2)
    resumed = fit(again, (X, TWO), epochs=4, checkpoint=path, callbacks=[stop])
    assert resumed["val_loss"] == history["val_loss"]
    assert again.card.target_scale == whole.card.target_scale
    assert again.fingerprint() == whole.fingerprint()


def test_any_number_of_threads_gives_the_same_bits():
    found = set()
    for threads in (1, 2):
        pn.set_threads(threads)
        model = net(2)
        found.add((fit(model, (X, TWO), loss="huber").fingerprint, pn.predict(model, X).tobytes()))
    assert len(found) == 1


def test_the_learning_rate_is_found_on_standardized_targets():
    large = pn.find_learning_rate(net(), (X, Y), verbose=0)
    small = pn.find_learning_rate(net(), (X, Y / 1024), verbose=0)
    assert large.suggestion == small.suggestion
    assert large.losses[0] == pytest.approx(1024**2 * small.losses[0], rel=1e-9)


def test_a_warning_says_where_float32_is_too_coarse_for_targets():
    with pytest.warns(UserWarning, match=r"y has the mean 1e\+12 and a standard deviation of .*subtract a constant"):
        fit(net(), (X, Y + 1e12))
    model = net(dtype="float64")
    fit(model, (X, Y + 1e12))
    assert pn.evaluate(model, (X, Y + 1e12), verbose=0).mse > 1e4
    fit(net(), (X, np.full(240, 1e12)))  # constant
    fit(net(), (X, Y + 1e8))  # numbers are 8 apart, of a deviation of 1,200
