"""Checkpoint files: what they hold comes back as it was, and damage never goes unnoticed."""

from __future__ import annotations

import datetime

import numpy as np
import pytest

import pyneural as pn
from pyneural.files import checkpoint
from pyneural.metrics.estimate import Estimate

RECORD = np.dtype([("name", "U3"), ("value", np.int64)])
ITSELF: list[object] = []
ITSELF.append(ITSELF)


@pytest.fixture(scope="module")
def model():
    model = pn.Sequential(pn.Dense(3), pn.BatchNorm())
    model.build((4,))
    return model


def through_a_file(path, model, state):
    checkpoint.write(path, model, model.blocks().arrays(model.blocks().snapshot()), state)
    return checkpoint.read(path)


def alike(a, b) -> bool:
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.dtype == b.dtype and a.shape == b.shape and bool((a == b).all())
    if isinstance(a, dict):
        return isinstance(b, dict) and list(map(repr, a)) == list(map(repr, b)) and all(alike(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(alike, a, b))
    return type(a) is type(b) and (a == b or a != a)


@pytest.mark.parametrize(
    "value",
    [
        None, True, -(2**1999), 0.1, float("nan"), float("-inf"), "é\ud800\0", b"\0\xff", [], (), {},
        {1: 2, (3, 4): [5]},
        {None: "none", "1": 1, 1: "one"}, [1, (2, [3.0, {"a": (None,)}])], np.array(3.5), np.zeros((0, 3)),
        np.arange(6.0).reshape(2, 3).T, np.array([True, False]), np.array([1.5], np.float16),
        np.array([2**63], np.uint64), Estimate(0.5, 0.25, 0.75, True),
    ],
    ids=repr,
)  # fmt: skip
def test_what_a_checkpoint_can_hold_comes_back_as_it_was(tmp_path, model, value):
    assert checkpoint.can_hold(value)
    found = through_a_file(tmp_path / "a.ckpt", model, {"value": value})["value"]
    assert alike(value, found), found
    if isinstance(found, np.ndarray) and found.size:
        found[...] += found.dtype.type(0)  # writable, as the callback that gets it back may change it


def test_numpys_numbers_become_pythons_and_arrays_of_other_machines_ours(tmp_path, model):
    state = {"a": np.float32(0.1), "b": np.int8(3), "c": np.str_("x"), "d": np.array([1.0, 2.0], ">f8")}
    found = through_a_file(tmp_path / "a.ckpt", model, state)
    assert alike(found, {"a": float(np.float32(0.1)), "b": 3, "c": "x", "d": np.array([1.0, 2.0])})


@pytest.mark.parametrize(
    "value",
    [
        np.array(["a"]), np.array(["a", None], object), np.array([1j]), np.zeros(2, np.longdouble), np.zeros(1, RECORD),
        np.array(["2020-01-01"], "M8[D]"), np.ma.masked_array([1.0], [True]), np.datetime64("2020-01-01"),
        np.complex64(1), np.longdouble(1), 10**5000, ITSELF, {"a": [{1, 2}]}, datetime.date(2020, 1, 1), {1: object()},
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_what_a_checkpoint_cannot_hold_is_left_out_of_callbacks_and_refused_elsewhere(tmp_path, model, value):
    assert not checkpoint.can_hold(value)
    callback = pn.callbacks.Callback()
    callback.kept, callback.left = 1, value
    assert callback.state() == {"kept": 1}
    with pytest.raises(TypeError, match="a checkpoint cannot hold "):
        through_a_file(tmp_path / "a.ckpt", model, {"value": value})
    assert not list(tmp_path.iterdir())


def test_a_training_whose_callback_has_arrays_of_words_is_resumed(tmp_path):
    """And arrays that it gets back can be changed."""

    class Counting(pn.callbacks.Callback):
        def __init__(self):
            self.words = np.array(["cat", "dog"])
            self.counts = np.zeros(2, np.int64)

        def on_epoch_end(self, epoch, logs):
            self.counts += epoch
            if fails and epoch == 2:
                raise OverflowError

    x = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
    data = x, (x[:, 0] > 0).astype(int)
    fails = True
    with pytest.raises(OverflowError):
        pn.fit(pn.Sequential(pn.Dense(2)), data, epochs=3, callbacks=[Counting()], checkpoint=tmp_path / "a", verbose=0)
    fails, one = False, Counting()
    pn.fit(pn.Sequential(pn.Dense(2)), data, epochs=3, callbacks=[one], checkpoint=tmp_path / "a", verbose=0)
    assert one.counts.tolist() == [6, 6]


def test_every_damaged_byte_and_every_missing_one_is_noticed(tmp_path, model):
    path = tmp_path / "a.ckpt"
    state = {"step": 3, "values": [0.5, 1.5], "weights": np.arange(5, dtype=np.float32), "raw": b"abc"}
    wanted = through_a_file(path, model, state)
    data = path.read_bytes()
    generator = np.random.default_rng(0)
    for number in [*range(60), *generator.integers(0, len(data), 400).tolist(), *range(len(data) - 60, len(data))]:
        damaged = bytearray(data)
        damaged[number] ^= 1 << int(generator.integers(8))
        for content in (bytes(damaged), data[:number]):
            path.write_bytes(content)
            try:
                found = checkpoint.read(path)
            except ValueError:
                continue
            assert len(content) == len(data), number
            assert alike(found, wanted), number  # a byte of the model's description, or of the padding
