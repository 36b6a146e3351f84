"""Input that changes while it is read: lists that an item's own code clears, arrays resized under the engine.

Each of these crashed the interpreter, or could have: the binding reads copies that stand still, and memory that is
lent to it stays where it is.
"""

import contextlib
import mmap
import threading

import numpy as np
import pytest

import pyneural as pn
from pyneural import _core


class Clears:
    """An object that clears the list or dict it stands in as soon as anybody asks what it is."""

    def __init__(self, holder, value=1):
        self.holder, self.value = holder, value

    def ask(self):
        self.holder.clear()
        return self.value

    def __index__(self):
        return int(self.ask())

    def __float__(self):
        return float(self.ask())

    def __bool__(self):
        return bool(self.ask())

    def __array__(self, dtype=None, copy=None):
        return np.ones(self.ask(), np.float32)


def clearing(*values):
    """A list of these values whose first entry clears it."""
    holder = []
    holder += [Clears(holder, values[0]), *values[1:]]
    return holder


def array(*shape):
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


KERNEL = np.ones((1, 1, 1, 1), np.float32)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda: pn.tensor(array(4)).reshape(clearing(2, 2)).shape, (2, 2)),
        (lambda: pn.ops.reshape(array(4), clearing(2, -1)).shape, (2, 2)),
        (lambda: pn.tensor(array(2, 3)).transpose(clearing(1, 0)).shape, (3, 2)),
        (lambda: pn.ops.sum(array(2, 3), axis=clearing(0, 1)).shape, ()),
        (lambda: pn.ops.conv2d(array(1, 4, 4, 1), KERNEL, stride=clearing(2, 1)).shape, (1, 2, 4, 1)),
        (lambda: pn.ops.conv2d(array(1, 4, 4, 1), KERNEL, padding=clearing(1, 0)).shape, (1, 6, 4, 1)),
        (lambda: pn.ops.conv2d(array(1, 4, 4, 1), KERNEL, padding=[clearing(1, 0), [0, 2]]).shape, (1, 5, 6, 1)),
        (lambda: pn.ops.concat(clearing_arrays(3, 2)).shape, (5,)),
        (lambda: _core.zeros(clearing(2, 3)).shape, (2, 3)),
        (lambda: _core.shape_only(clearing(2, 3)).shape, (2, 3)),
        (lambda: _core.Block(["a"], [clearing(2, 3)], ["weight"]).tensors[0].shape, (2, 3)),
        (lambda: _core.Block(["a", "b"], shapes_that_clear(), ["weight"] * 2).tensors[1].shape, (4,)),
        (lambda: pn.tensor(clearing_arrays(2, 2, 2)).shape, (3, 2)),
        (lambda: pn.tensor([clearing_arrays(2, 2), clearing_arrays(2, 2)]).shape, (2, 2, 2)),
        (lambda: pn.ops.relu(clearing_arrays(2, 2)).shape, (2, 2)),
        (lambda: (pn.tensor(array(2, 2)) + clearing_arrays(2, 2)).shape, (2, 2)),
    ],
)  # fmt: skip
def test_a_list_that_is_cleared_while_it_is_read_is_read_whole(call, expected):
    assert call() == expected


def clearing_arrays(*lengths):
    holder = []
    holder += [Clears(holder, length) for length in lengths]
    return holder


def shapes_that_clear():
    holder = []
    holder += [[Clears(holder, 2), 3], (4,)]
    return holder


def test_values_to_assign_are_read_whole():
    t = pn.tensor(array(2, 3))
    t.assign(clearing_arrays(3, 3))
    assert t.numpy().tolist() == [[1, 1, 1], [1, 1, 1]]


def test_slots_and_words_of_an_optimizer_that_clear_their_dict():
    p = pn.tensor(array(16), requires_grad=True)
    slots = {}
    slots |= {"slot0": Clears(slots, 16), "slot1": np.zeros(16, np.float32)}
    with pytest.raises(ValueError, match="has 2 slots"):
        _core.Optimizer("adam", [p]).set_slots(slots)
    words = {}
    words |= {"learning_rate": Clears(words, 0.5), "momentum": 0.25}
    assert _core.Optimizer("sgd", [p], **words).momentum == 0.25


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_what_a_numbers_own_code_raises_comes_through(error):
    class Raises:
        def __index__(self):
            raise error

        @property
        def dtype(self):
            raise KeyboardInterrupt

    x = pn.tensor(array(1, 4, 4, 1))
    for call in (
        lambda: x.reshape(Raises()),
        lambda: x.reshape([4, Raises()]),
        lambda: pn.ops.sum(x, axis=[Raises()]),
        lambda: pn.ops.conv2d(x, KERNEL, stride=Raises()),
        lambda: pn.ops.conv2d(x, KERNEL, stride=(1, Raises())),
        lambda: pn.ops.conv2d(x, KERNEL, padding=Raises()),
        lambda: pn.ops.conv2d(x, KERNEL, padding=(Raises(), 1)),
        lambda: pn.ops.conv2d(x, KERNEL, padding=((1, 1), (1, Raises()))),
    ):
        with pytest.raises(error):
            call()
    with pytest.raises(KeyboardInterrupt):
        x.astype(Raises())


def test_lists_nested_without_end_are_refused_at_once():
    endless = []
    endless += [endless, endless]
    deep = 1.0
    for _ in range(9):
        deep = [deep]
    for values in (endless, deep):
        with pytest.raises(
            ValueError, match=r"tensor: values: a tensor has at most 8 axes, but these lists are nested deeper"
        ):
            pn.tensor(values)
    assert pn.tensor(deep[0]).shape == (1,) * 8


def test_a_dtype_is_not_a_structure():
    class Named:
        dtype = np.dtype("float64")

    class Structured:
        dtype = (("a", "f4"),)

    for fine in (np.float64, np.dtype("float64"), float, Named(), np.zeros(1)):
        assert pn.tensor([1], dtype=fine).dtype == "float64"
    for structure in ([("a", "f4")], Structured(), Structured, {"names": ["a"], "formats": ["f4"]}):
        with pytest.raises(TypeError, match="dtype must be"):
            pn.tensor([1], dtype=structure)
        with pytest.raises(TypeError, match="is not a dtype"):
            pn.tensor([1]).__array__(structure)


# ---- memory that is lent


class Resizes:
    """An int whose own code resizes an array."""

    def __init__(self, array):
        self.array = array

    def __index__(self):
        self.array.resize(1_000_000, refcheck=False)
        return 0


def test_an_array_lent_to_an_op_cannot_be_resized():
    a = np.ones(100_000, np.float32)
    with pytest.raises(ValueError, match="cannot resize an array"):
        pn.ops.sum(a, axis=Resizes(a))
    owner = np.ones(100_000, np.float32)
    with pytest.raises(ValueError, match="cannot resize an array"):
        pn.ops.sum(owner[10:], axis=Resizes(owner))
    a.resize(50_000, refcheck=False)  # and afterwards it can
    assert a.shape == (50_000,)


def test_borrowed_memory_stays_as_long_as_the_tensor():
    a = np.ones(1000, np.float32)
    t = _core.borrow(a)
    view = t[10:20]
    del t
    with pytest.raises(ValueError, match="cannot resize an array"):
        a.resize(2000, refcheck=False)
    assert view.numpy().tolist() == [1] * 10
    del view
    a.resize(2000, refcheck=False)


@pytest.mark.parametrize("make", [lambda: bytearray(4000), lambda: mmap.mmap(-1, 4000)])
def test_the_buffer_below_an_array_stays_as_long_as_the_tensor(make):
    memory = make()
    t = _core.borrow(np.ndarray(1000, np.float32, buffer=memory)[10:])  # NumPy itself holds no buffer here
    shrink = memory.clear if isinstance(memory, bytearray) else memory.close
    with pytest.raises(BufferError):
        shrink()
    assert t.numpy().sum() == 0
    del t
    shrink()


def test_arrays_may_be_resized_by_another_thread():
    a = np.ones(1_000_000, np.float32)
    stop = threading.Event()

    def resize():
        while not stop.is_set():
            with contextlib.suppress(ValueError):
                a.resize(10 if a.size > 10 else 1_000_000, refcheck=False)

    thread = threading.Thread(target=resize)
    thread.start()
    try:
        for _ in range(300):
            pn.ops.sum(a).item()
    finally:
        stop.set()
        thread.join()
