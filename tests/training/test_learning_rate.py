"""find_learning_rate: a range test on a copy of the model."""

import numpy as np
import pytest

import pyneural as pn


def model(**options) -> pn.Sequential:
    return pn.Sequential(pn.Dense(16, "relu"), pn.BatchNorm(), pn.Dropout(0.1), pn.Dense(3), **options)


def test_the_suggestion_trains(rings, capsys):
    found = pn.find_learning_rate(model(), rings)
    assert 0.003 < found.suggestion < 1
    assert capsys.readouterr().out.startswith(f"suggested learning rate {found.suggestion:.2g} · ")
    losses, smoothed = np.array(found.losses), np.array(found.smoothed)
    error = np.sqrt(np.mean((losses - smoothed) ** 2) * 0.1 / 1.9)
    last = np.flatnonzero(smoothed <= smoothed.min() + error)[-1]
    assert found.suggestion == pytest.approx(found.rates[last] / 3)
    assert len(found.rates) == len(found.losses) == len(found.smoothed) <= 100
    assert found.rates[0] == 1e-6
    assert np.allclose(np.diff(np.log(found.rates)), np.log(1e7) / 99)
    history = pn.fit(model(), rings, epochs=5, learning_rate=found.suggestion, verbose=0)
    slow = pn.fit(model(), rings, epochs=5, learning_rate=found.suggestion / 100, verbose=0)
    assert history["loss"][-1] < 0.8 * slow["loss"][-1]
    assert repr(found) == f"<LearningRateCurve: suggestion {found.suggestion:.2g}, {len(found.rates)} steps>"


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.parametrize("seed", range(3))
def test_a_trained_model_gets_a_rate_that_still_trains(rings, optimizer, seed):
    trained = pn.Sequential(pn.Dense(16, "relu"), pn.Dense(3))
    pn.fit(trained, rings, epochs=20, learning_rate=0.02, seed=seed, verbose=0)
    found = pn.find_learning_rate(trained, rings, optimizer=optimizer, seed=seed, verbose=0)
    assert found.suggestion > 3e-4, "its loss is flat, so the lowest one is found at any rate"


def test_the_model_is_not_changed(rings):
    fresh = model()
    pn.find_learning_rate(fresh, rings, verbose=0)
    assert not fresh.is_built
    assert fresh.card.task is None
    trained = model()
    pn.fit(trained, rings, epochs=1, verbose=0)
    before, card = trained.fingerprint(), repr(trained.card)
    pn.find_learning_rate(trained, rings, verbose=0)
    assert (trained.fingerprint(), repr(trained.card)) == (before, card)
    history, same = pn.fit(fresh, rings, verbose=0), pn.fit(model(), rings, verbose=0)
    assert history.fingerprint == same.fingerprint


def test_it_is_reproducible_and_depends_on_the_optimizer(rings):
    first, second = (pn.find_learning_rate(model(), rings, verbose=0) for _ in range(2))
    assert first == second
    assert pn.find_learning_rate(model(), rings, optimizer="sgd", verbose=0) != first
    assert pn.find_learning_rate(model(), rings, seed=1, verbose=0) != first


def test_batches_and_small_data_are_used_again(rings):
    x, y = rings
    batches = [(x[at : at + 50], y[at : at + 50]) for at in range(0, 300, 50)]
    found = pn.find_learning_rate(model(), batches, steps=20, highest=0.1, verbose=0)
    assert len(found.rates) == 20
    assert found.rates[-1] == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lowest": 0}, "lowest is 0 and highest is 10.0: give learning rates above 0, the lower one first"),
        ({"lowest": 1.0, "highest": 0.1}, "lowest is 1.0 and highest is 0.1"),
        ({"highest": float("inf")}, "highest is inf"),
        ({"steps": 3}, "steps is 3: give a whole number of at least 10"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"loss": "mes"}, "did you mean 'mse'"),
    ],
)
def test_wrong_arguments_are_refused(rings, options, message):
    with pytest.raises(ValueError, match=message):
        pn.find_learning_rate(model(), rings, **options)


def test_what_is_not_a_model_is_refused(rings):
    with pytest.raises(TypeError, match="find_learning_rate"):
        pn.find_learning_rate(rings, model())
    with pytest.raises(TypeError, match="give x and y as one pair"):
        pn.find_learning_rate(model(), *rings)


@pytest.mark.parametrize("y", [["a"] * 200, np.full(200, np.nan), np.arange(7)])
def test_errors_about_the_data_name_the_function_that_was_called(y):
    with pytest.raises(ValueError, match=r"^(find_learning_rate|data): "):
        pn.find_learning_rate(model(), (np.zeros((200, 2), np.float32), y), verbose=0)


def test_an_error_about_the_optimizer_names_the_function_that_was_called(rings):
    with pytest.raises(ValueError, match=r"^find_learning_rate: optimizer 'adem'"):
        pn.find_learning_rate(model(), rings, optimizer="adem")


def test_warnings_about_the_data_name_the_function_that_was_called():
    x = np.ones((60, 2), np.float32)
    x[:, 0] = np.linspace(-1, 1, 60)
    data = (x, np.arange(60) % 2)
    with pytest.warns(UserWarning, match=r"^find_learning_rate: columns of x") as caught:
        pn.find_learning_rate(model(), data, verbose=0)
    assert [warning.filename for warning in caught] == [__file__]
    with pytest.warns(UserWarning, match=r"^fit: columns of x"):
        pn.fit(model(), data, epochs=1, verbose=0)


def test_a_loss_that_is_nan_at_once_is_an_error(rings):
    def loss(outputs, targets):
        return outputs.sum() * float("nan")

    with pytest.raises(FloatingPointError, match="the loss of the first step, at the rate 1e-06, is not finite"):
        pn.find_learning_rate(model(), rings, loss=loss, verbose=0)
