"""fit: what it promises, what it says, what it refuses."""

import copy
import json
import os
import pickle
import signal
import subprocess
import sys
import threading

import numpy as np
import pandas as pd
import pytest

import pyneural as pn
from pyneural import _core
from pyneural.card.card import Card
from pyneural.datasets.splitting import split_rows
from pyneural.layers.context import Position, position
from pyneural.training.best import Finished


def small(**options) -> pn.Sequential:
    return pn.Sequential(pn.Dense(32, "relu"), pn.BatchNorm(), pn.Dropout(0.1), pn.Dense(3), **options)


def digits(data: pn.Dataset, n: int) -> tuple[np.ndarray, np.ndarray]:
    return data.x[:n], data.y[:n]


# ---- the promise


def test_the_promise_works_literally(sample, capsys):
    data = sample
    model = pn.Sequential(
        pn.Conv2D(16, 5, activation="relu"), pn.MaxPool2D(2),
        pn.Flatten(), pn.Dense(128, activation="relu"), pn.Dense(10))  # fmt: skip
    history = pn.fit(model, data, epochs=5)
    report = pn.evaluate(model, data.test)
    out = capsys.readouterr().out.splitlines()
    assert report.accuracy > 0.95
    assert "mnist (EMBEDDED SAMPLE: 6,000 of 60,000): 5,400 train, 600 validation (shuffled, stratified)" in out[0]
    assert "uint8 (28, 28, 1) -> dataset mean, std · 10 classes · cross_entropy · adam, one-cycle" in out[0]
    assert [line.split(" · ")[0] for line in out[1:6]] == [f"epoch {e}/5" for e in range(1, 6)]
    assert "val_accuracy" in out[1]
    assert out[1].endswith("] · EMBEDDED SAMPLE")
    assert out[6].startswith(f"best epoch {history.best_epoch} (val_loss ")
    assert "n = 1,000 · EMBEDDED SAMPLE" in out[7]


def test_the_same_seed_gives_the_same_weights_for_any_number_of_threads(sample):
    wanted, threads, prints = {"gemm", "conv", "pool", "norm", "update"}, _core.get_threads(), set()
    try:
        for count in (1, 2, 4):
            _core.set_threads(count)
            shared, before = set(), _core.pool_counts()
            for _ in range(1 if count == 1 else 20):  # on a busy machine the second thread may wake too late to help
                model = pn.Sequential(
                    pn.Conv2D(32, 3, activation="relu"), pn.BatchNorm(), pn.MaxPool2D(2), pn.Flatten(), pn.Dropout(0.2),
                    pn.Dense(200, "relu"), pn.Dense(10),
                )  # fmt: skip
                history = pn.fit(model, digits(sample.train, 1000), epochs=1, batch_size=250, seed=5, verbose=0)
                prints.add((history.fingerprint, tuple(history["loss"]), tuple(history["val_loss"])))
                counts = _core.pool_counts()
                shared |= {region for region in wanted if counts[region][1] > before[region][1]}
                if shared == wanted:
                    break
            assert shared == (wanted if count > 1 else set()), f"{count} threads: only {shared} ran on two or more"
    finally:
        _core.set_threads(threads)
    assert len(prints) == 1


def test_another_seed_gives_other_weights(rings):
    prints = {pn.fit(small(), rings, epochs=1, seed=seed, verbose=0).fingerprint for seed in (0, 1, 2)}
    assert len(prints) == 3


def test_dropout_does_not_depend_on_how_samples_are_batched():
    masks = []
    for order in (np.arange(6), np.array([3, 1, 5, 0, 2, 4])):
        model = pn.Sequential(pn.Dropout(0.5))
        model.build((50,))
        token = position.set(Position(1, 2, pn.tensor(order)))
        out = model.call(pn.tensor(np.ones((6, 50), np.float32)), training=True).numpy()
        position.reset(token)
        masks.append(out[np.argsort(order)])
    assert np.array_equal(masks[0], masks[1])


def test_the_last_partial_batch_is_trained_and_weighted_right(rings):
    x, y = rings[0][:70], rings[1][:70]
    model = pn.Sequential(pn.Dense(3))
    seen = []

    def count(outputs, targets):
        seen.append(len(targets))
        return pn.ops.accuracy(outputs, targets)

    # A rate too small to move a float32 weight: the epoch's mean is then the mean over all 70.
    history = pn.fit(model, (x, y), epochs=1, batch_size=32, optimizer="sgd", learning_rate=1e-30, metrics=count,
                     preprocess=None, validation=None, verbose=0)  # fmt: skip
    assert seen == [32, 32, 6, 70], "the last call is on all batches together"
    assert history.steps == 3
    expected = pn.ops.cross_entropy(model(x), y.astype(np.int64)).item()
    assert history["loss"][0] == pytest.approx(expected, rel=1e-5)  # float32 means of three batches


@pytest.mark.parametrize(("n", "sizes"), [(65, [32, 33]), (64, [32, 32]), (66, [32, 32, 2]), (33, [33]), (20, [20])])
def test_one_example_alone_goes_with_the_batch_before_it(rings, n, sizes):
    """Batch norm could not train on it."""
    seen = []

    def count(outputs, targets):
        seen.append(len(targets))
        return pn.ops.accuracy(outputs, targets)

    history = pn.fit(small(), (rings[0][:n], rings[1][:n]), epochs=1, batch_size=32, metrics=count, validation=None,
                     verbose=0)  # fmt: skip
    assert seen[: len(sizes)] == sizes
    assert history.steps == len(sizes)


def test_the_best_weights_come_back(rings):
    x, y = rings
    held = (x[:60], y[:60])
    model = small()
    # A rate that first helps and then destroys.
    history = pn.fit(model, (x[60:], y[60:]), epochs=8, batch_size=64, validation=held, optimizer="sgd",
                     learning_rate=0.5, verbose=0,
                     schedule=lambda step, steps: 1.0 if step < steps // 2 else 20.0)  # fmt: skip
    best = int(np.argmin(history["val_loss"]))
    assert history.best_epoch == best + 1 < 8
    assert pn.evaluate(model, held, verbose=0).loss == pytest.approx(history["val_loss"][best], rel=1e-4)


def test_the_last_weights_are_kept_if_asked_for(rings, capsys, tmp_path):
    x, y = rings
    options = {"validation": (x[:60], y[:60]), "optimizer": "sgd", "learning_rate": 0.5, "ema": 0.5, "keep": "last",
               "batch_size": 64, "schedule": lambda step, steps: 1.0 if step < steps // 2 else 20.0}  # fmt: skip
    model = small()
    history = pn.fit(model, (x[60:], y[60:]), epochs=8, **options)
    assert history.best_epoch == model.card.best_epoch == 8 != 1 + int(np.argmin(history["val_loss"]))
    assert capsys.readouterr().out.splitlines()[-1].startswith(f"last epoch 8 (val_loss {history['val_loss'][-1]:.4g}")
    held = pn.evaluate(model, (x[:60], y[:60]), verbose=0)
    assert held.loss == pytest.approx(history["val_loss"][-1], rel=1e-4)
    with pytest.raises(ValueError, match="keep 'bets'\\? did you mean 'best'"):
        pn.fit(small(), rings, keep="bets")
    file = tmp_path / "run.ckpt"
    pn.fit(small(), rings, epochs=1, checkpoint=file, keep="last", verbose=0)
    with pytest.raises(ValueError, match="keep"):
        pn.fit(small(), rings, epochs=1, checkpoint=file, verbose=0)


def test_the_best_epoch_has_the_lowest_smoothed_validation_loss(rings):
    """One lucky epoch is not the best one; the mean is exponential, with its start corrected."""
    finished = Finished.none([b"before"])
    losses = [1.0, 0.8, 0.6, 0.55, 0.2, 0.54, 0.52, 0.5, 0.48, 0.46, 0.47, 0.9]
    mean, smoothed, bests = 0.0, [], []
    for epoch, loss in enumerate(losses, start=1):
        values = {"loss": loss, "val_loss": loss}
        weights = [str(epoch).encode()] if finished.improved_by(values) else None
        finished = finished.then(values, weights)
        mean = 0.8 * mean + 0.2 * loss
        smoothed.append(mean / (1 - 0.8**epoch))
        bests.append(finished.best)
        assert finished.best == 1 + int(np.argmin(smoothed))
        assert finished.weights == [str(finished.best).encode()]
    assert bests[-1] == 11 != 1 + int(np.argmin(losses))
    assert finished.since == 7, "patience counts from the lowest loss"


def test_an_epoch_is_recorded_without_copying_those_before_it(rings):
    """Else a training of n epochs takes time n squared: 20,000 of a tiny model took 3.2 s instead of 1.2."""
    lists = []

    class Look(pn.callbacks.Callback):
        def on_epoch_end(self, epoch, logs):
            lists.append(self.run.values["val_loss"])

    history = pn.fit(small(), rings, epochs=3, patience=3, callbacks=[Look()], verbose=0)
    assert all(one is history["val_loss"] for one in lists)


def test_ctrl_c_while_an_epoch_is_recorded_leaves_no_part_of_it():
    class Interrupted(list):
        def append(self, value):
            raise KeyboardInterrupt

    finished = Finished.none([]).then({"loss": 1.0, "val_loss": 2.0}, [b"1"])
    finished.values["val_loss"] = Interrupted([2.0])
    with pytest.raises(KeyboardInterrupt):
        finished.then({"loss": 0.5, "val_loss": 1.0, "seconds": 1.0}, [b"2"])
    finished.cut()
    assert finished.values == {"loss": [1.0], "val_loss": [2.0]}
    assert finished.of_best() == {"loss": 1.0, "val_loss": 2.0}


def test_without_validation_the_last_epoch_stays(rings, capsys):
    history = pn.fit(small(), rings, epochs=3, validation=None)
    assert history.best_epoch == 3
    assert "val_loss" not in history
    assert "no validation" in capsys.readouterr().out


def test_a_second_fit_continues_and_says_so(rings, capsys):
    model = small()
    first = pn.fit(model, rings, epochs=2, verbose=0)
    second = pn.fit(model, rings, epochs=2)
    assert "continuing from the weights of 2 epochs, with a fresh optimizer" in capsys.readouterr().out
    assert second["loss"][0] < first["loss"][0]
    assert model.card.epochs == 4


@pytest.mark.parametrize(
    ("first", "second"),
    [({"seed": 0}, {"seed": 1}), ({"validation": 0.1}, {"validation": 0.3}), ({"validation": None}, {})],
)
def test_a_second_fit_warns_where_it_validates_on_examples_of_the_first(rings, first, second):
    model = small()
    pn.fit(model, rings, epochs=1, verbose=0, **first)
    model = pickle.loads(pickle.dumps(model))
    with pytest.warns(UserWarning, match="the model has trained on examples that .* keep the seed and the share"):
        pn.fit(model, rings, epochs=1, verbose=0, **second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({}, {}),
        ({"validation": 0.3}, {"validation": 0.1}),
        ({}, {"seed": 1, "validation": None}),
        ({"seed": 1}, {"validation": (np.zeros((9, 2), np.float32), np.arange(9) % 3)}),
    ],
)
def test_a_second_fit_does_not_warn_where_its_validation_is_new_to_the_model(rings, first, second):
    model = small()
    pn.fit(model, rings, epochs=1, verbose=0, **first)
    pn.fit(model, rings, epochs=1, verbose=0, **second)
    pn.fit(small(), rings, epochs=1, verbose=0, **second)


@pytest.mark.parametrize("last", ["the seed again", "after other data", "another seed", "a smaller share"])
def test_a_third_fit_warns_of_every_fit_before_it(rings, last):
    """Only the last one was remembered."""
    model = small()
    pn.fit(model, rings, epochs=1, verbose=0)
    if last == "after other data":
        pn.fit(model, (rings[0][::2], rings[1][::2]), epochs=1, verbose=0)
    else:
        with pytest.warns(UserWarning, match="an earlier fit on this data had seed=0 and validation=0.1"):
            pn.fit(model, rings, epochs=1, verbose=0, seed=1, validation=0.2)
    model = pickle.loads(pickle.dumps(model))
    given = {"a smaller share": {"seed": 1, "validation": 0.1}, "another seed": {"seed": 2}}
    with pytest.warns(UserWarning, match="an earlier fit on this data had .*, so the model has trained on examples"):
        pn.fit(model, rings, epochs=1, verbose=0, **given.get(last, {"seed": 1}))
    assert len(model.card.splits) == 3


def test_files_without_the_earlier_splits_have_that_of_the_last_fit(rings):
    model = small()
    pn.fit(model, rings, epochs=1, verbose=0, seed=3)
    record = model.card.as_json()
    del record["splits"]
    assert Card.from_json(record).splits == model.card.splits == ((model.card.data_hash, 3, 0.1),)


def test_examples_held_out_by_a_smaller_share_are_held_out_by_a_larger_one(rings):
    data = pn.Dataset(*rings)
    assert set(split_rows(data, 0.1, 3)[1]) <= set(split_rows(data, 0.3, 3)[1])


def test_nan_stops_and_puts_the_weights_back(rings):
    model = small()
    pn.fit(model, rings, epochs=1, verbose=0)
    before = model.fingerprint()

    def spoiled(outputs, targets):
        loss = pn.ops.cross_entropy(outputs, targets)
        return loss * float("nan") if len(calls) >= 3 or calls.append(1) else loss

    calls = []
    with pytest.raises(FloatingPointError, match=r"loss became nan in epoch 1, step 4; .* the custom loss"):
        pn.fit(model, rings, loss=spoiled, verbose=0)
    assert model.fingerprint() == before


class OwnSoftmax(pn.Layer):
    def call(self, x, *, training):
        return pn.ops.softmax(x)


@pytest.mark.parametrize("last", [OwnSoftmax, lambda: pn.Dense(3, activation=lambda x: x.softmax())])
def test_a_softmax_of_ones_own_before_the_loss_is_warned_of(rings, last):
    with pytest.warns(UserWarning, match="the model ends in a softmax of your own"):
        pn.fit(pn.Sequential(pn.Dense(3), last()), rings, epochs=1, verbose=0)
    x = pn.Input((2,))
    model = pn.Model(x, {"a": pn.Dense(3)(x), "b": pn.Sequential(pn.Dense(3), last())(x)})
    with pytest.warns(UserWarning, match="the head b ends in a softmax of your own"):
        pn.fit(model, (rings[0], {"a": rings[1], "b": rings[1]}), epochs=1, verbose=0)
    pn.fit(pn.Sequential(pn.Dense(3), last()), rings, loss="mse", epochs=1, verbose=0)  # takes outputs as they are
    pn.fit(pn.Sequential(pn.Dense(4), last(), pn.Dense(3, "softmax")), rings, epochs=1, verbose=0)


def without_class_0(outputs, targets):
    return pn.ops.cross_entropy(outputs, targets, ignore=0)


@pytest.mark.parametrize("place", ["training", "validation"])
def test_labels_that_are_all_ignored_are_said_to_be_the_cause_of_nan(rings, place):
    x, y = rings
    batches = [(x[start : start + 30], y[start : start + 30]) for start in range(0, 120, 30)]
    held = batches
    if place == "training":
        batches = [*batches[:2], (x[:30], np.zeros(30, int)), *batches[2:]]
    else:
        held = [(part, np.zeros(len(part), int)) for part, _ in batches]
    where = {"training": "the loss became nan in epoch 1, step 3;", "validation": "the validation loss became nan"}
    with pytest.raises(FloatingPointError, match=where[place]) as raised:
        pn.fit(small(), batches, loss=without_class_0, validation=held, verbose=0)
    assert "every label is ignored or has weight 0" in str(raised.value)
    assert "learning rate" not in str(raised.value)


def test_patience_counts_from_the_lowest_loss_itself_which_need_not_be_in_the_best_epoch():
    """The example of docs/training.md."""
    finished = Finished.none([])
    for loss in (1.0, 0.5, 0.6, 0.6):
        finished = finished.then({"val_loss": loss}, [] if finished.improved_by({"val_loss": loss}) else None)
    assert (finished.since, finished.best) == (2, 4)


@pytest.mark.parametrize("steps", [1, 2])
def test_a_gradient_of_nan_is_said_to_be_the_cause_of_nan_in_the_next_step(steps):
    x, y = np.zeros((20 * steps, 2), np.float32), np.zeros(20 * steps)
    model = pn.Sequential(pn.Dense(1, bias=False))

    def distance(outputs, targets):
        return ((outputs - targets) ** 2).sqrt().mean()

    with pytest.raises(FloatingPointError, match=r"had a loss of 0, but a gradient of NaN: .* no derivative"):
        pn.fit(model, (x, y), loss=distance, batch_size=20, validation=(x, y), verbose=0)
    assert np.isfinite(model["dense_1"].weight.numpy()).all()


def test_fit_says_that_gradients_are_off(rings):
    model = small()
    with pn.no_grad(), pytest.raises(RuntimeError, match=r"fit: gradients are off here, inside pn.no_grad\(\)"):
        pn.fit(model, rings, verbose=0)
    assert not model.is_built


@pytest.mark.parametrize("loss", ["auto", without_class_0])
def test_outputs_that_overflow_are_said_to_come_from_the_learning_rate(rings, loss):
    model = pn.Sequential(pn.Dense(8), pn.Dense(3))
    with pytest.raises(FloatingPointError, match="lower the learning rate"):
        pn.fit(model, rings, loss=loss, optimizer="sgd", learning_rate=1e30, schedule="constant", verbose=0)


@pytest.mark.parametrize("fails", ["data", "metric"])
def test_an_error_while_training_leaves_the_best_weights(rings, fails):
    x, y = rings
    passes = [0]

    class Failing:
        def __iter__(self):
            passes[0] += 1
            yield x[:200], y[:200]
            if fails == "data" and passes[0] == 6:  # two passes look at the data, the others train
                raise OSError("the disk is gone")
            yield x[200:], y[200:]

    def metric(outputs, targets):
        if fails == "metric" and passes[0] == 6:
            raise OSError("the disk is gone")
        return 0.0

    model, same = small(), small()
    options = {"validation": (x[:50], y[:50]), "schedule": "constant", "verbose": 0, "metrics": [metric]}
    with pytest.raises(OSError, match="the disk is gone") as caught:
        pn.fit(model, Failing(), epochs=10, **options)
    best = model.card.best_epoch
    assert best > 0
    assert caught.value.__notes__ == [f"fit: restored the weights of epoch {best}, the best so far"]
    passes[0] = -100
    history = pn.fit(same, Failing(), epochs=model.card.epochs, **options)
    assert history.best_epoch == best
    assert model.fingerprint() == same.fingerprint()


def test_ctrl_c_returns_what_there_is(rings, capsys):
    calls = []

    def press(outputs, targets):
        calls.append(1)
        if len(calls) == 12:  # in the second of epochs of 5 steps, each with one call and one for validation
            os.kill(os.getpid(), signal.SIGINT)
        return pn.ops.accuracy(outputs, targets)

    handler = signal.getsignal(signal.SIGINT)
    model = small()
    history = pn.fit(model, rings, epochs=50, metrics=press)
    assert history.interrupted
    assert history.epochs == history.best_epoch >= 1
    assert "interrupted in epoch" in capsys.readouterr().out
    assert signal.getsignal(signal.SIGINT) is handler
    assert pn.predict(model, rings[0]).shape == (300, 3)


def test_threads_each_train_their_own_model(rings):
    results = {}

    def train(seed):
        results[seed] = pn.fit(small(), rings, epochs=3, seed=seed, verbose=0).fingerprint

    threads = [threading.Thread(target=train, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed in range(4):
        assert results[seed] == pn.fit(small(), rings, epochs=3, seed=seed, verbose=0).fingerprint, f"seed {seed}"


def test_after_the_first_epoch_a_step_asks_the_system_for_nothing(sample):
    calls = []

    def watch(outputs, targets):
        calls.append(pn.memory_stats()["system_calls"])
        return pn.ops.accuracy(outputs, targets)

    model = pn.Sequential(pn.Conv2D(4, 3, activation="relu"), pn.MaxPool2D(2), pn.Flatten(), pn.Dense(10))
    pn.fit(model, digits(sample.train, 640), epochs=3, validation=None, metrics=watch, verbose=0)
    steps = 10
    assert calls[-1] == calls[steps], "a step after the first epoch went to the system for memory"


def test_a_failed_allocation_is_a_memory_error_and_leaves_the_model_usable(rings):
    model = small()
    pn.fit(model, rings, epochs=1, verbose=0)
    failures = 0
    for n in range(1, 60):
        _core._fail_after(n)
        try:
            pn.fit(model, rings, epochs=1, verbose=0)
        except MemoryError:
            failures += 1
        finally:
            _core._fail_after(0)
        assert np.all(np.isfinite(pn.predict(model, rings[0])))
    assert failures >= 50


def test_two_thousand_fits_do_not_grow():
    x, y = np.zeros((8, 3), np.float32), np.arange(8) % 2
    x[:, 0] = y
    sizes = []
    for number in range(2000):
        model = pn.Sequential(pn.Dense(4, "relu"), pn.BatchNorm(), pn.Dense(2))
        pn.fit(model, (x, y), epochs=1, validation=None, verbose=0)
        if number % 200 == 199:
            sizes.append(resident())
    assert sizes[-1] - sizes[0] < 1_000_000, sizes


def resident() -> int:
    """Bytes of this process that are in memory; 0 where the system does not tell."""
    try:
        with open("/proc/self/statm") as file:  # noqa: PTH123 -- 10 times, and exactly this
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def test_a_child_forked_after_training_trains_alike():
    code = """
import os, sys, numpy as np, pyneural as pn
x = np.random.default_rng(0).normal(size=(600, 30)).astype(np.float32)
def train():
    model = pn.Sequential(pn.Dense(400, "relu"), pn.Dense(3))
    return pn.fit(model, (x, np.arange(600) % 3), batch_size=200, epochs=2, verbose=0).fingerprint
before = train()
child = os.fork()
if child == 0:
    os._exit(0 if train() == before else 3)
assert os.waitpid(child, 0)[1] == 0
assert train() == before
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


# ---- tasks


def test_names_as_labels_are_classes_with_names(rings):
    x, y = rings
    names = np.array(["inner", "middle", "outer"])[y]
    model = small()
    pn.fit(model, (x, names), epochs=20, learning_rate=0.02, verbose=0)
    assert model.card.task.classes == ("inner", "middle", "outer")
    assert pn.evaluate(model, (x, names), verbose=0).accuracy > 0.8
    assert pn.classify(model, x[0]).label in names


@pytest.mark.parametrize(
    "form",
    [
        lambda y: y.astype(np.float64),
        lambda y: y.reshape(-1, 1),
        lambda y: np.eye(3, dtype=np.float32)[y],
        lambda y: list(map(int, y)),
        lambda y: y.astype(np.uint8),
    ],
)
def test_class_labels_come_in_many_forms(rings, form):
    x, y = rings
    plain = pn.fit(small(), (x, y), epochs=1, verbose=0).fingerprint
    assert pn.fit(small(), (x, form(y)), epochs=1, verbose=0).fingerprint == plain


def test_one_unit_with_0_and_1_is_binary(rings, capsys):
    x, y = rings
    model = pn.Sequential(pn.Dense(32, "relu"), pn.Dense(1))
    pn.fit(model, (x, y == 0), epochs=40, learning_rate=0.02)
    assert "binary · binary_cross_entropy" in capsys.readouterr().out
    assert pn.evaluate(model, (x, y == 0), verbose=0).accuracy > 0.95
    assert pn.predict(model, x).shape == (300, 1)


def test_floats_are_values(capsys):
    x = np.linspace(-1, 1, 256, dtype=np.float32).reshape(-1, 1)
    model = pn.Sequential(pn.Dense(32, "tanh"), pn.Dense(1))
    history = pn.fit(model, (x, x[:, 0] ** 2), epochs=60, batch_size=16, learning_rate=0.02)
    assert "1 value · mse" in capsys.readouterr().out
    assert history["val_loss"][-1] < 0.005
    assert np.abs(pn.predict(model, x)[:, 0] - x[:, 0] ** 2).max() < 0.2


@pytest.mark.parametrize("last", ["softmax", "log_softmax"])
def test_a_final_softmax_is_not_applied_twice(rings, last):
    plain = pn.Sequential(pn.Dense(16, "relu"), pn.Dense(3, init="glorot_uniform"))
    inside = pn.Sequential(pn.Dense(16, "relu"), pn.Dense(3, last))
    after = pn.Sequential(pn.Dense(16, "relu"), pn.Dense(3, init="glorot_uniform"), pn.Activation(last))
    prints = [pn.fit(model, rings, epochs=2, verbose=0)["loss"] for model in (plain, inside, after)]
    assert prints[0] == prints[1] == prints[2]
    np.testing.assert_allclose(pn.predict(plain, rings[0]), pn.predict(after, rings[0]), rtol=1e-6)


def test_a_final_sigmoid_counts_where_the_loss_is_mse(rings):
    model = pn.Sequential(pn.Dense(16, "relu"), pn.Dense(1, "sigmoid"))
    pn.fit(model, (rings[0], (rings[1] == 0).astype(np.float32)), epochs=2, loss="mse", preprocess=None, verbose=0)
    found = pn.predict(model, rings[0])
    assert np.array_equal(found, model(rings[0]).numpy())


def test_validation_comes_in_many_forms(rings):
    x, y = rings
    held = (x[:50], y[:50])
    train = pn.Dataset(x[50:], y[50:])
    prints = {
        pn.fit(small(), train, epochs=1, validation=held, verbose=0).fingerprint,
        pn.fit(small(), train, epochs=1, validation=pn.Dataset(*held), verbose=0).fingerprint,
        pn.fit(small(), pn.Splits(train, validation=pn.Dataset(*held)), epochs=1, verbose=0).fingerprint,
        pn.fit(small(), (x[50:], y[50:]), epochs=1, validation=held, verbose=0).fingerprint,
    }
    assert len(prints) == 1


def test_the_split_is_stratified_shuffled_and_a_function_of_the_seed(sample):
    kept, held = split_rows(sample.train, 0.1, seed=3)
    assert len(held) == 600
    assert len(np.intersect1d(kept, held)) == 0
    assert len(kept) + len(held) == 6000
    share = np.bincount(sample.train.y[held]) / 600 - np.bincount(sample.train.y) / 6000
    assert np.abs(share).max() < 1 / 600
    assert np.array_equal(held, split_rows(sample.train, 0.1, seed=3)[1])
    assert not np.array_equal(held, split_rows(sample.train, 0.1, seed=4)[1])


@pytest.mark.parametrize("preprocess", ["auto", "dataset", "image", None])
def test_training_and_serving_prepare_alike(sample, preprocess):
    x, y = digits(sample.train, 300)
    model = pn.Sequential(pn.Flatten(), pn.Dense(10))
    pn.fit(model, (x, y), epochs=1, preprocess=preprocess, validation=None, verbose=0)
    floats = x.astype(np.float64)
    if preprocess in ("auto", "dataset"):
        floats = (floats - floats.mean()) / floats.std()
    elif preprocess == "image":
        floats = (floats - floats.mean(axis=(1, 2, 3), keepdims=True)) / floats.std(axis=(1, 2, 3), keepdims=True)
    logits = model(floats.astype(np.float32)).numpy()
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    np.testing.assert_allclose(pn.predict(model, x), odds / odds.sum(axis=1, keepdims=True), atol=2e-5)  # sums of 784


def test_only_the_training_rows_make_the_mean(rings):
    x, y = rings
    spoiled = x.copy()
    _, held = split_rows(pn.Dataset(x, y), 0.1, 0)
    spoiled[held] += 100
    cards = []
    for values in (x, spoiled):
        model = small()
        pn.fit(model, (values, y), epochs=1, preprocess="dataset", verbose=0)
        cards.append(model.card.preprocessing)
    assert cards[0] == cards[1]


def test_grey_images_get_their_axis(sample):
    x, y = digits(sample.train, 100)
    model = pn.Sequential(pn.Conv2D(2, 5), pn.Flatten(), pn.Dense(10))
    pn.fit(model, (x[..., 0], y), epochs=1, verbose=0)
    assert model.input_shape == (28, 28, 1)
    assert np.array_equal(pn.predict(model, x[..., 0]), pn.predict(model, x))
    floats = pn.Sequential(pn.Conv2D(2, 5), pn.Flatten(), pn.Dense(10))
    pn.fit(floats, (x[..., 0] / 255, y), epochs=1, verbose=0)
    assert floats.input_shape == (28, 28, 1)


@pytest.mark.parametrize("layout", ["fortran", "swapped", "strided", "readonly", "list"])
def test_arrays_of_any_layout_train_alike(rings, layout):
    x, y = rings
    plain = pn.fit(small(), (x, y), epochs=1, verbose=0).fingerprint
    if layout == "fortran":
        x = np.asfortranarray(x)
    elif layout == "swapped":
        x = x.astype(">f4")
    elif layout == "strided":
        x = np.repeat(x, 2, axis=0)[::2]
    elif layout == "readonly":
        x = x.copy()
        x.flags.writeable = False
    else:
        x = x.tolist()
    assert pn.fit(small(), (x, y), epochs=1, verbose=0).fingerprint == plain


def test_verbose_says_nothing_or_each_step(rings, capsys):
    pn.fit(small(), rings, epochs=1, verbose=0)
    assert capsys.readouterr() == ("", "")
    pn.fit(small(), rings, epochs=1, batch_size=100, verbose=2)
    assert [line.split(" · ")[0] for line in capsys.readouterr().out.splitlines()[1:4]] == [
        "step 1/3", "step 2/3", "step 3/3",
    ]  # fmt: skip


def test_a_history_is_a_table(rings, tmp_path):
    history = pn.fit(small(), rings, epochs=2, verbose=0)
    assert list(history) == ["loss", "accuracy", "val_loss", "val_accuracy", "learning_rate", "seconds"]
    assert history["val_accuracy"][0].low < history["val_accuracy"][0] < history["val_accuracy"][0].high
    text = history.to_csv(tmp_path / "history.csv")
    assert [file.name for file in tmp_path.iterdir()] == ["history.csv"]
    assert (tmp_path / "history.csv").read_text() == text
    head, *rows = (line.split(",") for line in text.splitlines())
    assert head == [
        "epoch", "loss", "accuracy", "val_loss", "val_accuracy", "val_accuracy_low", "val_accuracy_high",
        "learning_rate", "seconds",
    ]  # fmt: skip
    for epoch, row in enumerate(rows):
        best = history["val_accuracy"][epoch]
        assert list(map(float, row[4:7])) == pytest.approx([best, best.low, best.high], rel=1e-8)
        assert float(row[1]) == pytest.approx(history["loss"][epoch], rel=1e-8)
    assert history.epochs == 2
    assert history.steps == 18
    assert history.seconds > 0
    assert not history.interrupted
    assert history.best_epoch == 1 + int(np.argmin(history["val_loss"]))
    with pytest.raises(KeyError, match="the history has no 'acc'"):
        history["acc"]
    with pytest.raises(FileNotFoundError, match=r"to_csv: there is no folder .*: create it first"):
        history.to_csv(tmp_path / "nowhere" / "history.csv")
    with pytest.raises(IsADirectoryError, match=r"to_csv: .* is a folder: give the path of a file"):
        history.to_csv(tmp_path)
    for twin in (pickle.loads(pickle.dumps(history)), copy.copy(history), copy.deepcopy(history)):
        assert isinstance(twin, pn.History)
        assert dict(twin) == dict(history)
        assert vars(twin) == vars(history)


def test_a_history_is_a_data_frame_and_json(rings):
    history = pn.fit(small(), rings, epochs=3, verbose=0)
    frame = pd.DataFrame(history)
    assert list(frame.columns) == list(history)
    assert frame.shape == (3, 6)
    assert (frame.dtypes == "float64").all()
    assert json.loads(json.dumps(history))["val_accuracy"] == history["val_accuracy"]


def test_a_history_without_epochs_says_so():
    with pytest.raises(KeyError, match="the history has no 'loss': no epoch was finished"):
        pn.History()["loss"]


# ---- where the first number that is not finite comes from


class Logarithm(pn.Layer):
    """Its output is NaN where x is negative, which it is in one batch."""

    def call(self, x, *, training):
        return pn.ops.log(x * 2.0) + 1.0


def of_layer(layer, **options):
    """The message of a training in which the layer fails, in the third step."""
    x = np.full((60, 2), 1.0, np.float32)
    x[25:30] = -1.0
    batches = [(x[at : at + 10], np.arange(10.0)) for at in range(0, 60, 10)]
    at = pn.Input((2,))
    model = pn.Model(at, pn.Dense(1)(pn.Activation("relu")(layer(at))))
    with pytest.raises(FloatingPointError) as raised:
        pn.fit(model, batches, verbose=0, **options)
    assert np.isfinite(model["dense_1"].weight.numpy()).all()
    return str(raised.value)


def test_nan_is_said_to_come_from_the_first_layer_and_op():
    assert of_layer(Logarithm()) == (
        "fit: the loss became nan in epoch 1, step 3; restored the weights from before this fit; the first output that "
        "is not finite is that of the op log in the layer logarithm_1: keep the inputs of log away from 0 and below, "
        "as in (x + 1e-6).log(); or lower the learning rate"
    )


def test_nan_inside_a_nested_layer_has_its_path():
    class Outer(pn.Layer):
        def __init__(self):
            self.inner = Logarithm()

        def call(self, x, *, training):
            return self.inner(x, training=training) * 1.0

    assert "that of the op log in the layer outer_1/logarithm_1:" in of_layer(Outer())
    assert "that of the op log in the layer sequential_1/logarithm_1:" in of_layer(pn.Sequential(Logarithm()))


def test_nan_of_the_validation_has_its_layer(rings):
    x, y = np.abs(rings[0]) + 1.0, rings[1]
    with pytest.raises(FloatingPointError, match=r"validation loss became nan in epoch 1; .* op log in the layer log"):
        pn.fit(pn.Sequential(Logarithm(), pn.Dense(3)), (x, y), validation=(-x, y), preprocess=None, verbose=0)


def test_weights_that_overflow_are_named(rings):
    with pytest.raises(FloatingPointError) as raised:
        pn.fit(pn.Sequential(pn.Dense(8), pn.Dense(3)), rings, optimizer="sgd", learning_rate=1e38,
               schedule="constant", verbose=0)  # fmt: skip
    assert "first output that is not finite is that of the op" in str(raised.value) or "are not finite, since" in str(
        raised.value
    )
    assert "pn.Adam(clip_norm=1.0)" in str(raised.value)


def test_a_watcher_hears_of_every_op_and_may_end_it():
    heard = []
    a = pn.ones((2, 3))
    assert _core.set_watcher(lambda op, outputs: heard.append((op, outputs[0].shape))) is None
    a.reshape(6).exp()
    watcher = _core.set_watcher(lambda op, outputs: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        a.exp()
    assert callable(_core.set_watcher(None))
    assert callable(watcher)
    assert heard == [("reshape", (6,)), ("exp", (6,))]
    with pytest.raises(TypeError, match="set_watcher: give a function"):
        _core.set_watcher(3)
    assert a.exp().shape == (2, 3)
