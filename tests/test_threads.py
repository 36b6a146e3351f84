"""Determinism and threads: the same bits however many threads work, and whoever else is at work."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import child
import numpy as np
import pytest

import pyneural as pn
from pyneural import _core

SHARED = ("gemm", "conv", "pool", "norm", "update")  # the kinds of work that two threads or more must share
ATTEMPTS = 60  # a crowded machine may give no second processor during one short training; it does in one of many


@pytest.fixture(autouse=True)
def threads_return() -> Iterator[None]:
    """As many threads after a test as before it."""
    before = _core.get_threads()
    yield
    _core.set_threads(before)


def network(dtype: str = "float32") -> pn.Sequential:
    """Each kind of layer, with enough work in each for several threads."""
    return pn.Sequential(
        pn.Conv2D(16, 3, activation="relu"), pn.BatchNorm(), pn.MaxPool2D(2), pn.Flatten(), pn.Dropout(0.2),
        pn.Dense(200, "relu"), pn.Dense(10), dtype=dtype,
    )  # fmt: skip


def small() -> pn.Sequential:
    return pn.Sequential(
        pn.Conv2D(8, 3, activation="relu"), pn.BatchNorm(), pn.MaxPool2D(2), pn.Flatten(), pn.Dropout(0.1), pn.Dense(10)
    )


def images(data: pn.Dataset, n: int) -> tuple[np.ndarray, np.ndarray]:
    return data.x[:n], data.y[:n]


def together(*work: Callable[[], Any]) -> list[Any]:
    """What each function returns or raises, each on its own thread, all started at one moment."""
    results: list[Any] = [None] * len(work)
    barrier = threading.Barrier(len(work))

    def one(i: int) -> None:
        barrier.wait()
        try:
            results[i] = work[i]()
        except BaseException as error:
            results[i] = error.with_traceback(None)

    threads = [threading.Thread(target=one, args=(i,)) for i in range(len(work))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


# ---- the same weights


def test_1_2_and_4_threads_give_the_same_weights_and_really_share_the_work(sample):
    def train() -> tuple[Any, ...]:
        history = pn.fit(network(), images(sample.train, 400), epochs=1, seed=5, verbose=0)
        return history.fingerprint, tuple(history["loss"]), tuple(history["val_loss"])

    _core.set_threads(1)
    before = _core.pool_counts()
    expected = train()
    after = _core.pool_counts()
    assert all(after[kind][0] > before[kind][0] for kind in SHARED)
    assert all(after[kind][1] == before[kind][1] for kind in after), "one thread shared its work"
    for count in (2, 4):
        _core.set_threads(count)
        before, missing = _core.pool_counts(), list(SHARED)
        for _ in range(ATTEMPTS):
            assert train() == expected, f"{count} threads"
            after = _core.pool_counts()
            missing = [kind for kind in missing if after[kind][1] == before[kind][1]]
            if not missing:
                break
        assert not missing, f"{', '.join(missing)}: never on two of {count} threads in {ATTEMPTS} trainings"


@pytest.mark.parametrize("n", [40, 3000])
def test_a_pooled_convolution_has_the_same_bits_on_any_number_of_threads(n):
    draw = np.random.default_rng(0)
    x, w, b = (draw.normal(size=shape).astype("float32") for shape in ((n, 14, 14, 4), (3, 3, 4, 9), (9,)))

    def run(threads: int) -> list[bytes]:
        _core.set_threads(threads)
        given = [pn.tensor(values, requires_grad=True) for values in (x, w, b)]
        y = pn.ops.conv2d(*given, activation="relu", pool=2)
        (y * y).sum().backward()
        return [values.numpy().tobytes() for values in (y, *(tensor.grad for tensor in given))]

    expected = run(1)
    for threads in (2, 4):
        assert run(threads) == expected


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop", "adam", "adamw"])
def test_every_optimizer_gives_the_same_weights_on_any_number_of_threads(sample, optimizer, dtype):
    prints = []
    for count in (1, 2, 5):
        _core.set_threads(count)
        model = network(dtype)
        recipe = {"sgd": pn.SGD, "rmsprop": pn.RMSprop, "adam": pn.Adam, "adamw": pn.AdamW}[optimizer](
            clip_norm=1.0, weight_decay=0.01
        )
        prints.append(pn.fit(model, images(sample.train, 100), epochs=1, optimizer=recipe, verbose=0).fingerprint)
    assert prints[0] == prints[1] == prints[2]


def trains_and_prints() -> None:
    import pyneural as pn

    train = pn.datasets.mnist("sample").train
    model = pn.Sequential(
        pn.Conv2D(8, 3, activation="relu"), pn.BatchNorm(), pn.MaxPool2D(2), pn.Flatten(), pn.Dropout(0.1), pn.Dense(10)
    )
    history = pn.fit(model, (train.x[:500], train.y[:500]), epochs=2, seed=3, verbose=0)
    print(pn.get_threads(), history.fingerprint, *history["loss"], *history["val_loss"])


def test_the_same_training_twice_here_and_in_other_processes_is_the_same(sample):
    here = [pn.fit(small(), images(sample.train, 500), epochs=2, seed=3, verbose=0) for _ in range(2)]
    expected = [" ".join([h.fingerprint, *map(str, h["loss"]), *map(str, h["val_loss"])]) for h in here]
    programs = {
        count: child.start(trains_and_prints, PYNEURAL_THREADS=str(count), PYTHONHASHSEED=str(count))
        for count in (1, 2, 4)
    }
    printed = {count: child.finish(program).strip().split(" ", 1) for count, program in programs.items()}
    assert printed == {count: [str(count), expected[0]] for count in programs}
    assert expected[0] == expected[1]


def test_the_number_of_threads_may_change_during_a_training(sample):
    data = images(sample.train, 500)
    expected = pn.fit(small(), data, epochs=2, verbose=0).fingerprint
    done = threading.Event()

    def train() -> str:
        try:
            return pn.fit(small(), data, epochs=2, verbose=0).fingerprint
        finally:
            done.set()

    def change() -> int:
        changes = 0
        while not done.is_set():
            _core.set_threads(changes % 4 + 1)
            changes += 1
        return changes

    fingerprint, changes = together(train, change)
    assert fingerprint == expected
    assert changes > 0


# ---- several Python threads


def test_threads_each_train_their_own_model_while_others_predict(sample):
    _core.set_threads(4)
    data = images(sample.train, 300)
    trained = small()
    pn.fit(trained, data, epochs=1, verbose=0)
    x = sample.test.x[:600]
    predictions = pn.predict(trained, x)
    expected = [pn.fit(small(), data, epochs=1, seed=seed, verbose=0).fingerprint for seed in range(3)]

    def train(seed: int) -> str:
        return pn.fit(small(), data, epochs=1, seed=seed, verbose=0).fingerprint

    def predict() -> bool:
        return all(np.array_equal(pn.predict(trained, x), predictions) for _ in range(4))

    results = together(*(lambda seed=seed: train(seed) for seed in range(3)), *[predict] * 4)
    assert results == [*expected, True, True, True, True]


# ---- one graph, one optimizer, two threads


def deep(w: pn.Tensor) -> pn.Tensor:
    """A graph that a sweep needs a while for, so that two meet in it."""
    y = w
    for _ in range(12):
        y = pn.ops.tanh(y @ w)
    return y.sum()


def weights(n: int = 96) -> pn.Tensor:
    values = np.random.default_rng(0).normal(0, 1 / np.sqrt(n), (n, n))
    return pn.tensor(values, requires_grad=True)


def refusal(error: RuntimeError, words: str) -> int:
    """1, for an error that says so; any other goes on."""
    if words not in str(error):
        raise error
    return 1


def sentence(error: BaseException | None) -> str:
    """Empty for success; what a second sweep may be told, or a failure of the test."""
    if error is None:
        return ""
    assert isinstance(error, RuntimeError), repr(error)
    assert "another thread is running backward" in str(error) or "freed by an earlier backward" in str(error)
    return str(error)


@pytest.mark.parametrize("keep_graph", [False, True])
def test_backward_from_two_threads_on_one_graph_is_done_once_or_refused_in_a_sentence(keep_graph):
    w = weights()
    deep(w).backward()
    expected = np.array(w.grad)
    for _ in range(20):
        loss = deep(w)
        outcomes = [sentence(r) for r in together(*[lambda loss=loss: loss.backward(keep_graph=keep_graph)] * 3)]
        assert outcomes.count("") >= 1, outcomes
        assert keep_graph or outcomes.count("") == 1, outcomes
        assert np.array_equal(w.grad, expected)


def test_backward_from_two_threads_over_the_same_parameters_never_mixes_gradients():
    w = weights()
    deep(w).backward()
    expected = np.array(w.grad)
    for _ in range(20):
        losses = [deep(w) for _ in range(3)]
        outcomes = [sentence(r) for r in together(*[loss.backward for loss in losses])]
        if "" in outcomes and outcomes[-1] == "":
            assert np.array_equal(w.grad, expected)
    deep(w).backward()  # nothing stayed claimed
    assert np.array_equal(w.grad, expected)


def test_a_gradient_may_be_looked_at_while_another_thread_computes_it():
    w = weights()
    deep(w).backward()
    expected = np.array(w.grad)

    def look() -> int:
        refused = 0
        for _ in range(300):
            try:
                w.grad  # noqa: B018
            except RuntimeError as error:
                refused += refusal(error, "another thread is running backward")
        return refused

    def sweep() -> int:
        done = 0
        for _ in range(20):
            try:
                deep(w).backward()
                done += 1
            except RuntimeError as error:
                refusal(error, "another thread is running backward")
        return done

    refused, done = together(look, sweep)
    assert isinstance(refused, int), refused
    assert isinstance(done, int), done
    deep(w).backward()
    assert np.array_equal(w.grad, expected)


def test_one_optimizer_stepped_by_two_threads_steps_or_says_so():
    w = pn.tensor(np.ones(200_000, np.float32), requires_grad=True)
    optimizer = pn.SGD([w], learning_rate=2.0**-10, momentum=0.0)
    w.sum().backward()

    def step() -> int:
        done = 0
        for _ in range(50):
            try:
                optimizer.step()
                done += 1
            except RuntimeError as error:
                refusal(error, "another thread is running a step of this optimizer")
        return done

    done = together(step, step, step)
    assert all(isinstance(n, int) for n in done), done
    assert optimizer.steps == sum(done) >= 50
    assert np.all(w.numpy() == np.float32(1 - sum(done) * 2.0**-10))  # exact in float32: 11 bits


def test_a_layer_is_frozen_and_thawed_while_others_compute():
    model = pn.Sequential(pn.Dense(64, "relu"), pn.Dense(64))
    model.build((64,))
    x = np.ones((600, 64), np.float32)
    done = threading.Event()

    def toggle() -> int:
        toggles = 0
        while not done.is_set():
            for layer in model.layers:
                layer.trainable = not layer.trainable
                toggles += 1
        return toggles

    def compute() -> int:
        met = 0
        try:
            for _ in range(300):
                loss = model(x, training=True).sum()
                try:
                    if loss.requires_grad:
                        loss.backward()
                except RuntimeError as error:
                    met += refusal(error, "another thread is running backward")
        finally:
            done.set()
        return met

    results = together(toggle, compute, compute)
    assert all(isinstance(n, int) for n in results), results
    for layer in model.layers:
        layer.trainable = True
    model(x, training=True).sum().backward()  # nothing stayed claimed
    assert all(np.isfinite(np.array(layer.weight.grad)).all() for layer in model.layers)


def test_a_frozen_parameter_has_no_gradient_until_it_is_thawed():
    model = pn.Sequential(pn.Dense(3), pn.Dense(2))
    model.build((4,))
    x = np.ones((5, 4), np.float32)
    weight = model["dense_1"].weight
    model(x).sum().backward()
    expected = np.array(weight.grad)
    model["dense_1"].trainable = False
    assert not weight.requires_grad
    assert weight.grad is None
    with pytest.raises(RuntimeError, match="keep_grad: this tensor does not depend on any tensor"):
        weight.keep_grad()
    model["dense_1"].trainable = True
    assert weight.keep_grad() is weight
    model(x).sum().backward()
    assert np.array_equal(weight.grad, expected)


@pytest.mark.parametrize("block", [True, False])
def test_an_optimizer_steps_beside_backward_of_another_thread(block):
    model = pn.Sequential(pn.Dense(300), pn.Dense(300))
    model.build((300,))
    tensors = [pn.tensor(np.zeros((300, 300), np.float32), requires_grad=True) for _ in range(3)]
    optimizer = pn.SGD(model if block else tensors, learning_rate=2.0**-10, momentum=0.0)
    if block:
        tensors = [layer.weight for layer in model.layers]

    def sweep() -> int:
        done = 0
        for _ in range(100):
            held = []
            try:
                held = [tensor.grad for tensor in tensors]  # so that the sweep makes new ones
                sum((tensor + 1).sum() for tensor in tensors).backward()
                done += 1
            except RuntimeError as error:
                refusal(error, "another thread is running backward")
            del held
        return done

    def step() -> int:
        done = 0
        for _ in range(100):
            try:
                optimizer.step()
                done += 1
            except RuntimeError as error:
                refusal(error, "another thread is")
        return done

    sweep()
    before = [np.array(tensor) for tensor in tensors]
    swept, *stepped = together(sweep, step, step)
    assert isinstance(swept, int), swept
    assert all(isinstance(n, int) for n in stepped), stepped
    assert optimizer.steps == sum(stepped)
    for tensor, old in zip(tensors, before, strict=True):
        assert np.allclose(old - tensor.numpy(), sum(stepped) * 2.0**-10, atol=1e-4)  # every gradient was 1
