"""fit(ema=...): the running mean of the weights, by its formula."""

import numpy as np
import pytest

import pyneural as pn
from pyneural.training.averaging import Averaging

STEPS = {"epochs": 3, "batch_size": 16, "optimizer": "sgd", "learning_rate": 0.1, "schedule": "constant", "verbose": 0}


def rows(n: int = 60) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    return generator.normal(size=(n, 4)), generator.integers(0, 3, n)


def network() -> pn.Sequential:
    return pn.Sequential(pn.Dense(5), pn.BatchNorm(), pn.Dense(3), dtype="float64")


class Weights(pn.callbacks.Callback):
    """Records all parameters and state after each step, and after each epoch."""

    def __init__(self) -> None:
        self.steps, self.epochs = [], []

    def values(self) -> dict[str, np.ndarray]:
        return {name: np.array(tensor) for name, tensor in self.run.model.blocks().tensors.items()}

    def on_batch_end(self, step, logs):
        self.steps.append(self.values())

    def on_epoch_end(self, epoch, logs):
        self.epochs.append(self.values())


def mean(history: list[dict[str, np.ndarray]], decay: float) -> dict[str, np.ndarray]:
    """Σ d^(t - i) p_i / Σ d^(t - i)."""
    shares = decay ** np.arange(len(history) - 1, -1, -1.0)
    return {name: np.average([values[name] for values in history], axis=0, weights=shares) for name in history[0]}


def equal(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> None:
    for name, values in one.items():
        np.testing.assert_allclose(np.array(values), other[name], rtol=1e-12, atol=1e-14, err_msg=name)


@pytest.mark.parametrize("decay", [0.5, 0.99])
def test_the_model_ends_with_the_bias_corrected_mean_state_included(decay):
    seen = Weights()
    model = network()
    pn.fit(model, rows(), ema=decay, validation=None, callbacks=[seen], **STEPS)
    assert len(seen.steps) == 12
    assert {name.split("/")[1] for name in seen.steps[0]} == {
        "weight",
        "bias",
        "gamma",
        "beta",
        "running_mean",
        "running_var",
    }
    equal(model.blocks().tensors, mean(seen.steps, decay))
    for epoch, values in enumerate(seen.epochs, start=1):
        equal(values, mean(seen.steps[: 4 * epoch], decay))


def test_averaging_does_not_change_the_training():
    one, other = Weights(), Weights()
    pn.fit(network(), rows(), ema=0.9, callbacks=[one], **STEPS)
    pn.fit(network(), rows(), callbacks=[other], **STEPS)
    for with_mean, without in zip(one.steps, other.steps, strict=True):
        for name, values in without.items():
            np.testing.assert_array_equal(values, with_mean[name])


def test_validation_and_the_best_epoch_have_the_means():
    x, y = rows(90)
    model = network()
    seen = Weights()
    history = pn.fit(model, (x, y), validation=(x[::2], y[::2]), ema=0.9, callbacks=[seen], **STEPS)
    report = pn.evaluate(model, (x[::2], y[::2]), verbose=0)
    assert report.loss == pytest.approx(history["val_loss"][history.best_epoch - 1], rel=1e-12)
    equal(model.blocks().tensors, seen.epochs[history.best_epoch - 1])


def test_it_is_repeatable_and_continues_from_its_state():
    model = network()
    model.build((4,), seed=0)
    one, other = Averaging(model.blocks(), 0.9), Averaging(model.blocks(), 0.9)
    generator = np.random.default_rng(0)
    for step in range(6):
        for tensor in model.blocks().tensors.values():
            tensor.assign(generator.normal(size=tensor.shape))
        one.step()
        if step == 2:
            other.restore(one.state())
        elif step > 2:
            other.step()
    assert one.state() == other.state()
    before = model.blocks().snapshot()
    with one.applied():
        assert model.blocks().snapshot() == one.state()["means"]
    assert model.blocks().snapshot() == before


def test_checkpoints_of_the_best_epoch_have_its_means(tmp_path):
    model = network()
    best = pn.callbacks.Checkpoint(tmp_path / "best.safetensors")
    history = pn.fit(model, rows(90), ema=0.9, callbacks=[best], **STEPS)
    assert pn.load(tmp_path / "best.safetensors").fingerprint() == history.fingerprint


def test_an_error_leaves_the_best_means():
    model = network()
    seen = Weights()

    def fail(epoch, logs):
        if epoch == 3:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        pn.fit(model, rows(), ema=0.9, validation=None, callbacks=[seen, fail], **STEPS)
    equal(model.blocks().tensors, seen.epochs[2])


@pytest.mark.parametrize("given", [0, 1, 1.5, -0.1, float("nan"), "0.99", True])
def test_a_decay_out_of_range_is_refused(given):
    model = network()
    with pytest.raises(ValueError, match=r"^fit: ema is .*: give a number between 0 and 1, such as 0.99, or None$"):
        pn.fit(model, rows(), ema=given, **STEPS)
    assert not model.is_built
