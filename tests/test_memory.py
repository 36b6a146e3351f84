"""Memory: each request may fail and nothing is lost; a step asks the system for nothing; a limit holds."""

import gc
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pyneural as pn
from pyneural import _core
from pyneural.files import safetensors as files

MANY = 5000  # requests; no sweep here comes near


def live() -> int:
    return int(pn.memory_stats()["live_bytes"])


@pytest.fixture(autouse=True)
def failing_ends() -> Iterator[None]:
    """No request is set to fail, and no limit stands, after a test."""
    yield
    _core._fail_after(0)
    _core.set_memory_limit(0)


def sweep(work: Callable[[], Any], after: Callable[[int], None] = lambda n: None) -> tuple[int, Any]:
    """Lets the 1st, 2nd, ... request of `work` fail until it succeeds: how often it failed, and what it returned.

    Each failure must be a MemoryError, and leave as many bytes in use as before; `after` looks further.
    """
    gc.collect()
    before = live()
    for n in range(1, MANY):
        _core._fail_after(n)
        try:
            result = work()
        except MemoryError as error:
            said = str(error)
        else:
            _core._fail_after(0)
            return n - 1, result
        _core._fail_after(0)
        assert said.startswith("out of memory: this request for"), said
        if live() != before:
            gc.collect()
        assert live() == before, f"{live() - before:,} bytes were lost when request {n} failed"
        after(n)
    raise AssertionError(f"still asking for memory after {MANY} requests")


def network(*, dropout: bool = True) -> pn.Sequential:
    return pn.Sequential(
        pn.Conv2D(3, 3, activation="relu"), pn.BatchNorm(activation="relu"), pn.MaxPool2D(2), pn.AvgPool2D(2),
        pn.Flatten(), *([pn.Dropout(0.3)] if dropout else []), pn.Dense(5, "tanh"), pn.Dense(3),
    )  # fmt: skip


def pictures(n: int = 12) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (n, 11, 11, 1), dtype=np.uint8), np.arange(n) % 3


def values(model: pn.Model) -> list[bytes]:
    return [np.asarray(value).tobytes() for value in model.parameters.values()]


# ---- the n-th request fails


@pytest.mark.parametrize("optimizer", [pn.SGD, pn.RMSprop, pn.Adam, pn.AdamW])
def test_each_request_of_a_step_may_fail_and_the_step_made_again_gives_the_same_weights(optimizer):
    x, y = pictures()
    x = x.astype(np.float32) / 255

    def prepared() -> tuple[pn.Model, pn.Optimizer]:
        model = network(dropout=False)
        model.build((11, 11, 1), seed=1)
        return model, optimizer(model, clip_norm=0.5)

    def step(model: pn.Model, bound: pn.Optimizer) -> float:
        loss = pn.ops.cross_entropy(model(x, training=True), y)
        loss.backward()
        bound.step()
        return loss.item()

    calm, its_optimizer = prepared()
    losses = [step(calm, its_optimizer) for _ in range(3)]
    model, bound = prepared()
    found = []
    for _ in range(3):
        before = values(model)

        def unchanged(n: int) -> None:
            assert values(model) == before, f"request {n} failed, and parameters changed"  # noqa: B023

        failures, loss = sweep(lambda: step(model, bound), unchanged)
        assert failures > 20
        found.append(loss)
    assert found == losses
    assert bound.steps == 3
    assert values(model) == values(calm)


def test_each_request_of_a_fit_may_fail_and_the_model_stays_usable():
    x, y = pictures()
    model = network()
    pn.fit(model, (x, y), epochs=1, verbose=0)

    def usable(n: int) -> None:
        assert np.all(np.isfinite(pn.predict(model, x))), f"request {n}"

    failures, history = sweep(lambda: pn.fit(model, (x, y), epochs=1, batch_size=6, verbose=0), usable)
    assert failures > 100
    assert history.epochs == 1


def test_each_request_of_building_may_fail_and_the_same_model_builds_afterwards():
    calm = network()
    calm.build((11, 11, 1), seed=4)
    failures, half = 0, 0
    for n in range(1, MANY):
        model = network()
        before = live()
        _core._fail_after(n)
        try:
            model.build((11, 11, 1), seed=4)
        except MemoryError:
            failures += 1
        else:
            break
        finally:
            _core._fail_after(0)
        if model.input_shape is None:
            half += 1
            assert live() == before, f"request {n}: a build that failed left something behind"
        model.build((11, 11, 1), seed=4)
        assert model.fingerprint() == calm.fingerprint(), f"request {n}"
    assert failures > half > 10


def test_each_request_of_a_first_fit_may_fail_and_the_same_fit_of_a_new_model_is_undisturbed():
    x, y = pictures()
    expected = pn.fit(network(), (x, y), epochs=1, verbose=0).fingerprint
    failures, history = sweep(lambda: pn.fit(network(), (x, y), epochs=1, verbose=0))
    assert failures > 100
    assert history.fingerprint == expected


@pytest.mark.parametrize("what", ["evaluate", "predict", "classify", "save and load", "check_gradients"])
def test_each_request_of_what_follows_a_fit_may_fail_and_then_it_gives_the_same(what):
    x, y = pictures()
    model = network()
    pn.fit(model, (x, y), epochs=1, verbose=0)
    work: dict[str, Callable[[], Any]] = {
        "evaluate": lambda: pn.evaluate(model, (x, y), verbose=0).loss,
        "predict": lambda: pn.predict(model, x).tobytes(),
        "classify": lambda: pn.classify(model, x[0]).probabilities.tobytes(),
        "save and load": lambda: files.loads(files.dumps(model), "bytes", ()).fingerprint(),
        "check_gradients": lambda: str(pn.check_gradients(lambda t: pn.ops.tanh(t).sum(), np.ones((2, 2)))),
    }
    expected = work[what]()
    failures, found = sweep(work[what])
    assert failures > 3
    assert found == expected


def tensors() -> list[bytes]:
    """What tensors can do apart from ops: made, borrowed, viewed, cut, converted, written, kept, filled, drawn."""
    array = np.arange(6.0).reshape(2, 3)
    a, lent = pn.tensor(array, requires_grad=True), _core.borrow(array)
    kept = (a * 2.0 + [1.0, 2.0, 3.0]).keep_grad()
    (kept[:1] * lent[1] @ pn.tensor(np.ones((3, 1)))).sum().backward(accumulate=True)
    filled = pn.zeros((4,), "float64")
    filled.assign([1, 2, 3, 4])
    _core.random_fill(filled, "uniform", 0.0, 1.0, 7, "stream")
    block = _core.Block(["w", "b"], [(2, 3), (3,)], ["weight", "bias"])
    block.restore(block.snapshot())
    found = [
        a.grad,
        kept.grad,
        a.T,
        a.astype("float32"),
        a.detach(),
        filled,
        _core.permutation(9, 0, "order"),
        *a,
        *block.tensors,
    ]
    return [np.asarray(t).tobytes() for t in found]


def test_each_request_of_handling_tensors_may_fail_and_nothing_is_lost():
    expected = tensors()
    failures, found = sweep(tensors)
    assert failures > 60
    assert found == expected


def test_a_failing_change_of_threads_leaves_the_threads_there_were():
    before = pn.get_threads()
    try:
        pn.set_threads(2)
        _core._fail_after(1)
        with pytest.raises(MemoryError):
            pn.set_threads(3)
        assert pn.get_threads() == 2
        assert np.all((pn.tensor(np.ones((300, 300))) @ pn.tensor(np.ones((300, 300)))).numpy() == 300)
    finally:
        _core._fail_after(0)
        pn.set_threads(before)


# ---- what a step asks of the system


@pytest.mark.parametrize(("filters", "validated"), [(4, {500: 3, 20: 3}), (32, {96: 15, 40: 3})])
def test_after_the_first_epoch_neither_training_nor_validation_asks_the_system_for_anything(sample, filters, validated):
    """Whole and partial batches of both are of different sizes: 500 rows to validate, or as many as have 8 MiB.

    The first step of the second epoch is the first beside the weights of the best epoch, which are kept.  A custom
    metric is called on the batches of an epoch together, too: on all 600 and all 520.
    """
    seen: dict[int, list[int]] = {}

    def watch(outputs: pn.Tensor, targets: pn.Tensor) -> pn.Tensor:
        seen.setdefault(len(targets), []).append(pn.memory_stats()["system_calls"])
        return pn.ops.accuracy(outputs, targets)

    _core.memory_trim()  # what other tests left would hide a request
    data = sample.train.x[:600], sample.train.y[:600]
    held = sample.test.x[:520], sample.test.y[:520]
    model = pn.Sequential(
        pn.Conv2D(filters, 3, activation="relu"), pn.BatchNorm(), pn.Conv2D(filters, 3, activation="relu"),
        pn.MaxPool2D(2), pn.Flatten(), pn.Dropout(0.1), pn.Dense(10),
    )  # fmt: skip
    pn.fit(model, data, validation=held, batch_size=256, epochs=3, metrics=watch, verbose=0)
    assert {size: len(calls) for size, calls in seen.items()} == {256: 6, 88: 3, 600: 3, 520: 3} | validated
    assert all(calls[-1] == seen[256][2] for calls in seen.values()), seen


def test_training_by_hand_asks_for_the_same_memory_at_each_step():
    x, y = pictures(32)
    model = network()
    model.build((11, 11, 1))
    optimizer = pn.Adam(model)
    x = x.astype(np.float32)
    asked = []
    for _ in range(6):
        before = pn.memory_stats()
        loss = pn.ops.cross_entropy(model(x, training=True), y)
        loss.backward()
        optimizer.step()
        after = pn.memory_stats()
        asked.append((after["requests"] - before["requests"], after["system_calls"] - before["system_calls"]))
    requests = asked[1][0]
    assert requests > 20
    assert asked[2:] == [(requests, 0)] * 4, asked


# ---- a limit


def test_a_limit_is_a_memory_error_in_a_sentence_and_the_model_stays_usable():
    x, y = pictures(200)
    model = network(dropout=False)
    expected = pn.fit(network(dropout=False), (x, y), epochs=1, verbose=0).fingerprint
    model.build((11, 11, 1))
    gc.collect()
    before = live()
    _core.set_memory_limit(before + (3 << 20))  # the optimizer's MiB of scratch, an op's, and not much more
    with pytest.raises(MemoryError, match=r"asked for .* MiB, .* MiB are in use, the limit is .* MiB"):
        pn.fit(model, (np.repeat(x, 8, 0), np.repeat(y, 8, 0)), batch_size=1600, validation=None, verbose=0)
    gc.collect()
    assert live() == before
    assert pn.memory_stats()["peak_bytes"] >= before
    _core.set_memory_limit(0)
    model = network(dropout=False)
    assert pn.fit(model, (x, y), epochs=1, verbose=0).fingerprint == expected


def test_a_limit_below_what_is_in_use_refuses_everything_and_takes_nothing_away():
    kept = pn.tensor(np.arange(1000.0))
    _core.set_memory_limit(1)
    for work in (lambda: pn.zeros(3), lambda: kept + 1.0, lambda: pn.tensor([1.0]), lambda: kept[2]):
        with pytest.raises(MemoryError, match=r"the limit is 0\.0 MiB"):
            work()
    assert np.array_equal(kept.numpy(), np.arange(1000.0))
    _core.set_memory_limit(0)
    assert (kept + 1.0).numpy()[-1] == 1000


def test_what_is_kept_for_reuse_goes_back_to_the_system_on_request():
    np.asarray(pn.zeros((1 << 18,)) + 1.0)
    assert pn.memory_stats()["cached_bytes"] >= 1 << 20
    _core.memory_trim()
    assert pn.memory_stats()["cached_bytes"] == 0


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


if sys.platform == "linux":

    @pytest.mark.parametrize("mib", [192, 1, 1 / 8])
    def test_most_of_what_is_deleted_goes_back_to_the_system(mib):
        _core.memory_trim()
        before = resident()
        n = int(mib * 2**18)
        tensors = [pn.zeros((n,)) for _ in range(int(768 / mib))]
        between = [bytes(1000) for _ in range(1000)]  # others' blocks in the C library's heap
        assert resident() - before > 700 << 20
        del tensors
        assert pn.memory_stats()["cached_bytes"] <= 512 << 20
        assert resident() - before < 520 << 20
        _core.memory_trim()
        assert resident() - before < 40 << 20
        del between


def test_what_a_loop_needs_is_kept_until_its_optimizer_ends():
    floor = 512 << 20
    _core.memory_trim()
    optimizer = pn.SGD([pn.tensor([1.0], requires_grad=True)])
    asked = []
    for _ in range(4):
        before = pn.memory_stats()["system_calls"]
        tensors = [pn.zeros((3 << 24,)) for _ in range(4)]  # of 192 MiB
        del tensors
        asked.append(pn.memory_stats()["system_calls"] - before)
    assert asked[2:] == [0, 0], asked
    assert pn.memory_stats()["keep_bytes"] > floor
    assert pn.memory_stats()["cached_bytes"] >= 768 << 20
    del optimizer
    assert pn.memory_stats()["keep_bytes"] == floor
    assert pn.memory_stats()["cached_bytes"] <= floor


def test_more_than_can_be_addressed_is_a_memory_error_or_a_value_error_and_nothing_is_lost():
    before = live()
    for shape in ((1 << 40, 1 << 10), (1 << 62, 1), (1 << 32, 1 << 32)):
        with pytest.raises((MemoryError, ValueError)):
            pn.zeros(shape)
    assert live() == before
