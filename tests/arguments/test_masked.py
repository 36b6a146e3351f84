"""Masked arrays: NumPy's asarray drops the mask, so every entrance of arrays refuses masked values."""

import warnings

import numpy as np
import pytest

import pyneural as pn
from pyneural import _core, ops

WHOLE = np.arange(6.0).reshape(2, 3)
MASKED = np.ma.masked_greater(WHOLE, 3)
LABELS = np.ma.masked_equal([0, 1], 1)
PIXELS = np.ma.masked_greater(np.arange(784).reshape(28, 28) % 251, 250).astype(np.uint8)
PIXELS[0, 0] = np.ma.masked


def model() -> pn.Sequential:
    made = pn.Sequential(pn.Dense(2, name="out"))
    made.build((3,))
    return made


IN_C = {
    "tensor: values: 2 of the values": lambda: pn.tensor(MASKED),
    "tensor: values: 1 of the values": lambda: pn.tensor([WHOLE[0], MASKED[1, 1:2], 3]),
    "tensor: values: 2": lambda: pn.tensor(((MASKED[0], MASKED[1]),)),
    "tensor: values: 1": lambda: pn.tensor([1.0, np.ma.masked]),
    "add: b: 2": lambda: pn.ones((2, 3)) + MASKED,
    "add: a: 2": lambda: MASKED + pn.ones((2, 3)),
    "relu: x: 2": lambda: ops.relu(MASKED),
    "mul: b: 1": lambda: pn.ones(2) * np.ma.masked,
    "greater: b: 2": lambda: pn.ones((2, 3)) > MASKED,
    "assign: 2": lambda: pn.zeros((2, 3)).assign(MASKED),
    "full: value: 1": lambda: pn.full((2,), np.ma.masked),
    "take: indices: 1": lambda: ops.take(pn.ones((4, 2)), LABELS),
    "accuracy: targets: 1": lambda: ops.accuracy(WHOLE, LABELS),
    "borrow: the array: 2": lambda: _core.borrow(MASKED),
    "check_finite: .*2 of": lambda: _core.check_finite(MASKED),
    "moments: .*2 of": lambda: _core.moments(MASKED),
    "backward: .*2 of": lambda: (pn.tensor(WHOLE, requires_grad=True) * 2).backward(MASKED),
    "prepare_digit: the image: .* of": lambda: _core.prepare_digit(PIXELS),
    "assign: 4": lambda: setattr(model()[0], "weight", np.ma.masked_equal(np.eye(3)[:, :2], 1) * 0 + LABELS),
}


@pytest.mark.parametrize("words", IN_C)
def test_the_engine_refuses_masked_values(words):
    with pytest.raises(ValueError, match=words) as caught:
        IN_C[words]()
    assert "masked, which a tensor cannot record: fill them, such as with array.filled(0)" in str(caught.value)


IN_PYTHON = {
    r"model: x has 2 masked values, the first at \(1, 1\)": lambda: model()(MASKED),
    r"model: x has 2 masked values, the first at \(1, 1\): .*array": lambda: model()([*MASKED]),
    r"predict: x has 2 masked values, the first at \(1, 1\)": lambda: pn.predict(model(), [*MASKED]),
    r"data: x has 2 masked values, the first at \(1, 1\)": lambda: pn.Dataset([*MASKED], [0, 1]),
    r"data: y has 1 masked values, the first at \(1,\)": lambda: pn.Dataset(WHOLE, [0, np.ma.masked]),
    r"data: sample_weight has 1 masked values": lambda: pn.Dataset(WHOLE, [0, 1], sample_weight=(0, np.ma.masked)),
    r"data: groups has 1 masked values": lambda: pn.Dataset(WHOLE, [0, 1], groups=(0, np.ma.masked)),
    r"check_gradients: x has 2 masked values": lambda: pn.check_gradients(lambda x: x * 2, MASKED),
    r"check_gradients: y has 1 masked values": lambda: pn.check_gradients(model(), WHOLE, LABELS),
    r"prepare_digit: image has \d+ masked values": lambda: pn.prepare_digit(PIXELS),
    r"ascii: image has \d+ masked values": lambda: pn.ascii(PIXELS),
    "balanced_accuracy: labels has 1 masked": lambda: pn.metrics.balanced_accuracy(LABELS, [0, 1]),
    "balanced_accuracy: predictions has 1 masked": lambda: pn.metrics.balanced_accuracy([0, 1], LABELS),
    "roc_auc: scores has 1 masked": lambda: pn.metrics.roc_auc([0, 1], LABELS),
    "top_k: probabilities has 2 masked": lambda: pn.metrics.top_k([0, 1], MASKED),
    "mse: predictions has 2 masked": lambda: pn.metrics.mse(WHOLE, MASKED),
    r"plot.images: x has \d+ masked values": lambda: pn.plot.images(PIXELS),
    r"plot.images: y has 1 masked values": lambda: pn.plot.images(np.zeros((2, 4, 4), np.uint8), LABELS),
}


@pytest.mark.filterwarnings("ignore:predict. the model was not trained")
@pytest.mark.parametrize("words", IN_PYTHON)
def test_the_package_refuses_masked_values(words):
    with pytest.raises(ValueError, match=words):
        IN_PYTHON[words]()


def test_masked_arrays_without_masked_values_are_arrays():
    plain = np.ma.masked_greater(WHOLE, 99)
    assert pn.tensor(plain).numpy().tolist() == pn.tensor([*plain]).numpy().tolist() == WHOLE.tolist()
    assert np.array_equal(model()(plain).numpy(), model()(WHOLE).numpy())


def test_other_arrays_may_have_an_attribute_mask():
    class Valid(np.ndarray):
        mask = np.ones(3, bool)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert pn.tensor(np.ones(3).view(Valid)).numpy().tolist() == [1, 1, 1]


def test_an_error_in_the_users_mask_is_kept():
    class Broken(np.ma.MaskedArray):
        @property
        def mask(self):
            raise KeyError("mine")

        @mask.setter
        def mask(self, value):
            pass

    with pytest.raises(KeyError, match="mine"):
        pn.tensor(np.ones(3).view(Broken))
